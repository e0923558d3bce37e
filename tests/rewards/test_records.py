"""What checkers say about small corpora, word for word: each file of `RECORDS` in `data/`.

    python tests/rewards/test_records.py

writes all of them anew after a change that was meant; `git diff` then shows what has moved. An
entry is a line (a text as it stands in a JSON string), and below it, indented, what is said of it.
A text is added as a line of its own.
"""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from corgi_gym.rewards.concepts_hard import concepts_hard
from corgi_gym.rewards.constraints.conflicts import find_conflict
from corgi_gym.rewards.constraints.describe import describe
from corgi_gym.rewards.constraints.language import parse
from corgi_gym.rewards.instructions._langdetect import NoLanguage, detect
from corgi_gym.rewards.instructions._punkt import punkt_spans
from corgi_gym.rewards.instructions._treebank import count_capital_words
from corgi_gym.rewards.instructions.length import number_words_reference
from corgi_gym.rewards.instructions.reply import Reply

DATA = Path(__file__).parent / "data"
INDENT = "    "
# Texts that one test judges: it takes a fraction of a second, and a failure shows a short list.
_TOGETHER = 40


def read_story(line: str) -> Iterator[str]:
    """``given words: story`` as `concepts_hard` judges it."""
    given, _, reply = _text(line).partition(": ")
    verdict = concepts_hard(reply, {"concepts": given.split()})
    numbers = {"score": verdict.score, **verdict.metrics}
    yield ", ".join(f"{name} {value:.3f}" for name, value in numbers.items())
    yield from (f"{problem.kind}: {problem.message}" for problem in verdict.problems)


def read_as_published(line: str) -> Iterator[str]:
    """How many words and words in capitals the published IFEval code counts, and its sentences."""
    text = _text(line)
    said = number_words_reference(Reply(text), 100_000, "at least") or ""
    (found,) = re.findall(r"You wrote (\d+) words?\.", said)
    yield f"{found} words, {count_capital_words(text)} in capitals"
    yield from (f"| {_shown(text[a:b])}" for a, b in punkt_spans(text))


def read_language(line: str) -> Iterator[str]:
    """The language that reference mode finds."""
    try:
        yield detect(_text(line))
    except NoLanguage:
        yield "(no letters to tell from)"


def read_constraints(line: str) -> Iterator[str]:
    """What a set of constraints asks for, and which of them contradict each other."""
    constraints = parse(json.loads(line))
    yield from map(describe, constraints.nodes)
    paths = find_conflict(constraints)
    yield "no contradiction found" if paths is None else f"contradiction: {', '.join(paths)}"


class Record(NamedTuple):
    """A corpus: its file, what is said about a line, and the library that this takes."""

    file: str
    say: Callable[[str], Iterator[str]]
    needs: str = ""

    def read(self) -> list[str]:
        """The entries, each a line with the indented lines below it."""
        text = (DATA / self.file).read_text(encoding="utf-8")
        lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        starts = [i for i, line in enumerate(lines) if not line.startswith(INDENT)]
        ends = [*starts[1:], len(lines)]
        return ["\n".join(lines[i:j]) for i, j in zip(starts, ends, strict=True)]

    def write_anew(self, entry: str) -> str:
        """The entry as it is today."""
        line = entry.split("\n")[0]
        return "\n".join([line, *(INDENT + each for each in self.say(line))])

    def rewrite(self) -> None:
        """Write the file anew, with the comments at its head."""
        path = DATA / self.file
        head = [x for x in path.read_text(encoding="utf-8").split("\n") if x.startswith("#")]
        text = "\n".join([*head, *map(self.write_anew, self.read())])
        path.write_text(f"{text}\n", encoding="utf-8")


RECORDS = (
    Record("stories.txt", read_story),
    Record("published_counts.txt", read_as_published),
    Record("languages.txt", read_language, "langdetect"),
    Record("contradictions.txt", read_constraints),
)


def _text(line: str) -> str:
    return str(json.loads(f'"{line}"'))


def _shown(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _pieces() -> Iterator[object]:
    for record in RECORDS:
        entries = record.read()
        for i in range(0, len(entries), _TOGETHER):
            name = f"{record.file} from entry {i + 1}"
            yield pytest.param(record, entries[i : i + _TOGETHER], id=name)


@pytest.mark.parametrize(("record", "entries"), list(_pieces()))
def test_what_is_said_is_what_the_record_holds(record, entries):
    if record.needs:
        pytest.importorskip(record.needs)
    assert "\n".join(map(record.write_anew, entries)) == "\n".join(entries)


def test_records_hold_both_outcomes():
    said = {record.file: "\n".join(record.read()) for record in RECORDS}
    assert "score 1.000, coverage 1.000" in said["stories.txt"] and "frame: " in said["stories.txt"]
    assert said["contradictions.txt"].count("no contradiction found") > 20
    assert said["contradictions.txt"].count("contradiction: ") > 50


if __name__ == "__main__":
    for each in RECORDS:
        if not each.needs or importlib.util.find_spec(each.needs):
            each.rewrite()

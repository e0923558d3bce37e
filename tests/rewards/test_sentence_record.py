"""What `examine` says about some hundred texts: `data/verdicts.txt` holds it, word for word.

    python tests/rewards/test_sentence_record.py

writes it anew after a change that was meant; `git diff` then shows whose verdict has changed.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from corgi_gym.rewards import sentence

DATA = Path(__file__).parent / "data"
RECORD = DATA / "verdicts.txt"
INDENT = "    "
# Texts that one test judges: it takes a fraction of a second, and a failure shows a short list.
_TOGETHER = 40


def read_entries() -> list[str]:
    """The texts of the record, each with the indented lines below it."""
    lines = [line for line in RECORD.read_text().splitlines() if not line.startswith("#")]
    starts = [i for i, line in enumerate(lines) if not line.startswith(INDENT)]
    ends = [*starts[1:], len(lines)]
    return ["\n".join(lines[i:j]) for i, j in zip(starts, ends, strict=True)]


def text_of(entry: str) -> str:
    """The text of an entry; it stands there as in a JSON string, so on one line."""
    return json.loads(f'"{entry.splitlines()[0]}"')


def entry_of(text: str) -> str:
    """A text, what is wrong with it, and what else is where it should tell an event."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1]
    plain, event = list(_verdict(text, False)), list(_verdict(text, True))
    if event != plain:
        plain.extend(f"for an event: {line}" for line in event)
    return "\n".join([shown, *(INDENT + line for line in plain)])


def _verdict(text: str, events: bool) -> Iterator[str]:
    sentence._examine.cache_clear()  # judged anew, whatever an earlier test has asked
    report = sentence.examine(text, events=events)
    if not report.problems:
        yield f"{report.form:.3f}"
    for number, problem in enumerate(report.problems):
        form = "" if number else f"{report.form:.3f} "
        yield f"{form}{problem.kind}: {problem.message}"


def _pieces(texts: list[str]) -> list[list[str]]:
    return [texts[i : i + _TOGETHER] for i in range(0, len(texts), _TOGETHER)]


def test_what_an_entry_says():
    assert entry_of("A dog\nis a pet.") == "\n".join((
        r"A dog\nis a pet.",
        "    0.148 one_sentence: Write exactly one sentence on one line.",
        "    verb: Your sentence has no verb.",
    ))  # fmt: skip
    assert text_of(entry_of("A dog\nis a pet.")) == "A dog\nis a pet."


@pytest.mark.parametrize("entries", _pieces(read_entries()))
def test_verdicts_are_those_of_the_record(entries):
    assert "\n".join(entry_of(text_of(entry)) for entry in entries) == "\n".join(entries)


def test_the_form_is_one_exactly_without_problems():
    for entry in read_entries():
        for events in (False, True):
            report = sentence.examine(text_of(entry), events=events)
            assert (report.form == 1.0) == (not report.problems)
            assert 0.0 <= report.form <= 1.0


def test_the_record_holds_the_degenerate_texts():
    texts = {text_of(entry) for entry in read_entries()}
    assert texts.issuperset((DATA / "degenerate.txt").read_text().splitlines())


@pytest.mark.parametrize("texts", _pieces((DATA / "natural.txt").read_text().splitlines()))
def test_natural_sentences_outside_the_record_have_no_problem(texts):
    known = {text_of(entry) for entry in read_entries()}
    for events in (False, True):
        refused = {text for text in texts if sentence.examine(text, events=events).problems}
        assert refused <= known


def rewrite() -> None:
    """Write the verdicts anew, of the texts that are there and of new degenerate ones."""
    head = [line for line in RECORD.read_text().splitlines() if line.startswith("#")]
    old = map(text_of, read_entries())
    texts = dict.fromkeys([*old, *(DATA / "degenerate.txt").read_text().splitlines()])
    RECORD.write_text("\n".join([*head, *map(entry_of, texts)]) + "\n")


if __name__ == "__main__":
    rewrite()

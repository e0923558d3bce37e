"""Each rule of the sentence grammar on phrases of its own: `data/phrases.txt` says where it ends.

    python tests/rewards/test_grammar_phrases.py

puts the marks of a grammar that was changed on purpose; the difference shows what it reads anew.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from corgi_gym.rewards.grammar import Gap, Grammar
from corgi_gym.rewards.sentence import tokenise

PHRASES = Path(__file__).parent / "data" / "phrases.txt"
ONE, MANY, START = "|", "/", "^"


def read_sections() -> list[tuple[str, list[str]]]:
    """(rule and arguments, marked phrases) from top to bottom."""
    text = "".join(f"{line}\n" for line in PHRASES.read_text().splitlines() if line[:1] != "#")
    sections = [section.partition("]\n") for section in f"\n{text}".split("\n[")[1:]]
    return [(head, [line for line in lines.splitlines() if line]) for head, _, lines in sections]


def mark(heading: str, phrase: str, everywhere: bool = False) -> str:
    """The phrase as the rule reads it; marks that it has are ignored.

    ``everywhere``: rules are tried at all words, not only at those that they begin with.
    """
    rule, *settings = heading.split()
    apart = [word for s in settings if s.startswith("apart=") for word in s[6:].split(",")]
    flags = {s: s in settings for s in ("asks", "events")}
    arguments = [_argument(s) for s in settings if s not in flags and not s.startswith("apart=")]
    before, _, after = phrase.replace(ONE, "").replace(MANY, "").rpartition(START)
    tokens, spelt = tokenise(f"{before} {after}", apart)
    if everywhere:
        tokens = [replace(token, opens=-1) for token in tokens]
    start = len(tokenise(before)[0])
    where = 1 << start if rule == "attach" else start  # the one rule that takes a set of places
    found = getattr(Grammar(tokens, **flags), rule)(where, *arguments)
    one, many = found if isinstance(found, tuple) else (found, 0)
    ends = [ONE * (one >> i & 1) + MANY * (many >> i & 1) for i in range(len(spelt) + 1)]
    words = [f"{word}{end}" for word, end in zip(spelt, ends[1:], strict=True)]
    if before:
        words.insert(start, START)
    return ends[start] * (not before) + re.sub(r" (?=,|'|n't)", "", " ".join(words))


def _argument(setting: str) -> object:
    if setting in Gap.__members__:
        return Gap[setting]
    return {"main": True, "True": True, "False": False}.get(setting, setting)


def test_what_the_marks_say():
    assert mark("noun_phrase", "the dog and Ann's dogs sleep") == "the dog| and Ann's dogs/ sleep"
    assert mark("adverbs", "cat ^ slowly, he") == "cat| ^ slowly|, he"


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize(("heading", "phrases"), read_sections())
def test_where_a_rule_ends(heading, phrases, everywhere):
    marked = [mark(heading, phrase, everywhere) for phrase in phrases]
    assert "\n".join(marked) == "\n".join(phrases)


def test_every_rule_has_phrases():
    """The recogniser's own parts are no rules: they take words and sets of ends."""
    rules = {name for each in Grammar.__mro__[:2] for name in vars(each) if name[0] != "_"}
    assert rules - {"accepts"} == {heading.split()[0] for heading, _ in read_sections()}


def rewrite() -> None:
    """Put the marks anew."""
    lines, heading = [], ""
    for line in PHRASES.read_text().splitlines():
        if line.startswith("["):
            heading = line.strip("[]")
        phrase = line and line[0] not in "[#"
        lines.append(mark(heading, line) if phrase else line)
    PHRASES.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    rewrite()

"""Texts cut into paragraphs, lines, sentences, words and characters.

- A paragraph ends at a blank line, a line at a line break; both count only with a word in them.
- A sentence ends at ``.``, ``!`` or ``?`` before a space or the end, and with its paragraph. Not at
  "Mr.", at an initial ("J. Smith"), at "...", or in ``"Why?" asked Ann.`` A last sentence without
  a full stop is one too.
- A word is what `corgi_gym.rewards.text.words` says: letters and digits with inner apostrophes and
  hyphens. Capital letters never matter when words or characters are compared.
- Characters are all of a text, with inner spaces and punctuation, without spaces around it.

So every word stands in exactly one sentence, line and paragraph, which `conflicts` relies on.
Everything is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from corgi_gym.rewards.prose import ABBREVIATIONS
from corgi_gym.rewards.text import has_word, words

# Coarse to fine. A sentence may span lines, and a line may hold sentences.
LEVELS = ("text", "paragraph", "line", "sentence", "word", "character")

Span = tuple[int, int]

_CLOSING = "\"'\u201d\u2019\u00bb)]*_"
_OPENING = "\"'\u201c\u2018\u00ab([*_"
_ENDS = (".", "!", "?")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_LINE_BREAK = re.compile("\n")
_TOKEN = re.compile(r"\S+")
_SAME = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2011": "-"})


def fold(word: str) -> str:
    """The form in which words and characters are compared: lower case, plain apostrophes.

    Example:
        >>> fold("Don\u2019t")
        "don't"
    """
    return word.lower().translate(_SAME)


class Passage:
    r"""A text, or a piece of one, with its units found on first use.

    Args:
        text: The text.
        start: Where it begins in the whole text.

    Example:
        >>> text = Passage("He ran. Why?\nMr. Fox ran too.")
        >>> [unit.text for unit in text.units("sentence")], text.count("line")
        (['He ran.', 'Why?', 'Mr. Fox ran too.'], 2)
    """

    __slots__ = ("_folded", "_joined", "_units", "span", "text")

    def __init__(self, text: str, start: int = 0) -> None:
        stripped = text.strip()
        begin = start + (text.find(stripped) if stripped else 0)
        self.text = stripped
        self.span: Span = (begin, begin + len(stripped))
        self._units: dict[str, tuple[Passage, ...]] = {}
        self._folded: tuple[str, ...] | None = None
        self._joined: str | None = None

    def units(self, level: str) -> tuple[Passage, ...]:
        """The units of a level, in order; of ``"text"``, the passage itself."""
        if level == "text":
            return (self,)
        if level not in self._units:
            begin = self.span[0]
            spans = _CUTTERS[level](self.text)
            self._units[level] = tuple(Passage(self.text[a:b], begin + a) for a, b in spans)
        return self._units[level]

    def count(self, level: str) -> int:
        """How many units of a level there are."""
        if level == "character":
            return len(self.text)
        return len(self.folded) if level == "word" else len(self.units(level))

    @property
    def folded(self) -> tuple[str, ...]:
        """The words, as they are compared."""
        if self._folded is None:
            if self.text.isascii():  # the usual case: folding changes no word's limits
                self._folded = tuple(words(self.text.lower()))
            else:
                self._folded = tuple(map(fold, words(self.text)))
        return self._folded

    def holds_words(self, sought: tuple[str, ...]) -> bool:
        """Whether these (folded) words stand here one after another."""
        if self._joined is None:
            self._joined = f" {' '.join(self.folded)} "
        return f" {' '.join(sought)} " in self._joined


def _paragraphs(text: str) -> list[Span]:
    return _between(text, _BLANK_LINE)


def _lines(text: str) -> list[Span]:
    return _between(text, _LINE_BREAK)


def _between(text: str, separator: re.Pattern[str]) -> list[Span]:
    spans, begin = [], 0
    for match in separator.finditer(text):
        spans.append((begin, match.start()))
        begin = match.end()
    spans.append((begin, len(text)))
    return [(a, b) for a, b in spans if has_word(text, a, b)]


def _sentences(text: str) -> list[Span]:
    spans = []
    for begin, end in _paragraphs(text):
        first: int | None = None
        last, spoken = begin, False
        for token in _TOKEN.finditer(text, begin, end):
            first = token.start() if first is None else first
            last = token.end()
            spoken = spoken or has_word(token[0])
            if spoken and _ends_sentence(token[0], text[last + 1 : last + 2]):
                spans.append((first, last))
                first, spoken = None, False
        if first is not None and spoken:
            spans.append((first, last))
    return spans


def _ends_sentence(token: str, following: str) -> bool:
    tail = token.rstrip(_CLOSING)
    if tail[-1:] not in _ENDS:
        return False
    if tail.endswith(("!", "?")):
        return not (tail != token and following.islower())
    if not tail.endswith(".") or tail.endswith(".."):
        return False
    core = tail[:-1].lstrip(_OPENING)
    initial = len(core) == 1 and core.isupper() and core != "I"
    return not (initial or core.lower() in ABBREVIATIONS)


def _words(text: str) -> list[Span]:
    spans, end = [], 0
    for word in words(text):
        begin = text.index(word, end)
        end = begin + len(word)
        spans.append((begin, end))
    return spans


def _characters(text: str) -> list[Span]:
    return [(i, i + 1) for i in range(len(text))]


_CUTTERS: dict[str, Callable[[str], list[Span]]] = {
    "paragraph": _paragraphs,
    "line": _lines,
    "sentence": _sentences,
    "word": _words,
    "character": _characters,
}

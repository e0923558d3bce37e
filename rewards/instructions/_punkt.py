"""Counting sentences as the published IFEval code does: Punkt with its English parameters.

Punkt (Kiss and Strunk 2006, "Unsupervised Multilingual Sentence Boundary Detection") decides for
each ``.``, ``?`` and ``!`` from the token before it and the token after it. The parameters are
those of NLTK's ``punkt_tab`` model for English (Jan Strunk, MIT licence), kept in
`_punkt_english.txt` without what no decision looks at. Only reference mode counts this way; it
takes a list number ("1.") for a sentence and everything without end marks for one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

# Contexts remembered: an end mark with the tokens around it. Bounds the memory.
_CACHE_CONTEXTS = 20_000
# A context is two tokens; longer ones (text without spaces) are decided without remembering them.
_MAX_CACHED_CHARS = 80

_CLOSERS = "\u2018\u2019\u201c\u201d\u00ab\u00bb"  # typographic quotes end a word, as brackets do
_NON_WORD = r"[)\";}\]*:@'({\[?!" + _CLOSERS + "]"
_RUN = r"(?:-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_END = rf"\s|$|{_NON_WORD}|{_RUN}"
_TOKEN = re.compile(rf"{_RUN}|[^(\"`{{\[:;&#*@)}}\]\-,\s]\S*?(?={_END}|,(?={_END}))|\S")
_CANDIDATE = re.compile(rf"[.?!](?=({_NON_WORD}|\s+(\S+)))")
_REALIGN = re.compile(rf"[\"')\]}}{_CLOSERS}]+?(?:\s+|(?=--)|$)", re.MULTILINE)
_NUMBER = re.compile(r"^-?[.,]?\d[\d,.-]*\.?$")
_INITIAL = re.compile(r"[^\W\d]\.$")
_PUNCTUATION = frozenset(";:,.!?")
_SPACES = " \t\n\r\x0b\x0c"


class _Model(NamedTuple):
    abbreviations: frozenset[str]
    collocations: frozenset[str]
    starters: frozenset[str]
    starts_lower_too: frozenset[str]
    capital_starts: frozenset[str]
    also_capital_inside: frozenset[str]


@lru_cache(maxsize=1)
def _model() -> _Model:
    text = files(__package__).joinpath("_punkt_english.txt").read_text(encoding="utf-8")
    rows = dict(line.split(":", 1) for line in text.split("\n") if line and line[0] != "#")
    return _Model(*(frozenset(rows[name].split("|")) for name in _Model._fields))


class _Token(NamedTuple):
    text: str
    kind: str  # lower case, numbers as one
    breaks: bool
    abbreviation: bool
    ellipsis: bool

    @property
    def bare(self) -> str:
        """The kind without a final full stop."""
        return self.kind[:-1] if len(self.kind) > 1 and self.kind[-1] == "." else self.kind


def _token(text: str) -> _Token:
    kind = _NUMBER.sub("##number##", text.lower())
    if text in (".", "?", "!"):
        return _Token(text, kind, True, False, False)
    if re.match(r"\.\.+$", text):
        return _Token(text, kind, False, False, True)
    if text[-1] == ".":  # one: more of them are a token of their own
        stem = text[:-1].lower()
        known = _model().abbreviations
        short = stem in known or stem.rsplit("-", 1)[-1] in known
        return _Token(text, kind, not short, short, False)
    return _Token(text, kind, False, False, False)


def _starts_sentence(token: _Token, kind: str) -> bool | None:
    """The orthographic heuristic: yes, no, or None for unsure."""
    if token.text in _PUNCTUATION:
        return False
    first = token.text[0]
    if first.isupper() and kind in _model().capital_starts:
        return True
    if first.islower() and kind not in _model().starts_lower_too:
        return False
    return None


def _break_between(one: _Token, two: _Token) -> bool:
    """Whether a sentence ends after token ``one``, given the next token."""
    if one.text[-1] != ".":
        return one.breaks
    model = _model()
    kind, following = one.bare, two.bare if two.breaks else two.kind
    initial = _INITIAL.match(one.text) is not None
    if f"{kind}\t{following}" in model.collocations:
        return False
    breaks = one.breaks
    starts: bool | None = None
    special = (one.abbreviation or one.ellipsis) and not initial
    if special or initial or kind == "##number##":
        starts = _starts_sentence(two, following)
    if special and (starts or (two.text[0].isupper() and following in model.starters)):
        return True
    if initial or kind == "##number##":
        if starts is False:
            return False
        known = following in model.capital_starts or following in model.also_capital_inside
        if starts is None and initial and two.text[0].isupper() and not known:
            return False
    return breaks


def _holds_break(context: str) -> bool:
    """Whether a sentence ends inside ``context``, before its last token."""
    found = [_token(t) for line in context.split("\n") for t in _TOKEN.findall(line)]
    pairs = pairwise(found)
    return any(_break_between(one, two) for one, two in pairs)


_holds_break_cached = lru_cache(maxsize=_CACHE_CONTEXTS)(_holds_break)


def _ends(text: str) -> list[re.Match[str]]:
    """The end marks that end a sentence.

    An end mark's context is the word before it and what follows. Of several marks in one word
    ("acting!!!") only the last counts.
    """
    found: list[re.Match[str]] = []
    start, stop, last = 0, 0, None
    for match in _CANDIDATE.finditer(text):
        begin = match.start()
        space = max(text.rfind(c, stop, begin) for c in _SPACES)
        word = space + 1 if space > stop else start
        if last is not None and stop <= word:
            _decide(text, start, last, found)
        start, stop, last = word, begin, match
    if last is not None:
        _decide(text, start, last, found)
    return found


def _decide(text: str, start: int, match: re.Match[str], found: list[re.Match[str]]) -> None:
    context = text[start : match.start()] + match.group() + match.group(1)
    decide = _holds_break_cached if len(context) <= _MAX_CACHED_CHARS else _holds_break
    if decide(context):
        found.append(match)


def punkt_spans(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of ``text``, with closing quotes and brackets.

    Example:
        >>> text = 'Mr. Smith said "yes." He left.'
        >>> [text[a:b] for a, b in punkt_spans(text)]
        ['Mr. Smith said "yes."', 'He left.']
    """
    pieces, begin = [], 0
    for match in _ends(text):
        pieces.append((begin, match.end()))
        begin = match.start(2) if match.group(2) else match.end()
    pieces.append((begin, len(text.rstrip())))
    spans, moved = [], 0
    for i, (low, high) in enumerate(pieces):
        low += moved
        if i + 1 < len(pieces):
            following = pieces[i + 1]
            closing = _REALIGN.match(text[following[0] : following[1]])
            if closing:
                moved = closing.end()
                spans.append((low, following[0] + len(closing.group().rstrip())))
                continue
            moved = 0
        if text[low:high]:
            spans.append((low, high))
    return spans


def count_sentences(text: str) -> int:
    """How many sentences Punkt finds.

    Example:
        >>> count_sentences("Dr. Lee came. 1. Stay! Why?")
        4
    """
    return len(punkt_spans(text))

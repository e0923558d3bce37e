"""Is this piece of text prose, or words that only please a counter?

`prose_problem` judges the rest of one sentence: one line, dictionary words (names and numbers may
be among them), no needless repetition, no pair of small words that English does not have ("the of",
"he they"), no bag of content words. It is a floor, not a grammar: every rule is rarely wrong about
honest text. Not covered: meaning, and short salads of fitting words; of random dictionary words and
random small words in turn, nine of ten pass at N = 3 and seven of ten at N = 10.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from corgi_gym.rewards.dictionary import FUNCTION_WORDS, MAX_WORD_CHARS, is_contraction, is_word
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem
from corgi_gym.rewards.word_pairs import impossible

# Content words in a row without a small word between them: five occur ("the | little boy drank hot
# chocolate"), six are a list of words.
MAX_CONTENT_RUN = 5
# From so many words on, at least one is a small word or a loose adverb of place or time.
MIN_WORDS_WITH_SMALL = 5
# Commas that part clauses, and so end a pair or a run of words; more of them make a list.
MAX_COMMAS = 2
# Share of different words below which a text repeats itself: "again and again" has 2/3.
MIN_DISTINCT = 2 / 3
# Longest quotation of a reply inside a message.
MAX_QUOTE = 24
_MAX_HYPHENS = 2  # "mother-in-law"
_LOOSE_TEXT = """
    yesterday today tomorrow tonight home together away back early late later last ago
    monday tuesday wednesday thursday friday saturday sunday
"""
_LOOSE = frozenset(_LOOSE_TEXT.split())
_TITLES = ("mr", "mrs", "ms", "dr", "st", "prof", "jr", "sr")
ABBREVIATIONS = frozenset((*_TITLES, "vs", "etc", "a.m", "p.m", "e.g", "i.e", "u.s", "u.k"))

_APOSTROPHE, _DASH = "\u2019", "\u2013"  # as word processors write ' and -
_QUOTES = f"\"'\u201c\u201d\u2018{_APOSTROPHE}«»"
_CLOSING = f"{_QUOTES})]*_`"
_MARKDOWN = "*_`#"  # "**to the bus**"
_EDGES = f" \t\n.,;:!?…()[]-{_DASH}{_QUOTES}{_MARKDOWN}"
_TOKEN = re.compile(r"[^\s\u2014]+")  # an em dash separates words like a space
_NUMBER = re.compile(r"[$£€]?\d[\d.,:]*(?:st|nd|rd|th|am|pm|s|%)?", re.IGNORECASE)
# These may stand alone between spaces; any other lone symbol is no prose.
_LONE_MARKS = frozenset(("-", _DASH, "--", "...", "…", *_QUOTES))
_UNLISTED = frozenset(("cafe", "cafes"))  # everyday words that the dictionary lacks
_UNITS = frozenset(("kg", "km", "cm", "mm", "ml", "mg", "lb", "lbs", "oz", "ft", "mph", "kmh"))
# "TV", "DVDs": nobody says them as words, so they need no vowel.
_ACRONYM = re.compile(r"[A-Z]{2,4}s?")
_LETTER_FIRST = re.compile(r"[extu]-(?=.)", re.IGNORECASE)  # "e-mail", "T-shirt"
_DOUBLES = frozenset(("had", "that"))  # "the joy that had had no end"


class Token(NamedTuple):
    """One word as written, without outer punctuation (``core``), and its place in the text."""

    raw: str
    core: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Split a text into words and lone symbols: what stands between spaces or em dashes.

    Example:
        >>> [t.core for t in tokens("... at 7:30, Mr. Baker's well-known bus - left!")]
        ['at', '7:30', 'Mr', "Baker's", 'well-known', 'bus', 'left']
    """
    found = []
    for match in _TOKEN.finditer(text.rstrip(_EDGES)):
        raw = match[0]
        if raw not in _LONE_MARKS:
            core = raw.strip(_EDGES).replace(_APOSTROPHE, "'")
            found.append(Token(raw, core, match.start(), match.end()))
    return found


def prose_problem(text: str, found: list[Token], before: str = "") -> Problem | None:
    """The first thing that shows that ``text`` is not the rest of one natural sentence.

    One, because the rules overlap: "bus bus bus" breaks three of them.

    Args:
        text: The text itself (for its line breaks).
        found: Its `tokens`; the caller bounds their number.
        before: The word that comes before the text, if any.

    Example:
        >>> prose_problem("to the the bus", tokens("to the the bus")).message
        '"the the" is not natural English.'
    """
    if "\n" in text.strip() or any(_ends_sentence(a, b) for a, b in pairwise(found)):
        message = "Your reply has several lines or sentences. Write only the rest of this sentence."
        return Problem("one_sentence", message)
    low = [t.core.lower() for t in found]
    return (
        _unknown_word(found) or _impossible_pair(found, before) or _repetition(low)
        or _word_list(found)
    )  # fmt: skip


def _kind_of_word(core: str) -> str:
    """``"word"``, ``"other"`` (a name or number), or ``""``."""
    if len(core) > MAX_WORD_CHARS:
        return ""
    core = _LETTER_FIRST.sub("", _without_accents(core), count=1)
    if is_word(core) or is_contraction(core) or core.lower() in ABBREVIATIONS | _UNLISTED:
        return "word"
    if _NUMBER.fullmatch(core) or _ACRONYM.fullmatch(core) or core in _UNITS:
        return "other"
    parts = core.split("-")
    if len(parts) <= _MAX_HYPHENS + 1 and all(is_word(p) or p.isdecimal() for p in parts):
        return "word"
    name = core.removesuffix("'s").replace("-", "").replace("'", "")
    pronounceable = any(c in "aeiouy" or not c.isascii() for c in name.lower())
    if name.isalpha() and len(name) > 1 and core[0].isupper() and pronounceable:
        return "other"
    return ""


def _without_accents(core: str) -> str:
    """The letters of "café" as in "cafe"; others stay."""
    if core.isascii():
        return core
    return "".join(c for c in unicodedata.normalize("NFD", core) if not unicodedata.combining(c))


def _unknown_word(found: list[Token]) -> Problem | None:
    """The first word that is none, or the first name or number too many (over half of all)."""
    others = 0
    for token in found:
        kind = _kind_of_word(token.core)
        others += kind == "other"
        where = (token.start, token.end)
        if not kind:
            message = f"{quote(token.raw, MAX_QUOTE)} is not an English word. Use natural English."
            return Problem("unknown_word", message, where)
        if others > max(1, len(found) // 2):
            message = "You use too many names or numbers. Use natural English."
            return Problem("unknown_word", message, where)
    return None


def _ends_sentence(token: Token, following: Token) -> bool:
    tail = token.raw.rstrip(_CLOSING)
    if tail.endswith(("...", "…")):
        return False
    if tail.endswith("."):
        if token.core.lower() == "no" and following.core[:1].isdigit():  # "at No. 5"
            return False
        return token.core.lower() not in ABBREVIATIONS
    spoken = tail != token.raw and following.core[:1].islower()  # "Stop!" said the driver
    return tail.endswith(("!", "?")) and not spoken


def _impossible_pair(found: list[Token], before: str) -> Problem | None:
    """The first pair of neighbours that no English sentence has."""
    left, commas = before.lower(), 0
    for token in found:
        right = token.core.lower()
        doubled = left == right and right not in _DOUBLES
        acronym = token.core in ("US", "IT")  # "the US"
        if doubled or (impossible(left, right) and not acronym):
            message = f"{quote(f'{left} {right}', 2 * MAX_QUOTE)} is not natural English."
            return Problem("word_pair", message, (token.start, token.end))
        left = right
        if token.raw.endswith(",") and commas < MAX_COMMAS:
            left, commas = "", commas + 1
    return None


def _repetition(low: list[str]) -> Problem | None:
    """Whether too few of the words are different."""
    if len(set(low)) >= MIN_DISTINCT * len(low):
        return None
    word, times = max(Counter(low).items(), key=lambda item: item[1])
    message = f"You use {quote(word, MAX_QUOTE)} {times} times. Do not repeat words like that."
    return Problem("repetition", message)


def _word_list(found: list[Token]) -> Problem | None:
    """Whether the small words of a sentence are missing."""
    run = longest = smalls = commas = 0
    for token in found:
        word = token.core.lower()
        small = word in FUNCTION_WORDS or word in _LOOSE or word in ABBREVIATIONS or "'" in word
        smalls += small
        run = 0 if small else run + 1
        longest = max(longest, run)
        if token.raw.endswith(","):
            run = run if commas >= MAX_COMMAS else 0
            commas += 1
    if longest > MAX_CONTENT_RUN or (len(found) >= MIN_WORDS_WITH_SMALL and not smalls):
        message = 'This is a list of words. Use natural English with words like "the" and "of".'
        return Problem("word_list", message)
    return None

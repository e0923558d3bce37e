"""Is a text prose: letters of a script, words of a language, and once at least words in a row?

Cheap and generous, for `corgi_gym.rewards.instructions.floor`: what is asked for holds in notes,
lists, poems and JSON as well as in essays. A text in another language than English is prose when
its language can be told (`identify`), or when its script is one that is not told apart here
(Chinese, Greek, ...).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from corgi_gym.rewards.dictionary import FUNCTION_WORDS, is_contraction, is_word
from corgi_gym.rewards.instructions._asked_language import judge_language
from corgi_gym.rewards.instructions._languages import (
    LATIN,
    cut_elision,
    identify,
    in_other_script,
    small_words,
)

# From here on, shares mean something.
LONG = 20
# Words looked up per reply: bounds the time, and a sample says enough.
_MAX_LOOKUPS = 80
# Of the words looked up, this share must be in the dictionary; names and coinages are welcome.
_KNOWN_SHARE = 0.6
# English prose has 35 to 55 % function words, lists and notes 10 % and more, word soup 0.
_FUNCTION_SHARE = 0.08
# Fewer make no sentence, only a list of words; one is enough in a reply of a few words.
_MIN_SMALL, _FEW = 2, 8
# So many words stand in a row once in any text with a sentence. Of them, so many are known:
# one may be a name.
_WINDOW, _WINDOW_KNOWN = 4, 3
# Characters that no text has: control characters, halves of surrogate pairs, unassigned and
# private ones. A stray one is a slip of the keyboard.
_NO_TEXT = frozenset(("Cc", "Cs", "Cn", "Co"))
_MAX_NO_TEXT = 0.02
# Characters looked at.
_MAX_CHARS = 4_000
_LINE_SIGNS = {ord(sign): " " for sign in "\n\t\r"}

_EDGES = ".,!?;:()[]{}<>\"'*_#`~|\u2018\u2019\u201a\u201c\u201d\u201e\u2026\u00ab\u00bb\u00a1\u00bf"
# One word, or words joined by a slash or a dash, or a number.
_PLAIN = re.compile(r"[^\W_]+(?:(?:['\u2019/-]|[\u2013\u2014]|--)[^\W_]+)*+")


def is_prose(
    text: str, held: Sequence[str], asked: str | None = None, topic: tuple[str, ...] = ()
) -> bool:
    """Whether ``text`` with the lower-case words ``held`` is made of a language.

    Args:
        text: The text.
        held: Its words.
        asked: The language that the request asks for, if any: a few words of it show it better than
            they tell thirty languages apart.
        topic: Words that the request gave.

    Example:
        >>> is_prose("The cat sat on it.", "the cat sat on it".split())
        True
        >>> is_prose(")or_Answer:3.5-json)the=1e9", "or answer 3.5-json the 1e9".split())
        False
    """
    if _is_noise(text):
        return False
    if asked not in (None, "en") and judge_language(text, asked, topic).fits:
        return asked not in LATIN or any(_rows(text))
    language = identify(text)
    if language not in (None, "en"):
        # one small word among scraps ("os") is no language; marks split words in other scripts
        return language not in LATIN or (
            sum(_is_small(word, language) for word in held) >= _least_small(held)
            and any(_rows(text))
        )
    foreign = not text.isascii() and any(c.isalpha() and not c.isascii() for c in text)
    small = sum(map(FUNCTION_WORDS.__contains__, held))
    if foreign and (len(held) < LONG or in_other_script(text)):
        if _is_mixed(held):
            return False
        plain = [word for word in held if word.isascii()]
        # too short to tell, or not to be told at all; but one foreign letter makes no language
        known = small >= _least_small(held) and _mostly_known(plain)
        return known or 2 * len(plain) <= len(held)
    if small < max(_least_small(held), _FUNCTION_SHARE * len(held)):
        return False
    return _mostly_known(held) and _has_words_in_a_row(text)


def _is_small(word: str, language: str) -> bool:
    """Whether a word is a small one of the language, or starts with one that is elided."""
    return not small_words()[language].isdisjoint((word, *cut_elision(word)))


def _least_small(held: Sequence[str]) -> int:
    return _MIN_SMALL if len(held) >= _FEW else 1


def _is_mixed(held: Sequence[str]) -> bool:
    """Whether half of the words, or more, join Latin letters with signs of another script."""
    mixed = sum(len({_is_latin(c) for c in word if c.isalnum()}) == 2 for word in held)
    return len(held) >= _WINDOW and 2 * mixed >= len(held)


def _is_latin(sign: str) -> bool:
    return sign.isascii() or unicodedata.name(sign, "").startswith("LATIN")


def _is_noise(text: str) -> bool:
    sample = text[:_MAX_CHARS]
    if sample.isascii() and sample.translate(_LINE_SIGNS).isprintable():
        return False
    odd = sum(unicodedata.category(c) in _NO_TEXT for c in sample if c not in "\n\t\r")
    return odd > _MAX_NO_TEXT * len(sample)


def _mostly_known(held: Sequence[str]) -> bool:
    step = max(1, len(held) // _MAX_LOOKUPS)
    sample = [w for w in held[::step] if w.isalpha() or any(map(str.isalpha, w))]
    known = sum(map(is_known, sample))
    return bool(sample) and known >= _KNOWN_SHARE * len(sample)


@lru_cache(maxsize=20_000)
def is_known(word: str) -> bool:
    """Whether a lower-case word is in the dictionary, or a small word of any language."""
    parts = word.split("-") if "-" in word else [word]
    return all(
        p in FUNCTION_WORDS or is_word(p) or ("'" in p and is_contraction(p)) for p in parts
    ) or any(word in small for small in small_words().values())


def _has_words_in_a_row(text: str) -> bool:
    """Whether four words once follow each other with nothing but spaces and marks between.

    One of them is a function word and one is not: random pieces seldom get that far.
    """
    for row in _rows(text):
        small = sum(map(FUNCTION_WORDS.__contains__, row))
        if 0 < small < _WINDOW and sum(map(is_known, row)) >= _WINDOW_KNOWN:
            return True
    return False


def _rows(text: str) -> Iterator[list[str]]:
    row: list[str] = []
    for token in _tokens(text):
        row = [*row[1 - _WINDOW :], token] if token else []
        if len(row) == _WINDOW:
            yield row


def _tokens(text: str) -> Iterator[str]:
    """The words in lower case; "" for what stands between spaces and is none."""
    for raw in text.split():
        token = raw.strip(_EDGES)
        if not _PLAIN.fullmatch(token):
            yield ""
        else:
            yield from re.split(r"/|--|[\u2013\u2014]", token.lower().replace("\u2019", "'"))

"""Words that must or must not be there, and how often; letters.

Reference mode follows the published checks: a keyword counts inside other words ("cat" in
"education"), and a letter to count that is not a to z is replaced by a random one. Fixed in strict
mode:

- ``existence``, ``frequency``: whole words, in any letter case and with any apostrophes;
- ``forbidden_words``: whole words too, where an underscore separates words, and as a reader sees
  them: marks of Markdown inside a word ("ri**ver**") do not hide it;
- ``letter_frequency``: the character that was asked for, whatever it is; accents do not hide it.

Keywords are text in both modes, never patterns.
"""

from __future__ import annotations

import random
import re
import string
import unicodedata
from functools import lru_cache
from typing import Literal

from corgi_gym.rewards.constraints.segments import fold
from corgi_gym.rewards.instructions.kind import (
    Kind,
    character,
    holds,
    relation,
    text,
    texts,
    whole,
)
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import listing, plural, quote

# Compiled keywords remembered.
_CACHE = 4_096
# What a page does not show: emphasis, code and tags; a star between digits is a product.
_UNSEEN = re.compile(r"(?<!\d)[*`]++|[*`]++(?!\d)|~~|</?[a-zA-Z]{1,10}>")


@lru_cache(maxsize=_CACHE)
def anywhere(keyword: str) -> re.Pattern[str]:
    """Finds ``keyword`` in any case, inside words too."""
    return re.compile(re.escape(keyword), re.IGNORECASE)


@lru_cache(maxsize=_CACHE)
def whole_word(keyword: str) -> re.Pattern[str]:
    """Finds ``keyword`` in any case, not inside a longer word.

    Its spaces match any white space, its apostrophes and hyphens typographic ones too.
    """
    inner = r"\s+".join(map(re.escape, fold(keyword).split()))
    inner = inner.replace("'", "['\u2018\u2019]").replace(r"\-", "[-\u2011]")
    return re.compile(rf"(?<![^\W_]){inner}(?![^\W_])", re.IGNORECASE)


@lru_cache(maxsize=_CACHE)
def _bounded(keyword: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(keyword)}\b", re.IGNORECASE)


def occurrences(reply: Reply, keyword: str) -> int:
    """How often ``keyword`` stands in the reply as a whole word."""
    return len(whole_word(keyword).findall(reply.text))


def asked_times(frequency: int, relation: str) -> str:
    """How messages say a bound."""
    return f"{relation} {plural(frequency, 'time')}"


def _missing(missing: list[str]) -> str | None:
    if not missing:
        return None
    shown = listing([quote(word) for word in missing[:6]])
    noun = "keyword" if len(missing) == 1 else "keywords"
    return f"The reply lacks the {noun} {shown}. Use every keyword that is asked for."


def existence(reply: Reply, keywords: tuple[str, ...]) -> str | None:
    """Every keyword as a whole word."""
    return _missing([word for word in keywords if not whole_word(word).search(reply.text)])


def existence_reference(reply: Reply, keywords: tuple[str, ...]) -> str | None:
    """Every keyword, inside words too."""
    return _missing([word for word in keywords if not anywhere(word).search(reply.text)])


def _times(found: int, keyword: str, frequency: int, relation: str) -> str | None:
    if holds(found, frequency, relation):
        return None
    asked = asked_times(frequency, relation)
    return f"You used {quote(keyword)} {plural(found, 'time')}. Use it {asked}."


def frequency(reply: Reply, keyword: str, frequency: int, relation: str) -> str | None:
    """How often the keyword is there as a whole word."""
    return _times(occurrences(reply, keyword.strip()), keyword, frequency, relation)


def frequency_reference(reply: Reply, keyword: str, frequency: int, relation: str) -> str | None:
    """How often the keyword is there, inside words too."""
    found = len(anywhere(keyword.strip()).findall(reply.text))
    return _times(found, keyword, frequency, relation)


def _forbidden(found: list[str]) -> str | None:
    if not found:
        return None
    return f"You used {listing([quote(word) for word in found[:6]])}, which you must not use."


def forbidden_words(reply: Reply, forbidden_words: tuple[str, ...]) -> str | None:
    """None of the words, each as a whole word, in the text as it is and as it is shown."""
    texts = dict.fromkeys((reply.text, _UNSEEN.sub("", reply.text)))
    found = [w for w in forbidden_words if any(map(whole_word(w).search, texts))]
    return _forbidden(found)


def forbidden_words_reference(reply: Reply, forbidden_words: tuple[str, ...]) -> str | None:
    """None of the words, between word boundaries (an underscore is part of a word)."""
    return _forbidden([w for w in forbidden_words if _bounded(w).search(reply.text)])


def _letters(found: int, letter: str, frequency: int, relation: str) -> str | None:
    if holds(found, frequency, relation):
        return None
    asked = asked_times(frequency, relation)
    noun = "letter" if letter.isalpha() else "character"
    return f"The {noun} {quote(letter)} appears {plural(found, 'time')}. Use it {asked}."


def letter_frequency(
    reply: Reply, letter: str, let_frequency: int, let_relation: str
) -> str | None:
    """How often the character is there, in either case; a plain one with any accent."""
    form: Literal["NFKD", "NFC"] = "NFKD" if letter.isascii() else "NFC"
    lower = reply.lower if reply.text.isascii() else unicodedata.normalize(form, reply.lower)
    asked = unicodedata.normalize(form, letter.lower())
    return _letters(lower.count(asked), letter, let_frequency, let_relation)


def letter_frequency_reference(
    reply: Reply, letter: str, let_frequency: int, let_relation: str
) -> str | None:
    """The same, but a character outside a to z becomes the random letter that seed 0 gives."""
    letter = letter.lower()
    if len(letter) != 1 or not 97 <= ord(letter) <= 122:
        letter = random.Random(0).choice(string.ascii_letters).lower()
    return _letters(reply.lower.count(letter), letter, let_frequency, let_relation)


KINDS = (
    Kind(
        "keywords:existence",
        existence,
        existence_reference,
        {"keywords": texts},
        "every keyword is in the reply",
    ),
    Kind(
        "keywords:frequency",
        frequency,
        frequency_reference,
        {"keyword": text, "frequency": whole(), "relation": relation},
        "a keyword appears less than, or at least, so many times",
    ),
    Kind(
        "keywords:forbidden_words",
        forbidden_words,
        forbidden_words_reference,
        {"forbidden_words": texts},
        "none of the words is in the reply",
    ),
    Kind(
        "keywords:letter_frequency",
        letter_frequency,
        letter_frequency_reference,
        {"letter": character, "let_frequency": whole(), "let_relation": relation},
        "a letter appears less than, or at least, so many times",
    ),
)

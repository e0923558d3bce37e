# ruff: noqa: RUF001  letters of many scripts
"""Is a text in the language that was asked for?

`identify` guesses one of thirty languages from small words, and a short text of plain sentences may
have too few of them, or those of a neighbour. Where the language is known beforehand the question
is easier: the script must be its own, some words must be ones of it (a small word, a letter or an
ending that it has), and no other language may have clearly more of its own. What cannot be told
counts for the writer.

Not told apart: neighbours in a text that holds nothing of only one of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from corgi_gym.rewards.dictionary import is_word
from corgi_gym.rewards.instructions._languages import (
    NAMES,
    SHARED_SCRIPTS,
    identify,
    script_of,
    script_share,
    small_words,
    word_pieces,
)

# Share of the words that must be small words of the language, or, with its letters and endings too,
# the larger share and so many different ones.
_SMALL_SHARE, _SHAPE_SHARE, _LEAST_SHAPES = 0.1, 0.25, 2
# Share of the words that must be in the dictionary, for English.
_KNOWN_SHARE = 0.75
# Share of the words that can be said in the language, where small words do not show it.
_SAYABLE_SHARE = 0.75
# Another language than English is clearly there with so many words that the asked one has not, and
# more than so many times as many as of the asked one alone. Of English one word more is enough.
_CLEAR, _CLEAR_TIMES = 2, 2
# Words looked at.
_MAX_WORDS = 2_000
# Different letters below which a text in its own script is no text.
_MIN_VARIETY = 6

# Letters that not all languages of a script have.
_SPECIAL = {
    "en": "", "es": "áéíóúüñ", "pt": "áâãàçéêíóôõú", "fr": "àâæçéèêëîïôœùûüÿ", "de": "äöüß",
    "it": "àèéìòù", "pl": "ąćęłńóśźż", "fi": "äö", "sw": "",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "ru": "ыэё", "uk": "іїєґ", "bg": "ъ",
    "ar": "ةىؤإأئيك", "fa": "پچژگیک", "ur": "پچژگیکٹڈڑےںھہ",
    "hi": "", "mr": "ळ", "ne": "",
}  # fmt: skip
# Endings and pairs of letters of languages that put into endings what others say in small words.
# Those of the three Cyrillic ones are alike: they tell a language from none, not which.
_CYRILLIC = (
    r"(?:[иы]й|[аяоеы]я|ое|ие|[еёиюуая]т|ть|[лн][аоыи]|ого|ому|ами|ях|ах|ов|ів|ите|ата|ето|ът)$"
)
_SHAPES = {
    "ru": _CYRILLIC, "uk": _CYRILLIC, "bg": _CYRILLIC,
    "pl": r"sz|cz|rz|dz|(?:owa|uje|ego|emu|ych|ymi|ami|ach|iej)$",
    "fi": r"(?:aa|ää|yy|uu|ii|öö|ie|uo|yö)\w*[aäeioöuy]$|(?:ss|ll|lt|st)[aä]$|lle$|v[aä]t$|nen$"
    r"|(?:aa|ii|ää|öö|yy|uu)n$|uus$|yys$|tt[uy]$|mme$|ns[aä]$|kki$|kka$|[tk]si$|aa$|ää$|[eo]i$",
}  # fmt: skip
# Letters of the basic alphabet that only foreign words have there.
_NEVER = {"fi": "bcfqwxz", "pl": "qvx", "it": "jkwxy", "vi": "fjwz", "sw": "qx"}
_VOWELS = "aeiouyаеиоуыэюяіїєёъ"
# Letters that start no word.
_NO_START = "ыьъ"
_CLUSTER = re.compile(rf"[^\W\d_{_VOWELS}]{{6,}}")


class Judgement(NamedTuple):
    """Whether a text is in the language, and if not, which other one is clearly there."""

    fits: bool
    other: str | None = None


@lru_cache(maxsize=64)
def judge_language(text: str, language: str, topic: tuple[str, ...] = ()) -> Judgement:
    """Judge whether ``text`` is in ``language``.

    Args:
        text: The text.
        language: A code of `NAMES`.
        topic: Words that the request gave: they show nothing.

    Example:
        >>> judge_language("Stary most stoi nad rzeką. Babcia piecze chleb.", "pl", ("most",))
        Judgement(fits=True, other=None)
        >>> judge_language("The old bridge is there.", "pl", ("most",))
        Judgement(fits=False, other='en')
    """
    if language not in NAMES:
        raise ValueError(f"unknown language {language!r}; choose from {', '.join(NAMES)}")
    found = identify(text)
    script = script_of(language)
    if script not in SHARED_SCRIPTS:
        short = script_share(text, script) and len(set(filter(str.isalpha, text))) >= _MIN_VARIETY
        return Judgement(True) if found == language or short else Judgement(False, found)
    if not script_share(text, script):
        return Judgement(False, found)
    given = {word for name in topic for word in word_pieces(name.lower())}
    held = [word for word in word_pieces(text.lower()) if word not in given][:_MAX_WORDS]
    rivals = [code for code in NAMES if code != language and script_of(code) == script]
    for other in sorted(rivals, key=lambda code: code != found):
        if _is_clear(held, language, other):
            return Judgement(False, other)
    return Judgement(_is_shown(held, language))


def _is_clear(held: Sequence[str], language: str, other: str) -> bool:
    """Whether the words show another language rather than the asked one."""
    asked = sum(_shows(w, language) and not _shows(w, other) for w in held)
    rival = sum(_shows(w, other) and not _shows(w, language) for w in held)
    if other == "en":
        return rival > asked
    return rival >= _CLEAR and rival > _CLEAR_TIMES * asked


def _is_shown(held: Sequence[str], language: str) -> bool:
    """Whether enough of the words are ones of the language."""
    small = sum(map(small_words()[language].__contains__, held))
    if small and small >= _SMALL_SHARE * len(held):
        return True
    if language == "en":
        return sum(map(is_word, held)) >= _KNOWN_SHARE * max(1, len(held))
    shown = [w for w in held if _shows(w, language)]
    if len(set(shown)) < _LEAST_SHAPES or len(shown) < _SHAPE_SHARE * len(held):
        return False
    if script_of(language) == "CYRILLIC" and not any(_has_shape(w, language) for w in shown):
        return False  # of any row of letters, some are its own
    return sum(_can_be_said(w, language) for w in held) >= _SAYABLE_SHARE * len(held)


@lru_cache(maxsize=50_000)
def _shows(word: str, language: str) -> bool:
    """Whether a word is a small one of the language, or has letters or an ending of it."""
    special = [c for c in word if c in _all_special(script_of(language))]
    if any(c not in _SPECIAL[language] for c in special):
        return word in small_words()[language]
    return bool(special) or _has_shape(word, language)


@lru_cache(maxsize=50_000)
def _has_shape(word: str, language: str) -> bool:
    """Whether a word is a small one of the language or ends as its words do."""
    if word in small_words()[language]:
        return True
    shape = _SHAPES.get(language)
    return shape is not None and len(word) > 3 and re.search(shape, word) is not None


@lru_cache(maxsize=8)
def _all_special(script: str) -> frozenset[str]:
    return frozenset("".join(s for code, s in _SPECIAL.items() if script_of(code) == script))


def _can_be_said(word: str, language: str) -> bool:
    """Whether a word has a vowel, no long run of consonants, and no letter that is foreign."""
    if script_of(language) not in ("LATIN", "CYRILLIC") or len(word) < 3:
        return True
    never: Collection[str] = _NEVER.get(language, "")
    latin = script_of(language) == "LATIN"  # there, a vowel may have an accent
    vowels = any(c in _VOWELS or (latin and not c.isascii()) for c in word)
    starts = word[0] not in _NO_START
    return starts and vowels and not any(c in never for c in word) and not _CLUSTER.search(word)

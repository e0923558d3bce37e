"""Pairs of small words that English sentences do not have: "the of", "with he", "could was".

Small words (determiners, pronouns, auxiliaries, prepositions, conjunctions) come in few classes,
and what may follow each class is school grammar. The table lists what may *not* follow, so doubt
speaks for the writer: of 256,000 pairs in dictionary definitions, licences and manuals it refused
38, a third of them real mistakes. A comma between the two words makes any pair possible.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ARTICLES = _words("a an the")
_OWNERS = _words("my your our their its")
_DETERMINERS = _ARTICLES | _OWNERS | _words("this these those his her every each no any some")
_SUBJECTS = _words("i he she we they")
_OBJECTS = _words("me him us them")
_PRONOUNS = (
    _SUBJECTS | _OBJECTS | _words("it you myself himself herself itself ourselves themselves")
)
_BE = _words("am is are was were")
_HAVE = _words("has have had")
_MODALS = _words("can could will would shall should may might must")
_FINITE = _BE | _words("has had does did") | _MODALS
_JOINTS = _words("and or but nor")
_CLAUSES = _words("because if when while although though unless whether")
# Prepositions that are not adverbs too (others may end a phrase: "came in with").
_PREPOSITIONS = _words("of at from with into onto upon among during despite without")
_QUESTIONS = _words("who whom whose which what where why how")
_BESIDES = _words("not also just then there here again so yet as than like by in on for to until")

_NO_NOUN = _DETERMINERS | _PRONOUNS | _FINITE | _JOINTS | _CLAUSES | _PREPOSITIONS | _QUESTIONS
_NO_NOUN |= _BESIDES | _words("been be being am have do both all")
_RULES: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    # after an article or the like comes what belongs to a noun
    (_ARTICLES, _NO_NOUN - _words("may will must can not just then yet so like")),
    (_OWNERS | _words("every whose"), _NO_NOUN - _words("may will must can")),
    (_words("very"), _NO_NOUN | _words("one two three several")),
    (_words("no"), _NO_NOUN - _MODALS - _JOINTS - _CLAUSES - _words("to in on for as by at with")),
    (_words("this these those some any"), _words("a an the me him us them") | _OWNERS),
    # after a preposition comes a thing
    (_PREPOSITIONS, _SUBJECTS | (_FINITE - {"will"}) | _PREPOSITIONS | _words("be been")),
    (_words("to for"), (_FINITE - _MODALS) | _words("he she they of with from into been")),
    # after a subject comes a verb
    (_SUBJECTS, _DETERMINERS | _SUBJECTS | _OBJECTS | _PREPOSITIONS | _words("be been being")),
    (_OBJECTS, _OBJECTS | _words("been")),
    # after an auxiliary comes its verb form
    # (a clause may end there: "did what he could with the money", "felt as he did at the start")
    (_MODALS, _FINITE | _OBJECTS | _words("been being")),
    (_BE, _FINITE | _words("be do have") | _words("them us")),
    (_HAVE, _FINITE - _words("had") | _words("be have do being") | _words("he she they we")),
    (_words("does did"), _FINITE | _words("been being")),
    (_words("been being"), _SUBJECTS | _OBJECTS | _FINITE | _words("be been have do")),
    (_words("be"), _SUBJECTS | _OBJECTS | _FINITE | _words("be been have do")),
    # what joins clauses does not meet its like
    (_JOINTS, _JOINTS),
    (_CLAUSES, _JOINTS | _OBJECTS | (_CLAUSES - {"if", "when"}) | _words("been be")),
    (_words("two three four five six seven eight nine ten"),
     _DETERMINERS | _SUBJECTS | _words("two three four five six seven eight nine ten be been")),
)  # fmt: skip


def _table() -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for lefts, rights in _RULES:
        for left in lefts:
            table[left] = table.get(left, frozenset()) | rights
    return table


_TABLE = _table()
_FINE = {("from", "among"), ("and", "or")}


def impossible(left: str, right: str) -> bool:
    """Whether no English sentence has the word ``left`` just before ``right`` (both lower case).

    Example:
        >>> impossible("the", "of"), impossible("the", "other"), impossible("with", "he")
        (True, False, True)
    """
    return right in _TABLE.get(left, ()) and (left, right) not in _FINE

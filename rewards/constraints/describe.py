"""Constraints in English, for prompts and feedback: equal sentences mean equal constraints."""

from __future__ import annotations

from corgi_gym.rewards.constraints.language import (
    MAX_VALUE_CHARS,
    TRANSFORMS,
    At,
    Leaf,
    Node,
    Not,
    Value,
)
from corgi_gym.rewards.text import listing, quote

_VERBS = {"text": "be", "contains": "contain", "starts": "start", "ends": "end"}
_THIRD = {"be": "is", "contain": "contains", "start": "starts", "end": "ends"}
_BOUNDS = {
    "==": "exactly {}",
    "<": "less than {}",
    "<=": "at most {}",
    ">": "more than {}",
    ">=": "at least {}",
}


def describe(node: Node) -> str:
    """A full sentence that asks for a constraint.

    Example:
        >>> from corgi_gym.rewards.constraints.language import parse
        >>> leaf = {"level": "word", "transform": "count", "relation": "<=", "value": 12}
        >>> describe(parse({**leaf, "part": {"level": "sentence", "at": "each"}}).nodes[0])
        'Each sentence must have at most 12 words.'
    """
    if isinstance(node, Leaf):
        subject = _subject(node)
        return f"{subject[0].upper()}{subject[1:]} must {_predicate(node)[0]}."
    if isinstance(node, Not):
        return f"This must not be true: {clause(node.node)}."
    parts = "; ".join(f"({i}) {_inner(child)}" for i, child in enumerate(node.nodes, 1))
    some = "All of these" if node.kind == "and" else "At least one of these"
    return f"{some} must be true: {parts}."


def clause(node: Node) -> str:
    """A constraint as a statement, for use inside a sentence."""
    if isinstance(node, Leaf):
        return f"{_subject(node)} {_predicate(node)[1]}"
    if isinstance(node, Not):
        return f"it is not true that {_inner(node.node)}"
    some = "all" if node.kind == "and" else "at least one"
    parts = "; ".join(f"({i}) {_inner(child)}" for i, child in enumerate(node.nodes, 1))
    return f"{some} of these {'are' if node.kind == 'and' else 'is'} true: {parts}"


def _inner(node: Node) -> str:
    return clause(node) if isinstance(node, Leaf) else f"[{clause(node)}]"


def ordinal(number: At) -> str:
    """The name of a place.

    Example:
        >>> [ordinal(n) for n in (1, 2, 13, 22, -1, -2)]
        ['first', '2nd', '13th', '22nd', 'last', '2nd-to-last']
    """
    assert isinstance(number, int)
    size = abs(number)
    teen = 10 < size % 100 < 14
    plain = f"{size}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(size % 10, 'th')}"
    if number < 0:
        return "last" if size == 1 else f"{plain}-to-last"
    return "first" if size == 1 else plain


def _place(level: str, at: At) -> str:
    if at == "each":
        return f"each {level}"
    return f"at least one {level}" if at == "any" else f"the {ordinal(at)} {level}"


def _subject(leaf: Leaf) -> str:
    part = _place(leaf.part.level, leaf.part.at) if leaf.part else "the text"
    if leaf.at is None:
        return part
    unit = _place(leaf.level, leaf.at)
    return f"{unit} of {part}" if leaf.part else unit


def of_name(leaf: Leaf) -> str:
    """What ``of`` names: ``the word "the"``, ``the letter "e"``, ``the character ","``."""
    assert leaf.of is not None
    kind = leaf.level
    if kind == "character" and leaf.of.isalpha():
        kind = "letter"
    return f"the {kind} {quote(leaf.of, MAX_VALUE_CHARS)}"


def _number(relation: str, value: Value) -> str:
    """A bound: "at most 7", "3, 5 or 7", "other than 7"."""
    if isinstance(value, tuple):
        choices = [str(v) for v in value]
        either = f"exactly {listing(choices, 'or')}"
        return either if relation == "in" else f"anything but {listing(choices, 'or')}"
    return _BOUNDS.get(relation, "any number but {}").format(value)


def _many(leaf: Leaf, noun: str) -> str:
    """A bound with its noun: "exactly 1 word", "at most 7 words"."""
    return f"{_number(leaf.relation, leaf.value)} {noun}{'' if leaf.value == 1 else 's'}"


def _predicate(leaf: Leaf) -> tuple[str, str]:
    """What a subject must do, and does: ``("have exactly 7 words", "has exactly 7 words")``."""
    if TRANSFORMS[leaf.transform].gives == "string":
        return _comparison(leaf)
    if leaf.transform == "count" and leaf.of is not None:
        rest = f"{of_name(leaf)} {_many(leaf, 'time')}"
        return f"contain {rest}", f"contains {rest}"
    if leaf.transform in ("count", "distinct"):
        different = "different " if leaf.transform == "distinct" else ""
        rest = _many(leaf, f"{different}{leaf.level}")
    elif leaf.transform == "length":
        rest = f"a length of {_many(leaf, 'character')}"
    elif leaf.transform == "sum":
        rest = f"a total {leaf.level} length of {_many(leaf, 'character')}"
    else:
        things = of_name(leaf) if leaf.of else f"different {leaf.level}s"
        bound = _number(leaf.relation, leaf.value)
        rest = f"a share of {things} among its {leaf.level}s of {bound}"
    return f"have {rest}", f"has {rest}"


def _comparison(leaf: Leaf) -> tuple[str, str]:
    values = [str(v) for v in (leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))]
    rest = listing([quote(value, MAX_VALUE_CHARS) for value in values], "or")
    negative = leaf.relation in ("!=", "not in")
    if isinstance(leaf.value, tuple):
        some = "any" if negative else "at least one" if leaf.transform == "contains" else "one"
        rest = f"{some} of {rest}"
    elif leaf.transform == "contains":
        unit = "letter" if leaf.level == "word" else "word"
        length = len(values[0]) if leaf.level == "word" else len(values[0].split())
        rest = f"the {unit} {rest}" if length == 1 else f"the {unit}s {rest} in a row"
    verb = _VERBS[leaf.transform]
    if leaf.transform in ("starts", "ends"):
        rest = f"with {rest}"
    if not negative:
        return f"{verb} {rest}", f"{_THIRD[verb]} {rest}"
    places = (leaf.at, leaf.part.at if leaf.part else None)
    if any(isinstance(at, int) and abs(at) > 1 for at in places):
        rest = f"{rest} (and there must be one)"
    return f"not {verb} {rest}", f"is not {rest}" if verb == "be" else f"does not {verb} {rest}"

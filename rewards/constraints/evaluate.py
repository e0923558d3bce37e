"""Does a constraint hold for a text, and what was found there?

`holds` is the meaning of the language; `found` says in words what was there instead.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

from corgi_gym.rewards.constraints.describe import of_name, ordinal
from corgi_gym.rewards.constraints.language import At, Junction, Leaf, Node, Not
from corgi_gym.rewards.constraints.segments import Passage, fold
from corgi_gym.rewards.text import plural, quote

# Longest quotation of a reply, and longest list of found things, in one message.
MAX_QUOTE = 40


def holds(node: Node, text: Passage) -> bool:
    """Whether a constraint holds for a text.

    Example:
        >>> from corgi_gym.rewards.constraints.language import parse
        >>> leaf = {"level": "word", "transform": "count", "relation": "<", "value": 4}
        >>> [holds(parse(leaf).nodes[0], Passage(t)) for t in ("He ran.", "He ran far away.")]
        [True, False]
    """
    if isinstance(node, Not):
        return not holds(node.node, text)
    if isinstance(node, Junction):
        results = (holds(child, text) for child in node.nodes)
        return all(results) if node.kind == "and" else any(results)
    if node.part is None:
        return _holds_in(node, text)
    return _quantify(_holds_in, node, text.units(node.part.level), node.part.at)


def _holds_in(leaf: Leaf, part: Passage) -> bool:
    if leaf.level != "text" and leaf.at is None:
        return _compare(leaf, _measure(leaf, part))
    return _quantify(_unit_holds, leaf, part.units(leaf.level), 1 if leaf.at is None else leaf.at)


def _at(units: Sequence[Passage], at: At) -> Sequence[Passage]:
    """The units at a place: all of them for ``each`` and ``any``, none where there is no such."""
    if isinstance(at, str):
        return units
    index = at - 1 if at > 0 else len(units) + at
    return units[index : index + 1] if index >= 0 else ()


def _quantify(
    test: Callable[[Leaf, Passage], bool], leaf: Leaf, units: Sequence[Passage], at: At
) -> bool:
    """Whether all units (``each``), any, or the one at a place pass a test."""
    for unit in _at(units, at):
        if test(leaf, unit) != (at == "each"):
            return at != "each"
    return at == "each"


def _measure(leaf: Leaf, part: Passage) -> int | Fraction:
    """The number that a transform of all units gives."""
    if leaf.transform == "sum":
        return sum(len(unit.text) for unit in part.units(leaf.level))
    if leaf.transform in ("distinct", "ratio"):
        units = part.folded if leaf.level == "word" else [u.folded for u in part.units(leaf.level)]
        distinct = len(set(units))
        return distinct if leaf.transform == "distinct" else Fraction(distinct, len(units) or 1)
    if leaf.of is None:
        return part.count(leaf.level)
    where = part.folded if leaf.level == "word" else fold(part.text)
    count = where.count(leaf.of)
    return count if leaf.transform == "count" else Fraction(count, part.count(leaf.level) or 1)


_RELATIONS: dict[str, Callable[[int | Fraction, int | Fraction], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge,
}  # fmt: skip


def _compare(leaf: Leaf, number: int | Fraction) -> bool:
    if isinstance(leaf.value, tuple):
        return any(number == exact(v) for v in leaf.value) == (leaf.relation == "in")
    # whole numbers are compared as they are, which is quicker
    value = leaf.value if type(leaf.value) is int else exact(leaf.value)
    return _RELATIONS[leaf.relation](number, value)


@lru_cache(maxsize=4_096, typed=True)
def exact(value: int | float | str) -> Fraction:
    """The number as it is written: 0.1 is one tenth."""
    return Fraction(str(value))


def _unit_holds(leaf: Leaf, unit: Passage) -> bool:
    if leaf.transform == "length":
        return _compare(leaf, len(unit.text))
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    hit = any(_matches(leaf, unit, str(value)) for value in values)
    return hit == (leaf.relation in ("==", "in"))


def _matches(leaf: Leaf, unit: Passage, value: str) -> bool:
    if leaf.level == "word":
        word = fold(unit.text)
        if leaf.transform == "text":
            return word == value
        if leaf.transform == "contains":
            return value in word
        return word.startswith(value) if leaf.transform == "starts" else word.endswith(value)
    sought = tuple(value.split())
    if leaf.transform == "text":
        return unit.folded == sought
    if leaf.transform == "contains":
        return unit.holds_words(sought)
    if leaf.transform == "starts":
        return unit.folded[: len(sought)] == sought
    return unit.folded[-len(sought) :] == sought


# ------------------------------------------------------------------ what was found


def found(leaf: Leaf, text: Passage) -> tuple[str, tuple[int, int] | None]:
    """One sentence about what decides a violated leaf, and where that stands.

    Example:
        >>> from corgi_gym.rewards.constraints.language import parse
        >>> leaf = {"level": "word", "at": 9, "transform": "length", "relation": "<", "value": 4}
        >>> found(parse(leaf).nodes[0], Passage("He ran far away."))[0]
        'The text has only 4 words.'
    """
    if leaf.part is None:
        return _found_in(leaf, text, "the text")
    parts = text.units(leaf.part.level)
    chosen = _at(parts, leaf.part.at)
    if not chosen:
        return _too_few("the text", leaf.part.level, len(parts)), None
    if leaf.part.at == "any" and len(chosen) > 1:
        return f"None of the {len(chosen)} {leaf.part.level}s does.", None
    part = next((p for p in chosen if not _holds_in(leaf, p)), chosen[0])
    return _found_in(leaf, part, f"{leaf.part.level} {_number(parts, part)}")


def _number(units: Sequence[Passage], unit: Passage) -> int:
    return next(i for i, other in enumerate(units, 1) if other is unit)


def _too_few(where: str, level: str, count: int) -> str:
    amount = f"only {plural(count, level)}" if count else f"no {level}"
    return f"{_capital(where)} has {amount}."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _found_in(leaf: Leaf, part: Passage, where: str) -> tuple[str, tuple[int, int] | None]:
    span = None if where == "the text" else part.span
    if leaf.level != "text" and leaf.at is None:
        return f"{_capital(where)} {_amount(leaf, part)}.", span
    if leaf.level == "text":
        return f"{_capital(where)} {_what_is(leaf, part)}.", span
    assert leaf.at is not None
    units = part.units(leaf.level)
    chosen = _at(units, leaf.at)
    if not chosen:
        return _too_few(where, leaf.level, len(units)), span
    of = "" if where == "the text" else f" of {where}"
    if leaf.at == "any" and len(chosen) > 1:
        return f"None of the {len(chosen)} {leaf.level}s{of} does.", span
    unit = next((u for u in chosen if not _unit_holds(leaf, u)), chosen[0])
    label = (
        f"{_capital(leaf.level)} {_number(units, unit)}"
        if leaf.at in ("each", "any")
        else f"The {ordinal(leaf.at)} {leaf.level}"
    )
    return f"{label}{of} {_what_is(leaf, unit)}.", unit.span


def _amount(leaf: Leaf, part: Passage) -> str:
    """Verb and number of a transform of all units: "has 7 words"."""
    number = _measure(leaf, part)
    if isinstance(number, Fraction):
        total = part.count(leaf.level)
        hits = round(number * total)
        things = of_name(leaf) if leaf.of else f"different {leaf.level}s"
        return f"has a share of {things} of {float(number):.3g} ({hits} of {total})"
    if leaf.transform == "sum":
        return f"has a total {leaf.level} length of {plural(number, 'character')}"
    if leaf.of is not None:
        return f"contains {of_name(leaf)} {plural(number, 'time')}"
    different = "different " if leaf.transform == "distinct" else ""
    return f"has {plural(number, different + leaf.level)}"


def _what_is(leaf: Leaf, unit: Passage) -> str:
    """What a single unit is: "starts with "The"", quoted as it is written."""
    if leaf.transform == "length":
        shown = f"is {quote(unit.text, MAX_QUOTE)} and " if leaf.level == "word" else ""
        return f"{shown}has {plural(len(unit.text), 'character')}"
    if leaf.transform == "text":
        return f"is {quote(unit.text, MAX_QUOTE)}"
    values = [str(v) for v in (leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))]
    hits = [value for value in values if _matches(leaf, unit, value)]
    if leaf.transform == "contains":
        shown = f" ({quote(unit.text, MAX_QUOTE)})" if leaf.level == "word" else ""
        if hits:
            return f"contains {quote(hits[0], MAX_QUOTE)}{shown}"
        return f"does not contain {quote(values[0], MAX_QUOTE)}{shown}"
    verb = "starts" if leaf.transform == "starts" else "ends"
    if leaf.level == "word":
        return f"is {quote(unit.text, MAX_QUOTE)}"
    length = len(values[0].split())
    ends = unit.units("word")
    ends = ends[:length] if verb == "starts" else ends[-length:]
    return f"{verb} with {quote(' '.join(word.text for word in ends), MAX_QUOTE)}"

"""The language of constraints: plain data, read with errors that name the wrong field.

A constraint is a dict that fits into JSON::

    {"level": "word", "transform": "count", "relation": "==", "value": 7}
    {"level": "word", "at": "last", "transform": "text", "relation": "==", "value": "river",
     "part": {"level": "sentence", "at": "each"}}
    {"or": [constraint, constraint]}    {"not": constraint}    {"and": [...]}

A set of constraints is a list of them (or one ``and``); its members may carry a ``weight``.

Read it as: in ``part`` (default: the whole text), ``transform`` the units of ``level``, compare.

- Transforms of all units give a number: ``count``, ``distinct`` (different units), ``ratio``
  (different / all), ``share`` (those that are ``of`` / all), ``sum`` (of their lengths). ``count``
  with ``of`` counts the units that are ``of``.
- Transforms of single units need ``at``: a number from 1, or from -1 backwards, ``"last"``,
  ``"each"`` (or ``"all"``), ``"any"``. ``length`` gives a number of characters, and ``text``,
  ``contains``, ``starts`` and ``ends`` compare with words (letters, if the unit is a word).
- Numbers take ``==  !=  <  <=  >  >=  in  not in``, strings ``==  !=  in  not in``; with ``in`` the
  value is a list.

What is at a place must be there: a constraint on the 9th word fails where there are eight, also
with ``!=``. ``each`` of none is true, ``any`` of none is false.

Source: COLLIE (arXiv 2307.08689) builds constraints from a level, a transformation, a relation and
a value, and joins them with and/or. This is our own language in that spirit: plain data in place of
Python objects, ``not``, fixed comparison of words, and errors with a path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from corgi_gym.rewards.constraints.segments import LEVELS, fold
from corgi_gym.rewards.text import normalise, words

# Bounds on one set: more is no task for a reader, and the checker's time stays small.
MAX_LEAVES, MAX_DEPTH, MAX_CHOICES = 32, 8, 32
MAX_VALUE_CHARS = 100
# Largest number and position: no reply that is checked has more characters.
MAX_NUMBER = 20_000

NUMBER_RELATIONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
TEXT_RELATIONS = ("==", "!=", "in", "not in")
_CONNECTIVES = ("and", "or", "not")
_LEAF_FIELDS = ("level", "transform", "relation", "value", "at", "of", "part")


class Transform(NamedTuple):
    """What a transform needs: its kind of value, its levels, ``at``, and ``of``."""

    gives: str
    levels: tuple[str, ...]
    single: bool
    of: str = "never"


_PIECES = ("paragraph", "line", "sentence", "word")
TRANSFORMS: dict[str, Transform] = {
    "count": Transform("integer", LEVELS[1:], False, "sometimes"),
    "distinct": Transform("integer", ("line", "sentence", "word"), False),
    "ratio": Transform("fraction", ("line", "sentence", "word"), False),
    "share": Transform("fraction", ("word", "character"), False, "always"),
    "sum": Transform("integer", _PIECES, False),
    "length": Transform("integer", LEVELS[:-1], True),
    "text": Transform("string", ("line", "sentence", "word"), True),
    "contains": Transform("string", LEVELS[:-1], True),
    "starts": Transform("string", LEVELS[:-1], True),
    "ends": Transform("string", LEVELS[:-1], True),
}

At = int | str
_PLACES: dict[str, At] = {"each": "each", "all": "each", "any": "any", "last": -1}
Value = int | float | str | tuple[int | float | str, ...]


class ConstraintError(ValueError):
    """A constraint that is not well formed, or a set that cannot be satisfied."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which piece of the text a constraint is about."""

    level: str
    at: At


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison; see the module docstring. ``path`` says where it stands in the data."""

    level: str
    transform: str
    relation: str
    value: Value
    at: At | None = None
    of: str | None = None
    part: Part | None = None
    path: str = field(default="constraint", compare=False)


@dataclass(frozen=True, slots=True)
class Junction:
    """``and`` or ``or`` of at least one node."""

    kind: str
    nodes: tuple[Node, ...]
    path: str = field(default="constraint", compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a node."""

    node: Node
    path: str = field(default="constraint", compare=False)


Node = Leaf | Junction | Not


@dataclass(frozen=True, slots=True)
class ConstraintSet:
    """Constraints that must all hold, with the weight of each in the score."""

    nodes: tuple[Node, ...]
    weights: tuple[float, ...]


def parse(data: Any, name: str = "constraints") -> ConstraintSet:
    """Read a set of constraints.

    Args:
        data: A list of constraints, or one constraint (an ``and`` at the top is a list).
        name: What the data is called in errors.

    Raises:
        ConstraintError: For anything that the language does not have; names the path of the field.

    Example:
        >>> parse([{"level": "word", "transform": "count", "relation": "approx", "value": 7}])
        Traceback (most recent call last):
        ...
        corgi_gym.rewards.constraints.language.ConstraintError: constraints[0].relation: 'approx'; \
choose from ==, !=, <, <=, >, >=, in, not in
    """
    path = name
    if isinstance(data, Mapping) and "and" in data:
        if len(data) > 1:
            raise ConstraintError(f"{name}: 'and' stands alone, got {_keys(data)}")
        data, path = data["and"], f"{name}.and"
    if not isinstance(data, list | tuple):
        nodes: list[Any] = [data]
        paths = [path]
    else:
        nodes = list(data)
        paths = [f"{path}[{i}]" for i in range(len(nodes))]
    if not nodes:
        raise ConstraintError(f"{path} is empty: give at least one constraint")
    reader = _Reader(name)
    pairs = [reader.weighted(node, where) for node, where in zip(nodes, paths, strict=True)]
    return ConstraintSet(tuple(node for node, _ in pairs), tuple(weight for _, weight in pairs))


def to_data(node: Node) -> dict[str, Any]:
    """The plain data of a node; ``parse`` reads it back as an equal node.

    Example:
        >>> leaf = {"level": "word", "transform": "count", "relation": "in", "value": [3, 5]}
        >>> to_data(parse(leaf).nodes[0]) == leaf
        True
    """
    if isinstance(node, Not):
        return {"not": to_data(node.node)}
    if isinstance(node, Junction):
        return {node.kind: [to_data(child) for child in node.nodes]}
    value = list(node.value) if isinstance(node.value, tuple) else node.value
    data: dict[str, Any] = {"level": node.level, "transform": node.transform}
    if node.at is not None:
        data["at"] = node.at
    if node.of is not None:
        data["of"] = node.of
    data |= {"relation": node.relation, "value": value}
    if node.part is not None:
        data["part"] = {"level": node.part.level, "at": node.part.at}
    return data


class _Reader:
    """Reads nodes, and counts the leaves of one set."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.leaves = 0

    def weighted(self, data: Any, path: str) -> tuple[Node, float]:
        weight: Any = 1.0
        if isinstance(data, Mapping) and "weight" in data:
            weight = data["weight"]
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not 0 < weight <= MAX_NUMBER:
                raise ConstraintError(f"{path}.weight: {weight!r:.80}; give a positive number")
            data = {key: value for key, value in data.items() if key != "weight"}
        return self.node(data, path, 1), float(weight)

    def node(self, data: Any, path: str, depth: int) -> Node:
        if not isinstance(data, Mapping):
            raise ConstraintError(f"{path}: {data!r:.80}; a constraint is a dict")
        if depth > MAX_DEPTH:
            raise ConstraintError(f"{path}: nested deeper than {MAX_DEPTH} levels")
        kinds = [kind for kind in _CONNECTIVES if kind in data]
        if not kinds:
            return self.leaf(data, path)
        if len(data) > 1:
            extra = " ('weight' has its place in the outermost list only)"
            hint = extra if "weight" in data else ""
            raise ConstraintError(f"{path}: {kinds[0]!r} stands alone, got {_keys(data)}{hint}")
        kind, inner = kinds[0], data[kinds[0]]
        path = f"{path}.{kind}"
        if kind == "not":
            return Not(self.node(inner, path, depth + 1), path)
        if not isinstance(inner, list | tuple) or not inner:
            raise ConstraintError(f"{path}: {inner!r:.80}; give a list of constraints")
        nodes = (self.node(child, f"{path}[{i}]", depth + 1) for i, child in enumerate(inner))
        return Junction(kind, tuple(nodes), path)

    def leaf(self, data: Mapping[str, Any], path: str) -> Leaf:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise ConstraintError(f"{self.name}: more than {MAX_LEAVES} constraints")
        for key in data:
            if key not in _LEAF_FIELDS:
                hint = "the outermost list only" if key == "weight" else ", ".join(_LEAF_FIELDS)
                raise ConstraintError(f"{path}: unknown field {key!r:.80}; choose from {hint}")
        for key in _LEAF_FIELDS[:4]:
            if key not in data:
                raise ConstraintError(f"{path}.{key}: missing")
        name = _choice(data["transform"], TRANSFORMS, f"{path}.transform")
        transform = TRANSFORMS[name]
        level = _choice(data["level"], LEVELS, f"{path}.level")
        if level not in transform.levels:
            known = ", ".join(transform.levels)
            raise ConstraintError(f"{path}.level: {level!r} has no {name!r}; choose from {known}")
        relations = TEXT_RELATIONS if transform.gives == "string" else NUMBER_RELATIONS
        relation = _choice(data["relation"], relations, f"{path}.relation")
        of = data.get("of")
        if of is None and transform.of == "always":
            raise ConstraintError(f"{path}.of: missing; say which {level} {name!r} is about")
        if of is not None:
            if transform.of == "never" or level not in ("word", "character"):
                raise ConstraintError(f"{path}.of: {name!r} of a {level} takes none")
            of = _string(of, level, name, f"{path}.of")
        part = _part(data["part"], level, f"{path}.part") if data.get("part") is not None else None
        value = _value(data["value"], transform, level, name, relation, path)
        if isinstance(value, tuple) and len(value) == 1:  # one choice is no choice
            relation, value = {"in": "==", "not in": "!="}[relation], value[0]
        at = _place(data.get("at"), transform, level, name, path)
        return Leaf(level, name, relation, value, at, of, part, path)


def _keys(data: Mapping[Any, Any]) -> str:
    return ", ".join(repr(key)[:40] for key in data)


def _choice(value: Any, known: Any, path: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise ConstraintError(f"{path}: {value!r:.80}; choose from {', '.join(known)}")
    return value


def _place(at: Any, transform: Transform, level: str, name: str, path: str) -> At | None:
    if transform.single and level != "text":
        if at is None:
            raise ConstraintError(f"{path}.at: missing; say which {level} {name!r} is about")
        return _at(at, f"{path}.at")
    if at is not None:
        about = "the whole text" if level == "text" else f"all units ({name!r})"
        raise ConstraintError(f"{path}.at: {at!r:.80}; a constraint on {about} takes none")
    return None


def _at(at: Any, path: str) -> At:
    if isinstance(at, str) and at in _PLACES:
        return _PLACES[at]
    if isinstance(at, bool) or not isinstance(at, int) or not 0 < abs(at) <= MAX_NUMBER:
        raise ConstraintError(
            f"{path}: {at!r:.80}; choose a number from 1 (or from -1, backwards), 'last', 'each' "
            "or 'any'"
        )
    return at


def _part(data: Any, inner: str, path: str) -> Part:
    if not isinstance(data, Mapping) or set(data) != {"level", "at"}:
        raise ConstraintError(f"{path}: {data!r:.80}; give {{'level': ..., 'at': ...}}")
    level = _choice(data["level"], _PIECES, f"{path}.level")
    if LEVELS.index(level) >= LEVELS.index(inner):
        raise ConstraintError(f"{path}.level: {level!r}; must be larger than a {inner}")
    return Part(level, _at(data["at"], f"{path}.at"))


def _value(
    value: Any, transform: Transform, level: str, name: str, relation: str, path: str
) -> Value:
    path = f"{path}.value"
    if relation not in ("in", "not in"):
        return _single(value, transform, level, name, path)
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_CHOICES:
        raise ConstraintError(f"{path}: {value!r:.80}; {relation!r} takes a list of values")
    read = (_single(v, transform, level, name, f"{path}[{i}]") for i, v in enumerate(value))
    return tuple(dict.fromkeys(read))


def _single(
    value: Any, transform: Transform, level: str, name: str, path: str
) -> int | float | str:
    if transform.gives == "string":
        return _string(value, level, name, path)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if transform.gives == "fraction":
        if not number or not math.isfinite(value) or not 0 <= value <= 1:
            raise ConstraintError(f"{path}: {value!r:.80}; {name!r} takes a number in [0, 1]")
        return float(value)
    if not number or isinstance(value, float) or not 0 <= value <= MAX_NUMBER:
        raise ConstraintError(
            f"{path}: {value!r:.80}; {name!r} takes a whole number from 0 to {MAX_NUMBER}"
        )
    return int(value)


def _string(value: Any, level: str, name: str, path: str) -> str:
    """Check a string; words and letters are stored in the form in which they are compared."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_VALUE_CHARS:
        raise ConstraintError(
            f"{path}: {value!r:.80}; give a text of 1 to {MAX_VALUE_CHARS} characters"
        )
    value = fold(normalise(value.strip()))
    if level == "character":
        if len(value) != 1:
            raise ConstraintError(f"{path}: {value!r:.80}; give one character")
        return value
    found = words(value)
    if level == "word":
        if name == "text" or name in ("count", "share"):
            if found != [value]:
                raise ConstraintError(f"{path}: {value!r:.80}; give one word")
        elif not all(c.isalnum() or c in "'-" for c in value):
            raise ConstraintError(f"{path}: {value!r:.80}; give letters of a word")
        return value
    if not found:
        raise ConstraintError(f"{path}: {value!r:.80}; there is no word in it")
    return " ".join(found)

"""Obvious contradictions in a set of constraints, found by reasoning about bounds.

Each number that a constraint speaks of (words of the text, words of each sentence, letters "e" of
the 2nd line, ...) is a quantity with a lower and an upper bound; each bound remembers which
constraints it comes from. Facts about texts carry bounds from one quantity to another until nothing
changes: there are at least as many words as sentences; the words of all sentences add up to those
of the text; a word that must occur brings its letters; a place that is named must exist. A
quantity without a possible value is a contradiction of the constraints behind its bounds.

What this is: sound (a set that it refuses cannot be satisfied by a text with at least one word,
and no reply without a word ever passes), and incomplete: a set that it lets pass may still have no
solution. Whole numbers, positions and words are followed; what ``any`` asks for beyond existence,
letters inside words, and negations of constraints on a place or a part are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

from corgi_gym.rewards.constraints._facts import Facts, Sources
from corgi_gym.rewards.constraints.describe import clause
from corgi_gym.rewards.constraints.language import (
    ConstraintError,
    ConstraintSet,
    Leaf,
    Node,
    Not,
)

# Alternatives of all "or"s together that are looked at; with more, nothing is claimed.
MAX_BRANCHES = 64

_OPPOSITE = {"==": "!=", "<": ">=", ">": "<=", "in": "not in"}
_OPPOSITE |= {b: a for a, b in _OPPOSITE.items()}


def find_conflict(constraints: ConstraintSet) -> tuple[str, ...] | None:
    """The paths of constraints that contradict each other, or ``None`` if none is found.

    Example:
        >>> from corgi_gym.rewards.constraints.language import parse
        >>> few = {"level": "word", "transform": "count", "relation": "<", "value": 3}
        >>> many = {"level": "sentence", "transform": "count", "relation": ">", "value": 4}
        >>> find_conflict(parse([few, many]))
        ('constraints[0]', 'constraints[1]')
    """
    branches = list(islice(_branches(constraints.nodes), MAX_BRANCHES + 1))
    if len(branches) > MAX_BRANCHES:
        return None
    found: set[str] = set()
    for leaves in branches:
        conflict = Facts(leaves).conflict()
        if conflict is None:
            return None
        found |= _smallest(leaves, conflict)
    return tuple(sorted(found, key=lambda path: (len(path), path)))


def _smallest(leaves: list[Leaf], conflict: Sources) -> Sources:
    """The conflict without constraints that it does not need."""
    for path in sorted(conflict):
        rest = [leaf for leaf in leaves if leaf.path in conflict - {path}]
        again = Facts(rest).conflict() if rest else None
        conflict = conflict - {path} if again is not None else conflict
    return conflict


def check_satisfiable(constraints: ConstraintSet) -> None:
    """Refuse a set that contradicts itself.

    Raises:
        ConstraintError: Names the constraints in conflict and says what they ask for.
    """
    paths = find_conflict(constraints)
    if paths is None:
        return
    texts = dict(_leaf_texts(constraints.nodes))
    shown = " and ".join(f"{path} ({texts[path]})" for path in paths)
    both = "contradict each other" if len(paths) > 1 else "cannot hold"
    raise ConstraintError(f"unsatisfiable: {shown} {both}")


def _leaf_texts(nodes: tuple[Node, ...]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, Leaf):
            yield node.path, clause(node)
        elif isinstance(node, Not):
            yield from _leaf_texts((node.node,))
        else:
            yield from _leaf_texts(node.nodes)


def _branches(nodes: tuple[Node, ...]) -> Iterator[list[Leaf]]:
    """The conjunctions of leaves of which one must hold (what cannot be used is left out)."""
    if not nodes:
        yield []
        return
    for first in _alternatives(nodes[0], True):
        for rest in _branches(nodes[1:]):
            yield [*first, *rest]


def _alternatives(node: Node, positive: bool) -> Iterator[list[Leaf]]:
    if isinstance(node, Not):
        yield from _alternatives(node.node, not positive)
    elif isinstance(node, Leaf):
        leaf = node if positive else _opposite(node)
        yield [leaf] if leaf else []
    elif (node.kind == "and") == positive:
        for parts in product(*(_some(_alternatives(n, positive)) for n in node.nodes)):
            yield [leaf for part in parts for leaf in part]
    else:
        for child in node.nodes:
            yield from _alternatives(child, positive)


def _some(alternatives: Iterator[list[Leaf]]) -> list[list[Leaf]]:
    return list(islice(alternatives, MAX_BRANCHES + 1))


def _opposite(leaf: Leaf) -> Leaf | None:
    """The leaf that holds exactly where ``leaf`` does not; only without places there is one."""
    if leaf.part is not None or leaf.at is not None:
        return None
    relation = _OPPOSITE[leaf.relation]
    return Leaf(leaf.level, leaf.transform, relation, leaf.value, None, leaf.of, None, leaf.path)

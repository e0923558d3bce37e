"""Text constraints as a checker: exact feedback for each one that is violated.

The score is the weighted share of the constraints that hold (COLLIE, arXiv 2307.08689, gives all or
nothing; here partial credit guides learning). With a floor (`floor`), what is no text earns little:
``share * (0.15 + 0.85 * form)``, as in `corgi_gym.rewards.concepts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corgi_gym.rewards.compose import BELOW_ONE, checks_target
from corgi_gym.rewards.constraints.describe import clause, describe
from corgi_gym.rewards.constraints.evaluate import found, holds
from corgi_gym.rewards.constraints.floor import Floor, examine_floor, parse_floor
from corgi_gym.rewards.constraints.language import (
    ConstraintError,
    ConstraintSet,
    Leaf,
    Node,
    Not,
    parse,
)
from corgi_gym.rewards.constraints.segments import Passage
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import MAX_REPLY_CHARS
from corgi_gym.rewards.verdict import Problem, Verdict

# Share of the score that constraints earn without any form; see `corgi_gym.rewards.concepts`.
SHARE_BASE = 0.15

_SEVEN = {"level": "word", "transform": "count", "relation": "==", "value": 7}
_ENDS = {"level": "text", "transform": "ends", "relation": "==", "value": "river"}
_NO_E = {"level": "character", "transform": "count", "of": "e", "relation": "==", "value": 0}
_FLOOR = {"constraints": [_SEVEN], "floor": {"topic": "river"}}


def parse_target(target: Any) -> tuple[ConstraintSet, Floor | None]:
    """Read a target: a set of constraints, or ``{"constraints": set, "floor": {...}}``.

    Raises:
        ConstraintError: Names the path of the wrong field.
    """
    if not isinstance(target, Mapping) or "constraints" not in target:
        return parse(target), None
    for key in target:
        if key not in ("constraints", "floor"):
            raise ConstraintError(f"unknown field {key!r:.80}; choose from constraints, floor")
    floor = target.get("floor")
    return parse(target["constraints"]), None if floor is None else parse_floor(floor)


@checker(
    "constraint_grammar",
    examples=[
        ("We had a picnic by the river.", [_SEVEN, _ENDS], True),
        ("We had a long picnic by the river.", [_SEVEN, _ENDS], False),
        ("River we had a picnic by the.", [_SEVEN, _ENDS], False),
        ("A calm day", {"or": [_SEVEN, _NO_E]}, True),
        ("The end", {"or": [_SEVEN, _NO_E]}, False),
        ("The end", {"not": _NO_E}, True),
        ("We had a picnic by the river.", _FLOOR, True),
        ("We had a picnic by the lake.", _FLOOR, False),
        ("River river river river river river river.", _FLOOR, False),
        ("The of river had by we picnic.", _FLOOR, False),
        ("!!!", {"not": _SEVEN}, False),
    ],
)
@checks_target(parse_target)
def constraint_grammar(reply: str, target: Any) -> Verdict:
    """Score a text against a set of constraints; see the module docstring.

    Example:
        >>> seven = {"level": "word", "transform": "count", "relation": "==", "value": 7}
        >>> constraint_grammar("We swam in the river.", [seven]).problems[0].message
        'The text has 5 words. The text must have exactly 7 words.'
    """
    constraints, floor = parse_target(target)
    if len(reply) > MAX_REPLY_CHARS:
        message = f"Your reply has {len(reply)} characters. Write at most {MAX_REPLY_CHARS}."
        return Verdict.wrong(0.0, Problem("too_long", message))
    text = Passage(reply)
    if not text.folded:
        return Verdict.wrong(0.0, Problem("no_words", "There is no word in your reply."))
    form, problems = (1.0, []) if floor is None else examine_floor(floor, text)
    earned = 0.0
    for node, weight in zip(constraints.nodes, constraints.weights, strict=True):
        if holds(node, text):
            earned += weight
        else:
            problems.append(_problem(node, text))
    share = earned / sum(constraints.weights)
    if not problems:
        return Verdict.ok(share=1.0, form=1.0)
    score = share * (SHARE_BASE + (1.0 - SHARE_BASE) * form)
    return Verdict.wrong(min(score, BELOW_ONE), *problems, share=share, form=form)


def _problem(node: Node, text: Passage) -> Problem:
    """What is wrong with one constraint that does not hold."""
    if isinstance(node, Leaf):
        message, where = found(node, text)
        return Problem(kind(node), f"{message} {describe(node)}", where)
    if isinstance(node, Not):
        return Problem(kind(node), f"{describe(node)} But it is true.")
    if node.kind == "and":
        wrong = [child for child in node.nodes if not holds(child, text)]
        return Problem(kind(node), " ".join(_problem(child, text).message for child in wrong))
    options = (f"({i}) {_option(child, text)}" for i, child in enumerate(node.nodes, 1))
    return Problem(kind(node), f"Make at least one of these true: {'; '.join(options)}.")


def _option(node: Node, text: Passage) -> str:
    """One alternative of an ``or`` with what is there instead."""
    if not isinstance(node, Leaf):
        return f"[{clause(node)}]"
    there = found(node, text)[0].rstrip(".")
    return f"{clause(node)} (now: {there[0].lower()}{there[1:]})"


def kind(node: Node) -> str:
    """The stable name of a constraint in problems and statistics."""
    if isinstance(node, Leaf):
        return f"{node.level}_{node.transform}"
    return "not" if isinstance(node, Not) else node.kind

"""Linear equations: ``Answer: x = 5`` (or ``x = 5, y = -2``), exactly one number per unknown.

The target of a task is ``{"equations": ["3x + 4 = 19"], "solution": {"x": "5"}}``; numbers are
integers or fractions in lowest terms.

Score:

| reply                                                       | score |
|-------------------------------------------------------------|-------|
| the solution, no false step                                 | 1.0   |
| the solution, a false step                                  | 0.5   |
| one number for each unknown in the asked place, but wrong   | 0.1   |
| anything else (an echoed equation, "x = 3 or 4", a bare number) | 0.0 |

One right number of two earns no more than none: it could be found by trying.

What feedback tells: the first equation that the given numbers do not solve, and what its two sides
are then worth. That is the check by substitution that a reader can do as well; the way from there
to the solution remains to be found. A false step between numbers is named as in
`corgi_gym.rewards.working`; steps with unknowns are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal, show
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.steps import check_steps
from corgi_gym.rewards.text import listing, quote
from corgi_gym.rewards.verdict import Problem, Verdict
from corgi_gym.rewards.working import FALSE_STEP_CREDIT, FORMAT_CREDIT, wrong_step

# No answer with two unknowns is longer; it bounds the splitting below.
_MAX_ANSWER_CHARS = 200
_PART = re.compile(r"[ \t]*([a-z])[ \t]*=[ \t]*(.*?)[ \t]*")
_IMPLIED_TIMES = re.compile(r"(?<=[0-9])(?=[a-z(])")

_ONE = {"equations": ["3x + 4 = 19"], "solution": {"x": "5"}}
_TWO = {"equations": ["x + y = 3", "2x - y = 0"], "solution": {"x": "1", "y": "2"}}
_HALF = {"equations": ["2(n - 1) = 5"], "solution": {"n": "7/2"}}


@checker(
    "linear_equations",
    examples=[
        ("3x = 15\nAnswer: x = 5", _ONE, True),
        ("**Answer:** x=5.", _ONE, True),
        ("Answer: y = 2, x = 1", _TWO, True),
        ("Answer: x = 1 and y = 2", _TWO, True),
        ("Answer: x = 1, and y = 2", _TWO, True),
        ("Answer: n = 7/2", _HALF, True),
        ("Answer: n = 3.5", _HALF, True),
        ("Answer: 5", _ONE, False),
        ("Answer: x = 4", _ONE, False),
        ("Answer: x = 5 or 6", _ONE, False),
        ("Answer: x = 5, x = 6", _ONE, False),
        ("Answer: x = 5, y = 1", _ONE, False),
        ("Answer: 3x + 4 = 19", _ONE, False),
        ("Answer: x = 15/3", _ONE, False),
        ("Answer: x = (19 - 4)/3", _ONE, False),
        ("19 - 4 = 14\nAnswer: x = 5", _ONE, False),
        ("Answer: x = 1", _TWO, False),
        ("Answer: x = 2, y = 1", _TWO, False),
        ("x = 5", _ONE, False),
    ],
)
def linear_equations(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the numbers in ``reply`` against ``target`` (see the module's docstring)."""
    solution = {name: Fraction(value) for name, value in target["solution"].items()}
    line = find_answer_line(reply, _asked(solution))
    before = reply[: line.line_start] if isinstance(line, AnswerLine) else reply
    if "x" in solution:  # "3x - 4" is no product then; another letter is never read as one
        before = before.replace("x", "y").replace("X", "y")
    steps = check_steps(before)
    given = _read(line, solution) if isinstance(line, AnswerLine) else line

    problems = []
    if steps.wrong is not None:
        problems.append(wrong_step(steps.wrong, *solution.values()))
    if isinstance(given, Problem):
        problems.append(given)
    elif given != solution:
        assert isinstance(line, AnswerLine)
        problems.append(_not_solved(target["equations"], given, line.where))
    if not problems:
        return Verdict.ok(steps=float(steps.judged))
    score = 0.0
    if not isinstance(given, Problem):
        score = FALSE_STEP_CREDIT if given == solution else FORMAT_CREDIT
    return Verdict.wrong(score, *problems, steps=float(steps.judged))


def _asked(solution: Mapping[str, Fraction]) -> str:
    return listing([f'"{name} =" with one number' for name in solution])


def _read(line: AnswerLine, solution: Mapping[str, Fraction]) -> dict[str, Fraction] | Problem:
    """The number of each unknown, or what is wrong with the form."""
    found: dict[str, Fraction] = {}
    parts = re.split(r"[,;](?: and )?| and ", line.text[:_MAX_ANSWER_CHARS])
    for part in parts:
        match = _PART.fullmatch(part)
        value = literal(match[2]) if match else None
        if match is None or value is None or match[1] not in solution or match[1] in found:
            break
        found[match[1]] = value
    if len(found) == len(parts) == len(solution) and len(line.text) <= _MAX_ANSWER_CHARS:
        return found
    text = f'After "Answer:" you wrote {quote(line.text)}. Write {_asked(solution)}, nothing else.'
    return Problem("answer_form", text, line.where)


def _not_solved(
    equations: list[str], given: Mapping[str, Fraction], where: tuple[int, int]
) -> Problem:
    """The first equation that the numbers do not solve, and its two sides."""
    shown = listing([f"{name} = {show(value)}" for name, value in given.items()])
    for equation in equations:
        left, right = (_side(side, given) for side in equation.split("="))
        if left != right:
            text = f"{shown} does not solve {equation}: "
            if len(given) > 1:
                text = f"{shown} do not solve {equation}: "
            if left is not None and right is not None:
                text += f"the left side is then {show(left)} and the right side {show(right)}."
            else:
                text += "the two sides are not equal."
            return Problem("not_solved", text, where)
    return Problem("not_solved", f"{shown} is not the solution.", where)


def _side(text: str, given: Mapping[str, Fraction]) -> Fraction | None:
    """What a side of an equation is worth, or None if that is over the limits of `evaluate`."""
    text = _IMPLIED_TIMES.sub("*", text)
    for name, value in given.items():
        text = text.replace(name, f"({value})")
    try:
        return evaluate(text).value
    except ExpressionError:
        return None

"""Countdown: one expression after ``Answer:`` that reaches the target with the given numbers.

Source: the numbers round of the television game of the same name, used for language models with
search and feedback in Stream of Search (arXiv 2404.03683). Changed: the reply is free text with one
asked place, the value is an exact rational, and every misused number is named.

The target of a task is ``{"numbers": [3, 5, 8], "target": 16, "use_all": False}``.

Score:

| reply                                                        | score |
|--------------------------------------------------------------|-------|
| the target, with the given numbers only                      | 1.0   |
| another value, but two or more given numbers, used by the rules | 0.3 |
| one expression in the asked place                            | 0.1   |
| anything else                                                | 0.0   |

Nothing is paid for coming close: the nearest value is often a dead end, and "16" for a target of 16
would be a perfect hit. The value of an expression is told in full: finding the expression is the
task, not its value.

A sign before a number or parenthesis is allowed. It reaches no new positive target: a sign can
always be moved outwards by swapping the sides of a subtraction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line
from corgi_gym.rewards.rational import Expression, ExpressionError, evaluate, show
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import listing, plural, quote
from corgi_gym.rewards.verdict import Problem, Verdict

# See the table above.
FORMAT_CREDIT = 0.1
LEGAL_CREDIT = 0.3
# Numbers listed in a message, and sentences about repeated ones: more would only flood it.
_MAX_NAMED = 6
_MAX_REPEATED = 2

_TASK = {"numbers": [3, 5, 8], "target": 16}
_ALL = {"numbers": [3, 5, 8], "target": 13, "use_all": True}


@checker(
    "countdown",
    examples=[
        ("Answer: 8 * (5 - 3)", _TASK, True),
        ("8 * 5 is too much.\n**Answer: 3 + 5 + 8**", _TASK, True),
        ("Answer: 5 + 8", {**_TASK, "target": 13}, True),
        ("Answer: 5 + 8", _ALL, False),
        ("Answer: 16", _TASK, False),
        ("Answer: 8 * (5 - 3) = 16", _TASK, False),
        ("Answer: 8 + 8", _TASK, False),
        ("Answer: 2 * 8", _TASK, False),
        ("Answer: 8 * 5", _TASK, False),
        ("Answer: 8 * (5 - 3", _TASK, False),
        ("Answer: 8 * (5 - 3) or 3 + 5 + 8", _TASK, False),
        ("8 * (5 - 3)", _TASK, False),
        ("Answer: 9**9**9", _TASK, False),
    ],
)
def countdown(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the expression in ``reply`` against ``target`` (see the module's docstring)."""
    given = Counter(Fraction(str(number)) for number in target["numbers"])
    goal = Fraction(str(target["target"]))
    line = find_answer_line(reply, "one expression")
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    try:
        expression = evaluate(line.text)
    except ExpressionError as error:
        return Verdict.wrong(0.0, _malformed(line, error))

    problems = _misuse(expression, given, bool(target.get("use_all", False)), line.where)
    legal = not problems and expression.operations > 0
    if expression.value != goal:
        found = show(expression.value)
        text = f"{quote(line.text)} is {found}. Reach {show(goal)}."
        if not expression.operations:
            text = f"You wrote only {found}. Reach {show(goal)}."
        problems.append(Problem("wrong_value", text, line.where))
    if not problems:
        return Verdict.ok()
    return Verdict.wrong(LEGAL_CREDIT if legal else FORMAT_CREDIT, *problems)


def _misuse(
    expression: Expression, given: Counter[Fraction], use_all: bool, where: tuple[int, int]
) -> list[Problem]:
    """Numbers that are not given, used too often, or (if all must be used) left out."""
    used = Counter(expression.numbers)
    strange = [show(n) for n in used if n not in given]
    repeated = [n for n in used if 0 < given[n] < used[n]]
    unused = [show(n) for n in (given - used if use_all else ())]
    problems = []
    if strange:
        allowed = listing([show(n) for n in given.elements()])
        text = f"You used {_named(strange)}. Use only {allowed}."
        problems.append(Problem("number_not_given", text, where))
    if repeated:
        named = [
            f"The number {show(n)} is used {_times(used[n])}. Use it at most {_times(given[n])}."
            for n in repeated[:_MAX_REPEATED]
        ]
        problems.append(Problem("number_reused", " ".join(named), where))
    if unused:
        text = f"You did not use {_named(unused)}. Use all the numbers."
        problems.append(Problem("number_unused", text, where))
    return problems


def _named(numbers: list[str]) -> str:
    if len(numbers) > _MAX_NAMED:
        numbers = [*numbers[:_MAX_NAMED], "others"]
    return listing(numbers)


def _times(count: int) -> str:
    return "once" if count == 1 else plural(count, "time")


def _malformed(line: AnswerLine, error: ExpressionError) -> Problem:
    shown = quote(line.text)
    if "=" in line.text:
        text = f'You wrote {shown}. After "Answer:" write one expression without "=".'
    elif error.position < len(line.text):
        character = quote(line.text[error.position])
        text = f"{shown} is not an expression. Character {error.position + 1}, {character}: "
        text += f"{error.reason}."
    else:
        text = f"{shown} is not an expression. At its end {error.reason}."
    return Problem("malformed_expression", text, line.where)

"""Multistep arithmetic: exactly one number after ``Answer:``, and no false step before it.

Source: TriPosT (arXiv 2310.13522; data and scripted feedback), whose tasks follow BIG-bench's
multistep arithmetic. TriPosT compares the final answer with the stored one, and its feedback names
the first wrong step of a rationale in one fixed format. Changed:

- Exact rationals, no ``eval``. The answer must be a literal: "71+1" is the question again.
- Showing steps is optional, in any format (`corgi_gym.rewards.steps`).
- A right answer with a false step is *not* a success (TriPosT too keeps a right answer only with a
  consistent rationale): otherwise the steps would be decoration.

Score:

| reply                                       | score |
|---------------------------------------------|-------|
| right answer, no false step                 | 1.0   |
| right answer, a false step                  | 0.5   |
| one number in the asked place, but wrong    | 0.1   |
| anything else (no or several answers, "42 or 43", units, an expression) | 0.0 |

So a fixed string earns 0.1 at most (more only where it is right by luck); neither closeness nor the
number of true steps pays, since ``1 = 1`` is a true step.

What feedback tells: that an answer or a step is wrong, one bit each. What a wrong left side is
worth is told only if it is *one* operation on two numbers, and not if that is the answer (or its
negative). Otherwise the checker would be a calculator: "<the whole task> + 1 = 0" would be answered
with the answer plus one.
"""

from __future__ import annotations

from typing import Any

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal, show
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.steps import WrongStep, check_steps
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem, Verdict

# See the table above.
FORMAT_CREDIT = 0.1
FALSE_STEP_CREDIT = 0.5
# A step is quoted up to this length; most steps of one operation are shorter.
_QUOTE_CHARS = 50

_TASK = "(3 + 4) * -6"


@checker(
    "multistep_arithmetic",
    examples=[
        ("Answer: -42", _TASK, True),
        ("3 + 4 = 7\n7 * -6 = -42\n**Answer:** -42.", _TASK, True),
        ("Answer: 3.5", "7 / 2", True),
        ("Answer: -41", _TASK, False),
        ("-42", _TASK, False),
        ("Answer: (3 + 4) * -6", _TASK, False),
        ("Answer: -42, -43", _TASK, False),
        ("Answer: -42\nAnswer: -42", _TASK, False),
        ("Answer: maybe -42", _TASK, False),
        ("Answer: -42 apples", _TASK, False),
        ("Answer: -42\nNo, it is -41.", _TASK, False),
        ("3 + 4 = 8\nAnswer: -42", _TASK, False),
        ("Answer: 9^9^9^9", _TASK, False),
    ],
)
def multistep_arithmetic(reply: str, target: Any) -> Verdict:
    """Judge ``reply`` against the value of the expression ``target`` (text or a number)."""
    expected = evaluate(str(target)).value
    line = find_answer_line(reply, "one number")
    given = literal(line.text) if isinstance(line, AnswerLine) else None
    steps = check_steps(reply[: line.line_start] if isinstance(line, AnswerLine) else reply)

    problems = []
    if steps.wrong is not None:
        problems.append(_wrong_step(steps.wrong, expected))
    if isinstance(line, Problem):
        problems.append(line)
    elif given is None:
        problems.append(_not_a_number(line))
    elif given != expected:
        text = f"The answer is not {show(given)}."
        if steps.judged and steps.wrong is None:
            text = f"Your steps are true, but the answer is not {show(given)}."
        problems.append(Problem("wrong_answer", text, line.where))

    if not problems:
        return Verdict.ok(steps=float(steps.judged))
    score = 0.0
    if given is not None:
        score = FALSE_STEP_CREDIT if given == expected else FORMAT_CREDIT
    return Verdict.wrong(score, *problems, steps=float(steps.judged))


def _wrong_step(step: WrongStep, answer: Any) -> Problem:
    shown = quote(f"{step.left} = {step.right}", _QUOTE_CHARS)
    text = f"The step {shown} is wrong."
    if step.value.operations == 1 and abs(step.value.value) != abs(answer):
        text = f"The step {shown} is wrong: {quote(step.left)[1:-1]} is {show(step.value.value)}."
    return Problem("wrong_step", text, step.where)


def _not_a_number(line: AnswerLine) -> Problem:
    shown = quote(line.text)
    try:
        evaluate(line.text)
        text = f'After "Answer:" you wrote the calculation {shown}. Write its result, one number.'
    except ExpressionError:
        text = f'After "Answer:" you wrote {shown}. Write one number and nothing else.'
    return Problem("answer_not_number", text, line.where)

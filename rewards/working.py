"""One number after ``Answer:`` and no false step before it: what several math checkers share.

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

from fractions import Fraction

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal, show
from corgi_gym.rewards.steps import WrongStep, check_steps
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem, Verdict

# See the table above.
FORMAT_CREDIT = 0.1
FALSE_STEP_CREDIT = 0.5
# A step is quoted up to this length; most steps of one operation are shorter.
_QUOTE_CHARS = 50


def judge_number(reply: str, expected: Fraction, *, strict_steps: bool = True) -> Verdict:
    r"""Judge a reply that shows its working and ends with one number.

    Args:
        reply: Any string.
        expected: The right number.
        strict_steps: Whether a right answer with a false step is a failure. Without it, steps are
            only named to explain a wrong answer.

    Example:
        >>> judge_number("3 + 4 = 8\nAnswer: 8", Fraction(7)).problems[0].message
        'The step "3 + 4 = 8" is wrong.'
    """
    line = find_answer_line(reply, "one number")
    given = literal(line.text) if isinstance(line, AnswerLine) else None
    steps = check_steps(reply[: line.line_start] if isinstance(line, AnswerLine) else reply)
    if given == expected and not strict_steps:
        return Verdict.ok(steps=float(steps.judged))

    problems = []
    if steps.wrong is not None:
        problems.append(wrong_step(steps.wrong, expected))
    if isinstance(line, Problem):
        problems.append(line)
    elif given is None:
        problems.append(not_a_number(line))
    elif given != expected:
        text = f"The answer is not {show(given)}."
        if steps.judged and steps.complete and steps.wrong is None:
            text = f"Your steps are true, but the answer is not {show(given)}."
        problems.append(Problem("wrong_answer", text, line.where))

    if not problems:
        return Verdict.ok(steps=float(steps.judged))
    score = 0.0
    if given is not None:
        score = FALSE_STEP_CREDIT if given == expected else FORMAT_CREDIT
    return Verdict.wrong(score, *problems, steps=float(steps.judged))


def wrong_step(step: WrongStep, *answers: Fraction) -> Problem:
    """Name a false step, and say what its left side is worth if that gives no answer away."""
    shown = quote(f"{step.left} = {step.right}", _QUOTE_CHARS)
    text = f"The step {shown} is wrong."
    secret = {abs(answer) for answer in answers}
    if step.value.operations == 1 and abs(step.value.value) not in secret:
        text = f"The step {shown} is wrong: {quote(step.left)[1:-1]} is {show(step.value.value)}."
    return Problem("wrong_step", text, step.where)


def not_a_number(line: AnswerLine) -> Problem:
    """Say that the answer is a calculation, or something else that is no number."""
    shown = quote(line.text)
    text = f'After "Answer:" you wrote {shown}. Write one number and nothing else.'
    try:
        if evaluate(line.text).operations:
            text = (
                f'After "Answer:" you wrote the calculation {shown}. Write its result, one number.'
            )
    except ExpressionError:
        pass
    return Problem("answer_not_number", text, line.where)

"""Word problems: one exact number after ``Answer:``, and no false equation before it.

The form is that of GSM8K (arXiv 2110.14168): a short story, a chain of small calculations, one
number. Changed: the number is compared exactly and must stand alone in the asked place, where the
usual evaluation takes the last number of the reply; and the working is read, so feedback can name
the first equation that is false.

The target of a task is ``{"answer": "42"}``, or with ``"strict_steps": False`` for data whose own
solutions round: then a false equation explains a wrong answer but does not spoil a right one. The
score, and what feedback tells, are those of `corgi_gym.rewards.working`. Not checked: whether the
equations belong to the story.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.verdict import Verdict
from corgi_gym.rewards.working import judge_number

_TASK = {"answer": "42"}
_DECIMAL = {"answer": "7.5"}


@checker(
    "word_problems",
    examples=[
        ("6 * 7 = 42\nAnswer: 42", _TASK, True),
        ("Each box holds 7, so 6 x 7 = 42.\n**Answer:** 42", _TASK, True),
        ("Answer: 7.50", _DECIMAL, True),
        ("Answer: 15/2", _DECIMAL, True),
        ("10 / 3 = 3.33\nAnswer: 42", {**_TASK, "strict_steps": False}, True),
        ("10 / 3 = 3.33\nAnswer: 42", _TASK, False),
        ("Answer: 6 * 7", _TASK, False),
        ("Answer: 42 apples", _TASK, False),
        ("Answer: $42", _TASK, False),
        ("Answer: 42 or 43", _TASK, False),
        ("The answer is 42.", _TASK, False),
        ("Answer: 41", _TASK, False),
        ("Answer: 42\nAnswer: 42", _TASK, False),
    ],
)
def word_problems(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the number in ``reply`` against ``target["answer"]``."""
    strict = bool(target.get("strict_steps", True))
    return judge_number(reply, Fraction(target["answer"]), strict_steps=strict)

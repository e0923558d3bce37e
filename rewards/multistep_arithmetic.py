"""Multistep arithmetic: exactly one number after ``Answer:``, and no false step before it.

Source: TriPosT (arXiv 2310.13522; data and scripted feedback), whose tasks follow BIG-bench's
multistep arithmetic. TriPosT compares the final answer with the stored one, and its feedback names
the first wrong step of a rationale in one fixed format. Changed:

- Exact rationals, no ``eval``. The answer must be a literal: "71+1" is the question again.
- Showing steps is optional, in any format (`corgi_gym.rewards.steps`).
- A right answer with a false step is *not* a success (TriPosT too keeps a right answer only with a
  consistent rationale): otherwise the steps would be decoration.

The score, and what feedback tells, are those of `corgi_gym.rewards.working`.
"""

from __future__ import annotations

from typing import Any

from corgi_gym.rewards.rational import evaluate
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.verdict import Verdict
from corgi_gym.rewards.working import judge_number

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
    return judge_number(reply, evaluate(str(target)).value)

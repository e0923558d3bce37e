r"""MATH: competition problems, from a hub or a local file.

Source: MATH (Hendrycks et al., arXiv 2103.03874), columns ``problem`` and ``solution``; the answer
is what stands in the last ``\boxed{…}`` of the solution (or in a column ``answer``, which some
mirrors have). Judged by the checker ``math_verify``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from corgi_gym.envs.data import BadRow, Row
from corgi_gym.envs.task import Draft, Task, check_range
from corgi_gym.envs.tasks._hub import HubRows

HUB_ID = "DigitalLearningGmbH/MATH-lighteval"
LEVELS = (1, 5)


class MathProblems(HubRows):
    r"""Competition problems with one final value.

    Args:
        data: A hub id, a local file (``.jsonl``, ``.json``, ``.csv``, ``.parquet``), or rows.
        levels: Easiest and hardest level, within 1 and 5; rows without a level are always kept.

    Raises:
        ValueError: For other levels, and data without a usable row.

    Example:
        >>> rows = [{"problem": "Half of one?", "solution": r"It is $\boxed{\frac{1}{2}}$."}]
        >>> MathProblems(rows).drafts.popitem()[1][0].target["answer"]
        '\\frac{1}{2}'
    """

    family = "math"
    summary = "Solve a problem of MATH."
    checker = "math_verify"  # type: ignore[assignment]  # a name, resolved by TaskSource
    fields: Mapping[str, type] = {"problem": str, "solution": str}

    def __init__(
        self,
        data: str | Path | Iterable[Mapping[str, Any]] = HUB_ID,
        levels: Sequence[int] = LEVELS,
    ) -> None:
        self.levels = check_range(levels, "levels", *LEVELS)
        super().__init__(data)

    def draft(self, row: Row) -> Draft:
        """Read the answer out of the solution."""
        answer = row.get("answer")
        if not isinstance(answer, str) or not answer.strip():
            answer = last_boxed(row["solution"])
        if answer is None or not answer.strip():
            raise BadRow(f"field 'solution' has no \\boxed{{…}}: {row['solution'][-60:]!r}")
        answer = " ".join(answer.split())
        problem = row["problem"].strip()
        prompt = f'{problem}\n\nEnd with one line: "Answer:" and then the final value alone.'
        target = {"answer": answer, "question": problem}
        return Draft(problem, prompt, target, f"Answer: {answer}")

    def near_misses(self, task: Task) -> list[str]:
        """Other values, several answers, hedges."""
        answer = task.target["answer"]
        return [
            task.prompt,
            f"Answer: {answer} or {answer}1",
            f"Answer: {answer}, {answer}1",
            f"Answer: not {answer}",
            f"Answer: {answer}\nAnswer: {answer}1",
            f"Answer: {answer}\nNo, it is something else.",
            "Answer: no idea",
            "Answer:",
        ]

    def _keep(self, rows: Sequence[Row]) -> Sequence[Row]:
        easiest, hardest = self.levels
        return [row for row in rows if not (level := _level(row)) or easiest <= level <= hardest]


def last_boxed(text: str) -> str | None:
    r"""What stands in the last ``\boxed{…}`` or ``\fbox{…}``, with matching braces.

    Example:
        >>> last_boxed(r"first \boxed{1}, then $\boxed{\frac{1}{2}}$.")
        '\\frac{1}{2}'
    """
    start = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if start < 0:
        return None
    rest = text[start:].removeprefix("\\boxed").removeprefix("\\fbox").lstrip()
    if not rest.startswith("{"):
        return rest[:1] or None  # "\boxed 5"
    depth, skip = 0, False
    for at, character in enumerate(rest):
        if skip or character == "\\":  # "\{" is a brace that is shown, not one that groups
            skip = not skip
            continue
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return rest[1:at]
    return None


def _level(row: Row) -> int:
    """The level (``"Level 3"``, ``3``), or 0 where there is none."""
    digits = "".join(c for c in str(row.get("level", "")) if c.isdigit())
    return int(digits[:1] or 0)

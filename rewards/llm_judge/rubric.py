"""What a judge is asked: named criteria with descriptions and weights."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from corgi_gym.rewards.text import defuse

# Marks run from 0 to 10: fine enough to rank, coarse enough that a model gives them consistently.
MAX_MARK = 10
# Bounds on a rubric: a small judge loses the thread beyond.
MAX_CRITERIA = 12
MAX_DESCRIPTION_CHARS = 500
MAX_TASK_CHARS = 1_000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question about a reply.

    Attributes:
        name: Small letters, digits and underscores; the key in the judge's answer and the kind of
            the problem.
        description: What a full mark means, in one or two sentences.
        weight: Share in the score, positive.
    """

    name: str
    description: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(
                f"criterion name {self.name!r:.80} must be small letters, digits and underscores"
            )
        text = self.description
        if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_DESCRIPTION_CHARS:
            raise ValueError(
                f"criterion {self.name!r} needs a description of 1 to {MAX_DESCRIPTION_CHARS} "
                f"characters, got {text!r:.80}"
            )
        if not isinstance(self.weight, int | float) or not 0 < self.weight < math.inf:
            raise ValueError(f"criterion {self.name!r}: weight {self.weight!r} must be positive")


@dataclass(frozen=True, slots=True)
class Rubric:
    """Criteria, and from which mark on one is met.

    Attributes:
        criteria: In the order in which they are asked and reported.
        passing: The mark from 1 to 10 with which a criterion is met. A lower mark is a problem and
            earns ``mark / passing`` of the criterion's weight.
        task: What the replies are answers to, in a sentence; the target adds the single case.

    Raises:
        ValueError: For no criteria, a name that is used twice, a mark outside 1 to 10, or a task of
            more than 1,000 characters.

    Example:
        >>> rubric = Rubric.of(clear="Every sentence can be understood at once.")
        >>> rubric.criteria[0].name, rubric.passing
        ('clear', 7)
    """

    criteria: tuple[Criterion, ...]
    passing: int = 7
    task: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "criteria", tuple(self.criteria))
        if not 0 < len(self.criteria) <= MAX_CRITERIA:
            raise ValueError(f"a rubric has 1 to {MAX_CRITERIA} criteria, got {len(self.criteria)}")
        names = [criterion.name for criterion in self.criteria]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"criterion {name!r} is there twice")
        if "check" in names:
            raise ValueError("criterion 'check': the answer has a field of that name; rename it")
        whole = isinstance(self.passing, int) and not isinstance(self.passing, bool)
        if not whole or not 0 < self.passing <= MAX_MARK:
            raise ValueError(f"passing must be a mark from 1 to {MAX_MARK}, got {self.passing!r}")
        if not isinstance(self.task, str) or len(self.task) > MAX_TASK_CHARS:
            raise ValueError(
                f"task must be text of at most {MAX_TASK_CHARS} characters, got {self.task!r:.80}"
            )

    @classmethod
    def of(cls, *, passing: int = 7, task: str = "", **descriptions: str) -> Rubric:
        """A rubric of equally weighted criteria, ``name="description"`` each."""
        criteria = tuple(Criterion(name, text) for name, text in descriptions.items())
        return cls(criteria, passing, task)

    def as_data(self) -> list[Any]:
        """Plain data that is equal for equal rubrics."""
        rows = [[c.name, c.description, float(c.weight)] for c in self.criteria]
        return [rows, self.passing, self.task]

    def as_text(self) -> str:
        """The criteria as a list for the judge."""
        limit = MAX_DESCRIPTION_CHARS
        return "\n".join(f"- {c.name}: {defuse(c.description, limit)}" for c in self.criteria)

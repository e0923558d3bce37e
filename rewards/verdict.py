"""What a checker says about one reply: a `Verdict` made of `Problem`s.

A verdict separates two things that are often confused: a reply that is *wrong* (scored, with
problems) and a check that *failed* (`unscored`). The second is never read as a bad answer: it is
counted, and its tokens stay out of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Status = Literal["scored", "unscored"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One violated constraint.

    Attributes:
        kind: Stable identifier, for example ``"word_count"``. Statistics and the feedback level
            ``which`` use it, so it names the constraint and never the reply.
        message: One or more full sentences for the model: what was found, what was asked for.
        where: Character span ``(start, end)`` in the reply, where one exists.
    """

    kind: str
    message: str
    where: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A checker's judgement of one reply.

    Attributes:
        score: In [0, 1]; exactly 1.0 when, and only when, there is no problem. 0.0 if unscored.
        problems: The violated constraints, in the order in which the prompt states them.
        status: ``"unscored"`` says that the checker itself failed; the score means nothing then.
        metrics: Further numbers for the logs (Python floats).

    Raises:
        ValueError: For a score outside [0, 1] or not finite, and for a score that contradicts the
            problems.

    Example:
        >>> Verdict.ok().success
        True
        >>> Verdict.wrong(0.5, Problem("word_count", "You wrote 3 words. Write 4.")).success
        False
    """

    score: float
    problems: tuple[Problem, ...] = ()
    status: Status = "scored"
    metrics: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not math.isfinite(self.score) or not 0.0 <= self.score <= 1.0:
            raise ValueError(f"Verdict.score must be a number in [0, 1], got {self.score!r}")
        if self.status == "scored" and (self.score == 1.0) != (not self.problems):
            raise ValueError(
                f"Verdict.score is {self.score!r} with {len(self.problems)} problem(s): "
                "a score of 1.0 means no problem, and a lower score must name at least one"
            )

    @classmethod
    def ok(cls, **metrics: float) -> Verdict:
        """The verdict on a reply with nothing wrong."""
        return cls(1.0, metrics=metrics)

    @classmethod
    def wrong(cls, score: float, *problems: Problem, **metrics: float) -> Verdict:
        """The verdict on a reply with at least one problem (``score`` in [0, 1))."""
        return cls(score, tuple(problems), metrics=metrics)

    @classmethod
    def unscored(cls, reason: str) -> Verdict:
        """The verdict when the checker failed; ``reason`` is for people, not for the model."""
        return cls(0.0, (Problem("unscored", reason),), status="unscored")

    @property
    def success(self) -> bool:
        """Whether the reply was scored and has no problem."""
        return self.status == "scored" and self.score == 1.0 and not self.problems


@runtime_checkable
class Checker(Protocol):
    """Anything that judges a reply against a target: pure, deterministic, never raising."""

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge ``reply``; see `Verdict` for the ranges."""
        ...

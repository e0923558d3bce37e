"""What a checker says about one reply: a `Verdict` made of `Problem`s.

A verdict separates two things that are often confused: a reply that is *wrong* (scored, with
problems) and a check that *failed* (`unscored`). The second is never read as a bad answer: it is
counted, and its tokens stay out of the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from corgi_gym.rewards.text import normalise

Status = Literal["scored", "unscored"]
STATUSES: tuple[Status, ...] = get_args(Status)
_NO_METRICS: Mapping[str, float] = {}
_set = object.__setattr__  # how a frozen instance gets its fields


def unit_score(value: Any, name: str) -> float:
    """Return ``value`` as a Python float in [0, 1]; ``name`` says what it is in messages.

    Numpy and torch scalars count as numbers.

    Raises:
        TypeError: If ``value`` is no number.
        ValueError: If it is not in [0, 1] (or NaN).

    Example:
        >>> unit_score(True, "score")
        1.0
    """
    if type(value) is not float:
        if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
            value = value.item()
        if not isinstance(value, (bool, int, float)):
            raise TypeError(f"{name} must be a number in [0, 1], got {value!r:.80}")
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must be a number in [0, 1], got {value!r:.80}")
    return float(value)  # the same object if it is a float already


@dataclass(frozen=True, slots=True)
class Problem:
    """One violated constraint.

    Attributes:
        kind: Stable identifier, for example ``"word_count"``. Statistics and the feedback level
            ``which`` use it, so it names the constraint and never the reply.
        message: One or more full sentences for the model: what was found, what was asked for.
        where: Character span ``(start, end)`` in the reply, where one exists.

    Both texts are normalised (`normalise`), so they can be logged and shown anywhere.

    Raises:
        ValueError: For an empty ``kind`` or ``message``, or a span that is none.
        TypeError: For a ``kind`` or ``message`` that is not a string.
    """

    kind: str
    message: str
    where: tuple[int, int] | None = None

    def __init__(self, kind: str, message: str, where: tuple[int, int] | None = None) -> None:
        # by hand, as in `Verdict`: every wrong attempt makes one, nearly always of clean texts
        if not (
            type(kind) is type(message) is str
            and (both := kind + message).isascii()
            and both.isprintable()
            and kind.strip()
            and message.strip()
        ):
            kind, message = _cleaned("kind", kind), _cleaned("message", message)
        if where is not None:
            start, end = where
            if not (type(where) is tuple and type(start) is type(end) is int):
                where = start, end = int(start), int(end)
            if not 0 <= start <= end:
                raise ValueError(f"Problem.where must be a span (start, end), got {where!r}")
        _set(self, "kind", kind)
        _set(self, "message", message)
        _set(self, "where", where)


def _cleaned(name: str, text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"Problem.{name} must be a string, got {text!r:.80}")
    clean = normalise(text)
    if not clean or clean.isspace():
        raise ValueError(f"Problem.{name} must say something, got {text!r:.80}")
    return clean


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
            problems or the status.
        TypeError: For a score that is not a number, and problems that are not `Problem`s.

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

    def __init__(
        self,
        score: float,
        problems: Iterable[Problem] = (),
        status: Status = "scored",
        metrics: Mapping[str, float] = _NO_METRICS,
    ) -> None:
        # most verdicts are made with what they need already: each conversion here costs time
        if not (type(score) is float and 0.0 <= score <= 1.0):
            score = unit_score(score, "Verdict.score")
        if type(problems) is not tuple:
            problems = tuple(problems)
        for problem in problems:
            if type(problem) is not Problem and not isinstance(problem, Problem):
                raise TypeError(f"Verdict.problems must be Problems, got {problem!r:.80}")
        if status == "scored":
            if (score == 1.0) != (not problems):
                raise ValueError(
                    f"Verdict.score is {score!r} with {len(problems)} problem(s): "
                    "a score of 1.0 means no problem, and a lower score must name at least one"
                )
        elif status != "unscored":
            raise ValueError(
                f"unknown Verdict.status {status!r}; choose from {', '.join(STATUSES)}"
            )
        elif score != 0.0 or not problems:
            raise ValueError("an unscored Verdict has score 0.0 and a problem that says why")
        _set(self, "score", score)
        _set(self, "problems", problems)
        _set(self, "status", status)
        _set(self, "metrics", {str(k): float(v) for k, v in metrics.items()} if metrics else {})

    @classmethod
    def ok(cls, **metrics: float) -> Verdict:
        """The verdict on a reply with nothing wrong."""
        return cls(1.0, metrics=metrics)

    @classmethod
    def wrong(cls, score: float, *problems: Problem, **metrics: float) -> Verdict:
        """The verdict on a reply with at least one problem (``score`` in [0, 1))."""
        return cls(score, problems, "scored", metrics)

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

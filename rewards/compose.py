"""Checkers made of checkers, and targets that are checked before there is a reply."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from numbers import Real
from typing import Any, TypeVar

from corgi_gym.rewards.registry import checker_name, get_checker, is_slow, run
from corgi_gym.rewards.verdict import Checker, Problem, Verdict

# The largest score that a reply with a problem can get: rounding must never make it a success.
BELOW_ONE = 1.0 - 2.0**-30

_Function = TypeVar("_Function", bound=Callable[..., Any])


def checks_target(read: Callable[[Any], Any]) -> Callable[[_Function], _Function]:
    """Say what reads the targets of a checker, under its `@checker` line: see `check_target`.

    Args:
        read: Called with a target; raises a ValueError or TypeError that says what is wrong.

    Example:
        >>> @checks_target(int)
        ... def equals(reply, target):
        ...     return reply == str(int(target))
        >>> check_target(equals, "4")
    """

    def mark(function: _Function) -> _Function:
        function.check_target = read  # type: ignore[attr-defined]
        return function

    return mark


def check_target(check: Checker, target: Any) -> None:
    """Raise what a checker's ``check_target`` says of ``target``; nothing, if it has none.

    So a bad target is an error where tasks are made, not an unscored verdict on each reply.

    Raises:
        ValueError: For a target that the checker cannot read.
    """
    read = getattr(check, "check_target", None)
    if read is None:
        read = getattr(getattr(check, "function", None), "check_target", None)
    if read is None:
        return
    try:
        read(target)
    except (TypeError, ValueError) as error:
        raise ValueError(f"checker {checker_name(check)!r}: {error}") from error


class AllOf:
    """Every part must be satisfied; the score is the weighted mean, problems concatenate.

    What it makes a policy want: the parts with the largest weights first, and all of them in the
    end, since only a full score ends a session. If any part is unscored, so is the whole (and the
    reason names the part). Metrics are named ``part/metric``.

    Args:
        checkers: Names or checkers; all get the same reply and target.
        weights: Positive numbers, one per checker (default: equal).
        name: Name in messages and logs.

    Raises:
        ValueError: For no checker, or weights that do not match, are not positive or too large.
        TypeError: For weights that are no list of numbers.

    Example:
        >>> short = lambda reply, target: len(reply) < 9
        >>> polite = lambda reply, target: "please" in reply
        >>> AllOf(short, polite, weights=[1, 3])("no", None).score
        0.25
    """

    def __init__(
        self,
        *checkers: str | Checker,
        weights: Sequence[float] | None = None,
        name: str = "all_of",
    ) -> None:
        if not checkers:
            raise ValueError("AllOf needs at least one checker")
        if weights is None:
            weights = [1.0] * len(checkers)
        weights = _check_weights(weights, len(checkers))
        self.name = name
        self.checkers = tuple(get_checker(c) for c in checkers)
        self.weights = tuple(w / sum(weights) for w in weights)
        self.slow = any(map(is_slow, self.checkers))

    def check_target(self, target: Any) -> None:
        """All parts get the same target, so each must be able to read it."""
        for check in self.checkers:
            check_target(check, target)

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge with each part in order."""
        problems: list[Problem] = []
        metrics: dict[str, float] = {}
        score = 0.0
        for check, weight in zip(self.checkers, self.weights, strict=True):
            verdict = run(check, reply, target)
            part = checker_name(check)
            if verdict.status == "unscored":
                return _named(verdict, part)
            problems.extend(verdict.problems)
            metrics.update({f"{part}/{name}": value for name, value in verdict.metrics.items()})
            score += weight * verdict.score
        score = min(score, BELOW_ONE) if problems else 1.0
        return Verdict(score, tuple(problems), metrics=metrics)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _check_weights(weights: Any, number: int) -> list[float]:
    """The weights as floats.

    Raises:
        TypeError: For what is no list of numbers, or has no order.
        ValueError: For another number of them, one that is not positive, or too large a sum.
    """
    unordered = isinstance(weights, (str, bytes, Set, Mapping))
    if unordered or not isinstance(weights, Iterable):
        raise TypeError(f"weights must be a list of {number} positive numbers, got {weights!r:.80}")
    given = list(weights)
    if not all(map(_is_number, given)):
        raise TypeError(f"weights must be {number} positive numbers, got {given!r:.80}")
    try:
        found = [float(w) for w in given]
    except OverflowError:  # a whole number that no float can hold
        found = []
    if len(found) != number or not all(0.0 < w < math.inf for w in found):
        raise ValueError(f"weights must be {number} positive numbers, got {given!r:.80}")
    if not math.isfinite(sum(found)):
        raise ValueError(f"weights must have a finite sum: give smaller ones than {given!r:.80}")
    return found


def _named(verdict: Verdict, part: str) -> Verdict:
    """An unscored verdict whose reason begins with the part that gave it."""
    reason = " ".join(problem.message for problem in verdict.problems)
    if reason.startswith((f"{part}:", f"{part} (", f"checker {part!r} ")):  # it says so itself
        return verdict
    return Verdict.unscored(f"{part}: {reason}")


class Scaled:
    """A checker whose failing scores are multiplied by ``factor`` in [0, 1]; success stays 1.0.

    ``factor=0`` removes all partial credit (success or nothing).

    Raises:
        ValueError: For a factor outside [0, 1].
        TypeError: For a factor that is no number; the checker comes first.

    Example:
        >>> half = lambda reply, target: 0.5
        >>> scale(half, 0.5)("no", None).score
        0.25
    """

    def __init__(self, check: str | Checker, factor: float) -> None:
        if not _is_number(factor):
            raise TypeError(f"factor must be a number in [0, 1], after the checker: {factor!r:.80}")
        if not 0.0 <= factor <= 1.0:
            raise ValueError(f"factor must be in [0, 1], got {factor!r}")
        self.check = get_checker(check)
        self.factor = float(factor)
        self.name = f"scaled_{checker_name(self.check)}"
        self.slow = is_slow(self.check)

    def check_target(self, target: Any) -> None:
        """The checker inside must be able to read it."""
        check_target(self.check, target)

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge, then scale a score below 1."""
        verdict = run(self.check, reply, target)
        if verdict.status == "unscored" or verdict.success:
            return verdict
        return Verdict(self.factor * verdict.score, verdict.problems, metrics=verdict.metrics)


def scale(check: str | Checker, factor: float) -> Scaled:
    """Return ``check`` with its partial credit multiplied by ``factor``; see `Scaled`."""
    return Scaled(check, factor)

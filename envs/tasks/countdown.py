"""Countdown: reach a target with the given numbers.

Source: the numbers round of the television game, as in Stream of Search (arXiv 2404.03683).
Changed: small numbers by default, so that small models have a chance, and every intermediate result
of the hidden solution is a positive integer of at most the largest target (no chain through 1/7).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range, check_whole
from corgi_gym.rewards.countdown import countdown
from corgi_gym.rewards.text import listing

# Numbers per task that can be asked for: two is the least with an operation, six is the game's.
_COUNTS = (2, 6)
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
# Among the operations that are possible; products are mostly too large, and quotients not whole.
# With equal weights "add them all" would solve a third of the tasks.
_WEIGHTS = {"+": 1, "-": 2, "*": 4, "/": 8}
# Draws of numbers and operators until all results are within the limits; a few are usual.
_MAX_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """A value and the expression that makes it; ``precedence`` of its last operation."""

    value: int
    text: str
    precedence: int = 3


class Countdown(TaskSource):
    """Reach a target number with the given numbers and ``+ - * /``.

    The numbers of a task differ from each other and from the target, so no task is solved by
    writing a number. Nor is one of three or more numbers solved by adding them all: a third of
    random targets would be.

    Args:
        numbers: Fewest and most numbers per task, from 2 to 6. With two, the easiest, a sum is
            right in almost half of the tasks.
        largest: Largest given number; the smallest is 1.
        largest_target: Largest target and largest intermediate result of the hidden solution.
        use_all: Whether every number must be used; otherwise each at most once.

    Raises:
        ValueError: For options outside these ranges or too few different numbers.

    Example:
        >>> source = Countdown(numbers=(2, 2), largest=9)
        >>> source.item(seed=0, index=0).target
        {'numbers': [2, 7], 'target': 14, 'use_all': False}
    """

    family = "countdown"
    summary = "Reach a target number with the given numbers and + - * /."
    checker = countdown

    def __init__(
        self,
        numbers: tuple[int, int] = (3, 4),
        largest: int = 20,
        largest_target: int = 100,
        use_all: bool = False,
    ) -> None:
        self.numbers = check_range(numbers, "numbers", *_COUNTS)
        self.largest = check_whole(largest, "largest", self.numbers[1] + 1)
        if self.largest > 100:
            raise ValueError(f"largest must be at most 100, got {largest!r}")
        self.largest_target = check_whole(largest_target, "largest_target", self.largest)
        if self.largest_target > 10_000:
            raise ValueError(f"largest_target must be at most 10000, got {largest_target!r}")
        self.use_all = bool(use_all)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw numbers and combine them at random until the result is a target."""
        count = int(rng.integers(self.numbers[0], self.numbers[1] + 1))
        for _ in range(_MAX_DRAWS):
            numbers = rng.choice(np.arange(1, self.largest + 1), size=count, replace=False).tolist()
            solution = self._combine_all(rng, numbers)
            if solution is not None and not _blind(solution.value, numbers):
                return self._draft(sorted(numbers), solution)
        raise ValueError(
            f"no target up to {self.largest_target} in {_MAX_DRAWS} draws of {count} numbers "
            f"up to {self.largest}; widen the options"
        )

    def near_misses(self, task: Task) -> list[str]:
        """The target itself, misused numbers, several answers, and slips of form."""
        solution = task.witness.removeprefix("Answer: ")
        target, numbers = task.target["target"], task.target["numbers"]
        first, second = numbers[:2]  # ascending, so the difference is below any target
        strange = next(n for n in range(1, 200) if n not in numbers)
        return [
            task.prompt,
            solution,
            f"Answer: {target}",
            f"Answer: {target} = {target}",
            f"Answer: {solution} = {target}",
            f"Answer: ({solution}) * 1",
            f"Answer: {solution} + {first} - {first}",
            f"Answer: {solution} + {strange} - {strange}",
            f"Answer: {target} + {strange} - {strange}",
            f"Answer: {target} + 0 * {first}",
            f"Answer: {first} - {second}",
            f"Answer: {' + '.join(map(str, numbers))}" if len(numbers) > 2 else "Answer: 0",
            f"Answer: {first}",
            f"Answer: {listing([str(n) for n in numbers])}",
            f"Answer: {solution} or {first} + {second}",
            f"Answer: maybe {solution}",
            f"Answer: ({solution}",
            f"Answer: {solution}\nAnswer: {solution}",
            f"Answer: {solution}\nNo, {first} + {second}.",
            "Answer:",
        ]

    def _combine_all(self, rng: np.random.Generator, numbers: list[int]) -> Part | None:
        """Join two parts at a time by an operation that stays within the limits."""
        parts = [Part(n, str(n)) for n in numbers]
        while len(parts) > 1:
            i, j = rng.choice(len(parts), size=2, replace=False).tolist()
            left, right = parts[i], parts[j]
            results = {
                "+": left.value + right.value,
                "-": left.value - right.value,
                "*": left.value * right.value if 1 not in (left.value, right.value) else 0,
                "/": left.value // right.value if _divides(right.value, left.value) else 0,
            }
            allowed = "".join(
                operator * _WEIGHTS[operator]
                for operator, value in results.items()
                if 0 < value <= self.largest_target
            )
            if not allowed:
                return None
            operator = allowed[int(rng.integers(len(allowed)))]
            joined = Part(results[operator], _join(left, operator, right), _PRECEDENCE[operator])
            parts = [part for k, part in enumerate(parts) if k not in (i, j)] + [joined]
        return parts[0]

    def _draft(self, numbers: list[int], solution: Part) -> Draft:
        target = {"numbers": numbers, "target": solution.value, "use_all": self.use_all}
        rule = "each exactly once" if self.use_all else "each at most once"
        prompt = (
            f"Use the numbers {listing([str(n) for n in numbers])}, {rule}, with + - * / and "
            f"parentheses to make {solution.value}. "
            'End with one line: "Answer:" and then one expression without "=".'
        )
        return Draft(json.dumps(target, sort_keys=True), prompt, target, f"Answer: {solution.text}")


def _blind(target: int, numbers: list[int]) -> bool:
    """Whether writing a number, or (of three and more) adding all of them, reaches the target."""
    return target in numbers or (len(numbers) > 2 and target == sum(numbers))


def _divides(divisor: int, number: int) -> bool:
    return divisor > 1 and number % divisor == 0


def _join(left: Part, operator: str, right: Part) -> str:
    """Write ``left operator right`` with no more parentheses than needed."""
    precedence = _PRECEDENCE[operator]
    first = f"({left.text})" if left.precedence < precedence else left.text
    tight = right.precedence > precedence or (
        right.precedence == precedence and operator in ("+", "*") and "/" not in right.text
    )
    second = right.text if tight else f"({right.text})"
    return f"{first} {operator} {second}"

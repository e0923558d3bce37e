"""Fraction arithmetic to lowest terms, and conversions between units, all exact.

Units are converted within a system only (meters to kilometers, inches to feet), where every factor
is a whole number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range
from corgi_gym.rewards.fractions_units import SYSTEMS, fractions_units

KINDS = ("fractions", "convert", "mixed")

# Limits of what a task shows or asks for: beyond them it would be about copying digits.
_LARGEST_BOTTOM, _LARGEST_RESULT, _LARGEST_QUANTITY = 12, 400, 10_000
_LARGEST_FACTOR = 10_000
# Draws until the result is within the limits; a few are usual.
_MAX_DRAWS = 1_000


class FractionsUnits(TaskSource):
    """Work out fractions, convert quantities, or both.

    Args:
        kinds: ``"all"``, or some of ``"fractions"`` (1/3 + 1/4), ``"convert"`` (3.5 feet in
            inches) and ``"mixed"`` (a sum, difference or share of quantities in two units).
        operands: Fewest and most fractions of the first kind, within 2 and 3.

    Raises:
        ValueError: For an unknown kind or another number of operands.

    Example:
        >>> FractionsUnits(kinds="fractions", operands=(2, 2)).item(seed=0, index=0).target
        {'answer': '7/6', 'unit': ''}
    """

    family = "fractions_units"
    summary = "Work out fractions in lowest terms and convert units, exactly."
    checker = fractions_units

    def __init__(
        self, kinds: str | Sequence[str] = "all", operands: tuple[int, int] = (2, 3)
    ) -> None:
        names = KINDS if kinds == "all" else (kinds,) if isinstance(kinds, str) else kinds
        self.kinds = tuple(dict.fromkeys(names))
        if not self.kinds or not set(self.kinds) <= set(KINDS):
            raise ValueError(f"kinds must be 'all' or some of {', '.join(KINDS)}, got {kinds!r}")
        self.operands = check_range(operands, "operands", 2, 3)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a kind, then tasks of it until one is within the limits."""
        kind = self.kinds[int(rng.integers(len(self.kinds)))]
        for _ in range(_MAX_DRAWS):
            if kind == "fractions":
                draft = _fractions(rng, int(rng.integers(self.operands[0], self.operands[1] + 1)))
            else:
                draft = _convert(rng) if kind == "convert" else _mixed(rng)
            if draft is not None:
                return draft
        raise ValueError(f"no task of kind {kind!r} within the limits in {_MAX_DRAWS} draws")

    def near_misses(self, task: Task) -> list[str]:
        """Other forms of the right value, other units, several answers, hedges, false steps."""
        unit, value = task.target["unit"], Fraction(task.target["answer"])
        right = task.witness.rpartition("Answer: ")[2]
        other = f"{value + 1} {unit}".strip()
        misses = [
            task.prompt,
            right,
            f"Answer: {other}",
            f"Answer: {-value} {unit}".rstrip(),
            f"Answer: {right} or {other}",
            f"Answer: {right}, {other}",
            f"Answer: maybe {right}",
            f"Answer: not {right}",
            f"Answer: {right}\nAnswer: {right}",
            f"Answer: {right}\nSorry, {other}.",
            f"Answer: 0 + {right}",
            f"1/2 + 1/2 = 2\nAnswer: {right}",
            "Answer:",
        ]
        if unit:
            system = next(system for system in SYSTEMS if unit in dict(system))
            wrong = next(u for u, _ in system if u != unit)
            return [*misses, f"Answer: {value}", f"Answer: {value} {wrong}", f"Answer: {unit}"]
        doubled = f"{2 * value.numerator}/{2 * value.denominator}"
        return [*misses, f"Answer: {doubled}", f"Answer: {float(value)}", f"Answer: {right} meters"]


# ---------------------------------------------------------------- fractions


def _fractions(rng: np.random.Generator, count: int) -> Draft | None:
    """``1/3 + 1/4``, or with three operands ``(1/3 + 1/4) * (2/5)``."""
    operands = [_fraction(rng) for _ in range(count)]
    operators = ["+-*/"[int(rng.integers(4))] for _ in range(count - 1)]
    value, text, working = operands[0], str(operands[0]), []
    for number, (operator, right) in enumerate(zip(operators, operands[1:], strict=True)):
        left = f"({text})" if number or operator in "*/" else text
        shown = f"({right})" if operator in "*/" else str(right)
        text = f"{left} {operator} {shown}"
        line, value = _step(value, operator, right)
        working.append(line)
        if value == 0:
            return None
    if value.denominator == 1 or max(abs(value.numerator), value.denominator) > _LARGEST_RESULT:
        return None
    prompt = (
        f"Work out {text}. You may show steps as equations; each must be true. "
        'End with one line: "Answer:" and then one fraction in lowest terms, such as -3/2.'
    )
    witness = "\n".join([*working, f"Answer: {value}"])
    return Draft(text, prompt, {"answer": str(value), "unit": ""}, witness)


def _fraction(rng: np.random.Generator) -> Fraction:
    while True:
        bottom = int(rng.integers(2, _LARGEST_BOTTOM + 1))
        value = Fraction(int(rng.integers(1, 2 * bottom)), bottom)
        if value.denominator > 1:
            return value


def _step(left: Fraction, operator: str, right: Fraction) -> tuple[str, Fraction]:
    """A line of working and its result."""
    if operator in "+-":
        bottom = math.lcm(left.denominator, right.denominator)
        tops = [part.numerator * bottom // part.denominator for part in (left, right)]
        value = left + right if operator == "+" else left - right
        top = tops[0] + tops[1] if operator == "+" else tops[0] - tops[1]
        middle = f"{tops[0]}/{bottom} {operator} {tops[1]}/{bottom}"
        return _chain(f"{left} {operator} {right}", middle, f"{top}/{bottom}", str(value)), value
    line = f"({left}) {operator} ({right})"
    if operator == "/":
        right = 1 / right
        line += f" = ({left}) * ({right})"
    top, bottom = left.numerator * right.numerator, left.denominator * right.denominator
    return _chain(line, f"{top}/{bottom}", str(left * right)), left * right


def _chain(*parts: str) -> str:
    """``a = b = c`` without repeated parts."""
    return " = ".join(dict.fromkeys(parts))


# ---------------------------------------------------------------- units


def _units(rng: np.random.Generator) -> tuple[str, str, int] | None:
    """Two units of a system, the larger first, and how many of the smaller make one of it."""
    system = SYSTEMS[int(rng.integers(len(SYSTEMS)))]
    small, large = sorted(rng.choice(len(system), size=2, replace=False).tolist())
    factor = math.prod(count for _, count in system[small + 1 : large + 1])
    return (system[large][0], system[small][0], factor) if factor <= _LARGEST_FACTOR else None


def _convert(rng: np.random.Generator) -> Draft | None:
    """From one unit to another, in both directions."""
    units = _units(rng)
    if units is None:
        return None
    large, small, factor = units
    if rng.integers(2):  # to the smaller unit
        value = Fraction(int(rng.integers(2, 80)), int((1, 1, 2, 4, 5)[int(rng.integers(5))]))
        result, step = value * factor, f"{_plain(value)} * {factor}"
        given, asked = f"{_plain(value)} {large}", small
    else:
        result = Fraction(int(rng.integers(2, 60)), int((1, 1, 2, 4, 5)[int(rng.integers(5))]))
        value = result * factor
        if value.denominator != 1 or result == 1:
            return None
        step, given, asked = f"{value} / {factor}", f"{value} {small}", large
    return _quantity(f"Convert {given} to {asked}.", [f"{step} = {_plain(result)}"], result, asked)


def _mixed(rng: np.random.Generator) -> Draft | None:
    """A sum or difference in the smaller unit, or a share of the larger one."""
    units = _units(rng)
    if units is None:
        return None
    large, small, factor = units
    first = int(rng.integers(2, 13))
    whole = f"{first} * {factor} = {first * factor}"
    kind = int(rng.integers(3))
    if kind == 2:
        share = _fraction(rng)
        result = first * factor * share
        if share > 1 or result.denominator != 1:
            return None
        text = f"How many {small} are {share} of {first} {large}?"
        last = f"{first * factor} * ({share}) = {result}"
        return _quantity(text, [whole, last], result, small)
    second = int(rng.integers(2, max(3, min(factor, 100))))
    if kind:
        result = Fraction(first * factor + second)
        text = f"Add {second} {small} to {first} {large}. What is the sum in {small}?"
        return _quantity(text, [whole, f"{first * factor} + {second} = {result}"], result, small)
    result = Fraction(first * factor - second)
    text = f"Take {second} {small} away from {first} {large}. How many {small} remain?"
    return _quantity(text, [whole, f"{first * factor} - {second} = {result}"], result, small)


def _quantity(text: str, working: list[str], value: Fraction, unit: str) -> Draft | None:
    if not 1 < value <= _LARGEST_QUANTITY:
        return None
    prompt = (
        f"{text} You may show steps as equations; each must be true. "
        f'End with one line: "Answer:" and then one number and the unit "{unit}".'
    )
    witness = "\n".join([*working, f"Answer: {_plain(value)} {unit}"])
    return Draft(text, prompt, {"answer": str(value), "unit": unit}, witness)


def _plain(value: Fraction) -> str:
    """``7``, ``2.5``: quantities have denominators of 1, 2, 4 and 5 only."""
    return str(value) if value.denominator == 1 else str(float(value))

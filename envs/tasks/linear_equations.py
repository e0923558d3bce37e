"""Linear equations with one or two unknowns, at four levels.

The solution is drawn first, then the coefficients; the last constant follows from them. The letters
of the unknowns are a function of the equations, so no two splits differ in letters only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, stable_hash
from corgi_gym.rewards.linear_equations import linear_equations
from corgi_gym.rewards.text import listing

LEVELS = ("one_side", "both_sides", "parentheses", "two_unknowns")
_LETTERS = "abkmnpqrstuvwxyz"
# Largest absolute value of a solution, a coefficient, and the constant that follows from them.
LARGEST_SOLUTION, LARGEST_COEFFICIENT, LARGEST_CONSTANT = 12, 9, 200
_LARGEST_DENOMINATOR = 6
# Draws until the constant is whole and within the limit; integer solutions need 1 to 3.
_MAX_DRAWS = 2_000


class LinearEquations(TaskSource):
    """Solve one equation for one unknown, or two equations for two.

    Args:
        levels: One of or some of ``"one_side"`` (3x + 4 = 19), ``"both_sides"``,
            ``"parentheses"`` and ``"two_unknowns"``, or ``"all"``; drawn evenly.
        rational: Whether solutions may be fractions such as 7/2 (half of them are then).

    Raises:
        ValueError: For an unknown level or none.

    Example:
        >>> LinearEquations(levels="one_side").item(seed=0, index=0).target
        {'equations': ['6p + 3 = 27'], 'solution': {'p': '4'}}
    """

    family = "linear_equations"
    summary = "Solve linear equations with one or two unknowns."
    checker = linear_equations

    def __init__(self, levels: str | Sequence[str] = "all", rational: bool = True) -> None:
        names = LEVELS if levels == "all" else (levels,) if isinstance(levels, str) else levels
        self.levels = tuple(dict.fromkeys(names))
        if not self.levels or not set(self.levels) <= set(LEVELS):
            raise ValueError(f"levels must be 'all' or some of {', '.join(LEVELS)}, got {levels!r}")
        self.rational = bool(rational)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a level, a solution, and coefficients until the constants are whole and small."""
        level = self.levels[int(rng.integers(len(self.levels)))]
        make = {
            "one_side": _one_side,
            "both_sides": _both_sides,
            "parentheses": _parentheses,
            "two_unknowns": _two_unknowns,
        }[level]
        for _ in range(_MAX_DRAWS):
            unknowns = [self._solution(rng) for _ in range(2 if level == "two_unknowns" else 1)]
            drawn = make(rng, unknowns)
            if drawn is not None:
                return _draft(*drawn, unknowns)
        raise ValueError(f"no equation of level {level!r} within the limits")

    def near_misses(self, task: Task) -> list[str]:
        """The equation again, several answers, other letters, a bare number, false steps."""
        solution, equation = task.target["solution"], task.target["equations"][0]
        right = task.witness.rpartition("Answer: ")[2]
        name, value = next(iter(solution.items()))
        other = next(letter for letter in "xyz" if letter not in solution)
        wrong = right.replace(f"{name} = {value}", f"{name} = {Fraction(value) + 1}")
        misses = [
            task.prompt,
            right,
            f"Answer: {equation}",
            f"Answer: {value}",
            f"Answer: {wrong}",
            f"Answer: {right} or {wrong}",
            f"Answer: {right}, {name} = {Fraction(value) + 1}",
            f"Answer: {right}, {other} = 0",
            f"Answer: maybe {right}",
            f"Answer: {right} meters",
            f"Answer: {right} = {value}",
            f"Answer: {right.replace(name, other)}",
            f"Answer: {right.replace('= ', '= 1 * ')}",
            f"Answer: {right.replace('= ', '= 0 + ')}",
            f"Answer: {right.replace('= ', '= not ')}",
            f"Answer: {right}\nAnswer: {right}",
            f"Answer: {right}\nNo, {wrong}.",
            f"1 + 1 = 3\nAnswer: {right}",
            "Answer:",
        ]
        if len(solution) > 1:
            misses += [f"Answer: {name} = {value}", f"Answer: {', '.join(solution.values())}"]
        return misses

    def _solution(self, rng: np.random.Generator) -> Fraction:
        """Never 0, which makes terms vanish."""
        while True:
            value = Fraction(int(rng.integers(-LARGEST_SOLUTION, LARGEST_SOLUTION + 1)))
            if self.rational and rng.random() < 0.5:
                value /= int(rng.integers(2, _LARGEST_DENOMINATOR + 1))
            if value:
                return value


# A drawn task: equations in x and y, and the lines of working that lead to the solution.
Drawn = tuple[list[str], list[str]] | None


def _coefficient(rng: np.random.Generator, least: int = 1) -> int:
    value = int(rng.integers(least, LARGEST_COEFFICIENT + 1))
    return -value if rng.integers(3) == 0 else value


def _one_side(rng: np.random.Generator, unknowns: list[Fraction]) -> Drawn:
    """``ax + b = c``."""
    a, b = _coefficient(rng, 2), _coefficient(rng)
    c = a * unknowns[0] + b
    if not _small(c):
        return None
    return [f"{_sum((a, 'x'), (b, ''))} = {c}"], [_divide(a, [c, Fraction(-b)], unknowns[0])]


def _both_sides(rng: np.random.Generator, unknowns: list[Fraction]) -> Drawn:
    """``ax + b = cx + d``."""
    a, b, c = _coefficient(rng), _coefficient(rng), _coefficient(rng)
    d = (a - c) * unknowns[0] + b
    if a == c or not _small(d) or d == 0:
        return None
    equation = f"{_sum((a, 'x'), (b, ''))} = {_sum((c, 'x'), (int(d), ''))}"
    return [equation], [_divide(a - c, [d, Fraction(-b)], unknowns[0])]


def _parentheses(rng: np.random.Generator, unknowns: list[Fraction]) -> Drawn:
    """``a(bx + c) + dx = e``."""
    a, c, d = _coefficient(rng, 2), _coefficient(rng), _coefficient(rng)
    b = int(rng.integers(1, 4))
    slope = a * b + d
    e = slope * unknowns[0] + a * c
    if slope == 0 or not _small(e):
        return None
    inner = _sum((b, "x"), (c, ""))
    equation = f"{_sum((a, f'({inner})'), (d, 'x'))} = {e}"
    return [equation], [
        f"{_sum((a * b, 'x'), (d, 'x'), (a * c, ''))} = {e}",
        _divide(slope, [e, Fraction(-a * c)], unknowns[0]),
    ]


def _two_unknowns(rng: np.random.Generator, unknowns: list[Fraction]) -> Drawn:
    """``ax + by = e`` and ``cx + dy = f``; the working is Cramer's rule."""
    a, b, c, d = (_coefficient(rng) for _ in range(4))
    x, y = unknowns
    e, f = a * x + b * y, c * x + d * y
    if a * d == b * c or not _small(e) or not _small(f):
        return None
    equations = [f"{_sum((a, 'x'), (b, 'y'))} = {e}", f"{_sum((c, 'x'), (d, 'y'))} = {f}"]
    below = f"{a} * {d} - {b} * {c}"
    tops = (f"{e} * {d} - {f} * {b}", f"{a} * {f} - {c} * {e}")
    values = (e * d - f * b, a * f - c * e)
    working = [
        f"{name} = ({top}) / ({below}) = {value} / {a * d - b * c} = {unknown}"
        for name, top, value, unknown in zip("xy", tops, values, unknowns, strict=True)
    ]
    return equations, working


def _small(value: Fraction) -> bool:
    return value.denominator == 1 and abs(value) <= LARGEST_CONSTANT


def _sum(*terms: tuple[int, str]) -> str:
    """``3x - 4``, ``-x + 2(x - 1)``."""
    text = ""
    for factor, name in terms:
        size = "" if abs(factor) == 1 and name else str(abs(factor))
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += f"{sign}{size}{name}"
    return text


def _divide(slope: int, parts: list[Fraction], x: Fraction) -> str:
    """The last line of working: ``x = (19 - 4) / 3 = 15 / 3 = 5``."""
    whole = sum(parts)
    return f"x = ({_sum(*((int(part), '') for part in parts))}) / {slope} = {whole} / {slope} = {x}"


def _draft(equations: list[str], working: list[str], unknowns: list[Fraction]) -> Draft:
    key = "; ".join(equations)
    rng = np.random.default_rng(stable_hash("letters", key))
    picks = sorted(rng.choice(len(_LETTERS), size=2, replace=False).tolist())
    letters = {"x": _LETTERS[picks[0]], "y": _LETTERS[picks[1]]}

    def rename(text: str) -> str:
        return re.sub("[xy]", lambda match: letters[match[0]], text)

    names = [letters[name] for name in "xy"[: len(unknowns)]]
    equations = [rename(equation) for equation in equations]
    solution = {name: str(value) for name, value in zip(names, unknowns, strict=True)}
    answer = ", ".join(f"{name} = {value}" for name, value in solution.items())
    asked = " and ".join(f'"{name} =" with one number' for name in names)
    verb = "Solve the equation" if len(names) == 1 else "Solve the equations"
    prompt = (
        f"{verb} {' and '.join(equations)} for {listing(names)}. You may show steps; each must be "
        f'true. End with one line: "Answer:" and then {asked}, an integer or a fraction in lowest '
        "terms."
    )
    target = {"equations": equations, "solution": solution}
    witness = "\n".join([*(rename(line) for line in working), f"Answer: {answer}"])
    return Draft(key, prompt, target, witness)

"""Seeded functions of integers and of lists, for the family ``program``.

A function is a chain of up to three steps, each a piece of Python text and the same thing as a
Python callable (nothing is evaluated from text). Constants are drawn per step, so there are tens of
thousands of different functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, Literal

from corgi_gym.envs.draws import Draws, Rng, several

Kind = Literal["int", "list"]

# Inputs are drawn from these ranges, which the prompt states.
LARGEST_INPUT = 30
LARGEST_ITEM = 20
MAX_ITEMS = 7
MIN_ITEMS = 2
# Constants of a step.
_LARGEST_CONSTANT = 12
# Inputs by which functions are told apart: more than any task shows and tests.
_PROBES, _PROBE_SEED = 40, 20241101

Value = Any


@dataclass(frozen=True, slots=True)
class Step:
    """One operation.

    Attributes:
        takes: Type of its input.
        gives: Type of its output; nothing follows a ``bool``.
        text: Python text with ``{x}`` for the input and ``{c}`` for a constant.
        apply: The same as a function of input and constant.
        smallest: Smallest constant (the largest is `_LARGEST_CONSTANT`).
        repeats: Whether the text uses its input more than once (only as a first step then).
    """

    takes: Kind
    gives: Kind | Literal["bool"]
    text: str
    apply: Callable[[Value, int], Value]
    smallest: int = 1
    repeats: bool = False


_STEPS: tuple[Step, ...] = (
    Step("int", "int", "{x} + {c}", lambda x, c: x + c),
    Step("int", "int", "{x} - {c}", lambda x, c: x - c),
    Step("int", "int", "{c} - {x}", lambda x, c: c - x),
    Step("int", "int", "{x} * {c}", lambda x, c: x * c, 2),
    Step("int", "int", "{x} % {c}", lambda x, c: x % c, 2),
    Step("int", "int", "{x} // {c}", lambda x, c: x // c, 2),
    Step("int", "int", "{x} ** 2", lambda x, c: x**2),
    Step("int", "int", "abs({x})", lambda x, c: abs(x)),
    Step("int", "int", "abs({x} - {c})", lambda x, c: abs(x - c)),
    Step("int", "int", "max({x}, {c})", lambda x, c: max(x, c)),
    Step("int", "int", "min({x}, {c})", lambda x, c: min(x, c)),
    Step("int", "int", "{x} * ({x} + {c})", lambda x, c: x * (x + c), 1, True),
    Step("int", "int", "{x} ^ {c}", lambda x, c: x ^ c),
    Step("int", "int", "sum(map(int, str(abs({x}))))", lambda x, c: sum(map(int, str(abs(x))))),
    Step("int", "bool", "{x} > {c}", lambda x, c: x > c),
    Step("int", "bool", "{x} % {c} == 0", lambda x, c: x % c == 0, 2),
    Step("int", "bool", "{x} % {c} == 1", lambda x, c: x % c == 1, 2),
    Step("list", "list", "{x}[::-1]", lambda x, c: x[::-1]),
    Step("list", "list", "sorted({x})", lambda x, c: sorted(x)),
    Step("list", "list", "sorted(set({x}))", lambda x, c: sorted(set(x))),
    Step("list", "list", "sorted({x}, key=abs)", lambda x, c: sorted(x, key=abs)),
    Step("list", "list", "{x}[1:]", lambda x, c: x[1:]),
    Step("list", "list", "{x}[:-1]", lambda x, c: x[:-1]),
    Step("list", "list", "{x}[::2]", lambda x, c: x[::2]),
    Step("list", "list", "[v + {c} for v in {x}]", lambda x, c: [v + c for v in x]),
    Step("list", "list", "[v * {c} for v in {x}]", lambda x, c: [v * c for v in x], 2),
    Step("list", "list", "[v % {c} for v in {x}]", lambda x, c: [v % c for v in x], 2),
    Step("list", "list", "[abs(v) for v in {x}]", lambda x, c: [abs(v) for v in x]),
    Step("list", "list", "[v * v for v in {x}]", lambda x, c: [v * v for v in x]),
    Step("list", "list", "[min(v, {c}) for v in {x}]", lambda x, c: [min(v, c) for v in x]),
    Step("list", "list", "[max(v, {c}) for v in {x}]", lambda x, c: [max(v, c) for v in x]),
    Step("list", "list", "[v for v in {x} if v > {c}]", lambda x, c: [v for v in x if v > c], 0),
    Step("list", "list", "[v for v in {x} if v < {c}]", lambda x, c: [v for v in x if v < c], 0),
    Step(
        "list", "list", "[v for v in {x} if v % {c} == 0]",
        lambda x, c: [v for v in x if v % c == 0], 2,
    ),
    Step("list", "list", "[i * v for i, v in enumerate({x})]", lambda x, c: [
        i * v for i, v in enumerate(x)
    ]),
    Step("list", "list", "[sum({x}[:i + 1]) for i in range(len({x}))]",
         lambda x, c: list(accumulate(x)), 1, True),
    Step("list", "list", "[b - a for a, b in zip({x}, {x}[1:])]",
         lambda x, c: [b - a for a, b in pairwise(x)], 1, True),
    Step("list", "list", "{x} + {x}[::-1]", lambda x, c: x + x[::-1], 1, True),
    Step("list", "int", "sum({x})", lambda x, c: sum(x)),
    Step("list", "int", "len({x})", lambda x, c: len(x)),
    Step("list", "int", "max({x}, default={c})", lambda x, c: max(x, default=c)),
    Step("list", "int", "min({x}, default={c})", lambda x, c: min(x, default=c)),
    Step("list", "int", "len(set({x}))", lambda x, c: len(set(x))),
    Step("list", "int", "max({x}) - min({x})", lambda x, c: max(x) - min(x), 1, True),
    Step("list", "int", "{x}[0] + {x}[-1]", lambda x, c: x[0] + x[-1], 1, True),
    Step("list", "int", "sum(v > {c} for v in {x})", lambda x, c: sum(v > c for v in x), 0),
    Step("list", "bool", "sum({x}) > {c}", lambda x, c: sum(x) > c),
    Step("list", "bool", "any(v > {c} for v in {x})", lambda x, c: any(v > c for v in x), 8),
    Step("list", "bool", "{x} == sorted({x})", lambda x, c: x == sorted(x), 1, True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Function:
    """A chain of steps with their constants.

    Example:
        >>> double_plus_one = Function(((_STEPS[3], 2), (_STEPS[0], 1)))
        >>> double_plus_one.text, double_plus_one(5)
        ('(x * 2) + 1', 11)
    """

    steps: tuple[tuple[Step, int], ...]

    @property
    def text(self) -> str:
        """The expression in ``x``."""
        text = "x"
        for step, constant in self.steps:
            inner = (
                text
                if text.isidentifier() or (text[-1] in ")]" and _is_call(text))
                else f"({text})"
            )
            text = step.text.replace("{x}", inner).replace("{c}", str(constant))
        return text

    @property
    def takes(self) -> Kind:
        """Type of the input."""
        return self.steps[0][0].takes

    def __call__(self, value: Value) -> Value:
        """The output for an input of the right type."""
        for step, constant in self.steps:
            value = step.apply(value, constant)
        return value


def _is_call(text: str) -> bool:
    """Whether the text is one call, list or subscript, so that it needs no parentheses."""
    depth = 0
    for at, character in enumerate(text):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif depth == 0 and not (character.isalnum() or character == "_"):
            return False
        if depth == 0 and character in ")]" and at + 1 < len(text) and text[at + 1] not in "[":
            return False
    return True


@lru_cache(maxsize=8)
def _choices(takes: str, first: bool, last: bool) -> list[Step]:
    """The steps that can stand at a place of a chain."""
    return [
        step
        for step in _STEPS
        if step.takes == takes and (last or step.gives != "bool") and (first or not step.repeats)
    ]


def draw_function(rng: Rng, takes: Kind, most_steps: int) -> Function:
    """A random chain of 1 to ``most_steps`` steps."""
    wanted = int(rng.integers(1, most_steps + 1))
    steps: list[tuple[Step, int]] = []
    kind: str = takes
    while len(steps) < wanted and kind != "bool":
        choices = _choices(kind, first=not steps, last=len(steps) + 1 == wanted)
        step = choices[int(rng.integers(len(choices)))]
        steps.append((step, int(rng.integers(step.smallest, _LARGEST_CONSTANT + 1))))
        kind = step.gives
    return Function(tuple(steps))


def draw_input(rng: Rng, takes: Kind) -> Value:
    """A random input."""
    if takes == "int":
        return int(rng.integers(-LARGEST_INPUT, LARGEST_INPUT + 1))
    count = int(rng.integers(MIN_ITEMS, MAX_ITEMS + 1))
    return [item - LARGEST_ITEM for item in several(rng, [2 * LARGEST_ITEM + 1] * count)]


def _constants(step: Step) -> range:
    return range(step.smallest, _LARGEST_CONSTANT + 1) if "{c}" in step.text else range(1, 2)


@lru_cache(maxsize=6)
def one_step_functions(takes: Kind, gives: str) -> tuple[Function, ...]:
    """All functions of one step from one type to another (an output's type by its name)."""
    return tuple(
        Function(((step, constant),))
        for step in _STEPS
        if (step.takes, step.gives) == (takes, gives)
        for constant in _constants(step)
    )


@lru_cache(maxsize=2)
def probe_inputs(takes: Kind) -> tuple[Value, ...]:
    """Fixed inputs: two functions that agree on them count as the same."""
    rng = Draws(_PROBE_SEED)
    return tuple(draw_input(rng, takes) for _ in range(_PROBES))

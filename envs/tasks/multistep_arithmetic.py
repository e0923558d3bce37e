"""Nested arithmetic in the difficulty cells of TriPosT.

Source: TriPosT (arXiv 2310.13522), which draws BIG-bench's multistep arithmetic with its own cells
"length x depth": length 3 or 4 with depth [2] or [2, 2] in training (*seen*), and the other eight
cells up to length 6 and depth [2, 2, 2] in the test only (*unseen*).

Our reading: a *group* is a chain of ``length`` integers from -9 to 9 joined by ``+ - *``. Depth
``[2]`` joins 2 groups, each in parentheses; ``[2, 2]`` joins 2 such results, and so on. So ``l3d2``
is ``(4 * -2 + 7) - (3 - 5 * 6)`` and ``l6d222`` has 8 groups and 48 numbers.

Changed: no result of a group or join exceeds a million (otherwise the deep cells test the copying
of twenty digits), 0 is no answer (products with 0 would make it the most frequent one), and there
are cells without any group, ``l2d0`` to ``l6d0``, for small models: ``3 - 4 * 2``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range
from corgi_gym.rewards.multistep_arithmetic import multistep_arithmetic

SEEN = ("l3d2", "l3d22", "l4d2", "l4d22")
UNSEEN = ("l3d222", "l4d222", "l5d2", "l5d22", "l5d222", "l6d2", "l6d22", "l6d222")
TINY = ("l2d0", "l3d0")
_NAMED_CELLS = {"seen": SEEN, "unseen": UNSEEN, "all": SEEN + UNSEEN, "tiny": TINY}
_CELL = re.compile(r"l(?P<length>[2-6])d(?P<depth>0|2{1,3})")

# Largest absolute result of a group, a join or the whole.
LARGEST_RESULT = 10**6
# Literals beyond two digits would make TriPosT's cells another task.
_LARGEST_LITERAL = 99
# Most cells need 1 to 5 draws for a valid expression; options that need so many allow almost none.
_MAX_DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Chain:
    """``operands[0] operators[0] operands[1] …``; an operand is an integer or a group."""

    operands: tuple[int | Chain, ...]
    operators: tuple[str, ...]

    def __str__(self) -> str:
        shown = [f"({x})" if isinstance(x, Chain) else str(x) for x in self.operands]
        return _text(shown, self.operators)

    def solve(self, steps: list[str]) -> int:
        """Return the value; appends one line of steps per chain, innermost chains first.

        Raises:
            OverflowError: If a result exceeds `LARGEST_RESULT`.
        """
        values = [x.solve(steps) if isinstance(x, Chain) else x for x in self.operands]
        operators = list(self.operators)
        line = [_text(values, operators)]
        while operators:
            at = operators.index("*") if "*" in operators else 0
            left, right = values[at : at + 2]
            operator = operators.pop(at)
            result = {"+": left + right, "-": left - right, "*": left * right}[operator]
            values[at : at + 2] = [result]
            line.append(_text(values, operators))
        if abs(values[0]) > LARGEST_RESULT:
            raise OverflowError(f"{self} is over {LARGEST_RESULT}")
        steps.append(" = ".join(line))
        return values[0]


class MultistepArithmetic(TaskSource):
    """Work out a nested expression; the answer stands in one place and every step must be true.

    Args:
        cells: ``"seen"``, ``"unseen"``, ``"all"``, ``"tiny"`` (two or three numbers without
            parentheses, for small models), a cell such as ``"l3d2"``, or a list of cells. A task's
            cell is drawn evenly from these.
        numbers: Smallest and largest integer in the expressions.
        operators: Some of ``"+-*"``.

    Raises:
        ValueError: For an unknown cell or operator, or numbers outside -99..99.

    Example:
        >>> source = MultistepArithmetic(cells="tiny", numbers=(0, 9))
        >>> source.item(seed=0, index=0).target
        '7 * 5 * 8'
    """

    family = "multistep_arithmetic"
    summary = "Work out a nested arithmetic expression, without a false step."
    checker = multistep_arithmetic

    def __init__(
        self,
        cells: str | Sequence[str] = "seen",
        numbers: tuple[int, int] = (-9, 9),
        operators: str | Sequence[str] = "+-*",
    ) -> None:
        self.cells = _cells(cells)
        self.numbers = check_range(numbers, "numbers", -_LARGEST_LITERAL, _LARGEST_LITERAL)
        if self.numbers[0] == self.numbers[1]:
            raise ValueError(f"numbers must be two different integers, got {numbers!r}")
        self.operators = tuple(dict.fromkeys(operators))
        if not self.operators or not set(self.operators) <= set("+-*"):
            raise ValueError(f"operators must be some of '+-*', got {operators!r}")

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a cell, then expressions until one is within the limits."""
        length, depth = self.cells[int(rng.integers(len(self.cells)))]
        for _ in range(_MAX_DRAWS):
            chain = self._chain(rng, length, depth)
            steps: list[str] = []
            try:
                value = chain.solve(steps)
            except OverflowError:
                continue
            if value != 0:
                text = str(chain)
                witness = "\n".join([*steps, f"Answer: {value}"])
                return Draft(text, _prompt(text), text, witness)
        raise ValueError(
            f"no expression in {_MAX_DRAWS} draws has a result other than 0 and of at most "
            f"{LARGEST_RESULT} either way; widen numbers={self.numbers} or "
            f"operators={self.operators}"
        )

    def near_misses(self, task: Task) -> list[str]:
        """Echoes, several answers, hedges, units, slips, and false steps before a right answer."""
        answer = int(task.witness.rpartition(" ")[2])
        return [
            task.prompt,
            str(answer),
            f"Answer: {task.target}",
            f"{task.target} = {answer}",
            f"Answer: {task.target} = {answer}",
            f"Answer: {answer - 1} + 1",
            f"Answer: {answer}/1",
            f"Answer: {answer + 1}",
            f"Answer: {-answer}",
            f"Answer: {answer}, {answer + 1}",
            f"Answer: {answer} or {answer + 1}",
            f"Answer: maybe {answer}",
            f"Answer: not {answer}",
            f"Answer: {answer} apples",
            f"Answer: {answer}\nAnswer: {answer}",
            f"Answer: {answer}\nAnswer: {answer + 1}",
            f"Answer: {answer} ... Answer: {answer + 1}",
            f"Answer: {answer}\nNo, it is {answer + 1}.",
            f"{task.target} = {answer + 1}\nAnswer: {answer}",
            f"1 + 1 = 3\n{task.witness}",
            task.witness.rpartition("\n")[0] or str(answer),
            "Answer:",
        ]

    def _chain(self, rng: np.random.Generator, length: int, depth: int) -> Chain:
        """A chain of ``length`` integers, or two parenthesised parts of one depth less."""
        if depth:
            parts = [self._chain(rng, length, depth - 1) for _ in range(2)]
        else:
            smallest, largest = self.numbers
            parts = rng.integers(smallest, largest + 1, size=length).tolist()
        picks = rng.integers(len(self.operators), size=len(parts) - 1)
        return Chain(tuple(parts), tuple(self.operators[i] for i in picks))


def _text(values: Sequence[object], operators: Sequence[str]) -> str:
    """``4 * -2 + 7``."""
    text = str(values[0])
    for operator, value in zip(operators, values[1:], strict=True):
        text += f" {operator} {value}"
    return text


def _prompt(expression: str) -> str:
    return (
        f"Work out {expression}. You may show steps as equations; each must be true. "
        'End with one line: "Answer:" and then one number.'
    )


def _cells(cells: str | Sequence[str]) -> list[tuple[int, int]]:
    """``(length, levels of joins)`` of each cell."""
    if isinstance(cells, str):
        cells = _NAMED_CELLS.get(cells, (cells,))
    found = [_CELL.fullmatch(str(cell)) for cell in dict.fromkeys(cells)]
    if not found or None in found:
        raise ValueError(
            f"unknown cells {cells!r}; choose from {', '.join(_NAMED_CELLS)} or name cells from "
            f"l2d0 to l6d0 and {', '.join(SEEN + UNSEEN)}"
        )
    return [(int(cell["length"]), len(cell["depth"].replace("0", ""))) for cell in found if cell]

"""A one-line Python function from examples (CORGI's held-out task ``program``).

CORGI took 18 numeric functions of BIG-bench. Here they are generated (`_functions`): chains of up
to three steps on an integer or on a list. Two functions that agree on 40 fixed inputs are one task,
so the splits share no function however it is written.
"""

from __future__ import annotations

from typing import Any

from corgi_gym.envs.draws import Draws, Rng
from corgi_gym.envs.task import Draft, Task, TaskSource, check_whole, stable_text
from corgi_gym.envs.tasks._functions import (
    LARGEST_INPUT,
    LARGEST_ITEM,
    MAX_ITEMS,
    MIN_ITEMS,
    Function,
    Kind,
    draw_function,
    draw_input,
    one_step_functions,
    probe_inputs,
)
from corgi_gym.rewards.program import LENGTH_LIMIT, program, same

KINDS: tuple[Kind, ...] = ("int", "list")
# Chains of three steps fit into the line; of four, too many do not.
_MOST_STEPS = 3
_MOST_EXAMPLES = 20
# Twice the examples and more: a table of the examples earns next to nothing.
_HIDDEN = 16
# Different outputs among the examples, and of each truth value.
_LEAST_OUTPUTS, _LEAST_OF_A_BOOL = 3, 2
# Outputs stay readable.
_MAX_OUTPUT_CHARS = 60
# A function fails this often only when the options allow almost none.
_MAX_DRAWS = 500
_TAKES = {
    "int": f"an integer from {-LARGEST_INPUT} to {LARGEST_INPUT}",
    "list": f"a list of {MIN_ITEMS} to {MAX_ITEMS} integers from {-LARGEST_ITEM} to {LARGEST_ITEM}",
}


class Program(TaskSource):
    """Write the function that gives the examples; it is tested on other inputs too.

    Args:
        takes: ``"int"``, ``"list"`` or ``"both"``: what the functions take.
        steps: Longest chain of operations, from 1 to 3.
        examples: Examples in the prompt, from 4 to 20.

    Raises:
        ValueError: For other values.

    Example:
        >>> task = Program(takes="int", steps=1).item(seed=0, index=0)
        >>> task.witness.startswith("def f(x): return ")
        True
    """

    family = "program"
    summary = "Write a one-line Python function from examples of its results."
    checker = program

    def __init__(self, takes: str = "both", steps: int = 2, examples: int = 6) -> None:
        if takes not in (*KINDS, "both"):
            raise ValueError(f"unknown takes {takes!r}; choose from int, list, both")
        self.kinds = [kind for kind in KINDS if takes in (kind, "both")]
        self.steps = check_whole(steps, "steps", 1)
        self.examples = check_whole(examples, "examples", 4)
        if self.steps > _MOST_STEPS:
            raise ValueError(f"steps must be at most {_MOST_STEPS}, got {steps!r}")
        if self.examples > _MOST_EXAMPLES:
            raise ValueError(f"examples must be at most {_MOST_EXAMPLES}, got {examples!r}")

    def _draw(self, entropy: int) -> Draft:
        """Inputs are hundreds of small numbers, so `Draws` is quicker than numpy here."""
        return self.generate(Draws(entropy))

    def generate(self, rng: Rng) -> Draft:
        """Draw functions and inputs until the examples tell something."""
        takes = self.kinds[int(rng.integers(len(self.kinds)))]
        for _ in range(_MAX_DRAWS):
            function = draw_function(rng, takes, self.steps)
            witness = f"def f(x): return {function.text}"
            if len(witness) >= LENGTH_LIMIT:
                continue
            cases = _cases(function, rng, self.examples + _HIDDEN)
            examples, hidden = cases[: self.examples], cases[self.examples :]
            if not (_is_telling(examples) and _is_telling(hidden)):
                continue
            if _misleads(takes, examples, hidden):
                continue
            outputs = [function(value) for value in probe_inputs(takes)]
            target = {"examples": examples, "hidden": hidden}
            return Draft(f"{takes} {stable_text(outputs)}", _prompt(takes, cases, self.examples),
                         target, witness)  # fmt: skip
        raise ValueError(f"no function in {_MAX_DRAWS} draws; use steps=2 or more examples")

    def near_misses(self, task: Task) -> list[str]:
        """Tables of the examples, constants, other types, several lines, text around, loops."""
        witness, examples = task.witness, task.target["examples"]
        first = examples[0][1]
        table = ", ".join(f"{str(x)!r}: {y}" for x, y in examples)
        expression = witness.removeprefix("def f(x): return ")
        return [
            f"def f(x): return {first}",
            task.prompt,
            expression,
            f"f = lambda x: {expression}",
            f"def g(x): return {expression}",
            f"The function is: {witness}",
            f"{witness}\n{witness}",
            witness.replace("def f(x): ", "def f(x):\n    "),
            f"{witness}  # {'x' * LENGTH_LIMIT}",
            witness.replace("return ", "return str(") + ")",
            witness.replace("return ", "return [") + "]",
            f"def f(x): return {{{table}}}[str(x)]",
            "def f(x): return x" if isinstance(first, bool) else "def f(x): return True",
            f"def f(x): {expression}",
            f"def f(x): return {expression} +",
            "def f(x): raise ValueError(x)",
        ]


def _cases(function: Function, rng: Rng, count: int) -> list[list[Any]]:
    """``[input, output]`` for different inputs."""
    cases: dict[str, list[Any]] = {}
    while len(cases) < count:
        value = draw_input(rng, function.takes)
        cases[str(value)] = [value, function(value)]
    return list(cases.values())


def _is_telling(cases: list[list[Any]]) -> bool:
    """Whether the outputs differ enough, from each other and from the inputs, and are short."""
    outputs = [output for _, output in cases]
    if any(len(str(output)) > _MAX_OUTPUT_CHARS for output in outputs):
        return False
    if all(same(given, output) for given, output in cases):
        return False
    if isinstance(outputs[0], bool):
        return _LEAST_OF_A_BOOL <= sum(outputs) <= len(outputs) - _LEAST_OF_A_BOOL
    return len({str(output) for output in outputs}) >= _LEAST_OUTPUTS


def _misleads(takes: Kind, examples: list[list[Any]], hidden: list[list[Any]]) -> bool:
    """Whether some function of one step fits all examples and not all hidden inputs."""
    value, output = examples[0]
    return any(
        _fits(other, examples) and not _fits(other, hidden)
        for other in one_step_functions(takes, type(output).__name__)
        if same(other(value), output)  # hardly any: the quickest way to tell
    )


def _fits(function: Function, cases: list[list[Any]]) -> bool:
    return all(same(function(value), output) for value, output in cases)


def _prompt(takes: Kind, cases: list[list[Any]], examples: int) -> str:
    shown = "\n".join(f"f({value}) == {output}" for value, output in cases[:examples])
    return (
        f"Write a Python function f(x) on one line of fewer than {LENGTH_LIMIT} characters. "
        f"x is {_TAKES[takes]}. These must hold:\n{shown}\n"
        "It is also tested on other inputs of this kind, so find the general rule; results must "
        "have the same types as here. Write only the line: def f(x): return ..."
    )

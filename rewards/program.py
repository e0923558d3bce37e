"""A one-line function from examples of what it gives (CORGI's ``program``).

Source: CORGI (arXiv 2411.01483), released code, on BIG-bench's program synthesis: the score is
``(20 + correct * (60 + short)) / 105`` with ``short = max(0, 25 - length / 4)``, and 1 when all
outputs are right and the line is shorter than 100 characters.

Changed, because a policy would find it:

- Expected outputs keep their types: ``True``, ``1`` and ``1.0`` are three values, a list is a list
  (there, ``bool("False")`` was expected to be true, and lists were lists of characters).
- Hidden inputs besides the examples: a table of the examples is not the function. ``correct`` is
  the smaller of the shares of examples and of hidden inputs.
- Only what goes beyond the best constant function counts: for outputs that are mostly true,
  ``return True`` earned most of the score.
- A function that runs earns 5 of 105 in place of 20, and correctness 75 in place of 60.

The line is run in a guarded process (`corgi_gym.rewards.isolate`) that is given the inputs only. A
process that cannot be had raises, so the verdict is then ``unscored``.

Target: ``{"examples": [[x, output], ...], "hidden": [[x, output], ...]}``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from corgi_gym.rewards.programs import Result, extract_code, run_program, show
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import plural
from corgi_gym.rewards.verdict import Problem, Verdict

# CORGI's: a line must be shorter.
LENGTH_LIMIT = 100
# Points out of 105 (see above).
_RUNS, _CORRECT, _TOTAL = 5, 75, 105
# Examples that fail and are named: more do not fit into a message.
_MAX_NAMED = 4
_EXAMPLE_TARGET = {
    "examples": [[1, 3], [2, 5], [3, 7], [5, 11]],
    "hidden": [[4, 9], [0, 1], [-3, -5], [10, 21]],
}


@checker(
    "program",
    slow=True,  # waits for a guarded process
    examples=[
        ("def f(x): return 2 * x + 1", _EXAMPLE_TARGET, True),
        ("```python\ndef f(x): return x + x + 1\n```", _EXAMPLE_TARGET, True),
        ("def f(x): return {1: 3, 2: 5, 3: 7, 5: 11}[x]", _EXAMPLE_TARGET, False),
        ("def f(x): return 2.0 * x + 1", _EXAMPLE_TARGET, False),
        ("def f(x): return 3", _EXAMPLE_TARGET, False),
        ("def f(x): return 2 * x +", _EXAMPLE_TARGET, False),
        ("The function is def f(x): return 2 * x + 1", _EXAMPLE_TARGET, False),
    ],
)
def program(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Run the line on the examples and on the hidden inputs; see the module docstring.

    Raises:
        IsolationError: If no process could be had.
    """
    line = _line(reply)
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    cases = [*target["examples"], *target["hidden"]]
    results = run_program(line, "f", [(given,) for given, _ in cases])
    if isinstance(results, Problem):
        return Verdict.wrong(0.0, results)
    right = [
        i < len(results) and results[i].kind == "value" and same(results[i].value, expected)
        for i, (_, expected) in enumerate(cases)
    ]
    known = len(target["examples"])
    problems = _example_problems(cases[:known], results, right)
    wrong = len(cases) - known - sum(right[known:])
    if not problems and wrong:
        others = plural(len(cases) - known, "other input")
        failed = f"wrong for {wrong} of {others}. Find the general rule."
        if results[-1].kind in ("timeout", "memory", "crashed"):  # and the rest was not run
            failed = f"{results[-1].sentence('it')} for one of {others}."
        text = f"Your function is right for all examples, but {failed}"
        problems.append(Problem("hidden", text))
    if len(line) >= LENGTH_LIMIT:
        text = f"Your line has {len(line)} characters. Write fewer than {LENGTH_LIMIT}."
        problems.append(Problem("length", text))
    if not problems:
        return Verdict.ok()
    correct = min(
        _beyond_constant(cases[:known], right[:known]),
        _beyond_constant(cases[known:], right[known:]),
    )
    short = max(0.0, 25 - len(line) / 4)
    return Verdict.wrong((_RUNS + correct * (_CORRECT + short)) / _TOTAL, *problems)


def _line(reply: str) -> str | Problem:
    """The one line of code, or what is wrong with the form of the reply."""
    code = extract_code(reply)
    if isinstance(code, Problem):
        return code
    lines = [line.strip().strip("`") for line in code.split("\n") if line.strip()]
    if len(lines) != 1:
        text = (
            f"Your code has {plural(len(lines), 'line')}. Write exactly one line: def f(x): return"
        )
        return Problem("one_line", f"{text} ...")
    if not lines[0].startswith("def f("):
        return Problem("form", 'Your line does not begin with "def f(". Write only the function.')
    return lines[0]


def _example_problems(cases: list[Any], results: list[Result], right: list[bool]) -> list[Problem]:
    """A message per example that fails, in order; after one that does not end, nothing was run."""
    problems = []
    for (given, expected), result, is_right in zip(cases, results, right, strict=False):
        if is_right:
            continue
        said = result.sentence(f"f({show(given)})")
        problems.append(Problem("output", f"{said}, but it should give {show(expected)}."))
    return problems[:_MAX_NAMED]


def same(value: Any, expected: Any) -> bool:
    """Equality that keeps types apart.

    Example:
        >>> same([1, 2], [1, 2]), same(True, 1), same(1.0, 1), same((1,), [1])
        (True, False, False, False)
        >>> same({"a": 1}, {"a": True})
        False
    """
    if type(value) is not type(expected) or value != expected:
        return False
    if isinstance(expected, dict):
        return all(same(value[key], found) for key, found in expected.items())
    return not isinstance(expected, (list, tuple)) or all(map(same, value, expected))


def _beyond_constant(cases: list[Any], right: list[bool]) -> float:
    """The share of right outputs beyond what the best constant function gets."""
    constant = Counter(repr(expected) for _, expected in cases).most_common(1)[0][1]
    return max(0.0, (sum(right) - constant) / max(1, len(cases) - constant))

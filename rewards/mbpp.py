"""A Python function from its description, judged by unit tests (CORGI's ``mbpp``).

Source: CORGI (arXiv 2411.01483), released code: half the score for code that compiles, half for the
share of tests passed before the first failure; feedback quotes that test, or names the infinite
loop or the syntax error.

Changed, because a policy would find it, or because it was wrong there:

- Compiling pays 0.05 (defining the function), not 0.5: any text that compiles was paid.
- Tests pay only beyond what the best constant function passes: ``return True`` often passes the
  first few.
- Every second test is never quoted, so a table of the quoted results does not become a solution.
- Code is not cut: imports before the function count. One fenced block, or the whole reply.
- Conditions are evaluated by us on the values that the calls gave (`assertions`), not by the
  program's own process, which is given the arguments only (`programs`).

A test passes when its condition holds in the sense of Python's ``==``, as in the data: ``1`` equals
``True`` and ``1.0``. A program that is killed is wrong, with a problem that says so; a process that
cannot be had raises, so the verdict is then ``unscored``.

Target: ``{"name": function, "tests": ["assert f(1) == 2", ...], "prelude": code}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from corgi_gym.rewards.assertions import Case, read_case
from corgi_gym.rewards.programs import Result, extract_code, run_program, show
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem, Verdict

# What the function alone earns, and what all tests but one could earn at most.
_DEFINED, _TESTS = 0.05, 0.85
_MAX_TEST_CHARS = 160
# What functions return that do not look at their arguments.
_CONSTANTS: tuple[Any, ...] = (True, False, None, 0, 1, -1, "", [], (), "Yes", "No", 2, 0.0, {})
_EXAMPLE_TARGET = {
    "name": "triple",
    "tests": ["assert triple(2) == 6", "assert triple(0) == 0", "assert triple(-1) == -3"],
    "prelude": "",
}


@checker(
    "mbpp",
    slow=True,  # waits for a guarded process
    examples=[
        ("def triple(n):\n    return 3 * n", _EXAMPLE_TARGET, True),
        ("Here it is:\n```python\ndef triple(n):\n    return n * 3\n```", _EXAMPLE_TARGET, True),
        ("import math\n\ndef triple(n):\n    return math.prod((3, n))", _EXAMPLE_TARGET, True),
        ("def triple(n):\n    return 6", _EXAMPLE_TARGET, False),
        ("def triple(n):\n    return {2: 6, 0: 0}[n]", _EXAMPLE_TARGET, False),
        ("def double(n):\n    return 3 * n", _EXAMPLE_TARGET, False),
        ("def triple(n) return 3 * n", _EXAMPLE_TARGET, False),
    ],
)
def mbpp(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Run the code of the reply on the tests; see the module docstring.

    Raises:
        IsolationError: If no process could be had.
        Unsupported: For a test that `assertions` cannot read.
    """
    code = extract_code(reply)
    if isinstance(code, Problem):
        return Verdict.wrong(0.0, code)
    cases = read_cases(tuple(target["tests"]), target["name"])
    calls = [call for case in cases for call in case.calls]
    results = run_program(code, target["name"], calls, prelude=target["prelude"])
    if isinstance(results, Problem):
        return Verdict.wrong(0.0, results)
    passed, at = 0, 0
    for case in cases:
        own = results[at : at + len(case.calls)]
        at += len(case.calls)
        problem = _judge(case, own, target["name"], hidden=passed % 2 == 1)
        if problem is not None:
            constant = _passed_by_a_constant(tuple(target["tests"]), target["name"])
            share = max(0, passed - constant) / max(1, len(cases) - constant)
            return Verdict.wrong(_DEFINED + _TESTS * share, problem, passed=float(passed))
        passed += 1
    return Verdict.ok(passed=float(passed))


@lru_cache(maxsize=1_024)
def read_cases(tests: tuple[str, ...], name: str) -> tuple[Case, ...]:
    """The tests of a function.

    Raises:
        Unsupported: For one that cannot be read.
    """
    return tuple(read_case(test, name) for test in tests)


def _judge(case: Case, results: list[Result], name: str, *, hidden: bool) -> Problem | None:
    """What is wrong with one test, or None."""
    failed = next((i for i, result in enumerate(results) if result.kind != "value"), None)
    if failed is None and len(results) == len(case.calls):
        if case.holds([result.value for result in results]):
            return None
        failed = 0
    if hidden:
        text = (
            f"Your {name} fails a test that is not shown. Read the task again: which inputs are "
            "left?"
        )
        if failed is not None and results and results[failed].kind != "value":
            # not what it says: the code that is judged writes its exceptions and names its types
            said = Result(results[failed].kind).sentence(f"{name}(...)")
            text = f"In a test that is not shown, {said}."
        return Problem("hidden_test", text)
    if failed is None or not results:  # never: results end with the one that failed
        return Problem("test", f"{name} was not run on every test.")
    arguments = ", ".join(show(argument) for argument in case.calls[failed])
    said = results[failed].sentence(f"{name}({arguments})")
    test = quote(case.text, _MAX_TEST_CHARS)[1:-1]
    kind = {"timeout": "infinite_loop", "raised": "exception"}.get(results[failed].kind, "test")
    return Problem(kind, f"This test fails: assert {test}. {said}.")


@lru_cache(maxsize=1_024)
def _passed_by_a_constant(tests: tuple[str, ...], name: str) -> int:
    """How many tests, from the first on, one constant passes."""
    best = 0
    for constant in _CONSTANTS:
        passed = 0
        for case in read_cases(tests, name):
            if not case.holds([constant] * len(case.calls)):
                break
            passed += 1
        best = max(best, passed)
    return best

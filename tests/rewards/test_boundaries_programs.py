"""program, mbpp and the tests that mbpp reads, at their limits, with scripted results."""

import pytest

from corgi_gym.rewards.assertions import Unsupported, read_case
from corgi_gym.rewards.mbpp import mbpp
from corgi_gym.rewards.program import program, same
from corgi_gym.rewards.programs import Result
from corgi_gym.rewards.verdict import Problem, Verdict


@pytest.fixture
def results(monkeypatch):
    """Give the results of the next run."""

    def give(*values):
        given = [v if isinstance(v, Result) else Result("value", v) for v in values]
        for module in ("program", "mbpp"):
            monkeypatch.setattr(
                f"corgi_gym.rewards.{module}.run_program", lambda *_, **__: list(given)
            )

    return give


# ---------------------------------------------------------------- program

TARGET = {"examples": [[i, i] for i in range(5)], "hidden": [[i, i] for i in range(5, 9)]}
LINE = "def f(x): return x"


def kinds(verdict):
    return [problem.kind for problem in verdict.problems]


def points(correct, line=LINE):
    return (5 + correct * (75 + max(0.0, 25 - len(line) / 4))) / 105


@pytest.mark.parametrize(
    ("values", "correct", "named"),
    [
        (range(9), None, 0),
        ([0, 1, 2, 3, 9, 5, 6, 7, 8], 0.75, 1),  # of examples beyond the best constant's one
        ([0, 1, 2, 3, 4, 5, 6, 7, 0], 2 / 3, 1),  # of hidden inputs
        ([0, 0, 0, 0, 0, 5, 6, 7, 8], 0.0, 4),
        ([9] * 9, 0.0, 4),  # five fail, four are named
        ([0, 1, Result("timeout")], 0.0, 1),  # nothing was run after it
    ],
)
def test_points_for_a_program(results, values, correct, named):
    results(*values)
    verdict = program(LINE, TARGET)
    assert len(verdict.problems) == named
    assert verdict.score == pytest.approx(1.0 if correct is None else points(correct))


def test_how_many_hidden_inputs_are_wrong(results):
    results(*range(8), 0)
    (problem,) = program(LINE, TARGET).problems
    assert problem.kind == "hidden" and "wrong for 1 of 4 other inputs." in problem.message


@pytest.mark.parametrize(("length", "ok"), [(99, True), (100, False), (140, False)])
def test_a_line_is_shorter_than_100_characters(results, length, ok):
    line = f"{LINE}  # ".ljust(length, "x")
    results(*range(9))
    verdict = program(line, TARGET)
    assert kinds(verdict) == ([] if ok else ["length"])
    assert verdict.score == pytest.approx(1.0 if ok else points(1.0, line))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (f"`{LINE}`", []),
        (f"\n\n  {LINE}  \n", []),
        (f"x\n{LINE}", ["one_line"]),
        ("", ["one_line"]),
        ("lambda x: x", ["form"]),
        (f"```\n{LINE}\n```\n```\n{LINE}\n```", ["one_block"]),
    ],
)
def test_one_line(results, reply, expected):
    results(*range(9))
    verdict = program(reply, TARGET)
    assert kinds(verdict) == expected
    assert verdict.score == (0.0 if expected else 1.0)


def test_a_program_that_does_not_run_earns_nothing(monkeypatch):
    found = Problem("syntax", "It does not parse.")
    monkeypatch.setattr("corgi_gym.rewards.program.run_program", lambda *_: found)
    assert program(LINE, TARGET) == Verdict.wrong(0.0, found)


def test_where_all_outputs_are_equal_nothing_is_beyond_a_constant(results):
    results(7, 7, 0)
    same_outputs = {"examples": [[1, 7], [2, 7]], "hidden": [[3, 7]]}
    assert program(LINE, same_outputs).score == pytest.approx(points(0.0))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ((1, 2), (1, 2), True),
        ((1, 2), [1, 2], False),
        ([1, 2], [1], False),
        ("1", 1, False),
        (None, None, True),
    ],
)
def test_equal_values_have_equal_types(one, other, equal):
    assert same(one, other) is equal


# ---------------------------------------------------------------- mbpp

TESTS = [f"assert f({n}) == {n + 1}" for n in range(4)]
SUCCESSOR = {"name": "f", "tests": TESTS, "prelude": ""}


@pytest.mark.parametrize(
    ("values", "passed", "kind"),
    [
        ((1, 2, 3, 4), 4, None),
        ((0, 2, 3, 4), 0, "test"),
        ((1, 0, 3, 4), 1, "hidden_test"),
        ((1, 2, 0, 4), 2, "test"),
        ((1, 2, 3, 0), 3, "hidden_test"),
        ((Result("timeout"),), 0, "infinite_loop"),
        ((Result("raised", None, "E"), 2, 3, 4), 0, "exception"),
        ((Result("crashed"),), 0, "test"),
        ((1, Result("timeout")), 1, "hidden_test"),
    ],
)
def test_tests_count_up_to_the_first_that_fails(results, values, passed, kind):
    results(*values)
    verdict = mbpp("code", SUCCESSOR)
    assert kinds(verdict) == ([kind] if kind else [])
    assert verdict.metrics == {"passed": float(passed)}
    # the constants pass one test of the four
    share = max(0, passed - 1) / 3
    assert verdict.score == pytest.approx(0.05 + 0.85 * share if kind else 1.0)


@pytest.mark.parametrize(
    ("condition", "value", "constant"),
    [
        ("f(0) is True", True, True),
        ("f(0) is False", False, True),
        ("f(0) is None", None, True),
        ("str(f(0)) == '0'", 0, True),
        ("str(f(0)) == '1'", 1, True),
        ("f(0) == -1", -1, True),
        ("f(0) == ''", "", True),
        ("f(0) == []", [], True),
        ("f(0) == ()", (), True),
        ("f(0) == 'Yes'", "Yes", True),
        ("f(0) == 'No'", "No", True),
        ("f(0) == 2", 2, True),
        ("str(f(0)) == '0.0'", 0.0, True),
        ("f(0) == {}", {}, True),
        ("f(0) == 3", 3, False),
        ("f(0) == -2", -2, False),
        ("f(0) == 'Maybe'", "Maybe", False),
    ],
)
def test_what_a_constant_passes_earns_nothing(results, condition, value, constant):
    tests = [f"assert {condition}", "assert f(1) == 'x' * 3"]
    results(value, "no")
    verdict = mbpp("code", {"name": "f", "tests": tests, "prelude": ""})
    assert verdict.score == pytest.approx(0.05 if constant else 0.05 + 0.85 / 2)


def test_a_constant_counts_up_to_the_first_test_that_it_fails(results):
    tests = ["assert f(0) == 2", "assert f(1) == 7", "assert f(2) == 2", "assert f(3) == 9"]
    results(2, 7, 2, "no")
    verdict = mbpp("code", {"name": "f", "tests": tests, "prelude": ""})
    assert verdict.score == pytest.approx(0.05 + 0.85 * 2 / 3)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no", "Your f fails a test that is not shown. Read the task again: which inputs are "
         "left?"),
        (Result("timeout"),
         "In a test that is not shown, f(...) does not end in time (an infinite loop?)."),
    ],
)  # fmt: skip
def test_a_hidden_test_is_told_without_its_input(results, value, message):
    results(1, value)
    assert [p.message for p in mbpp("code", SUCCESSOR).problems] == [message]


def test_code_that_cannot_be_run_earns_nothing(monkeypatch):
    found = Problem("syntax", "It does not parse.")
    monkeypatch.setattr("corgi_gym.rewards.mbpp.run_program", lambda *_, **__: found)
    assert mbpp("code", SUCCESSOR) == Verdict.wrong(0.0, found)
    two = mbpp("```\na\n```\n```\nb\n```", SUCCESSOR)
    assert (kinds(two), two.score) == (["one_block"], 0.0)


def test_each_test_is_judged_by_its_own_calls(results):
    two = {"name": "f", "tests": ["assert f(1) == f(2)", "assert f(3) < f(4)"], "prelude": ""}
    results(7, 7, 1, 2)
    assert mbpp("code", two).success
    results(7, 7, 2, 1)
    assert kinds(mbpp("code", two)) == ["hidden_test"]
    results(7, Result("raised", None, "E"), 1, 2)
    message = mbpp("code", two).problems[0].message
    assert message == 'This test fails: assert f(1) == f(2). f(2) raises "E".'


def test_a_long_test_is_quoted_in_short(results):
    results("no")
    long = {"name": "f", "tests": [f"assert f(1) == '{'x' * 200}'"], "prelude": ""}
    message = mbpp("code", long).problems[0].message
    assert message.startswith(f"This test fails: assert f(1) == '{'x' * 150}\u2026.")


# ---------------------------------------------------------------- assertions


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("2 ** 2048", 2**2048),
        ("3 ** 2", 9),
        ("[0] * 100000", [0] * 100_000),
        ("100000 * 'a'", "a" * 100_000),
        ("list(range(100000))", list(range(100_000))),
        ("list(range(3, -100000, -50000))", [3, -49_997, -99_997]),
        (f"{2**4096 - 1} + 0", 2**4096 - 1),
        ("7 // 2 + 7 % 4", 6),
        ("-(+3)", -3),
        ("not 0", True),
        ("1 and 0 or 2", 2),
        ("1 < 2 < 3", True),
        ("1 < 2 > 3", False),
        ("'abc'[1:]", "bc"),
        ("[1, 2, 3][::2]", [1, 3]),
        ("[1, 2, 3][:-1]", [1, 2]),
        ("{1: 2}[1]", 2),
        ("{1, 2}", {1, 2}),
        ("math.inf", float("inf")),
        ("round(math.sqrt(2), 2)", 1.41),
        ("sorted([1, 3, 2], reverse=True)", [3, 2, 1]),
        ("reversed([1, 2])", [2, 1]),
        ("1 in [1] and 2 not in [1]", True),
        ("None is None and 1 is not None", True),
    ],
)
def test_arguments(argument, value):
    (((found,),)) = read_case(f"assert f({argument}) == 1", "f").calls
    assert found == value or (argument.startswith("1 and") and bool(found) == bool(value))


@pytest.mark.parametrize(
    "argument",
    [
        "2 ** 2049", "[0] * 100001", "100001 * 'a'", "range(100001)", "range(0, -100001, -1)",
        f"{2**4096} + 0", f"0 + {2**4096}", "b'%d' % 1", "math.tau", "math.floor(1.5)",
        "1 @ 2", "1 << 2", "~1", "f.g(1)", "1 / 0", "[][0]", "{}[1]", "(1).real",
    ],
)  # fmt: skip
def test_arguments_that_are_refused(argument):
    with pytest.raises(Unsupported):
        read_case(f"assert f({argument}) == 1", "f")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("f(1)", "not an assert statement but Expr"),
        ("assert 1 == 1", "it never calls f"),
        ("assert f(k=1)", "a call with keywords or stars"),
        ("assert f(*[1])", "a call with keywords or stars"),
        ("assert f([f(1)])", "a call inside a call"),
        ("assert f(x)", "the name x"),
        ("assert f(1) == eval('1')", "the function eval"),
        ("assert f(1)()", "the function f(1)"),
        ("assert f(1) << 2", "the operator LShift"),
        ("assert ~f(1)", "the operator Invert"),
        ("assert f(1).a", "the attribute f(1).a"),
        ("assert f(lambda: 1)", "the expression Lambda"),
    ],
)
def test_why_a_test_is_refused(text, why):
    with pytest.raises(Unsupported) as error:
        read_case(text, "f")
    assert str(error.value) == why


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("assert f(2) - f(1) == 1", [3, 2], True),  # in the order of the text
        ("assert f(1) + \\\n f(2) * 2 == 7", [3, 2], True),
        ("assert f(1) or f(2)", [0, 1], True),
        ("assert f(1) and f(2)", [0, 1], False),
        ("assert f(1) == 1 != 2", [1], True),
        ("assert f(1) * 'a' == ''", [100_001], False),
        ("assert f(1) % 2", ["%d"], False),
    ],
)
def test_conditions_with_several_calls(text, values, holds):
    assert read_case(text, "f").holds(values) is holds

"""How runs of programs become results, with scripted processes: no program is run here."""

import pytest

from corgi_gym.rewards import programs
from corgi_gym.rewards._isolate_codec import encode
from corgi_gym.rewards.isolate import IsolationError, Outcome
from corgi_gym.rewards.programs import Result, extract_code, run_program, show
from corgi_gym.rewards.verdict import Problem


def ran(*values):
    return Outcome("ok", ("ran", [("value", encode(value)) for value in values]))


class Pool:
    """In place of the processes: outcomes in order; remembers the calls and the deadlines."""

    def __init__(self, *outcomes):
        self.outcomes, self.calls, self.deadlines = list(outcomes), [], []

    def call(self, prelude, source, name, calls, seconds, deadline=None):
        assert (prelude, source, name, seconds) == ("pass", "code", "f", 1.0)
        self.calls.append(list(calls))
        self.deadlines.append(deadline)
        return self.outcomes.pop(0)


@pytest.fixture
def run(monkeypatch):
    def with_outcomes(*outcomes):
        pool = Pool(*outcomes)
        monkeypatch.setattr(programs, "_POOL", pool)
        return run_program("code", "f", [(1,), (2,)], prelude="pass"), pool

    return with_outcomes


VALUES = [Result("value", 3), Result("value", 5)]


def test_all_calls_run_in_one_process(run):
    results, pool = run(ran(3, 5))
    assert results == VALUES
    assert pool.calls == [[(1,), (2,)]] and pool.deadlines == [None]


@pytest.mark.parametrize(
    ("status", "kind"), [("timeout", "timeout"), ("memory", "memory"), ("crashed", "crashed")]
)
def test_a_process_that_ends_is_run_again_call_by_call(run, status, kind):
    results, pool = run(Outcome(status), ran(), ran(3), Outcome(status))
    assert results == [Result("value", 3), Result(kind)]
    assert pool.calls == [[(1,), (2,)], [], [(1,)], [(2,)]]
    assert pool.deadlines[0] is None
    assert all(7.0 < seconds <= 8.0 for seconds in pool.deadlines[1:])


def test_calls_that_are_fast_alone_are_too_slow_together(run):
    results, _ = run(Outcome("timeout"), ran(), ran(3), ran(5))
    assert results == [VALUES[0], Result("timeout")]


def test_when_the_time_is_used_up_a_call_gets_a_little(run, monkeypatch):
    monkeypatch.setattr(programs, "PROGRAM_SECONDS", 0.0)
    _, pool = run(Outcome("timeout"), ran(), ran(3), ran(5))
    assert pool.deadlines[1:] == [0.05, 0.05, 0.05]


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("timeout", "does not end in time (an infinite loop?)"),
        ("memory", "uses too much memory"),
        ("crashed", "ends the Python process"),
    ],
)
def test_code_that_ends_its_process_before_any_call(run, status, what):
    found, _ = run(Outcome(status), Outcome(status))
    text = f"Running your code {what}, before any function is called."
    assert found == Problem("definition", text)


def test_what_is_wrong_with_the_code_may_show_the_second_time(run):
    found, _ = run(Outcome("crashed"), Outcome("ok", ("definition", None)))
    assert found.kind == "definition"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (("syntax", (3, "invalid")), "Your code has a syntax error in line 3: invalid."),
        (("syntax", (None, "NUL at 0xff")), "Your code has a syntax error: NUL."),
        (("definition", "E: x at 0xab12"),
         'Your code raises "E: x" before any function is called.'),
        (("definition", "x" * 81),
         f'Your code raises "{"x" * 79}\u2026" before any function is called.'),
        (("definition", None), "Your code does not end before any function is called."),
        (("missing", []), "Your code does not define a function f."),
        (("missing", ["g", "h"]),
         'Your code does not define a function f. It defines "g, h".'),
        (("missing", ["g" * 61]),
         f'Your code does not define a function f. It defines "{"g" * 59}\u2026".'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_code(run, answer, problem):
    found, _ = run(Outcome("ok", answer))
    assert found.message == problem


@pytest.mark.parametrize(
    ("answers", "results"),
    [
        ([("value", encode([1])), ("raised", "E at 0x12")],
         [Result("value", [1]), Result("raised", None, "E")]),
        ([("no_data", "function"), ("timeout", None)],
         [Result("no_data", None, "function"), Result("timeout")]),
        ([("timeout", None)], [Result("timeout")]),  # no more calls follow
    ],
)  # fmt: skip
def test_results_of_calls(run, answers, results):
    assert run(Outcome("ok", ("ran", answers)))[0] == results


FORGED = [
    None, 7, ("ran",), ("ran", 7), ("other", []), ("ran", []), ("ran", [("value", encode(1))]),
    ("ran", [("value", encode(1))] * 3), ("other", [("value", 1)] * 2),
    ("ran", [("other", 1)] * 2), ("ran", [("value",)] * 2),
    ("syntax", 3), ("syntax", ("x", "y")), ("definition", 3), ("missing", 3),
]  # fmt: skip


@pytest.mark.parametrize("answer", FORGED, ids=repr)
def test_other_answers_count_as_none(run, answer):
    results, pool = run(Outcome("ok", answer), ran(), ran(3), ran(5))
    assert results == [VALUES[0], Result("timeout")] and len(pool.calls) == 4


def test_the_processes_have_these_limits():
    pool = programs._make_pool()
    assert (pool.workers, pool.deadline) == (2, 8.0)
    limits = {"fresh": True, "memory_mb": 512, "cpu_seconds": 3.0, "reads": "stdlib"}
    assert {name: pool._config[name] for name in limits} == limits


def test_a_fault_of_the_task_is_no_fault_of_the_program(run):
    with pytest.raises(IsolationError, match="the task's own code fails: E"):
        run(Outcome("ok", ("prelude", "E")))


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (Result("value", 4), "f(3) gives 4"),
        (Result("raised", None, "E"), 'f(3) raises "E"'),
        (Result("raised", None, "x" * 81), f'f(3) raises "{"x" * 79}\u2026"'),
        (Result("no_data", None, "set"), 'f(3) gives an object of type "set", not plain data'),
        (Result("timeout"), "f(3) does not end in time (an infinite loop?)"),
        (Result("memory"), "f(3) uses too much memory"),
        (Result("crashed"), "f(3) ends the Python process"),
    ],
)
def test_sentences(result, sentence):
    assert result.sentence("f(3)") == sentence


@pytest.mark.parametrize(
    ("value", "limit", "shown"),
    [
        (2**256 - 1, 80, str(2**256 - 1)),
        (2**256, 80, "a number of about 77 digits"),
        ((), 80, "()"),
        ((1,), 80, "(1,)"),
        ((1, 2), 80, "(1, 2)"),
        ([1], 80, "[1]"),
        ({}, 80, "{}"),
        ({"b": 1, "a": [2]}, 80, "{'b': 1, 'a': [2]}"),
        ({2, 10}, 80, "{10, 2}"),  # in the order of their texts
        (frozenset((2, 10)), 80, "{10, 2}"),
        (set(), 80, "set()"),
        (True, 80, "True"),
        ([[[[[[[[1]]]]]]]], 80, "[[[[[[[[1]]]]]]]]"),
        ([[[[[[[[[1]]]]]]]]], 80, "[[[[[[[[\u2026]]]]]]]]"),
        ("x" * 10, 8, "'xxxxxx\u2026"),
        ("x" * 6, 8, "'xxxxxx'"),
        (b"x" * 10, 8, "b'xxxxx\u2026"),
        ([1, 2, 3, 4], 14, "[1, 2, 3, 4]"),
        ([1, 2, 3, 4], 12, "[1, 2, 3, 4]"),
        ([1, 2, 3, 4], 11, "[1, 2, 3,\u2026"),
        ([10**9] * 10**6, 20, "[1000000000, 100000\u2026"),
    ],
)
def test_values(value, limit, shown):
    assert show(value, limit) == shown


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("```\na = 1\n```\nb", "a = 1"),
        ("```python\n\na = 1\n\n", "a = 1"),
        ("a = 1", "a = 1"),
        ("text ```a``` text", "text ```a``` text"),
    ],
)
def test_code_of_a_reply(reply, code):
    assert extract_code(reply) == code


@pytest.mark.parametrize(("fences", "blocks"), [(3, 2), (4, 2), (5, 3)])
def test_one_block_is_read(fences, blocks):
    found = extract_code("```\na\n" * fences)
    assert found.message == f"You wrote {blocks} code blocks. Write exactly one."
    assert found.where == (12, 15)

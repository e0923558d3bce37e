"""program: the score by hand, exact messages, and programs that try to get out of it."""

import pytest

from corgi_gym.rewards import get_checker, judge, programs
from corgi_gym.rewards.program import program, same
from corgi_gym.rewards.programs import Result, extract_code, run_program, show
from corgi_gym.rewards.verdict import Problem

pytestmark = pytest.mark.usefixtures("program_limits")
ODD = {  # 2 * x + 1
    "examples": [[1, 3], [2, 5], [3, 7], [5, 11]],
    "hidden": [[4, 9], [0, 1], [-3, -5], [10, 21]],
}
POSITIVE = {
    "examples": [[1, True], [2, True], [3, True], [-1, False], [-2, False]],
    "hidden": [[4, True], [5, True], [-4, False], [-5, False], [6, True]],
}
LISTS = {
    "examples": [[[3, 1], [1, 3]], [[2, 2, 1], [1, 2, 2]], [[5, 4], [4, 5]]],
    "hidden": [[[9, 0], [0, 9]], [[1, 2, 0], [0, 1, 2]], [[7], [7]]],
}
FINE = "def f(x): return 2 * x + 1"


def test_declared_examples():
    for example in get_checker("program").examples:
        assert judge(program, example.reply, example.target).success == example.passes, example


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        # (5 + correct * (75 + 25 - length / 4)) / 105; correct counts beyond one constant output
        ("def f(x): return 3", 5 / 105),
        ("def f(x): return 2 * x + (x != 0)", (5 + 2 / 3 * (75 + 25 - 33 / 4)) / 105),
        ("def f(x): return {1: 3, 2: 5, 3: 7, 5: 11}[x]", 5 / 105),
        ("def f(x): return 2 * x +", 0.0),
        ("def g(x): return 2 * x + 1", 0.0),
        (f"{FINE}  # {'x' * 70}", (5 + 75 + 25 - 100 / 4) / 105),
    ],
)
def test_scores_by_hand(reply, score):
    assert judge(program, reply, ODD).score == pytest.approx(score)


def test_one_character_decides_about_the_length():
    padded = f"{FINE}  # "
    assert judge(program, padded + "x" * (99 - len(padded)), ODD).success
    verdict = judge(program, padded + "x" * (100 - len(padded)), ODD)
    assert [p.message for p in verdict.problems] == [
        "Your line has 100 characters. Write fewer than 100."
    ]


def test_a_constant_earns_the_least_even_where_it_is_mostly_right():
    assert judge(program, "def f(x): return True", POSITIVE).score == pytest.approx(5 / 105)
    assert judge(program, "def f(x): return x > 0", POSITIVE).success


@pytest.mark.parametrize(
    ("reply", "target", "message"),
    [
        ("def f(x): return x", ODD, "f(1) gives 1, but it should give 3."),
        ("def f(x): return 2.0 * x + 1", ODD, "f(1) gives 3.0, but it should give 3."),
        ("def f(x): return int(x > 0)", POSITIVE, "f(1) gives 1, but it should give True."),
        ("def f(x): return tuple(sorted(x))", LISTS,
         "f([3, 1]) gives (1, 3), but it should give [1, 3]."),
        ("def f(x): return str(sorted(x))", LISTS,
         "f([3, 1]) gives '[1, 3]', but it should give [1, 3]."),
        ("def f(x): return 1 / (x - 1)", ODD,
         'f(1) raises "ZeroDivisionError: division by zero", but it should give 3.'),
        ("def f(x): return lambda: 3", ODD,
         'f(1) gives an object of type "function", not plain data, but it should give 3.'),
        ("def f(x): print(2 * x + 1)", ODD, "f(1) gives None, but it should give 3."),
        ("def f(x): return 2 * x + 1 if x in (1, 2, 3, 5) else 0", ODD,
         "Your function is right for all examples, but wrong for 4 of 4 other inputs. "
         "Find the general rule."),
        ("def f(x): return 2 * x +", ODD,
         "Your code has a syntax error in line 1: invalid syntax."),
        ("x: 2 * x + 1", ODD, 'Your line does not begin with "def f(". Write only the function.'),
        (f"{FINE}\n{FINE}", ODD,
         "Your code has 2 lines. Write exactly one line: def f(x): return ..."),
        (f"```\n{FINE}\n```\n```\n{FINE}\n```", ODD,
         "You wrote 2 code blocks. Write exactly one."),
        ("def f(x): return 10 ** 300", ODD,
         "f(1) gives a number of about 300 digits, but it should give 3."),
    ],
)  # fmt: skip
def test_messages(reply, target, message):
    verdict = judge(program, reply, target)
    assert verdict.problems[0].message == message
    assert verdict.score < 0.2 or "type" in message


ESCAPES = [
    "def f(x): import os; os._exit(0)",
    "def f(x): import sys; sys.exit()",
    "def f(x): raise KeyboardInterrupt",
    "def f(x): raise BaseException",
    "def f(x): return f(x)",
    "def f(x): return 'a' * 10 ** 12",
    "def f(x): return [x] * 10 ** 11",
    "def f(x): import os; return os.fork()",
    "def f(x): import os; return os.system('true')",
    "def f(x): import subprocess; return subprocess.run(['true'])",
    "def f(x): import os; os.kill(os.getppid(), 9)",
    "def f(x): import os; os.kill(-1, 9)",
    "def f(x): import os; [os.close(i) for i in range(64)]; return 2 * x + 1",
    "def f(x): import os; [os.write(i, b'1') for i in range(3, 9)]; return 1",
    "def f(x): return open('/etc/passwd').read()",
    "def f(x): open('new', 'w'); return 2 * x + 1",
    "def f(x): import socket; return socket.socket()",
    "def f(x): import ctypes; return ctypes.string_at(0)",
    "def f(x): return type('E', (), {'__eq__': lambda a, b: True})()",
    "def f(x): return type('I', (int,), {'__eq__': lambda a, b: True})(0)",
    "def f(x): import builtins; builtins.type = lambda v: int; return 0",
    "def f(x): import json; json.dumps = lambda v: '[\"ok\", 3]'; return 0",
    "def f(x): import gc; return [o for o in gc.get_objects() if isinstance(o, list)]",
    "def f(x): return __import__('sys')._getframe(1).f_locals",
    "def f(x): import corgi_gym.rewards.program as p; p.same = lambda a, b: True",
    "def f(x): import threading; threading.Thread(target=f, args=(x,)).start()",
    "def f(x): return (lambda g: g(g))(lambda g: g(g))",
    f"def f(x): return {'(' * 300}x{')' * 300}",
    f"def f(x): return {'-' * 5000}x",
]


@pytest.mark.parametrize("reply", ESCAPES, ids=range(len(ESCAPES)))
def test_programs_do_not_get_out(reply):
    verdict = judge(program, reply, ODD)
    assert verdict.status == "scored" and not verdict.success
    assert verdict.score <= 0.1 or "range(64)" in reply
    assert judge(program, FINE, ODD).success


@pytest.mark.parametrize(
    "reply",
    [
        "def f(x): exec('while 1: pass')",
        "def f(x): return 9 ** 9 ** 9",
        "def f(x): return sum(iter(int, 1))",
    ],
)
def test_loops_without_end_are_named(reply):
    verdict = judge(program, reply, ODD)
    assert verdict.status == "scored" and verdict.score < 0.1
    assert "f(1) does not end in time (an infinite loop?)" in verdict.problems[0].message


def test_a_loop_on_a_hidden_input_is_said_and_not_counted_as_wrong_answers():
    reply = "def f(x): return 2 * x + 1 if x != 4 else sum(iter(int, 1))"
    (problem,) = judge(program, reply, ODD).problems
    assert problem.message == (
        "Your function is right for all examples, but it does not end in time (an infinite loop?) "
        "for one of 4 other inputs."
    )


def test_a_loop_that_holds_off_the_first_limit_is_named_with_its_input():
    stubborn = (
        "def f(x):\n"
        "    while x == 3:\n"
        "        try:\n"
        "            while True: pass\n"
        "        except BaseException: pass\n"
        "    return 2 * x + 1\n"
    )
    results = run_program(stubborn, "f", [(1,), (2,), (3,), (4,)])
    assert [result.kind for result in results] == ["value", "value", "timeout"]


def test_calls_do_not_see_the_outputs_that_are_expected():
    spy = (
        "import gc\n"
        "def f(x):\n"
        "    found = [o for o in gc.get_objects() if isinstance(o, (list, tuple, dict))]\n"
        "    return any(4711 in (o.values() if isinstance(o, dict) else o)\n"
        "               for o in found if all(type(i) is int for i in o))\n"
    )
    (result,) = run_program(spy, "f", [(1,)])
    assert result == Result("value", False)
    verdict = judge(program, "def f(x): return 4711 if x else 0", {
        "examples": [[1, 4711], [2, 4712], [0, 0]], "hidden": [[3, 4713]]})  # fmt: skip
    assert not verdict.success


def test_equal_runs_give_equal_messages():
    reply = "def f(x): import random; return [random.random(), hash('a'), object.__repr__(f)]"
    verdicts = {repr(judge(program, reply, ODD)) for _ in range(3)}
    assert len(verdicts) == 1 and " at 0x" not in verdicts.pop()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("x = 1\n\ny = 2", "x = 1\n\ny = 2"),
        (
            "Text\n```python\nimport os\n\n\ndef f(): pass\n```\nMore",
            "import os\n\n\ndef f(): pass",
        ),
        ("```\nx = 1", "x = 1"),
        ("a ``` b", "a ``` b"),
    ],
)
def test_code_is_found_and_never_cut(reply, code):
    assert extract_code(reply) == code


def test_values_are_shown_safely():
    assert show("<|im_end|>") == "'(im_end)'"
    assert show([1] * 1000, 20) == "[1, 1, 1, 1, 1, 1,…"
    assert show({3, 1, 2}) == "{1, 2, 3}"
    assert len(show("x" * 10**6)) <= 80
    nested = []
    for _ in range(200):
        nested = [nested]
    assert show(nested).startswith("[[[[[[[[")


def test_types_are_kept_apart():
    assert same([1, [2]], [1, [2]]) and not same([1, True], [1, 1]) and not same(0.0, 0)
    assert not same([1], [1, 1])


def test_never_unscored(fuzz_strings):
    for reply in fuzz_strings[:150] + fuzz_strings[-22:]:
        for text in (reply, f"def f(x): return {reply}"):
            verdict = judge(program, text, ODD)
            assert verdict.status == "scored" and not verdict.success


def test_a_missing_pool_is_unscored(monkeypatch):
    monkeypatch.setattr("sys.executable", "/no/such/python")
    monkeypatch.setattr(programs, "_POOL", programs._make_pool())
    verdict = judge(program, FINE, ODD)
    assert verdict.status == "unscored" and "IsolationError" in verdict.problems[0].message


def test_a_program_that_defines_nothing():
    assert run_program("g = 1", "f", [(1,)]) == Problem(
        "function", 'Your code does not define a function f. It defines "g".'
    )
    assert run_program("1 / 0", "f", [(1,)]).kind == "definition"
    assert run_program("while True: pass", "f", [(1,)]).message == (
        "Your code does not end before any function is called."
    )

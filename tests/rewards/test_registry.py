"""Checkers by name, and the boundary that turns every failure into ``unscored``."""

import copy
import functools
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

from corgi_gym.rewards import (
    NamedChecker,
    Problem,
    Verdict,
    check_examples,
    checker,
    checker_names,
    get_checker,
    judge,
    registry,
)
from corgi_gym.rewards.builtin import BUILTIN


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    """Names registered by a test do not outlive it."""
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))


# ---------------------------------------------------------------- names


def test_a_shipped_checker_is_found_by_name_without_importing_its_module(run_python):
    for name in BUILTIN:
        assert get_checker(name).name == name
    code = (
        "import sys; from corgi_gym.rewards import get_checker, checker_names\n"
        "assert 'corgi_gym.rewards.countdown' not in sys.modules\n"
        "print('countdown' in checker_names(), 'corgi_gym.rewards.countdown' in sys.modules)\n"
        "print(get_checker('countdown').name)"
    )
    assert run_python(code).split() == ["True", "False", "countdown"]


def test_checker_names_are_sorted_and_hold_shipped_and_registered_ones():
    checker("aaa_first")(lambda reply, target: True)
    names = checker_names()
    assert names == sorted(names) and names[0] == "aaa_first" and set(BUILTIN) <= set(names)


@pytest.mark.parametrize("name", BUILTIN)
def test_declared_examples_of_shipped_checkers_hold(name):
    check = get_checker(name)
    # a passing background takes a language model: tests/rewards/test_rationale_generation.py
    expected = {False} if name == "rationale_generation" else {True, False}
    assert {example.passes for example in check.examples} == expected
    for example in check.examples:
        verdict = judge(check, example.reply, example.target)
        assert verdict.status == "scored"
        assert verdict.success == example.passes, (example.reply, verdict)


@pytest.mark.parametrize("name", BUILTIN)
def test_shipped_checkers_survive_pickle_and_deepcopy(name):
    check = get_checker(name)
    assert pickle.loads(pickle.dumps(check)) is check
    assert copy.deepcopy(check) is check


def test_registering_again_replaces():
    checker("mine")(lambda reply, target: False)
    checker("mine")(lambda reply, target: True)
    assert judge(get_checker("mine"), "reply", None).success


def test_a_shipped_name_cannot_be_taken():
    with pytest.raises(ValueError, match="'countdown' is a checker of corgi-gym; choose another"):
        checker("countdown")(lambda reply, target: True)


@pytest.mark.parametrize("name", ["", " ", None, 3])
def test_a_checker_needs_a_name(name):
    with pytest.raises(ValueError, match="non-empty name"):
        checker(name)


@pytest.mark.parametrize("row", [("reply", None), "abc", ("reply", None, True, 1)])
def test_a_malformed_example_is_refused(row):
    with pytest.raises(
        ValueError, match=r"checker 'mine': an example is \(reply, target, passes\)"
    ):
        checker("mine", examples=[row])


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown checker 'countdwn'; known: .*countdown"):
        get_checker("countdwn")


@pytest.mark.parametrize("thing", [3, None, ["countdown"]])
def test_something_else_is_refused(thing):
    with pytest.raises(TypeError, match="a checker must be a name or a callable, got"):
        get_checker(thing)


@pytest.mark.parametrize("take", [get_checker, checker("mine")])
def test_what_cannot_be_called_with_a_reply_and_a_target_is_refused(take):
    for function in (lambda reply: True, lambda reply, target, other: True, lambda *, reply: True):
        with pytest.raises(TypeError, match=r"is called with \(reply, target\)"):
            take(function)
    short = functools.wraps(lambda reply: True)(lambda reply, target: True)
    part = functools.partial(lambda extra, reply, target: True, 3)
    for function in (lambda *both: True, lambda reply, target=None, extra=3: True, short, part):
        assert callable(take(function))
    with pytest.raises(TypeError, match="callable"):
        take(5)


def test_a_message_is_a_string():
    with pytest.raises(TypeError, match="checker 'mine': message must be a string, got 5"):
        checker("mine", message=5)


def test_a_class_is_refused():
    with pytest.raises(TypeError, match="NamedChecker is a class; give an instance"):
        get_checker(NamedChecker)


# ---------------------------------------------------------------- judge


class StrangeVerdict(Verdict):
    """A subclass that skips the checks."""

    def __post_init__(self) -> None:
        pass


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def recurse(reply, target):
    return recurse(reply, target)


def raising(error):
    def check(reply, target):
        raise error

    return check


FAILING = {
    "nan": lambda reply, target: math.nan,
    "inf": lambda reply, target: math.inf,
    "two": lambda reply, target: 2.0,
    "negative": lambda reply, target: -0.1,
    "huge": lambda reply, target: 10**400,
    "none": lambda reply, target: None,
    "string": lambda reply, target: "1.0",
    "numpy_string": lambda reply, target: np.str_("1.0"),
    "complex": lambda reply, target: np.complex64(1),
    "array": lambda reply, target: np.ones(1),
    "tuple": lambda reply, target: (1.0, ()),
    "subclass_nan": lambda reply, target: StrangeVerdict(math.nan),
    "subclass_problems": lambda reply, target: StrangeVerdict(0.5, ("text",)),
    "subclass_contradiction": lambda reply, target: StrangeVerdict(1.0, (Problem("k", "m"),)),
    "text_problem": lambda reply, target: Verdict.wrong(0.5, "text"),
    "value_error": raising(ValueError("bad\ud800 value\x00")),
    "unprintable": raising(Unprintable()),
    "memory": raising(MemoryError()),
    "stop": raising(StopIteration()),
    "recursion": recurse,
    "long": raising(ValueError("x" * 10**6)),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_checker_that_fails_is_unscored_and_says_why(name):
    for check in (FAILING[name], get_checker(FAILING[name])):
        verdict = judge(check, "reply", None)
        assert verdict.status == "unscored" and not verdict.success and verdict.score == 0.0
        (problem,) = verdict.problems
        assert problem.kind == "unscored" and " failed: " in problem.message
        assert len(problem.message) <= 500
        problem.message.encode()


def test_the_reason_names_checker_and_value():
    def my_check(reply, target):
        return 2.0

    message = judge(my_check, "reply", None).problems[0].message
    assert "'my_check'" in message and "[0, 1], got 2.0" in message


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_passes_through(error):
    with pytest.raises(error):
        judge(raising(error()), "reply", None)


@pytest.mark.parametrize(
    ("value", "score"),
    [(True, 1.0), (False, 0.0), (1, 1.0), (0.25, 0.25), (np.float32(0.25), 0.25), (np.True_, 1.0)],
)
def test_numbers_become_verdicts_with_a_problem_below_one(value, score):
    verdict = judge(get_checker(lambda reply, target: value), "reply", None)
    assert (verdict.score, verdict.success) == (score, score == 1.0)
    assert bool(verdict.problems) == (score < 1.0)


def test_the_declared_message_is_what_feedback_says():
    check = checker("short", message="Use at most 3 letters.")(lambda reply, _: len(reply) <= 3)
    assert judge(check, "long reply", None).problems == (
        Problem("short", "Use at most 3 letters."),
    )


def test_a_valid_verdict_of_a_subclass_counts_as_a_plain_one():
    verdict = judge(lambda reply, target: StrangeVerdict(0.5, (Problem("k", "m"),)), "reply", None)
    assert type(verdict) is Verdict and verdict.score == 0.5


def test_fractions_are_refused_rather_than_rounded():
    assert judge(lambda r, t: Fraction(10**30 - 1, 10**30), "reply", None).status == "unscored"


@pytest.mark.parametrize("reply", [None, 3, b"bytes", ["text"], 1.0])
def test_a_reply_that_is_no_string_is_a_bug_of_the_caller(reply):
    with pytest.raises(TypeError, match=f"a reply must be a string, got {type(reply).__name__}"):
        judge(lambda r, t: True, reply, None)


@pytest.mark.parametrize("reply", ["", "  \n", "\x00", "\u200b\u200b", "\r\n"])
def test_an_empty_reply_is_wrong_without_asking_the_checker(reply):
    verdict = judge(raising(AssertionError()), reply, None)
    assert (verdict.status, verdict.score, verdict.problems[0].kind) == ("scored", 0.0, "empty")


def test_a_megabyte_is_wrong_without_asking_the_checker():
    verdict = judge(raising(AssertionError()), "x" * 10**6, None)
    assert (verdict.status, verdict.problems[0].kind) == ("scored", "too_long")
    assert "1000000 characters. Write at most 20000" in verdict.problems[0].message


def test_checkers_see_normalised_text():
    seen = []
    judge(lambda reply, target: bool(seen.append(reply)), "e\u200b\u0301\x00\ud800", None)
    assert seen == ["é\ufffd"]


# ---------------------------------------------------------------- declared examples


@pytest.mark.parametrize(
    ("examples", "result", "says"),
    [
        ([("a", 1, True)], 0.5, "'own' contradicts its example: 'a' with target 1 should pass, and "
         "scores 0.5; correct the checker or the example"),
        ([("a", None, True), ("b", None, False)], True, "'b' .* should not pass, and scores 1;"),
        ([("a", None, False)], math.nan, r"not pass, and could not be judged \(checker 'own'"),
        ([("", None, True)], True, "'' with target None should pass, and scores 0"),
    ],
)  # fmt: skip
def test_a_checker_that_contradicts_its_examples_is_refused(examples, result, says):
    own = checker("own", examples=examples)(lambda reply, target: result)
    with pytest.raises(ValueError, match=says):
        check_examples(own)


def test_examples_that_hold_and_checkers_without_any_are_taken():
    check_examples(checker("own", examples=[("a", None, True)])(lambda reply, target: True))
    check_examples(lambda reply, target: 1 / 0)
    check_examples(get_checker("countdown"))

"""Verdicts cannot contradict themselves."""

import dataclasses
import math

import numpy as np
import pytest

from corgi_gym.rewards import Problem, Verdict

PROBLEM = Problem("word_count", "You wrote 3 words. Write 4.")


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -0.1, 1.0000001, 2, 10**400])
def test_a_score_outside_the_unit_interval_is_refused_with_its_value(score):
    with pytest.raises(ValueError, match=r"Verdict\.score must be a number in \[0, 1\], got"):
        Verdict(score, (PROBLEM,))


@pytest.mark.parametrize("score", [None, "0.5", 1j, [0.5], np.array([0.5]), np.str_("0.5")])
def test_a_score_that_is_no_number_is_refused(score):
    with pytest.raises(TypeError, match=r"Verdict\.score must be a number"):
        Verdict(score, (PROBLEM,))


@pytest.mark.parametrize("score", [0, False, np.float32(0.5), np.float64(0.5), np.array(0.5)])
def test_scores_become_python_floats(score):
    assert type(Verdict(score, (PROBLEM,)).score) is float


def test_one_means_no_problem_and_less_names_one():
    with pytest.raises(ValueError, match=r"1 problem"):
        Verdict(1.0, (PROBLEM,))
    with pytest.raises(ValueError, match="must name at least one"):
        Verdict(0.99)


def test_unscored_has_no_score_and_says_why():
    assert Verdict.unscored("broken").problems[0].message == "broken"
    for score, problems in ((0.5, (PROBLEM,)), (1.0, ()), (0.0, ())):
        with pytest.raises(ValueError, match="unscored"):
            Verdict(score, problems, status="unscored")


def test_an_unknown_status_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'failed'; choose from scored, unscored"):
        Verdict(0.0, (PROBLEM,), status="failed")


def test_success_is_exactly_scored_and_one():
    assert Verdict.ok().success
    assert not Verdict.wrong(0.999, PROBLEM).success
    assert not Verdict.unscored("broken").success


@pytest.mark.parametrize("problem", ["text", None, ("word_count", "message")])
def test_problems_must_be_problems(problem):
    with pytest.raises(TypeError, match=r"Verdict\.problems must be Problems"):
        Verdict(0.5, (problem,))


def test_problems_become_a_tuple_and_metrics_python_floats():
    verdict = Verdict(0.5, [PROBLEM], metrics={"words": np.int64(3)})
    assert verdict.problems == (PROBLEM,)
    assert {k: type(v) for k, v in verdict.metrics.items()} == {"words": float}


@pytest.mark.parametrize("text", ["", "  ", "\x00", "\u200b\n"])
def test_a_problem_says_something(text):
    with pytest.raises(ValueError, match=r"Problem\.message must say something"):
        Problem("kind", text)
    with pytest.raises(ValueError, match=r"Problem\.kind must say something"):
        Problem(text, "message")


@pytest.mark.parametrize("text", [None, 3, b"bytes"])
def test_a_problem_is_made_of_strings(text):
    with pytest.raises(TypeError, match=r"Problem\.message must be a string"):
        Problem("kind", text)


def test_problem_texts_can_always_be_written_as_utf8():
    problem = Problem("ki\x00nd", "lone \ud800 surrogate\x1b")
    assert (problem.kind, problem.message) == ("kind", "lone \ufffd surrogate")


def test_where_is_a_span_of_python_ints():
    span = Problem("kind", "message", (np.int64(1), np.int64(4))).where
    assert span == (1, 4) and {type(n) for n in span} == {int}
    for bad in ((4, 1), (-1, 2)):
        with pytest.raises(ValueError, match="span"):
            Problem("kind", "message", bad)


def test_verdicts_and_problems_are_immutable():
    for thing, name in ((Verdict.ok(), "score"), (PROBLEM, "message")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, "other")


def test_one_and_what_is_below_it_in_any_type():
    assert Verdict(1).success and Verdict(np.float32(1.0)).success
    assert Verdict(np.float32(0.75), (PROBLEM,)).score == 0.75


@pytest.mark.parametrize("span", [[0, 4], (np.int64(0), 4), (0, np.int64(4)), (0, 4)])
def test_any_pair_of_whole_numbers_is_a_span(span):
    where = Problem("kind", "message", span).where
    assert where == (0, 4) and type(where) is tuple and {type(n) for n in where} == {int}


def test_a_kind_of_problem_of_ones_own_is_a_problem():
    class Own(Problem):
        pass

    own = Own("kind", "message")
    assert Verdict.wrong(0.5, own).problems == (own,)

"""Composition: success needs all parts, and nothing that failed counts as wrong."""

import math
import random

import numpy as np
import pytest

from corgi_gym.rewards import AllOf, Problem, Verdict, is_slow, judge, scale
from corgi_gym.rewards.registry import checker_name


def constant(score: float, kind: str = "kind"):
    def check(reply, target):
        if score == 1.0:
            return Verdict.ok(length=len(reply))
        return Verdict.wrong(score, Problem(kind, f"{kind} is wrong."), length=len(reply))

    check.name = f"{kind}_{score}"
    return check


def broken(reply, target):
    raise ZeroDivisionError("broken part")


def test_the_score_is_the_weighted_mean_and_problems_concatenate_in_order():
    rng = random.Random(0)
    for _ in range(200):
        scores = [rng.choice((1.0, rng.random())) for _ in range(rng.randint(1, 5))]
        weights = [rng.random() + 0.01 for _ in scores]
        parts = [constant(score, f"p{i}") for i, score in enumerate(scores)]
        verdict = AllOf(*parts, weights=weights)("reply", None)
        mean = sum(w * s for w, s in zip(weights, scores, strict=True)) / sum(weights)
        assert verdict.score == pytest.approx(mean)
        assert [p.kind for p in verdict.problems] == [
            f"p{i}" for i, score in enumerate(scores) if score < 1.0
        ]
        assert verdict.success == all(score == 1.0 for score in scores)


def test_rounding_never_makes_a_failure_a_success():
    almost = constant(1.0 - 1e-16)
    assert not AllOf(*[almost] * 7)("reply", None).success
    assert not AllOf(constant(1.0), constant(0.0), weights=[1e30, 1e-30])("reply", None).success


def test_a_part_that_fails_makes_the_whole_unscored_and_is_named():
    verdict = judge(AllOf(constant(0.0), broken), "reply", None)
    assert verdict.status == "unscored"
    assert "'broken' failed: ZeroDivisionError: broken part" in verdict.problems[0].message
    assert judge(scale(broken, 0.5), "reply", None).status == "unscored"


def test_the_reason_names_the_part_that_could_not_judge():
    def reason(check):
        verdict = judge(AllOf(constant(0.0), check), "reply", None)
        assert verdict.status == "unscored"
        return verdict.problems[0].message

    def busy(reply, target):
        return Verdict.unscored("no worker")

    def told(reply, target):
        return Verdict.unscored("told (its model): no answer")

    assert reason(busy) == "busy: no worker"
    assert reason(lambda reply, target: busy(reply, target)) == "<lambda>: no worker"
    assert reason(AllOf(busy, name="inner")) == "inner: busy: no worker"
    assert reason(scale(busy, 0.5)) == "scaled_busy: no worker"
    # a name that stands there already is not repeated
    assert reason(told) == "told (its model): no answer"
    assert reason(broken) == "checker 'broken' failed: ZeroDivisionError: broken part"


def test_metrics_are_kept_under_the_name_of_their_part():
    verdict = AllOf(constant(1.0, "a"), constant(0.5, "b"))("reply", None)
    assert verdict.metrics == {"a_1.0/length": 5.0, "b_0.5/length": 5.0}


def test_parts_may_be_names_floats_bools_and_compositions():
    inner = AllOf(lambda reply, target: 0.5, lambda reply, target: True)
    assert AllOf(inner, lambda reply, target: True)("reply", None).score == 0.875
    assert AllOf("panagram", lambda reply, target: 0.5)("plane", "nlaep").score == 0.75


@pytest.mark.parametrize("weights", [[1], [1, 2, 3], [0, 1], [-1, 1], [math.nan, 1], [math.inf, 1]])
def test_bad_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be 2 positive numbers, got"):
        AllOf(constant(1.0), constant(1.0), weights=weights)


@pytest.mark.parametrize("weights", [["a", 1], 3, {1, 2}, "12", {1: 1, 2: 1}, [True, 1], [None, 1]])
def test_weights_that_are_no_list_of_numbers_are_refused(weights):
    with pytest.raises(TypeError, match=r"weights must be .*2 positive numbers, got"):
        AllOf(constant(1.0), constant(1.0), weights=weights)


def test_weights_whose_sum_is_no_number_are_refused():
    with pytest.raises(ValueError, match="finite sum"):
        AllOf(constant(1.0), constant(1.0), weights=[1e308, 1e308])
    with pytest.raises(ValueError, match="positive"):  # no float holds it
        AllOf(constant(1.0), constant(1.0), weights=[10**400, 1])
    assert AllOf(constant(1.0), constant(1.0), weights=(1, np.float32(3))).weights == (0.25, 0.75)


@pytest.mark.parametrize(("check", "factor"), [("panagram", "0.5"), (0.5, "panagram")])
def test_scale_names_a_factor_that_is_no_number(check, factor):
    with pytest.raises(TypeError, match=r"factor must be a number in .*after the checker: '"):
        scale(check, factor)
    with pytest.raises(TypeError, match="factor must be a number"):
        scale("panagram", True)


def test_nothing_to_compose_is_refused():
    with pytest.raises(ValueError, match="at least one checker"):
        AllOf()


def test_scale_multiplies_partial_credit_only():
    assert scale(constant(0.5), 0.5)("reply", None).score == 0.25
    assert scale(constant(0.5), 0)("reply", None).score == 0.0
    assert scale(constant(0.5), 1)("reply", None).score == 0.5
    assert scale(constant(1.0), 0)("reply", None).success
    assert scale(constant(0.5), 0.5)("reply", None).metrics == {"length": 5.0}
    for factor in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"factor must be in \[0, 1\]"):
            scale(constant(0.5), factor)


def test_a_composition_is_slow_if_a_part_is():
    slow = constant(1.0)
    slow.slow = True
    assert is_slow(AllOf(constant(1.0), slow)) and is_slow(scale(slow, 0.5))
    assert not is_slow(AllOf(constant(1.0))) and not is_slow(scale(constant(1.0), 0.5))


def test_compositions_have_names():
    assert checker_name(AllOf("panagram")) == "all_of"
    assert checker_name(AllOf("panagram", name="both")) == "both"
    assert checker_name(scale("panagram", 0.5)) == "scaled_panagram"

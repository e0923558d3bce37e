"""The numbers of the gap: by hand, by enumeration, and from a pair whose gap is known."""

import itertools
import math

import numpy as np
import pytest

from corgi_gym.benchmarks.gap.estimator import Judged, estimate, pass_at_k, pass_rates
from corgi_gym.benchmarks.gap.synthetic import Pair
from corgi_gym.benchmarks.intervals import ratio_intervals


def test_every_number_by_hand():
    prompts = [
        Judged([1, 0, 1, 0], [True, False, True, False], [True, True, None, False]),
        Judged([1, 1], [True, True], [False, True]),  # nothing to gain: not in the relative gap
        Judged([0.5, 0.0], [False, False], [None, False]),  # nothing kept: counts with its mean
        Judged([0.0, 1.0], [False, True], [False, True]),
    ]
    found = {name: value and value.value for name, value in estimate(prompts, seed=0).items()}
    assert found["J"] == pytest.approx((0.5 + 1 + 0.25 + 0.5) / 4)
    assert found["verified"] == pytest.approx((0.5 + 1 + 0.25 + 1) / 4)
    assert found["gap"] == pytest.approx(0.5 / 4)
    assert found["relative"] == pytest.approx((0 + 0 + 1) / 3)
    assert found["relative_aggregate"] == pytest.approx(0.125 / (1 - 0.5625))
    assert found["coverage"] == 3 / 4
    assert found["kept"] == 4 / 10
    assert found["precision"] == 3 / 4
    assert found["recall"] == 3 / 4  # the correct sample without a verdict is not counted
    assert found["unscored"] == 2 / 10


def test_what_does_not_exist_is_none():
    found = estimate([Judged([1.0], [True], [None])] * 3, seed=0)
    for name in ("relative", "relative_aggregate", "precision", "recall"):
        assert found[name] is None
    assert found["gap"] == (0.0, 0.0, 0.0) and found["coverage"].value == 0.0
    assert all(value is None for value in estimate([], seed=0).values())
    with pytest.raises(ValueError, match="got 1, 1 and 2"):
        Judged([1.0], [True], [True, False])


def test_an_interval_depends_on_its_seed_alone():
    prompts = Pair(0.4, 0.8, 0.3).draw(30, 4, np.random.default_rng(0))
    assert estimate(prompts, seed=1) == estimate(prompts, seed=1)
    assert estimate(prompts, seed=1)["gap"] != estimate(prompts, seed=2)["gap"]
    assert estimate(prompts, seed=1)["gap"].value == estimate(prompts, seed=2)["gap"].value


@pytest.mark.parametrize("pair", [Pair(0.3, 0.7, 0.25), Pair(0.6, 0.2, 0.3), Pair(0.5, 1, 0)])
def test_the_closed_form_is_the_expectation(pair):
    """All outcomes of three samples, with their probabilities."""
    chances = {
        (True, True): pair.accuracy * pair.recall,
        (True, False): pair.accuracy * (1 - pair.recall),
        (False, True): (1 - pair.accuracy) * pair.false_accepts,
        (False, False): (1 - pair.accuracy) * (1 - pair.false_accepts),
    }
    gap = relative = improvable = 0.0
    for outcome in itertools.product(chances, repeat=3):
        chance = math.prod(chances[o] for o in outcome)
        correct, kept = zip(*outcome, strict=True)
        prompt = Judged([float(c) for c in correct], correct, kept)
        gap += chance * (prompt.verified - prompt.generated)
        if prompt.generated < 1:
            improvable += chance
            relative += chance * (prompt.verified - prompt.generated) / (1 - prompt.generated)
    assert pair.gap(3) == pytest.approx(gap)
    drawn = estimate(pair.draw(8_000, 3, np.random.default_rng(0)), seed=0, resamples=50)
    assert drawn["gap"].value == pytest.approx(gap, abs=0.015)
    assert drawn["relative"].value == pytest.approx(relative / improvable, abs=0.015)


def test_the_interval_covers_a_known_gap():
    """200 experiments: a 95 % interval covers in 90 to 99 % of them, and on no side too often."""
    pair, samples, runs = Pair.of_precision(0.3, precision=0.55, recall=0.7), 6, 200
    truth, rng = pair.gap(samples), np.random.default_rng(0)
    found = [
        estimate(pair.draw(100, samples, rng), seed=i, resamples=200)["gap"] for i in range(runs)
    ]
    covered = sum(e.low <= truth <= e.high for e in found) / runs
    assert 0.90 <= covered <= 0.99
    assert np.mean([e.value for e in found]) == pytest.approx(truth, abs=0.01)
    # a verifier that knows nothing has no gap
    blind = Pair(0.3, 0.5, 0.5)
    assert blind.gap(samples) == pytest.approx(0)


def test_precision_and_recall_are_recovered():
    pair = Pair.of_precision(0.4, precision=0.8, recall=0.5)
    found = estimate(pair.draw(4_000, 4, np.random.default_rng(1)), seed=0, resamples=100)
    assert found["precision"].value == pytest.approx(0.8, abs=0.02)
    assert found["recall"].value == pytest.approx(0.5, abs=0.02)
    with pytest.raises(ValueError, match="no verifier"):
        Pair.of_precision(0.9, precision=0.1, recall=0.9)


def test_pass_at_k_is_the_share_of_subsets_with_a_correct_one():
    for n, correct, k in [(5, 2, 1), (5, 2, 3), (5, 0, 2), (5, 5, 1), (6, 1, 6)]:
        rows = [i < correct for i in range(n)]
        subsets = list(itertools.combinations(rows, k))
        assert pass_at_k(n, correct, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))
    for bad in [(3, 4, 1), (3, 1, 0), (3, 1, 4)]:
        with pytest.raises(ValueError, match=r"pass@k needs"):
            pass_at_k(*bad)


def test_pass_rates_go_as_far_as_every_prompt_does():
    found = pass_rates([[True, False, False, False, True], [False] * 4], seed=0)
    assert list(found) == [1, 2, 4]
    assert found[1].value == pytest.approx(0.2) and found[4].value == 0.5


def test_ratios_need_a_value_per_task():
    with pytest.raises(ValueError, match=r"lengths \[2, 3\]"):
        ratio_intervals({"a": ([1, 2], [1, 1, 1])}, seed=0)

"""Statistics over seeds: by hand on small numbers, and their error rates in simulation."""

import functools
import itertools
import math

import numpy as np
import pytest

from corgi_gym.benchmarks.statistics import (
    compare,
    generator,
    holm,
    improvement,
    iqm,
    paired_tasks,
    summary,
    t_quantile,
    t_tail,
)

FAMILIES = ("concepts", "countdown", "panagram")
BENCHMARKS, LEVEL_BENCHMARKS = 200, 2_000


def simulated(means, *, seeds=5, sd=0.05, rng):
    """Learners with known means: per arm and family the scores of its seeds."""
    return [
        {f: np.clip(rng.normal(m + 0.1 * i, sd, seeds), 0, 1) for i, f in enumerate(FAMILIES)}
        for m in means
    ]


def test_iqm_leaves_out_the_quarters():
    assert iqm(np.arange(8.0)) == 3.5 and iqm(np.array([1.0, 2.0, 30.0])) == 11.0
    assert iqm(np.array([[9.0, 1.0, 2.0, 0.0], [1.0, 1.0, 1.0, 5.0]])).tolist() == [1.5, 1.0]


def test_summaries_are_the_same_bytes_again_and_stay_in_the_range():
    rng = np.random.default_rng(0)
    scores = {"a": rng.random(6), "b": rng.random(5)}
    first, second = (summary(scores, rng=generator(3, "x")) for _ in range(2))
    assert first == second != summary(scores, rng=generator(4, "x"))
    assert first.value == pytest.approx((np.mean(scores["a"]) + np.mean(scores["b"])) / 2)
    pooled = summary(scores, iqm, pooled=True, rng=generator(3, "x"))
    assert pooled.value == pytest.approx(iqm(np.array([*scores["a"], *scores["b"]])))
    assert 0 < first.low < first.value < first.high < 1
    assert summary({"a": [0.3]}, rng=generator(0)) == (0.3, 0.3, 0.3)
    with pytest.raises(ValueError, match="at least one score"):
        summary({"a": []}, rng=generator(0))


def test_resampling_stays_within_strata():
    """Between the families nothing varies, so the interval is a point."""
    found = summary({"a": [0.0] * 5, "b": [1.0] * 5}, rng=generator(0))
    assert found == (0.5, 0.5, 0.5)


def test_welch_by_hand():
    """Two strata: variances 2.5 and 10 of five runs, 2.5 and 0 of four: sums by hand."""
    first = {"a": [1, 2, 3, 4, 5], "b": [3, 3, 3, 3]}
    second = {"a": [0, 2, 4, 6, 8], "b": [0, 1, 2, 3]}
    found = compare(first, second)
    squares = np.array([2.5 / 5, 10 / 5, 0, (5 / 3) / 4]) / 4
    error = math.sqrt(squares.sum())
    freedom = squares.sum() ** 2 / (squares**2 / [4, 4, 3, 3]).sum()
    assert found.change == pytest.approx((-1 + 1.5) / 2) and found.seeds == 4
    assert found.high - found.change == pytest.approx(t_quantile(freedom) * error)
    assert found.p == pytest.approx(t_tail(0.25 / error, freedom))


@pytest.mark.parametrize(
    ("freedom", "t"), [(1, 12.706), (2, 4.303), (4, 2.776), (8, 2.306), (30, 2.042), (500, 1.965)]
)
def test_the_t_distribution_is_that_of_the_tables(freedom, t):
    assert t_quantile(freedom) == pytest.approx(t, abs=6e-4)
    assert t_tail(-t, freedom) == pytest.approx(0.05, abs=5e-5)


def test_equal_and_constant_methods_are_not_separated():
    same = {"a": [0.5] * 5, "b": [0.2] * 5}
    assert compare(same, same) == (0.0, 0.0, 0.0, 1.0, 5)
    lower = {"a": [0.4] * 5, "b": [0.2] * 5}
    assert compare(same, lower)[:4] == pytest.approx((0.05, 0.05, 0.05, 0.0))
    assert improvement(same, lower, rng=generator(0)) == (0.75, 0.75, 0.75)


def test_seeds_that_tie_are_as_uncertain_as_one_task():
    """Two seeds of 8 tasks tie in one benchmark of nine; that is no certainty."""
    tied, constant = {"a": [0.25, 0.25]}, {"a": [0.125, 0.125]}
    found = compare(tied, constant, resolution=1 / 8)
    assert found.low < 0 < found.high and found.p > 0.05
    equal = compare(tied, tied, resolution=1 / 8)
    assert equal.p == 1 and equal.low < 0 < equal.high
    # by hand: the standard error of rounding two scores, which more seeds do not make smaller,
    # and one degree of freedom less than there are seeds
    error = (1 / 64 / 6) ** 0.5
    assert found.high - found.change == pytest.approx(12.706 * error, rel=1e-4)
    # seeds that differ have a variance of their own
    unequal = {"a": [0.25, 0.5]}
    assert compare(unequal, tied, resolution=1 / 64) == compare(unequal, tied)
    five = compare({"a": [1.0] * 5}, {"a": [0.0] * 5}, resolution=1 / 64)
    assert five.p < 1e-6 and five.low > 0.98


def test_families_count_alike_in_a_summary_as_in_a_comparison():
    """One arm has more seeds of the easy family: pooled it would lead where it does not."""
    more, fewer = {"easy": [0.9] * 5, "hard": [0.1]}, {"easy": [0.9], "hard": [0.3] * 5}
    first, second = (summary(scores, rng=generator(0)).value for scores in (more, fewer))
    change = compare(more, fewer).change
    assert first - second == pytest.approx(change) and change < 0


@pytest.mark.parametrize("seeds", [5, 10])
def test_intervals_of_seeds_that_tie_hold_the_truth(seeds):
    """Runs of little spread round to the same share of 8 tasks, all in the same direction."""
    rng, covered, tied = np.random.default_rng(0), 0, 0
    while tied < 400:
        truth = rng.random(2)
        runs = [np.round(8 * rng.normal(t, 0.005, seeds)) / 8 for t in truth]
        if all(len(set(r)) == 1 for r in runs):
            found = compare({"a": runs[0]}, {"a": runs[1]}, resolution=1 / 8)
            covered += found.low <= truth[0] - truth[1] <= found.high
            tied += 1
    assert covered >= 0.95 * tied


def test_one_seed_decides_nothing():
    found = compare({"a": [1.0]}, {"a": [0.1]})
    assert (found.low, found.high, found.p) == (-math.inf, math.inf, 1.0)


def test_different_strata_are_refused():
    for test in (compare, functools.partial(improvement, rng=generator(0))):
        with pytest.raises(ValueError, match="same strata, got"):
            test({"a": [1.0]}, {"b": [1.0]})


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm([0.6, 0.9]) == [1.0, 1.0] and holm([]) == []


def test_paired_tasks_cover_the_choice_of_tasks():
    rng = np.random.default_rng(0)
    found = paired_tasks({"a": rng.choice([0.0, 0.0, 1.0], 300)}, rng=generator(0))
    assert found.low < 1 / 3 < found.high and found.high - found.low < 0.13


def test_paired_tasks_count_by_family_and_are_drawn_within_it():
    """Nothing varies within a family, so the interval is a point, whatever their sizes."""
    found = paired_tasks({"large": [0.0] * 90, "small": [1.0] * 10}, rng=generator(0))
    assert found == (0.5, 0.5, 0.5)


def test_learners_of_known_order_are_ranked_right():
    """0.10 apart with a deviation of 0.05 over seeds: right in 95 of 100 benchmarks."""
    rng, right = np.random.default_rng(1), 0
    for _ in range(BENCHMARKS):
        arms = simulated([0.3, 0.4, 0.5], rng=rng)
        found = [compare(better, worse) for worse, better in itertools.pairwise(arms)]
        right += all(f.change > 0 for f in found) and max(holm([f.p for f in found])) <= 0.05
    assert right >= 0.95 * BENCHMARKS


@pytest.mark.parametrize("sds", [(0.05, 0.05), (0.02, 0.1)])
def test_equal_learners_are_separated_in_at_most_one_of_twenty_benchmarks(sds):
    rng, separated = np.random.default_rng(0), []
    for _ in range(LEVEL_BENCHMARKS):
        found = compare(*(simulated([0.4], sd=sd, rng=rng)[0] for sd in sds))
        separated.append(found.p <= 0.05)
        # the interval leaves out zero when the test rejects
        assert separated[-1] == (not found.low <= 0 <= found.high)
    if sds[0] == sds[1]:
        assert sum(separated[:BENCHMARKS]) <= 0.05 * BENCHMARKS
    assert np.mean(separated) <= 0.06  # 5 % and twice the deviation of a share of 2,000

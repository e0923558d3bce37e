"""Statistics over training seeds: what a benchmark may conclude from a few runs of each method.

`corgi_gym.benchmarks.intervals` is about the choice of test tasks in one run; this file is about
what another training seed would have given. Scores are mappings from a stratum (a task family) to
the scores of its runs, one a seed.

- Summaries, with percentile intervals of the stratified bootstrap: Agarwal, Schwarzer, Castro,
  Courville and Bellemare (2021), "Deep reinforcement learning at the edge of the statistical
  precipice", arXiv 2108.13264 (sections 4.2 and 4.3). With five seeds those intervals are too
  short (`docs/benchmark.md` has the measured coverage), so nothing is decided by them.
- Decisions: Welch's t over seeds with Satterthwaite's degrees of freedom, summed over strata (Welch
  1947, Biometrika 34:28-35; Satterthwaite 1946, Biometrics Bulletin 2:110-114), which Colas, Sigaud
  and Oudeyer (2019), arXiv 1904.06979, recommend for learners of unequal spread. In simulation it
  separates 4 to 5 % of equal learners with five seeds, and 5.8 % where one family has spreads of
  0.02 and 0.10 (`docs/benchmark.md`); a permutation test of the seeds' labels separated 6.6 % at
  that spread.
- Several comparisons: Holm (1979), "A simple sequentially rejective multiple test procedure",
  Scandinavian Journal of Statistics 6:65-70.

numpy only; every random number comes from an explicit seed, so a repeated call gives the same
bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corgi_gym.envs import stable_hash

Array = NDArray[np.float64]
Scores = Mapping[str, Sequence[float]]

LEVEL = 0.95
# Resamples of a bootstrap: the ends of an interval then move by less than its last shown digit.
RESAMPLES = 4_000
# The 95 % quantile with one degree of freedom, the fewest, is 12.7.
_LARGEST_T = 13.0
_HALVINGS = 40
# For integrals; with so many nodes their relative error is below 1e-5 at any degree of freedom.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
# Standard errors below this are rounding.
_ROUNDING = 1e-9


class Estimate(NamedTuple):
    """A number with the ends of its interval."""

    value: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two methods compared.

    Attributes:
        change: Mean over strata of the difference of means, first minus second.
        low: Lower end of its interval; ``-inf`` where one seed each says nothing about others.
        high: Upper end.
        p: Two-sided p-value; at most 0.05 exactly when the interval leaves out zero.
        seeds: Runs per method and stratum, the smallest number.
    """

    change: float
    low: float
    high: float
    p: float
    seeds: int


def generator(seed: int, *names: object) -> np.random.Generator:
    """A generator for one named use of ``seed``: what is computed elsewhere does not move it."""
    return np.random.default_rng(stable_hash("statistics", seed, *names))


# ---------------------------------------------------------------- summaries


def mean(values: Array) -> Array:
    """The mean over the last axis."""
    return values.mean(axis=-1)


def iqm(values: Array) -> Array:
    """The interquartile mean over the last axis: the mean without the lowest and highest quarter.

    ``int(n / 4)`` values are left out at each end, as scipy's ``trim_mean(..., 0.25)`` does, which
    Agarwal et al. (2021) use.

    Example:
        >>> float(iqm(np.array([0.0, 0.4, 0.5, 0.6, 9.0])))
        0.5
    """
    cut = values.shape[-1] // 4
    kept = np.sort(values, axis=-1)
    return kept[..., cut : values.shape[-1] - cut].mean(axis=-1)


def summary(
    scores: Scores,
    statistic: Callable[[Array], Array] = mean,
    *,
    pooled: bool = False,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic of each stratum's runs, and its mean over strata, with a bootstrap interval.

    Strata count alike, however many runs each has, as in `compare`. Runs are drawn again within
    each stratum (Agarwal et al. 2021, section 4.2), and the interval is that of percentiles. With
    one run per stratum nothing can be drawn, and the interval is the value itself.

    Args:
        scores: By stratum.
        statistic: Over the last axis.
        pooled: One statistic of all runs together, as for `iqm`, which few runs do not have.
        rng: Draws the runs.
        resamples: How often.

    Raises:
        ValueError: Without scores.

    Example:
        >>> summary({"a": [0.0], "b": [1.0, 1.0, 1.0]}, rng=generator(0)).value
        0.5
    """
    strata = _arrays(scores)

    def over(samples: list[Array]) -> Array:
        if pooled:
            return statistic(np.concatenate(samples, axis=-1))
        return mean(np.stack([statistic(sample) for sample in samples], axis=-1))

    drawn = over([_resample(s, resamples, rng) for s in strata])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(over(strata)), float(low), float(high))


def improvement(
    first: Scores, second: Scores, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate:
    """Probability that a run of the first method beats a run of the second, on a random stratum.

    The mean over strata of the Mann-Whitney share, ties counting half, with its bootstrap interval
    (Agarwal et al. 2021, section 4.3).

    Raises:
        ValueError: If the strata differ.

    Example:
        >>> improvement({"a": [3, 4]}, {"a": [1, 4]}, rng=generator(0)).value
        0.625
    """
    pairs = _pairs(first, second)
    drawn = [(_resample(a, resamples, rng), _resample(b, resamples, rng)) for a, b in pairs]
    value = np.mean([_wins(a, b) for a, b in pairs])
    low, high = np.quantile(
        np.mean([_wins(a, b) for a, b in drawn], axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    )
    return Estimate(float(value), float(low), float(high))


def _wins(first: Array, second: Array) -> Array:
    gap = first[..., :, None] - second[..., None, :]
    return ((gap > 0) + 0.5 * (gap == 0)).mean(axis=(-2, -1))


def _resample(values: Array, resamples: int, rng: np.random.Generator) -> Array:
    return values[rng.integers(len(values), size=(resamples, len(values)))]


# ---------------------------------------------------------------- decisions


def compare(first: Scores, second: Scores, *, resolution: float = 0.0) -> Comparison:
    """Compare two methods on the same strata, over their seeds: Welch's t, stratified.

    The change is the macro average over strata, its variance the sum of the squared standard errors
    of all its means; degrees of freedom are Satterthwaite's. Scores are means over many tasks, so
    they are near normal. A method whose runs do not differ (an untrained model) adds no variance.
    Runs that tie are equal as far as the scores can tell, and share one rounding error, which more
    seeds do not make smaller. So the variance is never less than that of rounding two scores to
    ``resolution`` in each stratum, which is the square of that over 6.

    Args:
        first: Scores by stratum.
        second: Those of the other method.
        resolution: The smallest step between two runs of a stratum, such as 1/64 for shares of 64
            tasks.

    Raises:
        ValueError: If the strata differ or are empty.

    Example:
        >>> found = compare({"a": [5, 6, 7, 8]}, {"a": [1, 2, 3, 4]})
        >>> found.change, round(found.low, 2), round(found.high, 2), round(found.p, 4)
        (4.0, 1.77, 6.23, 0.0047)
    """
    pairs = _pairs(first, second)
    samples = [sample for pair in pairs for sample in pair]
    change = float(np.mean([a.mean() - b.mean() for a, b in pairs]))
    seeds = min(map(len, samples))
    known = [sample for sample in samples if len(sample) > 1]
    if len(known) < len(samples):
        return Comparison(change, -math.inf, math.inf, 1.0, seeds)
    squares = np.array([s.var(ddof=1) / len(s) for s in samples]) / len(pairs) ** 2
    variance = float(squares.sum())
    least = resolution**2 / 6 / len(pairs)
    if not least and variance < _ROUNDING**2:
        return Comparison(change, change, change, float(abs(change) < _ROUNDING), seeds)
    if variance < least:
        variance, freedom = least, seeds - 1.0
    else:
        freedom = variance**2 / float((squares**2 / [len(s) - 1 for s in samples]).sum())
    error = math.sqrt(variance)
    half = t_quantile(freedom) * error
    return Comparison(change, change - half, change + half, t_tail(change / error, freedom), seeds)


def t_tail(t: float, freedom: float) -> float:
    """P(|T| > |t|) of Student's t with ``freedom`` degrees of freedom, at least 1.

    With t = sqrt(freedom) tan(a) the density becomes cos(a)^(freedom - 1), which is integrated by
    Gauss-Legendre quadrature.

    Example:
        >>> round(t_tail(2.776, 4), 4), round(t_tail(1.0, 1), 4)
        (0.05, 0.5)
    """
    start = math.atan(abs(t) / math.sqrt(freedom))
    return _cosine_area(start, freedom) / _cosine_area(0.0, freedom)


def _cosine_area(start: float, freedom: float) -> float:
    half = (math.pi / 2 - start) / 2
    return half * float(_WEIGHTS @ np.cos(start + half * (1 + _NODES)) ** (freedom - 1))


def t_quantile(freedom: float) -> float:
    """The t that `t_tail` gives 5 %: the half-width of a 95 % interval in standard errors.

    Example:
        >>> round(t_quantile(4), 3), round(t_quantile(8), 3)
        (2.776, 2.306)
    """
    low, high = 0.0, _LARGEST_T
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if t_tail(middle, freedom) > 1 - LEVEL:
            low = middle
        else:
            high = middle
    return high


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those of at most 5 % keeps any false rejection at 5 %.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


# ---------------------------------------------------------------- the same tasks


def paired_tasks(
    differences: Scores, *, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate:
    """Mean difference on the same tasks, families alike, with the bootstrap interval over tasks.

    Tasks are drawn again within their families. It covers the choice of tasks for the seeds at hand
    and not other seeds.

    Args:
        differences: By family; each value is one task's score under the first method minus that
            under the second, each averaged over its seeds.
        rng: Draws the tasks.
        resamples: How often.

    Raises:
        ValueError: Without differences.

    Example:
        >>> paired_tasks({"a": [1.0], "b": [0.0, 0.0, 0.0]}, rng=generator(0)).value
        0.5
    """
    return summary(differences, rng=rng, resamples=resamples)


def _arrays(scores: Scores) -> list[Array]:
    strata = [np.asarray(values, dtype=np.float64) for _, values in sorted(scores.items())]
    if not strata or not all(len(values) for values in strata):
        raise ValueError(f"every stratum needs at least one score, got {dict(scores)!r:.200}")
    return strata


def _pairs(first: Scores, second: Scores) -> list[tuple[Array, Array]]:
    if first.keys() != second.keys():
        raise ValueError(
            f"methods are compared on the same strata, got {sorted(first)} and {sorted(second)}"
        )
    return list(zip(_arrays(first), _arrays(second), strict=True))

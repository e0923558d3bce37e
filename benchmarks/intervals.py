"""Confidence intervals over tasks: shares of solved ones, the same tasks twice, ratios of sums.

They cover the choice of test tasks only. They say nothing about what another training seed would
have given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from corgi_gym.benchmarks.statistics import LEVEL, RESAMPLES, Estimate, generator

# Two-sided 95 % quantile of the standard normal distribution.
Z_95 = 1.959963984540054


def wilson(share: float, n: int, z: float = Z_95) -> tuple[float, float]:
    """The Wilson score interval of a share of ``n`` independent trials.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA
    22:209-212. Unlike the usual ± z·sqrt(p(1-p)/n) it stays within [0, 1], has a width at p = 0
    and covers well at small n (Brown, Cai and DasGupta 2001, Statistical Science 16:101-133).

    Example:
        >>> [round(v, 3) for v in wilson(0.0, 256)]
        [0.0, 0.015]
        >>> [round(v, 3) for v in wilson(0.5, 100)]
        [0.404, 0.596]
    """
    if n <= 0:
        return 0.0, 1.0
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def paired_change(
    before: Sequence[bool], after: Sequence[bool], z: float = Z_95
) -> tuple[float, float, float]:
    """Change of the share of successes on the same tasks, and its interval: (change, low, high).

    Agresti and Min (2005), "Simple improved confidence intervals for comparing matched
    proportions", Statistics in Medicine 24:729-740: the Wald interval for matched pairs after
    adding 0.5 to each cell of the 2 x 2 table. The change itself is the plain difference.

    Example:
        >>> [round(v, 3) for v in paired_change([False] * 100, [True] * 40 + [False] * 60)]
        [0.4, 0.295, 0.489]
    """
    n = len(before)
    if n == 0:
        return 0.0, -1.0, 1.0
    won = sum(b < a for b, a in zip(before, after, strict=True))
    lost = sum(b > a for b, a in zip(before, after, strict=True))
    total = n + 2
    centre = (won - lost) / total
    half = z * math.sqrt(won + lost + 1 - (won - lost) ** 2 / total) / total
    return (won - lost) / n, max(-1.0, centre - half), min(1.0, centre + half)


def ratio_intervals(
    ratios: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate | None]:
    """Ratios of sums over tasks, with percentile bootstrap intervals over tasks.

    A mean over tasks is such a ratio (of a value and 1 per task), and so is precision (kept and
    correct, over kept). Tasks are drawn again with all that belongs to them (Efron 1979, "Bootstrap
    methods: another look at the jackknife", Annals of Statistics 7:1-26), the same draws for every
    ratio. Where all tasks agree, nothing varies and the interval has no width.

    Args:
        ratios: Per name, numerator and denominator of each task.
        seed: Of the draws.
        resamples: Number of draws.

    Returns:
        Per name the ratio and the ends of its 95 % interval; None where its denominator is 0. Draws
        in which a denominator is 0 are left out of that ratio's interval.

    Raises:
        ValueError: For sequences of different lengths.

    Example:
        >>> found = ratio_intervals({"mean": ([0, 1, 1, 0], [1, 1, 1, 1])}, seed=0)["mean"]
        >>> found.value, found.low, found.high
        (0.5, 0.0, 1.0)
    """
    lengths = {len(side) for pair in ratios.values() for side in pair}
    if len(lengths) > 1:
        raise ValueError(f"every sequence needs one value per task, got lengths {sorted(lengths)}")
    count = max(lengths, default=0)
    if not count:
        return dict.fromkeys(ratios)
    draws = generator(seed, "ratios").multinomial(count, [1 / count] * count, size=resamples)
    found: dict[str, Estimate | None] = {}
    for name, (top, bottom) in ratios.items():
        whole = float(np.sum(bottom))
        if not whole:
            found[name] = None
            continue
        over, under = draws @ np.asarray(top, float), draws @ np.asarray(bottom, float)
        drawn = over[under != 0] / under[under != 0]
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        found[name] = Estimate(float(np.sum(top)) / whole, float(low), float(high))
    return found

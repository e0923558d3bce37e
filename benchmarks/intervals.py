"""Confidence intervals for shares of solved tasks: one sample, and the same tasks twice.

Both cover the choice of test tasks only. They say nothing about what another training seed would
have given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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

"""Gap, relative gap, precision, recall, coverage and pass@k, each with an interval over prompts.

Per prompt x there are n samples with utilities u_i in [0, 1] and a selection K of them, made by a
verifier (`corgi_gym.benchmarks.gap.selection`). With J_x = mean(u) and V_x = mean(u over K), or J_x
where K is empty (Mind the Gap, arXiv 2412.02674, section 2):

    J        = mean over x of J_x                  what the model generates
    verified = mean over x of V_x                  what is left after selection
    gap      = mean over x of V_x - J_x            definition 2.1
    relative = mean over x with J_x < 1 of (V_x - J_x) / (1 - J_x)      definition 2.2
    relative_aggregate = gap / (1 - J)             the same ratio, taken of the means

Every number is a ratio of two sums over prompts, so one bootstrap over prompts serves all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corgi_gym.benchmarks.intervals import ratio_intervals
from corgi_gym.benchmarks.statistics import RESAMPLES, Estimate

Ratios = dict[str, tuple[list[float], list[float]]]


@dataclass(frozen=True, slots=True)
class Judged:
    """The samples of one prompt with what a rule says of each.

    Attributes:
        utilities: u_i in [0, 1]; samples that the environment could not score are not among them.
        correct: Whether a sample solves its task.
        kept: Whether the rule keeps it; None where there was no verdict. Such a sample is not kept,
            is in no denominator of recall, and is counted.
    """

    utilities: Sequence[float]
    correct: Sequence[bool]
    kept: Sequence[bool | None]

    def __post_init__(self) -> None:
        if not len(self.utilities) == len(self.correct) == len(self.kept) > 0:
            raise ValueError(
                f"a prompt needs as many utilities as correct and kept flags, and at least one; "
                f"got {len(self.utilities)}, {len(self.correct)} and {len(self.kept)}"
            )

    @property
    def generated(self) -> float:
        """J_x."""
        return sum(self.utilities) / len(self.utilities)

    @property
    def verified(self) -> float:
        """V_x: the mean over what is kept, or J_x where nothing is."""
        kept = [u for u, keep in zip(self.utilities, self.kept, strict=True) if keep]
        return sum(kept) / len(kept) if kept else self.generated


def estimate(
    prompts: Sequence[Judged], *, seed: int, resamples: int = RESAMPLES
) -> dict[str, Estimate | None]:
    """The numbers of one rule on all prompts.

    Returns:
        ``J``, ``verified``, ``gap``, ``relative``, ``relative_aggregate``; ``coverage`` (share of
        prompts with a sample kept), ``kept`` (share of samples), ``precision`` (share of the kept
        that are correct), ``recall`` (share of the correct, among those with a verdict, that are
        kept) and ``unscored`` (share of samples without a verdict). None where a number does not
        exist, such as the precision of nothing.

    Example:
        >>> prompts = [Judged([1, 0], [True, False], [True, False]), Judged([0], [False], [False])]
        >>> found = estimate(prompts, seed=0)
        >>> found["J"].value, found["gap"].value, found["precision"].value
        (0.25, 0.25, 1.0)
    """
    return ratio_intervals(_rule_ratios(prompts), seed=seed, resamples=resamples)


def _rule_ratios(prompts: Sequence[Judged]) -> Ratios:
    ones = [1.0] * len(prompts)
    before = [p.generated for p in prompts]
    after = [p.verified for p in prompts]
    gaps = [v - j for v, j in zip(after, before, strict=True)]
    improvable = [float(j < 1.0) for j in before]
    relative = [g / (1 - j) if j < 1.0 else 0.0 for g, j in zip(gaps, before, strict=True)]
    samples = [float(len(p.kept)) for p in prompts]
    kept = [float(sum(k is True for k in p.kept)) for p in prompts]
    hits = [float(sum(_pairs(p, True))) for p in prompts]
    correct = [float(sum(c and k is not None for c, k in _zip(p))) for p in prompts]
    return {
        "J": (before, ones),
        "verified": (after, ones),
        "gap": (gaps, ones),
        "relative": (relative, improvable),
        "relative_aggregate": (gaps, [1 - j for j in before]),
        "coverage": ([float(k > 0) for k in kept], ones),
        "kept": (kept, samples),
        "precision": (hits, kept),
        "recall": (hits, correct),
        "unscored": ([float(sum(k is None for k in p.kept)) for p in prompts], samples),
    }


def _zip(prompt: Judged) -> Iterator[tuple[bool, bool | None]]:
    return zip(prompt.correct, prompt.kept, strict=True)


def _pairs(prompt: Judged, kept: bool) -> Iterator[bool]:
    """For each sample with this verdict, whether it is correct."""
    return (correct for correct, keep in _zip(prompt) if keep is kept)


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Chance that one of ``k`` samples, drawn from ``n`` without putting back, is correct.

    1 - C(n - c, k) / C(n, k), the unbiased estimate of Chen et al. (arXiv 2107.03374, section 2.1).

    Raises:
        ValueError: Unless 0 <= correct <= n and 1 <= k <= n.

    Example:
        >>> pass_at_k(4, 1, 2)
        0.5
    """
    if not (0 <= correct <= n and 1 <= k <= n):
        raise ValueError(f"pass@k needs 0 <= correct <= n and 1 <= k <= n, got {n, correct, k}")
    return 1 - math.comb(n - correct, k) / math.comb(n, k)


def powers_of_two(n: int) -> list[int]:
    """1, 2, 4 and so on up to ``n``, and ``n`` itself.

    Example:
        >>> powers_of_two(12)
        [1, 2, 4, 8, 12]
    """
    return sorted({2**i for i in range(n.bit_length())} | {n})


def pass_rates(
    correct: Sequence[Sequence[bool]], *, seed: int, resamples: int = RESAMPLES
) -> dict[int, Estimate | None]:
    """pass@k over prompts for k = 1, 2, 4, ... up to the samples that every prompt has.

    Args:
        correct: Per prompt, whether each sample solves it.
        seed: Of the bootstrap.
        resamples: Draws of the bootstrap.
    """
    ones = [1.0] * len(correct)
    ks = powers_of_two(min(map(len, correct))) if correct else []
    ratios = {str(k): ([pass_at_k(len(row), sum(row), k) for row in correct], ones) for k in ks}
    found = ratio_intervals(ratios, seed=seed, resamples=resamples)
    return {int(k): value for k, value in found.items()}

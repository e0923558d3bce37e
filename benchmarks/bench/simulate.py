"""How often the statistics are wrong, in simulated benchmarks whose truth is known.

    python -m corgi_gym.benchmarks.bench.simulate

Two learners with the same true success, a few families, a few seeds. Printed are how often they are
called different (`compare`, at 5 %), and how often the stratified bootstrap's 95 % interval of one
of them holds its true mean.
"""

from __future__ import annotations

import itertools

import numpy as np

from corgi_gym.benchmarks.statistics import compare, generator, summary

BENCHMARKS = 4_000
# Bootstrap resamples: what is estimated here is a share of benchmarks, not an interval's end.
_RESAMPLES = 400
TRUE = 0.4
SPREADS = ((0.05, 0.05), (0.02, 0.10))


def error_rates(
    seeds: int, families: int, spreads: tuple[float, float], benchmarks: int = BENCHMARKS
) -> tuple[float, float]:
    """Share of benchmarks that separate equal learners, and coverage of the bootstrap interval.

    Args:
        seeds: Runs per learner and family.
        families: Strata, each with its own level of difficulty.
        spreads: Deviation over seeds of the first and of the second learner.
        benchmarks: How many to simulate.
    """
    rng = generator(0, "simulate", seeds, families, spreads)
    separated = covered = 0
    for _ in range(benchmarks):
        level = TRUE + 0.1 * (np.arange(families) - (families - 1) / 2)
        first, second = (
            {str(i): rng.normal(level[i], spread, seeds) for i in range(families)}
            for spread in spreads
        )
        separated += compare(first, second).p <= 0.05
        found = summary(first, rng=rng, resamples=_RESAMPLES)
        covered += found.low <= TRUE <= found.high
    return separated / benchmarks, covered / benchmarks


def main() -> None:
    """Print a table."""
    print("| seeds | families | deviations | equal learners separated | bootstrap covers |")
    print("|---|---|---|---|---|")
    for spreads, families, seeds in itertools.product(SPREADS, (1, 3), (3, 5, 10)):
        separated, covered = error_rates(seeds, families, spreads)
        told = " and ".join(map(str, spreads))
        print(f"| {seeds} | {families} | {told} | {separated:.3f} | {covered:.3f} |")


if __name__ == "__main__":
    main()

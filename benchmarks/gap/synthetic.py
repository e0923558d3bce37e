"""A generator and a verifier whose gap is known in closed form: what the estimator must recover.

A sample is correct with probability p. A correct one is kept with probability r (recall), a wrong
one with probability f. Then a sample is kept with probability a = p r + (1 - p) f, a kept one is
correct with probability p r / a (the precision), and one that is not kept with probability
p (1 - r) / (1 - a). Given that something of a prompt's n samples is kept, each kept sample is
correct with the precision; else V_x is J_x of n samples that were all refused. Hence

    E[V_x] = (1 - (1 - a)^n) p r / a + (1 - a)^n p (1 - r) / (1 - a),    gap = E[V_x] - p.

For n to infinity the gap is precision - p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from corgi_gym.benchmarks.gap.estimator import Judged


@dataclass(frozen=True, slots=True)
class Pair:
    """A generator and its verifier.

    Attributes:
        accuracy: p in [0, 1].
        recall: r in [0, 1].
        false_accepts: f in [0, 1].
    """

    accuracy: float
    recall: float
    false_accepts: float

    @classmethod
    def of_precision(cls, accuracy: float, precision: float, recall: float) -> Pair:
        """The pair of which the precision is given instead of the false accepts.

        Raises:
            ValueError: If no verifier has this precision and recall.
        """
        accepts = accuracy * recall * (1 - precision) / (precision * (1 - accuracy))
        if not 0.0 <= accepts <= 1.0:
            raise ValueError(f"no verifier has precision {precision} and recall {recall}")
        return cls(accuracy, recall, accepts)

    def gap(self, samples: int) -> float:
        """The expected gap with ``samples`` per prompt.

        Example:
            >>> pair = Pair.of_precision(accuracy=0.5, precision=0.75, recall=0.6)
            >>> round(pair.gap(2), 3), round(pair.gap(4), 3), round(pair.gap(1000), 3)
            (0.1, 0.196, 0.25)
        """
        p, kept = self.accuracy, self.accuracy * self.recall
        kept += (1 - p) * self.false_accepts
        refused = (1 - kept) ** samples
        chosen = p * self.recall / kept if kept else 0.0
        left = p * (1 - self.recall) / (1 - kept) if kept < 1 else 0.0
        return (1 - refused) * chosen + refused * left - p

    def draw(self, prompts: int, samples: int, rng: np.random.Generator) -> list[Judged]:
        """Samples of the pair."""
        correct = rng.random((prompts, samples)) < self.accuracy
        chance = np.where(correct, self.recall, self.false_accepts)
        kept = rng.random((prompts, samples)) < chance
        return [
            Judged(c.astype(float).tolist(), c.tolist(), k.tolist())
            for c, k in zip(correct, kept, strict=True)
        ]

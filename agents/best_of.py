"""GRPO on sessions of independent attempts: the control at equal compute without feedback.

A session is k fresh conversations with the same prompt and its value the best of them, as CORGI's
reward is the best attempt of a conversation. Everything but the conversation is as in the method it
is compared with: an attempt's credit is what it and the later ones add to the best so far.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer
from corgi_gym.agents.independent import independent, merge
from corgi_gym.agents.rollout import Session


@dataclass
class BestOfConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` with the number of independent attempts.

    Args:
        best_of: Attempts of a session, at least 1. TRL counts conversations: ``num_generations``
            and the batch sizes must be ``best_of`` times those of sessions, which
            `corgi_gym.agents.training.make_trainer` sees to.
    """

    best_of: int = field(default=4)

    def __post_init__(self) -> None:
        if self.best_of < 1:
            raise ValueError(f"best_of must be at least 1, got {self.best_of!r}")
        super().__post_init__()
        if self.num_generations % self.best_of:
            raise ValueError(
                f"num_generations counts conversations here and must be a multiple of "
                f"best_of={self.best_of}, got {self.num_generations}"
            )


class BestOfTrainer(GuidedGRPOTrainer):
    """GRPO on the best of k independent attempts.

    Conversations are the rows of the loss; reports have sessions of k attempts.
    """

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        k = self.args.best_of
        # the rows of a task follow one another, so k of them are a session
        firsts = sessions[::k]
        singles, _ = super()._play(independent(firsts, k))
        self._merged = [merge(singles[i : i + k]) for i in range(0, len(singles), k)]
        return singles, self._merged

    def _attempt_values(self) -> list[list[float]]:
        size = self.num_generations // self.args.best_of
        values = self._compared([self._rewards(episode) for episode in self._merged], size)
        flat = iter([value for session in values for value in session if value is not None])
        return [[] if episode.unscored else [next(flat)] for episode in self._episodes]

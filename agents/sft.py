"""Supervised fine-tuning on demonstrations made from the tasks' witnesses.

Not `trl.SFTTrainer`, for one reason: what is trained on here is a session of the environment. So
the tokens, the masks, the rounds, the reports and the checkpoints are those of every other method,
the same tasks come in the same order, and each demonstration has passed the checker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from corgi_gym.agents.demonstrations import check_witnesses, demonstrate
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.weighted import ImitationConfig, ImitationTrainer


@dataclass
class SFTConfig(ImitationConfig):
    """`ImitationConfig` with the kind of demonstrations.

    Args:
        corrective: Share of demonstrations, in [0, 1], that begin with a near miss and the
            environment's feedback on it. Only the witness carries loss, never the near miss.
    """

    corrective: float = field(default=0.5)

    def __post_init__(self) -> None:
        if not 0.0 <= self.corrective <= 1.0:
            raise ValueError(f"corrective must be in [0, 1], got {self.corrective!r}")
        super().__post_init__()


class SFTTrainer(ImitationTrainer):
    """Cross-entropy on witnesses.

    A round has as many demonstrations as another method has sessions, each of another task. Nothing
    is sampled: the episodes of its reports are the demonstrations, not the policy.
    """

    _samples = False
    check_env = staticmethod(check_witnesses)

    def _sessions(self, indices: Sequence[int]) -> list[Session]:
        return super()._sessions(self._one_task_each(indices))

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        share = self.args.corrective
        episodes = [demonstrate(self.rollout, session, share) for session in sessions]
        return episodes, episodes

    def _attempt_values(self) -> list[list[float]]:
        """1 for the witness, which is the last attempt, and 0 for the near miss."""
        return [
            [float(a.success) for a in episode.attempts if not a.unscored]
            for episode in self._episodes
        ]

"""DAPO's two changes outside the loss: dynamic sampling and overlong reward shaping.

DAPO (Yu et al., arXiv 2503.14476) has four parts. Clip-higher (section 3.1) and the token-level
loss (3.3) are settings of the trainer; the other two are here:

- Dynamic sampling (3.2): a group whose sessions all earned the same teaches nothing, so its task is
  replaced by another until none is left or `resample_rounds` are used up. What remains then stays
  in the round without an advantage.
- Soft overlong punishment (3.4): a reply that comes near the token limit loses up to half of the
  full score. The paper takes up to 1 off rewards of -1 and 1; scores here go from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from accelerate.utils import gather_object

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer
from corgi_gym.agents.rollout import Session

# The paper's largest punishment, 1 for rewards that span 2, on scores that span 1.
_LARGEST = 0.5
# Rewards closer than this are equal, up to rounding.
_EQUAL = 1e-9


@dataclass
class DAPOConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` with DAPO's sampling and shaping.

    Args:
        resample_rounds: Times that groups without any difference are replaced by groups of new
            tasks, at least 0. Bounds the extra sampling to as many times a round's sessions.
        overlong_share: Last share of the token limit, in [0, 1], over which the punishment grows
            (the paper's 4,096 of 20,480 tokens are 0.2); 0 punishes nothing.
    """

    resample_rounds: int = field(default=2)
    overlong_share: float = field(default=0.2)

    def __post_init__(self) -> None:
        if self.resample_rounds < 0:
            raise ValueError(f"resample_rounds must be 0 or more, got {self.resample_rounds!r}")
        if not 0.0 <= self.overlong_share <= 1.0:
            raise ValueError(f"overlong_share must be in [0, 1], got {self.overlong_share!r}")
        super().__post_init__()


class DAPOTrainer(GuidedGRPOTrainer):
    """GRPO with dynamic sampling and soft overlong punishment."""

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        episodes, played = super()._play(sessions)
        size = self.num_generations
        if len(episodes) % size:
            raise ValueError(
                f"dynamic sampling needs whole groups in each process, got {len(episodes)} "
                f"sessions in groups of {size}; change sessions, num_generations or processes"
            )
        played = list(played)
        groups = [episodes[i : i + size] for i in range(0, len(episodes), size)]
        for extra in range(self.args.resample_rounds):
            flat = [number for number, group in enumerate(groups) if _is_flat(group)]
            if not flat:
                break
            indices = [self._fresh_task(extra, number, len(groups)) for number in flat]
            sessions = self._sessions_at(
                [number * size + i for number in flat for i in range(size)],
                [index for index in indices for _ in range(size)],
            )
            more, _ = super()._play(sessions)
            played += more
            for place, number in enumerate(flat):
                groups[number] = more[place * size : (place + 1) * size]
        self._log_share("dynamic/flat_groups", sum(map(_is_flat, groups)), len(groups))
        extra_sessions = sum(gather_object([len(played) - len(episodes)]))
        self._metrics["train"]["dynamic/extra_sessions"].append(float(extra_sessions))
        return [episode for group in groups for episode in group], played

    def _fresh_task(self, extra: int, number: int, groups: int) -> int:
        """Index of a task after all those of the run, another one for each replacement."""
        everywhere = groups * self.accelerator.num_processes
        number += groups * self.accelerator.process_index
        done = self.state.global_step // self.steps_per_round
        return (
            self.args.task_offset
            + len(self.train_dataset)
            + (done * self.args.resample_rounds + extra) * everywhere
            + number
        )

    def _rewards(self, episode: Episode) -> list[float | None]:
        limit = self.rollout.sampling.max_tokens
        lost = [
            overlong_punishment(attempt.tokens, limit, self.args.overlong_share)
            for attempt in episode.attempts
        ]
        rewards = zip(super()._rewards(episode), lost, strict=True)
        return [None if reward is None else reward - loss for reward, loss in rewards]


def overlong_punishment(tokens: int, limit: int, share: float) -> float:
    """What a reply loses for coming near the token limit (DAPO, equation 13, times a half).

    Args:
        tokens: Its length.
        limit: The token limit.
        share: Last part of the limit over which the punishment grows linearly, in [0, 1].

    Returns:
        0 up to ``(1 - share) * limit`` tokens, then up to 0.5 at the limit.

    Example:
        >>> [round(overlong_punishment(tokens, 100, 0.2), 3) for tokens in (80, 90, 100)]
        [0.0, 0.25, 0.5]
    """
    if share == 0.0:
        return 0.0
    over = tokens - (1 - share) * limit
    return _LARGEST * min(1.0, max(0.0, over / (share * limit)))


def _is_flat(group: list[Episode]) -> bool:
    """Whether all sessions that were scored earned the same."""
    rewards = [episode.reward for episode in group if not episode.unscored]
    return not rewards or max(rewards) - min(rewards) <= _EQUAL

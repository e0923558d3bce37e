"""Rejection sampling fine-tuning: cross-entropy on the replies that solved their task.

RFT (Yuan et al., arXiv 2308.01825): sample, keep what is right, drop duplicates, fine-tune. Keeping
is an indicator of the score (Mind the Gap, arXiv 2412.02674, section 2: reweighting by a threshold
on the verifier's utility). In a session the kept reply is the first one that solves, in the
conversation that led to it; the failed attempts before it are context and carry no loss, so that
the model learns to correct them and not to make them.

The loss is that of `corgi_gym.agents.weighted`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.weighted import ImitationConfig, ImitationTrainer


@dataclass
class RFTConfig(ImitationConfig):
    """`ImitationConfig` with the threshold of rejection sampling.

    Args:
        keep_score: Least score of a reply that is kept, in (0, 1]; 1 keeps solved tasks only.
    """

    keep_score: float = field(default=1.0)

    def __post_init__(self) -> None:
        if not 0.0 < self.keep_score <= 1.0:
            raise ValueError(f"keep_score must be in (0, 1], got {self.keep_score!r}")
        super().__post_init__()


class RFTTrainer(ImitationTrainer):
    """Rejection sampling fine-tuning, a round at a time, from the weights of the round before.

    The paper fine-tunes the first model once, on everything that was kept; here each round samples
    from the newest weights, so that a run compares with the other methods round by round.
    """

    def _attempt_values(self) -> list[list[float]]:
        """1 for the first reply that reaches `keep_score`, else 0.

        Once per conversation: two of a process that are the same word for word count as one.
        """
        seen: set[tuple[int, ...]] = set()
        values = []
        for episode in self._episodes:
            kept = _first_kept(episode, self.args.keep_score)
            if kept is not None:
                conversation = tuple(episode.token_ids[: episode.turn_ends[kept]])
                kept = None if conversation in seen else kept
                seen.add(conversation)
            scored = [t for t, attempt in enumerate(episode.attempts) if not attempt.unscored]
            values.append([float(t == kept) for t in scored])
        self._log_share("imitation/kept", sum(map(sum, values)), len(values))
        return values


def _first_kept(episode: Episode, score: float) -> int | None:
    """Number of the first attempt with at least this score."""
    for t, attempt in enumerate(episode.attempts):
        if not attempt.unscored and attempt.score >= score:
            return t
    return None

"""S2R: learn to solve, to verify and to try again, with a reward for each segment.

S2R (Ma et al., arXiv 2502.12853). A session alternates answers and the policy's own verdicts on
them. With c_t = 2 score_t - 1 (+1 for a right answer, -1 for a wrong one; between them for partial
scores, which the paper does not have), the process-level reward of

    an answer    is c_t,
    a verdict    is +1 if it is what the checker says of the answer before it, -1 if not, and 0
                 where there is no readable verdict,

and the outcome-level reward is c of the last answer, for the whole session. At the process level
the advantage is the reward minus the mean reward of the *other* sessions of the group at the same
place *after the same rewards* (``credit="prefix"``; the paper's baseline over actions of the same
reward context, as far as we know it), at the outcome level that of RLOO (``credit="loo"``).

The token with which a verdict begins also ends the answer. After an answer that earns nothing it
has the answer's advantage, and else the verdict's. Both rules matter. On the packaged model, with
the mean over the place alone (``credit="position"``) and this token always the verdict's, one round
was enough to unlearn the answer: "Feedback: No line starts with ..., Verdict: incorrect" is always
right, and the answer that was left out has no token to be blamed.

``bonus`` doubles (2.0) what the released code doubles as an option: the reward of an answer that
turns a wrong one into a right one, and of a verdict that confirms a right answer.

The paper fine-tunes on trial, verification and retry first; `warmup_rounds` does so with examples
made from witnesses and near misses (`corgi_gym.agents.self_checked.demonstrations`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import torch
from accelerate.utils import gather_object
from torch import Tensor

from corgi_gym.agents.batches import prompt_length
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOTrainer
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.self_checked import (
    SOLVE,
    VERIFY,
    Part,
    SelfCheckedConfig,
    check_self_checked,
    check_warmup,
    demonstrations,
    own_verdicts,
    parts_of,
)
from corgi_gym.agents.weighted import AfterWarmUp, ExampleRows, weight_rows

Level = Literal["process", "outcome"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass
class S2RConfig(SelfCheckedConfig):
    """`SelfCheckedConfig` with the rewards of segments.

    Args:
        level: ``"process"`` (a reward for each segment) or ``"outcome"`` (one for the session).
        bonus: Factor of the rewards for a correction and for confirming a right answer, at least 1.
    """

    level: str = field(default="process")
    bonus: float = field(default=1.0)

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"unknown level {self.level!r}; choose from {', '.join(LEVELS)}")
        if self.level == "outcome" and self.credit in ("position", "prefix"):
            raise ValueError(
                f"level='outcome' has one reward per session, and credit={self.credit!r} would "
                "give it to the last segment alone; set credit='loo'"
            )
        if not self.bonus >= 1.0:
            raise ValueError(f"bonus must be at least 1, got {self.bonus!r}")
        super().__post_init__()


class S2RTrainer(AfterWarmUp, ExampleRows, GuidedGRPOTrainer):
    """RLOO on solve and verify segments, after rounds of fine-tuning on demonstrations."""

    args: S2RConfig
    check_env = staticmethod(check_self_checked)
    check_settings = staticmethod(check_warmup)
    _compares = False  # segments and not attempts: equal answers with unlike verdicts teach, too
    # weights of a round of demonstrations; None in a round of sessions
    _weights: list[list[float]] | None = None

    def _sessions(self, indices: Sequence[int]) -> list[Session]:
        warming_up = self.round_number < self.args.warmup_rounds
        return super()._sessions(self._one_task_each(indices) if warming_up else indices)

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        self._weights = None
        if self.round_number >= self.args.warmup_rounds:
            return super()._play(sessions)
        examples, played = demonstrations(self.rollout, sessions)
        episodes, self._weights = self._rows_of(gather_object(examples), len(sessions), played[0])
        return episodes, played

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        if self._weights is not None:  # nobody sampled these tokens: the ratio is 1
            batch.pop("old_per_token_logps", None)
        return batch

    def _token_advantages(self, width: int) -> Tensor:
        """Advantages of shape (B, ``width``): each segment's on its own tokens, 0 elsewhere."""
        if self._weights is not None:
            return weight_rows(self._episodes, self._weights, width)
        parts = [parts_of(episode, self.rollout.codec) for episode in self._episodes]
        rewards = [
            self._segment_rewards(episode, own)
            for episode, own in zip(self._episodes, parts, strict=True)
        ]
        result = torch.zeros(len(self._episodes), width)
        for row, values in enumerate(self._compared(rewards, self.num_generations)):
            episode = self._episodes[row]
            blamed = [score == 0.0 for score in episode.scores]
            spread(values, parts[row], result[row], prompt_length(episode), blamed)
        return result

    def _segment_rewards(self, episode: Episode, parts: Sequence[Part]) -> list[float | None]:
        """The reward of each segment, None where it was not scored; see the module."""
        if self.args.level == "process":
            rewards = segment_rewards(episode, parts, self.args.bonus)
        else:
            last = [i for i, a in enumerate(episode.attempts) if not a.unscored][-1:]
            rewards = [
                outcome(episode) if [part.attempt] == last and part.kind == VERIFY else 0.0
                for part in parts
            ]
        # left in their places: a segment is compared with those at the same place of other sessions
        scored = [not episode.attempts[part.attempt].unscored for part in parts]
        return [reward if known else None for reward, known in zip(rewards, scored, strict=True)]


def spread(
    values: Sequence[float | None],
    parts: Sequence[Part],
    row: Tensor,
    start: int,
    blamed: Sequence[bool],
) -> None:
    """Write the advantage of each segment on its tokens, in place.

    Args:
        values: An advantage for each segment; None where the checker failed, which changes nothing.
        parts: The segments, from `corgi_gym.agents.self_checked.parts_of`.
        row: Advantages of the session's tokens after its prompt, shape (T,).
        start: Tokens of the prompt.
        blamed: For each attempt, whether the first token of its verdict has the answer's advantage.
    """
    answer = 0.0
    for part, value in zip(parts, values, strict=True):
        if value is None:
            continue
        row[part.first - start : part.end - start] = value
        if part.kind == SOLVE:
            answer = value
        elif blamed[part.attempt] and part.end > part.first:
            row[part.first - start] = answer


def outcome(episode: Episode) -> float:
    """The outcome-level reward: 2 score - 1 of the last answer that was scored (-1 if none was)."""
    scores = [attempt.score for attempt in episode.attempts if not attempt.unscored]
    return 2.0 * scores[-1] - 1.0 if scores else -1.0


def segment_rewards(episode: Episode, parts: Sequence[Part], bonus: float = 1.0) -> list[float]:
    """The process-level reward of each segment of a session, in [-``bonus``, ``bonus``].

    Args:
        episode: The session.
        parts: Its segments, from `corgi_gym.agents.self_checked.parts_of`.
        bonus: Factor for a correction and for confirming a right answer.
    """
    said = own_verdicts(episode)
    rewards = []
    for part in parts:
        attempt, verdict = episode.attempts[part.attempt], said[part.attempt].verdict
        right = attempt.score == 1.0
        if part.kind == SOLVE:
            before = episode.attempts[part.attempt - 1] if part.attempt else None
            # after a failed checker nobody knows whether there was anything to correct
            turned = right and before is not None and not before.unscored and before.score < 1.0
            rewards.append((2.0 * attempt.score - 1.0) * (bonus if turned else 1.0))
        elif verdict is None:
            rewards.append(0.0)
        else:
            agrees = verdict == right
            rewards.append((1.0 if agrees else -1.0) * (bonus if agrees and right else 1.0))
    return rewards

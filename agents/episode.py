"""One finished session as data, and what can be read off a list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any


@dataclass(slots=True)
class Attempt:
    """One attempt of a session.

    Attributes:
        reply: Its text.
        feedback: The message that answered it.
        score: In [0, 1] (0.0 if unscored).
        success: Whether it solved the task.
        unscored: Whether the checker failed on it.
        truncated: Whether it was cut at the token limit.
        problems: ``{"kind", "message", "where"}`` dicts.
        tokens: Length in tokens.
    """

    reply: str
    feedback: str
    score: float
    success: bool
    unscored: bool
    truncated: bool
    problems: list[dict[str, Any]]
    tokens: int


@dataclass(slots=True)
class Episode:
    """One session: its tokens, its attempts and what they were worth.

    ``token_ids``, ``model_mask`` and ``logprobs`` have one entry per token of the conversation;
    the mask is 1 on what the model wrote, and log-probs are 0.0 elsewhere. ``turn_ends[t]`` is the
    position after the last token of attempt ``t``.

    ``policy_version`` is the number that whoever ran it gave to the policy. ``weight_versions``
    holds the engine's own count of weight updates while the session was written, without repeats:
    one number, or several if weights changed between two attempts (`mixed_weights`).

    ``given`` are replies that the session began with (`corgi_gym.agents.running.Session.given`),
    with what the checker said of them. They are context, as the prompt is: the mask is 0 on them,
    and ``attempts``, ``turn_ends`` and ``step_rewards`` start after them.

    ``demonstrated`` is for sessions whose replies were given and not sampled; sessions that are
    read back from disk do not know it.
    """

    task: str
    task_id: str
    index: int
    seed: int
    policy_version: int
    token_ids: list[int] = field(default_factory=list)
    model_mask: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    turn_ends: list[int] = field(default_factory=list)
    step_rewards: list[float] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    given: list[Attempt] = field(default_factory=list)
    messages: list[dict[str, str]] = field(default_factory=list)
    weight_versions: list[int] = field(default_factory=list)
    demonstrated: bool = False

    @property
    def mixed_weights(self) -> bool:
        """Whether its attempts were written by different weights."""
        return len(self.weight_versions) > 1

    @property
    def scores(self) -> list[float]:
        """Score per attempt."""
        return [a.score for a in self.attempts]

    @property
    def reward(self) -> float:
        """The session's reward: the plain sum of its step rewards."""
        return float(sum(self.step_rewards))

    @property
    def best_score(self) -> float:
        """The best score over attempts."""
        return max(self.scores, default=0.0)

    @property
    def success(self) -> bool:
        """Whether any attempt solved the task."""
        return any(a.success for a in self.attempts)

    @property
    def unscored(self) -> bool:
        """Whether no attempt could be checked, so that the session says nothing."""
        return all(a.unscored for a in self.attempts)

    @property
    def model_tokens(self) -> int:
        """Tokens that the model wrote."""
        return sum(self.model_mask)

    @property
    def retries(self) -> int:
        """Attempts after the first; all of a session that began with given ones."""
        return max(0, len(self.attempts) - (not self.given))

    @property
    def repeats(self) -> int:
        """Retries that repeat the reply before them word for word."""
        replies = [a.reply.split() for a in (*self.given[-1:], *self.attempts)]
        return sum(a == b for a, b in pairwise(replies))

    def record(self) -> dict[str, Any]:
        """The episode as a JSON-ready dict, without its token arrays."""
        given = {"given": [asdict(a) for a in self.given]} if self.given else {}
        return {
            "task": self.task,
            "task_id": self.task_id,
            "index": self.index,
            "seed": self.seed,
            "policy_version": self.policy_version,
            "mixed_weights": self.mixed_weights,
            "prompt": self.messages[0]["content"] if self.messages else "",
            **given,
            "attempts": [asdict(a) for a in self.attempts],
            "reward": self.reward,
            "best_score": self.best_score,
            "success": self.success,
            "tokens": self.model_tokens,
        }


def success_by_attempt(episodes: Sequence[Episode], attempts: int) -> list[float]:
    """Success@1…``attempts``: the share of sessions solved within k attempts (CORGI, 1.4).

    Sessions that could not be checked at all are left out, and those that began with a given reply;
    an empty list gives zeros.
    """
    counted = [e for e in episodes if not (e.unscored or e.given)]
    solved_at = [next((i for i, a in enumerate(e.attempts) if a.success), None) for e in counted]
    total = max(1, len(counted))
    return [sum(s is not None and s < k for s in solved_at) / total for k in range(1, attempts + 1)]


def repeat_share(episodes: Sequence[Episode]) -> float:
    """Share of retries that repeat the previous reply word for word (0.0 without retries)."""
    retries = sum(e.retries for e in episodes)
    return sum(e.repeats for e in episodes) / retries if retries else 0.0

"""One session under way: its environment, its conversation as tokens, and its episode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from corgi_gym.agents.engines.base import (
    Completion,
    EngineError,
    GenerationRequest,
    weight_version,
)
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.envs import stable_hash

if TYPE_CHECKING:
    import gymnasium as gym

    from corgi_gym.agents.rollout import Rollout

# What a session needs of `gym.Env.reset`'s info; see `corgi_gym.agents.rollout.Rollout`.
RESET_INFO = ("task", "task_id", "messages")
# What `gym.Env.step` returns: observation, reward, terminated, truncated, info.
Step = tuple[str, Any, bool, bool, dict[str, Any]]


class Codec(Protocol):
    """Messages to token ids and back; see `corgi_gym.agents.codec.ChatCodec`."""

    stop_ids: tuple[int, ...]

    def start(self, message: str) -> list[int]:
        """Ids of the first user message."""
        ...

    def follow_up(self, message: str, reply_ids: Sequence[int]) -> list[int]:
        """Ids to append for the next user message."""
        ...

    def text(self, reply_ids: Sequence[int]) -> str:
        """Text of a reply."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """What to run.

    Attributes:
        index: Which task of the environment.
        seed: Seed of its sampling.
        task: Family, where ``index`` counts within one.
        max_attempts: Attempts of this session; ``None`` leaves them to the environment.
        given: Token ids of the replies that it begins with, each judged as if it had been sampled;
            they count among its attempts. None of them may end the session.
    """

    index: int
    seed: int
    task: str | None = None
    max_attempts: int | None = None
    given: tuple[tuple[int, ...], ...] = ()


class RunningSession:
    """One session of a rollout: `request`, `receive` the reply, judge it, `settle`, and again.

    While `has_given`, `take_given` stands in the place of `request` and `receive`.

    Args:
        rollout: Whose codec, sampling and limits it uses.
        name: Id of its requests.
        number: Its place among the sessions of the run.
        session: What to run.
        policy_version: Recorded on the episode.

    Raises:
        ValueError: If the task's prompt leaves no room for a reply.
    """

    __slots__ = (
        "_given", "_reply", "_sent", "_stopped", "env", "episode", "name", "number", "rollout",
    )  # fmt: skip

    def __init__(
        self, rollout: Rollout, name: str, number: int, session: Session, policy_version: int
    ) -> None:
        self.rollout, self.name, self.number = rollout, name, number
        self.env = rollout.environment()
        options: dict[str, Any] = {"index": session.index}
        if session.task is not None:
            options["task"] = session.task
        if session.max_attempts is not None:
            options["max_attempts"] = session.max_attempts
        try:
            self._begin(session, options, policy_version)
        except BaseException:
            rollout.release(self.env)
            raise

    def _begin(self, session: Session, options: dict[str, Any], policy_version: int) -> None:
        rollout = self.rollout
        message, info = self.env.reset(seed=session.seed % 2**32, options=options)
        if missing := [key for key in RESET_INFO if key not in info]:
            raise ValueError(
                f"{self.env.unwrapped!r:.80}: reset() returned an info without "
                f"{', '.join(map(repr, missing))}; an environment of your own is best made as a "
                "GuidedEnv with your checker or TaskSource"
            )
        self.episode = Episode(
            task=info["task"],
            task_id=info["task_id"],
            index=session.index,
            seed=session.seed,
            policy_version=policy_version,
            messages=info["messages"],
        )
        self._sent = _digest([])
        self._given = [list(ids) for ids in session.given]
        self._append(rollout.codec.start(message))
        rollout.check_length(len(self.episode.token_ids), self.episode.task_id)

    def __str__(self) -> str:
        """How errors call it."""
        e = self.episode
        number = len(e.given) + len(e.attempts) + 1
        return f"attempt {number} of {e.task_id} (index {e.index}, seed {e.seed})"

    @property
    def has_given(self) -> bool:
        """Whether its next reply is one that was given."""
        return len(self.episode.given) < len(self._given)

    @property
    def slow(self) -> bool:
        """Whether judging its reply can take long; environments say so by an attribute ``slow``."""
        return self.env.has_wrapper_attr("slow") and bool(self.env.get_wrapper_attr("slow"))

    def take_given(self) -> str:
        """Append the next given reply; returns its text."""
        self._reply, self._stopped = self._given[len(self.episode.given)], True
        self._append(self._reply)
        return self.rollout.codec.text(self._reply)

    def request(self) -> GenerationRequest:
        """Ask for the next reply."""
        episode = self.episode
        seed = stable_hash(episode.seed, episode.task_id, len(episode.attempts))
        ids = list(episode.token_ids)
        # what was sent before is sent again, token for token: a conversation only ever grows
        assert _digest(ids[: self._sent[0]]) == self._sent, "token ids of a session were rewritten"
        self._sent = _digest(ids)
        self._note_weights()
        return GenerationRequest(self.name, ids, self.rollout.sampling, seed)

    def receive(self, completion: Completion) -> str:
        """Append a reply; returns its text.

        Raises:
            EngineError: If there is none, or without its log-probs.
        """
        ids = completion.token_ids
        if not ids or len(ids) != len(completion.logprobs):
            raise EngineError(
                f"the engine returned {len(ids)} tokens with {len(completion.logprobs)} log-probs"
            )
        self._note_weights()
        self._append(ids, completion.logprobs)
        self.episode.turn_ends.append(len(self.episode.token_ids))
        self._reply, self._stopped = ids, completion.finish_reason != "length"
        return self.rollout.codec.text(ids)

    def settle(self, reply: str, step: Step) -> bool:
        """Record what the environment said; returns whether the session goes on."""
        message, reward, terminated, truncated, info = step
        episode, given = self.episode, self.has_given
        episode.messages = info["messages"]
        follow_up: list[int] = []
        cut = False
        if not (terminated or truncated):
            follow_up = self.rollout.codec.follow_up(message, self._reply)
            room = self.rollout.max_length - len(episode.token_ids) - len(follow_up)
            cut = room < self.rollout.sampling.max_tokens  # the next reply would not fit
        attempt = Attempt(
            reply=reply,
            feedback=message,
            score=info["score"],
            success=info["success"] or (cut and is_solved(self.env)),
            unscored=info["unscored"],
            truncated=not self._stopped,
            problems=info["problems"],
            tokens=len(self._reply),
        )
        if given:
            episode.given.append(attempt)
        else:
            episode.attempts.append(attempt)
            episode.step_rewards.append(float(reward))
        if terminated or truncated or cut:
            return False
        self._append(follow_up)
        return True

    def _note_weights(self) -> None:
        version, seen = weight_version(self.rollout.engine), self.episode.weight_versions
        if version not in seen[-1:]:
            seen.append(version)

    def _append(self, ids: Sequence[int], logprobs: Sequence[float] | None = None) -> None:
        """Append tokens; with log-probs they are the model's own."""
        episode = self.episode
        episode.token_ids.extend(ids)
        episode.model_mask.extend([int(logprobs is not None)] * len(ids))
        episode.logprobs.extend(logprobs if logprobs is not None else [0.0] * len(ids))


def is_solved(env: gym.Env[str, str]) -> bool:
    """Whether the last answer is right, if the session ends with it: environments have ``solved``.

    ``info["success"]`` of a session that judges itself says so only where the environment ended it.
    """
    return env.has_wrapper_attr("solved") and bool(env.get_wrapper_attr("solved"))


def _digest(ids: Sequence[int]) -> tuple[int, int]:
    """Length and hash: what proves a prefix without a copy of it."""
    return len(ids), hash(tuple(ids))

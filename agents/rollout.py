"""Many multi-turn episodes at once, without a barrier.

A reply that is finished is judged and its next turn submitted while others are still decoding, so
the engine is never drained to wait for the slowest session.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import gymnasium as gym

from corgi_gym.agents.engines.base import (
    Completion,
    Engine,
    EngineError,
    GenerationRequest,
    Sampling,
)
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.envs import stable_hash

# Numbers every `Rollout.run` of the process, so that the ids of requests are never used twice.
_RUNS = itertools.count()


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
    """

    index: int
    seed: int
    task: str | None = None
    max_attempts: int | None = None


class Rollout:
    """Runs sessions of one environment on one engine.

    Args:
        make_env: Makes one Gymnasium environment whose ``reset`` takes ``options={"index": i}``;
            environments are made as needed and used again.
        engine: Generates the replies.
        codec: The chat format.
        sampling: How to sample (its ``stop_ids`` are filled in from the codec).
        max_length: Longest conversation in tokens; a session that would exceed it ends early.
        concurrency: Sessions under way at once.

    Example:
        >>> from corgi_gym.agents.engines.scripted import CharCodec, ScriptedEngine
        >>> from corgi_gym.envs import GuidedEnv
        >>> def make_env():
        ...     return GuidedEnv(prompts=["Say hi."], checker=lambda reply, target: reply == "hi")
        >>> rollout = Rollout(make_env, ScriptedEngine(lambda text: "hi"), CharCodec(), Sampling())
        >>> rollout.run([Session(index=0, seed=0)])[0].success
        True
    """

    def __init__(
        self,
        make_env: Callable[[], gym.Env[str, str]],
        engine: Engine,
        codec: Codec,
        sampling: Sampling,
        *,
        max_length: int = 1024,
        concurrency: int = 256,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, got {concurrency!r}")
        self.make_env = make_env
        self.engine = engine
        self.codec = codec
        self.sampling = replace(sampling, stop_ids=tuple(codec.stop_ids))
        self.max_length = max_length
        self.concurrency = concurrency
        self._idle: list[gym.Env[str, str]] = []

    def run(
        self,
        sessions: Iterable[Session],
        *,
        policy_version: int = 0,
        on_episode: Callable[[Episode], None] | None = None,
    ) -> list[Episode]:
        """Run every session and return the episodes in the order of ``sessions``.

        Args:
            sessions: What to run.
            policy_version: Recorded on every episode.
            on_episode: Called with each episode as it ends.

        Raises:
            EngineError: If the engine fails; episodes that have ended were given to ``on_episode``.
            ValueError: For a task whose prompt leaves no room for a reply.
        """
        prefix = next(_RUNS)
        waiting = list(sessions)
        finished: list[Episode | None] = [None] * len(waiting)
        running: dict[str, _Running] = {}
        started = 0
        try:
            while started < len(waiting) or running:
                while started < len(waiting) and len(running) < self.concurrency:
                    run = _Running(self, prefix, started, waiting[started], policy_version)
                    running[run.name] = run
                    run.submit()
                    started += 1
                for completion in self.engine.poll():
                    run = running.get(completion.id)
                    if run is None:  # of a run whose engine step was interrupted midway
                        continue
                    if run.answer(completion):
                        continue
                    del running[run.name]
                    self._idle.append(run.env)
                    finished[run.number] = run.episode
                    if on_episode is not None:
                        on_episode(run.episode)
        finally:
            # interrupted (Ctrl-C) or failed: the engine must be free for whatever comes next
            if running:
                self.engine.cancel(running)
        return [e for e in finished if e is not None]

    def _environment(self) -> gym.Env[str, str]:
        return self._idle.pop() if self._idle else self.make_env()

    def close(self) -> None:
        """Close the environments (not the engine)."""
        while self._idle:
            self._idle.pop().close()


class _Running:
    """One session under way."""

    def __init__(
        self, rollout: Rollout, prefix: int, number: int, session: Session, version: int
    ) -> None:
        self.rollout, self.number, self.name = rollout, number, f"{prefix}-{number}"
        self.env = rollout._environment()
        options: dict[str, Any] = {"index": session.index}
        if session.task is not None:
            options["task"] = session.task
        if session.max_attempts is not None:
            options["max_attempts"] = session.max_attempts
        message, info = self.env.reset(seed=session.seed % 2**32, options=options)
        self.episode = Episode(
            task=info["task"],
            task_id=info["task_id"],
            index=session.index,
            seed=session.seed,
            policy_version=version,
            messages=info["messages"],
        )
        self._sent: list[int] = []
        self._append(rollout.codec.start(message))
        length = len(self.episode.token_ids)
        if length + rollout.sampling.max_tokens > rollout.max_length:
            raise ValueError(
                f"the prompt of task {self.episode.task_id!r} has {length} tokens, which with a "
                f"reply of {rollout.sampling.max_tokens} exceed max_length={rollout.max_length}; "
                "raise max_length or lower max_tokens"
            )

    def submit(self) -> None:
        """Ask for the next reply."""
        seed = stable_hash(self.episode.seed, self.episode.task_id, len(self.episode.attempts))
        ids = list(self.episode.token_ids)
        # what was sent before is sent again, token for token: a conversation only ever grows
        assert ids[: len(self._sent)] == self._sent, "token ids of a session were rewritten"
        self._sent = ids
        request = GenerationRequest(self.name, list(ids), self.rollout.sampling, seed)
        self.rollout.engine.submit(request)

    def answer(self, completion: Completion) -> bool:
        """Judge a reply; returns whether the session goes on (the next turn is submitted)."""
        codec, episode = self.rollout.codec, self.episode
        ids = completion.token_ids
        if not ids or len(ids) != len(completion.logprobs):
            raise EngineError(
                f"the engine returned {len(ids)} tokens with {len(completion.logprobs)} log-probs"
            )
        self._append(ids, completion.logprobs)
        episode.turn_ends.append(len(episode.token_ids))
        reply = codec.text(ids)
        message, reward, terminated, truncated, info = self.env.step(reply)
        episode.step_rewards.append(float(reward))
        episode.messages = info["messages"]
        episode.attempts.append(
            Attempt(
                reply=reply,
                feedback=message,
                score=info["score"],
                success=info["success"],
                unscored=info["unscored"],
                truncated=completion.finish_reason == "length",
                problems=info["problems"],
                tokens=len(ids),
            )
        )
        if terminated or truncated:
            return False
        follow_up = codec.follow_up(message, ids)
        room = self.rollout.max_length - len(episode.token_ids) - len(follow_up)
        if room < self.rollout.sampling.max_tokens:
            return False  # the next reply would not fit into the context
        self._append(follow_up)
        self.submit()
        return True

    def _append(self, ids: Sequence[int], logprobs: Sequence[float] | None = None) -> None:
        """Append tokens; with log-probs they are the model's own."""
        episode = self.episode
        episode.token_ids.extend(ids)
        episode.model_mask.extend([int(logprobs is not None)] * len(ids))
        episode.logprobs.extend(logprobs if logprobs is not None else [0.0] * len(ids))


def tokens_per_second(episodes: Sequence[Episode], seconds: float) -> float:
    """Model tokens per second of wall time."""
    return sum(e.model_tokens for e in episodes) / seconds if seconds > 0 else 0.0


def timed(
    rollout: Rollout, sessions: Iterable[Session], **kwargs: Any
) -> tuple[list[Episode], float]:
    """Run sessions; returns the episodes and the seconds that they took."""
    start = time.perf_counter()
    episodes = rollout.run(sessions, **kwargs)
    return episodes, time.perf_counter() - start

"""Many multi-turn episodes at once, without a barrier.

A reply that is finished is judged and its next turn submitted while others are still decoding, so
the engine is never drained to wait for the slowest session. A checker that can take long
(`corgi_gym.rewards.is_slow`) is called in a thread, so it does not stall decoding either.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import gymnasium as gym

from corgi_gym.agents.checks import Checks
from corgi_gym.agents.engines.base import Engine, Sampling
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.running import Codec, RunningSession, Session, Step

__all__ = ["Codec", "Rollout", "Session", "timed", "tokens_per_second"]

# Numbers every `Rollout.run` of the process, so that the ids of requests are never used twice.
_RUNS = itertools.count()
# Threads for slow checkers. They wait for others (worker processes, an endpoint) most of the time,
# so they are more than the cores of a small machine.
CHECKER_WORKERS = 8


class Rollout:
    """Runs sessions of one environment on one engine.

    Args:
        make_env: Makes one Gymnasium environment like `corgi_gym.envs.GuidedEnv`: its ``reset``
            takes ``options={"index": i}``, and infos have ``task``, ``task_id`` and ``messages``,
            those of ``step`` also ``score``, ``success``, ``unscored`` and ``problems``.
            Environments are made as needed and used again.
        engine: Generates the replies.
        codec: The chat format.
        sampling: How to sample (its ``stop_ids`` are filled in from the codec).
        max_length: Longest conversation in tokens; a session that would exceed it ends early.
        concurrency: Sessions start while fewer replies than this are asked for. As many sessions
            more may be under way while slow checkers judge them, so that decoding never waits for a
            checker; where many verdicts come at once, their next replies are asked for at once too.
        checker_workers: Threads for slow checkers; 0 judges everything in turn.

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
        checker_workers: int = CHECKER_WORKERS,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, got {concurrency!r}")
        if checker_workers < 0:
            raise ValueError(f"checker_workers must be 0 or more, got {checker_workers!r}")
        self.make_env = make_env
        self.engine = engine
        self.codec = codec
        self.sampling = replace(sampling, stop_ids=tuple(codec.stop_ids))
        self.max_length = max_length
        self.concurrency = concurrency
        self.checker_workers = checker_workers
        self._idle: list[gym.Env[str, str]] = []
        self._threads = self._new_threads()

    def check_length(self, tokens: int, task_id: str) -> None:
        """Check that a prompt leaves room for a reply.

        Args:
            tokens: Its length.
            task_id: Whose prompt it is.

        Raises:
            ValueError: If it does not.
        """
        if tokens + self.sampling.max_tokens > self.max_length:
            raise ValueError(
                f"the prompt of task {task_id!r} has {tokens} tokens, which with a reply of "
                f"{self.sampling.max_tokens} exceed max_length={self.max_length}; raise max_length "
                "or lower max_tokens"
            )

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
            on_episode: Called with each episode as it ends, in this thread.

        Raises:
            EngineError: If the engine fails; episodes that have ended were given to ``on_episode``.
            ValueError: For a task whose prompt leaves no room for a reply, and a given reply that
                ends its session.
            Exception: Whatever an environment's ``step`` raises, with a note that names the
                session, after the other episodes that have ended were given to ``on_episode``.
        """
        prefix = next(_RUNS)
        waiting = deque(enumerate(sessions))
        finished: list[Episode | None] = [None] * len(waiting)
        running: dict[str, RunningSession] = {}
        given: deque[RunningSession] = deque()  # whose next reply is there already
        checks: Checks[tuple[RunningSession, str]] = Checks(self._threads)
        try:
            while waiting or running:
                while waiting and self._has_room(running, checks):
                    number, session = waiting.popleft()
                    run = RunningSession(
                        self, f"{prefix}-{number}", number, session, policy_version
                    )
                    running[run.name] = run
                    self._ask(run, given)
                failure: Exception | None = None
                for run, reply, judge in self._replies(running, given, checks, bool(waiting)):
                    try:
                        step = judge()
                    except Exception as error:
                        error.add_note(f"while judging {run}")
                        failure = failure or error
                        continue
                    if run.settle(reply, step):
                        self._ask(run, given)
                        continue
                    if not run.episode.attempts:
                        raise ValueError(f"a given reply ends its session, at {run}")
                    del running[run.name]
                    self._idle.append(run.env)
                    finished[run.number] = run.episode
                    if on_episode is not None:
                        on_episode(run.episode)
                if failure is not None:
                    raise failure
        finally:
            # interrupted (Ctrl-C) or failed: the engine must be free for whatever comes next
            if running:
                judged = {run.name for run, _ in checks.cancel()}
                for name, run in running.items():
                    if name not in judged:  # that one's environment is still used by a thread
                        self.release(run.env)
                self.engine.cancel(running)
        return [e for e in finished if e is not None]

    def _ask(self, run: RunningSession, given: deque[RunningSession]) -> None:
        """Ask for a session's next reply, where it is not given."""
        if run.has_given:
            given.append(run)
        else:
            self.engine.submit(run.request())

    def _has_room(self, running: dict[str, RunningSession], checks: Checks[Any]) -> bool:
        """Whether one more session may start."""
        asked_for = len(running) - checks.pending
        return asked_for < self.concurrency and len(running) < 2 * self.concurrency

    def _replies(
        self,
        running: dict[str, RunningSession],
        given: deque[RunningSession],
        checks: Checks[tuple[RunningSession, str]],
        more: bool,
    ) -> Iterator[tuple[RunningSession, str, Callable[[], Step]]]:
        """Replies that can be settled: their session, their text, and how to get the verdict.

        Advances the engine, unless every session waits for its checker: then waits with them
        (unless ``more`` sessions can start instead).
        """
        if len(running) > checks.pending:
            for run, reply in self._written(running, given):
                if self.checker_workers and run.slow:
                    checks.start((run, reply), run.env.step, reply)
                else:
                    yield run, reply, lambda run=run, reply=reply: run.env.step(reply)
        idle = len(running) == checks.pending and not (more and self._has_room(running, checks))
        for (run, reply), judge in checks.finished(wait=idle):
            yield run, reply, judge

    def _written(
        self, running: dict[str, RunningSession], given: deque[RunningSession]
    ) -> Iterator[tuple[RunningSession, str]]:
        """The next replies: those that are given, and where there are none those of the engine."""
        if given:
            for _ in range(len(given)):
                run = given.popleft()
                yield run, run.take_given()
            return
        for completion in self.engine.poll():
            run = running.get(completion.id)
            if run is not None:  # else of a run whose engine step was interrupted midway
                yield run, run.receive(completion)

    def environment(self) -> gym.Env[str, str]:
        """An environment that no session uses."""
        return self._idle.pop() if self._idle else self.make_env()

    def release(self, env: gym.Env[str, str]) -> None:
        """Give back an environment from `environment`."""
        self._idle.append(env)

    def _new_threads(self) -> ThreadPoolExecutor:
        """Threads for checkers; none starts before it is needed."""
        return ThreadPoolExecutor(max(1, self.checker_workers), thread_name_prefix="checker")

    def close(self) -> None:
        """Close the environments and end the threads (not the engine); it can be used again."""
        self._threads.shutdown(cancel_futures=True)
        self._threads = self._new_threads()
        while self._idle:
            self._idle.pop().close()


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

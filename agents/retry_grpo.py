"""GRPO whose retries start from one failed reply, so that they are compared like with like.

In a group of sessions everyone has failed in another way by the second attempt, so the baseline of
a retry is a mean over other situations than its own, and over few of them where most sessions are
solved at once. And each retry costs the tokens of the attempt before it.

Here a round has two kinds of groups. Some sample first replies, one attempt each. The others begin
where an earlier session failed: all sessions of such a group get the same task, the same failed
reply of the policy's own and the checker's feedback on it, and go on from there, so that their
retries differ in nothing but what was sampled. The failed reply is context, without a loss, and
costs no tokens. Starting from states that were visited before is the reset of DR-PO (Chang et al.,
arXiv 2404.08495), with the policy's own failures in the place of an offline data set.

What it gives up: a first reply is paid for its own score alone, and not for what it leads to; and
the failures are those of the policy of a round or more before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from accelerate.utils import gather_object

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer
from corgi_gym.agents.running import RunningSession, Session
from corgi_gym.envs import stable_hash

_NAME = "retry"


class Failure(NamedTuple):
    """A first reply that did not solve its task."""

    index: int
    reply: tuple[int, ...]


@dataclass
class RetryGRPOConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` for groups of retries.

    Args:
        single_attempt_share: Share of each round's tasks, above 0 and up to 1, whose sessions have
            one attempt; the other groups retry what failed there.
        kept_failures: Failed replies that wait for a group, at least 1. The newest are taken first,
            each once, and the oldest dropped; a group for which there is none plays whole sessions.
    """

    single_attempt_share: float = field(default=0.5)
    kept_failures: int = field(default=16)

    def __post_init__(self) -> None:
        if self.kept_failures < 1:
            raise ValueError(f"kept_failures must be 1 or more, got {self.kept_failures!r}")
        if self.single_attempt_share == 0.0:
            raise ValueError(
                "single_attempt_share must be above 0: retries begin after failed first attempts, "
                "which are sampled there; 0.5 is the default"
            )
        super().__post_init__()


class RetryGRPOTrainer(GuidedGRPOTrainer):
    """GRPO on first attempts and on retries of one failed attempt, in groups of their own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # those of all processes, the newest last
        self._failures: list[Failure] = []

    def checkpoint_state(self) -> dict[str, Any]:
        """With the failed replies that wait."""
        return {**super().checkpoint_state(), "failures": [tuple(f) for f in self._failures]}

    def load_checkpoint_state(self, state: dict[str, Any]) -> None:
        """Take over what `checkpoint_state` returned."""
        super().load_checkpoint_state(state)
        self._failures = [Failure(*f) for f in state["failures"]]

    def _sessions(self, indices: Sequence[int]) -> list[Session]:
        sessions = super()._sessions(indices)
        if self._one_attempt_only:
            return sessions
        size, first = self.num_generations, self.accelerator.process_index * len(indices)
        groups = range(self.accelerator.num_processes * len(indices) // size)
        # every process hands out all of them, and so the same
        retried = {
            group: self._failures.pop()
            for group in groups
            if not self._is_single(group * size) and self._failures
        }
        return [
            replace(session, index=failure.index, given=(failure.reply,))
            if (failure := retried.get((first + i) // size))
            else session
            for i, session in enumerate(sessions)
        ]

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        episodes, played = super()._play(sessions)
        everywhere = gather_object(self._failed(episodes))
        new = list({failure.index: failure for failure in everywhere}.values())
        self._failures = [*self._failures, *new][-self.args.kept_failures :]
        retries = [episode for episode in episodes if episode.given]
        self._log_share("retry/solved", sum(e.success for e in retries), len(retries))
        return episodes, played

    def _failed(self, episodes: Sequence[Episode]) -> list[Failure]:
        """For each task one first reply that failed and can be retried, if there is one."""
        failures: dict[int, list[Failure]] = {}
        for episode in episodes:
            first = episode.attempts[0]
            if not (episode.given or first.success or first.unscored):
                end = episode.turn_ends[0]
                reply = tuple(episode.token_ids[end - first.tokens : end])
                failures.setdefault(episode.index, []).append(Failure(episode.index, reply))
        step = self.state.global_step
        chosen = [
            of_task[stable_hash(_NAME, self.args.seed, step, index) % len(of_task)]
            for index, of_task in failures.items()
        ]
        return [failure for failure in chosen if self._goes_on(failure)]

    def _goes_on(self, failure: Failure) -> bool:
        """Whether there is room for another reply after it. A slow checker is waited for."""
        session = Session(failure.index, seed=0, given=(failure.reply,))
        run = RunningSession(self.rollout, _NAME, 0, session, self.state.global_step)
        try:
            return run.settle(reply := run.take_given(), run.env.step(reply))
        finally:
            self.rollout.release(run.env)

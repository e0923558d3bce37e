"""Scores of a curriculum's pool: sessions of the current policy, and the reference's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from corgi_gym.agents.curriculum import PoolTask
from corgi_gym.agents.curriculum_settings import PoolSpec
from corgi_gym.agents.demonstrations import guided, play
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.agents.teacher import Teacher, make_teacher
from corgi_gym.envs import stable_hash


class PoolScorer:
    """Plays the tasks of a pool with the run's own environments, engine and chat format.

    Args:
        rollout: The run's.
        spec: Sessions and attempts per task.
        seed: Of the run.
    """

    def __init__(self, rollout: Rollout, spec: PoolSpec, seed: int) -> None:
        self.rollout, self.spec, self.seed = rollout, spec, seed
        reference: Mapping[str, Any] = getattr(spec, "reference", {})
        self.reference: Teacher | None = make_teacher(reference, rollout) if reference else None

    def __call__(
        self, indices: Sequence[int], round_number: int
    ) -> tuple[list[PoolTask | None], int]:
        """Score tasks.

        Returns:
            The tasks in their order, None for one that could not be scored, and the tokens that the
            policy wrote.

        Raises:
            EngineError: If an engine fails: no score is made up for it.
        """
        episodes = self._sessions(indices, round_number)
        size = self.spec.samples
        references = self._references(indices)
        tasks: list[PoolTask | None] = []
        for place, index in enumerate(indices):
            played = [e for e in episodes[place * size : (place + 1) * size] if not e.unscored]
            reference = references[place]
            if not played or reference is None:
                tasks.append(None)
                continue
            tasks.append(
                PoolTask(
                    index=index,
                    family=played[0].task,
                    score=fmean(e.best_score for e in played),
                    success=fmean(float(e.success) for e in played),
                    reference=reference,
                )
            )
        return tasks, sum(e.model_tokens for e in episodes)

    def _sessions(self, indices: Sequence[int], round_number: int) -> list[Episode]:
        """One greedy session of each task, or several at the training temperature."""
        run = self.rollout
        greedy = self.spec.samples == 1
        sampling = replace(run.sampling, temperature=0.0) if greedy else run.sampling
        scoring = Rollout(
            run.make_env, run.engine, run.codec, sampling,
            max_length=run.max_length, concurrency=run.concurrency,
            checker_workers=run.checker_workers,
        )  # fmt: skip
        sessions = [
            Session(
                index=index,
                seed=stable_hash("curriculum score", self.seed, round_number, index, number),
                max_attempts=self.spec.attempts,
            )
            for index in indices
            for number in range(self.spec.samples)
        ]
        try:
            return scoring.run(sessions)
        finally:
            scoring.close()

    def _references(self, indices: Sequence[int]) -> list[float | None]:
        """The reference's score of each task; None where it could not be asked or checked."""
        if self.reference is None:
            return [1.0] * len(indices)
        return [
            None if episode is None or episode.unscored else episode.best_score
            for episode in taught(self.rollout, self.reference, indices, 0.0, self.seed)
        ]


def taught(
    rollout: Rollout, teacher: Teacher, indices: Sequence[int], temperature: float, seed: int
) -> list[Episode | None]:
    """A teacher's first reply to each task as a session; None where the task is too long for it."""
    env = guided(rollout)
    prompts = [env.reset(options={"index": index})[0] for index in indices]
    answers = teacher.answers(prompts, temperature, seed)
    return [
        None if answer is None else play(rollout, Session(index, seed, max_attempts=1), [answer])
        for index, answer in zip(indices, answers, strict=True)
    ]

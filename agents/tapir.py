"""TAPIR's distillation: cross-entropy on a teacher's replies to the tasks of a curriculum.

TAPIR (arXiv 2405.13448) trains in rounds r on alpha_r E_hard[CE] + (1 - alpha_r) E_easy[CE], with
the types of task weighted, from the student of the round before, which the difficulties are scored
with again. Here the curriculum (`corgi_gym.agents.curriculum.Tapir`) draws the tasks, the teacher
answers them, the checker drops answers that it does not pass, and the weight of a reply gives the
strata and families of a round exactly the shares that the curriculum draws them with.

Not here: the paper's teacher invents new tasks like the hard ones and rewrites its answers in a
style per type. Our families make new tasks of the same kind without end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
from accelerate.utils import gather_object

from corgi_gym.agents.curriculum import Tapir
from corgi_gym.agents.curriculum_scores import taught
from corgi_gym.agents.demonstrations import check_witnesses, demonstrate
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.replay import Example, Piece
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.teacher import POLICY, Teacher, check_teacher, make_teacher
from corgi_gym.agents.weighted import ExampleTrainer, ImitationConfig

Row = tuple[int, str, str, str, str]


@dataclass
class TapirConfig(ImitationConfig):
    """`ImitationConfig` with the teacher.

    Args:
        teacher: Options of `corgi_gym.agents.teacher.make_teacher`; empty for the tasks' witnesses.
        teacher_temperature: At which it answers.
        keep_score: Least score in [0, 1] of an answer that is learned from; 0 keeps every answer,
            as the paper does.
        max_weight: Largest weight of a reply, at least 1: one reply of a rare kind should not be
            the whole round.
    """

    teacher: dict[str, Any] = field(default_factory=dict)
    teacher_temperature: float = field(default=0.0)
    keep_score: float = field(default=1.0)
    max_weight: float = field(default=5.0)

    def __post_init__(self) -> None:
        if not 0.0 <= self.keep_score <= 1.0:
            raise ValueError(f"keep_score must be in [0, 1], got {self.keep_score!r}")
        if not self.teacher_temperature >= 0.0:
            raise ValueError(
                f"teacher_temperature must be at least 0, got {self.teacher_temperature!r}"
            )
        if not self.max_weight >= 1.0:
            raise ValueError(f"max_weight must be at least 1, got {self.max_weight!r}")
        if self.teacher:
            check_teacher(self.teacher)
        super().__post_init__()


class TapirTrainer(ExampleTrainer):
    """Weighted cross-entropy on a teacher's replies, a task of its own for each session."""

    _samples = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = self.args.teacher
        self._teacher = make_teacher(options, self.rollout) if options else None

    def teachers(self) -> list[Teacher]:
        """See `GuidedGRPOTrainer.teachers`."""
        return [*super().teachers(), *([self._teacher] if self._teacher else [])]

    @staticmethod
    def check_settings(settings: dict[str, Any], env: gym.Env[str, str]) -> None:
        """See `GuidedGRPOTrainer.check_settings`."""
        if settings.get("teacher"):
            check_teacher(settings["teacher"])
        else:
            check_witnesses(env)

    def _examples(self, sessions: list[Session]) -> tuple[list[Example], list[Episode]]:
        played = self._answers(sessions)
        mine = [
            (e.index, e.task, e.task_id, e.messages[0]["content"], e.attempts[0].reply)
            for e in played
            if not e.unscored and e.best_score >= self.args.keep_score
        ]
        self._log_share("tapir/kept", len(mine), len(played))
        rows: list[Row] = gather_object(mine)
        weights = self._weights_of([index for index, *_ in rows])
        examples = [
            Example.single(family, prompt, Piece(reply, weight), task_id=task_id)
            for (_, family, task_id, prompt, reply), weight in zip(rows, weights, strict=True)
        ]
        return examples, played

    def _answers(self, sessions: list[Session]) -> list[Episode]:
        """The teacher's replies, played; tasks that are too long for it are left out.

        Raises:
            ValueError: If all of them are.
        """
        if self._teacher is None:
            return [demonstrate(self.rollout, session, 0.0) for session in sessions]
        if self.args.teacher.get("engine") == POLICY:
            self.sync()
        found = taught(
            self.rollout,
            self._teacher,
            [session.index for session in sessions],
            self.args.teacher_temperature,
            self.args.seed,
        )
        answered = [episode for episode in found if episode is not None]
        if not answered:
            raise ValueError(
                "every task of this round is too long for the teacher: raise its max_length (with "
                f"engine: {POLICY} that of the run) or lower its max_tokens"
            )
        return answered

    def _weights_of(self, indices: list[int]) -> list[float]:
        """The weight of each reply, with the mean 1; all alike under another curriculum."""
        if not indices or not isinstance(self.curriculum, Tapir):
            return [1.0] * len(indices)
        weights = self.curriculum.task_weights(indices, self.round_number)
        return [min(weight, self.args.max_weight) for weight in weights]

"""A trainer whose tasks a curriculum draws: scores in time, and whole after a resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corgi_gym.agents.curriculum import Curriculum, Pooled, Uniform, make_curriculum
from corgi_gym.agents.curriculum_scores import PoolScorer
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.rollout import Rollout


class CurriculumTrainer:
    """Mixed into `corgi_gym.agents.grpo.GuidedGRPOTrainer`.

    Attributes:
        curriculum: Uniform unless `use_curriculum` was called.
    """

    # what the trainer brings
    args: Any
    state: Any
    train_dataset: Any
    rollout: Rollout
    steps_per_round: int

    curriculum: Curriculum = Uniform()
    _pool_scorer: PoolScorer | None = None
    _scoring_tokens = 0

    def use_curriculum(self, spec: Mapping[str, Any]) -> None:
        """Draw tasks as ``train.curriculum`` of a recipe says; before training starts.

        Raises:
            ValueError: For a name, a key or a value that does not exist.
            EngineError: If a reference model's engine cannot start.
        """
        self.curriculum = make_curriculum(
            spec,
            rounds=self.args.max_steps // self.steps_per_round,
            seed=self.args.seed,
            first=self.args.task_offset + len(self.train_dataset),
        )
        if isinstance(self.curriculum, Pooled):
            self._pool_scorer = PoolScorer(self.rollout, self.curriculum.spec, self.args.seed)

    @property
    def round_number(self) -> int:
        """The round under way, from 0."""
        return int(self.state.global_step // self.steps_per_round)

    def sync(self) -> None:
        """Bring the engine to the current weights."""
        raise NotImplementedError

    def _score_pool(self) -> None:
        """Score the pool with the current weights, where a new stage begins."""
        self._scoring_tokens = 0
        indices = self.curriculum.pool_indices(self.round_number)
        if not indices or self._pool_scorer is None:
            return
        self.sync()
        here = Processes.current()
        # each process scores its part, and all of them draw from the whole
        mine, tokens = self._pool_scorer(here.share(indices), self.round_number)
        scored = [task for task in here.gather(mine) if task is not None]
        self._scoring_tokens = sum(here.gather([tokens]))
        self.curriculum.take_scores(self.round_number, scored)

    def _curriculum_row(self, played: list[Episode]) -> dict[str, Any] | None:
        """What the round's row of ``metrics.jsonl`` says of the curriculum."""
        row = self.curriculum.summary(self.round_number, played)
        return row and {**row, "scoring_tokens": self._scoring_tokens}

    def checkpoint_state(self) -> dict[str, Any]:
        """What checkpoints hold; see `corgi_gym.agents.checkpoints.SurvivingTrainer`."""
        state: dict[str, Any] = super().checkpoint_state()  # type: ignore[misc]
        own = self.curriculum.state()
        return {**state, "curriculum": own} if own else state

    def load_checkpoint_state(self, state: dict[str, Any]) -> None:
        """Take over what `checkpoint_state` returned."""
        super().load_checkpoint_state(state)  # type: ignore[misc]
        if "curriculum" in state:
            self.curriculum.load_state(state["curriculum"])

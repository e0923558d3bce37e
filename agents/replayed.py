"""Cross-entropy on a file of weighted examples (`corgi_gym.agents.replay`), pass by pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.replay import Example, ReplayBuffer, encode
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.weighted import ExampleTrainer, ImitationConfig
from corgi_gym.envs import stable_hash


@dataclass
class ReplayConfig(ImitationConfig):
    """`ImitationConfig` with the examples.

    Args:
        examples: File that `ReplayBuffer.save` wrote.
        epochs: Passes over them, at least 1.
    """

    examples: str = field(default="")
    epochs: int = field(default=1)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs!r}")
        if not Path(self.examples).is_file():
            raise ValueError(f"examples must name a file of examples, got {self.examples!r}")
        super().__post_init__()


class ReplayTrainer(ExampleTrainer):
    """Takes the next examples of a file in each round, in an order that is drawn for each pass.

    Nothing is sampled. The rounds that ``epochs`` passes take are `rounds_for`; rounds after that
    have no examples, and what moves the weights then is AdamW's momentum alone.
    """

    _samples = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._buffer = ReplayBuffer.load(self.args.examples)
        if not len(self._buffer):
            raise ValueError(f"{self.args.examples} has no examples to learn from")

    def _examples(self, sessions: list[Session]) -> tuple[list[Example], list[Episode]]:
        batch = len(sessions) * self.accelerator.num_processes
        first = self.state.global_step // self.steps_per_round * batch
        left = self.args.epochs * len(self._buffer) - first
        examples = self._buffer.draw(max(0, min(batch, left)), first, self._order_of_pass)
        shown = examples or list(self._buffer)[:1]
        mine = Processes.current().share(shown) or shown[:1]
        return examples, [encode(example, self.rollout.codec)[0] for example in mine]

    def _order_of_pass(self, number: int) -> np.random.Generator:
        return np.random.default_rng(stable_hash(self.args.seed, "replay", number))


def rounds_for(examples: int, epochs: int, batch: int) -> int:
    """Rounds that ``epochs`` passes take with ``batch`` examples a round.

    Example:
        >>> rounds_for(10, 2, 8)
        3
    """
    return -(-examples * epochs // batch)

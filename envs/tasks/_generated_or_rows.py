"""Families that make their tasks, or read them from a data set with the option ``data=…``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from corgi_gym.envs.data import RowSource, Source, load_rows
from corgi_gym.envs.task import Draft, Split, Task, TaskSource


class GeneratedOrRows(RowSource):
    """A family with a generator (`make`) and a reader of rows (`draft`).

    Args:
        data: ``None``: generated tasks. Else what `load_rows` takes: a path, a hub id, rows.
        fields: The fields of a row and their types.
    """

    def __init__(self, data: Source | None, fields: Mapping[str, type | tuple[type, ...]]) -> None:
        self.finite = data is not None
        if data is not None:
            super().__init__(load_rows(data, fields))

    @abstractmethod
    def make(self, rng: np.random.Generator) -> Draft:
        """Make one task with ``rng`` and nothing else."""

    def generate(self, rng: np.random.Generator) -> Draft:
        """One task: made, or one of the rows."""
        return super().generate(rng) if self.finite else self.make(rng)

    def _find(self, seed: int, index: int, split: Split) -> Task:
        """A drawn task, or row number ``index``."""
        if self.finite:
            return super()._find(seed, index, split)
        return TaskSource._find(self, seed, index, split)

"""reasoning-gym's own scorer, for the families with several right answers.

Runs in a worker process (`isolate`) only: some of these scorers parse what the model wrote with
sympy, and none has a time limit. The task is made again from its number, so that only plain data
travels to the worker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import reasoning_gym  # type: ignore[import-untyped,unused-ignore]


def score(family: str, settings: Mapping[str, Any], number: int, answer: str) -> float:
    """The score of ``answer`` to item ``number`` of a family with these settings."""
    data = _data(family, json.dumps(dict(settings), sort_keys=True))
    return float(data.score_answer(answer, data[number]))


@lru_cache(maxsize=16)
def _data(family: str, settings: str) -> Any:
    return reasoning_gym.create_dataset(family, seed=0, **json.loads(settings))

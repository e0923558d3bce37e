"""The algorithm table, one row per method: adding one is a row, and a file if it is new science.

A row names the trainer, the settings that make it that method, and its source. Everything else of
a run (steps, learning rate, sessions) belongs to the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Algorithm(NamedTuple):
    """One method.

    Attributes:
        summary: One line for ``corgi-gym train --help``.
        source: Paper.
        settings: Fields of `corgi_gym.agents.grpo.GuidedGRPOConfig` that define the method.
    """

    summary: str
    source: str
    settings: Mapping[str, Any]


ALGORITHMS: dict[str, Algorithm] = {
    "grpo": Algorithm(
        "GRPO on guided sessions: reward-to-go per attempt, clip-higher, token-level loss",
        "DeepSeekMath (arXiv 2402.03300); DAPO (arXiv 2503.14476) for the loss; "
        "CORGI (arXiv 2411.01483) for the sessions",
        {"loss_type": "dapo", "credit": "attempt", "epsilon_high": 0.28},
    ),
    "grpo_session": Algorithm(
        "GRPO with one advantage per session, shared by all its attempts (CORGI's credit)",
        "DeepSeekMath (arXiv 2402.03300); CORGI (arXiv 2411.01483)",
        {"loss_type": "dapo", "credit": "session", "epsilon_high": 0.28},
    ),
}


def get_algorithm(name: str) -> Algorithm:
    """Return a row of the table.

    Raises:
        ValueError: For an unknown name; the message lists the known ones.
    """
    if name not in ALGORITHMS:
        raise ValueError(f"unknown algorithm {name!r}; choose from {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]

"""Our vector environment, for ``gym.make_vec(id, num_envs=n)``."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode, SyncVectorEnv

from corgi_gym.envs.guided import GuidedEnv


class GuidedVectorEnv(SyncVectorEnv):
    """``num_envs`` independent `GuidedEnv`s in one process.

    Checkers are fast and pure, so worker processes would only add copying (and Gymnasium's shared
    memory cannot carry text). Observations are tuples of strings; each sub-environment behaves as
    it does alone, whatever ``num_envs`` is.

    Args:
        num_envs: How many, at least 1.
        autoreset_mode: Gymnasium's three modes; ``NEXT_STEP`` by default, as everywhere there.
        **kwargs: Arguments of `GuidedEnv`.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **kwargs: Any,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs!r}")
        super().__init__(
            [lambda: GuidedEnv(**kwargs) for _ in range(num_envs)],
            autoreset_mode=AutoresetMode(autoreset_mode),
        )

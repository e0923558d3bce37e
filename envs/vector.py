"""Our vector environment, for ``gym.make_vec(id, num_envs=n)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gymnasium.vector import AutoresetMode, SyncVectorEnv

from corgi_gym.envs.guided import GuidedEnv
from corgi_gym.envs.task import check_whole


class GuidedVectorEnv(SyncVectorEnv):
    """``num_envs`` independent `GuidedEnv`s in one process.

    Checkers are fast and pure, so worker processes would only add copying (and Gymnasium's shared
    memory cannot carry text). Observations are tuples of strings; each sub-environment behaves as
    it does alone, whatever ``num_envs`` is.

    Args:
        num_envs: How many, at least 1.
        autoreset_mode: Gymnasium's three modes; ``NEXT_STEP`` by default, as everywhere there.
        **kwargs: Arguments of `GuidedEnv`.

    Raises:
        ValueError: For ``num_envs`` below 1, and from ``step``, for another number of replies.
        TypeError: From ``step``, for replies that are not strings (no environment moves then).

    Example:
        >>> envs = GuidedVectorEnv(2, prompts=["Say hi."], checker=lambda reply, _: reply == "hi")
        >>> envs.reset(seed=0)[0]
        ('Say hi.', 'Say hi.')
        >>> envs.step(["hi", "ho"])[1].tolist()
        [1.0, 0.0]
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **kwargs: Any,
    ) -> None:
        kwargs = {name: _listed(value) for name, value in kwargs.items()}
        super().__init__(
            [lambda: GuidedEnv(**kwargs)] * check_whole(num_envs, "num_envs", 1),
            autoreset_mode=AutoresetMode(autoreset_mode),
        )

    def step(self, actions: Sequence[str]) -> Any:
        """One reply per environment; see `gymnasium.vector.VectorEnv.step`."""
        if isinstance(actions, str) or not all(isinstance(reply, str) for reply in actions):
            raise TypeError(
                f"step() takes one reply (a string) per environment, got {actions!r:.80}"
            )
        if len(actions) != self.num_envs:
            raise ValueError(f"step() got {len(actions)} replies for {self.num_envs} environments")
        return super().step(tuple(actions))


def _listed(value: Any) -> Any:
    """Iterators as lists, in options too: the first environment would use them up."""
    if isinstance(value, Mapping):
        return {name: _listed(item) for name, item in value.items()}
    return list(value) if isinstance(value, Iterator) else value

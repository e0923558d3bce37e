"""The processes of one run: one, or several started by ``accelerate launch``.

Each has its own model, engine and share of the sessions; the first one alone writes and shows
anything. accelerate and torch do the talking between them; alone, nothing of either is touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """Which process this is.

    Attributes:
        index: Its number, from 0.
        count: How many there are.
    """

    index: int = 0
    count: int = 1

    @classmethod
    def current(cls) -> Processes:
        """As the launcher says in the environment (``RANK`` and ``WORLD_SIZE``)."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def main(self) -> bool:
        """Whether this is the one that writes."""
        return self.index == 0

    @property
    def sharded(self) -> bool:
        """Whether the launcher asks for weights that are split over the processes.

        That is FSDP, and DeepSpeed's ZeRO-3 (or a file of DeepSpeed's own, which may be that).
        """
        deepspeed = _flag("ACCELERATE_USE_DEEPSPEED") and (
            "ACCELERATE_DEEPSPEED_CONFIG_FILE" in os.environ
            or os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3"
        )
        return deepspeed or _flag("ACCELERATE_USE_FSDP")

    def check(self) -> None:
        """Check what a launcher asks for.

        Raises:
            ValueError: For a setting of FSDP with which engines or checkpoints would have no
                weights; the message names it.
        """
        if not _flag("ACCELERATE_USE_FSDP"):
            return
        if _flag("FSDP_CPU_RAM_EFFICIENT_LOADING"):
            raise ValueError(
                "fsdp_cpu_ram_efficient_loading=true gives the weights to one process alone, and "
                "every process needs them for its engine: launch with "
                "--fsdp_cpu_ram_efficient_loading false"
            )
        kind = os.environ.get("FSDP_STATE_DICT_TYPE", "FULL_STATE_DICT")
        if kind != "FULL_STATE_DICT":
            raise ValueError(
                f"fsdp_state_dict_type={kind} leaves checkpoints in parts: launch with "
                "--fsdp_state_dict_type FULL_STATE_DICT"
            )

    def from_main(self, make: Callable[[], T]) -> T:
        """What ``make`` returns in the main process (plain data), in all of them.

        Where it raises there, the launcher ends the others.
        """
        if self.count == 1:
            return make()
        from accelerate.utils import broadcast_object_list

        _connect()
        made: list[Any] = [make() if self.main else None]
        return broadcast_object_list(made)[0]  # type: ignore[no-any-return]

    def wait(self) -> None:
        """Go on when every process has come to this point."""
        self.gather([None])

    def share(self, items: Sequence[T]) -> list[T]:
        """This process's part of ``items``: every ``count``-th one."""
        return list(items[self.index :: self.count])

    def gather(self, mine: list[T]) -> list[T]:
        """The parts of all processes in the order that `share` took them from."""
        if self.count == 1:
            return mine
        from accelerate.utils import gather_object

        _connect()
        parts: list[list[T]] = gather_object([mine])
        total = sum(map(len, parts))
        return [parts[i % self.count][i // self.count] for i in range(total)]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag if self.count == 1 else any(self.gather([flag]))


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true")


def _connect() -> None:
    """Join the group of processes, unless that was done."""
    import torch
    from accelerate import PartialState

    PartialState(cpu=not torch.cuda.is_available())  # without the flag, no group on the CPU

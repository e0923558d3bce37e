"""The live view of a run: one line of what matters, in place on a terminal, appended elsewhere."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from types import TracebackType
from typing import Any, TextIO


def quiet_libraries() -> None:
    """Keep libraries' start-up chatter off the screen; errors still show.

    Called by the command line only, before torch is imported: a program that uses corgi-gym as a
    library decides for itself.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
    for library in ("torch", "vllm", "transformers", "trl", "accelerate", "pydantic"):
        warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")


def clock(seconds: float) -> str:
    """Minutes and seconds.

    Example:
        >>> clock(75)
        '1:15'
    """
    seconds = max(0, round(seconds))
    return f"{seconds // 60}:{seconds % 60:02d}"


def shares(values: list[float]) -> str:
    """Success by attempt as percentages.

    Example:
        >>> shares([0.5, 0.625])
        '50 62'
    """
    return " ".join(f"{100 * v:.0f}" for v in values)


class Display:
    """Shows phases and training rounds.

    On a terminal, a `rich` progress bar; else one line per round, so that logs stay readable.

    Args:
        rounds: Training rounds of the run.
        stream: Where to write (standard error by default).
    """

    def __init__(self, rounds: int, stream: TextIO | None = None) -> None:
        self.rounds, self.stream = rounds, stream or sys.stderr
        self.bar: Any = None
        self.task: Any = None
        self.started = time.monotonic()

    def __enter__(self) -> Display:
        if self.stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

            self.bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[text]}"),
                console=Console(file=self.stream),
            )
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.bar is not None:
            self.bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=self.stream, flush=True)

    def phase(self, name: str, total: int, done: int = 0) -> None:
        """Start a phase of ``total`` steps, of which ``done`` are done already."""
        if self.bar is None:
            self.say(f"{name} ({total})")
            return
        if self.task is not None:
            self.bar.remove_task(self.task)
        self.task = self.bar.add_task(name, total=total, completed=done, text="")

    def advance(self, text: str = "") -> None:
        """One step of the current phase."""
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, advance=1, text=text)

    def round(self, row: dict[str, Any], seconds_left: float) -> None:
        """One training round (a row of ``metrics.jsonl``)."""
        if row["reward"] is None:
            text = "nothing could be checked"
        else:
            text = f"reward {row['reward']:.2f} | solved by attempt {shares(row['success'])} %"
        text += f" | {row['tokens_per_second']:.0f} tok/s"
        if row.get("demonstrations") == 1:  # that these solve their tasks says nothing
            text = "demonstrations"
        text += f" | {clock(seconds_left)} left"
        if self.bar is not None:
            self.advance(text)
        else:
            self.say(f"round {row['step'] + 1}/{self.rounds} | {text}")


class SilentDisplay(Display):
    """Shows nothing: for the processes of a run beside the main one."""

    def __enter__(self) -> SilentDisplay:
        return self

    def say(self, text: str) -> None:
        """Not said."""

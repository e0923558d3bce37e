"""Where a run that was stopped goes on, and whether it may.

A run folder holds all that is needed, whenever the run was killed: the newest whole checkpoint, or
the evaluation before training, or nothing yet. Rows written after that point are cut off and
written again, the same as before (see `progress.TIMES` for what is not).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.progress import PROGRESS, Progress
from corgi_gym.benchmarks.provenance import own_arguments
from corgi_gym.benchmarks.run_folder import read_sessions
from corgi_gym.benchmarks.run_writer import CHECKPOINTS, RunFolder, to_json

# Where the parts of a run may differ without a word, and where with a note: what follows is then a
# sound run, but no longer what the uninterrupted one would have given.
_FREE = ("recipe", "command", "train.save_every", "engine_options.url")
_NOTED = ("versions", "git_commit", "machine", "engine_options")
# Longest value of a recipe in an error; prompts can be many.
_SHOWN = 80


def may_go_on(folder: RunFolder, config: dict[str, Any]) -> list[str]:
    """Hold a run's ``config.json`` against the one it is to go on with; returns notes.

    Raises:
        ValueError: If they differ in anything that changes what is trained or measured, naming it
            and both values; or if the folder has rows and no ``config.json``.
    """
    old = folder.read_json("config.json")
    if old is None:
        if folder.sizes():
            raise ValueError(
                f"run folder {str(folder.path)!r} has results and no config.json to resume with; "
                "start anew with --overwrite"
            )
        return []
    notes = []
    for key, before, now in differences(old, json.loads(to_json(config))):
        if key in _FREE:
            continue
        if key.split(".")[0] in _NOTED:
            notes.append(
                f"{key} was {before} and is {now} now: what follows may differ from a run that "
                "was not interrupted"
            )
        else:
            raise ValueError(
                f"the run in {str(folder.path)!r} has {key} = {shortened(before)}, and this is to "
                f"go on with {shortened(now)}; resume with the recipe it was started with, or "
                "start anew with --overwrite"
            )
    return notes


def go_on(folder: RunFolder, progress: Progress) -> tuple[Any, list[str]]:
    """Bring a folder back to where its run goes on, and ``progress`` with it.

    Returns:
        The `corgi_gym.agents.checkpoints.Checkpoint` to train on from, or None; and notes.

    Raises:
        ValueError: If rows that the checkpoint builds on are lost.
    """
    from corgi_gym.agents.checkpoints import drop_after, latest

    written = folder.read_json(PROGRESS) or {"parts": [], "evaluated": None}
    progress.parts = [*written["parts"], *progress.parts]
    checkpoint, notes = latest(folder.path / CHECKPOINTS)
    if checkpoint is not None:
        sizes = checkpoint.run["sizes"]
        trained = ", with which training had ended" if checkpoint.trained else ""
        notes.append(f"going on after round {checkpoint.rounds}{trained}")
    else:
        sizes = written["evaluated"] or {}
        after = "the evaluation before training" if sizes else "the beginning"
        notes.append(f"there is no checkpoint: starting from {after}")
    folder.cut(sizes)
    drop_after(folder.path / CHECKPOINTS, checkpoint.rounds if checkpoint else 0)
    if sizes:
        progress.evaluated = written["evaluated"] or sizes
        progress.before = read_sessions(folder.path / "episodes.jsonl", "before")
    if checkpoint is not None:
        progress.restore(checkpoint.run)
    return checkpoint, notes


def resume_command(out: Path) -> str:
    """How to go on with the run in ``out``, after the command that this process was started with.

    Example:
        >>> resume_command(Path("runs/x"))
        "run(recipe, 'runs/x', resume=True)"
    """
    arguments = own_arguments()
    if arguments is None:
        return f"run(recipe, {str(out)!r}, resume=True)"
    kept = [a for a in arguments if a not in ("--overwrite", "--resume")]
    return shlex.join(["corgi-gym", *kept, "--resume"])


def differences(
    old: dict[str, Any], new: dict[str, Any], path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """The dotted name, the old and the new value of whatever differs."""
    for key in sorted(old.keys() | new.keys()):
        before, now = (side.get(key, "nothing") for side in (old, new))
        if isinstance(before, dict) and isinstance(now, dict):
            yield from differences(before, now, f"{path}{key}.")
        elif before != now:
            yield f"{path}{key}", before, now


def shortened(value: Any) -> str:
    """A value as an error quotes it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."

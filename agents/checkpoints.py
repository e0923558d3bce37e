"""Checkpoints that a kill at any moment leaves whole, and the newest whole one is found again.

    runs/x/checkpoints/round-00010/    model.safetensors, optimizer.pt, ..., complete.json
                      .tmp-round-00015/    being written, or left behind by a kill: never read

A checkpoint is written beside its place, flushed to the disk, and renamed when all of it is there.
Its manifest has the size of every file, so that a folder which lost one (a copy that stopped, a
disk that failed) is told from a whole one and passed over.

Checkpoints are taken between rounds only: after a round's last optimizer step the trainer holds
no sampled batch, so weights, optimizer, schedule, random states and counters are all there is. The
seeds of later sessions follow from the run's seed and the step (`corgi_gym.agents.grpo`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import TrainerCallback
from transformers.trainer_callback import TrainerState
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import SAFE_WEIGHTS_NAME

from corgi_gym.agents.processes import Processes

MANIFEST = "complete.json"
# The newest, and the one before it in case the disk loses the newest.
KEEP = 2

_NAME = "round-{:05d}"
_STATE = "guided_state.pt"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint.

    Attributes:
        path: Its folder.
        rounds: Rounds trained.
        trained: Whether training had ended. There is then no optimizer state: what is left to do is
            the evaluation.
        run: What the run recorded with it (plain data).
    """

    path: Path
    rounds: int
    trained: bool
    run: dict[str, Any]


def latest(folder: str | Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint in ``folder``, and a sentence for each one passed over."""
    skipped: list[str] = []
    for path in sorted(Path(folder).glob("round-*"), reverse=True):
        try:
            return read(path), skipped
        except (OSError, ValueError, KeyError) as error:
            skipped.append(f"checkpoint {path.name} is passed over: {error}")
    return None, skipped


def read(path: Path) -> Checkpoint:
    """Read a checkpoint's manifest and hold the files against it.

    Raises:
        OSError: If the manifest is missing.
        ValueError: If a file is missing or has another size, or the manifest cannot be read.
    """
    manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    held = _sizes(path)
    for name, size in manifest["files"].items():
        if name not in held:
            raise ValueError(f"{name} is missing")
        if held[name] != size:
            raise ValueError(f"{name} has {held[name]} bytes instead of {size}")
    return Checkpoint(path, int(manifest["rounds"]), bool(manifest["trained"]), manifest["run"])


def publish(scratch: Path, target: Path, **facts: Any) -> None:
    """Give the finished folder ``scratch`` its manifest and its name; remove the oldest ones.

    Args:
        scratch: A folder beside ``target``, with every file of the checkpoint.
        target: Its place; a checkpoint that is there already is replaced.
        **facts: ``rounds``, ``trained`` and ``run`` of the `Checkpoint`.
    """
    manifest = {**facts, "files": _sizes(scratch)}
    (scratch / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for path in [*_files(scratch), *(p for p in scratch.rglob("*") if p.is_dir()), scratch]:
        flush(path)
    _remove(target)
    os.replace(scratch, target)
    flush(target.parent)
    for old in sorted(target.parent.glob("round-*"), reverse=True)[KEEP:]:
        _remove(old)


def flush(path: Path) -> None:
    """Have the kernel write a file or a folder's names to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what kills have left in ``folder`` besides checkpoints."""
    for path in folder.glob(".tmp-*"):
        shutil.rmtree(path)


def drop_after(folder: Path, rounds: int) -> None:
    """Remove the checkpoints of later rounds, whole or not: the run goes on from ``rounds``."""
    sweep(folder)
    for path in folder.glob("round-*"):
        if path.name > _NAME.format(rounds):
            _remove(path)


def _remove(path: Path) -> None:
    """Remove a checkpoint: it loses its name first, so that no half of one is ever found."""
    if path.exists():
        nameless = path.with_name(f".tmp-old-{path.name}")
        os.replace(path, nameless)
        shutil.rmtree(nameless)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of every file but the manifest, by its path in the folder."""
    named = {str(path.relative_to(folder)): path.stat().st_size for path in _files(folder)}
    named.pop(MANIFEST, None)
    return dict(sorted(named.items()))


class SurvivingTrainer:
    """Mixed into a trainer of TRL's: whole checkpoints between rounds, and going on from them.

    transformers writes weights, optimizer, schedule, random states and its own counters; a trainer
    with more state than that extends `checkpoint_state` and `load_checkpoint_state`.
    """

    # what transformers' Trainer brings
    args: Any
    state: Any
    control: Any
    accelerator: Any
    model: Any

    # set by `stop_after_round`
    in_last_round = False
    ended_early = ""

    _checkpoints: Path | None = None
    _scratch: Path | None = None
    _run_state: Callable[[], dict[str, Any]]

    def keep_checkpoints(
        self, folder: str | Path, *, every: int, run_state: Callable[[], dict[str, Any]] = dict
    ) -> None:
        """Save into ``folder`` after every ``every`` rounds (0: never) and when training ends.

        Args:
            folder: Holds the checkpoints; made if missing.
            every: Rounds.
            run_state: Called when all of a round is done, right before its checkpoint is written;
                what it returns (plain data) becomes `Checkpoint.run`.
        """
        self._checkpoints, self._run_state = Path(folder), run_state
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        self.add_callback(_SaveBetweenRounds(self, every))

    @property
    def steps_per_round(self) -> int:
        """Optimizer steps on one round's sessions."""
        batches = self.args.steps_per_generation * self.args.num_iterations
        return batches // self.args.gradient_accumulation_steps

    def checkpoint_state(self) -> dict[str, Any]:
        """State that transformers does not save: tensors and plain values. Subclasses add to it."""
        return {}

    def load_checkpoint_state(self, state: dict[str, Any]) -> None:
        """Take over what `checkpoint_state` returned; called before weights and optimizer load."""

    def train(self, resume_from_checkpoint: str | Path | bool | None = None, **kwargs: Any) -> Any:
        """Train, from a checkpoint on if one is given; see `transformers.Trainer.train`."""
        if resume_from_checkpoint is True and Path(self.args.output_dir).is_dir():
            resume_from_checkpoint = get_last_checkpoint(self.args.output_dir) or True
        if isinstance(resume_from_checkpoint, str | Path):
            self._load_own_state(Path(resume_from_checkpoint))
            resume_from_checkpoint = str(resume_from_checkpoint)
        return super().train(resume_from_checkpoint, **kwargs)

    def load_policy(self, folder: Path) -> None:
        """Take the policy of a checkpoint, as training leaves it, without training on."""
        self._load_own_state(folder)
        whole = folder / SAFE_WEIGHTS_NAME
        if Processes.current().sharded and whole.is_file():  # without training, nothing is split
            self.model.load_state_dict(load_file(whole), strict=False)  # the head may be tied
        else:
            self._load_from_checkpoint(str(folder))
        self.state = TrainerState.load_from_json(str(folder / "trainer_state.json"))

    def _load_own_state(self, folder: Path) -> None:
        if (folder / _STATE).is_file():
            state = torch.load(folder / _STATE, map_location="cpu", weights_only=True)
            self.load_checkpoint_state(state)

    def stop_after_round(self, why: str) -> None:
        """End the training when this round's optimizer steps are done, and not within them.

        Args:
            why: For `ended_early`, which whoever started the training can show.

        For a trainer that has `StopBetweenRounds` from the start, before what saves checkpoints.
        """
        self.in_last_round, self.ended_early = True, why

    def _get_output_dir(self, trial: Any) -> str:
        if self._scratch is not None:
            return str(self._scratch)
        return super()._get_output_dir(trial)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if self._checkpoints is None:
            super()._save_checkpoint(model, trial)
            own, made = self.checkpoint_state(), Path(self._get_output_dir(trial))
            if self.accelerator.is_main_process:
                torch.save(own, made / f"checkpoint-{self.state.global_step}" / _STATE)
            return
        name = _NAME.format(self.state.global_step // self.steps_per_round)
        scratch = self._checkpoints / f".tmp-{name}"
        main = self.accelerator.is_main_process
        if main:
            sweep(self._checkpoints)
            scratch.mkdir()
        try:
            run, own = self._run_state(), self.checkpoint_state()
            self._write_into(scratch, model, trial)
            if main:
                made = scratch / f"checkpoint-{self.state.global_step}"  # transformers' name for it
                torch.save(own, made / _STATE)
                publish(
                    made,
                    self._checkpoints / name,
                    rounds=self.state.global_step // self.steps_per_round,
                    trained=bool(self.control.should_training_stop),
                    run=run,
                )
        finally:
            if main:
                sweep(self._checkpoints)
        self.accelerator.wait_for_everyone()

    def _write_into(self, scratch: Path, model: Any, trial: Any) -> None:
        """Have transformers write its checkpoint; without optimizer where training ends."""
        model_only, self._scratch = self.args.save_only_model, scratch
        self.args.save_only_model = model_only or self.control.should_training_stop
        self.accelerator.wait_for_everyone()
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self.args.save_only_model, self._scratch = model_only, None
        self.accelerator.wait_for_everyone()


class StopBetweenRounds(TrainerCallback):
    """Ends the training after the round in which its trainer's `stop_after_round` was called."""

    def __init__(self, trainer: SurvivingTrainer) -> None:
        self.trainer = trainer

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after each optimizer step."""
        if self.trainer.in_last_round and state.global_step % self.trainer.steps_per_round == 0:
            control.should_training_stop = True


class _SaveBetweenRounds(TrainerCallback):
    """Asks for a checkpoint after every so many rounds, and after the last one."""

    def __init__(self, trainer: SurvivingTrainer, every: int) -> None:
        self.trainer, self.every = trainer, every

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after each optimizer step, before it logs and saves."""
        rounds, within = divmod(state.global_step, self.trainer.steps_per_round)
        due = self.every > 0 and rounds % self.every == 0
        control.should_save = not within and (due or control.should_training_stop)

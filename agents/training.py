"""A trainer from a row of the algorithm table and the numbers of a recipe."""

from __future__ import annotations

import dataclasses
import difflib
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback

from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer, RolloutReport
from corgi_gym.agents.rollout import Rollout


def check_options(options: Mapping[str, Any]) -> None:
    """Check the names of a recipe's ``train.options``.

    Raises:
        ValueError: For a name that `GuidedGRPOConfig` does not have.
    """
    known = {f.name for f in dataclasses.fields(GuidedGRPOConfig)}
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"unknown train.options key {name!r}: no GuidedGRPOConfig field{hint}")


def make_trainer(
    *,
    algorithm: str,
    spec: Any,
    model: Any,
    tokenizer: Any,
    rollout: Rollout,
    temperature: float,
    seed: int,
    output_dir: str,
    on_rollout: Callable[[RolloutReport], None] | None = None,
    on_log: Callable[[dict[str, float]], None] | None = None,
    **trainer_kwargs: Any,
) -> GuidedGRPOTrainer:
    """Make the trainer of ``algorithm``.

    Args:
        algorithm: A name of `corgi_gym.agents.algorithms.ALGORITHMS`.
        spec: The recipe's training part (`corgi_gym.benchmarks.recipe.TrainSpec`).
        model: The policy.
        tokenizer: Its tokenizer.
        rollout: Runs the sessions.
        temperature: Sampling temperature; the loss uses the same.
        seed: Seed of the run.
        output_dir: Scratch folder of the trainer.
        on_rollout: Called after each round of sessions.
        on_log: Called with the logs of each optimizer step.
        **trainer_kwargs: Further arguments of the trainer, such as ``peft_config``.

    Raises:
        ValueError: For an unknown algorithm or option.
    """
    check_options(spec.options)
    parts = spec.sessions // spec.micro_batch
    cuda = torch.cuda.is_available()
    settings: dict[str, Any] = {
        "output_dir": output_dir,
        "max_steps": spec.rounds * spec.updates,
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant",
        "optim": "adamw_torch_fused",
        "per_device_train_batch_size": spec.micro_batch,
        "gradient_accumulation_steps": parts // spec.updates,
        "steps_per_generation": parts,
        "num_generations": spec.num_generations,
        "temperature": temperature,
        "beta": spec.beta,
        "single_attempt_rounds": spec.single_attempt_rounds,
        "bf16": True,
        "use_cpu": not cuda,
        "gradient_checkpointing": False,
        "shuffle_dataset": False,
        "report_to": "none",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "disable_tqdm": True,
        "save_strategy": "no",
        "seed": seed,
        **get_algorithm(algorithm).settings,
        **spec.options,
    }
    trainer = GuidedGRPOTrainer(
        model,
        GuidedGRPOConfig(**settings),
        rollout,
        on_rollout=on_rollout,
        processing_class=tokenizer,
        **trainer_kwargs,
    )
    trainer.remove_callback(PrinterCallback)
    if spec.max_seconds:
        trainer.add_callback(_Deadline(spec.max_seconds, spec.updates))
    if on_log is not None:
        trainer.add_callback(_LogCallback(on_log))
    return trainer


class _LogCallback(TrainerCallback):
    """Passes what TRL logs at each optimizer step to a function."""

    def __init__(self, function: Callable[[dict[str, float]], None]) -> None:
        self.function = function

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Called by transformers."""
        self.function(logs or {})


class _Deadline(TrainerCallback):
    """Stops at the end of the round in which the time is up."""

    def __init__(self, seconds: float, updates: int) -> None:
        self.seconds, self.updates = seconds, updates
        self.started = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers."""
        self.started = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after each optimizer step."""
        over = time.monotonic() - self.started > self.seconds
        if over and state.global_step % self.updates == 0:
            control.should_training_stop = True

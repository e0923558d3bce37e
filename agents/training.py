"""A trainer from a row of the algorithm table and the numbers of a recipe."""

from __future__ import annotations

import dataclasses
import importlib
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import torch
from transformers import PrinterCallback, TrainerCallback

from corgi_gym.agents.algorithms import Algorithm, get_algorithm
from corgi_gym.agents.curriculum_settings import check_families, chosen_curriculum
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer, RolloutReport
from corgi_gym.agents.lora import check_reference, lora_config
from corgi_gym.agents.option_types import check_types
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.rollout import Rollout
from corgi_gym.rewards.names import did_you_mean

# Arguments of the trainer that follow from other parts of a recipe.
_SET_ELSEWHERE = {
    "gradient_accumulation_steps": "train.micro_batch and train.updates",
    "max_steps": "train.rounds",
    "num_train_epochs": "train.rounds",
    "output_dir": "--out",
    "per_device_train_batch_size": "train.micro_batch",
    "save_steps": "train.save_every",
    "save_strategy": "train.save_every",
    "seed": "--seed (seed)",
    "steps_per_generation": "train.micro_batch and train.updates",
    "temperature": "sampling.temperature",
    "max_completion_length": "sampling.max_tokens",
    # what would change how replies are sampled, which is at the temperature alone
    **dict.fromkeys(("top_p", "top_k", "min_p", "repetition_penalty"), "sampling.temperature"),
    "use_vllm": "engine",
    "use_transformers_continuous_batching": "engine",
    "chat_template_kwargs": "sampling.system",
    "reward_weights": "env.kwargs",
}
# Those that have no part in sessions, with the reason.
_WITHOUT_USE = {
    "generation_kwargs": "replies are sampled by the run's engine, at the temperature alone",
    "log_completions": "episodes.jsonl and report.html have what was played",
    "logging_steps": "a row of metrics.jsonl is a round, of which each step is a part",
    "multi_objective_aggregation": "a session has one reward, that of its environment",
    "ignore_data_skip": "a run that is resumed goes on with the tasks that it has not had",
    "save_only_model": "a checkpoint has all that a resume needs, and its policy in one file",
    "cast_lm_head_to_fp32": "log-probs are computed from the output matrix by our own pass",
    "remove_unused_columns": "rows have the task's index, which no model takes",
    "router_aux_loss_coef": "the loss is that of the replies alone, without a router's",
}
# Each seed has a stream of tasks of its own, so that results over seeds are over tasks as well. A
# prime: rows that are fewer begin at another one, however many they are.
_TASKS_OF_A_SEED = 1_000_003
# TRL looks at it when the first loss is taken.
_LOSSES = ("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo")


def check_training(algorithm: str, spec: Any, env: gym.Env[str, str], engine: str = "auto") -> None:
    """Check what can be checked before a model is loaded.

    Args:
        algorithm: A name of `corgi_gym.agents.algorithms.ALGORITHMS`.
        spec: The recipe's training part.
        env: One of the training environments.
        engine: Name of the engine that samples (`corgi_gym.agents.build.ENGINES`).

    Raises:
        ValueError: For an option that the method does not have, an adapter that cannot be made, or
            an environment or engine that the method cannot train on.
        ImportError: If an adapter is asked for and PEFT is not installed.
    """
    row = get_algorithm(algorithm)
    if row.trainer is None:
        for name in ("options", "lora"):
            if value := getattr(spec, name):
                raise ValueError(f"{algorithm} trains nothing: train.{name}={value!r} has no use")
        return
    trainer, config = _load(row.trainer), _load(row.config)
    if engine == "pieces" and trainer.needs_logps:
        raise ValueError(
            f"{algorithm} needs the log-probs of a reply after its conversation, and engine "
            "'pieces' samples each piece after a prompt of its own: use another engine, or a "
            "method that learns from examples (as_es, sft, rft)"
        )
    Processes.current().check()
    micro_batches(spec, Processes.current().count)
    if Processes.current().sharded and not trainer.shards:
        raise ValueError(
            f"{algorithm} cannot be trained with weights split over processes (FSDP, ZeRO-3): its "
            "critic would not be saved; use plain data parallelism (ddp.yaml, zero2.yaml)"
        )
    trainer.check_env(env)
    check_options(spec.options, config)
    settings = {**row.settings, **spec.options}
    trainer.check_settings(settings, env)
    if (warmup := settings.get("warmup_rounds", 0)) > spec.rounds:
        raise ValueError(
            f"train.options.warmup_rounds = {warmup} is more than train.rounds = {spec.rounds}: "
            f"{algorithm} itself would never begin; set both"
        )
    if families := list(getattr(env.unwrapped, "sources", ())):
        check_families(chosen_curriculum(spec.curriculum, row.curriculum), families)
    lora_config(spec.lora or row.lora)
    if Processes.current().count > 1:
        return  # the arguments wait for all processes, and this is asked by one
    with tempfile.TemporaryDirectory() as scratch:
        _arguments(row, spec, output_dir=scratch, temperature=1.0, seed=0, reply_tokens=1)


def check_options(options: Mapping[str, Any], config: type = GuidedGRPOConfig) -> None:
    """Check the names of a recipe's ``train.options``, and the types of its values.

    Raises:
        ValueError: For a name that ``config`` does not have or the recipe sets itself, or a value
            that the field does not take.
    """
    known = {f.name for f in dataclasses.fields(config)}
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(
                f"unknown train.options key {name!r}: no {config.__name__} field{hint}"
            )
        if name in _SET_ELSEWHERE:
            raise ValueError(
                f"train.options.{name} follows from others: set {_SET_ELSEWHERE[name]}"
            )
        if name in _WITHOUT_USE:
            raise ValueError(f"train.options.{name} cannot be set: {_WITHOUT_USE[name]}")
        if name.startswith("vllm_"):
            raise ValueError(f"train.options.{name} is of TRL's own vLLM: set engine_options")
    check_types(options, config, "train.options")
    if (loss := options.get("loss_type", _LOSSES[0])) not in _LOSSES:
        raise ValueError(
            f"unknown train.options.loss_type {loss!r}; choose from {', '.join(_LOSSES)}"
        )


def micro_batches(spec: Any, processes: int) -> int:
    """Micro-batches of one process in one round.

    Raises:
        ValueError: If a round's sessions cannot be split evenly.
    """
    if spec.sessions % (processes * spec.updates * spec.micro_batch):
        raise ValueError(
            f"processes x train.updates x train.micro_batch must divide train.sessions, got "
            f"{processes} x {spec.updates} x {spec.micro_batch} and {spec.sessions}"
        )
    return int(spec.sessions // spec.micro_batch // processes)


def _load(path: str) -> Any:
    """The class ``"module:Class"``."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def make_trainer(
    *,
    algorithm: str | Algorithm,
    spec: Any,
    model: Any,
    tokenizer: Any,
    rollout: Rollout,
    temperature: float,
    seed: int,
    output_dir: str,
    seconds_before: float = 0.0,
    tokens_before: int = 0,
    clock: Callable[[], float] | None = None,
    on_rollout: Callable[[RolloutReport], None] | None = None,
    on_log: Callable[[dict[str, float]], None] | None = None,
    **trainer_kwargs: Any,
) -> GuidedGRPOTrainer:
    """Make the trainer of ``algorithm``.

    Args:
        algorithm: A name of `corgi_gym.agents.algorithms.ALGORITHMS`, or a row of one's own.
        spec: The recipe's training part (`corgi_gym.benchmarks.recipe.TrainSpec`).
        model: The policy.
        tokenizer: Its tokenizer.
        rollout: Runs the sessions.
        temperature: Sampling temperature; the loss uses the same.
        seed: Seed of the run.
        output_dir: Scratch folder of the trainer.
        seconds_before: Seconds of training in earlier parts of the run, which count towards
            ``spec.max_seconds``.
        tokens_before: The same for ``spec.max_tokens``.
        clock: Seconds of training, for ``spec.max_seconds``; by default wall time.
        on_rollout: Called after each round of sessions.
        on_log: Called with the logs of each optimizer step.
        **trainer_kwargs: Further arguments of the trainer, such as ``peft_config`` (by default that
            of ``spec.lora``).

    Raises:
        ValueError: For an unknown algorithm or option, or one that trains nothing.
    """
    row = get_algorithm(algorithm)
    if row.trainer is None:
        raise ValueError(f"{algorithm} trains nothing, so it has no trainer")
    check_options(spec.options, _load(row.config))
    arguments = _arguments(
        row,
        spec,
        output_dir=output_dir,
        temperature=temperature,
        seed=seed,
        reply_tokens=rollout.sampling.max_tokens,
    )
    budget = _Budget(spec, seconds_before, tokens_before, clock or time.monotonic)
    trainer_kwargs.setdefault("peft_config", lora_config(spec.lora or row.lora))
    trainer: GuidedGRPOTrainer = _load(row.trainer)(
        model,
        arguments,
        rollout,
        on_rollout=budget.counting(on_rollout),
        processing_class=tokenizer,
        **trainer_kwargs,
    )
    trainer.use_curriculum(chosen_curriculum(spec.curriculum, row.curriculum))
    trainer.remove_callback(PrinterCallback)
    if spec.max_seconds or spec.max_tokens:
        budget.steps_per_round = trainer.steps_per_round
        trainer.add_callback(budget)
    if on_log is not None:
        trainer.add_callback(_LogCallback(on_log))
    return trainer


def _arguments(
    row: Algorithm,
    spec: Any,
    *,
    output_dir: str,
    temperature: float,
    seed: int,
    reply_tokens: int,
) -> GuidedGRPOConfig:
    """The arguments of a row's trainer.

    Raises:
        ValueError: For a value that they refuse.
    """
    own = {**row.settings, **spec.options}
    parts = micro_batches(spec, Processes.current().count)
    # TRL counts conversations, of which a session of independent attempts has several
    each = own.get("best_of", 1)
    cuda = torch.cuda.is_available()
    settings: dict[str, Any] = {
        "output_dir": output_dir,
        "max_steps": spec.rounds * spec.updates * own.get("num_iterations", 1),
        "learning_rate": spec.learning_rate,
        "lr_scheduler_type": "constant",
        "optim": "adamw_torch_fused",
        "per_device_train_batch_size": spec.micro_batch * each,
        "gradient_accumulation_steps": parts // spec.updates,
        "steps_per_generation": parts,
        "num_generations": spec.num_generations * each,
        # the constant of the losses that have one in place of a length
        "max_completion_length": reply_tokens * spec.max_attempts,
        "temperature": temperature,
        "beta": spec.beta,
        "single_attempt_rounds": spec.single_attempt_rounds,
        "task_offset": seed * _TASKS_OF_A_SEED,
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
        **own,
    }
    made: GuidedGRPOConfig
    try:
        made = _load(row.config)(**settings)
    except (ValueError, TypeError, RuntimeError, ImportError) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in spec.options.items())
        if not given:
            raise
        text = " ".join(str(error).split())
        raise ValueError(f"train.options ({given}) are refused: {text}") from error
    check_reference(spec.lora or row.lora, made.beta)
    return made


class _LogCallback(TrainerCallback):
    """Passes what TRL logs at each optimizer step to a function."""

    def __init__(self, function: Callable[[dict[str, float]], None]) -> None:
        self.function = function

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Called by transformers."""
        self.function(logs or {})


class _Budget(TrainerCallback):
    """Stops at the end of the round in which the seconds or the tokens are used up."""

    def __init__(self, spec: Any, seconds: float, tokens: int, clock: Callable[[], float]) -> None:
        self.max_seconds, self.max_tokens = spec.max_seconds, spec.max_tokens
        self.seconds, self.tokens, self.clock = seconds, tokens, clock
        self.started, self.steps_per_round = clock(), 1

    def counting(
        self, on_rollout: Callable[[RolloutReport], None] | None
    ) -> Callable[[RolloutReport], None]:
        """``on_rollout`` after counting the round's tokens."""

        def count(report: RolloutReport) -> None:
            self.tokens += report.tokens
            if on_rollout is not None:
                on_rollout(report)

        return count

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers."""
        self.started = self.clock()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after each optimizer step."""
        if state.global_step % self.steps_per_round == 0:
            seconds = self.seconds + self.clock() - self.started
            over = 0 < self.max_seconds < seconds or 0 < self.max_tokens <= self.tokens
            control.should_training_stop |= Processes.current().any(over)  # all stop, or none

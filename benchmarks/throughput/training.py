"""The training part of a step: against TRL's defaults, and against the machine's own speed.

    python -m corgi_gym.benchmarks.throughput.training
    python -m corgi_gym.benchmarks.throughput.training --whole-step     # with generation by vLLM

The worst case of the quickstart: 64 sessions in which every attempt fails, four attempts of 36
tokens, on the packaged model. The same recorded sessions are trained on by `GuidedGRPOTrainer` and
by TRL's `GRPOTrainer` with its default settings (micro-batches of 8, gradient checkpointing), one
optimizer step each, in turn. Utilisation is the arithmetic that the loss of these sessions needs,
without padding, over the rate of a 2048 x 2048 bf16 matrix product measured between the steps, and
over the rate that the model's own products reach on that machine (forward and both gradients). Ours
computes a task's prompt once for its sessions; the arithmetic with that left out is given as well.
Written to ``runs/throughput/training.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from corgi_gym.agents.batches import prompt_length, trl_rollout
from corgi_gym.agents.build import make_engine
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import Sampling, ScriptedEngine
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer, session_reward
from corgi_gym.agents.models import PACKAGED_MODEL, load_model, load_tokenizer
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.benchmarks.throughput.generation import Drawn
from corgi_gym.benchmarks.throughput.record import machine, spread, write_record
from corgi_gym.envs import GuidedEnv, load_family, stable_hash
from corgi_gym.rewards import Problem, Verdict

SESSIONS, ATTEMPTS, TOKENS = 64, 4, 36
GROUP, MICRO_BATCH = 8, 16
MAX_LENGTH = 512
_SIDE = 2048


def never_right(reply: str, target: Any) -> Verdict:
    """A checker that asks for more; its scores differ, so that every session has an advantage."""
    score = stable_hash("score", reply) % 97 / 100
    text = f"Your sentence is missing: {target[0]} and {target[1]}."
    return Verdict.wrong(score, Problem("missing", text))


def make_env() -> GuidedEnv:
    """Prompts of the quickstart's family, which no reply satisfies."""
    family = load_family("concepts")()
    tasks = [family.item(seed=0, index=i, split="train") for i in range(SESSIONS // GROUP)]
    rows = [{"prompt": task.prompt, "target": ["dog", "ball"]} for task in tasks]
    return GuidedEnv(prompts=rows, checker=never_right, max_attempts=ATTEMPTS)


def sessions(seed: int) -> list[Session]:
    """Groups of sessions on the same tasks."""
    return [Session(index=i // GROUP, seed=stable_hash(seed, i)) for i in range(SESSIONS)]


def recorded(tokenizer: Any) -> list[Episode]:
    """Sessions whose replies are words of no meaning, each as long as it may be."""
    codec = ChatCodec(tokenizer)
    words = ["river", "lamp", "seven", "green", "under", "tall", "window", "carry", "paper"]
    draw = random.Random(0)

    def babble(conversation: str) -> str:
        return " ".join(draw.choices(words, k=TOKENS))

    engine = ScriptedEngine(babble, codec)
    return Rollout(make_env, engine, codec, Sampling(1.0, TOKENS), max_length=MAX_LENGTH).run(
        sessions(0)
    )


class Recorded(Rollout):
    """A rollout that has been run already."""

    def __init__(self, codec: Any, episodes: list[Episode]) -> None:
        super().__init__(
            make_env, ScriptedEngine(str), codec, Sampling(1.0, TOKENS), max_length=MAX_LENGTH
        )
        self.episodes = episodes

    def run(self, sessions: Iterable[Session], **kwargs: Any) -> list[Episode]:
        """The recorded episodes."""
        return self.episodes


class Ours(GuidedGRPOTrainer):
    """Without the weight sync: nothing is sampled."""

    def sync(self) -> None:
        """Nothing to bring up to date."""


class TimedSync(GuidedGRPOTrainer):
    """With the seconds of each weight sync, its probe included."""

    sync_seconds: list[float]

    def sync(self) -> None:
        """Bring the engine to the current weights."""
        start, due = time.perf_counter(), self._synced_at != self.state.global_step
        super().sync()
        if due:
            self.sync_seconds.append(time.perf_counter() - start)


class Clock(TrainerCallback):
    """Seconds of each optimizer step, and the rate of matrix products before it."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.rates: list[float] = []

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers."""
        self.rates.append(product_rate())
        _wait()
        self.started = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers."""
        _wait()
        self.steps.append(time.perf_counter() - self.started)


def product_rate() -> float:
    """Floating-point operations per second of a bf16 product, the best of five."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    a, b = (torch.randn(_SIDE, _SIDE, dtype=torch.bfloat16, device=device) for _ in range(2))
    return 2 * _SIDE**3 / _best_seconds(a, b)


def own_rate(model: Any, rows: int) -> float:
    """Operations per second of the products of one layer with ``rows`` tokens, each best of five.

    Forward, the gradient of the input and that of the weights, in bf16 and with nothing in between.
    """
    seconds = operations = 0.0
    for linear in model.base_model.layers[0].modules():
        if not isinstance(linear, torch.nn.Linear):
            continue
        weight = linear.weight.detach().bfloat16()
        x, grad = (weight.new_empty(rows, n).normal_() for n in weight.shape[::-1])
        for a, b in ((x, weight.t()), (grad, weight), (grad.t(), x)):
            seconds += _best_seconds(a, b)
            operations += 2 * rows * weight.numel()
    return operations / seconds


def _best_seconds(a: torch.Tensor, b: torch.Tensor) -> float:
    best = float("inf")
    for _ in range(5):
        _wait()
        start = time.perf_counter()
        a @ b
        _wait()
        best = min(best, time.perf_counter() - start)
    return best


def _wait() -> None:
    """Until a GPU has done what it was asked to."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def needed_operations(model: Any, episodes: list[Episode], *, shared: bool = False) -> float:
    """Operations of forward and backward: six per weight and token, head on model tokens only.

    With ``shared``, the weights of the layers meet a prompt's tokens once per group.

    Attention adds 6 L² per value of a layer's width, half of the square being above the diagonal
    (Kaplan et al., arXiv 2001.08361, section 2.1, with the causal half).
    """
    config = model.config
    body = sum(p.numel() for n, p in model.named_parameters() if "embed" not in n and p.dim() > 1)
    head = config.vocab_size * config.hidden_size
    width = config.num_hidden_layers * config.hidden_size
    total = 0.0
    for episode in episodes:
        length = episode.turn_ends[-1]
        alone = length - prompt_length(episode) * (1 - 1 / GROUP) if shared else length
        total += 6 * body * alone + 6 * head * episode.model_tokens + 6 * width * length**2
    return total


def train_ours(model: Any, tokenizer: Any, episodes: list[Episode], steps: int) -> Clock:
    """One optimizer step per round on the recorded sessions."""
    parts = SESSIONS // MICRO_BATCH
    with tempfile.TemporaryDirectory() as folder:
        config = GuidedGRPOConfig(
            folder, max_steps=steps, per_device_train_batch_size=MICRO_BATCH,
            gradient_accumulation_steps=parts, steps_per_generation=parts, num_generations=GROUP,
            loss_type="dapo", gradient_checkpointing=False, **_common(),
        )  # fmt: skip
        rollout = Recorded(ChatCodec(tokenizer), episodes)
        return _timed(Ours(model, config, rollout, processing_class=tokenizer))


def train_trl(model: Any, tokenizer: Any, episodes: list[Episode], steps: int) -> Clock:
    """The same with TRL's trainer as it comes."""
    from datasets import Dataset

    prompts = [{"prompt": episodes[i].messages[:1]} for i in range(0, SESSIONS, GROUP)]
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            folder, max_steps=steps, num_generations=GROUP, **_common(),
            gradient_accumulation_steps=SESSIONS // GRPOConfig.per_device_train_batch_size,
        )  # fmt: skip
        trainer = GRPOTrainer(
            model, args=config, reward_funcs=session_reward, processing_class=tokenizer,
            train_dataset=Dataset.from_list(prompts * steps),
            rollout_func=lambda prompts, trainer: trl_rollout(episodes),
        )  # fmt: skip
        return _timed(trainer)


TRAINERS: dict[str, Callable[..., Clock]] = {"ours": train_ours, "trl": train_trl}


def _common() -> dict[str, Any]:
    return {
        "bf16": True, "use_cpu": not torch.cuda.is_available(), "report_to": "none",
        "save_strategy": "no", "logging_steps": 1000, "disable_tqdm": True,
    }  # fmt: skip


def _timed(trainer: Any) -> Clock:
    clock = Clock()
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(clock)
    trainer.train()
    return clock


def one(name: str, steps: int) -> dict[str, Any]:
    """Steps of one trainer, in a process of its own since ours tunes the allocator."""
    tokenizer = load_tokenizer(PACKAGED_MODEL)
    episodes = recorded(tokenizer)
    # as each library loads it: TRL's users take the default attention
    model = load_model(
        PACKAGED_MODEL, **({} if name == "ours" else {"attn_implementation": "sdpa"})
    )
    operations = needed_operations(model, episodes)
    shared = needed_operations(model, episodes, shared=True)
    clock = TRAINERS[name](model, tokenizer, episodes, steps)
    return {
        "seconds": clock.steps[1:],  # the first step allocates
        "rates": clock.rates,
        "own_rate": own_rate(model, sum(len(e.token_ids) for e in episodes[:MICRO_BATCH])),
        "operations": operations,
        "operations_with_shared_prompts": shared,
        "tokens": sum(len(e.token_ids) for e in episodes),
        "model_tokens": sum(e.model_tokens for e in episodes),
    }


def compare(steps: int, repetitions: int) -> dict[str, Any]:
    """Both trainers in turn, each in its own process."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in TRAINERS}
    for _ in range(repetitions):
        for name, done in runs.items():
            command = [sys.executable, "-m", __spec__.name, "--one", name, "--steps", str(steps)]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            done.append(json.loads(output.splitlines()[-1]))
            print(f"{name:>5}: {' '.join(f'{s:.1f}' for s in done[-1]['seconds'])} s a step")
    seconds = {name: [s for run in done for s in run["seconds"]] for name, done in runs.items()}
    first, rate = (
        runs["ours"][0],
        max(r for done in runs.values() for d in done for r in d["rates"]),
    )
    own = max(run["own_rate"] for done in runs.values() for run in done)
    ours, trl = spread(seconds["ours"]), spread(seconds["trl"])
    return {
        "sessions": SESSIONS,
        "tokens": first["tokens"],
        "model_tokens": first["model_tokens"],
        "seconds_ours": ours,
        "seconds_trl": trl,
        "ratio": ours["median"] / trl["median"],
        "operations": first["operations"],
        "operations_with_shared_prompts": first["operations_with_shared_prompts"],
        "product_rate": rate,
        "utilisation": first["operations"] / ours["median"] / rate,
        "own_rate": own,
        "utilisation_with_shared_prompts": first["operations_with_shared_prompts"]
        / ours["median"]
        / rate,
        "utilisation_of_own_rate": first["operations"] / ours["median"] / own,
        "utilisation_trl": first["operations"] / trl["median"] / rate,
    }


def whole_step(steps: int) -> dict[str, Any]:
    """Rounds of 64 sessions generated by vLLM, trained on, and synced back."""
    tokenizer, model = load_tokenizer(PACKAGED_MODEL), load_model(PACKAGED_MODEL)
    engine = make_engine("vllm", PACKAGED_MODEL, model, max_length=MAX_LENGTH, batch=SESSIONS)
    rollout = Rollout(
        make_env, Drawn(engine, TOKENS, TOKENS), ChatCodec(tokenizer), Sampling(1.0, TOKENS),
        max_length=MAX_LENGTH,
    )  # fmt: skip
    parts = SESSIONS // MICRO_BATCH
    generation: list[float] = []
    copies: list[float] = []
    load_weights = engine.load_weights

    def timed_copy(weights: Any) -> None:
        start = time.perf_counter()
        load_weights(weights)
        copies.append(time.perf_counter() - start)

    engine.load_weights = timed_copy  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        config = GuidedGRPOConfig(
            folder, max_steps=steps, per_device_train_batch_size=MICRO_BATCH,
            gradient_accumulation_steps=parts, steps_per_generation=parts, num_generations=GROUP,
            loss_type="dapo", gradient_checkpointing=False, learning_rate=1e-6, **_common(),
        )  # fmt: skip
        trainer = TimedSync(
            model, config, rollout, processing_class=tokenizer,
            on_rollout=lambda report: generation.append(report.seconds),
        )  # fmt: skip
        trainer.sync_seconds = []
        clock = _timed(trainer)
    engine.close()
    return {
        "seconds": spread(clock.steps[1:]),
        "generation_seconds": spread(generation[1:]),
        "sync_seconds": spread(trainer.sync_seconds[1:]),  # the first one makes the buffers
        "copy_seconds": spread(copies[1:]),
        "sync_mismatch": trainer.mismatch,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=3, help="optimizer steps of a run")
    parser.add_argument("--repetitions", type=int, default=2, help="runs of each trainer")
    parser.add_argument("--whole-step", action="store_true", help="generation, training and sync")
    parser.add_argument("--one", choices=TRAINERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.steps < 2:
        parser.error(f"--steps must be at least 2 (the first is not counted), got {args.steps}")
    if args.one:
        print(json.dumps(one(args.one, args.steps)))
        return
    if args.whole_step:
        result = whole_step(args.steps)
        step, generation = result["seconds"], result["generation_seconds"]
        sync, copy = (result[f"{part}_seconds"]["median"] for part in ("sync", "copy"))
        print(f"whole step: {step['median']:.1f} s, {generation['median']:.1f} s of it generation")
        print(f"weight sync: {copy:.2f} s, with its probe {sync:.2f} s")
        name = "whole-step"
    else:
        result = compare(args.steps, args.repetitions)
        print(
            f"ours {result['seconds_ours']['median']:.1f} s, "
            f"TRL {result['seconds_trl']['median']:.1f} s: ratio {result['ratio']:.2f}; "
            f"utilisation {result['utilisation']:.2f} (TRL {result['utilisation_trl']:.2f}) of "
            f"{result['product_rate'] / 1e9:.0f} GFLOP/s, "
            f"{result['utilisation_of_own_rate']:.2f} of the "
            f"{result['own_rate'] / 1e9:.0f} GFLOP/s of its own products; with shared prompts "
            f"counted once {result['utilisation_with_shared_prompts']:.2f}"
        )
        name = "training"
    print(write_record(name, {**machine(), **result}))


if __name__ == "__main__":
    main()

"""Memory of a training run over its rounds: it must not grow.

    python -m corgi_gym.benchmarks.throughput.training_memory
    python -m corgi_gym.benchmarks.throughput.training_memory --rounds 300 --algorithm ppo

Trains a random model of two layers, with the packaged model's tokenizer, through the whole of a
run (rollouts with the transformers engine, checkpoints, rows, report), and prints the resident
memory after rounds 1, 10, 20, 50 and 100. Written to ``runs/throughput/training_memory.json``.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.display import SilentDisplay
from corgi_gym.benchmarks.experiment import run
from corgi_gym.benchmarks.recipe import Recipe, from_dict
from corgi_gym.benchmarks.throughput.episodes import resident
from corgi_gym.benchmarks.throughput.record import machine, write_record

ROUNDS = 100
_PRINTED = (1, 10, 20, 50)
# From here on every pool and cache has been filled once: buffers are as long as the longest round.
SETTLED = 10


class Memory(SilentDisplay):
    """Records the resident memory, in MB, after each round."""

    def __init__(self, rounds: int) -> None:
        super().__init__(rounds)
        self.values: list[float] = []

    def round(self, row: dict[str, Any], seconds_left: float) -> None:
        """One round has ended."""
        gc.collect()
        self.values.append(resident())
        if len(self.values) in (*_PRINTED, self.rounds):
            print(f"round {len(self.values):4}  {self.values[-1]:8.1f} MB", flush=True)


def make_model(folder: Path) -> str:
    """Write a random model of two layers with the packaged model's tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    from corgi_gym.agents.models import load_tokenizer

    tokenizer = load_tokenizer("smollm2-135m")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def make_recipe(model: str, rounds: int, algorithm: str) -> Recipe:
    """Small rounds of the quickstart's task, with a checkpoint every ten."""
    return from_dict({
        "name": "memory", "model": model, "engine": "transformers", "algorithm": algorithm,
        "env": {"kwargs": {"tasks": "concepts"}},
        "sampling": {"max_tokens": 8, "max_length": 600},
        "train": {"rounds": rounds, "sessions": 8, "num_generations": 4, "updates": 1,
                  "micro_batch": 4, "max_attempts": 2, "save_every": 10},
        "evaluation": {"tasks": 4, "attempts": 2},
    })  # fmt: skip


def measure(recipe: Recipe, out: Path) -> list[float]:
    """Resident memory in MB after each round of a run."""
    memory = Memory(recipe.train.rounds)
    run(recipe, out, display=memory)
    return memory.values


def growth(values: list[float]) -> float:
    """MB that the rounds after the settled ones have added.

    Example:
        >>> growth([100.0] * 9 + [120.0, 121.0])
        1.0
    """
    return values[-1] - values[SETTLED - 1]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--algorithm", default="turn_grpo", help="a row of the algorithm table")
    options = parser.parse_args()
    if options.rounds <= SETTLED:
        parser.error(f"--rounds must be over {SETTLED}, got {options.rounds}")
    with tempfile.TemporaryDirectory() as scratch:
        model = make_model(Path(scratch, "model"))
        recipe = make_recipe(model, options.rounds, options.algorithm)
        values = measure(recipe, Path(scratch, "run"))
    print(f"grown after round {SETTLED}: {growth(values):+.1f} MB")
    record = {"options": vars(options), **machine(), "mb": values, "grown_mb": growth(values)}
    print(f"written to {write_record('training_memory', record)}")


if __name__ == "__main__":
    main()

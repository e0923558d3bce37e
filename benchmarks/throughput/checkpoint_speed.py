"""Seconds that one checkpoint takes: saving, and loading it again.

    python -m corgi_gym.benchmarks.throughput.checkpoint_speed --model smollm2-135m

Weights in float32, AdamW's two moments, schedule and random states, written, flushed to the disk
and renamed, as a run does between rounds. The optimizer has taken one step on zeros, so every
moment is there.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from corgi_gym.agents.checkpoints import latest
from corgi_gym.agents.engines import Sampling
from corgi_gym.agents.engines.scripted import CharCodec, ScriptedEngine
from corgi_gym.agents.models import PACKAGED_MODEL, load_model, load_tokenizer
from corgi_gym.agents.rollout import Rollout
from corgi_gym.agents.training import make_trainer
from corgi_gym.benchmarks.recipe import TrainSpec
from corgi_gym.envs import GuidedEnv


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default=PACKAGED_MODEL, help="smollm2-135m, a folder, a hub id")
    parser.add_argument("--folder", default=None, help="where to write (default: a temporary one)")
    parser.add_argument("--repeat", type=int, default=3, help="checkpoints to write (default: 3)")
    arguments = parser.parse_args()
    model, tokenizer = load_model(arguments.model), load_tokenizer(arguments.model)
    rollout = Rollout(
        lambda: GuidedEnv(prompts=["Say hi."], checker=lambda reply, target: True),
        ScriptedEngine(lambda text: "hi"),
        CharCodec(),
        Sampling(),
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        trainer = make_trainer(
            algorithm="grpo", spec=TrainSpec(), model=model, tokenizer=tokenizer, rollout=rollout,
            temperature=1.0, seed=0, output_dir=f"{folder}/scratch",
        )  # fmt: skip
        trainer.create_optimizer_and_scheduler(trainer.args.max_steps)
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        trainer.optimizer.step()
        model.zero_grad()
        trainer.keep_checkpoints(Path(folder) / "checkpoints", every=1)
        for round in range(1, arguments.repeat + 1):
            trainer.state.global_step = round * trainer.steps_per_round
            start = time.perf_counter()
            trainer._save_checkpoint(model, None)
            print(f"saved in {time.perf_counter() - start:.1f} s", flush=True)
        found, _ = latest(Path(folder) / "checkpoints")
        assert found is not None
        start = time.perf_counter()
        trainer.load_policy(found.path)
        trainer._load_optimizer_and_scheduler(str(found.path))
        size = sum(path.stat().st_size for path in found.path.rglob("*"))
        print(f"loaded in {time.perf_counter() - start:.1f} s")
        print(f"{size / 1e9:.2f} GB on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()

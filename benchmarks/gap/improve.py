"""Iterative self-improvement: sample, keep what the verifier keeps, fine-tune, again.

Algorithm 1 of Mind the Gap (arXiv 2412.02674). Round t samples training tasks of its own from the
policy of round t - 1, which also verifies them (unless another model does), and takes plain
cross-entropy on the replies that are kept. What is measured is measured on other tasks, the same
in every round.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from corgi_gym.agents.algorithms import Algorithm
from corgi_gym.agents.curriculum_settings import UNIFORM
from corgi_gym.agents.replay import Example, ReplayBuffer
from corgi_gym.benchmarks.gap.measure import Bench
from corgi_gym.benchmarks.gap.samples import Sample
from corgi_gym.benchmarks.gap.selection import Rule
from corgi_gym.benchmarks.policy import make_rollout

POLICY, KEPT = "policy", "kept.jsonl"
_KEPT_KIND = "kept"
_REPLAY = Algorithm(
    "cross-entropy on a file of examples",
    "Algorithm 1 of Mind the Gap (arXiv 2412.02674)",
    trainer="corgi_gym.agents.replayed:ReplayTrainer",
    config="corgi_gym.agents.replayed:ReplayConfig",
)


def round_folder(out: Path, number: int) -> Path:
    """Where a round keeps what it learned from, and the policy that came of it."""
    return out / f"round-{number}"


def rounds_done(out: Path) -> int:
    """Rounds whose policy is there, counted from the first."""
    number = 0
    while (round_folder(out, number + 1) / POLICY).is_dir():
        number += 1
    return number


def improve(bench: Bench, rule: Rule, number: int) -> int:
    """One round, from the policy that ``bench`` has; returns how many replies it learned from.

    What it keeps is in ``round-NUMBER/kept.jsonl``, the policy in ``round-NUMBER/policy``.
    """
    stage = f"round {number}"
    tasks = bench.recipe.evaluation.tasks
    groups = bench.sample(stage, train=True, first=(number - 1) * tasks)
    values = bench.verify(stage, groups, rule.verifiers, train=True)
    kept = [rule.keeps({v: values[v][i] for v in rule.verifiers}) for i in range(len(groups))]
    buffer = ReplayBuffer(_examples(groups, kept))
    folder = round_folder(bench.folder.path, number)
    folder.mkdir(exist_ok=True)
    buffer.save(folder / KEPT)
    _fine_tune(bench, folder, len(buffer), number)
    return len(buffer)


def _examples(
    groups: Sequence[Sequence[Sample]], kept: Sequence[Sequence[bool | None]]
) -> list[Example]:
    """What the rule keeps, as it was written: a reply that was cut has no end to learn."""
    return [
        Example.single(
            _KEPT_KIND, sample.prompt, sample.reply, closed=not sample.cut, task_id=sample.task_id
        )
        for group, flags in zip(groups, kept, strict=True)
        for sample, keep in zip(group, flags, strict=True)
        if keep
    ]


def _fine_tune(bench: Bench, folder: Path, count: int, number: int) -> None:
    """Train the policy on the kept replies, and save it; without any it stays as it is."""
    scratch = folder / ".policy"
    shutil.rmtree(scratch, ignore_errors=True)
    bench.shown.say(f"round {number}: learning from {count} replies")
    if count:
        _train(bench, folder, count, number, scratch)
    else:
        bench.policy.model.save_pretrained(scratch)
    bench.policy.tokenizer.save_pretrained(scratch)
    os.replace(scratch, folder / POLICY)


def _train(bench: Bench, folder: Path, count: int, number: int, scratch: Path) -> None:
    from corgi_gym.agents.replayed import rounds_for
    from corgi_gym.agents.sync import without_adapter
    from corgi_gym.agents.training import make_trainer

    recipe, epochs = bench.recipe, bench.settings.epochs
    rollout = make_rollout(recipe, bench.policy, train=True)
    options = {"examples": str(folder / KEPT), "epochs": epochs}
    spec = replace(
        recipe.train,
        rounds=rounds_for(count, epochs, recipe.train.sessions),
        max_attempts=1,
        single_attempt_rounds=0,
        max_seconds=0,
        max_tokens=0,  # of the recipe's own training: these rounds take all that was kept, once
        curriculum=dict(UNIFORM),
        options=options,
    )
    try:
        trainer = make_trainer(
            algorithm=_REPLAY,
            spec=spec,
            model=bench.policy.model,
            tokenizer=bench.policy.tokenizer,
            rollout=rollout,
            temperature=1.0,  # plain cross-entropy, whatever the replies were sampled at
            seed=recipe.seed + number,
            output_dir=str(folder / ".trainer"),
        )
        trainer.train()
        trainer.sync()  # the engine generates and verifies with what was learned
        trainer.save_policy(scratch)
        without_adapter(trainer.model)  # the next round trains, and judges with, the policy itself
    finally:
        rollout.close()
        shutil.rmtree(folder / ".trainer", ignore_errors=True)

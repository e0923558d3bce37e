"""Benchmarks without a model: scripted policies, and training that only writes its folder."""

import json
import random

import pytest

from corgi_gym.agents.engines import CharCodec, ScriptedEngine
from corgi_gym.benchmarks import policy
from corgi_gym.benchmarks.bench import replay, runner
from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.spec import spec_of
from corgi_gym.benchmarks.provenance import versions
from corgi_gym.envs import stable_hash
from corgi_gym.rewards import checker, registry

HOSTILE = "</script><script>document.title='pwned'</script> the \ud800 {{data}}"
WITHOUT_E = ("A cat sat down.", "Birds sing at dawn.", "Rain falls on stony hills.")
# How often the policy of each algorithm is right at an attempt, and how far seeds differ.
SKILL = {"turn_grpo": 0.6, "grpo": 0.25, "best_of_k": 0.1}
SPREAD = 0.03


def without_e(reply, target):
    """Whether a sentence has no letter e, for policies that are scripted."""
    return bool(reply) and "e" not in reply.lower()


DATA = {
    "name": "scripted",
    "question": "Which of <these> is better?",
    "algorithms": [
        {"name": "weak", "algorithm": "grpo"},
        {"name": "strong", "algorithm": "turn_grpo"},
        "untrained",
    ],
    "families": {
        name: {"kwargs": {"checker": "bench_no_e", "prompts": [
            f"{name} {i}: write a sentence without the letter e." for i in range(24)
        ]}}
        for name in ("short", "long")
    },
    "seeds": [0, 1, 2],
    "set": {"train": {"single_attempt_rounds": 0}},
    "budget": {"rounds": 4},
    "evaluations": {"test": {"tasks": 24, "attempts": 6, "resampling": 3}},
}  # fmt: skip


def script(skill, seed):
    """A policy that is right with a probability, the same replies for the same conversation."""

    def reply(conversation):
        rng = random.Random(stable_hash(skill, seed, conversation))
        if rng.random() < skill + SPREAD * (seed - 1):
            return rng.choice(WITHOUT_E)
        return HOSTILE if rng.random() < 0.1 else f"The {rng.choice('abc')} eel sleeps."

    return reply


def scripted_policy(recipe, model=None):
    """In place of a model: as good as the algorithm that trained it."""
    replies = script(SKILL[recipe.algorithm], recipe.seed)
    return policy.Policy(None, None, CharCodec(), ScriptedEngine(replies))


def scripted_run(recipe, out, *, resume, weights=None):
    """In place of training: the files that a benchmark reads of a run."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("metrics.jsonl", "episodes.jsonl"):
        (out / name).write_text("")
    config = {"versions": versions(), "machine": "test"}
    (out / "config.json").write_text(
        json.dumps({**config, "command": f"_child.py {out.parent} train"})
    )
    row = {"step": 2, "tokens": 500, "seconds": 20.0, "success": [0.2, 0.4]}
    (out / "curve.jsonl").write_text(json.dumps(row) + "\n")
    summary = {
        "status": "finished", "success_before": [0.1, 0.2], "success_after": [0.3, 0.6],
        "steps": 4, "sessions": 32, "tokens": 1000 + recipe.seed, "train_seconds": 40.0,
    }  # fmt: skip
    (out / "summary.json").write_text(json.dumps(summary))
    return summary


@pytest.fixture
def scripted(monkeypatch):
    """Policies and training are scripted; a specification with changes, as jobs need it."""
    from corgi_gym.benchmarks import experiment

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    checker("bench_no_e", examples=[("A cat", None, True), ("The", None, False)])(without_e)
    monkeypatch.setattr(policy, "load_policy", scripted_policy)
    monkeypatch.setattr(experiment, "run", scripted_run)
    monkeypatch.setattr(runner, "check_jobs", lambda jobs: None)
    monkeypatch.setattr(replay, "codec_of", lambda engine, model, system: CharCodec())

    def make(**changes):
        return spec_of({**DATA, **changes})

    return make


@pytest.fixture
def results(scripted, tmp_path):
    """A folder with the results of all jobs."""
    assert runner.run_bench(scripted(), tmp_path / "out", in_process, say=print) == 0
    return tmp_path / "out"

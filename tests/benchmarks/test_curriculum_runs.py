"""Runs with a curriculum: what they record, that they go on, and every kind of trainer in them."""

import json

import numpy as np
import pytest

from corgi_gym.benchmarks import experiment
from corgi_gym.benchmarks.experiment import run
from corgi_gym.benchmarks.progress import TIMES
from corgi_gym.envs import Draft, Task, TaskSource
from corgi_gym.rewards import Problem, Verdict


class Letters(TaskSource):
    """Tasks that differ in how many letters they ask for."""

    family = "letters"
    summary = "Write the letter e."

    def __init__(self, most=6):
        self.most = most

    def generate(self, rng: np.random.Generator) -> Draft:
        name = "".join(rng.choice(list("abcdfgh"), 3))
        count = int(rng.integers(1, self.most + 1))
        return Draft(f"{name}{count}", f"{name} {count}", count, "e " * count)

    def near_misses(self, task: Task) -> list[str]:
        return ["a"]

    @staticmethod
    def checker(reply, target):
        found = min(reply.count("e"), target)
        if found == target:
            return Verdict.ok()
        return Verdict.wrong(0.9 * found / target, Problem("e", "Write more."))


@pytest.fixture
def recipe(tiny_recipe):
    """A run of four rounds whose tasks have difficulties."""
    made = tiny_recipe(
        None,
        train={"rounds": 4, "save_every": 2, "learning_rate": 1e-3, "max_attempts": 1},
        evaluation={"attempts": 1, "tasks": 2},
    )
    made.env.kwargs = {"tasks": {"letters": Letters(), "others": Letters(2)}}
    made.train.curriculum = {"name": "tapir", "pool": 12, "rescore": 2}
    return made


def rows(out, name="metrics.jsonl"):
    found = [json.loads(line) for line in (out / name).read_text().splitlines()]
    return [{k: v for k, v in row.items() if k not in TIMES} for row in found]


def test_a_run_says_what_was_sampled_when_and_goes_on_after_a_stop(
    recipe, tmp_path, monkeypatch, tiny_folder
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(recipe, whole)
    found = [row["curriculum"] for row in rows(whole)]
    assert [(c["stage"], c["alpha"], c["scored"]) for c in found] == [
        (0, 0.3, True), (0, 0.3, False), (1, 0.5, True), (1, 0.5, False),
    ]  # fmt: skip
    for row, c in zip(rows(whole), found, strict=True):
        assert sum(n for strata in c["played"].values() for n in strata.values()) == 8
        assert sum(n for strata in c["pool"].values() for n in strata.values()) == 12
        assert (c["scoring_tokens"] > 0) == c["scored"] and row["tokens"] > c["scoring_tokens"]
    for line in (whole / "metrics.jsonl").read_text().splitlines():
        row = json.loads(line)  # tokens and seconds both with those of the scores
        assert row["tokens_per_second"] == pytest.approx(row["tokens"] / row["rollout_seconds"])
    assert {s for c in found for strata in c["pool"].values() for s in strata} == {"hard", "easy"}
    page = (whole / "report.html").read_text()
    assert "What was sampled when" in page and "Sessions by family" in page

    stop = experiment.RoundRows.rollout

    def stopped(self, report):
        stop(self, report)
        if self.progress.rounds == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(experiment.RoundRows, "rollout", stopped)
        assert run(recipe, cut)["status"] == "interrupted"
    assert run(recipe, cut, resume=True)["status"] == "finished"
    assert rows(cut) == rows(whole)
    assert rows(cut, "episodes.jsonl") == rows(whole, "episodes.jsonl")
    weights = [(out / "checkpoint" / "model.safetensors").read_bytes() for out in (whole, cut)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("algorithm", ["dapo", "sft", "grpo_best_of_4", "ppo"])
def test_every_kind_of_trainer_plays_what_is_drawn(algorithm, recipe, tiny_model, tmp_path):
    recipe.algorithm, recipe.train.rounds, recipe.train.max_attempts = algorithm, 1, 2
    run(recipe, tmp_path / "run", model=tiny_model)
    first = next(c for row in rows(tmp_path / "run") if (c := row["curriculum"]))
    assert not any("other" in strata for strata in first["played"].values())
    pool = {e["index"] for e in rows(tmp_path / "run", "episodes.jsonl") if e["phase"] == "train"}
    assert pool and min(pool) >= 2  # behind the tasks of the run's own stream


def test_distillation_learns_from_its_teacher(recipe, tmp_path):
    recipe.algorithm, recipe.evaluation.tasks, recipe.sampling.max_tokens = "tapir", 24, 16
    recipe.train.rounds, recipe.train.sessions, recipe.train.learning_rate = 6, 16, 4e-3
    recipe.train.curriculum = {"name": "uniform"}  # the method brings its own
    summary = run(recipe, tmp_path / "run")
    assert summary["mean_score_after"] > summary["mean_score_before"] + 0.1
    found = rows(tmp_path / "run")
    assert [r["curriculum"]["alpha"] for r in found] == [0.3, 0.3, 0.5, 0.5, 0.7, 0.7]
    assert found[0]["examples/count"] == 16 and found[0]["success"] == [1.0]
    assert {r["demonstrations"] for r in found} == {1.0}

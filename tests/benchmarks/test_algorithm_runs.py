"""Runs whose algorithm is special: none that trains, another environment, an adapter."""

import json

import pytest

from corgi_gym.agents.grpo import GuidedGRPOTrainer
from corgi_gym.agents.models import load_model
from corgi_gym.benchmarks import experiment
from corgi_gym.benchmarks.experiment import evaluate_recipe, evaluation_text, run


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


@pytest.fixture
def recipe(tiny_recipe):
    """A recipe of one round on the tiny model."""
    return tiny_recipe(
        letters, train={"rounds": 1, "learning_rate": 1e-2}, evaluation={"attempts": 3}
    )


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_best_of_k_is_two_evaluations_and_no_training(recipe, tmp_path):
    recipe.algorithm = "best_of_k"
    summary = run(recipe, tmp_path / "run")
    assert summary["status"] == "finished" and summary["steps"] == summary["tokens"] == 0
    assert len(summary["success_before"]) == len(summary["success_after"]) == 3
    assert not (tmp_path / "run" / "checkpoint").exists()
    page = (tmp_path / "run" / "report.html").read_text()
    assert "trained with" not in page and "after training" not in page.lower()
    assert "independent samples" in page and "Retries that repeat" not in page
    assert "nothing was trained" in page
    said = experiment.summary_text(summary)
    assert "independent samples: success@1...3" in said and "after training" not in said
    assert said.count("verbatim repeats") == 1
    after = [e for e in rows(tmp_path / "run" / "episodes.jsonl") if e["phase"] == "after"]
    assert [len(e["attempts"]) for e in after] == [3] * 4
    assert any(len({a["reply"] for a in e["attempts"]}) > 1 for e in after)
    # nobody has seen feedback: as good as first attempts, and their success is cumulative
    assert summary["success_after"] == sorted(summary["success_after"])
    result = evaluate_recipe(recipe)
    assert result["success"] == summary["success_after"] and result["independent"]
    said = evaluation_text(result)
    assert "independent samples" in said and "mean best score" in said
    assert "repeats" not in said and "gain" not in said  # nobody retries


def test_a_control_changes_the_training_environment_alone(recipe):
    recipe.algorithm = "grpo_single"
    trained = experiment.make_env(recipe, train=True).unwrapped
    tested = experiment.make_env(recipe, train=False).unwrapped
    assert (trained.max_attempts, tested.max_attempts) == (1, 3)


def test_sessions_of_independent_attempts_are_counted_as_sessions(recipe, tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(GuidedGRPOTrainer, "close", lambda self: closed.append(self))
    recipe.algorithm, recipe.train.max_attempts = "grpo_best_of_4", 4
    run(recipe, tmp_path / "run")
    assert len(closed) == 1  # with the teachers of methods that have some
    (row,) = rows(tmp_path / "run" / "metrics.jsonl")
    assert row["sessions"] == 8 and row["attempts"] == 4 and len(row["success"]) == 4
    # every attempt has up to six tokens, and at least one
    assert 32 <= row["tokens"] <= 32 * 6


@pytest.mark.parametrize(
    ("algorithm", "keys"),
    [
        ("ppo", {"ppo/return", "ppo/explained_variance", "ppo/value_loss"}),
        ("dapo", {"dynamic/flat_groups", "dynamic/extra_sessions"}),
        ("rft", {"imitation/kept"}),
        ("echo", {"feedback_loss"}),
    ],
)
def test_what_a_method_logs_is_in_the_rows_of_its_run(recipe, tmp_path, algorithm, keys):
    recipe.algorithm = algorithm
    run(recipe, tmp_path / "run")
    (row,) = rows(tmp_path / "run" / "metrics.jsonl")
    assert keys <= row.keys()


def test_the_checkpoint_of_an_adapter_is_evaluated_as_any_model(recipe, tmp_path):
    pytest.importorskip("peft")
    recipe.train.lora = {"r": 4, "alpha": 32}
    summary = run(recipe, tmp_path / "run")
    folder = tmp_path / "run" / "checkpoint"
    assert not hasattr(load_model(str(folder)), "peft_config")
    recipe.model, recipe.train.lora = str(folder), {}
    result = evaluate_recipe(recipe)
    assert result["success"] == summary["success_after"]
    assert result["mean_score"] == pytest.approx(summary["mean_score_after"])


def test_what_a_method_cannot_do_costs_nothing(recipe, tmp_path):
    recipe.algorithm = "sft"
    with pytest.raises(ValueError, match="no witness to imitate"):
        run(recipe, tmp_path / "run")
    recipe.algorithm, recipe.train.options = "dapo", {"keep_score": 1.0}
    with pytest.raises(ValueError, match=r"train\.options key 'keep_score': no DAPOConfig field"):
        run(recipe, tmp_path / "run")
    recipe.train.options, recipe.train.lora = {}, {"rank": 4}
    with pytest.raises(ValueError, match=r"unknown train\.lora key 'rank'"):
        run(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "logged"),
    [("self", {"self/kept", "self/kept_right"}), ("s2r", set())],
)
def test_what_a_method_logs_of_its_own_is_in_the_metrics(recipe, name, logged, tmp_path):
    recipe.algorithm, recipe.train.options = name, {"warmup_rounds": 0}
    run(recipe, tmp_path / "run")
    (row,) = rows(tmp_path / "run" / "metrics.jsonl")
    assert {key for key in row if key.startswith("self/")} == logged
    assert all(0.0 <= row[key] <= 1.0 for key in logged)


@pytest.mark.parametrize("algorithm", ["turn_grpo", "rft"])
def test_a_curve_is_of_the_newest_weights(recipe, tmp_path, monkeypatch, algorithm):
    """Also where the method itself samples nothing, and so has not brought them to the engine."""
    from corgi_gym.agents.weighted import ImitationTrainer

    monkeypatch.setattr(ImitationTrainer, "_samples", False)
    done = []
    for owner, name in ((GuidedGRPOTrainer, "sync"), (experiment, "evaluate")):
        original = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *a, o=original, n=name, **k: (done.append(n), o(*a, **k))[1]
        )
    recipe.algorithm, recipe.train.rounds, recipe.evaluation.every = algorithm, 3, 1
    run(recipe, tmp_path / "run")
    assert len(rows(tmp_path / "run" / "curve.jsonl")) == 2
    places = [i for i, what in enumerate(done) if what == "evaluate"]
    assert len(places) == 4 and all(done[i - 1] == "sync" for i in places[1:])

"""One run of a recipe, end to end on a tiny model: all files, however it ends."""

import json
import pickle
import re

import pytest
import torch

from corgi_gym.agents.engines import EngineError
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.models import load_model
from corgi_gym.benchmarks import experiment
from corgi_gym.benchmarks.experiment import (
    evaluate_recipe,
    evaluation_summary,
    evaluation_text,
    run,
    summary_text,
    train,
)
from corgi_gym.benchmarks.recipe import evaluates_training_prompts
from corgi_gym.benchmarks.run_folder import Phase, read_run
from corgi_gym.rewards import Example, NamedChecker

# The stable keys of issue 2, and the further ones of each evaluation.
STABLE = {
    "success_before", "success_after", "repeats_before", "repeats_after", "train_seconds",
    "total_seconds", "peak_rss_bytes", "steps", "sessions", "tokens", "seed", "versions",
}  # fmt: skip
MORE = {"status", "resumed"} | {
    f"{key}_{phase}"
    for key in ("gain", "mean_score", "tasks", "unscored")
    for phase in ("before", "after")
}
FILES = {"config.json", "metrics.jsonl", "episodes.jsonl", "progress.json", "summary.json",
         "checkpoint", "report.html", "curve.svg"}  # fmt: skip


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


def broken(reply, target):
    """A checker that always fails."""
    raise RuntimeError("no dictionary")


wrong = NamedChecker("wrong", letters, (Example("eeee", None, False),))


@pytest.fixture
def recipe(tiny_recipe):
    """A recipe of two rounds on the tiny model."""
    return tiny_recipe(
        letters, train={"rounds": 2, "learning_rate": 1e-3}, evaluation={"attempts": 4}
    )


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def same_weights(folder, model):
    from corgi_gym.agents.models import load_model, load_tokenizer

    load_tokenizer(str(folder))
    saved = load_model(str(folder)).state_dict()
    return all(torch.equal(t, saved[n]) for n, t in model.state_dict().items())


def test_a_run_leaves_all_files(recipe, tmp_path, tiny_model, capsys):
    out = tmp_path / "run"
    summary = run(recipe, out, model=tiny_model)
    assert {p.name for p in out.iterdir()} == FILES
    assert summary.keys() == STABLE | MORE
    assert json.loads((out / "summary.json").read_text()) == summary
    assert summary["status"] == "finished" and summary["steps"] == 2 and summary["sessions"] == 16
    assert len(summary["success_before"]) == len(summary["success_after"]) == 4
    assert 0 < summary["train_seconds"] < summary["total_seconds"] < 600
    assert summary["peak_rss_bytes"] > 50e6 and "torch" in summary["versions"]

    config = json.loads((out / "config.json").read_text())
    assert config["recipe"] == "tiny" and config["train"]["rounds"] == 2
    assert "letters" in str(config["env"]["kwargs"]["checker"])
    assert {"versions", "git_commit", "command", "machine"} <= config.keys()

    metrics = rows(out / "metrics.jsonl")
    assert [m["step"] for m in metrics] == [0, 1]
    for m in metrics:
        assert len(m["success"]) == 2 and m["sessions"] == 8 and m["unscored"] == 0
        assert 0 <= m["reward"] <= 1 and m["tokens_per_second"] > 0 and m["grad_norm"] >= 0
        assert m["rollout_seconds"] > 0 and m["train_seconds"] > 0 and m["demonstrations"] == 0
    assert metrics[0]["elapsed"] < metrics[1]["elapsed"]
    assert sum(m["tokens"] for m in metrics) == summary["tokens"]
    episodes = rows(out / "episodes.jsonl")
    phases = [(e["phase"], e["step"]) for e in episodes]
    assert phases == (
        [("before", 0)] * 4 + [("train", 0)] * 8 + [("train", 1)] * 8 + [("after", 2)] * 4
    )
    assert all(1 <= len(e["attempts"]) <= 4 and e["prompt"].startswith("Say") for e in episodes)
    # counted in optimizer steps: two a round
    assert [e["policy_version"] for e in episodes] == [2 * step for _, step in phases]

    assert same_weights(out / "checkpoint", tiny_model)
    assert "<html" in (out / "report.html").read_text()
    assert read_run(out).notes == []
    shown = capsys.readouterr().err
    assert re.search(
        r"round 2/2 \| reward 0\.\d\d \| solved by attempt \d+ \d+ % \| \d+ tok/s", shown
    )
    assert "success@1...4" in summary_text(summary) and "finished" in summary_text(summary)


def test_a_run_is_the_same_twice(recipe, tmp_path):
    def episodes(name):
        run(recipe, tmp_path / name)
        return rows(tmp_path / name / "episodes.jsonl")

    key = lambda e: (e["phase"], e["step"], e["index"], e["seed"], str(e["attempts"]))  # noqa: E731
    assert sorted(map(key, episodes("one"))) == sorted(map(key, episodes("two")))


@pytest.mark.parametrize("where", ["before", "train", "step", "after"])
def test_ctrl_c_leaves_what_was_reached(recipe, tmp_path, monkeypatch, tiny_model, where):
    original = experiment.RunFolder.append

    def append(self, name, row):
        original(self, name, row)
        if row.get("phase") == where and row["step"] in (0, 2) and row["index"] >= 1:
            raise KeyboardInterrupt
        if where == "step" and name == "metrics.jsonl":
            raise KeyboardInterrupt

    monkeypatch.setattr(experiment.RunFolder, "append", append)
    out = tmp_path / "run"
    summary = run(recipe, out, model=tiny_model)
    assert summary["status"] == "interrupted"
    assert json.loads((out / "summary.json").read_text()) == summary
    assert "<html" in (out / "report.html").read_text()
    assert "interrupted" in summary_text(summary)
    assert ("success_before" in summary) == (where != "before")
    assert "success_after" not in summary
    if where != "before":  # what it goes on from is there as well
        rounds = {"metrics.jsonl"} if where != "train" else set()  # the first one was interrupted
        assert {p.name for p in out.iterdir()} == FILES - {"metrics.jsonl"} | rounds | {
            "checkpoints"
        }
        assert same_weights(out / "checkpoint", tiny_model)
    else:
        assert not (out / "checkpoint").exists()


def test_a_checker_that_always_fails_is_counted_and_teaches_nothing(recipe, tmp_path, tiny_model):
    before = {n: t.clone() for n, t in tiny_model.state_dict().items()}
    recipe.env.kwargs["checker"] = broken
    summary = run(recipe, tmp_path / "run", model=tiny_model)
    assert summary["status"] == "finished"
    assert summary["unscored_before"] == summary["unscored_after"] == 4
    for key in ("success", "gain", "mean_score", "repeats"):
        assert summary[f"{key}_before"] is summary[f"{key}_after"] is None, key
    assert summary["tasks_before"] == summary["tasks_after"] == 0
    assert summary_text(summary).count("training: nothing could be checked\n") == 2
    said = "4 tasks, since the checker failed: checker 'broken' failed: "
    assert summary_text(summary).count(said) == 2
    found = evaluation_text(evaluate_recipe(recipe))
    assert found.count(said) == 1 and "nothing could be checked" in found
    metrics = rows(tmp_path / "run" / "metrics.jsonl")
    assert [m["unscored"] for m in metrics] == [16, 16]
    for key in ("reward", "success", "repeats", "entropy"):
        assert [m[key] for m in metrics] == [None, None], key
    assert all(torch.equal(t, before[n]) for n, t in tiny_model.state_dict().items())
    assert (tmp_path / "run" / "report.html").is_file()


def test_an_evaluation_that_could_not_be_checked_is_no_zero(recipe, tmp_path, monkeypatch):
    """A judge that is offline after training, and in one evaluation between."""
    offline, evaluate = False, experiment.evaluate

    def judge(reply, target):
        if offline:
            raise RuntimeError("judge offline")
        return True

    def evaluated(*arguments, **keywords):
        nonlocal offline
        offline, evaluated.calls = evaluated.calls > 0, evaluated.calls + 1
        try:
            return evaluate(*arguments, **keywords)
        finally:
            offline = False

    evaluated.calls = 0
    monkeypatch.setattr(experiment, "evaluate", evaluated)
    recipe.env.kwargs["checker"] = judge
    recipe.evaluation.every = 1
    summary = run(recipe, tmp_path / "run")
    assert summary["success_before"] == [1.0] * 4 and summary["success_after"] is None
    assert [row["success"] for row in rows(tmp_path / "run" / "curve.jsonl")] == [None]
    found = read_run(tmp_path / "run")
    assert found.phases.keys() == {"before"}
    assert found.notes == [
        "Nothing could be checked in the evaluation after training: the checker failed on every "
        "attempt, so nothing is known of it."
    ]


def test_a_round_that_was_interrupted_is_not_counted(recipe, tmp_path, monkeypatch):
    """Ctrl-C before the first and between the two optimizer steps of the second round."""
    from corgi_gym.agents.grpo import GuidedGRPOTrainer

    original, step = GuidedGRPOTrainer.training_step, 0

    def training_step(self, *arguments, **keywords):
        if self.state.global_step == step:
            raise KeyboardInterrupt
        return original(self, *arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(GuidedGRPOTrainer, "training_step", training_step)
        for step in (2, 3):
            out = tmp_path / str(step)
            summary = run(recipe, out)
            assert summary["status"] == "interrupted"
            metrics = rows(out / "metrics.jsonl")
            assert len(metrics) == summary["steps"] == 1 and summary["sessions"] == 8
            assert summary["tokens"] == metrics[0]["tokens"]
    summary = run(recipe, tmp_path / "3", resume=True)
    metrics = rows(tmp_path / "3" / "metrics.jsonl")
    assert len(metrics) == summary["steps"] == 2 and summary["sessions"] == 16
    assert summary["tokens"] == sum(m["tokens"] for m in metrics)


def test_alarms_are_shown_recorded_and_reported(recipe, tmp_path, capsys):
    recipe.env.kwargs["checker"] = broken
    run(recipe, tmp_path / "run")
    metrics = rows(tmp_path / "run" / "metrics.jsonl")
    assert [[a["kind"] for a in row["alarms"]] for row in metrics] == [["unscored", "masked"], []]
    assert metrics[0]["masked"] == metrics[0]["unscored_share"] == 1.0
    for text in (capsys.readouterr().err, (tmp_path / "run" / "report.html").read_text()):
        assert "the checker failed on 100% of the attempts" in text
    assert "Alarm in round 1: the checker failed" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.parametrize("polls", [3, 60])
def test_an_engine_that_fails_leaves_what_was_reached(recipe, tmp_path, monkeypatch, polls):
    original, count = TransformersEngine.poll, 0

    def poll(self):
        nonlocal count
        count += 1
        if count > polls:
            raise EngineError("out of memory")
        return original(self)

    monkeypatch.setattr(TransformersEngine, "poll", poll)
    out = tmp_path / "run"
    with pytest.raises(EngineError, match="out of memory"):
        run(recipe, out)
    assert json.loads((out / "summary.json").read_text())["status"] == "failed"
    assert (out / "config.json").is_file() and (out / "report.html").is_file()
    if polls > 3:
        assert same_weights_loadable(out / "checkpoint")
        phases = {e["phase"] for e in rows(out / "episodes.jsonl")}
        assert {"before", "train"} <= phases <= {"before", "train", "unfinished"}
    assert not list(out.glob(".trainer*"))


def same_weights_loadable(folder):
    from corgi_gym.agents.models import load_model

    return load_model(str(folder)) is not None


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("env", "id", "Nope-v0", "'Nope-v0' cannot be made: .* ConstrainedGen-v0, GuidedMath-v0"),
        ("env", "kwargs", {"feedbak": "full"}, "'feedbak'"),
        ("env", "kwargs", {"tasks": "nope"}, "unknown task family 'nope'"),
        ("env", "kwargs", {"prompts": [], "checker": letters}, "prompts"),
        ("env", "kwargs", {"prompts": ["x"], "checker": wrong}, "'wrong' contradicts its example"),
        ("evaluation", "env_kwargs", {"feedback": "loud"}, "'loud'"),
        ("train", "options", {"epsilonn": 1}, "train.options key 'epsilonn'"),
        ("train", "rounds", 0, "train.rounds must be a positive integer"),
        (None, "model", "no-such-model", "unknown model 'no-such-model'"),
        (None, "engine", "vlm", "unknown engine 'vlm'"),
        (None, "engine_options", {"url": "http://x"}, "'url'.*option of vllm-server or openai"),
        (None, "engine_options", {"inner": "auto"}, "'inner'.*it is an option of pieces"),
        ("env", "kwargs", {"tasks": "concepts", "task_options": 5}, "task_options must be"),
        ("env", "kwargs", {"self_check": "maybe"}, "self_check must be true or false"),
        ("train", "curriculum", {"name": "learnable", "low": "x"}, "low <= high"),
    ],
)
def test_bad_input_costs_nothing_and_overwrites_nothing(recipe, tmp_path, part, key, value, words):
    out = tmp_path / "run"
    out.mkdir()
    (out / "summary.json").write_text("old")
    setattr(getattr(recipe, part) if part else recipe, key, value)
    with pytest.raises(ValueError, match=words):
        run(recipe, out, overwrite=True)
    assert [p.name for p in out.iterdir()] == ["summary.json"]
    assert (out / "summary.json").read_text() == "old"


def test_a_checker_that_only_the_training_has_is_tried_too(recipe, tmp_path):
    recipe.env.kwargs = {"prompts": ["x"], "checker": wrong}
    recipe.evaluation.env_kwargs = {"checker": letters}
    with pytest.raises(ValueError, match="'wrong' contradicts its example"):
        run(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_that_cannot_be_loaded_overwrites_nothing_and_leaves_no_run(recipe, tmp_path):
    out, good = tmp_path / "run", recipe.model
    run(recipe, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    recipe.model = str(tmp_path / "broken")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="broken"):
        run(recipe, out, overwrite=True)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    with pytest.raises(ValueError, match="broken"):
        run(recipe, tmp_path / "new")
    recipe.model = good
    assert run(recipe, tmp_path / "new")["status"] == "finished"
    (out / "checkpoint" / "mine.txt").write_text("of an earlier run")
    run(recipe, out, overwrite=True)
    assert not (out / "checkpoint" / "mine.txt").exists()


def test_the_model_of_a_run_is_not_overwritten_by_what_starts_from_it(recipe, tmp_path):
    run(recipe, tmp_path / "run")
    recipe.model = str(tmp_path / "run" / "checkpoint")
    with pytest.raises(
        ValueError, match=r"would remove the model .*choose another folder with --out"
    ):
        run(recipe, tmp_path / "run", overwrite=True)
    assert (tmp_path / "run" / "summary.json").is_file()


def test_a_start_can_be_sent_to_other_processes(recipe, tmp_path):
    recipe.env.kwargs["checker"] = lambda reply, target: True
    start = experiment._start(recipe, tmp_path / "run", False, False, None)
    assert pickle.loads(pickle.dumps(start)).config["algorithm"] == recipe.algorithm


def test_a_run_begins_with_the_weights_it_is_given(recipe, tmp_path, tiny_model, tiny_tokenizer):
    with torch.no_grad():
        tiny_model.get_input_embeddings().weight.mul_(2)
    tiny_model.save_pretrained(tmp_path / "start")
    tiny_tokenizer.save_pretrained(tmp_path / "start")
    recipe.train.learning_rate = 1e-9
    run(recipe, tmp_path / "run", weights=tmp_path / "start")
    made = load_model(str(tmp_path / "run" / "checkpoint")).state_dict()
    for name, tensor in tiny_model.state_dict().items():
        assert torch.allclose(tensor, made[name], atol=1e-5), name
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"] == recipe.model


def test_an_existing_run_is_kept(recipe, tmp_path):
    (tmp_path / "summary.json").write_text("old")
    with pytest.raises(FileExistsError, match="already holds a run"):
        run(recipe, tmp_path)


def test_a_model_is_evaluated_without_a_folder(recipe):
    result = evaluate_recipe(recipe)
    assert result.keys() == {
        "model", "success", "gain", "mean_score", "repeats", "tasks", "unscored"
    }  # fmt: skip
    assert len(result["success"]) == 4 and result["tasks"] == 4
    assert result["gain"] == result["success"][-1] - result["success"][0]
    assert result == evaluate_recipe(recipe)
    assert "on 4 tasks, greedy" in evaluation_text(result)


def test_the_evaluation_is_greedy_on_its_own_tasks(recipe):
    policy = experiment.load_policy(recipe)
    recipe.env.kwargs = {"tasks": "num_planning"}
    recipe.evaluation.env_kwargs = {"feedback": "silent"}
    first = experiment.evaluate(recipe, policy)
    recipe.seed = 5
    second = experiment.evaluate(recipe, policy)
    assert [e.token_ids for e in first] == [e.token_ids for e in second]
    assert [e.index for e in first] == [0, 1, 2, 3]
    trained = experiment.make_env(recipe, train=True).unwrapped
    tested = experiment.make_env(recipe, train=False).unwrapped
    assert (trained.split, trained.max_attempts, trained.feedback) == ("train", 2, "full")
    assert (tested.split, tested.max_attempts, tested.feedback) == ("test", 4, "silent")


def test_an_empty_evaluation_knows_nothing():
    assert evaluation_summary([], 3) == {
        "success": None, "gain": None, "mean_score": None, "repeats": None,
        "tasks": 0, "unscored": 0,
    }  # fmt: skip


def test_repeats_are_of_the_sessions_that_were_checked():
    def session(index, replies, unscored):
        attempts = [Attempt(reply, "", 0.0, False, unscored, False, [], 1) for reply in replies]
        return Episode("t", f"t/{index}", index, 0, 0, attempts=attempts)

    found = [session(0, "abb", False), session(1, "aaaa", True)]
    assert evaluation_summary(found, 4)["repeats"] == Phase.of("after", found, 4).repeats == 0.5


def test_training_on_ones_own_prompts_and_checker(tmp_path, recipe):
    summary = train(
        prompts=["Say a.", {"prompt": "Say b.", "target": "b"}],
        test_prompts=["Say c."],
        checker=letters,
        out=tmp_path / "mine",
        recipe=recipe,
        train__rounds=1,
        seed=3,
    )
    assert summary["status"] == "finished" and summary["steps"] == 1 and summary["seed"] == 3
    assert summary["tasks_after"] == 1
    episodes = rows(tmp_path / "mine" / "episodes.jsonl")
    assert {e["prompt"] for e in episodes if e["phase"] == "train"} == {"Say a.", "Say b."}
    assert {e["prompt"] for e in episodes if e["phase"] != "train"} == {"Say c."}
    assert not evaluates_training_prompts(json.loads((tmp_path / "mine/config.json").read_text()))
    for prompts, words in (("abc", "prompts must be a list"), ([], "prompts is empty")):
        with pytest.raises((TypeError, ValueError), match=words):
            train(prompts=prompts, checker=letters, out=tmp_path / "x", recipe=recipe)
        with pytest.raises((TypeError, ValueError), match=f"test_{words}"):
            train(
                prompts=["x"], test_prompts=prompts, checker=letters, out=tmp_path / "x",
                recipe=recipe,
            )  # fmt: skip
    with pytest.raises(ValueError, match=r"unknown key 'round' in recipe\.train"):
        train(prompts=["x"], checker=letters, out=tmp_path / "x", recipe=recipe, train__round=1)
    found = {"env__id": "InstructionFollowing-v0", "env__kwargs__feedback": "binary"}
    train(prompts=["x"], checker=letters, out=tmp_path / "x", recipe=recipe, **found)
    env = json.loads((tmp_path / "x" / "config.json").read_text())["env"]
    assert env["id"] == "InstructionFollowing-v0" and env["kwargs"].keys() == {
        "feedback", "prompts", "checker"
    }  # fmt: skip


def test_an_evaluation_on_the_training_prompts_says_so(recipe, tmp_path, capsys):
    for tests, told in ((None, True), (["Say b."], True), (["Say c."], False)):
        out = tmp_path / str(tests)
        train(
            prompts=["Say a.", "Say b."], test_prompts=tests, checker=letters, out=out,
            recipe=recipe, train__rounds=1,
        )  # fmt: skip
        assert ("evaluated on the training prompts themselves" in capsys.readouterr().err) == told
        assert evaluates_training_prompts(json.loads((out / "config.json").read_text())) == told


def test_resuming_what_never_began_says_so(recipe, tmp_path, capsys):
    run(recipe, tmp_path / "runn", resume=True)
    assert "nothing to resume in " in capsys.readouterr().err
    run(recipe, tmp_path / "runn", resume=True)
    assert "starting from the beginning" not in capsys.readouterr().err


def test_a_folder_that_is_taken_is_refused_before_anything_is_loaded(recipe, tmp_path, monkeypatch):
    (tmp_path / "summary.json").write_text("{}")
    monkeypatch.setattr("corgi_gym.benchmarks.experiment.check_inputs", lambda recipe: 1 / 0)
    with pytest.raises(FileExistsError, match="already holds a run"):
        run(recipe, tmp_path)

"""Runs that are killed at any moment and resumed end as if nothing had happened."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from corgi_gym.__main__ import main
from corgi_gym.benchmarks import experiment, provenance, resume
from corgi_gym.benchmarks.experiment import run
from corgi_gym.benchmarks.progress import TIMES
from corgi_gym.benchmarks.recipe import from_dict
from corgi_gym.benchmarks.run_writer import RunFolder

KILLS = (
    "evaluation_before", "rollout", "step", "first_save", "second_save", "rename", "renamed",
    "prune", "model", "evaluation_after", "report", "interrupt",
)  # fmt: skip
DRIVER = Path(__file__).with_name("resume_driver.py")


@pytest.fixture(scope="module")
def results(tiny_folder, tmp_path_factory):
    """What came of an uninterrupted run, and of runs that were killed and resumed."""
    work = tmp_path_factory.mktemp("resume")
    done = subprocess.run(
        [sys.executable, str(DRIVER), tiny_folder, str(work)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads((work / "results.json").read_text())


def assert_same(one, whole, *, resumed):
    for part in ("parameters", "metrics.jsonl", "episodes.jsonl", "files"):
        assert one[part] == whole[part], part
    assert one["summary"] == {**whole["summary"], "resumed": resumed}


def test_the_uninterrupted_run_learns_something(results):
    whole = results["whole"]
    assert len(whole["metrics.jsonl"]) == 5 and len(whole["episodes.jsonl"]) == 4 + 40 + 4
    assert all(row["loss"] != 0 and row["grad_norm"] > 0 for row in whole["metrics.jsonl"])
    assert len({row["loss"] for row in whole["metrics.jsonl"]}) == 5
    assert not set(TIMES) & whole["metrics.jsonl"][0].keys()
    assert "checkpoints" not in whole["files"] and "checkpoint" in whole["files"]


@pytest.mark.parametrize("name", KILLS)
def test_a_killed_run_ends_like_an_uninterrupted_one(results, name):
    one = results[name]
    assert one["code"] == (0 if name == "interrupt" else -9)
    # the kill before the report comes when all the rest is done
    assert_same(one, results["whole"], resumed=0 if name == "report" else 1)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("evaluation_before", set()),
        ("first_save", {".tmp-round-00002"}),
        ("second_save", {"round-00002", ".tmp-round-00004"}),
        ("rename", {"round-00002", ".tmp-round-00004"}),
        ("renamed", {"round-00002", "round-00004", ".tmp-round-00004"}),
        ("prune", {"round-00004", "round-00005", ".tmp-old-round-00002", ".tmp-round-00005"}),
        ("interrupt", {"round-00002"}),
        ("report", {"round-00004", "round-00005"}),
    ],
)
def test_the_kills_hit_what_they_are_meant_to_hit(results, name, held):
    assert set(results[name]["held"]) == {f"checkpoints/{path}" for path in held}


@pytest.mark.parametrize("name", ["ppo", "lora"])
def test_a_killed_run_with_a_critic_or_an_adapter_ends_like_an_uninterrupted_one(results, name):
    assert results[name]["code"] == -9
    assert_same(results[name], results[f"{name}-whole"], resumed=1)
    assert len(results[name]["metrics.jsonl"]) == 3
    assert all(row["grad_norm"] > 0 for row in results[name]["metrics.jsonl"])


def test_a_run_may_be_killed_again_and_again(results):
    assert results["thrice"]["codes"] == [-9, -9, -9]
    assert_same(results["thrice"], results["whole"], resumed=3)


def test_a_kill_from_outside(results):
    assert results["outside"]["code"] == -9
    assert_same(results["outside"], results["whole"], resumed=1)


def test_the_one_before_a_torn_checkpoint_will_do(results):
    assert_same(results["torn"], results["whole"], resumed=1)


@pytest.mark.parametrize("forgets", ["_load_optimizer_and_scheduler", "_load_rng_state"])
def test_a_resume_that_forgets_something_would_be_noticed(results, forgets):
    assert results[forgets]["parameters"] != results["whole"]["parameters"]
    assert results[forgets]["metrics.jsonl"] != results["whole"]["metrics.jsonl"]


# ---------------------------------------------------------------- in this process


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


@pytest.fixture
def recipe(tiny_folder):
    """A recipe of one round."""
    return from_dict({
        "name": "tiny", "model": tiny_folder, "engine": "transformers",
        "env": {"kwargs": {"prompts": ["Say a.", "Say b."], "checker": letters}},
        "sampling": {"max_tokens": 4, "max_length": 200},
        "train": {"rounds": 1, "sessions": 4, "num_generations": 2, "updates": 1,
                  "micro_batch": 4, "max_attempts": 1},
        "evaluation": {"tasks": 2, "attempts": 1},
    })  # fmt: skip


def contents(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_a_finished_run_is_left_as_it_is(recipe, tmp_path, capsys):
    out = tmp_path / "run"
    summary = run(recipe, out, resume=True)  # there is nothing yet: it starts
    assert summary["status"] == "finished" and summary["resumed"] == 0
    before = contents(out)
    capsys.readouterr()
    assert run(recipe, out, resume=True) == summary
    assert contents(out) == before
    assert capsys.readouterr().err == f"the run in {out} is finished: nothing to resume\n"


def stopped(recipe, out, monkeypatch):
    """A run that Ctrl-C stopped in the evaluation before training."""

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "_evaluation", interrupted)
        assert run(recipe, out)["status"] == "interrupted"


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("train", "learning_rate", 1.0, r"train\.learning_rate = 5e-05.* go on with 1\.0"),
        ("train", "rounds", 2, r"train\.rounds = 1.* go on with 2"),
        (None, "seed", 9, r"seed = 0.* go on with 9"),
        ("env", "kwargs", {"tasks": "countdown"}, r"env\.kwargs\.checker = '.*letters'.*'nothing'"),
        ("evaluation", "tasks", 3, r"evaluation\.tasks = 2.* go on with 3"),
    ],
)
def test_another_recipe_is_refused(recipe, tmp_path, monkeypatch, part, key, value, words):
    out = tmp_path / "run"
    stopped(recipe, out, monkeypatch)
    before = contents(out)
    setattr(getattr(recipe, part) if part else recipe, key, value)
    with pytest.raises(ValueError, match=words + ".*--overwrite"):
        run(recipe, out, resume=True)
    assert contents(out) == before


def test_what_changes_nothing_may_differ(recipe, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    stopped(recipe, out, monkeypatch)
    assert "to go on with this run: " in capsys.readouterr().err
    recipe.name, recipe.train.save_every = "other", 3
    monkeypatch.setattr(provenance, "versions", lambda: {"torch": "0.1"})
    summary = run(recipe, out, resume=True)
    assert summary["status"] == "finished" and summary["resumed"] == 1
    shown = capsys.readouterr().err
    assert "there is no checkpoint: starting from the beginning" in shown
    assert "versions.torch was " in shown and "is 0.1 now: what follows may differ" in shown
    parts = json.loads((out / "progress.json").read_text())["parts"]
    assert len(parts) == 2 and parts[1]["versions"] == {"torch": "0.1"}
    assert summary["total_seconds"] >= sum(part["seconds"] for part in parts) - 1
    assert summary["total_seconds"] > parts[1]["seconds"] > summary["train_seconds"]


def test_a_server_may_have_moved(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.write_json("config.json", {"engine_options": {"url": "http://a:1", "retries": 5}})
    now = {"engine_options": {"url": "http://a:2", "retries": 4}}
    (note,) = resume.may_go_on(folder, now)
    assert note.startswith("engine_options.retries was 5 and is 4 now")


def test_rows_that_are_lost_are_not_made_up(recipe, tmp_path, monkeypatch):
    out = tmp_path / "run"
    monkeypatch.setattr(experiment, "_train", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(recipe, out)
    rows = (out / "episodes.jsonl").read_bytes()
    (out / "episodes.jsonl").write_bytes(rows[:-1])
    with pytest.raises(ValueError, match=r"episodes\.jsonl has \d+ bytes where .*rows are lost"):
        run(recipe, out, resume=True)
    (out / "config.json").unlink()
    with pytest.raises(ValueError, match=r"has results and no config\.json"):
        run(recipe, out, resume=True)


def test_a_new_run_does_not_find_the_checkpoints_of_an_old_one(recipe, tmp_path):
    out = tmp_path / "run"
    (out / "checkpoints" / "round-00001").mkdir(parents=True)
    with pytest.raises(FileExistsError, match=r"already holds a run \(checkpoints\).*--resume"):
        run(recipe, out)
    assert run(recipe, out, overwrite=True)["resumed"] == 0
    assert not (out / "checkpoints").exists()


def test_overwrite_and_resume_exclude_each_other(recipe, tmp_path, capsys):
    with pytest.raises(ValueError, match="choose one of the two"):
        run(recipe, tmp_path / "run", overwrite=True, resume=True)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit) as ended:
        main(["train", "--overwrite", "--resume"])
    assert ended.value.code == 2 and "not allowed with" in capsys.readouterr().err


def test_the_command_to_go_on_is_the_one_that_started(monkeypatch):
    monkeypatch.setattr(
        sys, "argv", ["/usr/bin/corgi-gym", "train", "quickstart", "--set", "a=b c", "--overwrite"]
    )
    assert resume.resume_command(Path("x")) == ("corgi-gym train quickstart --set 'a=b c' --resume")


def test_the_command_line_resumes(monkeypatch):
    seen = {}

    def fake(recipe, out, **how):
        seen.update(how, out=out)
        return json.loads(
            '{"status": "finished", "steps": 0, "sessions": 0, "tokens": 0, '
            '"train_seconds": 0, "total_seconds": 0, "peak_rss_bytes": 0}'
        )

    monkeypatch.setattr(experiment, "run", fake)
    assert main(["train", "quickstart", "--out", "x", "--resume"]) == 0
    assert seen == {"out": "x", "overwrite": False, "resume": True}


@pytest.mark.parametrize("value", [-1, "often"])
def test_impossible_intervals_are_refused(recipe, tmp_path, value):
    recipe.train.save_every = value
    with pytest.raises((ValueError, TypeError), match="save_every"):
        run(from_dict(recipe.as_dict()), tmp_path / "run")

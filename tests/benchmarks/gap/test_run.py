"""`corgi-gym gap`: from samples to a page, resumed, judged again, and improved on."""

import itertools
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import gymnasium
import pytest
from safetensors.torch import load_file

from corgi_gym.__main__ import main
from corgi_gym.agents.engines import EngineError
from corgi_gym.benchmarks.display import Display
from corgi_gym.benchmarks.gap import improve, page
from corgi_gym.benchmarks.gap import run as gap_run
from corgi_gym.benchmarks.gap.measure import Bench
from corgi_gym.benchmarks.gap.run import run_gap
from corgi_gym.benchmarks.gap.samples import Sample
from corgi_gym.benchmarks.gap.settings import GapSettings, gap_recipe
from corgi_gym.benchmarks.policy import make_env
from corgi_gym.benchmarks.run_writer import RunFolder

SETTINGS = GapSettings(samples=6, verifiers=("cot_b", "checker:own"), top_p=1.0)


@pytest.fixture
def go(monkeypatch, recipe, make_policy, tmp_path):
    """A function: runs with a scripted policy; returns the result and what was asked of it."""

    def run(settings=SETTINGS, *, recipe=recipe, **how):
        policy = make_policy()
        monkeypatch.setattr(gap_run, "load_policy", lambda recipe: policy)
        result = run_gap(recipe, settings, tmp_path / "gap", **how)
        return result, policy.engine.asked

    return run


def test_a_verifier_that_knows_finds_all_that_can_be_found(go, tmp_path):
    result, asked = go()
    (row,) = result["rounds"]
    rules = row["rules"]
    assert list(rules) == ["cot_b>=1", "checker:own>=1"]
    assert rules["cot_b>=1"] == rules["checker:own>=1"]
    found = rules["cot_b>=1"]
    assert 0 < found["J"]["value"] < 1 and found["precision"]["value"] == 1
    assert found["gap"]["value"] == pytest.approx(found["verified"]["value"] - found["J"]["value"])
    assert row["prompts"] == 4 and row["samples"] == 24 and row["kept"] is None
    assert len(asked) == 48  # a sample and a verdict each; the checker asks nobody
    assert json.loads((tmp_path / "gap" / "gap.json").read_text()) == result
    for name in ("gap.md", "gap.html"):
        text = (tmp_path / "gap" / name).read_text()
        assert "cot_b&gt;=1" in text or "cot_b>=1" in text
    assert "<script" not in text and "http" not in text.replace("http://www.w3.org", "").replace(
        "http-equiv", ""
    )


def test_what_is_on_the_disk_is_not_asked_again(go, recipe, tmp_path):
    whole, _ = go()
    for name, lines in (("samples.jsonl", 10), ("verdicts.jsonl", 3)):
        path = tmp_path / "gap" / name
        kept = path.read_text().splitlines()[:lines]
        path.write_text("\n".join(kept) + '\n{"torn')
    with pytest.raises(FileExistsError, match="--resume"):
        go()
    again, asked = go(resume=True)
    assert again["rounds"] == whole["rounds"]
    assert len([a for a in asked if "step by step" not in a]) == 24 - 10
    assert len([a for a in asked if "step by step" in a]) == 24 - 3
    _, asked = go(resume=True)
    assert asked == []
    with pytest.raises(ValueError, match=r"drawn with samples = 6 \(now 7\): give the same"):
        go(replace(SETTINGS, samples=7), resume=True)
    with pytest.raises(ValueError, match=r"drawn with improve = 0 \(now 1\): give the same"):
        go(replace(SETTINGS, improve=1, epochs=2), resume=True)
    recipe.seed = 5
    recipe.sampling.temperature = 0.5
    with pytest.raises(
        ValueError,
        match=r"with sampling\.temperature = 1\.0 \(now 0\.5\), seed = 0 \(now 5\): give",
    ):
        go(resume=True, recipe=recipe)


def test_the_same_samples_are_judged_in_another_way(go):
    first, _ = go()
    other = GapSettings(samples=6, verifiers=("cot_s",), top_p=1.0, rules=("cot_s top 0.5",))
    second, asked = go(other, resume=True)
    assert len(asked) == 24 and all("Score:" in a for a in asked)
    assert list(second["rounds"][0]["rules"]) == ["cot_s top 0.5"]
    assert second["rounds"][0]["pass_at"] == first["rounds"][0]["pass_at"]


def test_a_longer_verdict_is_another_one(go):
    """It judges the same samples; what was cut at another length is not taken for it."""
    settings = replace(SETTINGS, verifiers=("cot_b", "cot_s", "checker:own"))
    first, _ = go(settings)
    longer = replace(settings, reasoning_tokens=200)
    shorter = replace(settings, reasoning_tokens=9)  # cut before the verdict
    assert len(go(longer, resume=True)[1]) == 48
    second, asked = go(shorter, resume=True)
    assert len(asked) == 48 and all("step by step" in a for a in asked)
    assert second["rounds"][0]["pass_at"] == first["rounds"][0]["pass_at"]
    assert second["rounds"][0]["rules"]["cot_b>=1"]["unscored"]["value"] == 1
    third, asked = go(settings, resume=True)
    assert asked == [] and third["rounds"] == first["rounds"]


def test_settings_of_rounds_do_not_hold_samples_that_no_round_drew(go, tmp_path):
    """A folder of an earlier version held to be fixed what cannot change a sample."""
    first, _ = go()
    path = tmp_path / "gap" / "config.json"
    config = json.loads(path.read_text())
    assert config["fixed"] == {"samples": 6, "top_p": 1.0, "improve": 0}
    config["fixed"] |= {"improve_rule": "cot_b top 0.25", "epochs": 3, "reasoning_tokens": 9}
    path.write_text(json.dumps(config))
    again, asked = go(resume=True)
    assert asked == [] and again["rounds"] == first["rounds"]


def test_what_is_in_the_folder_is_told(go, tmp_path, capsys):
    words = f"nothing to resume in {tmp_path / 'gap'}: starting from the beginning\n"
    go(resume=True)
    assert capsys.readouterr().err.count(words) == 1
    go(resume=True)
    assert "nothing" not in capsys.readouterr().err
    (tmp_path / "gap" / "config.json").write_text('{"model": "of a training"}')
    with pytest.raises(ValueError, match="holds something else than a gap"):
        go(resume=True)


def test_bad_settings_end_before_anything_starts(go, recipe, tmp_path):
    for settings, words in (
        (GapSettings(samples=0), "samples must be at least 1"),
        (GapSettings(top_p=0.0), "top_p must be in"),
        (GapSettings(verifiers=("mc",), rules=("cot_b>=1",)), "asks cot_b, which is not among"),
        (GapSettings(rules=("mc > 1",)), "is no rule"),
        (GapSettings(improve_rule="mc top 0.25"), r"--improve-rule is .*: give --improve ROUNDS"),
        (GapSettings(epochs=2), "--epochs is for .* give --improve ROUNDS, or leave --epochs out"),
        (GapSettings(verifier_url="http://127.0.0.1:1"), "needs verifier_model"),
        (GapSettings(verifier_url="http://x", verifier_model="m"), "mc.*chat endpoint"),
        (GapSettings(verifier_model="no-such-model"), "unknown model 'no-such-model'"),
    ):
        with pytest.raises(ValueError, match=words):
            go(settings)
    nobody = {"verifier_url": "http://127.0.0.1:1/v1", "verifier_model": "m"}
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:1"):
        go(GapSettings(**nobody, verifiers=("cot_b",)))
    adapter = replace(recipe, train=replace(recipe.train, lora={"rnak": 16}))
    with pytest.raises(ValueError, match=r"unknown train\.lora key 'rnak'"):
        go(replace(SETTINGS, improve=1), recipe=adapter)
    with pytest.raises(ValueError, match="choose one of the two"):
        go(overwrite=True, resume=True)
    with pytest.raises(ValueError, match=r"mc.*chat endpoint"):
        go(
            GapSettings(),
            recipe=replace(recipe, engine="openai", engine_options={"url": "http://x"}),
        )
    assert not (tmp_path / "gap").exists()


def test_an_impossible_verifier_costs_no_results(go, tmp_path, monkeypatch):
    go()
    before = sorted((p.name, p.read_bytes()) for p in (tmp_path / "gap").iterdir())

    def refuse(*args, **kwargs):
        raise ValueError("no such checker")

    monkeypatch.setattr(Bench, "rules", refuse)
    with pytest.raises(ValueError, match="no such checker"):
        go(overwrite=True)
    assert sorted((p.name, p.read_bytes()) for p in (tmp_path / "gap").iterdir()) == before


def test_any_environment_id_and_any_recipe(tmp_path, monkeypatch):
    assert gap_recipe("corgi/Countdown-v0").check().env.id == "corgi/Countdown-v0"
    assert gap_recipe("quickstart").evaluation.attempts == 1
    (tmp_path / "my_gap_module.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('MyGap-v0', 'corgi_gym.envs:GuidedEnv', kwargs={'tasks': 'panagram'})\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    recipe = gap_recipe("my_gap_module:MyGap-v0").check()
    try:
        assert gymnasium.make(recipe.env.id).reset()[1]["task"] == "panagram"
    finally:
        gymnasium.registry.pop("MyGap-v0", None)
    neither = "is neither a recipe nor an environment id"
    for name, words in (
        ("corgi/Coutdown-v0", f"{neither}; did you mean 'corgi/Countdown-v0'?"),
        ("quickstat", f"{neither}; did you mean 'quickstart'?"),
        ("xyz", f"{neither}. Recipes are a YAML file or one of: as_es, "),
    ):
        with pytest.raises(FileNotFoundError, match=re.escape(f"{name!r} {words}")):
            gap_recipe(name)


def test_the_help_names_environments(capsys):
    for command, told in (("gap", True), ("evaluate", False)):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert ("any environment id" in " ".join(capsys.readouterr().out.split())) == told


def test_the_command_line_says_what_is_wrong(capsys, tiny_folder):
    common = ["gap", "corgi/Countdown-v0", "--model", tiny_folder, "--engine", "transformers"]
    assert main([*common, "--verifier", "vote"]) == 2
    assert "unknown verifier 'vote'; choose from mc" in capsys.readouterr().err
    assert main([*common, "--prompts", "0"]) == 2
    assert "evaluation.tasks must be a positive integer" in capsys.readouterr().err


def test_rounds_with_fewer_scored_samples_have_a_page(go):
    result, _ = go()
    (row,) = result["rounds"]
    fewer = {**row, "round": 1, "pass_at": {"1": row["pass_at"]["1"], "3": None}, "kept": 2}
    text = page.as_page({**result, "rounds": [row, {**fewer, "change": None}]})
    assert "pass@k" in text


def test_rounds_of_improvement_learn_what_the_verifier_keeps(tmp_path, recipe):
    """The tiny model on a checker as verifier: what it learns from raises J on other samples."""

    def many_e(reply, target):
        return reply.count("e") >= 2

    recipe.env.kwargs["checker"] = many_e
    recipe.sampling.temperature, recipe.train.learning_rate = 1.0, 4e-3
    settings = GapSettings(
        samples=12, verifiers=("checker:own", "mc"), rules=("checker:own>=1", "mc>=0.5"),
        top_p=1.0, improve=1, epochs=24,
    )  # fmt: skip
    out = tmp_path / "gap"
    result = run_gap(recipe, settings, out)
    before, after = result["rounds"]
    assert result["learned_from"] == "checker:own>=1" and after["kept"] > 0
    js = [row["rules"]["checker:own>=1"]["J"]["value"] for row in (before, after)]
    assert js[1] > js[0] + 0.15
    assert after["change"]["value"] == pytest.approx(js[1] - js[0])
    assert {p.name for p in (out / "round-1").iterdir()} == {"kept.jsonl", "policy"}
    stages = [json.loads(row)["stage"] for row in (out / "samples.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(stages)) == ["test 0", "round 1", "test 1"]
    assert run_gap(recipe, settings, out, resume=True)["rounds"] == result["rounds"]
    other = replace(settings, verifiers=("checker:own",), rules=("checker:own>=1",))
    with pytest.raises(ValueError, match=r"were drawn with rules = .*'mc>=0\.5'\].*verifiers ="):
        run_gap(recipe, other, out, resume=True)  # the policies of earlier rounds are gone
    (out / "gap.json").unlink()
    # a part that ended after the training goes on with the policy that came of it
    path = out / "samples.jsonl"
    path.write_text("".join(r + "\n" for r in path.read_text().splitlines()[:96]))
    resumed = run_gap(recipe, settings, out, resume=True)
    assert resumed["rounds"][1]["kept"] == after["kept"]
    later = resumed["rounds"][1]["rules"]["checker:own>=1"]["J"]["value"]
    assert later == pytest.approx(js[1], abs=0.15)


def test_rounds_with_an_adapter_go_on_from_each_other(tiny_folder, tmp_path, recipe, monkeypatch):
    """LoRA: a round starts from the last one's policy, also after one that kept nothing."""
    rule = "checker:own>=1"
    recipe.env.kwargs["checker"] = lambda reply, target: "e" in reply
    chosen, calls = improve._examples, itertools.count(1)
    monkeypatch.setattr(
        improve, "_examples", lambda *kept: chosen(*kept) if next(calls) < 3 else []
    )
    recipe.sampling.temperature, recipe.train.learning_rate = 1.0, 4e-3
    # what the recipe's own training would stop at, or draw, is not these rounds'
    recipe.train.lora, recipe.train.max_tokens = {"r": 4}, 1
    recipe.train.curriculum = {"name": "tapir", "pool": 4}
    settings = GapSettings(
        samples=4, verifiers=("checker:own", "mc"), rules=(rule,), top_p=1.0, improve=3, epochs=4
    )
    result = run_gap(recipe, settings, tmp_path / "gap")
    kept = [row["kept"] for row in result["rounds"]]
    assert kept[1] > 0 and kept[2] > 0 and kept[3] == 0
    folders = [Path(tiny_folder), *(tmp_path / f"gap/round-{n}/policy" for n in (1, 2, 3))]
    weights = [load_file(folder / "model.safetensors") for folder in folders]
    assert all(w.keys() == weights[0].keys() for w in weights)
    moved = [distance(a, b) for a, b in pairwise(weights)]
    assert moved[0] > 0.01 and moved[1] > 0.01 and moved[2] == 0
    assert distance(weights[0], weights[2]) > moved[1]  # it has what both rounds learned


def distance(a, b):
    """How far apart two checkpoints are."""
    return sum(float((a[name].float() - b[name].float()).square().sum()) for name in a) ** 0.5


@pytest.fixture
def checkpoint(tmp_path):
    """A function: a folder as a training would leave it, with these weights."""

    def write(name, weights):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(weights)
        return str(folder)

    return write


def test_samples_of_a_policy_that_was_trained_since_are_not_gone_on_with(go, recipe, checkpoint):
    mine = replace(recipe, model=checkpoint("policy", b"first"))
    go(recipe=mine)
    assert go(recipe=mine, resume=True)[1] == []
    checkpoint("policy", b"second")
    with pytest.raises(ValueError, match=r"were drawn with weights = \S+ \(now \S+\)"):
        go(recipe=mine, resume=True)


def test_verdicts_of_a_verifier_that_was_trained_since_are_asked_again(
    go, recipe, checkpoint, tmp_path
):
    settings = replace(SETTINGS, verifier_model=checkpoint("judge", b"first"))
    first, _ = go(settings)
    assert go(settings, resume=True)[1] == []
    checkpoint("judge", b"second")
    again, asked = go(settings, resume=True)
    assert len(asked) == 24 and all("step by step" in question for question in asked)
    assert again["rounds"] == first["rounds"]  # the scripted judge is the same
    assert go(settings, resume=True)[1] == []
    old = tmp_path / "gap" / "config.json"  # of an older version, which did not tell weights
    told = json.loads(old.read_text())
    del told["weights"], told["verifier_weights"]
    old.write_text(json.dumps(told))
    assert go(settings, resume=True)[1] == []


def test_training_tasks_are_judged_by_their_own_targets(recipe, make_policy, tmp_path):
    """A round of improvement samples training tasks; those of the test split have other targets."""
    recipe.env.id, recipe.env.kwargs = "GuidedMath-v0", {"tasks": "multistep_arithmetic"}
    policy = make_policy()
    with Display(0) as shown:
        bench = Bench(recipe, SETTINGS, RunFolder(tmp_path / "x"), policy, policy, shown)
        env = make_env(recipe, train=True).unwrapped
        tasks = [env.task_at(i) for i in range(6)]
        groups = [
            [Sample(i, 0, t.task_id, t.prompt, t.witness, 1.0, True, False, False, 1)]
            for i, t in enumerate(tasks)
        ]
        found = bench.verify("round 1", groups, ["checker:own"], train=True)
        assert found == {"checker:own": [[1.0]] * 6}
        with pytest.raises(RuntimeError, match="its target is another"):
            bench.verify("test 1", groups, ["checker:own"], train=False)

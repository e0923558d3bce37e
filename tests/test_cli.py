"""The command line: help with examples, and bad input in one line."""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from corgi_gym.__main__ import main
from corgi_gym.benchmarks.recipe import load_recipe
from corgi_gym.envs import family_names

COMMANDS = (
    "train", "evaluate", "play", "tasks", "audit", "gap", "segments", "vote", "improvement",
)  # fmt: skip

RECIPE = """
name: tiny
model: {model}
engine: transformers
env: {{id: corgi/NumPlanning-v0}}
sampling: {{max_tokens: 5, max_length: 500}}
train: {{rounds: 1, sessions: 4, num_generations: 2, updates: 1, micro_batch: 4, max_attempts: 2}}
evaluation: {{tasks: 3}}
"""


@pytest.fixture
def recipe_file(tmp_path, tiny_folder):
    """A recipe file for the tiny model."""
    path = tmp_path / "tiny.yaml"
    path.write_text(RECIPE.format(model=tiny_folder))
    return str(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"Example:\n  corgi-gym {command}" in text


def test_the_help_of_train_has_a_line_for_each_method_with_tasks_of_its_own(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    for name in ("tripost", "tapir", "as_es", "s2r", "revise", "self"):
        assert f"\n  corgi-gym train {name} " in text
        load_recipe(name)


def test_the_examples_in_the_help_parse(capsys):
    from corgi_gym.__main__ import _parser

    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        example = capsys.readouterr().out.split("Example:\n")[1].split()
        assert _parser().parse_args(example[1:]).command == command


def test_help_and_version_name_every_command(capsys):
    for argument in ("--help", "--version"):
        with pytest.raises(SystemExit) as ended:
            main([argument])
        assert ended.value.code == 0
    text = capsys.readouterr().out
    named = re.search(r"\{([a-z,]+)\}", text)
    assert all(command in text for command in (*COMMANDS, "bench"))
    assert named is None or set(named[1].split(",")) == {*COMMANDS, "bench"}
    from corgi_gym import __version__

    assert f"corgi-gym {__version__}" in text


def test_no_command_is_an_error(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2 and "COMMAND" in capsys.readouterr().err


def test_tasks_lists_every_family(capsys):
    assert main(["tasks"]) == 0
    text = capsys.readouterr().out
    assert all(f"{name}  (corgi/" in text for name in family_names())
    assert main(["tasks", "countdown", "--seed", "3"]) == 0
    assert "concepts" not in capsys.readouterr().out


def test_play_reads_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n\nwrong again\n\n"))
    assert main(["play", "corgi/Countdown-v0", "--seed", "3", "--max-attempts", "2"]) == 1
    text = capsys.readouterr().out
    assert "[countdown]" in text and text.count("score 0.") >= 2
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["play"]) == 1
    assert "You gave up." in capsys.readouterr().out


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupt(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupt)
    monkeypatch.setattr("corgi_gym.benchmarks.play.play.__kwdefaults__", {
        "seed": 0, "feedback": "full", "max_attempts": 4, "read": interrupt, "write": print,
    })  # fmt: skip
    assert main(["play"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["train", "nope"], "'nope'"),
        (["evaluate", "nope"], "'nope'"),
        (["train", "--algorithm", "gpro"], "'gpro'"),
        (["train", "--engine", "vlm"], "'vlm'"),
        (["train", "--model", "no-such-model"], "'no-such-model'"),
        (["evaluate", "--model", ""], "''"),
        (["train", "--seed", "-1"], "-1"),
        (["train", "--set", "train.rounds"], "'train.rounds'"),
        (["train", "--set", "train.rounds=[1"], "'train.rounds=[1'"),
        (["train", "--set", "trian.rounds=1"], "'trian'"),
        (["train", "--set", "train.rounds=-3"], "-3"),
        (["train", "--set", "env.id=Nope-v0"], "'Nope-v0'"),
        (["train", "--set", "env.kwargs.tasks=nope"], "'nope'"),
        (["train", "--set", "env.kwargs.feedback=loud"], "'loud'"),
        (["train", "--set", "env.kwargs.feedbak=full"], "'feedbak'"),
        (["evaluate", "--set", "env.id=Nope-v0"], "'Nope-v0'"),
        (["play", "Nope-v0"], "'Nope-v0'"),
        (["play", "CartPole-v1"], "'CartPole-v1'"),
        (["play", "--feedback", "loud"], "'loud'"),
        (["play", "--max-attempts", "0"], "0"),
        (["play", "--seed", "-1"], "-1"),
        (["tasks", "nope"], "'nope'"),
        (["play", "countdown"], "did you mean 'corgi/Countdown-v0'?"),
        (["play", "Countdown-v0"], "did you mean 'corgi/Countdown-v0'?"),
        (["train", "--set", "rounds=5"], "did you mean 'train.rounds'?"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_that_names_it(arguments, named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"corgi-gym {arguments[0]}: error: ")
    assert named in lines[0]
    assert captured.out == "" and list(tmp_path.iterdir()) == []


def test_a_value_of_the_recipe_as_an_option_names_the_way(capsys):
    for arguments, hint in ((["train", "--rounds", "5"], True), (["play", "--rounds", "5"], False)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        error = capsys.readouterr().err
        assert ended.value.code == 2 and "unrecognized arguments: --rounds" in error
        assert ("--set train.rounds=5" in error) == hint


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_missing_training_stack_is_named_with_the_way_out(command, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "corgi_gym.benchmarks.needs.find_spec", lambda name: None if name == "torch" else name
    )
    assert main([command]) == 2
    assert (
        'no module torch: training and evaluating models need pip install "corgi-gym[train]"'
        in (capsys.readouterr().err)
    )
    assert list(tmp_path.iterdir()) == []


def test_a_module_that_is_missing_later_is_explained_too(monkeypatch, capsys):
    def missing(*args, **kwargs):
        raise ModuleNotFoundError("No module named 'trl.trainer'", name="trl.trainer")

    monkeypatch.setattr("corgi_gym.benchmarks.play.describe_families", missing)
    assert main(["tasks"]) == 2
    assert "; training and evaluating models need pip install" in capsys.readouterr().err


def test_the_traceback_is_there_on_request():
    with pytest.raises(ValueError, match="'nope'"):
        main(["tasks", "nope", "--traceback"])


def test_run_folders_that_cannot_be_used_are_named(tmp_path, recipe_file, capsys):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "summary.json").write_text("{}")
    (tmp_path / "file").write_text("x")
    for name, words in (("old", "already holds a run"), ("file", "cannot be written to")):
        assert main(["train", recipe_file, "--out", str(tmp_path / name)]) == 2
        error = capsys.readouterr().err.strip()
        assert words in error and f"{tmp_path / name}" in error and "--out" in error
        assert "\n" not in error


def test_no_vllm_is_one_line(monkeypatch, tmp_path, recipe_file, capsys):
    monkeypatch.setitem(__import__("sys").modules, "vllm", None)
    assert main(["train", recipe_file, "--engine", "vllm", "--out", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err.strip()
    assert "pip install 'corgi-gym[vllm]'" in error and "\n" not in error
    assert not (tmp_path / "r").exists()


def test_evaluate_prints_one_json_object(recipe_file, capsys):
    assert main(["evaluate", recipe_file, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["success"]) == 4 and result["tasks"] == 3
    assert main(["evaluate", recipe_file, "--set", "evaluation.attempts=2"]) == 0
    assert "success@1...2" in capsys.readouterr().out


def test_train_runs_and_says_what_it_reached(recipe_file, tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", recipe_file, "--out", str(out), "--seed", "3"]) == 0
    captured = capsys.readouterr()
    assert "before training: success@1...4" in captured.out and "1 rounds" in captured.out
    assert f"report: {out}" in captured.err
    assert json.loads((out / "summary.json").read_text())["seed"] == 3
    assert main(["train", recipe_file, "--out", str(out)]) == 2
    # the checkpoint is a model like any other
    assert main(["evaluate", recipe_file, "--model", str(out / "checkpoint")]) == 0


def test_an_engine_that_fails_is_one_line(recipe_file, tmp_path, monkeypatch, capsys):
    from corgi_gym.agents.engines import EngineError
    from corgi_gym.agents.engines.transformers_engine import TransformersEngine

    def poll(self):
        raise EngineError("out of memory")

    monkeypatch.setattr(TransformersEngine, "poll", poll)
    assert main(["train", recipe_file, "--out", str(tmp_path / "run")]) == 1
    assert "corgi-gym train: error: out of memory" in capsys.readouterr().err


def test_a_bad_command_loads_no_torch(run_python):
    code = (
        "import sys; from corgi_gym.__main__ import main; main(['tasks', 'countdown']);"
        "main(['train', 'nope']); print('torch' in sys.modules)"
    )
    assert run_python(code).splitlines()[-1] == "False"


@pytest.mark.parametrize("command", [["tasks"], ["tasks", "countdown"]])
def test_a_reader_that_has_seen_enough_is_no_error(command):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "corgi_gym", *command],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (ended.returncode, ended.stderr) == (1, "")

"""`accelerate launch` with two processes on the CPU, weights whole or sharded: the run of one."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.launch import launch_command_parser
from safetensors.torch import load_file

from corgi_gym.agents.processes import Processes
from corgi_gym.agents.training import check_training
from corgi_gym.benchmarks.recipe import RECIPES, TrainSpec
from corgi_gym.envs import GuidedEnv

pytestmark = pytest.mark.alone

DRIVER = Path(__file__).with_name("processes_driver.py")
# --multi_gpu starts processes with torch's launcher; ACCELERATE_USE_CPU keeps them on the CPU. With
# --cpu, accelerate would need an MPI installation.
LAUNCH = [
    sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2",
    "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
    "--main_process_port", "0",
]  # fmt: skip
LAUNCHERS = {
    "one": [sys.executable],
    "ddp": [*LAUNCH, "--multi_gpu"],
    "fsdp": [
        *LAUNCH, "--use_fsdp", "--fsdp_version", "2",
        "--fsdp_auto_wrap_policy", "TRANSFORMER_BASED_WRAP",
        "--fsdp_state_dict_type", "FULL_STATE_DICT",
        "--fsdp_cpu_ram_efficient_loading", "false",
    ],
}  # fmt: skip
SEVERAL = [name for name in LAUNCHERS if name != "one"]


def drive(launcher, model, out, **environment):
    return subprocess.run(
        [*LAUNCHERS[launcher], str(DRIVER), model, str(out)],
        env={**os.environ, "ACCELERATE_USE_CPU": "true", **environment},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def rows(out, name):
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """The run folders of one process, and of two in each way, when they are first asked for.

    That with sharded weights was killed after its second round and resumed.
    """
    root = tmp_path_factory.mktemp("processes")

    @functools.cache
    def finished(launcher):
        if launcher == "fsdp":
            killed = drive(launcher, tiny_folder, root / launcher, DIE_AFTER="round-00002")
            assert killed.returncode != 0 and "SIGKILL" in killed.stderr
            assert (root / launcher / "checkpoints" / "round-00002").is_dir()
        done = drive(launcher, tiny_folder, root / launcher)
        assert done.returncode == 0, done.stderr[-3000:]
        return root / launcher

    return finished


@pytest.mark.parametrize("launcher", SEVERAL)
def test_the_loss_curve_is_that_of_one_process(runs, launcher):
    one, two = (rows(runs(name), "metrics.jsonl") for name in ("one", launcher))
    assert len(one) == len(two) == 4
    for a, b in zip(one, two, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-5)
        assert b["grad_norm"] == pytest.approx(a["grad_norm"], rel=1e-4)
        for key in ("reward", "success", "sessions", "tokens", "repeats", "zero_variance"):
            assert a[key] == b[key], key


@pytest.mark.parametrize("launcher", SEVERAL)
def test_the_sessions_are_those_of_one_process(runs, launcher):
    def told(row):
        return row["phase"], row["step"], row["index"], row["seed"], row["attempts"]

    one, two = (
        sorted(map(told, rows(runs(name), "episodes.jsonl")), key=str) for name in ("one", launcher)
    )
    assert len(one) == 2 * 5 + 4 * 16
    assert one == two


@pytest.mark.parametrize("launcher", SEVERAL)
def test_the_policy_is_that_of_one_process(runs, launcher):
    one, two = (
        load_file(runs(name) / "checkpoint" / "model.safetensors") for name in ("one", launcher)
    )
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("launcher", SEVERAL)
def test_one_process_alone_writes(runs, launcher):
    one, two = (sorted(p.name for p in runs(name).iterdir()) for name in ("one", launcher))
    assert one == two
    summary = json.loads((runs(launcher) / "summary.json").read_text())
    assert summary["status"] == "finished" and summary["resumed"] == (launcher == "fsdp")


def test_what_processes_had_played_when_one_failed_is_on_the_disk(tiny_folder, tmp_path):
    result = drive("ddp", tiny_folder, tmp_path / "run", FAIL_AT="1")
    assert result.returncode != 0 and "the engine is gone" in result.stderr
    played = [rows(tmp_path / "run", f"unfinished-{rank}.jsonl") for rank in (0, 1)]
    assert len(played[0]) == len(played[1]) > 0
    assert all((e["phase"], e["step"]) == ("unfinished", 1) for part in played for e in part)
    # the round before is where it belongs, and in no other place
    episodes = rows(tmp_path / "run", "episodes.jsonl")
    assert sum((e["phase"], e["step"]) == ("train", 0) for e in episodes) == 2 * len(played[0])


def test_shares_come_back_in_order(monkeypatch):
    assert [Processes(i, 3).share("abcdefgh") for i in range(3)] == [
        ["a", "d", "g"], ["b", "e", "h"], ["c", "f"],
    ]  # fmt: skip
    parts = [["a", "d", "g"], ["b", "e", "h"], ["c", "f"]]
    monkeypatch.setattr("accelerate.utils.gather_object", lambda mine: parts)
    monkeypatch.setattr("corgi_gym.agents.processes._connect", lambda: None)
    assert Processes(0, 3).gather(parts[0]) == list("abcdefgh")


def test_settings_that_leave_engines_without_weights_are_refused(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    env = GuidedEnv(prompts=["Say a."], checker=lambda reply, target: 0.5)
    check_training("turn_grpo", TrainSpec(), env)
    with pytest.raises(ValueError, match="ppo cannot be trained with weights split"):
        check_training("ppo", TrainSpec(), env)
    monkeypatch.setenv("FSDP_STATE_DICT_TYPE", "SHARDED_STATE_DICT")
    with pytest.raises(ValueError, match="SHARDED_STATE_DICT leaves checkpoints in parts"):
        check_training("turn_grpo", TrainSpec(), env)
    monkeypatch.setenv("FSDP_CPU_RAM_EFFICIENT_LOADING", "true")  # the launcher's default
    with pytest.raises(ValueError, match="--fsdp_cpu_ram_efficient_loading false"):
        check_training("turn_grpo", TrainSpec(), env)


@pytest.mark.parametrize(
    ("environment", "sharded"),
    [
        ({}, False),
        ({"ACCELERATE_USE_FSDP": "true"}, True),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"}, False),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"}, True),
        ({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_CONFIG_FILE": "x"}, True),
    ],
)
def test_whether_weights_are_sharded_is_what_the_launcher_says(monkeypatch, environment, sharded):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Processes.current().sharded is sharded


@pytest.mark.parametrize("name", ["ddp", "fsdp2", "zero2", "zero3"])
def test_the_configurations_are_accelerates_own(name):
    from accelerate.commands.config.config_args import load_config_from_file

    path = RECIPES / "accelerate" / f"{name}.yaml"
    config = load_config_from_file(str(path))  # an unknown key is an error
    assert config.mixed_precision == "bf16" and config.num_processes > 1
    sections = yaml.safe_load(path.read_text())
    known = vars(launch_command_parser().parse_args(["--config_file", str(path), "x.py"]))
    for section in ("fsdp_config", "deepspeed_config"):
        assert set(sections.get(section, {})) <= known.keys()


def test_alone_nothing_is_gathered():
    alone = Processes.current()
    assert alone == Processes(0, 1) and alone.main
    assert alone.from_main(lambda: 5) == 5
    assert alone.gather(alone.share([1, 2])) == [1, 2]
    assert alone.any(True) and not alone.any(False)

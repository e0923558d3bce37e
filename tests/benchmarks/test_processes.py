"""`accelerate launch` with two processes on the CPU: the same run as with one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from corgi_gym.agents.processes import Processes
from corgi_gym.benchmarks.experiment import check_inputs
from corgi_gym.benchmarks.recipe import from_dict

DRIVER = Path(__file__).with_name("processes_driver.py")
# --multi_gpu starts processes with torch's launcher; the variable keeps them on the CPU. With
# --cpu, accelerate would need an MPI installation.
LAUNCH = [
    sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
    "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
    "--main_process_port", "0",
]  # fmt: skip


def drive(launcher, model, out):
    done = subprocess.run(
        [*launcher, str(DRIVER), model, str(out)],
        env={**os.environ, "ACCELERATE_USE_CPU": "true"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def rows(out, name):
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def runs(tiny_folder, tmp_path_factory):
    """The run folders of one process and of two."""
    root = tmp_path_factory.mktemp("processes")
    drive([sys.executable], tiny_folder, root / "one")
    drive(LAUNCH, tiny_folder, root / "two")
    return root / "one", root / "two"


def test_the_loss_curve_is_that_of_one_process(runs):
    one, two = (rows(run, "metrics.jsonl") for run in runs)
    assert len(one) == len(two) == 4
    for a, b in zip(one, two, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], abs=1e-5)
        assert b["grad_norm"] == pytest.approx(a["grad_norm"], rel=1e-4)
        for key in ("reward", "success", "sessions", "tokens", "repeats", "zero_variance"):
            assert a[key] == b[key], key


def test_the_sessions_are_those_of_one_process(runs):
    def told(row):
        return row["phase"], row["step"], row["index"], row["seed"], row["attempts"]

    one, two = (sorted(map(told, rows(run, "episodes.jsonl")), key=str) for run in runs)
    assert len(one) == 2 * 5 + 4 * 16
    assert one == two


def test_the_policy_is_that_of_one_process(runs):
    one, two = (load_file(run / "checkpoint" / "model.safetensors") for run in runs)
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-4)


def test_one_process_alone_writes(runs):
    assert sorted(p.name for p in runs[0].iterdir()) == sorted(p.name for p in runs[1].iterdir())
    assert json.loads((runs[1] / "summary.json").read_text())["status"] == "finished"


def test_shares_come_back_in_order(monkeypatch):
    assert [Processes(i, 3).share("abcdefgh") for i in range(3)] == [
        ["a", "d", "g"], ["b", "e", "h"], ["c", "f"],
    ]  # fmt: skip
    parts = [["a", "d", "g"], ["b", "e", "h"], ["c", "f"]]
    monkeypatch.setattr("accelerate.utils.gather_object", lambda mine: parts)
    monkeypatch.setattr("corgi_gym.agents.processes._connect", lambda: None)
    assert Processes(0, 3).gather(parts[0]) == list("abcdefgh")


def test_one_server_for_several_processes_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    recipe = from_dict({"engine": "vllm-server", "engine_options": {"url": "http://127.0.0.1:9"}})
    with pytest.raises(ValueError, match="one vLLM server cannot generate for several"):
        check_inputs(recipe)


def test_alone_nothing_is_gathered():
    alone = Processes.current()
    assert alone == Processes(0, 1) and alone.main
    assert alone.from_main(lambda: 5) == 5
    assert alone.gather(alone.share([1, 2])) == [1, 2]
    assert alone.any(True) and not alone.any(False)

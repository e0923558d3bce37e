"""Jobs in processes of their own, here and on a local Ray: one that works and one that cannot."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from corgi_gym.benchmarks.bench.identity import code_version
from corgi_gym.benchmarks.bench.job import new_job
from corgi_gym.benchmarks.bench.launch import local, on_ray
from corgi_gym.benchmarks.bench.runner import job_folder, status_of
from corgi_gym.benchmarks.bench.spec import jobs_of, spec_of


@pytest.fixture(params=["local", "ray"])
def launcher(request, monkeypatch):
    if request.param == "local":
        return local(2)
    # Ray kills its workers when the whole machine is short of memory, whoever uses it
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "0")
    return on_ray("local")


def test_a_job_that_fails_says_why_and_the_other_is_done(launcher, tiny_folder, tmp_path):
    prompts = [{"prompt": "Use aflg.", "target": "aflg"}]
    spec = spec_of({
        "algorithms": ["untrained"],
        "set": {"model": tiny_folder, "engine": "transformers",
                "sampling": {"max_tokens": 4, "max_length": 200}},
        "families": {"one": {"kwargs": {"checker": "panagram", "prompts": prompts}},
                     "two": {"kwargs": {"tasks": "nonsense"}}},
        "seeds": [0],
        "evaluations": {"test": {"tasks": 1, "attempts": 2}},
    })  # fmt: skip
    good, bad = jobs_of(spec)
    for job in (good, bad):
        new_job(job_folder(tmp_path, job), job.labels, job.config(), code_version())
    errors = dict(launcher([job_folder(tmp_path, job) for job in (good, bad)]))
    assert errors[job_folder(tmp_path, good)] is None
    assert status_of(job_folder(tmp_path, good)) == "done"
    error = errors[job_folder(tmp_path, bad)]
    assert error.startswith("evaluate ended with status 1") and "'nonsense'" in error
    metrics = json.loads((job_folder(tmp_path, good) / "metrics.json").read_text())
    assert metrics["evaluations"]["test"]["tasks"] == 1 and metrics["curve"] == []


def test_a_job_that_waits_for_room_is_submitted_and_not_started(monkeypatch, tmp_path):
    """Without --jobs a cluster gets all jobs at once, and runs as many as there is room for."""
    ray = SimpleNamespace(
        init=lambda **settings: None, shutdown=lambda: None, cluster_resources=dict,
        remote=lambda **needs: lambda run: SimpleNamespace(remote=lambda folder, keep: folder),
        wait=lambda tasks: ([tasks[0]], tasks[1:]), get=lambda task: None,
        exceptions=SimpleNamespace(RayError=OSError),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "ray", ray)
    folders, told = [tmp_path / "a", tmp_path / "b"], []
    done = list(on_ray("local")(folders, lambda folder, how: told.append((folder, how))))
    assert done == [(folder, None) for folder in folders]
    assert told == [(folder, "submitted") for folder in folders]


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="--jobs must be at least 1, got 0"):
        local(0)


def test_a_job_ends_with_its_launcher(tmp_path):
    """A training that outlived a killed benchmark would keep the cores and the job's lock."""
    os.mkfifo(tmp_path / "job.json")  # whoever reads it waits for ever
    code = (
        "from pathlib import Path; from corgi_gym.benchmarks.bench.launch import local;"
        f"list(local()([Path({str(tmp_path)!r})]))"
    )
    launcher = subprocess.Popen([sys.executable, "-c", code])
    try:
        job = wait_for(lambda: children_of(launcher.pid))[0]
        wait_for(lambda: (tmp_path / ".lock").exists())  # it is at work
    finally:
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
    wait_for(lambda: state_of(job) == "Z")


def wait_for(found, seconds=60):
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return value


def children_of(pid):
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def state_of(pid):
    """As in ``ps``; also Z when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"

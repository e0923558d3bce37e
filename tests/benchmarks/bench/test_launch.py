"""Jobs in processes of their own, here and on a local Ray: one that works and one that cannot."""

import json

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
    pytest.importorskip("ray")
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


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="--jobs must be at least 1, got 0"):
        local(0)

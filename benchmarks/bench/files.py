"""The files of a benchmark's folder and what must be in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.bench.shapes import check_metrics
from corgi_gym.benchmarks.run_writer import load_json

SPEC, JOBS, STARTS = "spec.json", "jobs", "starts"
JOB, METRICS, STATUS, RUN, EVALUATIONS = (
    "job.json", "metrics.json", "status.json", "run", "evaluations",
)  # fmt: skip
# Which policy a job began with, where the specification has them begin with a trained one.
START = "start.json"
# What happened in training, the largest file of a job; no number is computed from it.
TRANSCRIPTS = "run/episodes.jsonl"
CONFIG, SUMMARY = "run/config.json", "run/summary.json"
# Where SPEC has the hash of the recipe as it was.
RECIPE = "recipe"
DONE, FAILED = "done", "failed"
# Keys without which a file is not what it should be.
_KEYS = {
    SPEC: ("spec", "jobs"),
    JOB: ("labels", "config", "code"),
    START: ("weights",),
    STATUS: ("status",),
    METRICS: ("evaluations", "curve", "cost"),
}

Json = dict[str, Any]


def read_job(folder: Path) -> tuple[Json | None, Json | None, Json | None]:
    """What a job's ``job.json``, ``status.json`` and, once it is done, ``metrics.json`` say.

    Raises:
        ValueError: If one that should be there is missing or damaged; says which, and the way out.
    """
    try:
        job, status, metrics = (read_mapping(folder / name) for name in (JOB, STATUS, METRICS))
        done = status is not None and status["status"] == DONE
        if done and job is not None and metrics is not None:
            _check_numbers(metrics, job["config"])
        if status is not None and job is None:
            raise ValueError(f"{JOB} is missing")
        if done and metrics is None:
            raise ValueError(f"{METRICS} is missing")
        for name in (CONFIG, SUMMARY, START):
            read_mapping(folder / name)
    except ValueError as error:
        raise ValueError(
            f"{JOBS}/{folder.name} is broken ({error}): remove this folder and run the benchmark "
            "again"
        ) from error
    return job, status, metrics if done else None


def _check_numbers(metrics: Json, config: Any) -> None:
    try:
        check_metrics(metrics, config)
    except ValueError as error:
        raise ValueError(f"{METRICS}: {error}") from error


def read_mapping(path: Path) -> Json | None:
    """A JSON file that holds a mapping; None if there is none.

    Raises:
        ValueError: If it holds anything else, or lacks what it must have; the message has the
            file's name.
    """
    try:
        data = load_json(path)
    except FileNotFoundError:
        return None
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} holds no mapping")
    if lost := [key for key in _KEYS.get(path.name, ()) if key not in data]:
        raise ValueError(f"{path.name} has no {', '.join(lost)}")
    return data

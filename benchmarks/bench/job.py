"""One job: train the recipe, evaluate the policy, measure.

Its folder, whose name is the hash of configuration and code version:

    job.json                  labels, configuration, code version
    start.json                the policy it began with, if that was trained first (`STARTS`)
    run/                      the training run (`docs/runs.md`), without its weights in the end
    evaluations/NAME.jsonl    the sessions of each evaluation, NAME.resampling.jsonl, NAME.gap.jsonl
    metrics.json              what they show (`measures.py`), the learning curve, the cost
    status.json               last: done, with the hash of every file; or failed, with the error

Each phase leaves whole files or goes on from its own checkpoints, so a job that was killed at any
moment is simply run again.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.bench.exploits import exploits
from corgi_gym.benchmarks.bench.files import (
    CONFIG,
    EVALUATIONS,
    JOB,
    METRICS,
    RUN,
    START,
    STARTS,
    STATUS,
    SUMMARY,
    TRANSCRIPTS,
    read_mapping,
)
from corgi_gym.benchmarks.bench.gap import gap_numbers, judge_samples
from corgi_gym.benchmarks.bench.identity import code_version, file_digest, job_id
from corgi_gym.benchmarks.bench.measures import measure
from corgi_gym.benchmarks.bench.spec import evaluation_recipe
from corgi_gym.benchmarks.gap.settings import MAX_LENGTH
from corgi_gym.benchmarks.provenance import versions, weights_digest
from corgi_gym.benchmarks.recipe import Recipe, from_dict
from corgi_gym.benchmarks.run_folder import read_sessions
from corgi_gym.benchmarks.run_writer import CHECKPOINTS, RunFolder, SilentFolder

# Files of a finished job whose hashes are recorded: what a report or a check reads.
_RECORDED = (
    JOB, START, METRICS, TRANSCRIPTS, CONFIG, "run/metrics.jsonl", "run/curve.jsonl", SUMMARY,
)  # fmt: skip
PHASES = ("start", "train", "evaluate")

Json = dict[str, Any]


# How the error of a job begins that another process is running.
BUSY = "another process is at work"


class JobError(RuntimeError):
    """A job that cannot go on; the message says why."""


def run_phase(folder: Path, phase: str, *, keep_weights: bool = False) -> None:
    """Run one phase of the job in ``folder``, or what is left of it.

    Raises:
        JobError: If another process is at it, the code is not that of the job, or training was
            interrupted.
        ValueError: For a phase that does not exist.
    """
    if phase not in PHASES:
        raise ValueError(f"unknown phase {phase!r}; choose from {', '.join(PHASES)}")
    with _alone(folder):
        job = _job(folder)
        _check_code(job["code"])
        config = job["config"]
        recipe: Recipe = from_dict(config["recipe"])
        if phase == "start":
            _train_start(folder, config)
        elif phase == "train":
            _train(folder, recipe, config)
        else:
            _evaluate(folder, recipe, config, keep_weights)


def _job(folder: Path) -> Json:
    if (job := read_mapping(folder / JOB)) is None:
        raise ValueError(f"{folder} is no job: {JOB} is missing")
    return job


def _check_code(planned: str) -> None:
    """Refuse to go on with other code than the job was planned with: each phase reads it anew.

    Raises:
        JobError: If a source file has changed since, or another machine has another installation.
    """
    if planned != (found := code_version()):
        raise JobError(
            f"the code is {found} and this job was planned with {planned}: run the benchmark "
            "again, from a checkout that nobody edits meanwhile"
        )


def _train_start(folder: Path, config: Json) -> None:
    """Train the policy that the job begins with, unless it is there or no longer needed.

    It lies beside ``jobs/``, for all that begin with it; a job waits while another trains it.

    Raises:
        JobError: If its training was interrupted, its weights are gone, or the job began with
            others.
    """
    if "start" not in config or _finished(folder):
        return
    from corgi_gym.benchmarks.experiment import run

    home = _start_folder(folder, config)
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home, wait=True):
        summary = _finished(home) or run(from_dict(config["start"]), home / RUN, resume=True)
    if summary["status"] != "finished":
        raise JobError("the training before it was interrupted; run the benchmark again to go on")
    cost = {key: summary[key] for key in ("steps", "tokens", "train_seconds", "success_after")}
    if not (folder / START).exists():
        begun = {"policy": home.name, "weights": _start_digest(home), **cost}
        RunFolder(folder, resume=True).write_json(START, begun)
    _begins_with(folder, config)


def _finished(folder: Path) -> Json | None:
    """The summary of the training in a folder, if that has ended with all that belongs to it."""
    summary = read_mapping(folder / SUMMARY) or {}
    ended = summary.get("status") == "finished" and not (folder / RUN / CHECKPOINTS).exists()
    return summary if ended else None


def _start_folder(folder: Path, config: Json) -> Path:
    return folder.parent.parent / STARTS / job_id(config["start"], _job(folder)["code"])


def _start_digest(home: Path) -> str:
    try:
        return weights_digest(home / RUN / "checkpoint")
    except FileNotFoundError as error:
        raise JobError(f"{error}: remove {home} and run the benchmark again") from error


def _begins_with(folder: Path, config: Json) -> Path | None:
    """The weights that a job begins with; None where these are its recipe's model.

    Raises:
        JobError: If they are gone, or not those that it was to begin with.
    """
    if "start" not in config:
        return None
    home, begun = _start_folder(folder, config), read_mapping(folder / START)
    found = _start_digest(home)
    if begun is None or begun["weights"] != found:
        raise JobError(
            f"the policy in {home} is not the one that this job began with: remove {folder} and "
            "run the benchmark again"
        )
    return home / RUN / "checkpoint"


def _train(folder: Path, recipe: Recipe, config: Json) -> None:
    if not config["trains"]:
        return
    if _finished(folder):
        return  # and what it began with may be gone
    from corgi_gym.benchmarks.experiment import run

    weights = _begins_with(folder, config)
    if run(recipe, folder / RUN, resume=True, weights=weights)["status"] != "finished":
        raise JobError("training was interrupted; run the benchmark again to go on")


def _evaluate(folder: Path, recipe: Recipe, config: Json, keep_weights: bool) -> None:
    """Run the evaluations that have no file yet, then measure all of them."""
    from corgi_gym.benchmarks.policy import load_policy

    plans = config["evaluations"]
    parts = [
        (name, resampled) for name in plans for resampled in (False, True)
        if (plans[name]["resampling"] or not resampled)
        and not sessions_path(folder, name, resampled).exists()
    ]  # fmt: skip
    judged = [name for name in plans if plans[name]["gap"] and not _gap_path(folder, name).exists()]
    if parts or judged:
        # the largest evaluation decides how much is decoded at once
        loaded = evaluation_recipe(recipe, max(plans.values(), key=lambda plan: plan["tasks"]))
        trained = folder / RUN / "checkpoint" if config["trains"] else None
        if (weights := trained or _begins_with(folder, config)) is not None:
            loaded.model = str(weights)
        if judged:  # a question about a reply is longer than a session may be
            loaded.sampling.max_length = max(loaded.sampling.max_length, MAX_LENGTH)
        try:
            policy = load_policy(loaded)
        except ValueError as error:
            if trained is None or trained.exists():
                raise
            raise JobError(
                f"{trained} is gone, and not everything is measured: remove {folder} and run the "
                "benchmark again"
            ) from error
        try:
            for name, resampled in parts:
                _write_sessions(folder, recipe, plans[name], name, resampled, policy)
            for name in judged:
                sampled = sessions_of(folder, name, resampled=True)
                asked = evaluation_recipe(recipe, plans[name])
                lines = judge_samples(asked, policy, plans[name]["gap"], sampled)
                path = _gap_path(folder, name)
                RunFolder(path.parent, resume=True).replace(path.name, lines)
        finally:
            policy.engine.close()
    files = RunFolder(folder, resume=True)
    files.write_json(METRICS, job_metrics(folder))
    if config["trains"] and not keep_weights:
        shutil.rmtree(folder / RUN / "checkpoint", ignore_errors=True)
    # copies have other times of their files; of two results of a job the newer counts
    ended = {"status": "done", "finished": round(time.time(), 3), "versions": versions()}
    files.write_json(STATUS, {**ended, "files": manifest(folder)})


def _write_sessions(
    folder: Path, recipe: Recipe, plan: Json, name: str, resampled: bool, policy: Any
) -> None:
    from corgi_gym.benchmarks.evaluation import evaluate

    asked = evaluation_recipe(recipe, plan)
    if resampled:
        asked.evaluation.attempts = plan["resampling"]
    found = evaluate(asked, policy, independent=resampled)
    _check_judged(found, name)
    rows = [{"phase": "after", "step": 0, **episode.record()} for episode in found]
    path = sessions_path(folder, name, resampled)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    RunFolder(path.parent, resume=True).replace(path.name, lines)


def _check_judged(episodes: Sequence[Episode], name: str) -> None:
    """A checker that fails on everything is no result: a failing checker is never a bad answer.

    Raises:
        JobError: If a family of tasks has sessions and none of them could be checked.
    """
    for family in sorted({e.task for e in episodes}):
        own = [e for e in episodes if e.task == family]
        if all(e.unscored for e in own):
            cause = next((p["message"] for e in own for a in e.attempts for p in a.problems), "")
            raise JobError(
                f"evaluation {name}: the checker of {family} failed on all {len(own)} sessions"
                f"{': ' if cause else ''}{cause}; correct it and run the benchmark again"
            )


def sessions_path(folder: Path, name: str, resampled: bool = False) -> Path:
    """Where a job keeps the sessions of an evaluation."""
    return folder / EVALUATIONS / f"{name}{'.resampling' if resampled else ''}.jsonl"


def _gap_path(folder: Path, name: str) -> Path:
    return folder / EVALUATIONS / f"{name}.gap.jsonl"


def sessions_of(folder: Path, name: str, resampled: bool = False) -> list[Episode]:
    """The sessions of an evaluation of a job, by index."""
    return read_sessions(sessions_path(folder, name, resampled), "after")


# ---------------------------------------------------------------- measuring


def job_metrics(folder: Path) -> Json:
    """All numbers of a job, from its files alone; its exploits are judged anew."""
    config = _job(folder)["config"]
    recipe = from_dict(config["recipe"])
    evaluations = {}
    for name, plan in config["evaluations"].items():
        found = sessions_of(folder, name)
        numbers = measure(found, plan["attempts"])
        if plan["resampling"]:
            sampled = sessions_of(folder, name, resampled=True)
            numbers["resampling"] = measure(sampled, plan["resampling"])
            if plan["gap"]:
                values = _gap_path(folder, name)
                numbers["gap"] = gap_numbers(values, plan["gap"], sampled, recipe.seed)
        numbers["exploits"] = _exploits(evaluation_recipe(recipe, plan), found)
        evaluations[name] = numbers
    summary = read_mapping(folder / SUMMARY) or {}
    cost = {key: summary.get(key) for key in ("steps", "sessions", "tokens", "train_seconds")}
    return {"evaluations": evaluations, "curve": _curve(folder, summary), "cost": cost}


def _exploits(recipe: Recipe, episodes: list[Episode]) -> Json:
    from corgi_gym.benchmarks.policy import make_env

    env = make_env(recipe, train=False)
    try:
        return exploits(episodes, env)
    finally:
        env.close()


def _curve(folder: Path, summary: Json) -> list[Json]:
    """Success on the validation tasks against the cost of training: before, during, after.

    Evaluations in which nothing could be checked are left out.
    """
    if not summary:
        return []
    first = {"step": 0, "tokens": 0, "seconds": 0.0, "success": summary["success_before"]}
    last = {
        "step": summary["steps"],
        "tokens": summary["tokens"],
        "seconds": summary["train_seconds"],
        "success": summary["success_after"],
    }
    rows = SilentFolder(folder).rows(f"{RUN}/curve.jsonl")
    points = [first, *({key: row[key] for key in first} for row in rows), last]
    return [point for point in points if point["success"] is not None]


def manifest(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of results in a job's folder."""
    sessions = (f"{EVALUATIONS}/{path.name}" for path in (folder / EVALUATIONS).glob("*.jsonl"))
    names = sorted([*_RECORDED, *sessions])
    return {name: file_digest(folder / name) for name in names if (folder / name).exists()}


@contextmanager
def _alone(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep a second process out, or let it wait: two writers in one folder would spoil it."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            raise JobError(f"{BUSY} in {folder}") from None
        yield


def new_job(folder: Path, labels: Json, config: Json, code: str) -> None:
    """Make a job's folder, unless it is there."""
    files = RunFolder(folder, resume=True)
    if read_mapping(folder / JOB) is None:
        files.write_json(JOB, {"labels": labels, "code": code, "config": config})


def main(arguments: list[str]) -> int:
    """``python -m corgi_gym.benchmarks.bench.job FOLDER PHASE [keep]``: what a launcher starts."""
    from corgi_gym.benchmarks.display import quiet_libraries

    quiet_libraries()
    folder, phase, *keep = arguments
    run_phase(Path(folder), phase, keep_weights=bool(keep))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

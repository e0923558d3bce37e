"""All jobs of a specification: skip what is done, go on with what was killed, record what fails."""

from __future__ import annotations

import fnmatch
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.bench.files import (
    DONE,
    EVALUATIONS,
    FAILED,
    JOBS,
    RECIPE,
    RUN,
    SPEC,
    STATUS,
    read_job,
)
from corgi_gym.benchmarks.bench.identity import code_version, digest, job_id
from corgi_gym.benchmarks.bench.job import BUSY, new_job
from corgi_gym.benchmarks.bench.launch import LOG, Launcher
from corgi_gym.benchmarks.bench.spec import (
    Job,
    Spec,
    evaluation_recipe,
    jobs_of,
    left_out,
    recipe_digest,
)
from corgi_gym.benchmarks.display import clock
from corgi_gym.benchmarks.run_writer import RunFolder

Json = dict[str, Any]


def run_bench(
    spec: Spec,
    out: Path,
    launcher: Launcher,
    *,
    only: str | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Run the jobs of ``spec`` that ``out`` has no result of; returns the exit status.

    A job that fails is recorded with its error, and the others go on; the status is 1 then. Run it
    again and it goes on with what is missing, a failed job among it.

    Args:
        spec: What to run.
        out: Folder of the results; other specifications' results in it stay.
        launcher: Where to run them (`corgi_gym.benchmarks.bench.launch`).
        only: Run only jobs whose name (``arm / family / seed n``) has this in it, or matches it.
        say: Told how it goes.

    Raises:
        ValueError: For a job that cannot run at all, before any has started.
    """
    jobs = jobs_of(spec)
    folders = {job_folder(out, job): job for job in chosen(jobs, only)}
    missing = _missing(out, list(folders.values()))
    plan = [{"config": digest(job.config()), "labels": job.labels} for job in jobs]
    RunFolder(out, resume=True).write_json(
        SPEC, {"spec": spec.as_dict(), RECIPE: recipe_digest(spec.recipe), "jobs": plan}
    )
    code = code_version()
    for folder in missing:
        new_job(folder, folders[folder].labels, folders[folder].config(), code)
    done = len(folders) - len(missing)
    say(f"{spec.name}: {len(folders)} jobs, {done} done before; code {code}; {out}")
    if note := _left_out(spec):
        say(note)
    failed, started = 0, time.monotonic()

    def begun(folder: Path, how: str) -> None:
        say(f"{how} {folders[folder]}; what it says: {folder / LOG}")

    for number, (folder, error) in enumerate(launcher(missing, begun), start=1):
        if error is not None:
            failed += 1
            if BUSY not in error:  # the job is running, and its folder is that of the other process
                told = {"status": FAILED, "error": error}
                RunFolder(folder, resume=True).write_json(STATUS, told)
        elapsed = time.monotonic() - started
        left = elapsed / number * (len(missing) - number)
        how = "done" if error is None else f"FAILED: {error.strip().splitlines()[-1]}"
        say(
            f"[{done + number}/{len(folders)}] {folders[folder]}: {how} "
            f"({clock(elapsed)}, about {clock(left)} left)"
        )
    if failed:
        say(f"{failed} of {len(folders)} jobs failed; each has its error in {STATUS} and log.txt")
    return int(failed > 0)


def chosen(jobs: list[Job], only: str | None) -> list[Job]:
    """The jobs whose name has ``only`` in it or matches it as a pattern; a whole name is that job.

    Raises:
        ValueError: If it matches none.
    """
    found = [job for job in jobs if str(job) == only] or [
        job for job in jobs
        if only is None or only in str(job) or fnmatch.fnmatchcase(str(job), only)
    ]  # fmt: skip
    if not found:
        raise ValueError(f"--only {only!r} matches no job, such as {str(jobs[0])!r}")
    return found


def job_folder(out: Path, job: Job) -> Path:
    """Where a job's results lie: its name is what it is and the code that runs it."""
    return out / JOBS / job_id(job.config(), code_version())


def status_of(folder: Path) -> str:
    """``"done"``, ``"failed"``, ``"started"`` or ``"not started"``.

    Raises:
        ValueError: If the job is broken (`read_job`).
    """
    if not folder.is_dir():
        return "not started"
    _, status, _ = read_job(folder)
    if status:
        return str(status["status"])
    begun = any((folder / name).exists() for name in (LOG, RUN, EVALUATIONS))
    return "started" if begun else "not started"  # one that waits for those before it


def plan_text(spec: Spec, out: Path, only: str | None = None) -> str:
    """The jobs with the state of each, as a person reads them.

    Raises:
        ValueError: For what `run_bench` would refuse.
    """
    jobs = chosen(jobs_of(spec), only)
    _missing(out, jobs)
    lines = [f"{spec.name}: {len(jobs)} jobs in {out}; code {code_version()}"]
    if note := _left_out(spec):
        lines.append(f"  {note}")
    for family, start in {job.family: job.start for job in jobs}.items():
        if start is not None:
            train = f"{start.algorithm}, {start.train.rounds} rounds, seed {start.seed}"
            lines.append(f"  trained first, for all jobs on {family}: {train}")
    for job in jobs:
        folder = job_folder(out, job)
        lines.append(f"  {folder.name}  {status_of(folder):11}  {job}")
    return "\n".join(lines)


def _left_out(spec: Spec) -> str:
    """What of the recipe's environment plays no part, in words."""
    told = ", ".join(f"{name}={value!r}" for name, value in left_out(spec).items())
    return f"families replace the recipe's {told} (env.kwargs)" if told else ""


def _missing(out: Path, jobs: list[Job]) -> list[Path]:
    """The folders of the jobs that have no result, which are checked."""
    folders = {job_folder(out, job): job for job in jobs}
    try:
        missing = [folder for folder in folders if status_of(folder) != DONE]
    except ValueError as error:
        raise ValueError(f"{out}: {error}") from error
    check_jobs([folders[folder] for folder in missing])
    return missing


def check_jobs(jobs: list[Job]) -> None:
    """Try what is cheap to try: one seed of each arm on each family, and its evaluations.

    Raises:
        ValueError: Naming the job.
        ImportError: For an engine or a family that needs something that is not installed.
    """
    from corgi_gym.benchmarks.policy import check_inputs

    tried: set[tuple[str, str]] = set()
    for family, start in {job.family: job.start for job in jobs}.items():
        try:
            if start is not None:
                check_inputs(start)
        except ValueError as error:
            raise ValueError(f"start on {family}: {error}") from error
    for job in jobs:
        if (job.arm, job.family) in tried:
            continue
        tried.add((job.arm, job.family))
        try:
            check_inputs(job.recipe, train=job.trains)
            for plan in job.evaluations.values():
                check_inputs(evaluation_recipe(job.recipe, plan), train=False)
        except ValueError as error:
            raise ValueError(f"{job}: {error}") from error


def newest(parent: Path) -> Path:
    """The folder of results below ``parent`` that was written last.

    Raises:
        FileNotFoundError: If there is none.
    """
    found = [path.parent for path in parent.glob(f"*/{SPEC}")]
    if not found:
        raise FileNotFoundError(f"no results in {parent}: name a folder, or run `bench run` first")
    return max(found, key=lambda path: os.path.getmtime(path / SPEC))

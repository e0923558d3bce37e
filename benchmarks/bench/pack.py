"""``corgi-gym bench pack``: what a report and a check need of a folder of results, and no more.

That is a fifth of the whole: the sessions of the evaluations and all numbers. Left out are the
training's own transcripts, from which nothing is computed, and each run's pictures and log. So
packed results can be sent, or kept beside the code, and reported and checked from there. The
command of a run names its job's folder from ``jobs/`` on; what is above it is the person's own.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from corgi_gym.benchmarks.bench.analysis import analyse
from corgi_gym.benchmarks.bench.files import CONFIG, JOBS, SPEC, STATUS, TRANSCRIPTS, read_mapping
from corgi_gym.benchmarks.bench.identity import file_digest
from corgi_gym.benchmarks.bench.job import manifest
from corgi_gym.benchmarks.bench.page import STATISTICS
from corgi_gym.benchmarks.bench.results import read_results
from corgi_gym.benchmarks.run_writer import to_json


def pack(folder: Path, out: Path, *, code: str | None = None, mixed: bool = False) -> int:
    """Copy the finished jobs of a benchmark without what nothing is computed from.

    Args:
        folder: What `corgi_gym.benchmarks.bench.runner.run_bench` wrote.
        out: A folder that does not exist.
        code: As for `corgi_gym.benchmarks.bench.results.read_results`.
        mixed: As there.

    Returns:
        How many jobs were copied.

    Raises:
        FileNotFoundError: If ``folder`` is no such folder.
        FileExistsError: If ``out`` exists; nothing in it is touched.
        ValueError: If there are no results, those of several versions of the code, or damaged ones.
    """
    if out.exists():
        raise FileExistsError(f"{str(out)!r} exists; give a folder that does not")
    results = read_results(folder, code=code, mixed=mixed)
    if results.broken:
        raise ValueError(" ".join(results.broken))
    scratch = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shutil.copyfile(folder / SPEC, scratch / SPEC)
    for result in results.done:
        for name in [*manifest(result.folder), STATUS]:
            if name != TRANSCRIPTS:
                target = scratch / JOBS / result.folder.name / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(result.folder / name, target)
        _forget_place(scratch / JOBS / result.folder.name)
    packed = read_results(scratch, mixed=mixed)
    (scratch / STATISTICS).write_text(to_json(analyse(packed)) + "\n", encoding="utf-8")
    os.replace(scratch, out)
    return len(results.done)


def _forget_place(job: Path) -> None:
    """Take what is above ``jobs/`` out of a run's command, and record the file's new hash."""
    config, status = read_mapping(job / CONFIG), read_mapping(job / STATUS)
    if config is None or status is None or not isinstance(command := config.get("command"), str):
        return
    place = f"{JOBS}/{job.name}"
    parts = [
        part[part.index(place) :] if f"/{place}" in part else part for part in shlex.split(command)
    ]
    config["command"] = shlex.join(parts)
    if config["command"] != command:
        (job / CONFIG).write_text(to_json(config) + "\n", encoding="utf-8")
        status["files"][CONFIG] = file_digest(job / CONFIG)
        (job / STATUS).write_text(to_json(status) + "\n", encoding="utf-8")

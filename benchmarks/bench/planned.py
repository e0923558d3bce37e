"""Are the jobs of a folder those of its specification, under their own labels?

Where the code and the recipe are those of the results, the plan is made again and compared. Another
code may have other defaults, so each job's configuration is asked instead whether it is what its
labels say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from corgi_gym.benchmarks.bench.files import RECIPE, SPEC, read_mapping
from corgi_gym.benchmarks.bench.identity import code_version, digest
from corgi_gym.benchmarks.bench.results import Results
from corgi_gym.benchmarks.bench.spec import (
    BUDGETS,
    UNTRAINED,
    Spec,
    as_entry,
    jobs_of,
    plan_labels,
    recipe_digest,
    spec_of,
)
from corgi_gym.benchmarks.recipe import merged

Json = dict[str, Any]


def plan_differences(results: Results, notes: list[str]) -> list[str]:
    """What of the jobs or their labels is not as specified, in sentences.

    Args:
        results: What was read.
        notes: Gets a sentence where the specification cannot be read by this code.
    """
    try:
        written = read_mapping(results.folder / SPEC) or {}
        now = recipe_digest(str(results.spec.get("recipe", Spec.recipe)))
        if written.get(RECIPE, now) != now:
            notes.append(
                f"{SPEC}: the recipe {results.spec['recipe']!r} has changed since, so its jobs are "
                "compared with their labels and not with a plan made again"
            )
        elif code_version() in results.codes:
            planned = {digest(job.config()): job.labels for job in jobs_of(spec_of(results.spec))}
            return list(_of_jobs(results, planned))
    except OSError as error:  # its recipe is a file that is not here
        notes.append(f"{SPEC}: its jobs cannot be made again here: {error}")
    except (LookupError, TypeError, ValueError) as error:
        return [f"{SPEC}: its specification is refused ({error})"]
    try:
        expected = plan_labels(results.spec)
    except (LookupError, TypeError, ValueError) as error:
        notes.append(f"{SPEC} cannot be compared with its jobs: {error}")
        return []
    # whole labels: a name alone would not say whose arm it is
    told = [
        f"{SPEC}: {_name(labels)} is specified and not among its jobs"
        for labels in expected
        if labels not in results.plan
    ]
    told += [
        f"{SPEC}: {_name(labels)} is among its jobs and not specified"
        for labels in results.plan
        if labels not in expected
    ]
    for result in results.done:
        for odd in _contradictions(result.labels, results.spec, result.config):
            told.append(f"{result.folder.name}: is labelled {_name(result.labels)}, but {odd}")
    return told


def _of_jobs(results: Results, planned: dict[str, Json]) -> Iterator[str]:
    """The stored plan against the one that the specification gives."""
    data = read_mapping(results.folder / SPEC) or {}
    stored = {entry["config"]: entry["labels"] for entry in data["jobs"]}
    for config, labels in planned.items():
        if config not in stored:
            yield f"{SPEC}: {_name(labels)} is specified and not among its jobs"
        elif stored[config] != labels:
            yield f"{SPEC}: {_name(labels)} is listed there as {_name(stored[config])}"
    for config in stored.keys() - planned.keys():
        yield f"{SPEC}: {_name(stored[config])} is among its jobs and not specified so"


def _contradictions(labels: Json, spec: Json, config: Json) -> Iterator[str]:
    """What a job's configuration says otherwise than its labels, whatever code made it."""
    recipe = config["recipe"]
    trains = config["trains"]
    entry = _entry(spec, labels["algorithm"])
    algorithm = entry.get("algorithm")
    if trains != (algorithm != UNTRAINED):
        yield f"its configuration {'trains' if trains else 'does not train'}"
    elif trains and recipe["algorithm"] != algorithm:
        yield f"its algorithm is {recipe['algorithm']}"
    kwargs = recipe["env"]["kwargs"]
    for name in ("feedback", "session_reward"):
        if kwargs.get(name) != labels[name]:
            yield f"its {name} is {kwargs.get(name)}"
    if recipe["seed"] != labels["seed"]:
        yield f"its seed is {recipe['seed']}"
    asked = merged(spec.get("set") or {}, entry.get("set") or {})
    train = {k: v for k, v in asked.get("train", {}).items() if v or k not in BUDGETS.values()}
    budget = {BUDGETS[name]: amount for name, amount in (spec.get("budget") or {}).items()}
    family = (spec.get("families") or {}).get(labels["family"]) or {}
    asked = merged({"env": family}, asked) | {"train": train | budget}
    whole = {"recipe": asked, "evaluations": spec["evaluations"]}
    start = spec.get("start")
    if bool(start) != ("start" in config):
        yield f"it began with {'a policy that was trained first' if not start else 'its model'}"
    elif start:
        whole["start"] = merged({"env": family}, merged(spec.get("set") or {}, start))
    if path := _unlike(whole, config):
        yield f"its {path} is not what the specification says"


def _entry(spec: Json, name: str) -> Json:
    """The entry of ``algorithms`` with this name."""
    for entry in spec["algorithms"]:
        data = as_entry(entry)
        if data.get("name", data.get("algorithm")) == name:
            return data
    return {}


def _unlike(asked: Any, held: Any, where: str = "") -> str | None:
    """Where ``held`` has something else than ``asked`` says; None if nowhere."""
    if isinstance(asked, dict) and isinstance(held, dict):
        found = (_unlike(v, held.get(k), f"{where}.{k}".lstrip(".")) for k, v in asked.items())
        return next((path for path in found if path), None)
    return None if asked == held or asked in ({}, None) else where


def _name(labels: Json) -> str:
    return f"{labels['arm']} / {labels['family']} / seed {labels['seed']}"

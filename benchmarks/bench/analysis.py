"""All jobs together: what the report says, as plain data (``statistics.json``).

A pure function of the jobs' ``metrics.json`` and one seed: the same results give the same bytes, on
any machine with the same numpy. Families are the strata; an arm's runs are its seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corgi_gym.benchmarks.bench.gap import NUMBERS
from corgi_gym.benchmarks.bench.identity import digest
from corgi_gym.benchmarks.bench.measures import cost_of_target
from corgi_gym.benchmarks.bench.results import Result, Results
from corgi_gym.benchmarks.statistics import (
    compare,
    generator,
    holm,
    improvement,
    iqm,
    mean,
    paired_tasks,
    summary,
)
from corgi_gym.envs import LEVELS

# Of the bootstrap and of random relabellings.
SEED = 0
RATES = ("fix", "regress", "repeat")

Json = dict[str, Any]
Cell = dict[str, dict[int, Result]]  # family -> seed -> result


def analyse(results: Results, seed: int = SEED) -> Json:
    """Everything that is reported about these results."""
    arms = _cells(results)
    names = list(results.spec["evaluations"])
    return {
        "name": results.spec["name"],
        "question": results.spec["question"],
        "codes": results.codes,
        "seed": seed,
        "jobs": len(results.done),
        "planned": len(results.plan),
        "made_of": _fingerprint(results),
        "evaluations": {name: _evaluation(results, arms, name, seed) for name in names},
        "learning": {arm: _learning(cell) for arm, cell in arms.items()},
        "cost": {arm: _cost(cell, results.spec["target"]) for arm, cell in arms.items()},
        "target": results.spec["target"],
        "notes": results.notes,
    }


def _fingerprint(results: Results) -> str:
    """A hash of all that is analysed: whether a report is of these results, or older."""
    return digest([results.spec, [[r.folder.name, r.labels, r.metrics] for r in results.done]])


def _cells(results: Results) -> dict[str, Cell]:
    """Results by arm, family and seed; the one run of an untrained model stands for every seed."""
    arms: dict[str, Cell] = {}
    for result in results.done:
        labels = result.labels
        seeds = [labels["seed"]] if result.config["trains"] else results.spec["seeds"]
        cell = arms.setdefault(labels["arm"], {}).setdefault(labels["family"], {})
        cell.update(dict.fromkeys(seeds, result))
    order = list(dict.fromkeys(labels["arm"] for labels in results.plan))
    return {arm: arms[arm] for arm in order if arm in arms}


def _scores(cell: Cell, value: Callable[[Result], float]) -> dict[str, list[float]]:
    return {f: [value(runs[s]) for s in sorted(runs)] for f, runs in sorted(cell.items())}


def _all(cell: Cell) -> list[Result]:
    """The distinct runs of an arm."""
    return list({id(r): r for runs in cell.values() for r in runs.values()}.values())


def _evaluation(results: Results, arms: dict[str, Cell], name: str, seed: int) -> Json:
    attempts = results.done[0].config["evaluations"][name]["attempts"]
    rank = min(results.spec["rank"], attempts)
    board = [_row(arm, cell, name, rank, seed) for arm, cell in arms.items()]
    board.sort(key=lambda row: -row["mean"][0])
    return {
        "attempts": attempts,
        "rank": rank,
        "leaderboard": board,
        "reference": results.spec["reference"],
        "comparisons": _comparisons(arms, results.spec["reference"], name, rank, seed),
        "curves": {arm: _curves(cell, name, attempts, seed, arm) for arm, cell in arms.items()},
        "families": {arm: _by_family(cell, name, rank) for arm, cell in arms.items()},
        "rates": {arm: _rates(cell, name) for arm, cell in arms.items()},
        "dose": _dose(arms, name, rank, seed),
        "gap": {arm: _gap(cell, name, seed, arm) for arm, cell in arms.items()},
    }


def _success(name: str, k: int) -> Callable[[Result], float]:
    return lambda result: float(result.metrics["evaluations"][name]["success"][k - 1])


def _row(arm: str, cell: Cell, name: str, rank: int, seed: int) -> Json:
    """One line of the leaderboard."""

    def estimate(value: Callable[[Result], float], statistic: Any = mean) -> list[float]:
        rng = generator(seed, arm, name)
        return list(summary(_scores(cell, value), statistic, rng=rng))

    def average(key: str) -> float:
        return _mean([float(r.metrics["evaluations"][name][key]) for r in _all(cell)])

    numbers = [r.metrics["evaluations"][name] for r in _all(cell)]
    return {
        "arm": arm,
        "runs": len(numbers),
        "seeds": min(len({id(r) for r in runs.values()}) for runs in cell.values()),
        "tasks": numbers[0]["tasks"],
        "unscored": sum(n["unscored"] for n in numbers),
        "first": estimate(_success(name, 1)),
        "mean": estimate(_success(name, rank)),
        "iqm": estimate(_success(name, rank), iqm),
        "last": _average(numbers, lambda n: n["success"][-1]),
        "gain": average("gain"),
        "mean_score": average("mean_score"),
        "exploits": _exploits(numbers),
    }


def _average(numbers: Sequence[Json], value: Callable[[Json], float]) -> float:
    """The mean of a value over runs."""
    return _mean([float(value(n)) for n in numbers])


def _exploits(numbers: Sequence[Json]) -> Json:
    looked_at = sum(n["exploits"]["looked_at"] for n in numbers)
    found = sum(n["exploits"]["found"] for n in numbers)
    kinds: dict[str, int] = {}
    for n in numbers:
        for kind, count in n["exploits"]["kinds"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    share = found / looked_at if looked_at else None
    return {"looked_at": looked_at, "found": found, "share": share, "kinds": kinds}


def _comparisons(
    arms: dict[str, Cell], reference: str, name: str, rank: int, seed: int
) -> list[Json]:
    """Every arm against the reference, on the families and seeds that both have; Holm over all."""
    if reference not in arms:
        return []
    rows = []
    for arm, cell in arms.items():
        if arm == reference:
            continue
        first, second = _common(cell, arms[reference])
        if not first:
            continue
        value = _success(name, rank)
        ours, theirs = _scores(first, value), _scores(second, value)
        tasks = _task_differences(first, second, name, rank)
        found = compare(ours, theirs, resolution=1 / max(1, len(tasks)))
        better = improvement(ours, theirs, rng=generator(seed, "better", arm, reference, name))
        rng = generator(seed, "tasks", arm, reference, name)
        on_tasks = list(paired_tasks(tasks, rng=rng)) if tasks else None
        rows.append(
            {
                "arm": arm,
                "families": sorted(first),
                "seeds": found.seeds,
                "change": found.change,
                "interval": [_finite(found.low), _finite(found.high)],
                "p": found.p,
                "better": list(better),
                "tasks": len(tasks),
                "on_tasks": on_tasks,
            }
        )
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = adjusted
    return rows


def _common(first: Cell, second: Cell) -> tuple[Cell, Cell]:
    """Both on the families and seeds that both have."""
    seeds = {f: first[f].keys() & second[f].keys() for f in first.keys() & second.keys()}
    return tuple(  # type: ignore[return-value]
        {f: {s: cell[f][s] for s in sorted(seeds[f])} for f in sorted(seeds) if seeds[f]}
        for cell in (first, second)
    )


def _task_differences(first: Cell, second: Cell, name: str, rank: int) -> list[float]:
    """Per task: the share of seeds that solve it, under the first minus under the second."""
    differences = []
    for family in sorted(first):
        ours, theirs = (_solved(cell[family], name, rank) for cell in (first, second))
        differences += [ours[task] - theirs[task] for task in sorted(ours.keys() & theirs.keys())]
    return differences


def _solved(runs: dict[int, Result], name: str, rank: int) -> dict[str, float]:
    tables = [r.metrics["evaluations"][name]["solved_at"] for r in runs.values()]
    common = set.intersection(*(set(table) for table in tables))
    return {task: _mean([float(0 < table[task] <= rank) for table in tables]) for task in common}


def _curves(cell: Cell, name: str, attempts: int, seed: int, arm: str) -> Json:
    """Success by attempt with intervals, its tokens, and independent resampling beside it."""
    runs = [r.metrics["evaluations"][name] for r in _all(cell)]
    estimates = [
        summary(_scores(cell, _success(name, k)), rng=generator(seed, arm, name))
        for k in range(1, attempts + 1)
    ]
    found: Json = {
        "success": [e.value for e in estimates],
        "low": [e.low for e in estimates],
        "high": [e.high for e in estimates],
        "tokens": _columns([run["tokens"] for run in runs]),
    }
    sampled = [run["resampling"] for run in runs if "resampling" in run]
    if sampled:
        found["resampling"] = _columns([run["success"] for run in sampled])
        found["resampling_tokens"] = _columns([run["tokens"] for run in sampled])
    return found


def _by_family(cell: Cell, name: str, rank: int) -> Json:
    """Success per family that was trained on, and per evaluated family, with that of each run."""
    trained = {f: _mean(values) for f, values in _scores(cell, _success(name, rank)).items()}
    tables = [r.metrics["evaluations"][name]["families"] for r in _all(cell)]
    shares = {
        family: [table[family][rank - 1] for table in tables if family in table]
        for family in sorted({family for table in tables for family in table})
    }
    return {
        "trained": trained,
        "tested": {family: _mean(found) for family, found in shares.items()},
        "runs": shares,
    }


def _rates(cell: Cell, name: str) -> Json:
    """Fix, regress and repeat rates per attempt, over all retries of all runs."""
    runs = [r.metrics["evaluations"][name] for r in _all(cell)]
    retries = [sum(column) for column in zip(*(run["retries"] for run in runs), strict=True)]
    rates: Json = {"retries": retries}
    for rate in RATES:
        held = [
            sum((run[rate][k] or 0.0) * run["retries"][k] for run in runs)
            for k in range(len(retries))
        ]
        rates[rate] = [h / n if n else None for h, n in zip(held, retries, strict=True)]
    return rates


def _gap(cell: Cell, name: str, seed: int, arm: str) -> Json:
    """The gap of each rule with its interval, and the rule's other numbers; means over runs."""
    runs = [r.metrics["evaluations"][name].get("gap", {}) for r in _all(cell)]
    found: Json = {}
    for rule in runs[0]:
        known = {key: [n[rule][key] for n in runs if n[rule][key] is not None] for key in NUMBERS}
        averages = {key: _mean(values) if values else None for key, values in known.items()}

        def gap(result: Result, rule: str = rule) -> float:
            return float(result.metrics["evaluations"][name]["gap"][rule]["gap"])

        if len(known["gap"]) == len(runs):  # none of which a checker failed on all samples
            estimate = summary(_scores(cell, gap), rng=generator(seed, arm, name))
            found[rule] = {**averages, "gap": list(estimate)}
    return found


def _dose(arms: dict[str, Cell], name: str, rank: int, seed: int) -> Json:
    """Success against the feedback level of training, per algorithm that has several levels."""
    levels: dict[str, dict[str, list[float]]] = {}
    for arm, cell in arms.items():
        labels = _all(cell)[0].labels
        estimate = summary(_scores(cell, _success(name, rank)), rng=generator(seed, arm, name))
        entry = labels["algorithm"]
        levels.setdefault(entry, {})[labels["feedback"]] = list(estimate)
    return {
        entry: {level: found[level] for level in LEVELS if level in found}
        for entry, found in levels.items()
        if len(found) > 1
    }


def _learning(cell: Cell) -> list[Json]:
    """The mean learning curve: points that every run has, by the number of evaluations so far."""
    curves = [r.metrics["curve"] for r in _all(cell) if r.metrics["curve"]]
    if not curves:
        return []
    length = min(map(len, curves))
    # budgets in tokens end after different numbers of rounds: the last point is everybody's last
    points = [[*curve[: length - 1], curve[-1]] for curve in curves]
    return [
        {
            "step": _mean([row["step"] for row in column]),
            "tokens": _mean([row["tokens"] for row in column]),
            "seconds": _mean([row["seconds"] for row in column]),
            "success": _mean([row["success"][-1] for row in column]),
            "low": min(row["success"][-1] for row in column),
            "high": max(row["success"][-1] for row in column),
        }
        for column in zip(*points, strict=True)
    ]


def _cost(cell: Cell, target: float) -> Json:
    """Rounds, sessions, tokens and seconds of training, and those to the target."""
    runs = [r for r in _all(cell) if r.config["trains"]]
    if not runs:
        return {}
    cost: Json = {
        key: _mean([float(r.metrics["cost"][key]) for r in runs])
        for key in ("steps", "sessions", "tokens", "train_seconds")
    }
    reached = [cost_of_target(r.metrics["curve"], target) for r in runs]
    found = [point for point in reached if point is not None]
    cost |= {"runs": len(runs), "reached": len(found)}
    for key in ("tokens", "seconds"):
        # the median over all runs; a run that never got there counts as later than all
        cost[f"{key}_to_target"] = _median([p[key] if p else math.inf for p in reached])
    return cost


def _columns(rows: Sequence[Sequence[float]]) -> list[float]:
    return [float(value) for value in np.mean(np.asarray(rows, dtype=np.float64), axis=0)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _median(values: Sequence[float]) -> float | None:
    """The upper median; None if that is infinite."""
    return _finite(sorted(values)[len(values) // 2])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

"""All jobs together: what the report says, as plain data (``statistics.json``).

A pure function of the jobs' ``metrics.json`` and one seed: the same results give the same bytes, on
any machine with the same numpy. Families are the strata; an arm's runs are its seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from corgi_gym.benchmarks.bench.gap import NUMBERS
from corgi_gym.benchmarks.bench.identity import digest
from corgi_gym.benchmarks.bench.measures import cost_of_target
from corgi_gym.benchmarks.bench.results import Result, Results
from corgi_gym.benchmarks.bench.spec import references_of
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

# Of the bootstrap.
SEED = 0
# Goes up where the analysis gives other numbers or names: reports of before are older then.
FORMAT = 5
# Corrected p-values up to this separate two arms.
ALPHA = 0.05
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
    done = [[r.folder.name, r.labels, r.metrics] for r in results.done]
    return digest([FORMAT, results.spec, done, results.notes])


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


def _distinct(runs: dict[int, Result]) -> list[Result]:
    """The runs of a family: the one of an untrained model is there once."""
    return list({id(r): r for r in runs.values()}.values())


def _all(cell: Cell) -> list[Result]:
    """The distinct runs of an arm."""
    return [result for runs in cell.values() for result in _distinct(runs)]


def _seeds(cell: Cell) -> tuple[int, int]:
    """The fewest and the most runs that a family has."""
    counts = [len(_distinct(runs)) for runs in cell.values()]
    return min(counts), max(counts)


def _estimate(
    cell: Cell, value: Callable[[Result], float], rng: Any, statistic: Any = mean
) -> list[float | None]:
    """A statistic with its interval over seeds, which is unknown where no family has two."""
    found = summary(_scores(cell, value), statistic, pooled=statistic is not mean, rng=rng)
    return list(found) if _seeds(cell)[1] > 1 else [found.value, None, None]


def _evaluation(results: Results, arms: dict[str, Cell], name: str, seed: int) -> Json:
    attempts = results.done[0].config["evaluations"][name]["attempts"]
    rank = min(results.spec["rank"], attempts)
    references = references_of(results.spec["reference"])
    arms = _without_copies(arms, references, name)
    board = [_row(arm, cell, name, rank, seed) for arm, cell in arms.items()]
    board.sort(key=lambda row: -row["mean"][0])
    return {
        "attempts": attempts,
        "rank": rank,
        "leaderboard": board,
        "reference": references[0],
        "against": (against := _against(arms, references, name, rank, seed)),
        "above_all": _above_all(arms, against),
        "curves": {arm: _curves(cell, name, attempts, seed, arm) for arm, cell in arms.items()},
        "families": {arm: _by_family(cell, name, rank) for arm, cell in arms.items()},
        "rates": {arm: _rates(cell, name) for arm, cell in arms.items()},
        "dose": _dose(arms, name, rank, seed),
        "gap": {arm: _gap(cell, name, seed, arm) for arm, cell in arms.items()},
    }


def _without_copies(arms: dict[str, Cell], references: Sequence[str], name: str) -> dict[str, Cell]:
    """Each untrained model once where the evaluation fixes the feedback.

    It has an arm for each feedback level of training, and these then have the same sessions.
    """
    kept: dict[tuple[str, ...], str] = {}
    for arm in sorted(arms, key=lambda arm: arm not in references):
        run = _all(arms[arm])[0]
        fixed = "feedback" in run.config["evaluations"][name].get("kwargs", {})
        copy = fixed and not run.config["trains"]
        kept.setdefault((run.labels["algorithm"], *sorted(arms[arm])) if copy else (arm,), arm)
    return {arm: cell for arm, cell in arms.items() if arm in kept.values()}


def _success(name: str, k: int) -> Callable[[Result], float]:
    return lambda result: float(result.metrics["evaluations"][name]["success"][k - 1])


def _row(arm: str, cell: Cell, name: str, rank: int, seed: int) -> Json:
    """One line of the leaderboard."""

    def estimate(value: Callable[[Result], float], statistic: Any = mean) -> list[float | None]:
        return _estimate(cell, value, generator(seed, arm, name), statistic)

    def average(value: Callable[[Json], float]) -> float:
        """The mean over families, each the mean of its runs."""
        families = [[r.metrics["evaluations"][name] for r in _distinct(c)] for c in cell.values()]
        return _mean([_mean([float(value(n)) for n in numbers]) for numbers in families])

    numbers = [r.metrics["evaluations"][name] for r in _all(cell)]
    fewest, most = _seeds(cell)
    return {
        "arm": arm,
        "runs": len(numbers),
        "seeds": fewest,
        "most_seeds": most,
        "tasks": numbers[0]["tasks"],
        "unscored": sum(n["unscored"] for n in numbers),
        "no_room": _no_room(numbers),
        "first": estimate(_success(name, 1)),
        "mean": estimate(_success(name, rank)),
        "iqm": estimate(_success(name, rank), iqm),
        "last": average(lambda n: n["success"][-1]),
        "gain": average(lambda n: n["gain"]),
        "mean_score": average(lambda n: n["mean_score"]),
        "exploits": _exploits(numbers),
        "of_seeds": _of_seeds(cell, _success(name, rank)),
    }


def _of_seeds(cell: Cell, value: Callable[[Result], float]) -> list[float]:
    """A value for each seed, the mean over the families; none where a family lacks a seed."""
    if len({tuple(sorted(runs)) for runs in cell.values()}) > 1 or _seeds(cell)[1] < 2:
        return []
    columns = zip(*_scores(cell, value).values(), strict=True)
    return [_mean(column) for column in columns]


def _no_room(numbers: Sequence[Json]) -> list[int] | None:
    """Sessions that the context ended, and all; None for results of before these were counted."""
    if any("no_room" not in n for n in numbers):
        return None
    return [sum(n["no_room"] for n in numbers), sum(n["tasks"] for n in numbers)]


def _exploits(numbers: Sequence[Json]) -> Json:
    looked_at = sum(n["exploits"]["looked_at"] for n in numbers)
    found = sum(n["exploits"]["found"] for n in numbers)
    kinds: dict[str, int] = {}
    for n in numbers:
        for kind, count in n["exploits"]["kinds"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    share = found / looked_at if looked_at else None
    return {"looked_at": looked_at, "found": found, "share": share, "kinds": kinds}


def _against(
    arms: dict[str, Cell], references: Sequence[str], name: str, rank: int, seed: int
) -> list[Json]:
    """Every arm against each reference, on what both have; Holm over all that could be tested.

    Two references are compared once, under the first of them.
    """
    tables = []
    for i, reference in enumerate(references):
        others = [arm for arm in arms if arm not in references[: i + 1]]
        rows = []
        for arm in others if reference in arms else ():
            first, second = _common(arms[arm], arms[reference], name)
            if first:
                rows.append(_comparison(arm, reference, first, second, name, rank, seed))
        compared = {row["arm"] for row in rows}
        tables.append({
            "reference": reference,
            "comparisons": rows,
            "not_compared": [arm for arm in others if arm not in compared],
        })  # fmt: skip
    tested = [row for t in tables for row in t["comparisons"] if None not in row["interval"]]
    for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = adjusted
    return tables


def _above_all(arms: dict[str, Cell], against: Sequence[Json]) -> list[str] | None:
    """The arms that are separated from every reference and above it; None for one reference."""
    if len(against) < 2:
        return None
    references = {table["reference"] for table in against}
    ahead = [
        {r["arm"] for r in table["comparisons"] if r["change"] > 0 and r["p_holm"] <= ALPHA}
        for table in against
    ]
    return [arm for arm in arms if arm not in references and all(arm in a for a in ahead)]


def _comparison(
    arm: str, reference: str, first: Cell, second: Cell, name: str, rank: int, seed: int
) -> Json:
    """One arm against the reference, both on the same families and seeds."""
    checked = {family: _checked(first, second, family, name) for family in first}
    # as reported, or for every run of both arms an average over the tasks that all could check
    whole = all(
        len(table) == len(tasks)
        for family, tasks in checked.items()
        for table in _tables(first, second, family, name)
    )

    def value(result: Result) -> float:
        if whole:
            return _success(name, rank)(result)
        numbers = result.metrics["evaluations"][name]
        return _success_on(numbers, checked[result.labels["family"]], rank)

    ours, theirs = _scores(first, value), _scores(second, value)
    tasks = _task_differences(first, second, name, rank)
    found = compare(ours, theirs, resolution=1 / max(1, min(map(len, checked.values()))))
    runs = [_seeds(cell)[0] for cell in (first, second)]
    # between two single runs, such as two untrained models, there is nothing to compare with
    known = max(runs) > 1 and math.isfinite(found.low)
    better = improvement(ours, theirs, rng=generator(seed, "better", arm, reference, name))
    rng = generator(seed, "tasks", arm, reference, name)
    return {
        "arm": arm,
        "families": sorted(first),
        "seeds": found.seeds,
        "runs": runs,
        "change": found.change,
        "interval": [max(-1.0, found.low), min(1.0, found.high)] if known else [None, None],
        "p": found.p if known else 1.0,
        "better": list(better),
        "tasks": sum(map(len, tasks.values())),
        "left_out": _left_out(first, second, checked, name),
        "on_tasks": list(paired_tasks(tasks, rng=rng)) if tasks else None,
        "p_holm": 1.0,
    }


def _common(first: Cell, second: Cell, name: str) -> tuple[Cell, Cell]:
    """Both on the families and seeds that both have, where there is a task that all could check."""
    seeds = {f: first[f].keys() & second[f].keys() for f in first.keys() & second.keys()}
    cells: list[Cell] = [
        {f: {s: cell[f][s] for s in sorted(seeds[f])} for f in sorted(seeds) if seeds[f]}
        for cell in (first, second)
    ]
    lost = [family for family in cells[0] if not _checked(*cells, family, name)]
    first, second = ({f: c for f, c in cell.items() if f not in lost} for cell in cells)
    return first, second


def _tables(first: Cell, second: Cell, family: str, name: str) -> list[dict[str, int]]:
    """Which attempt solved each task that could be checked, for every run of both arms."""
    runs = [*first[family].values(), *second[family].values()]
    return [r.metrics["evaluations"][name]["solved_at"] for r in runs]


def _checked(first: Cell, second: Cell, family: str, name: str) -> set[str]:
    """Tasks that every run of both arms could check: on others one of them was not measured."""
    return set.intersection(*map(set, _tables(first, second, family, name)))


def _left_out(first: Cell, second: Cell, checked: dict[str, set[str]], name: str) -> int:
    """How many tasks are not compared, since in some run the checker failed on them."""
    played = {family: set().union(*_tables(first, second, family, name)) for family in checked}
    unscored = (
        r.metrics["evaluations"][name].get("unscored", 0) for r in (*_all(first), *_all(second))
    )
    return max(sum(len(played[f] - checked[f]) for f in checked), *unscored)


def _success_on(numbers: Json, tasks: set[str], rank: int) -> float:
    """Success on some of a run's tasks, the mean over their families.

    A task is called after its family. Where these names are not those of the families (which may be
    several of one name, with easier and with harder tasks), all tasks count alike.
    """
    solved = {task: float(0 < numbers["solved_at"][task] <= rank) for task in tasks}
    return _mean([_mean([solved[task] for task in own]) for own in _by_name(numbers, tasks)])


def _by_name(numbers: Json, tasks: set[str]) -> list[list[str]]:
    """Tasks by the families that they are called after, or all together where names do not say."""
    families: dict[str, list[str]] = {}
    for task in sorted(tasks):
        families.setdefault(task.partition("/")[0], []).append(task)
    if {task.partition("/")[0] for task in numbers["solved_at"]} != set(numbers["families"]):
        return [[task for own in families.values() for task in own]]
    return list(families.values())


def _task_differences(first: Cell, second: Cell, name: str, rank: int) -> dict[str, list[float]]:
    """By family, per task: the share of seeds that solve it, under the first minus the second.

    Scaled so that the mean over these families of their means is the change of the macro average. A
    task that is tested after training on several families is one task, with its part of each.
    """
    parts: dict[str, float] = {}
    places: dict[str, list[tuple[str, int]]] = {}
    for family in sorted(first):
        ours, theirs = (_solved(cell[family], name, rank) for cell in (first, second))
        numbers = next(iter(first[family].values())).metrics["evaluations"][name]
        groups = _by_name(numbers, ours.keys() & theirs.keys())
        for number, own in enumerate(groups):
            weight = 1 / (len(first) * len(groups) * len(own))
            for task in own:
                parts[task] = parts.get(task, 0.0) + weight * (ours[task] - theirs[task])
                places.setdefault(task, []).append((family, number))
    strata: dict[str, list[float]] = {}
    for task, place in places.items():
        strata.setdefault(str(place), []).append(parts[task])
    return {place: [part * len(own) * len(strata) for part in own] for place, own in strata.items()}


def _solved(runs: dict[int, Result], name: str, rank: int) -> dict[str, float]:
    tables = [r.metrics["evaluations"][name]["solved_at"] for r in runs.values()]
    common = set.intersection(*(set(table) for table in tables))
    return {task: _mean([float(0 < table[task] <= rank) for table in tables]) for task in common}


def _curves(cell: Cell, name: str, attempts: int, seed: int, arm: str) -> Json:
    """Success by attempt with intervals, its tokens, and independent resampling beside it."""
    runs = [r.metrics["evaluations"][name] for r in _all(cell)]
    estimates = [
        _estimate(cell, _success(name, k), generator(seed, arm, name))
        for k in range(1, attempts + 1)
    ]
    success, low, high = (list(column) for column in zip(*estimates, strict=True))
    found: Json = {
        "success": success,
        "low": low,
        "high": high,
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
            estimate = _estimate(cell, gap, generator(seed, arm, name))
            found[rule] = {**averages, "gap": estimate}
    return found


def _dose(arms: dict[str, Cell], name: str, rank: int, seed: int) -> Json:
    """Success against the feedback level of training, per algorithm that has several levels.

    Session rewards are told apart where there are several. A model that is not trained has none.
    """
    levels: dict[str, dict[str, list[float | None]]] = {}
    trained = {arm: cell for arm, cell in arms.items() if _all(cell)[0].config["trains"]}
    rewards = {_all(cell)[0].labels["session_reward"] for cell in trained.values()}
    for arm, cell in trained.items():
        labels = _all(cell)[0].labels
        estimate = _estimate(cell, _success(name, rank), generator(seed, arm, name))
        entry = labels["algorithm"]
        if len(rewards) > 1:
            entry = f"{entry} · {labels['session_reward']}"
        levels.setdefault(entry, {})[labels["feedback"]] = estimate
    return {
        entry: {level: found[level] for level in LEVELS if level in found}
        for entry, found in levels.items()
        if len(found) > 1
    }


def _learning(cell: Cell) -> list[Json]:
    """The mean learning curve of the runs.

    Of runs with the same number of rounds it has the rounds after which every run was evaluated. A
    budget in tokens or seconds ends them after different numbers: their curves are then taken over
    tokens, interpolated between evaluations, as far as the shortest run goes.
    """
    curves = [_by_step(_points(r)) for r in _all(cell) if r.metrics["curve"]]
    if not curves:
        return []
    if len({max(curve) for curve in curves}) == 1:
        common = [key for key in curves[0] if all(key in curve for curve in curves)]
        return [_learned([curve[key] for curve in curves], key[0]) for key in common]
    lines = [_by_tokens(list(curve.values())) for curve in curves]
    end = min(tokens[-1] for tokens, _ in lines)
    grid = sorted({t for tokens, _ in lines for t in tokens if t < end} | {end})
    rows = []
    for tokens in grid:
        points = [
            {
                "tokens": tokens,
                "seconds": at[0],
                "success": [at[1]],
                "step": at[2],
                "sessions": at[3],
            }
            for at in ([float(np.interp(tokens, x, y)) for y in ys] for x, ys in lines)
        ]
        rows.append(_learned(points, _mean([point["step"] for point in points])))
    return rows


def _by_tokens(curve: Sequence[Json]) -> tuple[list[float], list[list[float]]]:
    """Tokens at the evaluations of a run; and seconds, success, rounds and sessions there."""
    points = list({float(point["tokens"]): point for point in curve}.values())  # the later of two
    values = [[p["seconds"], p["success"][-1], float(p["step"]), p["sessions"]] for p in points]
    return [float(p["tokens"]) for p in points], [
        list(column) for column in zip(*values, strict=True)
    ]


def _learned(points: Sequence[Json], step: float) -> Json:
    """One point of the mean curve from one of each run."""
    success = [point["success"][-1] for point in points]
    one = len(points) == 1
    return {
        "step": float(step),
        "sessions": _mean([point["sessions"] for point in points]),
        "tokens": _mean([point["tokens"] for point in points]),
        "seconds": _mean([point["seconds"] for point in points]),
        "success": _mean(success),
        "low": None if one else min(success),
        "high": None if one else max(success),
    }


def _points(result: Result) -> list[Json]:
    """The curve of a run with the sessions so far; every round of a run has the same number."""
    cost = result.metrics["cost"]
    each = (cost["sessions"] or 0) / (cost["steps"] or 1)
    return [{**point, "sessions": each * point["step"]} for point in result.metrics["curve"]]


def _by_step(curve: Sequence[Json]) -> dict[tuple[int, int], Json]:
    """Points by their round; the evaluation in the end may be the second one of its round."""
    found: dict[tuple[int, int], Json] = {}
    for point in curve:
        again = sum(step == point["step"] for step, _ in found)
        found[point["step"], again] = point
    return found


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
    """The median; None if that is infinite."""
    return _finite(median(values))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

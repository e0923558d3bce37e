"""What ``metrics.json`` and ``spec.json`` must look like, so that a damaged file is named.

A report reads numbers by their place; without this, a hand that slipped in one file would end it
with the name of a key and no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from corgi_gym.benchmarks.run_folder import number

Json = dict[str, Any]
Holds = Callable[[Any], bool]


def _number(value: Any) -> bool:
    return number(value) is not None


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _share(value: Any) -> bool:
    return value is None or _number(value)


def _list(of: Holds, least: int = 0) -> Holds:
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(of, value))


def _mapping(of: Holds) -> Holds:
    return lambda value: isinstance(value, dict) and all(map(of, value.values()))


_NUMBERS, _SHARES = _list(_number, least=1), _list(_share)
_EVALUATION: dict[str, Holds] = {
    "tasks": _count,
    "unscored": _count,
    "success": _NUMBERS,
    "families": _mapping(_NUMBERS),
    "gain": _number,
    "mean_score": _number,
    "tokens": _NUMBERS,
    "solved_at": _mapping(_count),
    "retries": _list(_count),
    "fix": _SHARES,
    "regress": _SHARES,
    "repeat": _SHARES,
}
_EXPLOITS = {"looked_at": _count, "found": _count, "kinds": _mapping(_count)}
_RESAMPLING = {"success": _NUMBERS, "tokens": _NUMBERS}
_POINT = {"step": _number, "tokens": _number, "seconds": _number, "success": _NUMBERS}
_COST = ("steps", "sessions", "tokens", "train_seconds")
_LABELS = ("arm", "algorithm", "family", "feedback", "session_reward")
_SPEC = ("name", "question", "evaluations", "seeds", "rank", "reference", "target")


def check_metrics(metrics: Json, config: Any) -> None:
    """Check the numbers of a job.

    Args:
        metrics: What its ``metrics.json`` holds.
        config: What was run.

    Raises:
        ValueError: Naming the place of what is missing or is something else.
    """
    evaluations = _part(metrics, "evaluations", "", dict)
    plans = config.get("evaluations") if isinstance(config, dict) else None
    for name in {**evaluations, **(plans if isinstance(plans, dict) else {})}:
        where = f"evaluations.{name}"
        found = _part(evaluations, name, "evaluations.", dict)
        _check(found, _EVALUATION, where)
        _check(_part(found, "exploits", f"{where}.", dict), _EXPLOITS, f"{where}.exploits")
        if "no_room" in found:  # which older results have not counted
            _check(found, {"no_room": _count}, where)
        if "resampling" in found:
            sampled = _part(found, "resampling", f"{where}.", dict)
            _check(sampled, _RESAMPLING, f"{where}.resampling")
        if "gap" in found:
            _check(found, {"gap": _mapping(_mapping(_share))}, where)
        attempts = ((plans or {}).get(name) or {}).get("attempts", len(found["success"]))
        if len(found["success"]) != attempts:
            raise ValueError(
                f"{where}.success has {len(found['success'])} values for {attempts} attempts"
            )
    for i, point in enumerate(_part(metrics, "curve", "", list)):
        _check(point, _POINT, f"curve[{i}]")
    trains = isinstance(config, dict) and bool(config.get("trains"))
    _check(
        _part(metrics, "cost", "", dict),
        dict.fromkeys(_COST, _number if trains else _share),
        "cost",
    )


def check_plan(written: Json) -> None:
    """Check ``spec.json``: what a report needs of the specification, and of each of its jobs.

    Raises:
        ValueError: Naming the place of what is missing or is something else.
    """
    spec = _part(written, "spec", "", dict)
    if lost := [key for key in _SPEC if key not in spec]:
        raise ValueError(f"spec has no {', '.join(lost)}")
    for i, entry in enumerate(_part(written, "jobs", "", list)):
        _check(entry, {"config": lambda value: isinstance(value, str)}, f"jobs[{i}]")
        labels = _part(entry, "labels", f"jobs[{i}].", dict)
        shape: dict[str, Holds] = dict.fromkeys(_LABELS, lambda value: isinstance(value, str))
        _check(labels, {**shape, "seed": lambda value: type(value) is int}, f"jobs[{i}].labels")


def _part(data: Any, key: str, where: str, kind: type) -> Any:
    value = data.get(key)
    if not isinstance(value, kind):
        word = {dict: "mapping", list: "list"}[kind]
        raise ValueError(f"{where}{key} must be a {word}, got {value!r:.60}")
    return value


def _check(data: Any, shape: Mapping[str, Holds], where: str) -> None:
    if not isinstance(data, dict):
        raise ValueError(f"{where} must be a mapping, got {data!r:.60}")
    for key, holds in shape.items():
        if key not in data:
            raise ValueError(f"{where} has no {key}")
        if not holds(data[key]):
            raise ValueError(f"{where}.{key} cannot be {data[key]!r:.60}")

"""What `corgi-gym audit` audits a checker with: tasks of a family, or rows of a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from corgi_gym.envs import FAMILIES, TaskSource, load_family
from corgi_gym.envs.data import load_rows
from corgi_gym.rewards import Checker, checker_names
from corgi_gym.rewards.audit import Row
from corgi_gym.rewards.registry import checker_name

# Witnesses of further tasks, which the prompt-blind strings draw from.
POOL = 120
# Draws per task that is asked for: small families give the same ones again and again.
_DRAWS = 5


class Material(NamedTuple):
    """What to audit a checker with."""

    checker: str | Checker
    rows: list[Row]
    pool: list[str]


def family_material(family: str, tasks: int, seed: int) -> Material:
    """Different tasks of a family with their near misses, and witnesses of other tasks.

    They are fewer where the family has fewer: a task that comes twice would count twice when one
    string solves it.

    Raises:
        ValueError: For an unknown family.
        ImportError: If it needs an extra that is not installed.
    """
    source = load_family(family)()
    found: dict[str, Row] = {}
    for index in range(_DRAWS * tasks):
        task = source.item(seed, index, "train")
        if task.task_id not in found:
            found[task.task_id] = Row(
                task.prompt,
                task.target,
                task.witness or None,
                tuple(source.near_misses(task)),
                name=f"{task.task_id} ({family}, seed {seed}, index {index})",
            )
        if len(found) == tasks:
            break
    rows = list(found.values())
    own = {row.witness for row in rows}
    pool = [source.item(seed + 1, index, "validation").witness for index in range(POOL)]
    return Material(_spec(source), rows, [text for text in pool if text and text not in own])


def _spec(source: TaskSource) -> str | Checker:
    """The checker's name where it has one that finds it again, else the checker."""
    name = checker_name(source.checker)
    return name if name in checker_names() else source.checker


def file_rows(path: str) -> list[Row]:
    """Rows of a JSON lines, JSON, CSV or Parquet file: prompt, target, witness, near_misses.

    Raises:
        ValueError: For no usable row, and for a field of the wrong type; it names row and field.
    """
    rows = []
    for number, found in enumerate(load_rows(path, {"prompt": str}), start=1):
        witness, misses = found.get("witness"), found.get("near_misses") or []
        if witness is not None and not isinstance(witness, str):
            raise ValueError(f"{path}: row {number}: witness must be a string, got {witness!r:.60}")
        if not isinstance(misses, list) or not all(isinstance(m, str) for m in misses):
            raise ValueError(
                f"{path}: row {number}: near_misses must be a list of strings, got {misses!r:.60}"
            )
        name = f"row {number} of {Path(path).name}"
        rows.append(Row(found["prompt"], found.get("target"), witness, tuple(misses), name=name))
    return rows


def material(name: str, *, family: str | None, rows: str | None, tasks: int, seed: int) -> Material:
    """What to audit ``name`` with: a file's rows, a family's tasks, or its own examples."""
    if rows is not None:
        return Material(name, file_rows(rows)[:tasks], [])
    chosen = family or (name if name in FAMILIES else None)
    if chosen is None:
        return Material(name, [], [])
    made = family_material(chosen, tasks, seed)
    return made if name == chosen else made._replace(checker=name)

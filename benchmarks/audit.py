"""``corgi-gym audit``: the checker test kit with tasks of a family or of a file.

The kit itself (`corgi_gym.rewards.audit`) knows checkers only; the rows come from here.
"""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corgi_gym.envs import FAMILIES, TaskSource, load_family
from corgi_gym.envs.data import load_rows
from corgi_gym.envs.tasks import family_names
from corgi_gym.rewards import Checker, checker_names
from corgi_gym.rewards.audit import Audit, Row, audit, table, write
from corgi_gym.rewards.registry import checker_name

ALL = "all"
# Witnesses of further tasks, which the prompt-blind strings draw from.
POOL = 120


class Material(NamedTuple):
    """What to audit a checker with."""

    checker: str | Checker
    rows: list[Row]
    pool: list[str]


def family_material(family: str, tasks: int, seed: int) -> Material:
    """Tasks of a family with their near misses, and witnesses of other tasks.

    Raises:
        ValueError: For an unknown family.
        ImportError: If it needs an extra that is not installed.
    """
    source = load_family(family)()
    rows = []
    for index in range(tasks):
        task = source.item(seed, index, "train")
        rows.append(
            Row(
                task.prompt,
                task.target,
                task.witness or None,
                tuple(source.near_misses(task)),
                name=f"{task.task_id} ({family}, seed {seed}, index {index})",
            )
        )
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


def run_audit(
    name: str,
    *,
    family: str | None = None,
    rows: str | None = None,
    reference: str | None = None,
    tasks: int = 200,
    fuzz: int = 2_000,
    seed: int = 0,
    out: str = "runs/audit",
    say: Callable[[str], None] = print,
) -> int:
    """Audit one checker, or ``all`` families; returns the exit status (1: an exploit).

    Raises:
        ValueError: For names or numbers that do not exist.
    """
    for option, value in (("--tasks", tasks), ("--seed", seed + 1), ("--fuzz", fuzz + 1)):
        if value < 1:
            raise ValueError(f"{option} is too small: {value - (option != '--tasks')}")
    several = name == ALL
    if several and (family or rows or reference):
        raise ValueError("audit all takes no --family, --rows or --reference")
    audits: list[Audit] = []
    paths: tuple[Path, ...] = ()
    command = shlex.join(["corgi-gym", *sys.argv[1:]]) if sys.argv[1:] else ""
    for each in family_names() if several else [name]:
        try:
            found = material(each, family=family, rows=rows, tasks=tasks, seed=seed)
            shown = f"{each}: " if several else ""
            audits.append(
                audit(
                    found.checker,
                    found.rows,
                    pool=found.pool,
                    reference=reference,
                    fuzz=fuzz,
                    seed=seed,
                    name=each,
                    progress=lambda check, shown=shown: _progress(f"{shown}{check}"),
                )
            )
        except ImportError as error:
            if not several:
                raise
            warnings.warn(f"{each} was left out: {error}", RuntimeWarning, stacklevel=2)
            continue
        _progress("")
        paths = write(audits, out, command)  # after each: an interrupted run leaves its results
        say(audits[-1].headline() if several else f"{audits[0].text()}\n")
    say(table(audits))
    for path in paths:
        say(f"wrote {path}")
    return 1 if any(found.exploits for found in audits) else 0


def _progress(text: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

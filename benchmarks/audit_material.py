"""What `corgi-gym audit` audits a checker with: tasks of a family, or rows of a file.

A name is looked for among the families first, then among the checkers.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from corgi_gym.envs import FAMILIES, load_family
from corgi_gym.envs.data import load_rows
from corgi_gym.envs.tasks import ON_REQUEST, is_family, known_families
from corgi_gym.rewards import Checker, checker_names
from corgi_gym.rewards.audit import Row
from corgi_gym.rewards.audit.runner import checker_of, of_examples, rows_for
from corgi_gym.rewards.audit.subject import read_row
from corgi_gym.rewards.builtin import BUILTIN
from corgi_gym.rewards.isolated_checker import PREFIX
from corgi_gym.rewards.names import did_you_mean
from corgi_gym.rewards.registry import checker_name
from corgi_gym.rewards.text import plural

# Witnesses of further tasks, which the prompt-blind strings draw from.
POOL = 120
# Draws per task that is asked for: small families give the same ones again and again.
_DRAWS = 5


class Material(NamedTuple):
    """What to audit a checker with; ``origin`` says where the rows come from."""

    checker: str | Checker
    rows: list[Row]
    pool: list[str]
    origin: str = ""


def find_checker(name: str) -> Checker:
    """The checker that a name or place stands for.

    Raises:
        ValueError: If there is none; for an unknown name the message has checkers and families.
    """
    if ":" in name or name.endswith(".py") or name in checker_names():
        return checker_of(name)
    if is_family(name):
        raise ValueError(f"{name!r} is a family: with --rows or --family, give a checker")
    families, checkers = known_families(), checker_names()
    raise ValueError(
        f"unknown family or checker {name!r}{did_you_mean(name, [*families, *checkers], ';')} "
        f"families: {', '.join(families)}; checkers: {', '.join(checkers)}"
    )


def check_family(name: str) -> None:
    """Check that a family can be loaded; its tasks are not made.

    Raises:
        ValueError: For an unknown family, and a plug-in that cannot be imported.
        ImportError: If it needs an extra that is not installed.
    """
    if not is_family(name):
        known = known_families()
        hint = did_you_mean(name, known, ";")
        raise ValueError(f"unknown task family {name!r}{hint} known: {', '.join(known)}")
    load_family(name)


def family_of(name: str) -> str | None:
    """The family whose tasks a name is audited with where neither family nor rows are given.

    The family of that name, or else the only shipped one that the checker judges. A checker that is
    isolated gets the shipped family that it would have otherwise (a plug-in's is not imported).

    Raises:
        ValueError: If the checker judges several shipped families.
    """
    bare = name.removeprefix(PREFIX)
    if is_family(name) or bare in FAMILIES:
        return bare
    found = [family for family in _judged_by(bare) if family in FAMILIES]
    if len(found) > 1:
        options = " or ".join(f"--family {family}" for family in found)
        raise ValueError(
            f"checker {name!r} judges several families: give {options}, or tasks of your own with "
            "--rows FILE"
        )
    return found[0] if found else None


def _judged_by(name: str) -> list[str]:
    """The families of corgi-gym that a shipped checker judges and whose name is another."""
    if name not in BUILTIN:
        return []
    families = [family for family in (*FAMILIES, *ON_REQUEST) if family not in BUILTIN]
    return [f for f in families if checker_name(load_family(f).checker) == name]


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
    origin = f"{len(rows)} of family {family}, seed {seed}"
    used = [text for text in pool if text and text not in own]
    return Material(source.checker, rows, used, origin)


def file_rows(path: str) -> list[Row]:
    """Rows of a JSON lines, JSON, CSV or Parquet file, with the fields of `Row`.

    Raises:
        ValueError: For no usable row, for an unknown field, and for one of the wrong type; it names
            row and field.
    """
    return [
        read_row(row, f"{path}: row {row.number}", f"row {row.number} of {Path(path).name}")
        for row in load_rows(path, {"prompt": str}, id_field="name")
    ]


def material(name: str, *, family: str | None, rows: str | None, tasks: int, seed: int) -> Material:
    """What to audit ``name`` with: a file's rows, a family's tasks, or its own examples.

    Raises:
        ValueError: As `find_checker`, `family_of`, `family_material` and `file_rows` do.
        ImportError: If a family needs an extra that is not installed.
    """
    if rows is not None:
        found = file_rows(rows)
        first = f"the first {tasks} of " if tasks < len(found) else ""
        origin = f"{first}{plural(len(found), 'row')} of {Path(rows).name}"
        return Material(name, found[:tasks], [], origin)
    chosen = family or family_of(name)
    if chosen is None:
        examples = rows_for(find_checker(name), ())
        give = " or ".join(f"--family {f}" for f in _judged_by(name)) or "--family NAME"
        return Material(name, [], [], of_examples(examples, f"{give} or --rows FILE"))
    made = family_material(chosen, tasks, seed)
    return made if name == chosen else made._replace(checker=name)

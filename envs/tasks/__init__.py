"""The task families: one file each, imported on first use.

Third parties add a family through the entry-point group ``corgi_gym.families`` (a `TaskSource`
subclass); one that fails to import is a warning that names it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from corgi_gym.envs.task import TaskSource
from corgi_gym.rewards import Checker, get_checker

ENTRY_POINT_GROUP = "corgi_gym.families"


class Family(NamedTuple):
    """Where a family lives and how it is used.

    Attributes:
        location: ``"module:Class"``.
        env_id: The Gymnasium id of the family alone.
        suite: The mixture it belongs to.
        role: CORGI's split of families: trained on (``source``) or only tested on (``heldout``).
    """

    location: str
    env_id: str
    suite: str
    role: str


_HERE = "corgi_gym.envs.tasks"
_TEXT, _MATH = "ConstrainedGen-v0", "GuidedMath-v0"
FAMILIES: dict[str, Family] = {
    "num_planning": Family(f"{_HERE}.num_planning:NumPlanning", "NumPlanning-v0", _TEXT, "source"),
    "panagram": Family(f"{_HERE}.panagram:Panagram", "Panagram-v0", _TEXT, "heldout"),
    "clustering": Family(f"{_HERE}.clustering:Clustering", "Clustering-v0", _TEXT, "heldout"),
    "concepts": Family(f"{_HERE}.concepts:Concepts", "Concepts-v0", _TEXT, "heldout"),
    "multistep_arithmetic": Family(
        f"{_HERE}.multistep_arithmetic:MultistepArithmetic",
        "MultistepArithmetic-v0",
        _MATH,
        "source",
    ),
    "countdown": Family(f"{_HERE}.countdown:Countdown", "Countdown-v0", _MATH, "heldout"),
}
SUITES = (_TEXT, _MATH)


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def family_names(suite: str | None = None, role: str | None = None) -> list[str]:
    """Names of the shipped families (of one suite and role, if given) in their fixed order."""
    return [
        name
        for name, family in FAMILIES.items()
        if suite in (None, family.suite) and role in (None, family.role)
    ]


def load_family(name: str) -> type[TaskSource]:
    """Import and return a family's class.

    Raises:
        ValueError: For an unknown name, and for a plug-in that cannot be imported (after a warning
            that names it); the message lists the known ones.
    """
    if name in FAMILIES:
        module, _, attribute = FAMILIES[name].location.partition(":")
        return getattr(import_module(module), attribute)
    plugins = _plugins()
    if name not in plugins:
        known = ", ".join([*FAMILIES, *plugins])
        raise ValueError(f"unknown task family {name!r}; known: {known}")
    try:
        loaded = plugins[name].load()
        if not (isinstance(loaded, type) and issubclass(loaded, TaskSource)):
            raise TypeError(f"{loaded!r:.80} is not a subclass of TaskSource")
    except Exception as error:  # a plug-in's import may raise anything
        text = f"family plug-in {name!r} ({plugins[name].value}) could not be imported: {error!r}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        known = ", ".join([*FAMILIES, *(other for other in plugins if other != name)])
        raise ValueError(f"{text}; known: {known}") from error
    return loaded


def make_sources(
    tasks: str | Iterable[str],
    *,
    suite: str | None = None,
    checker: str | Checker | None = None,
    task_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, TaskSource]:
    """Make the sources of an environment.

    Args:
        tasks: ``"source"``, ``"heldout"``, ``"all"`` (of ``suite``), one name, or names.
        suite: The mixture that the three words select from; ``None``: every family.
        checker: Replaces every family's own checker.
        task_options: Keyword arguments per family.

    Raises:
        ValueError: For an unknown or empty selection, or options that a family does not take or
            that are for a family not selected.
        TypeError: For names that are not strings.
    """
    if suite is not None and suite not in SUITES:
        raise ValueError(f"unknown suite {suite!r}; choose from {', '.join(SUITES)}")
    if isinstance(tasks, str):
        if tasks in ("source", "heldout", "all"):
            names = family_names(suite, None if tasks == "all" else tasks)
        else:
            names = [tasks]
    else:
        names = list(tasks) if isinstance(tasks, Iterable) else [tasks]
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"tasks must be a name or a list of names, got {tasks!r:.80}")
        names = list(dict.fromkeys(names))
    if not names:
        raise ValueError(f"tasks={tasks!r} selects no family; give at least one name")
    options = {name: dict(values) for name, values in (task_options or {}).items()}
    stray = sorted(set(options) - set(names))
    if stray:
        raise ValueError(f"task_options for {stray}, but the selected families are {names}")
    sources = {}
    for name in names:
        family = load_family(name)
        try:
            sources[name] = family(**options.get(name, {}))
        except TypeError as error:
            raise ValueError(f"options {options.get(name)} of family {name!r}: {error}") from error
        if checker is not None:
            sources[name].checker = get_checker(checker)
    return sources

"""A task and where tasks come from.

A family is one file in `envs/tasks/`: a `TaskSource` subclass with `generate` and the name of its
checker. Tasks are pure functions of ``(seed, index)``: any item can be made at any time, in any
process, in any order.

Splits cannot overlap: a task's *content* decides its split (a hash of its key), and an item is
drawn again until it falls into the split that was asked for.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from time import perf_counter
from types import FunctionType
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from corgi_gym.rewards import Checker, get_checker

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

# Share of all task contents per split, in percent.
_TRAIN_PERCENT, _VALIDATION_PERCENT = 80, 10
# Draws before giving up on a split: with 10 % of contents in the smallest split, a generator that
# fails this often (0.9^2000) has too few different contents for its options.
_MAX_DRAWS = 2_000
# Tasks that a source keeps: the rollouts of a group start from one task, and an evaluation comes
# back to the same ones. A task takes a few kilobytes.
_KEPT_TASKS = 1_024
# Tasks that are made ahead when tasks are asked for in order, and the seconds after which no more
# are begun. In a row they take half the time that they take between other work, whose code and data
# push theirs out of the processor's caches (reasoning-gym's chain_sum: 25 and 50 us).
_AHEAD, _AHEAD_SECONDS = 32, 0.001
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# Between the parts of what `stable_hash` hashes: no text has it.
_BETWEEN = "\x1f"
# Most of what `stable_text` writes.
_NUMBERS = frozenset((bool, int, float))


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        task_id: ``"family/hash"`` of what decides the split. Tasks that differ only in how it is
            put (the order of options or words, the wording) share it, so that they never stand in
            two splits.
        family: Name of the family.
        prompt: First user message. It states every constraint.
        target: What the checker compares with. Never shown to the policy.
        checker: Judges a reply against the target.
        witness: A reply that scores 1.0, or "" where none is known (user prompts). Never shown.
    """

    task_id: str
    family: str
    prompt: str
    target: Any
    checker: Checker
    witness: str


class Draft(NamedTuple):
    """What a generator makes: a task without its id.

    ``key`` names the content: two drafts with one key differ at most in how it is put, and share an
    id and a split.
    """

    key: str
    prompt: str
    target: Any
    witness: str


def stable_hash(*parts: object) -> int:
    """A 64-bit hash of the parts' text, equal in every process (unlike `hash`)."""
    return _hash(_BETWEEN.join(map(str, parts)))


def _hash(text: str) -> int:
    """`stable_hash` of one text; a new task asks for it three times, so every call counts."""
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def stable_text(value: Any) -> str:
    """Text that is equal for equal values of plain data, in every process (unlike `repr` of a set).

    Example:
        >>> stable_text({"b": {2, 1}, "a": [1.0]})
        "{'a': [1.0], 'b': {1, 2}}"
    """
    if type(value) in _NUMBERS:
        return repr(value)
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, Mapping):
        rows = sorted(f"{stable_text(k)}: {stable_text(v)}" for k, v in value.items())
        return "{" + ", ".join(rows) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(stable_text, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(stable_text, value)) + "]"
    if isinstance(value, np.ndarray):
        return stable_text(value.tolist())
    return _ADDRESS.sub("", repr(value))  # an object's, which differs from process to process


def check_whole(value: Any, name: str, least: int) -> int:
    """Return ``value`` as an int of at least ``least`` (numpy integers count, bools do not).

    Raises:
        ValueError: For anything else; ``name`` says in the message what it is.
    """
    if type(value) is int and value >= least:  # the usual case: every reset asks several times
        return value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r:.80}")
    return int(value)


def check_unused(by: str, **options: tuple[Any, Any]) -> None:
    """Refuse options that have no part in tasks which the user brings.

    Args:
        by: The argument that brings the tasks.
        **options: Each option's value, and its default.

    Raises:
        ValueError: For a value that is not the default.

    Example:
        >>> check_unused("data", count=((1, 3), (1, 3)))
    """
    for name, (value, default) in options.items():
        if value != default:
            raise ValueError(
                f"{name}={value!r} is for generated tasks, and {by} brings its own: leave one of "
                "the two out"
            )


def check_range(value: Any, name: str, least: int, most: int) -> tuple[int, int]:
    """Return ``value`` as ``(smallest, largest)``, two integers within ``least`` and ``most``.

    Raises:
        ValueError: For anything else; ``name`` says in the message what it is.

    Example:
        >>> check_range([3, 5], "count", 2, 8)
        (3, 5)
    """
    try:
        low, high = (check_whole(bound, name, least) for bound in value)
    except (TypeError, ValueError):
        low, high = 1, 0
    if not low <= high <= most:
        raise ValueError(
            f"{name} must be (smallest, largest) within {least} and {most}, got {value!r:.80}"
        )
    return low, high


def check_split(split: str) -> Split:
    """Return ``split`` if it exists.

    Raises:
        ValueError: For an unknown split; the message lists the known ones.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; choose from {', '.join(SPLITS)}")
    return split


def split_of(family: str, key: str) -> Split:
    """The split to which a content belongs: 80 % train, 10 % validation, 10 % test."""
    bucket = _hash(f"split{_BETWEEN}{family}{_BETWEEN}{key}") % 100
    if bucket < _TRAIN_PERCENT:
        return "train"
    return "validation" if bucket < _TRAIN_PERCENT + _VALIDATION_PERCENT else "test"


class TaskSource(ABC):
    """An endless family of tasks.

    Set in all subclasses: ``family`` (name), ``checker`` and ``summary`` (one line for
    ``corgi-gym tasks``), and ``near_misses``. Options (difficulty) are keyword arguments of
    ``__init__``, checked there.
    """

    family: ClassVar[str]
    summary: ClassVar[str]
    checker: Checker

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let ``checker`` be a name or a plain function too (which would become a method)."""
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("checker")
        if isinstance(own, staticmethod):
            own = own.__func__
        if isinstance(own, (str, FunctionType)):
            cls.checker = get_checker(own)

    @abstractmethod
    def generate(self, rng: np.random.Generator) -> Draft:
        """Make one task with ``rng`` and nothing else."""

    @abstractmethod
    def near_misses(self, task: Task) -> list[str]:
        """Replies that look right and are not: each must score below 1.0."""

    def check(self) -> None:
        """Check that what every subclass has to set is there.

        Raises:
            TypeError: Naming what is missing, or a checker that cannot be called.
        """
        what = type(self).__name__
        if not isinstance(getattr(self, "family", None), str):
            raise TypeError(f'{what} has no name: set family = "..." in the class')
        checker = getattr(self, "checker", None)
        if not callable(checker):
            raise TypeError(
                f"{what} has no checker that can be called, but {checker!r:.80}: set checker in "
                "the class to a function (reply, target) or the name of a registered one"
            )

    def item(self, seed: int, index: int, split: Split = "train") -> Task:
        """Return task number ``index`` of ``split`` under ``seed``: a pure function.

        The last tasks are kept, so the same call again is cheap and gives the same object.

        Raises:
            ValueError: For an unknown split, negative numbers, or options that leave a split empty.
        """
        kept = self._kept
        if split in SPLITS and type(seed) is type(index) is int:  # what is kept has a good key
            task = kept.get((seed, index, split))
            if task is not None:
                return task
        check_split(split)
        key = check_whole(seed, "seed", 0), check_whole(index, "index", 0), split
        if len(kept) >= _KEPT_TASKS:
            kept.clear()  # one operation, so that threads cannot trip over each other
        in_order = (key[0], key[1] - 1, split) in kept
        task = kept[key] = self._find(*key)
        if in_order:
            self._make_ahead(*key)
        return task

    @cached_property
    def _kept(self) -> dict[tuple[int, int, Split], Task]:
        return {}

    def _make_ahead(self, seed: int, index: int, split: Split) -> None:
        """Make the next tasks too, as many as are made in no time."""
        end = perf_counter() + _AHEAD_SECONDS
        kept = self._kept
        for later in range(index + 1, index + _AHEAD):
            key = seed, later, split
            if perf_counter() > end or len(kept) >= _KEPT_TASKS or key in kept:
                return
            try:
                kept[key] = self._find(*key)
            except Exception:  # whoever asks for that task gets the error
                return

    def _find(self, seed: int, index: int, split: Split) -> Task:
        """Make the task that `item` returns; the arguments are valid."""
        for draw in range(_MAX_DRAWS):
            parts = f"{self.family}{_BETWEEN}{seed}{_BETWEEN}{index}{_BETWEEN}{draw}"
            draft = self._draw(_hash(parts))
            if not isinstance(draft, Draft):
                raise TypeError(
                    f"generate() of family {self.family!r} must return a Draft, got {draft!r:.80}"
                )
            if split_of(self.family, draft.key) == split:
                return self._task(draft)
        raise ValueError(
            f"family {self.family!r} has too few different tasks with these options: "
            f"none in {_MAX_DRAWS} draws fell into split {split!r}; widen the options"
        )

    def _draw(self, entropy: int) -> Draft:
        """The draft that a 64-bit number stands for; families may have a cheaper way than numpy."""
        return self.generate(np.random.default_rng(entropy))

    def _task(self, draft: Draft) -> Task:
        """The draft with its id and checker."""
        task_id = f"{self.family}/{_hash(draft.key):016x}"
        return Task(task_id, self.family, draft.prompt, draft.target, self.checker, draft.witness)

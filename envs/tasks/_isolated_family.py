"""A plug-in's family in a guarded process: what ``CORGI_GYM_ISOLATE_PLUGINS=1`` makes of it.

The package is imported, and its generator called, in a process that can be killed and can do
nothing but compute (`corgi_gym.rewards.isolate`). Here stands a `TaskSource` that asks it: tasks
come back as plain data and are checked field by field. Their checker is run in a guarded process
as well, a shipped one too, because its targets are the plug-in's: by its name where it has one that
an installed package declares, else in the family's process.

    here                                      guarded process
    IsolatedFamily.item(seed, index, split) ─► plug-in's item ─► prompt, target, witness, checker
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, cast

import numpy as np

from corgi_gym.envs.spaces import MAX_PROMPT_CHARS
from corgi_gym.envs.task import Draft, Split, Task, TaskSource, check_split, check_whole
from corgi_gym.rewards import Checker, Verdict, get_checker
from corgi_gym.rewards.builtin import BUILTIN
from corgi_gym.rewards.isolate import Isolated, Outcome
from corgi_gym.rewards.isolated_checker import (
    DEADLINE_SECONDS,
    MEMORY_MB,
    PREFIX,
    plain_verdict,
    read_verdict,
)
from corgi_gym.rewards.registry import ENTRY_POINT_GROUP as CHECKERS
from corgi_gym.rewards.registry import as_verdict, checker_name

# For the import, which may load a library and read data, and for one task.
START_SECONDS, ITEM_SECONDS = 60.0, 10.0
# Near misses of a task that are taken; more are cut off.
_MAX_MISSES = 100
_MAX_SUMMARY_CHARS = 200
_TASK_HASH = re.compile(r"[\w.:-]{1,100}")


class IsolatedFamily(TaskSource):
    """Asks a guarded process for tasks; subclasses, made by `isolated_family`, name the plug-in.

    Args:
        options: The family's own, plain data.

    Raises:
        ValueError: If the plug-in cannot be imported, refuses the options, or does not answer in
            time; the message names it and says what happened.
        IsolationError: If no process could be had.
    """

    family: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    place: ClassVar[str] = ""

    def __init__(self, **options: Any) -> None:
        written = repr(options)
        try:
            plain = ast.literal_eval(written) == options
        except (ValueError, SyntaxError):
            plain = False
        if not plain:
            raise ValueError(
                f"options of family plug-in {self.family!r}, which is isolated, must be plain "
                f"data, got {written:.200}"
            )
        self._options = options
        self._pool = Isolated(
            f"{__name__}:family_here",
            setup=(self.family, written),
            deadline=ITEM_SECONDS,
            memory_mb=MEMORY_MB,
            preload=False,
            start_seconds=START_SECONDS,
        )
        said = self._ask("about")
        type(self).summary = self._text(said, "summary")[:_MAX_SUMMARY_CHARS]
        self.checker = self._own = self._checker(said)

    def item(self, seed: int, index: int, split: Split = "train") -> Task:
        """Task number ``index`` of ``split``, made in the guarded process.

        Raises:
            ValueError: For arguments out of range, and where the plug-in gives no task: it
                raised, was killed at its deadline, or answered with something else.
        """
        check_split(split)
        seed, index = check_whole(seed, "seed", 0), check_whole(index, "index", 0)
        said = self._ask("item", seed, index, split)
        content = self._text(said, "task_id").rpartition("/")[2]
        if not _TASK_HASH.fullmatch(content):
            raise ValueError(f"{self._named}: task_id {said['task_id']!r:.80} is not family/hash")
        prompt, witness = self._text(said, "prompt"), self._text(said, "witness")
        if not prompt.strip():
            raise ValueError(f"{self._named}: a task has the empty prompt {prompt!r:.80}")
        # a checker that was set from outside (`make_sources`) stands above the task's own
        checker = self._checker(said) if self.checker is self._own else self.checker
        task_id = f"{self.family}/{content}"
        return Task(task_id, self.family, prompt, said.get("target"), checker, witness)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Never called: `item` is asked of the plug-in as a whole."""
        raise NotImplementedError(f"{self._named} makes its tasks in a guarded process")

    def near_misses(self, task: Task) -> list[str]:
        """The plug-in's near misses of one of its tasks."""
        told = (task.task_id, task.family, task.prompt, task.target, task.witness)
        found = self._ask("near_misses", *told).get("near_misses")
        if not isinstance(found, list) or not all(isinstance(reply, str) for reply in found):
            raise ValueError(f"{self._named}: near_misses must be strings, got {found!r:.80}")
        return found[:_MAX_MISSES]

    def judge(self, reply: str, target: Any) -> Outcome:
        """What the family's own checker says, as `read_verdict` takes it."""
        return self._pool.call("judge", reply, target, deadline=DEADLINE_SECONDS)

    def close(self) -> None:
        """End the process; the next call starts a new one."""
        self._pool.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.family, self.place, self._options)

    def _ask(self, what: str, *args: Any) -> dict[str, Any]:
        outcome = self._pool.call(what, *args)
        if not outcome.ok:
            raise ValueError(
                f"{self._named} ({self.place}) gave no answer to {what!r} in its guarded process: "
                f"{outcome.status}: {outcome.error}"
            )
        if not isinstance(outcome.value, dict):
            raise ValueError(f"{self._named} answered {what!r} with {outcome.value!r:.80}")
        return outcome.value

    @property
    def _named(self) -> str:
        return f"family plug-in {self.family!r}"

    def _text(self, said: dict[str, Any], field: str) -> str:
        """A field that must be a string of a length that an observation can have."""
        value = said.get(field)
        if not isinstance(value, str) or len(value) > MAX_PROMPT_CHARS:
            raise ValueError(
                f"{self._named}: {field} must be a string of at most {MAX_PROMPT_CHARS} "
                f"characters, got {value!r:.80}"
            )
        return value

    def _checker(self, said: dict[str, Any]) -> Checker:
        name = said.get("checker")
        if not isinstance(name, str) or not _is_declared(name):
            return cast(Checker, FamilyChecker(self))
        return get_checker(f"{PREFIX}{name}")


@dataclass(frozen=True)
class FamilyChecker:
    """A checker that no package declares: judged in the process of its family."""

    source: IsolatedFamily
    slow = True  # a call waits for the process

    @property
    def name(self) -> str:
        """How messages and logs call it."""
        return f"{PREFIX}{self.source.family}"

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge in the guarded process.

        Raises:
            IsolationError: If no process could be had.
        """
        return read_verdict(self.name, self.source.judge(reply, target))


def isolated_family(name: str, place: str) -> type[TaskSource]:
    """The class that stands for plug-in ``name``, which lives at ``place`` (``module:Class``)."""
    return type(f"Isolated_{name}", (IsolatedFamily,), {"family": name, "place": place})


def _rebuild(name: str, place: str, options: dict[str, Any]) -> TaskSource:
    return isolated_family(name, place)(**options)


# ---------------------------------------------------------------- in the guarded process


def family_here(name: str, options: str) -> Callable[..., dict[str, Any]]:
    """In the guarded process: import the family, and return a function that answers for it."""
    from corgi_gym.envs.tasks import load_family

    source = load_family(name)(**ast.literal_eval(options))

    def answer(what: str, *args: Any) -> dict[str, Any]:
        if what == "about":
            return {"summary": source.summary, "checker": _declared(source.checker)}
        if what == "near_misses":
            task_id, family, prompt, target, witness = args
            task = Task(task_id, family, prompt, target, source.checker, witness)
            return {"near_misses": list(source.near_misses(task))}
        if what == "judge":
            return plain_verdict(as_verdict(get_checker(source.checker)(*args), name))
        task = source.item(*args)
        declared = _declared(task.checker)
        if declared is None and task.checker is not source.checker:
            raise TypeError("a task's own checker must be one that a package declares by name")
        return {
            "task_id": task.task_id,
            "prompt": task.prompt,
            "target": task.target,
            "witness": task.witness,
            "checker": declared,
        }

    return answer


def _declared(check: Checker) -> str | None:
    """The name under which any process finds ``check``, or None."""
    name = checker_name(check)
    return name if _is_declared(name) and get_checker(name) is check else None


def _is_declared(name: str) -> bool:
    """Whether a package (this one or another) declares a checker of that name."""
    return name in BUILTIN or any(point.name == name for point in entry_points(group=CHECKERS))

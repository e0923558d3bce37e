"""Self-improvement in one reply: the writer attempts a task, checks itself and corrects itself.

The environment of TriPosT (arXiv 2310.13522), as task sources around those of any family: the
prompt also asks for a line ``Feedback:`` and, where that finds a mistake, an updated answer, and
what is judged is the last attempt of the reply (`corgi_gym.rewards.trajectory`). Nobody corrects
the writer within a reply; with ``max_attempts`` above 1 (TriPosT has 1) the environment answers
after it as any other does.

Changed: TriPosT's inference stops the model after each attempt and each feedback, appends the next
marker itself, and shows it the question and its newest attempt only. Here the model writes the
markers, and sees all of its reply. So sessions, engines, logs and reports are those of every other
environment, and how often to try again is the model's own decision.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from corgi_gym.envs.guided import GuidedEnv
from corgi_gym.envs.task import Draft, Split, Task, TaskSource
from corgi_gym.envs.tasks import make_sources
from corgi_gym.envs.vector import GuidedVectorEnv
from corgi_gym.rewards import Checker, Verdict, is_slow, judge
from corgi_gym.rewards.trajectory import FEEDBACK, UPDATED, final_span

# The families that TriPosT trains on.
FAMILIES = ("multistep_arithmetic", "word_sorting", "date_understanding", "logical_deduction")
Level = Literal["seen", "unseen", "both"]
LEVELS: tuple[Level, ...] = get_args(Level)
UNSEEN = ":unseen"
# Asked for after the task; short, since every prompt has it.
REQUEST = (
    f' Then check your steps in one line after "{FEEDBACK}", and if a step is incorrect, write '
    f'"{UPDATED}" and the whole answer again.'
)


class FinalAttempt:
    """A checker of replies from a checker of attempts: the last attempt counts.

    Args:
        checker: Judges one attempt.
    """

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.slow = is_slow(checker)

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge the attempt of a reply that counts; its problems have their places in the reply."""
        start, end = final_span(reply)
        verdict = judge(self.checker, reply[start:end], target)
        problems = tuple(
            replace(p, where=(p.where[0] + start, p.where[1] + start)) if p.where else p
            for p in verdict.problems
        )
        return replace(verdict, problems=problems)


class SelfImproving(TaskSource):
    """The tasks of another source, with room for the writer's own feedback.

    Args:
        source: Where the tasks come from.
        suffix: Added to the family's name, to tell two sources of one family apart.
        request: Added to every prompt.

    Example:
        >>> from corgi_gym.envs.tasks.word_sorting import WordSorting
        >>> task = SelfImproving(WordSorting(cells="w2")).item(seed=0, index=0)
        >>> judge(task.checker, f"{task.witness}!", task.target).success
        False
        >>> from corgi_gym.rewards.trajectory import Trajectory
        >>> reply = Trajectory((f"{task.witness}!", task.witness), ("Step 1 is incorrect.",)).text()
        >>> judge(task.checker, reply, task.target).success
        True
    """

    family = "self_improving"
    summary = "Attempt, check and correct in one reply."

    def __init__(self, source: TaskSource, *, suffix: str = "", request: str = REQUEST) -> None:
        self.source, self.suffix, self.request = source, suffix, request
        self.checker = FinalAttempt(source.checker)

    def generate(self, rng: np.random.Generator) -> Draft:
        """A task of the source."""
        return self.source.generate(rng)

    def near_misses(self, task: Task) -> list[str]:
        """Those of the source."""
        return self.source.near_misses(task)

    def item(self, seed: int, index: int, split: Split = "train") -> Task:
        """Task number ``index`` of the source, judged by its last attempt."""
        task = self.source.item(seed, index, split)
        return replace(
            task,
            family=f"{task.family}{self.suffix}",
            prompt=task.prompt + self.request,
            checker=FinalAttempt(task.checker),
        )


def make_env(
    tasks: str | Iterable[str] | Mapping[str, TaskSource] = FAMILIES,
    *,
    level: Level = "seen",
    task_options: Mapping[str, Mapping[str, Any]] | None = None,
    unseen_options: Mapping[str, Mapping[str, Any]] | None = None,
    request: str = REQUEST,
    max_attempts: int = 4,
    checker: str | Checker | None = None,
    **kwargs: Any,
) -> GuidedEnv:
    """Make ``SelfImprovement-v0``.

    Args:
        tasks: Name or names of families; those of TriPosT by default. Or the ``sources`` of another
            such environment, which then has all options of its tasks.
        level: Difficulty: ``"seen"`` (to train on), ``"unseen"`` (harder) or ``"both"``, which has
            each family twice, the harder tasks under the name ``"family:unseen"``.
        task_options: Options per family of the seen tasks; a family with cells has its seen ones by
            default.
        unseen_options: Options per family of the unseen tasks, likewise; a family without cells
            and without options here has no unseen tasks.
        request: What is added to every prompt.
        max_attempts: Replies per session; with 1 nothing but the writer corrects it.
        checker: Judges the last attempt, in the place of the families' own.
        **kwargs: As for `GuidedEnv`, without ``prompts`` and ``self_check``.

    Raises:
        ValueError: For an unknown family, option or level, or arguments that contradict.
    """
    if kwargs.get("prompts") is not None:
        raise ValueError("prompts have no meaning in SelfImprovement-v0: it wraps task families")
    if kwargs.get("self_check"):
        raise ValueError(
            "self_check has no meaning in SelfImprovement-v0, where a reply has its own feedback: "
            "both begin with the line 'Feedback:'"
        )
    if level not in LEVELS:
        raise ValueError(f"unknown level {level!r}; choose from {', '.join(LEVELS)}")
    if isinstance(tasks, Mapping):
        made_of = {
            "level": level != "seen",
            "task_options": task_options is not None,
            "unseen_options": unseen_options is not None,
            "request": request != REQUEST,
            "checker": checker is not None,
        }
        if given := [name for name, is_given in made_of.items() if is_given]:
            raise ValueError(
                f"{', '.join(given)} have no meaning with tasks={{name: source}}, which are made"
            )
        return GuidedEnv(tasks=tasks, max_attempts=max_attempts, **kwargs)
    tasks = [tasks] if isinstance(tasks, str) else list(tasks)
    for options in (task_options, unseen_options):  # those of the other level are checked too
        if stray := sorted(set(options or ()) - set(tasks)):
            raise ValueError(f"options for {stray}, but the selected families are {tasks}")
    sources: dict[str, TaskSource] = {}
    if level in ("seen", "both"):
        sources.update(_sources(tasks, "seen", task_options, "", request, checker))
    if level in ("unseen", "both"):
        sources.update(_sources(tasks, "unseen", unseen_options, UNSEEN, request, checker))
    if not sources:
        raise ValueError(f"none of tasks={tasks!r} has unseen tasks: give unseen_options")
    return GuidedEnv(tasks=sources, max_attempts=max_attempts, **kwargs)


def _sources(
    names: list[str],
    level: str,
    options: Mapping[str, Mapping[str, Any]] | None,
    suffix: str,
    request: str,
    checker: str | Checker | None,
) -> dict[str, TaskSource]:
    """The wrapped sources of one level of difficulty."""
    given = {name: dict(values) for name, values in (options or {}).items()}
    made: dict[str, TaskSource] = {}
    for name in names:
        has_cells = "cells" in _parameters(name)
        if suffix and not has_cells and name not in given:
            continue
        own = {**({"cells": level} if has_cells else {}), **given.get(name, {})}
        source = make_sources(name, checker=checker, task_options={name: own})[name]
        made[name + suffix] = SelfImproving(source, suffix=suffix, request=request)
    return made


def _parameters(name: str) -> Sequence[str]:
    from corgi_gym.envs.tasks import load_family

    return list(inspect.signature(load_family(name)).parameters)


def make_vector(num_envs: int = 1, **kwargs: Any) -> GuidedVectorEnv:
    """``num_envs`` of `make_env`'s environments, for ``gym.make_vec``."""
    vector = {name: kwargs.pop(name) for name in ("autoreset_mode",) if name in kwargs}
    one = make_env(**kwargs)
    return GuidedVectorEnv(
        num_envs,
        **vector,
        tasks=one.sources,
        max_attempts=one.max_attempts,
        split=one.split,
        feedback=one.feedback,
        session_reward=one.session_reward,
        seed=one.seed,
        noise=one.noise,
        repeat_penalty=one.repeat_penalty,
        render_mode=one.render_mode,
    )

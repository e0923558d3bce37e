"""Every sound family of reasoning-gym as a family here: ``reasoning_gym/chain_sum`` and so on.

Source: reasoning-gym (arXiv 2505.24760, Apache-2.0), an optional dependency (extra ``math``). An
item is their item number ``n``, where ``n`` is drawn from our seed and index; their data sets make
item ``n`` from ``n`` alone. What is judged how, and what is left out and why, stands in
`corgi_gym.rewards._reasoning_gym_table`; the checker is `corgi_gym.rewards.reasoning_gym`.

Families with few different answers (yes or no, small numbers) ask several questions at once.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Set
from functools import cache, lru_cache
from typing import Any

import numpy as np

from corgi_gym.envs.spaces import MAX_PROMPT_CHARS
from corgi_gym.envs.task import Draft, Task, TaskSource, check_whole, stable_hash
from corgi_gym.rewards._reasoning_gym_table import (
    COMPARE,
    EXCLUDED,
    QUESTIONS,
    SETTINGS,
    SEVERAL,
    SIZES,
    UNSOUND,
)
from corgi_gym.rewards.reasoning_gym import reasoning_gym

PREFIX = "reasoning_gym/"
# Item numbers of families that take any; their generators are seeded with it.
_ITEMS = 2**31
_MOST_QUESTIONS = 12
# Ways of judging that need more of a task than its stored answer.
_ALONE = ("expression", "one_of")
# Items that are too long for an observation, or have no answer, are drawn again.
_MAX_DRAWS = 50


def family(name: str) -> type[TaskSource]:
    """The class of a family, by its name with or without the prefix.

    Raises:
        ImportError: Without reasoning-gym.
        ValueError: For a family that does not exist or is left out; the message says which or why.
    """
    return _family(name.removeprefix(PREFIX))


def family_names() -> list[str]:
    """Names of the families offered, sorted.

    Raises:
        ImportError: Without reasoning-gym.
    """
    return [PREFIX + name for name in sorted(_library().DATASETS) if name not in EXCLUDED]


class ReasoningGym(TaskSource):
    """A family of reasoning-gym; subclasses set ``family`` (see `family`).

    Args:
        questions: Questions per task, from 1 to 12; ``None``: so many that no fixed reply is right
            in more than 5 % of the tasks.
        **settings: Fields of the family's own configuration, such as ``min_terms=3``.

    Raises:
        ValueError: For settings that their configuration refuses.
        TypeError: For settings that it does not have.
        ImportError: Without reasoning-gym.
    """

    checker = reasoning_gym

    def __init__(self, questions: int | None = None, **settings: Any) -> None:
        self.name = self.family.removeprefix(PREFIX)
        if questions is None:
            questions = QUESTIONS.get(self.name, 1)
        self.questions = check_whole(questions, "questions", 1)
        if self.questions > _MOST_QUESTIONS:
            raise ValueError(f"questions must be at most {_MOST_QUESTIONS}, got {questions!r}")
        if self.questions > 1 and COMPARE.get(self.name) in _ALONE:
            raise ValueError(f"family {self.family!r} has one question per task, got {questions!r}")
        if {"seed", "size"} & set(settings):
            raise ValueError("seed and size are set here: items are numbered by our seed and index")
        self.items = SIZES.get(self.name, _ITEMS)
        self._unsound = UNSOUND.get(self.name)
        self.settings = {**SETTINGS.get(self.name, {}), **settings}
        if self.name in SIZES:
            self.settings["size"] = self.items
        try:
            self.data = _library().create_dataset(self.name, seed=0, **self.settings)
        except (AssertionError, ValueError) as error:
            raise ValueError(f"settings {settings} of {self.family!r}: {error}") from error
        if isinstance(getattr(self.data, "letters", None), set):
            self.data.letters = _SortedSet(self.data.letters)

    def __reduce__(self) -> tuple[Any, ...]:
        return _blank, (self.family,), self.__dict__

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw item numbers and let reasoning-gym make the questions."""
        return self._draw(int(rng.integers(2**63)))

    def _draw(self, entropy: int) -> Draft:
        """A task from a number: the item numbers follow from it by hashes, quicker than numpy."""
        for _ in range(_MAX_DRAWS):
            numbers = [entropy % self.items]
            while len(numbers) < self.questions:
                entropy = stable_hash(entropy)
                numbers.append(entropy % self.items)
            entries = list(map(self._entry, numbers))
            prompt = _prompt([entry["question"].strip() for entry in entries])
            answers = [entry["answer"] for entry in entries]
            if len(prompt) <= MAX_PROMPT_CHARS and all(map(self._is_sound, answers)):
                break
            entropy = stable_hash(entropy)
        else:
            raise ValueError(
                f"{self.family!r} made no usable item in {_MAX_DRAWS} draws; "
                "use settings with shorter questions"
            )
        target = {"family": self.name, "answers": answers, **self._extra(numbers, entries)}
        lines = "\n".join(answer.strip("\n") for answer in answers)
        witness = f"Answer:\n{lines}" if "\n" in lines else f"Answer: {lines}"
        return Draft(prompt, prompt, target, witness)

    def _is_sound(self, answer: str) -> bool:
        """Whether a stored answer can be asked for."""
        if self._unsound and self._unsound in answer:
            return False
        answer = answer.strip()  # answers of several questions take one line each
        return bool(answer) and (self.questions == 1 or "\n" not in answer)

    def near_misses(self, task: Task) -> list[str]:
        """The probes that reasoning-gym's own scorers pay for, and slips of form."""
        right = task.witness.removeprefix("Answer:").strip("\n ")
        return [
            task.prompt,
            right,
            f"Answer: -{right}",
            f"Answer: {right} {right}",
            f"Answer: {right} or not",
            f"Answer: maybe {right}",
            f"Answer: x{right}x",
            f"Answer: {right}\nAnswer: {right}",
            f"Answer: {right}\nNo, wait.",
            "Answer: garbage",
            "Answer:",
        ]

    def _entry(self, number: int) -> dict[str, Any]:
        """Item ``number``, without the side effects that two families have."""
        if self.name == "bf":
            with contextlib.redirect_stdout(io.StringIO()):  # its compiler prints
                return self.data[number]
        if self.name != "pool_matrix":
            return self.data[number]
        state = np.random.get_state()  # it seeds numpy's global generator
        try:
            return self.data[number]
        finally:
            np.random.set_state(state)

    def _extra(self, numbers: list[int], entries: list[dict[str, Any]]) -> dict[str, Any]:
        """What the checker needs beside the stored answers."""
        if self.name in SEVERAL:
            return {"settings": dict(self.settings), "items": numbers}
        kind = COMPARE.get(self.name)
        if kind not in _ALONE:
            return {}
        metadata = entries[0]["metadata"]
        if kind == "one_of":
            return {"accepted": list(metadata["valid_answers"])}
        goal = metadata.get("target", 24)
        return {"numbers": [int(n) for n in metadata["numbers"]], "goal": int(goal)}


class _SortedSet(set[str]):
    """A set whose order does not depend on the process: two families draw from ``letters``."""

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().__iter__()))

    def __sub__(self, other: Set[Any]) -> _SortedSet:
        return _SortedSet(super().__sub__(other))


def _prompt(questions: list[str]) -> str:
    if len(questions) == 1:
        return (
            f'{questions[0]}\n\nEnd with "Answer:" at the start of a line, and after it the answer '
            "alone."
        )
    parts = [f"Question {n}:\n{text}" for n, text in enumerate(questions, start=1)]
    return "\n\n".join(parts) + (
        f'\n\nEnd with a line "Answer:", and after it the {len(questions)} answers in this order, '
        "each alone on its line."
    )


@lru_cache(maxsize=1)
def _library() -> Any:
    try:
        from reasoning_gym import factory  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise ImportError(
            'the families of reasoning-gym need the package: pip install "corgi-gym[math]"'
        ) from error
    return factory


@cache
def _family(name: str) -> type[TaskSource]:
    if name in EXCLUDED:
        raise ValueError(f"family {PREFIX + name!r} is left out: {EXCLUDED[name]}")
    if name not in _library().DATASETS:
        raise ValueError(f"unknown family {PREFIX + name!r}; known: {', '.join(family_names())}")
    summary = f"The family {name} of reasoning-gym."
    body = {"family": PREFIX + name, "summary": summary, "__doc__": ReasoningGym.__doc__}
    return type("ReasoningGym_" + name, (ReasoningGym,), body)


def _blank(name: str) -> TaskSource:
    """An instance of a family's class, which is made at run time, for `pickle` to fill."""
    kind = family(name)
    return kind.__new__(kind)

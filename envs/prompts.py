"""Your own prompts as a task family."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from corgi_gym.envs.task import Draft, Split, Task, TaskSource, stable_hash
from corgi_gym.rewards import Checker, get_checker


class PromptSource(TaskSource):
    """Prompts given by the user, in their order; index ``i`` wraps around.

    Args:
        prompts: Strings, ``{"prompt": str, "target": Any}`` mappings, or a ``datasets.Dataset``.
        checker: A checker or its name; required.

    Raises:
        ValueError: For no prompts, an empty one, or no checker; the message names the row.
        TypeError: For a row of another type.
    """

    family = "prompts"
    summary = "Your own prompts with your own checker."

    def __init__(
        self, prompts: Iterable[str | Mapping[str, Any]], checker: str | Checker | None
    ) -> None:
        if checker is None:
            raise ValueError(
                "prompts=… needs checker=…: a registered name or a function (reply, target)"
            )
        if isinstance(prompts, str):
            raise TypeError("prompts must be a list of prompts, got one string; write [prompt]")
        self.checker = get_checker(checker)
        self.drafts = [_draft(i, row) for i, row in enumerate(prompts)]
        if not self.drafts:
            raise ValueError("prompts is empty: give at least one prompt")

    def generate(self, rng: np.random.Generator) -> Draft:
        """A random one of the prompts."""
        return self.drafts[int(rng.integers(len(self.drafts)))]

    def near_misses(self, task: Task) -> list[str]:
        """None are known for user prompts."""
        return []

    def item(self, seed: int, index: int, split: Split = "train") -> Task:
        """Prompt number ``index`` (modulo their count), whatever the seed and split."""
        draft = self.drafts[index % len(self.drafts)]
        task_id = f"prompts/{stable_hash(draft.key):016x}"
        return Task(task_id, self.family, draft.prompt, draft.target, self.checker, draft.witness)


def _draft(number: int, row: str | Mapping[str, Any]) -> Draft:
    if isinstance(row, str):
        row = {"prompt": row}
    if not isinstance(row, Mapping):
        raise TypeError(f"prompt {number} is a {type(row).__name__}; use a string or a dict")
    prompt, target = row.get("prompt"), row.get("target")
    if isinstance(prompt, list) and prompt:  # a conversational row: its last user message
        prompt = prompt[-1].get("content") if isinstance(prompt[-1], Mapping) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError(f"prompt {number} has no text under 'prompt': {dict(row)!r:.200}")
    key = json.dumps([prompt, target], sort_keys=True, default=repr)
    return Draft(key, prompt, target, witness="")

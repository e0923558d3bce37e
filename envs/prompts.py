"""Your own prompts as a task family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from corgi_gym.envs.spaces import MAX_PROMPT_CHARS
from corgi_gym.envs.task import (
    Draft,
    Split,
    Task,
    TaskSource,
    stable_text,
)
from corgi_gym.rewards import Checker, get_checker
from corgi_gym.rewards.compose import check_target


class PromptSource(TaskSource):
    """Prompts given by the user, in their order; index ``i`` wraps around.

    Args:
        prompts: Strings, ``{"prompt": str, "target": Any}`` mappings, or a ``datasets.Dataset``
            with these columns (others are ignored). A prompt may also be TRL's conversational
            form with one message, ``[{"role": "user", "content": str}]``.
        checker: A checker or its name; required.

    Raises:
        ValueError: For no prompts, no checker, or a prompt without text, too long, of several
            messages, or not encodable, or a target that the checker says it cannot read; the
            message names the row.
        TypeError: For rows of another type, or something that is no list of rows.

    Example:
        >>> source = PromptSource(["Say hi.", "Say ho."], lambda reply, target: len(reply) == 2)
        >>> source.item(seed=0, index=3).prompt
        'Say ho.'
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
        rows = prompt_rows(prompts)
        self.checker = get_checker(checker)
        self.drafts = [_draft(i, row) for i, row in enumerate(rows)]
        for i, draft in enumerate(self.drafts):
            try:
                check_target(self.checker, draft.target)
            except ValueError as error:
                raise ValueError(f"prompt {i} has a bad target: {error}") from error

    def generate(self, rng: np.random.Generator) -> Draft:
        """A random one of the prompts."""
        return self.drafts[int(rng.integers(len(self.drafts)))]

    def near_misses(self, task: Task) -> list[str]:
        """None are known for user prompts."""
        return []

    def _find(self, seed: int, index: int, split: Split) -> Task:
        """Prompt number ``index`` (modulo their count), whatever the seed and split."""
        return self._task(self.drafts[index % len(self.drafts)])


def prompt_rows(prompts: Any, name: str = "prompts") -> list[Any]:
    """The rows of what was given as prompts.

    Raises:
        TypeError: For something that is no list of rows, or one without an order.
        ValueError: If there is none.
    """
    unordered = isinstance(prompts, set | frozenset)
    table = hasattr(prompts, "to_dict") and hasattr(prompts, "iterrows")
    single = isinstance(prompts, (str, bytes, Mapping)) or not isinstance(prompts, Iterable)
    if unordered or table or single:
        fix = "put it into a list (of a DatasetDict, choose a split)"
        if table or unordered:
            fix = "give its .to_dict('records')" if table else "sort it into a list"
        shown = " ".join(repr(prompts).split())
        raise TypeError(
            f"{name} must be a list of strings or of {{'prompt', 'target'}} dicts, got one "
            f"{type(prompts).__name__}: {shown:.80}; {fix}"
        )
    rows = list(prompts)
    if not rows and isinstance(prompts, Iterator):
        raise ValueError(
            f"{name} is an iterator with nothing left, used up by another environment, say: give a "
            "list"
        )
    if not rows:
        raise ValueError(f"{name} is empty: give at least one prompt")
    return rows


def _draft(number: int, row: str | Mapping[str, Any]) -> Draft:
    if isinstance(row, str):
        row = {"prompt": row}
    if not isinstance(row, Mapping):
        raise TypeError(f"prompt {number} is a {type(row).__name__}; use a string or a dict")
    prompt, target = row.get("prompt"), row.get("target")
    if isinstance(prompt, list) and prompt and all(isinstance(m, Mapping) for m in prompt):
        if len(prompt) > 1 or prompt[0].get("role") != "user":
            raise ValueError(
                f"prompt {number} is a conversation with the roles "
                f"{[m.get('role') for m in prompt]}; give exactly one user message"
            )
        prompt = prompt[0].get("content")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError(f"prompt {number} has no text under 'prompt': {dict(row)!r:.200}")
    if len(prompt) > MAX_PROMPT_CHARS:
        raise ValueError(
            f"prompt {number} has {len(prompt)} characters; at most {MAX_PROMPT_CHARS} fit"
        )
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"prompt {number} is not valid Unicode text: {error}") from error
    return Draft(stable_text([prompt, target]), prompt, target, witness="")

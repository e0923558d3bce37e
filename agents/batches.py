"""Sessions as rows of tensors: into TRL's form, into micro-batches, through the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from corgi_gym.agents.episode import Episode


def prompt_length(episode: Episode) -> int:
    """Tokens before the first attempt."""
    return episode.turn_ends[0] - episode.attempts[0].tokens


def trl_rollout(episodes: Sequence[Episode]) -> dict[str, list[Any]]:
    """Episodes in the form that TRL asks of a ``rollout_func``."""
    output: dict[str, list[Any]] = {
        "prompt_ids": [], "completion_ids": [], "logprobs": [], "env_mask": [], "reward": [],
    }  # fmt: skip
    for episode in episodes:
        start, end = prompt_length(episode), episode.turn_ends[-1]
        mask = episode.model_mask[start:end]
        for t, attempt in enumerate(episode.attempts):
            if attempt.unscored:  # the checker failed: these tokens say nothing
                stop = episode.turn_ends[t] - start
                mask[stop - attempt.tokens : stop] = [0] * attempt.tokens
        output["prompt_ids"].append(episode.token_ids[:start])
        output["completion_ids"].append(episode.token_ids[start:end])
        output["logprobs"].append(episode.logprobs[start:end])
        output["env_mask"].append(mask)
        output["reward"].append(None if episode.unscored else episode.reward)
    return output


def score_tokens(
    model: Any, ids: Tensor, mask: Tensor, wanted: Tensor, *, most: int = 0, **kwargs: Any
) -> tuple[Tensor, ...]:
    """Log-probs and entropies of the wanted tokens, shape of ``ids``.

    With ``most``, rows whose tokens with their padding are more than so many are scored in parts of
    no more (a longer row alone). Each part is computed anew in the backward pass, so that no other
    one takes memory then. 0 is no limit.

    Further arguments reach the model's call, and what more it returns comes back in the same shape.

    Rows arrive with padding on both sides of a contiguous run of tokens; they are moved to the left
    edge, so that padding is on the right alone and as short as the longest row allows.
    """
    lengths = mask.sum(1)
    width = int(lengths.max())
    if most and len(ids) > 1 and len(ids) * width > most:
        parts = list(longest_first(lengths.tolist(), most))
        scored = [
            checkpoint(
                score_tokens, model, ids[p], mask[p], wanted[p], use_reentrant=False, **kwargs
            )
            for p in parts
        ]
        back = torch.tensor([row for part in parts for row in part], device=ids.device).argsort()
        return tuple(torch.cat(each)[back] for each in zip(*scored, strict=True))
    source = mask.argmax(1)[:, None] + torch.arange(width, device=ids.device)
    inside = source < ids.shape[1]
    source = source.clamp(max=ids.shape[1] - 1)
    scores = model(
        input_ids=ids.gather(1, source), score_mask=wanted.gather(1, source) * inside, **kwargs
    )
    return tuple(x.new_zeros(ids.shape).scatter_add(1, source, x * inside) for x in scores)


def split_evenly(rows: list[int], parts: int, lengths: list[int]) -> list[list[int]]:
    """Split rows, in their order, into ``parts`` runs of about equal total length."""
    if len(rows) <= parts:
        return [[row] for row in rows] + [[] for _ in range(parts - len(rows))]
    total = sum(lengths[i] for i in rows)
    result: list[list[int]] = []
    current: list[int] = []
    taken = 0
    for position, row in enumerate(rows):
        current.append(row)
        taken += lengths[row]
        left = parts - len(result) - 1
        full = taken >= total * (len(result) + 1) / parts
        if left and (full or len(rows) - position - 1 == left):
            result.append(current)
            current = []
    return [*result, current]


def longest_first(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Row numbers in batches of at most ``tokens`` with their padding, the longest rows first.

    Example:
        >>> list(longest_first([2, 9, 3, 3], 9))
        [[1], [0, 2, 3]]
    """
    left = sorted(range(len(lengths)), key=lengths.__getitem__)
    while left:
        size = max(1, tokens // max(1, lengths[left[-1]]))
        left, part = left[:-size], left[-size:]
        yield part


# What a row takes part in the loss by.
_PARTS = {"advantages", "paired"}


def row_count(batch: dict[str, Any]) -> int:
    """Rows of a micro-batch."""
    return len(batch["advantages"])


def take_rows(batch: dict[str, Any], rows: list[int]) -> dict[str, Any]:
    """The given rows of every per-row tensor; totals are kept as they are.

    No rows at all gives the first one without its advantage and its part in a preference: every
    process must run every micro-batch, and this one adds nothing. It has a key ``"empty"`` then.
    """
    size = len(batch["advantages"])
    index = torch.tensor(rows or [0], device=batch["advantages"].device)
    part = {
        key: value[index.to(value.device)]
        if isinstance(value, Tensor) and value.dim() and len(value) == size
        else value
        for key, value in batch.items()
    }
    if not rows:
        part["empty"] = True
        for name in _PARTS & part.keys():
            part[name] = torch.zeros_like(part[name])
    return part

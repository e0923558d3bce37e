"""How likely a model finds each of a few short answers: multiple choice without generation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from corgi_gym.agents.batches import longest_first
from corgi_gym.agents.logps import check_head, chosen_logps

# Tokens of one pass at most (padding counts), which bounds its memory.
_PASS_TOKENS = 4096


@torch.no_grad()
def label_shares(
    model: Any, prompts: Sequence[Sequence[int]], labels: Sequence[Sequence[int]]
) -> list[list[float]]:
    """Probability of each label as the next tokens, normalised over the labels.

    A label of several tokens counts with the product of their probabilities; where each is one
    token, this is the next-token distribution restricted to the labels.

    Args:
        model: A causal language model; taken as it is (bf16 autocast, as in training).
        prompts: Token ids, each ready for a reply.
        labels: Token ids, at least one each.

    Returns:
        Per prompt a list with one share per label, which sum to 1.

    Raises:
        ValueError: For an empty label, and a model of which `check_head` says no.
    """
    check_head(model)
    if not all(labels):
        raise ValueError("every label needs at least one token")
    rows = [(p, b) for p in range(len(prompts)) for b in range(len(labels))]
    logps = torch.zeros(len(prompts), len(labels))
    lengths = [len(prompts[p]) + len(labels[b]) for p, b in rows]
    for numbers in longest_first(lengths, _PASS_TOKENS):
        part = [rows[number] for number in numbers]
        for (p, b), value in zip(part, _logps(model, prompts, labels, part), strict=True):
            logps[p, b] = value
    shares: list[list[float]] = logps.softmax(-1).tolist()
    return shares


def _logps(
    model: Any,
    prompts: Sequence[Sequence[int]],
    labels: Sequence[Sequence[int]],
    part: Sequence[tuple[int, int]],
) -> list[float]:
    """Log-prob of each row's label after its prompt. Padding is on the right: it needs no mask."""
    device = next(model.parameters()).device
    ids = [[*prompts[p], *labels[b]] for p, b in part]
    width = max(map(len, ids))
    tokens = torch.tensor([[*row, *[0] * (width - len(row))] for row in ids], device=device)
    wanted = torch.zeros(tokens.shape, dtype=torch.bool, device=device)
    for row, (p, b) in enumerate(part):
        wanted[row, len(prompts[p]) : len(prompts[p]) + len(labels[b])] = True
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    with torch.autocast(device.type, dtype=torch.bfloat16):
        hidden = plain.base_model(input_ids=tokens, use_cache=False).last_hidden_state
        weight = model.get_output_embeddings().weight
        picked = chosen_logps(hidden[:, :-1][wanted[:, 1:]], weight, tokens[wanted])[0]
    return [float(values.sum()) for values in picked.split([len(labels[b]) for _, b in part])]

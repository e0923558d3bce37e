"""One token for each row of logits; each row has its own temperature, nucleus and random number."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from corgi_gym.agents.engines.base import Sampling


def sample(
    logits: Tensor, samplings: Sequence[Sampling], uniforms: Tensor
) -> tuple[list[int], list[float]]:
    """Sample by inverting the distribution function: one uniform number decides one token.

    Args:
        logits: Shape (rows, vocabulary).
        samplings: One per row.
        uniforms: Shape (rows,), in [0, 1).

    Returns:
        The tokens, and their log-probs (nats) under the distribution they were sampled from
        (greedy rows: under temperature 1).

    Example:
        >>> logits = torch.tensor([[0.0, 3.0, 1.0], [0.0, 3.0, 1.0]])
        >>> sample(logits, [Sampling(temperature=0.0), Sampling()], torch.tensor([0.0, 0.99]))[0]
        [1, 2]
    """
    temperatures = torch.tensor([s.temperature or 1.0 for s in samplings], device=logits.device)
    logprobs = (logits.float() / temperatures[:, None]).log_softmax(-1)
    for row, sampling in enumerate(samplings):
        if sampling.top_p < 1 and sampling.temperature > 0:
            logprobs[row] = _nucleus(logprobs[row], sampling.top_p)
    total = logprobs.exp().cumsum(-1)
    # scaled by the row's total, which float32 sums to almost one
    everything = total[:, -1:].contiguous()
    chosen = torch.searchsorted(total, uniforms.to(total)[:, None] * everything, right=True)
    # rounding can reach the total itself, behind which there is no token
    chosen = chosen.minimum(torch.searchsorted(total, everything))[:, 0]
    chosen.clamp_(max=logits.shape[1] - 1)  # of a row that is not numbers: its log-prob says so
    greedy = torch.tensor([s.temperature == 0 for s in samplings], device=logits.device)
    chosen = torch.where(greedy, logprobs.argmax(-1), chosen)
    return chosen.tolist(), logprobs.gather(1, chosen[:, None])[:, 0].tolist()


def _nucleus(logprobs: Tensor, top_p: float) -> Tensor:
    """The most likely tokens that together have at least ``top_p``, shape (vocabulary,)."""
    ordered, order = logprobs.exp().sort(descending=True)
    outside = ordered.cumsum(-1) - ordered >= top_p
    logprobs[order[outside]] = -torch.inf
    return logprobs.log_softmax(-1)

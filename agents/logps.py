"""Log-probabilities of chosen tokens, and nothing else.

A session's tokens are mostly prompts and feedback, which carry no loss. So the head, the largest
matrix of a small model, is applied to the positions that predict a model token only, and the
softmax over the vocabulary is recomputed in the backward pass instead of being kept.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.cpu import fast_attention

# Rows of float32 logits worked on at once: 128 x 49152 are 25 MB, which stay in cache and below the
# size from which the allocator maps fresh pages for every tensor.
_TILE = 128
# Rows whose gradients go through one pair of matrix products.
_BLOCK = 1024

# What some models do to their logits after the output matrix.
_LOGIT_CHANGES = (
    "final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier",
    "output_multiplier",
)  # fmt: skip


class _ChosenLogps(torch.autograd.Function):
    """Log-prob of one token per row, and the entropy of each row's distribution (no gradient)."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, chosen: Tensor, temperature: float
    ) -> Any:
        logps = hidden.new_empty(len(chosen), dtype=torch.float32)
        entropy = torch.empty_like(logps)
        log_z = torch.empty_like(logps)
        for part in _tiles(len(chosen), _TILE):
            logits = _logits(hidden[part], weight, temperature)
            peak = logits.amax(-1, keepdim=True)
            logits -= peak
            picked = logits.gather(-1, chosen[part, None])[:, 0]
            probs = logits.exp()
            total = probs.sum(-1)
            log_total = total.log()
            logps[part] = picked - log_total
            entropy[part] = log_total - probs.mul_(logits).sum(-1) / total
            log_z[part] = peak[:, 0] + log_total
        ctx.save_for_backward(hidden, weight, chosen, log_z)
        ctx.temperature = temperature
        ctx.mark_non_differentiable(entropy)
        return logps, entropy

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> Any:
        hidden, weight, chosen, log_z = ctx.saved_tensors
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight, dtype=torch.float32)
        for block in _tiles(len(chosen), _BLOCK):
            rows = hidden[block]
            grad_logits = torch.empty(
                len(rows), len(weight), dtype=weight.dtype, device=weight.device
            )
            for tile in _tiles(len(rows), _TILE):
                probs = _logits(rows[tile], weight, ctx.temperature)
                probs.sub_(log_z[block][tile, None]).exp_()
                scale = (grad[block][tile] / ctx.temperature)[:, None]
                probs.mul_(-scale).scatter_add_(1, chosen[block][tile, None], scale)
                grad_logits[tile] = probs
            grad_hidden[block] = grad_logits @ weight
            grad_weight += grad_logits.t() @ rows
        return grad_hidden, grad_weight.to(weight.dtype), None, None


def _tiles(rows: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


def _logits(hidden: Tensor, weight: Tensor, temperature: float) -> Tensor:
    """Float32 logits of some rows."""
    logits = (hidden @ weight.t()).float()
    return logits if temperature == 1.0 else logits.mul_(1.0 / temperature)


def chosen_logps(
    hidden: Tensor, weight: Tensor, chosen: Tensor, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Log-probs of ``chosen`` under softmax(hidden @ weight.T / temperature), and the entropies.

    Args:
        hidden: Shape (N, H).
        weight: Shape (V, H).
        chosen: Token ids, shape (N,).
        temperature: Positive.

    Returns:
        Two float32 tensors of shape (N,): natural log-probs, and entropies in nats.
    """
    if torch.is_autocast_enabled(hidden.device.type):
        dtype = torch.get_autocast_dtype(hidden.device.type)
        hidden, weight = hidden.to(dtype), weight.to(dtype)
    return _ChosenLogps.apply(hidden, weight, chosen, temperature)


def add_chosen_head(model: Any, temperature: float) -> None:
    """Teach ``model`` one more call: ``model(input_ids, score_mask=mask)``.

    It returns ``(logps, entropies)``, float32 of shape (B, L), of the tokens of ``input_ids``
    where the mask is set and 0 elsewhere. Rows are padded on the *right*: a causal model then needs
    no attention mask. It is a call of ``model`` so that DDP, FSDP and PEFT wrap it as any other.

    Raises:
        ValueError: For a model whose logits are not a plain product with its output matrix.
    """
    head = model.get_output_embeddings()
    if getattr(head, "bias", None) is not None or any(
        getattr(model.config.get_text_config(), name, None) not in (None, 1, 1.0)
        for name in _LOGIT_CHANGES
    ):
        raise ValueError(
            f"{type(model).__name__} changes its logits after the output matrix (a bias, a scale "
            "or a soft cap), which is not supported: its log-probs would be wrong"
        )
    original = model.forward

    def forward(
        self: Any, input_ids: Tensor | None = None, score_mask: Tensor | None = None, **kwargs: Any
    ) -> Any:
        if score_mask is None:
            return original(input_ids=input_ids, **kwargs)
        with fast_attention(self):
            hidden = self.base_model(input_ids=input_ids, use_cache=False).last_hidden_state
        wanted = score_mask[:, 1:].bool()
        picked = input_ids[:, 1:][wanted]
        head = self.get_output_embeddings()
        logps, entropy = chosen_logps(hidden[:, :-1][wanted], head.weight, picked, temperature)
        zeros = logps.new_zeros(input_ids.shape)
        place = torch.nn.functional.pad(wanted, (1, 0))
        return zeros.masked_scatter(place, logps), zeros.masked_scatter(place, entropy)

    model.forward = types.MethodType(forward, model)

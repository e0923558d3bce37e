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

# Rows of logits held at once: 1024 x 49152 float32 is 200 MB, and larger tiles were not faster.
_TILE = 1024

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
        for start in range(0, len(chosen), _TILE):
            part = slice(start, start + _TILE)
            logits = (hidden[part] @ weight.t()).float().div_(temperature)
            log_z[part] = logits.logsumexp(-1)
            picked = logits.gather(-1, chosen[part, None])[:, 0]
            logps[part] = picked - log_z[part]
            probs = (logits - log_z[part, None]).exp_()
            entropy[part] = log_z[part] - torch.einsum("nv,nv->n", probs, logits)
        ctx.save_for_backward(hidden, weight, chosen, log_z)
        ctx.temperature = temperature
        ctx.mark_non_differentiable(entropy)
        return logps, entropy

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> Any:
        hidden, weight, chosen, log_z = ctx.saved_tensors
        grad_hidden = torch.empty_like(hidden)
        grad_weight = torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, len(chosen), _TILE):
            part = slice(start, start + _TILE)
            logits = (hidden[part] @ weight.t()).float().div_(ctx.temperature)
            scale = (grad[part] / ctx.temperature)[:, None]
            grad_logits = (logits - log_z[part, None]).exp_().mul_(-scale)
            grad_logits.scatter_add_(1, chosen[part, None], scale)
            grad_logits = grad_logits.to(weight.dtype)
            grad_hidden[part] = grad_logits @ weight
            grad_weight += grad_logits.t() @ hidden[part]
        return grad_hidden, grad_weight.to(weight.dtype), None, None


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
        hidden = self.base_model(input_ids=input_ids, use_cache=False).last_hidden_state
        wanted = score_mask[:, 1:].bool()
        picked = input_ids[:, 1:][wanted]
        head = self.get_output_embeddings()
        logps, entropy = chosen_logps(hidden[:, :-1][wanted], head.weight, picked, temperature)
        zeros = logps.new_zeros(input_ids.shape)
        place = torch.nn.functional.pad(wanted, (1, 0))
        return zeros.masked_scatter(place, logps), zeros.masked_scatter(place, entropy)

    model.forward = types.MethodType(forward, model)

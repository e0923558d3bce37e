"""Log-probabilities of chosen tokens, and nothing else.

A session's tokens are mostly prompts and feedback, which carry no loss. So the head, the largest
matrix of a small model, is applied to the positions that predict a model token only, and the
softmax over the vocabulary is recomputed in the backward pass instead of being kept.
"""

from __future__ import annotations

import types
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.cpu import LONGEST
from corgi_gym.agents.cpu_layers import fast_layers
from corgi_gym.agents.prefixes import Layout, shared_layout

# Rows of float32 logits worked on at once: 16 x 49152 are 3 MB, which a core's own cache holds. A
# GPU needs more to be busy.
_TILE, _GPU_TILE = 16, 128
# Rows that go through one product with the output matrix: each product packs all of it anew, and
# adds to all of its gradient, which few rows do not repay.
_BLOCK = 2048

# What some models do to their logits after the output matrix.
_LOGIT_CHANGES = (
    "final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier",
    "output_multiplier",
)  # fmt: skip


class _ChosenLogps(torch.autograd.Function):
    """Log-prob of one token per row, and the entropy of each row's distribution."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, chosen: Tensor, temperature: float
    ) -> Any:
        logps = hidden.new_empty(len(chosen), dtype=torch.float32)
        entropy = torch.empty_like(logps)
        for block in _tiles(len(chosen), _BLOCK):
            logits = hidden[block] @ weight.t()
            for tile in _tiles(len(logits), _tile_of(hidden)):
                rows = slice(block.start + tile.start, block.start + tile.start + len(logits[tile]))
                log_probs = _float(logits[tile], temperature).log_softmax(-1)
                logps[rows] = log_probs.gather(-1, chosen[rows, None])[:, 0]
                entropy[rows] = log_probs.exp().mul_(log_probs).sum(-1).neg_()
        ctx.save_for_backward(hidden, weight, chosen)
        ctx.temperature = temperature
        ctx.set_materialize_grads(False)  # an entropy that no loss uses costs nothing
        return logps, entropy

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, of_entropy: Tensor | None) -> Any:
        hidden, weight, chosen = ctx.saved_tensors
        if grad is None:
            grad = torch.zeros(len(chosen), device=hidden.device)
        with _gathered(weight):
            return _gradients(grad, of_entropy, hidden, weight, chosen, ctx.temperature)


def _gradients(
    grad: Tensor,
    of_entropy: Tensor | None,
    hidden: Tensor,
    weight: Tensor,
    chosen: Tensor,
    temperature: float,
) -> Any:
    """Gradients of the four arguments of `_ChosenLogps`.

    With p the softmax and T the temperature, that of a log-prob by the logits is (1 - p) / T at the
    chosen token and -p / T elsewhere, that of an entropy H is -p (log p + H) / T.
    """
    grad_hidden = torch.empty_like(hidden)
    grad_weight = torch.zeros_like(weight, dtype=torch.float32)
    for block in _tiles(len(chosen), _BLOCK):
        rows = hidden[block]
        logits = rows @ weight.t()  # overwritten by their gradient, tile by tile
        for tile in _tiles(len(rows), _tile_of(rows)):
            scale = (grad[block][tile] / temperature)[:, None]
            probs = _float(logits[tile], temperature).softmax(-1)
            change = None
            if of_entropy is not None:
                change = _entropy_gradient(probs, of_entropy[block][tile] / temperature)
            probs.mul_(-scale).scatter_add_(1, chosen[block][tile, None], scale)
            logits[tile] = probs if change is None else probs + change
        grad_hidden[block] = logits @ weight
        grad_weight += logits.t() @ rows
    return grad_hidden, grad_weight.to(weight.dtype), None, None


def _entropy_gradient(probs: Tensor, scale: Tensor) -> Tensor:
    """-p (log p + H) times ``scale``, row by row; 0 where p is 0."""
    log_probs = probs.clamp_min(torch.finfo(probs.dtype).tiny).log()
    entropy = -(probs * log_probs).sum(-1, keepdim=True)
    return probs * (log_probs + entropy) * -scale[:, None]


def _gathered(weight: Tensor) -> AbstractContextManager[Any]:
    """A whole output matrix under DeepSpeed ZeRO-3, whose hooks see the calls of modules only."""
    if not hasattr(weight, "ds_status"):
        return nullcontext()
    from trl.trainer.utils import maybe_gather_lm_head_ctx

    return maybe_gather_lm_head_ctx(weight)


def _tiles(rows: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


def _tile_of(x: Tensor) -> int:
    return _TILE if x.device.type == "cpu" else _GPU_TILE


def _float(logits: Tensor, temperature: float) -> Tensor:
    """Float32 logits over the temperature."""
    logits = logits.float()
    return logits if temperature == 1.0 else logits * (1.0 / temperature)


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


def _layout(ids: Tensor, wanted: Tensor) -> Layout | None:
    """How tokens are shared by the rows of a pass, where fast layers can take them."""
    if ids.device.type != "cpu" or ids.shape[1] > LONGEST or not torch.is_grad_enabled():
        return None
    return shared_layout(ids, wanted)


def check_head(model: Any) -> None:
    """Check that the logits of a model are a plain product with its output matrix.

    Raises:
        ValueError: If they are not; log-probs from `chosen_logps` would be wrong.
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


def add_chosen_head(model: Any, temperature: float) -> None:
    """Teach ``model`` one more call: ``model(input_ids, score_mask=mask)``.

    It returns ``(logps, entropies)``, float32 of shape (B, L), of the tokens of ``input_ids``
    where the mask is set and 0 elsewhere. Rows are padded on the *right*: a causal model then needs
    no attention mask. Neighbours that begin alike share the work on those tokens where
    `corgi_gym.agents.cpu_layers` can. It is a call of ``model`` so that DDP, FSDP and PEFT wrap it
    as any other.

    Raises:
        ValueError: For a model whose logits are not a plain product with its output matrix.
    """
    check_head(model)
    original = model.forward

    def forward(
        self: Any, input_ids: Tensor | None = None, score_mask: Tensor | None = None, **kwargs: Any
    ) -> Any:
        if score_mask is None:
            return original(input_ids=input_ids, **kwargs)
        with fast_layers(self, _layout(input_ids, score_mask)):
            hidden = self.base_model(input_ids=input_ids, use_cache=False).last_hidden_state
        wanted = score_mask[:, 1:].bool()
        picked = input_ids[:, 1:][wanted]
        weight = self.get_output_embeddings().weight
        with _gathered(weight):
            logps, entropy = chosen_logps(hidden[:, :-1][wanted], weight, picked, temperature)
        zeros = logps.new_zeros(input_ids.shape)
        place = torch.nn.functional.pad(wanted, (1, 0))
        return zeros.masked_scatter(place, logps), zeros.masked_scatter(place, entropy)

    model.forward = types.MethodType(forward, model)

"""Decoder layers of the Llama family on a CPU, each as two functions with their own backward pass.

What PyTorch's autograd does with such a layer under bf16 autocast is mostly not matrix products:
it casts one activation for each product that reads it, keeps every step of a norm, and streams
tensors that no longer fit the cache through memory a dozen times. Here a layer is
``x + attention(norm(x))`` and ``x + feed_forward(norm(x))``, and each half

- casts once, at the same places as autocast: the residual stream and the norms are float32, the
  inputs and outputs of products bf16;
- does what is no product in tiles that stay in the cache;
- keeps the operands of its products for the backward pass and recomputes the rest;
- does all but attention once for tokens that several rows begin with, and not for those after
  which nothing is asked (`corgi_gym.agents.prefixes`).

The layers stay where they are: `fast_layers` lends them another ``forward`` for one pass, and only
where they are exactly what is computed here (no LoRA, hook, bias, mask or cache).
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import silu

from corgi_gym.agents.cpu import LONGEST, attend, attend_backward, fast_attention
from corgi_gym.agents.prefixes import Layout, PackRows, UnpackRows

# Rows of a tile: 256 x 1536 numbers in bf16 are 0.8 MB, of which a few fit a core's second cache.
_TILE = 256


@contextmanager
def fast_layers(model: Any, layout: Layout | None = None) -> Iterator[None]:
    """Within it, forward passes of unpadded causal rows run the halves below, where they can.

    Where layers are not plain, `fast_attention` alone remains; where that cannot be used either
    (see there), nothing changes.

    Args:
        model: A causal language model.
        layout: Of the rows of the one pass that is made within, where tokens are shared: the first
            layer packs them, and the last one makes rows again.
    """
    with fast_attention(model) as usable:
        layers = _plain_layers(model) if usable else []
        layout = None if _hooked(layers) else layout
        for layer in layers:
            last = layer is layers[-1]
            forward = partial(_forward, layout=layout, first=layer is layers[0], last=last)
            layer.forward = types.MethodType(forward, layer)
        try:
            yield
        finally:
            for layer in layers:
                del layer.forward


def shares_prefixes(model: Any) -> bool:
    """Whether a pass with gradients on rows of ``model`` can compute shared tokens once."""
    with torch.enable_grad(), fast_attention(model) as usable:
        layers = _plain_layers(model) if usable else []
    return bool(layers) and not _hooked(layers) and next(model.parameters()).dtype == torch.float32


def _hooked(layers: list[Any]) -> bool:
    """Whether somebody looks at what goes through whole layers, and expects rows there."""
    return any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)


def _plain_layers(model: Any) -> list[Any]:
    """The model's decoder layers if all are Llama's own, with nothing attached; else none."""
    from transformers.activations import SiLUActivation
    from transformers.models.llama import modeling_llama as llama

    if model.config.model_type != "llama" or model.config.attention_dropout:
        return []
    kinds = (
        llama.LlamaDecoderLayer, llama.LlamaAttention, llama.LlamaMLP, llama.LlamaRMSNorm,
        nn.Linear, nn.SiLU, SiLUActivation,
    )  # fmt: skip
    layers = list(model.base_model.layers)
    for layer in layers:
        for module in layer.modules():
            attached = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
            if (
                type(module) not in kinds
                or getattr(module, "bias", None) is not None
                or "forward" in vars(module)
                or (attached and module is not layer)  # a layer's own hooks are called
            ):
                return []
    return layers


def _forward(
    self: Any,
    hidden_states: Tensor,
    attention_mask: Tensor | None = None,
    position_embeddings: tuple[Tensor, Tensor] | None = None,
    past_key_values: Any = None,
    *,
    layout: Layout | None,
    first: bool,
    last: bool,
    **kwargs: Any,
) -> Any:
    """A layer's forward pass; what is not a plain causal pass goes to its own."""
    x, embeddings = hidden_states, position_embeddings
    packed = x.dim() == 2
    plain = packed or (
        attention_mask is None
        and past_key_values is None
        and embeddings is not None
        and len(embeddings[0]) == 1  # the same positions in every row
        and 1 < x.shape[1] <= LONGEST
        and x.dtype == torch.float32
    )
    if not plain or embeddings is None:
        return type(self).forward(
            self, hidden_states, attention_mask=attention_mask, past_key_values=past_key_values,
            position_embeddings=position_embeddings, **kwargs,
        )  # fmt: skip
    if first and layout is not None:
        packed, x = True, PackRows.apply(x, layout)
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    attention, norm = self.self_attn, self.input_layernorm
    weights = (p.weight for p in (attention.q_proj, attention.k_proj, attention.v_proj))
    x = _Attention.apply(
        x, norm.weight, *weights, attention.o_proj.weight, *_half(embeddings),
        norm.variance_epsilon, attention.scaling, attention.head_dim, dtype,
        layout if packed else None,
    )  # fmt: skip
    mlp, norm = self.mlp, self.post_attention_layernorm
    weights = (p.weight for p in (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
    x = _FeedForward.apply(x, norm.weight, *weights, norm.variance_epsilon, dtype)
    return UnpackRows.apply(x, layout) if last and packed else x


# ---------------------------------------------------------------- the two halves


class _Attention(torch.autograd.Function):
    """x + attention(norm(x)) with rotary positions (RoFormer, 3.4.2).

    x has shape (B, L, W), or (N, W) with the layout of its rows.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, norm: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor,
        cos: Tensor, sin: Tensor, eps: float, scale: float, size: int, dtype: torch.dtype,
        layout: Layout | None,
    ) -> Tensor:  # fmt: skip
        batch, length = (layout.batch, layout.length) if layout else x.shape[:2]
        rows = x.reshape(-1, x.shape[-1])
        normed, rstd = _norm(rows, norm, eps, dtype)
        ctx.parts = [len(wq), len(wk), len(wv)]
        turning = (len(wq) + len(wk)) // size  # heads of queries and keys, which positions turn
        w_in, w_out = _joined(wq, wk, wv, dtype=dtype), wo.detach().to(dtype)
        qkv = normed @ w_in.t()
        qkv = layout.rows(qkv) if layout else qkv
        qkv = qkv.view(batch, length, -1, size).transpose(1, 2)
        turned = qkv.new_empty(batch, turning, length, size)
        _rotate(qkv[:, :turning], cos, sin, turned)
        q, k = turned.split([len(wq) // size, len(wk) // size], 1)
        out, saved = attend(q, k, qkv[:, turning:], scale)
        out = out.view(batch * length, -1)
        out = layout.packed(out) if layout else out
        ctx.save_for_backward(rows, norm, rstd, normed, w_in, w_out, cos, sin, out, *saved)
        ctx.scale, ctx.size, ctx.shape, ctx.layout = scale, size, (batch, length), layout
        return x + (out @ w_out.t()).view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, norm, rstd, normed, w_in, w_out, cos, sin, out, *saved = ctx.saved_tensors
        layout, (batch, length) = ctx.layout, ctx.shape
        rows = grad.reshape(x.shape)
        low = rows.to(normed.dtype)
        grad_out = low @ w_out
        grad_out = layout.packed_backward(grad_out) if layout else grad_out
        grad_out = grad_out.view(batch, length, -1, ctx.size)
        grad_q, grad_k, grad_v = attend_backward(grad_out, saved, ctx.scale)
        grad_qkv = normed.new_empty(batch, length, len(w_in) // ctx.size, ctx.size)
        by_head = grad_qkv.transpose(1, 2).split([n // ctx.size for n in ctx.parts], 1)
        _rotate(grad_q, cos, -sin, by_head[0])
        _rotate(grad_k, cos, -sin, by_head[1])
        by_head[2].copy_(grad_v)
        grad_qkv = grad_qkv.view(batch * length, -1)
        grad_qkv = layout.rows_backward(grad_qkv) if layout else grad_qkv
        grad_x, grad_norm = _norm_backward(rows, grad_qkv @ w_in, x, norm, rstd)
        grad_w = (grad_qkv.t() @ normed).float().split(ctx.parts)
        return grad_x.view_as(grad), grad_norm, *grad_w, (low.t() @ out).float(), *[None] * 7


class _FeedForward(torch.autograd.Function):
    """x + down(silu(gate(norm(x))) * up(norm(x))) (arXiv 2002.05202)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, norm: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor,
        eps: float, dtype: torch.dtype,
    ) -> Tensor:  # fmt: skip
        rows = x.reshape(-1, x.shape[-1])
        normed, rstd = _norm(rows, norm, eps, dtype)
        w_gate, w_up, w_down = (w.detach().to(dtype) for w in (w_gate, w_up, w_down))
        # two products: as one, of twice the width, they were no faster and their backward slower
        gate, up = normed @ w_gate.t(), normed @ w_up.t()
        act = torch.empty_like(gate)
        for t in _tiles(gate):
            torch.mul(silu(gate[t]), up[t], out=act[t])
        ctx.save_for_backward(rows, norm, rstd, normed, w_gate, w_up, w_down, gate, up, act)
        return x + (act @ w_down.t()).view_as(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, norm, rstd, normed, w_gate, w_up, w_down, gate, up, act = ctx.saved_tensors
        rows = grad.reshape(x.shape)
        low = rows.to(normed.dtype)
        grad_up = low @ w_down  # of the activation, and of up when its tile is done
        grad_gate = torch.empty_like(gate)
        for t in _tiles(gate):
            g = grad_up[t]
            torch.ops.aten.silu_backward.grad_input(g * up[t], gate[t], grad_input=grad_gate[t])
            g.mul_(silu(gate[t]))
        # transposed by a copy: the product itself is slow where the wider side comes transposed
        grad_down = low.t().contiguous() @ act
        grad_normed = (grad_gate @ w_gate).addmm_(grad_up, w_up)
        grad_x, grad_norm = _norm_backward(rows, grad_normed, x, norm, rstd)
        grad_w = (grad_gate.t() @ normed, grad_up.t() @ normed, grad_down)
        return grad_x.view_as(grad), grad_norm, *(g.float() for g in grad_w), None, None


# ---------------------------------------------------------------- what is no product


def _tiles(x: Tensor) -> list[slice]:
    return [slice(start, start + _TILE) for start in range(0, len(x), _TILE)]


def _joined(*weights: Tensor, dtype: torch.dtype) -> Tensor:
    """Matrices above each other, cast on the way."""
    out = torch.empty(sum(map(len, weights)), weights[0].shape[1], dtype=dtype)
    for part, weight in zip(out.split([len(w) for w in weights]), weights, strict=True):
        part.copy_(weight.detach())
    return out


def _norm(x: Tensor, weight: Tensor, eps: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """RMS norm (arXiv 1910.07467) of rows, rounded to ``dtype``, and 1 / the rows' sizes."""
    mean = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
    rstd = mean.add_(eps).rsqrt_()
    out = torch.empty(x.shape, dtype=dtype)
    for t in _tiles(x):
        out[t] = (x[t] * rstd[t]).mul_(weight)
    return out, rstd


def _norm_backward(
    grad: Tensor, grad_normed: Tensor, x: Tensor, weight: Tensor, rstd: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of x and of the norm's weight, where x also reaches the output past the norm.

    With g = grad_normed · weight and r = rstd: grad + r g - r³ x mean(g x), row by row.
    """
    grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(weight)
    for t in _tiles(x):
        g = grad_normed[t].float()
        product = g * x[t]
        grad_weight += (rstd[t].t() @ product)[0]
        mean = (product @ weight)[:, None] / x.shape[-1]
        tile = torch.addcmul(grad[t], g.mul_(weight), rstd[t], out=grad_x[t])
        tile.addcmul_(x[t], mean.mul_(rstd[t].pow(3)), value=-1)
    return grad_x, grad_weight


def _half(embeddings: tuple[Tensor, Tensor]) -> list[Tensor]:
    """Cosines and sines, shape (L, D / 2): transformers keeps each twice."""
    return [e[0, :, : e.shape[-1] // 2].float().contiguous() for e in embeddings]


def _rotate(x: Tensor, cos: Tensor, sin: Tensor, out: Tensor) -> None:
    """Turn the pairs (i, i + D / 2) of x, shape (B, heads, L, D), into ``out``."""
    step = max(1, 2 * _TILE // x.shape[2])
    for i in range(0, len(x), step):
        a, b = x[i : i + step].float().chunk(2, -1)
        first, second = out[i : i + step].chunk(2, -1)
        first.copy_((a * cos).addcmul_(b, sin, value=-1))
        second.copy_((b * cos).addcmul_(a, sin))

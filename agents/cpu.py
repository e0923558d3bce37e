"""What makes a training step fast on a CPU, where PyTorch's own kernels are made for other uses.

`benchmarks/throughput/training.py` measures a whole step. Most of the gain is the first:

- `keep_freed_memory`: tensors of many megabytes are mapped anew from the system by default, and
  each fresh page costs a fault; kept in the heap, they are used again.
- `causal_attention`: at a few hundred tokens the blocked kernel behind ``sdpa`` is slow backward.
  Plain products over query blocks, with heads that share keys as one product and without the half
  above the diagonal, take less than half of its time.

`agents/cpu_layers.py` has the decoder layers of Llama models. What was tried and left out: a
residual stream in bf16 under autocast, as vLLM has it, is faster, but doubles the error of the
gradients, and the quickstart collapsed with it: its entropy fell without any gain in reward (one
seed).
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ATTENTION = "causal_cpu"
# Families whose attention is softmax(q k' / sqrt(d)) v and nothing else.
_PLAIN_ATTENTION = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
# Queries per block: the blocks above the diagonal are left out, small ones multiply badly.
_QUERIES = 96
# The probabilities are kept for the backward pass, which is too much memory for long rows.
LONGEST = 1024
# mallopt's parameters (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_KEEP_ALL = 2**31 - 1
# oneDNN keeps a compiled product for each shape it has met, and PyTorch's layer above it a second
# record: 1,024 of each by default. Replies differ in length, so nearly every micro-batch has new
# shapes, and 100 rounds of a tiny model grew by 420 MB. One micro-batch needs some 30 (each layer
# has the same).
_KEPT_PRODUCTS = "64"
_PRODUCT_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


def keep_few_products() -> None:
    """Bound the products that are kept compiled, unless the environment says how many.

    Both libraries read it at the first product of the process: call this before any model.
    """
    for name in _PRODUCT_CACHES:
        os.environ.setdefault(name, _KEPT_PRODUCTS)


def repeat_products() -> None:
    """Let equal float32 products give equal bits, unless the environment says how they are made.

    MKL chooses among its kernels by where in memory a matrix lies, so that on some processors (an
    AMD EPYC) two runs of one training differ in the last bits, and a resumed run is no longer the
    one that was not interrupted. It reads this at its first product: call it before any model.
    """
    os.environ.setdefault("MKL_CBWR", "AUTO")


def keep_freed_memory() -> bool:
    """Let the C allocator use freed blocks again instead of returning them to the system.

    The process then stays as large as it once was. ``CORGI_GYM_KEEP_MEMORY=0`` leaves the allocator
    as it is.

    Returns:
        Whether it was done: it needs glibc.
    """
    if os.environ.get("CORGI_GYM_KEEP_MEMORY") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_M_MMAP_MAX, 0) and libc.mallopt(_M_TRIM_THRESHOLD, _KEEP_ALL))


# ---------------------------------------------------------------- attention


@contextmanager
def fast_attention(model: Any) -> Iterator[bool]:
    """Within it, a forward pass of unpadded causal rows uses `causal_attention`, where it can.

    The value says whether it can.

    Not for the whole life of the model: engines that share it prepare their masks for the attention
    that it was loaded with. Not with gradient checkpointing: its second forward pass would come
    after the end of this block and find another attention.
    """
    config = model.config
    usable = (
        config.model_type in _PLAIN_ATTENTION
        and next(model.parameters()).device.type == "cpu"
        and torch.is_grad_enabled()
        and not model.is_gradient_checkpointing
    )
    if not usable:
        yield False
        return
    _register_attention()
    before = config._attn_implementation
    config._attn_implementation = ATTENTION
    try:
        yield True
    finally:
        config._attn_implementation = before


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> tuple[Tensor, list[Tensor]]:
    """softmax(scale q k' + causal mask) v by blocks of queries.

    Args:
        q: Shape (B, H, L, D).
        k: Shape (B, K, L, D), where K divides H: that many query heads share a key head.
        v: As ``k``.
        scale: Of the scores.

    Returns:
        The output, shape (B, L, H, D), and what `attend_backward` needs.
    """
    batch, heads, length, size = q.shape
    shared = k.shape[1]
    group = heads // shared
    k, v = k.reshape(-1, length, size), v.reshape(-1, length, size)
    q = q.unflatten(1, (shared, group))
    out = q.new_empty(batch, length, shared, group, size)
    saved = [k, v]
    for start, end in _blocks(length):
        queries = q[:, :, :, start:end].reshape(len(k), -1, size)
        mask = q.new_full((end - start, end), -torch.inf).triu(start + 1).repeat(group, 1)
        scores = torch.baddbmm(mask, queries, k[:, :end].transpose(1, 2), alpha=scale)
        probs = scores.softmax(-1)
        block = (probs @ v[:, :end]).view(batch, shared, group, end - start, size)
        out[:, start:end] = block.permute(0, 3, 1, 2, 4)
        saved += [queries, probs]
    return out.flatten(2, 3), saved


def attend_backward(grad: Tensor, saved: list[Tensor], scale: float) -> tuple[Tensor, ...]:
    """Gradients of q, k and v in `attend`, of their shapes, from that of its output."""
    k, v, *blocks = saved
    batch, length, heads, size = grad.shape
    shared = len(k) // batch
    grad = grad.unflatten(2, (shared, -1))
    grad_q = k.new_empty(batch, shared, heads // shared, length, size)
    grad_k, grad_v = torch.zeros_like(k), torch.zeros_like(v)
    for (start, end), queries, probs in zip(
        _blocks(length), blocks[::2], blocks[1::2], strict=True
    ):
        grad_out = grad[:, start:end].permute(0, 2, 3, 1, 4).reshape(len(k), -1, size)
        grad_v[:, :end] += probs.transpose(1, 2) @ grad_out
        grad_probs = grad_out @ v[:, :end].transpose(1, 2)
        grad_scores = torch._softmax_backward_data(grad_probs, probs, -1, probs.dtype)
        grad_scores.mul_(scale)
        block = (grad_scores @ k[:, :end]).view(batch, shared, -1, end - start, size)
        grad_q[:, :, :, start:end] = block
        grad_k[:, :end] += grad_scores.transpose(1, 2) @ queries
    by_head = (batch, shared, length, size)
    return grad_q.flatten(1, 2), grad_k.view(by_head), grad_v.view(by_head)


class _CausalAttention(torch.autograd.Function):
    """`attend`, differentiable."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        out, saved = attend(q, k, v, scale)
        ctx.save_for_backward(*saved)
        ctx.scale = scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        return *attend_backward(grad, list(ctx.saved_tensors), ctx.scale), None


def _blocks(length: int) -> list[tuple[int, int]]:
    return [(start, min(start + _QUERIES, length)) for start in range(0, length, _QUERIES)]


def causal_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """An attention function of transformers; everything but plain causal rows goes to ``sdpa``.

    Args:
        module: The attention layer.
        query: Shape (B, H, L, D).
        key: Shape (B, K, L, D), where K divides H.
        value: As ``key``.
        attention_mask: None where rows are plain causal.
        scaling: Of the scores; 1 / sqrt(D) by default.
        dropout: Of the probabilities.
        **kwargs: Passed on.

    Returns:
        The output, shape (B, L, H, D), and None in place of the weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    length = query.shape[2]
    plain = attention_mask is None and dropout == 0.0 and length == key.shape[2] and length > 1
    if not plain or length > LONGEST:
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else query.dtype
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return _CausalAttention.apply(query.to(dtype), key.to(dtype), value.to(dtype), scale), None


def _register_attention() -> None:
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register(ATTENTION, causal_attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, sdpa_mask)

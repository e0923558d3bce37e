"""Tokens that several rows begin with, computed once.

The sessions of a group answer one task (GRPO, arXiv 2402.03300, samples a group per prompt), so
their rows begin with the same prompt. In a causal model what is computed for a token depends on the
tokens before it alone, and is the same in all these rows. A `Layout` keeps each such token once,
together with the tokens of all rows after which something is asked: the *packed* form, on which all
but attention works. Attention gets rows again, with the shared keys and values copied into each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

# Packed tokens, of all in the rows, from which the copies for attention cost more than is saved.
_WORTH = 0.95


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of B rows of length L are among N packed ones.

    Attributes:
        batch: B.
        length: L.
        shared: For each row, how many of its first tokens are those of the row before.
        where: The packed place of each token, shape (B * L,); 0 where nothing is asked.
        owned: The place in the rows of each packed token, shape (N,).
        held: The packed place of each token that is kept in its own row, else N; shape (B * L,).
    """

    batch: int
    length: int
    shared: list[int]
    where: Tensor
    owned: Tensor
    held: Tensor

    def rows(self, packed: Tensor) -> Tensor:
        """Shape (N, ...) to (B * L, ...)."""
        return packed.index_select(0, self.where)

    def packed(self, rows: Tensor) -> Tensor:
        """Shape (B * L, ...) to (N, ...), each token from the row that keeps it."""
        return rows.index_select(0, self.owned)

    def packed_backward(self, grad: Tensor) -> Tensor:
        """The gradient of the argument of `packed`: zero in the tokens that it left out."""
        return pad(grad, (0, 0) * (grad.dim() - 1) + (0, 1)).index_select(0, self.held)

    def rows_backward(self, grad: Tensor) -> Tensor:
        """The gradient of the argument of `rows`: that of a token is summed over its rows.

        The places where nothing is asked must have none. ``grad`` is overwritten.
        """
        rows = grad.view(self.batch, self.length, -1)
        if most := max(self.shared):
            sums = rows[:, :most].float()
            for i in range(self.batch - 1, 0, -1):
                sums[i - 1, : self.shared[i]] += sums[i, : self.shared[i]]
            rows[:, :most] = sums
        return self.packed(grad)


def shared_layout(ids: Tensor, wanted: Tensor) -> Layout | None:
    """The layout of rows, if it is worth its copies.

    Only rows that are neighbours share.

    Args:
        ids: Token ids, shape (B, L), padded on the right.
        wanted: Which tokens a log-prob is asked of, shape (B, L): what comes after the state in
            which the last of them is chosen is not computed.
    """
    batch, length = ids.shape
    place = torch.arange(length, device=ids.device)
    ends = (wanted.bool() * place).amax(1)
    same = (ids[1:] == ids[:-1]).long().cumprod(1).sum(1)
    shared = torch.minimum(same, torch.minimum(ends[1:], ends[:-1]))
    shared = torch.cat([shared.new_zeros(1), shared])
    owned = (place >= shared[:, None]) & (place < ends[:, None])
    count = int(owned.sum())
    if not 0 < count <= _WORTH * batch * length:
        return None
    held = torch.where(owned, owned.flatten().cumsum(0).view_as(owned) - 1, count)
    where = torch.where(owned, held, 0)
    for i, n in enumerate(counts := shared.tolist()):
        where[i, :n] = where[i - 1, :n]
    return Layout(
        batch, length, counts, where.flatten(), owned.flatten().nonzero()[:, 0], held.flatten()
    )


class PackRows(torch.autograd.Function):
    """Rows, shape (B, L, W), to packed tokens, shape (N, W)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layout: Layout) -> Tensor:
        """As `torch.autograd.Function` has it."""
        ctx.layout = layout
        return layout.packed(x.flatten(0, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        """As `torch.autograd.Function` has it."""
        layout = ctx.layout
        return layout.packed_backward(grad).view(layout.batch, layout.length, -1), None


class UnpackRows(torch.autograd.Function):
    """Packed tokens, shape (N, W), to rows, shape (B, L, W)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layout: Layout) -> Tensor:
        """As `torch.autograd.Function` has it."""
        ctx.layout = layout
        return layout.rows(x).view(layout.batch, layout.length, -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        """As `torch.autograd.Function` has it."""
        return ctx.layout.rows_backward(grad.flatten(0, 1).clone()), None

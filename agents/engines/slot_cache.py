"""`SlotCache`: keys and values of many conversations, each in a slot of its own.

A transformers cache holds a batch that begins and ends together. Here every slot has its own
length: a token at position ``p`` of a conversation lies in column ``p`` of its slot, without
padding, and a forward pass names the slots and columns that it writes. So a slot is filled again
as soon as its reply has ended, and a conversation goes on where it was left.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

# Columns are added in steps of this many tokens.
_STEP = 64
# Kinds of layers (`layer_types` of a model's configuration) whose past is keys and values.
_KINDS = ("full_attention", "sliding_attention")
_ATTENTION = ("eager", "sdpa")


class _View:
    """What a forward pass writes and reads; shared by all layers."""

    slots: int = 0
    columns: int = 0  # and one more, for what padding writes
    rows: Tensor
    places: Tensor
    read: slice | Tensor
    width: int


class _SlotLayer(DynamicLayer):
    """Keys and values of one layer, each of shape (slots, heads, columns + 1, head size)."""

    def __init__(self, view: _View) -> None:
        super().__init__()
        self.view = view

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write new keys and values of shape (rows, heads, tokens, head size); returns all."""
        view = self.view
        if not self.is_initialized:
            self.is_initialized = True
            self.keys, self.values = self._sized(key_states), self._sized(value_states)
        for store, new in ((self.keys, key_states), (self.values, value_states)):
            store[view.rows[:, None], :, view.places] = new.transpose(1, 2)
        return self.keys[view.read][:, :, : view.width], self.values[view.read][:, :, : view.width]

    def _sized(self, like: Tensor) -> Tensor:
        """Zeros of the size of the store, with the heads of ``like``."""
        return like.new_zeros(self.view.slots, like.shape[1], self.view.columns + 1, like.shape[3])

    def grow(self) -> None:
        """Take the size that ``view`` now has."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = self._sized(old)
            new[: old.shape[0], :, : old.shape[2] - 1] = old[:, :, :-1]
            setattr(self, name, new)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` columns of a slot to another one."""
        for store in (self.keys, self.values):
            store[target, :, :length] = store[source, :, :length]


class SlotCache(Cache):
    """A cache of slots for one model.

    Args:
        model: A causal language model with ``eager`` or ``sdpa`` attention.
        most: Slots at most.

    Raises:
        ValueError: If the model's layers or its attention cannot be kept in slots.
    """

    def __init__(self, model: Any, most: int) -> None:
        config = model.config.get_text_config(decoder=True)
        kinds = set(getattr(config, "layer_types", None) or ()) - set(_KINDS)
        attention = config._attn_implementation
        if kinds or attention not in _ATTENTION:
            what = f"{sorted(kinds)} layers" if kinds else f"attention {attention!r}"
            raise ValueError(
                f"the 'transformers' engine cannot generate with {what}: load the model with "
                f"attn_implementation='sdpa', or use engine='vllm'"
            )
        self._view = _View()
        super().__init__(layer_class_to_replicate=partial(_SlotLayer, self._view))
        self._device, self._dtype, self._most = model.device, model.dtype, most
        # a longer conversation would need another mask in these layers
        sliding = not hasattr(config, "layer_types") or "sliding_attention" in config.layer_types
        self.window: int | None = getattr(config, "sliding_window", None) if sliding else None

    def reserve(self, slots: int, columns: int) -> None:
        """Have room for that many slots and tokens; never shrinks."""
        view = self._view
        if slots > view.slots:  # twice as many, so that a growing crowd is not copied every time
            slots = min(max(slots, 2 * view.slots), self._most)
        columns = -(-columns // _STEP) * _STEP
        if slots > view.slots or columns > view.columns:
            view.slots, view.columns = max(slots, view.slots), max(columns, view.columns)
            for layer in self.layers:
                layer.grow()

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first ``length`` tokens of a slot to another one."""
        for layer in self.layers:
            layer.copy(source, target, length)

    def inputs(self, rows: list[int], starts: list[int], tokens: list[list[int]]) -> dict[str, Any]:
        """Arguments of a forward pass that appends tokens to slots.

        Args:
            rows: Slots, each once.
            starts: Position of the first new token in each.
            tokens: The new tokens of each, at least one; shorter ones are padded on the left, so
                that the last column is the last token of all.
        """
        view, longest = self._view, max(map(len, tokens))
        padded = [[0] * (longest - len(t)) + t for t in tokens]
        places = torch.tensor(
            [
                [view.columns] * (longest - len(t)) + list(range(start, start + len(t)))
                for start, t in zip(starts, tokens, strict=True)
            ]
        )
        view.width = max(start + len(t) for start, t in zip(starts, tokens, strict=True))
        contiguous = rows == list(range(len(rows)))
        view.rows = torch.tensor(rows, device=self._device)
        view.read = slice(0, len(rows)) if contiguous else view.rows
        # a token sees the columns up to its own; padding sees all of them, and nobody sees it
        hidden = torch.arange(view.width) > places[:, :, None]
        mask = torch.zeros(hidden.shape, dtype=self._dtype)
        mask.masked_fill_(hidden, torch.finfo(self._dtype).min)
        view.places = places.to(self._device)
        return {
            "input_ids": torch.tensor(padded, device=self._device),
            "attention_mask": mask[:, None].to(self._device),
            "position_ids": torch.where(places < view.columns, places, 0).to(self._device),
            "past_key_values": self,
            "use_cache": True,
        }

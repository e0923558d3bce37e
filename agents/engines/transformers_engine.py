"""Generation with transformers alone: slower than vLLM, and needs nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from corgi_gym.agents.engines.base import (
    BUSY,
    Completion,
    EngineError,
    GenerationRequest,
)
from corgi_gym.agents.engines.sampling import sample
from corgi_gym.agents.engines.slot_cache import SlotCache

# Prompt tokens computed in one pass at most (padding counts), which bounds its memory.
_PREFILL_TOKENS = 4096
# Numbers of each parameter that are looked at to notice new weights.
_SAMPLED = 64


@dataclass(slots=True, eq=False)
class _Slot:
    """A conversation in the cache; ``request`` is None where nothing is generated for it now."""

    number: int
    tokens: list[int] = field(default_factory=list)
    stored: int = 0  # how many of them have keys and values
    used: int = 0  # when a request last took it
    request: GenerationRequest | None = None
    generator: torch.Generator | None = None
    logprobs: list[float] = field(default_factory=list)
    cached: int = 0
    twin: _Slot | None = None  # started together with the same prompt, which it computes for both

    def common(self, ids: Sequence[int]) -> int:
        """How many tokens at the start of ``ids`` have keys and values here."""
        ids = ids[: self.stored]
        if self.tokens[: len(ids)] == ids:
            return len(ids)
        return next(i for i, (a, b) in enumerate(zip(ids, self.tokens, strict=False)) if a != b)

    def completion(self) -> Completion | None:
        """The reply, if it has ended."""
        assert self.request is not None
        sampling, count = self.request.sampling, len(self.logprobs)
        stopped = self.tokens[-1] in sampling.stop_ids
        if not stopped and count < sampling.max_tokens:
            return None
        return Completion(
            self.request.id,
            self.tokens[-count:],
            self.logprobs,
            "stop" if stopped else "length",
            self.cached,
        )


class TransformersEngine:
    """Decodes replies with a transformers model; ``poll`` advances each by one token.

    Continuous: a finished reply's slot is taken by the next request at once. A slot keeps its
    conversation until another request needs it, so the next turn of a session computes its new
    tokens only, and what other conversations have in common with it is copied from them. Attention
    has no padding between tokens, so a reply does not depend on what else runs (up to the noise of
    floating point).

    Args:
        model: A causal language model. The engine uses it as it is: given the trainer's own model,
            ``load_weights`` copies nothing and weights are always in sync.
        max_batch: Replies decoded at once.
        bf16: Compute in bf16 autocast, as the trainer does by default; else as the model is.
    """

    def __init__(self, model: Any, *, max_batch: int = 64, bf16: bool = False) -> None:
        self.model = model
        self.max_batch = max_batch
        self.bf16 = bf16
        self.version = 0
        self._queue: deque[GenerationRequest] = deque()
        self._clock = 0
        self._slots: list[_Slot] = []
        self._seen_weights: list[float] = []
        self._kept: SlotCache | None = None

    @property
    def _cache(self) -> SlotCache:
        """Keys and values, made at the first request."""
        if self._kept is None:
            self._kept = SlotCache(self.model, self.max_batch)
        return self._kept

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request.

        Raises:
            ValueError: If the model's attention cannot be kept in slots, or the conversation can
                exceed its sliding window.
        """
        longest, window = len(request.prompt_ids) + request.sampling.max_tokens, self._cache.window
        if window is not None and longest > window:
            raise ValueError(
                f"a conversation of {longest} tokens exceeds the sliding window of {window} "
                "tokens of this model's attention; lower max_length, or use engine='vllm'"
            )
        self._queue.append(request)

    @torch.no_grad()
    def poll(self) -> list[Completion]:
        """Decode one token for every reply under way, after starting those that have a place.

        Raises:
            EngineError: If the model's output is not numbers.
        """
        if self._queue and not self._active():
            self._notice_new_weights()
        started = self._admit()
        active = self._active()
        if not active:
            return []
        was_training = self.model.training
        if was_training:
            self.model.eval()
        try:
            self._prefill(started)
            logits = self._forward(active, [slot.tokens[slot.stored :] for slot in active])
        finally:
            if was_training:
                self.model.train()
        uniforms = torch.cat([torch.rand(1, generator=slot.generator) for slot in active])
        tokens, logprobs = sample(logits, [slot.request.sampling for slot in active], uniforms)
        if any(value != value for value in logprobs):
            raise EngineError(
                "the model's logits are not numbers: training has diverged, or the weights are "
                "broken (try a lower learning rate)"
            )
        completions = []
        for slot, token, logprob in zip(active, tokens, logprobs, strict=True):
            slot.tokens.append(token)
            slot.logprobs.append(logprob)
            completion = slot.completion()
            if completion is not None:
                slot.request = None
                completions.append(completion)
        return completions

    def cancel(self, ids: Iterable[str]) -> None:
        """Drop requests, whether they wait or are under way."""
        dropped = set(ids)
        self._queue = deque(r for r in self._queue if r.id not in dropped)
        for slot in self._active():
            if slot.request.id in dropped:
                slot.request = None

    def load_weights(self, named_params: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Copy new weights into the model, unless they are the model's own; forget the past.

        Raises:
            EngineError: While requests are under way.
        """
        if self._queue or self._active():
            raise EngineError(BUSY)
        self.version += 1
        own = dict(self.model.named_parameters())
        # by address, not by name: an adapter renames the parameters of a model that it wraps
        shared = {parameter.data_ptr() for parameter in own.values()}
        with torch.no_grad():
            for name, tensor in named_params:
                if tensor.data_ptr() not in shared:
                    own[name].copy_(tensor)
        self.sleep()

    def sleep(self) -> None:
        """Free the conversations that are kept, unless something is under way."""
        if not self._active():
            self._slots, self._kept = [], None

    def close(self) -> None:
        """Drop what is under way."""
        self._queue.clear()
        self._slots = []
        self.sleep()

    def _active(self) -> list[_Slot]:
        return [slot for slot in self._slots if slot.request is not None]

    def _notice_new_weights(self) -> None:
        """Forget conversations if the model was changed in place, without `load_weights`.

        Looks at a sample of every parameter; torch's own version counters miss the fused AdamW.
        """
        parts = (p.detach().flatten() for p in self.model.parameters())
        sums = torch.stack([p[:: 1 + len(p) // _SAMPLED].float().sum() for p in parts]).tolist()
        if sums != self._seen_weights:
            self._seen_weights = sums
            self.sleep()

    # ---------------------------------------------------------------- starting requests

    def _admit(self) -> list[_Slot]:
        """Give waiting requests their slots; returns these."""
        started: dict[tuple[int, ...], _Slot] = {}
        result = []
        while self._queue and (slot := self._free_slot(self._queue[0].prompt_ids)) is not None:
            request = self._queue.popleft()
            prompt = request.prompt_ids
            self._cache.reserve(len(self._slots), len(prompt))
            shared = self._share(slot, prompt[:-1])
            self._clock += 1
            slot.tokens, slot.stored, slot.used = list(prompt), shared, self._clock
            slot.request, slot.logprobs, slot.cached = request, [], shared
            slot.generator = torch.Generator().manual_seed(request.seed % 2**63)
            slot.twin = started.setdefault(tuple(prompt), slot)
            result.append(slot)
        return result

    def _free_slot(self, prompt: list[int]) -> _Slot | None:
        """The slot whose conversation goes on, else a new one, else the one unused for longest."""
        free = [slot for slot in self._slots if slot.request is None]
        best = max(free, key=lambda slot: slot.common(prompt), default=None)
        if best is not None and best.stored and best.common(prompt) == best.stored:
            return best
        if len(self._slots) < self.max_batch:
            self._slots.append(_Slot(len(self._slots)))
            return self._slots[-1]
        return min(free, key=lambda slot: slot.used, default=None)

    def _share(self, slot: _Slot, prompt: list[int]) -> int:
        """Fill ``slot`` with what any conversation has in common with ``prompt``; its length."""
        source = max(self._slots, key=lambda other: (other.common(prompt), other is slot))
        length = source.common(prompt)
        if source is not slot and length:
            self._cache.copy(source.number, slot.number, length)
        return length

    # ---------------------------------------------------------------- the model

    def _prefill(self, started: list[_Slot]) -> None:
        """Store all but the last token of new prompts, of equal prompts once."""
        missing = {slot: slot.tokens[slot.stored : -1] for slot in started if slot.twin is slot}
        slots = sorted((s for s in missing if missing[s]), key=lambda s: len(missing[s]))
        while slots:
            count = max(1, _PREFILL_TOKENS // len(missing[slots[-1]]))
            part, slots = slots[-count:], slots[:-count]
            self._forward(part, [missing[slot] for slot in part])
        for slot in started:
            if slot.twin is not slot:
                length = len(slot.tokens) - 1
                self._cache.copy(slot.twin.number, slot.number, length)
                slot.stored = slot.cached = length
            slot.twin = None

    def _forward(self, slots: list[_Slot], tokens: list[list[int]]) -> torch.Tensor:
        """Append tokens to slots; logits after the last one of each, shape (slots, vocabulary)."""
        ends = [slot.stored + len(new) for slot, new in zip(slots, tokens, strict=True)]
        self._cache.reserve(len(self._slots), max(ends))
        inputs = self._cache.inputs(
            [slot.number for slot in slots], [slot.stored for slot in slots], tokens
        )
        # said here, since accelerate leaves its own autocast on a model once it is trained
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.bf16):
            logits = self.model(**inputs, logits_to_keep=1).logits[:, -1]
        for slot, end in zip(slots, ends, strict=True):
            slot.stored = end
        return logits

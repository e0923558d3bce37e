"""Generation with transformers alone: slower than vLLM, and needs nothing else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from corgi_gym.agents.engines.base import Completion, EngineError, GenerationRequest


@dataclass(slots=True)
class _Row:
    """A reply under way."""

    request: GenerationRequest
    generator: torch.Generator
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    def finish_reason(self) -> str | None:
        if self.token_ids and self.token_ids[-1] in self.request.sampling.stop_ids:
            return "stop"
        return "length" if len(self.token_ids) >= self.request.sampling.max_tokens else None


class TransformersEngine:
    """Decodes batches of replies with a transformers model; ``poll`` advances by one token.

    A finished reply is returned at once; waiting requests start when the current batch is done.

    Args:
        model: A causal language model. The engine uses it as it is: given the trainer's own model,
            ``load_weights`` has nothing to do and weights are always in sync.
        max_batch: Replies decoded at once.
    """

    def __init__(self, model: Any, *, max_batch: int = 64) -> None:
        self.model = model
        self.max_batch = max_batch
        self._queue: deque[GenerationRequest] = deque()
        self._rows: list[_Row] = []
        self._cache: Any = None
        self._mask = torch.empty(0)
        self._next = torch.empty(0)

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request."""
        self._queue.append(request)

    @torch.no_grad()
    def poll(self) -> list[Completion]:
        """Decode one token for every reply of the current batch."""
        if not self._rows and not self._start_batch():
            return []
        was_training = self.model.training
        self.model.eval()
        try:
            logits = self._forward()
        finally:
            self.model.train(was_training)
        if logits.isnan().any():
            raise EngineError(
                "the model's logits are not numbers: training has diverged, or the weights are "
                "broken (try a lower learning rate)"
            )
        sampled = [self._sample(row, logits[i]) for i, row in enumerate(self._rows)]
        done = [i for i, row in enumerate(self._rows) if row.finish_reason()]
        completions = [
            Completion(row.request.id, row.token_ids, row.logprobs, row.finish_reason())  # type: ignore[arg-type]
            for row in (self._rows[i] for i in done)
        ]
        self._next = torch.tensor([[token] for token in sampled], device=self.model.device)
        self._keep([i for i in range(len(self._rows)) if i not in set(done)])
        return completions

    def _keep(self, rows: list[int]) -> None:
        """Drop the other rows of the batch."""
        if len(rows) == len(self._rows):
            return
        index = torch.tensor(rows, dtype=torch.long, device=self.model.device)
        self._rows = [self._rows[i] for i in rows]
        self._next, self._mask = self._next[index], self._mask[index]
        if not rows:
            self._cache = None
        elif self._cache is not None:
            self._cache.batch_select_indices(index)

    def cancel(self, ids: Iterable[str]) -> None:
        """Drop requests, whether they wait or are under way."""
        dropped = set(ids)
        self._queue = deque(r for r in self._queue if r.id not in dropped)
        self._keep([i for i, row in enumerate(self._rows) if row.request.id not in dropped])

    def _start_batch(self) -> bool:
        batch = [self._queue.popleft() for _ in range(min(self.max_batch, len(self._queue)))]
        if not batch:
            return False
        device = self.model.device
        longest = max(len(r.prompt_ids) for r in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for i, request in enumerate(batch):  # padded on the left, so that replies grow in step
            ids[i, longest - len(request.prompt_ids) :] = torch.tensor(request.prompt_ids)
            mask[i, longest - len(request.prompt_ids) :] = 1
            generator = torch.Generator().manual_seed(request.seed % 2**63)
            self._rows.append(_Row(request, generator))
        self._next, self._mask, self._cache = ids.to(device), mask.to(device), None
        return True

    def _forward(self) -> torch.Tensor:
        """Logits of the next token, shape (rows, vocabulary), float32."""
        if self._cache is not None:
            ones = self._mask.new_ones(len(self._rows), 1)
            self._mask = torch.cat([self._mask, ones], dim=1)
        width = self._next.shape[1]
        positions = (self._mask.cumsum(-1) - 1).clamp(min=0)[:, -width:]
        output = self.model(
            input_ids=self._next,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = output.past_key_values
        return output.logits[:, -1].float().cpu()

    @staticmethod
    def _sample(row: _Row, logits: torch.Tensor) -> int:
        sampling = row.request.sampling
        if sampling.temperature == 0:
            logprobs = logits.log_softmax(-1)
            token = int(logprobs.argmax())
        else:
            logprobs = (logits / sampling.temperature).log_softmax(-1)
            if sampling.top_p < 1:
                ordered, order = logprobs.exp().sort(descending=True)
                outside = ordered.cumsum(-1) - ordered >= sampling.top_p
                logprobs[order[outside]] = -torch.inf
                logprobs = logprobs.log_softmax(-1)
            token = int(torch.multinomial(logprobs.exp(), 1, generator=row.generator))
        row.token_ids.append(token)
        row.logprobs.append(float(logprobs[token]))
        return token

    def load_weights(self, named_params: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Copy new weights into the model, unless they are the model's own."""
        own = dict(self.model.named_parameters())
        # by address, not by name: an adapter renames the parameters of a model that it wraps
        shared = {parameter.data_ptr() for parameter in own.values()}
        with torch.no_grad():
            for name, tensor in named_params:
                if tensor.data_ptr() not in shared:
                    own[name].copy_(tensor)

    def close(self) -> None:
        """Drop what is under way."""
        self._queue.clear()
        self._rows, self._cache = [], None

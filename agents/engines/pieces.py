"""An engine that writes a reply piece by piece, each piece a reply of an engine of its own.

AS-ES (arXiv 2403.01969): a model trained on continuations ends after each piece, and is asked again
with the pieces so far below the question, until the reply has its answer. With two models they take
turns, the extractive one first.

A reply's log-probs are those under the prompts that its pieces were written for. So this engine is
for methods that need none (`as_es`, `sft`, `rft`) and for evaluation, not for policy gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.engines.base import (
    Completion,
    Engine,
    EngineError,
    GenerationRequest,
    plain_engine,
    weight_version,
)
from corgi_gym.envs import stable_hash

if TYPE_CHECKING:
    from torch import Tensor

# The released code asks for 100 tokens a piece, 5 times each of two models; arithmetic has more and
# shorter pieces.
PIECE_TOKENS, MAX_PIECES = 100, 16


@dataclass
class _Reply:
    """A reply under way."""

    request: GenerationRequest
    engine: Engine
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    cached_tokens: int = 0
    pieces: int = 0


class PieceEngine:
    """Writes replies piece by piece.

    Args:
        engine: Writes the pieces; with ``abstractive``, the extractive ones.
        codec: The chat format of the prompts.
        finished: Whether the text of a reply so far is all of it.
        abstractive: Writes every second piece. The engine then takes no weights: each of the two
            models is trained by itself.
        max_pieces: Most pieces of a reply.
        piece_tokens: Most tokens of a piece.

    Raises:
        ValueError: For a limit below 1.
    """

    def __init__(
        self,
        engine: Engine,
        codec: Any,
        finished: Callable[[str], bool],
        *,
        abstractive: Engine | None = None,
        max_pieces: int = MAX_PIECES,
        piece_tokens: int = PIECE_TOKENS,
    ) -> None:
        for name, value in (("max_pieces", max_pieces), ("piece_tokens", piece_tokens)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value!r}")
        self.engine, self.abstractive = engine, abstractive
        self.codec, self.finished = codec, finished
        self.max_pieces, self.piece_tokens = max_pieces, piece_tokens
        self._replies: dict[str, _Reply] = {}

    @property
    def version(self) -> int:
        """How often the weights were replaced."""
        return weight_version(self.engine)

    @property
    def plain(self) -> Engine:
        """The engine that takes the weights: one piece of it is a reply to its prompt."""
        return plain_engine(self.engine)

    def __getattr__(self, name: str) -> Any:
        """What else the engine can do, such as ``sleep``."""
        return getattr(self.__dict__["engine"], name)

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request."""
        reply = self._replies[request.id] = _Reply(request, self.engine)
        self._ask(reply)

    def poll(self) -> list[Completion]:
        """Advance; a piece that ends no reply is followed by the next one at once."""
        done = []
        for engine in {id(reply.engine): reply.engine for reply in self._replies.values()}.values():
            for piece in engine.poll():
                reply = self._replies.get(piece.id)
                if reply is None:  # cancelled
                    continue
                completion = self._take(reply, piece)
                if completion is None:
                    self._ask(reply)
                else:
                    del self._replies[piece.id]
                    done.append(completion)
        return done

    def _ask(self, reply: _Reply) -> None:
        """Ask for the next piece."""
        request, sampling = reply.request, reply.request.sampling
        if self.abstractive is not None:
            reply.engine = (self.engine, self.abstractive)[reply.pieces % 2]
        room = sampling.max_tokens - len(reply.token_ids)
        prompt = list(request.prompt_ids)
        if reply.token_ids:
            prompt = self.codec.extended(prompt, self.codec.text(reply.token_ids))
        reply.engine.submit(
            GenerationRequest(
                request.id,
                prompt,
                replace(sampling, max_tokens=min(room, self.piece_tokens)),
                stable_hash(request.seed, reply.pieces) if reply.pieces else request.seed,
            )
        )

    def _take(self, reply: _Reply, piece: Completion) -> Completion | None:
        """Append a piece, without its end-of-turn token; returns the reply if it is the last.

        A reply that is given up at a limit is one that was cut: it has no end-of-turn token.
        """
        reply.pieces += 1
        reply.cached_tokens += piece.cached_tokens
        sampling = reply.request.sampling
        ended = bool(piece.token_ids) and piece.token_ids[-1] in sampling.stop_ids
        size = len(piece.token_ids) - ended
        reply.token_ids += piece.token_ids[:size]
        reply.logprobs += piece.logprobs[:size]
        finished = ended and self.finished(self.codec.text(reply.token_ids))
        room = len(reply.token_ids) < sampling.max_tokens and reply.pieces < self.max_pieces
        if size and room and not finished:
            return None
        stopped = finished or (ended and not size)  # an empty piece: it has no more to say
        last = slice(size, None) if stopped else slice(0)
        return Completion(
            piece.id,
            [*reply.token_ids, *piece.token_ids[last]],
            [*reply.logprobs, *piece.logprobs[last]],
            "stop" if stopped else "length",
            cached_tokens=reply.cached_tokens,
        )

    def cancel(self, ids: Iterable[str]) -> None:
        """Drop requests under way."""
        dropped = list(ids)
        for name in dropped:
            self._replies.pop(name, None)
        for engine in (self.engine, self.abstractive):
            if engine is not None:
                engine.cancel(dropped)

    def load_weights(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        """Replace the weights of the model.

        Raises:
            EngineError: While replies are under way, and with two models.
        """
        if self.abstractive is not None:
            raise EngineError(
                "two models write this engine's replies: train each of them by itself, and "
                "evaluate them together"
            )
        self.engine.load_weights(named_params)

    def close(self) -> None:
        """Free everything."""
        self.engine.close()
        if self.abstractive is not None:
            self.abstractive.close()

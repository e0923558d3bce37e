"""An engine whose replies come from a Python function: tests, throughput, human play."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.engines.base import BUSY, Completion, EngineError, GenerationRequest

if TYPE_CHECKING:
    from torch import Tensor

Script = Callable[[str], str]


class CharCodec:
    """A `ChatCodec` without a tokenizer: one token per character, for scripted engines."""

    END = 0x110000  # just past the last code point
    stop_ids = (END,)

    def start(self, message: str) -> list[int]:
        """Code points of the message, then the end marker."""
        return [*map(ord, message), self.END]

    def follow_up(self, message: str, reply_ids: Sequence[int]) -> list[int]:
        """Code points to append for the next user message."""
        closing = [] if reply_ids and reply_ids[-1] == self.END else [self.END]
        return [*closing, *map(ord, message), self.END]

    def text(self, reply_ids: Sequence[int]) -> str:
        """The reply's text."""
        return "".join(chr(i) for i in reply_ids if i != self.END)

    def extended(self, prompt_ids: Sequence[int], text: str) -> list[int]:
        """The conversation with one more line in its last message."""
        return [*prompt_ids[:-1], *map(ord, f"\n{text}"), self.END]

    def reply(self, text: str) -> list[int]:
        """Code points of a reply, then the end marker."""
        return [*map(ord, text), self.END]

    def offsets(self, reply_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Characters of each token: one, and none for the end marker."""
        places = itertools.accumulate(int(i != self.END) for i in reply_ids)
        return list(itertools.pairwise([0, *places]))


class ScriptedEngine:
    """Answers each request at once with ``script(conversation text)``.

    Args:
        script: Function from the conversation so far (decoded by ``codec``) to a reply.
        codec: Encodes replies: `CharCodec` (default) or any with a ``tokenizer``.

    Example:
        >>> from corgi_gym.agents.engines.base import Sampling
        >>> codec = CharCodec()
        >>> engine = ScriptedEngine(lambda conversation: conversation.upper(), codec)
        >>> engine.submit(GenerationRequest("a", codec.start("hi"), Sampling(), seed=0))
        >>> codec.text(engine.poll()[0].token_ids)
        'HI'
    """

    def __init__(self, script: Script, codec: Any = None) -> None:
        self.script = script
        self.codec = codec or CharCodec()
        self.version = 0
        self._queue: deque[GenerationRequest] = deque()

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request."""
        self._queue.append(request)

    def poll(self) -> list[Completion]:
        """Answer everything that is queued."""
        done = []
        while self._queue:
            request = self._queue.popleft()
            reply = self.script(self.codec.text(request.prompt_ids))
            ids = self._encode(reply)
            stopped = len(ids) <= request.sampling.max_tokens
            ids = ids[: request.sampling.max_tokens]
            reason = "stop" if stopped else "length"
            done.append(Completion(request.id, ids, [0.0] * len(ids), reason))
        return done

    def _encode(self, reply: str) -> list[int]:
        tokenizer = getattr(self.codec, "tokenizer", None)
        ids = (
            tokenizer.encode(reply, add_special_tokens=False, split_special_tokens=True)
            if tokenizer is not None
            else [ord(c) for c in reply]
        )
        return [*ids, self.codec.stop_ids[0]]

    def cancel(self, ids: Iterable[str]) -> None:
        """Drop requests that were not answered yet."""
        dropped = set(ids)
        self._queue = deque(r for r in self._queue if r.id not in dropped)

    def load_weights(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        """A script has no weights: nothing is loaded, and `version` counts.

        Raises:
            EngineError: While requests wait for their answer.
        """
        if self._queue:
            raise EngineError(BUSY)
        self.version += 1

    def close(self) -> None:
        """Nothing to free."""

"""What the engines behind HTTP share: requests under way, replies as they come, failures."""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from collections.abc import Iterable
from concurrent.futures import Future

from corgi_gym.agents.engines.base import Completion, EngineError, GenerationRequest
from corgi_gym.agents.engines.endpoint import Endpoint

# How long ``poll`` waits for a reply before it returns without one, in seconds.
_POLL_SECONDS = 0.05


class RemoteEngine(ABC):
    """An engine whose replies come from an `Endpoint`, each through a request of its own.

    ``poll`` hands over the replies that have arrived, without waiting for the others. Every request
    ends in exactly one of three ways: as one completion, as an error, or cancelled.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._pending: dict[str, Future[Completion]] = {}
        self._arrived: queue.SimpleQueue[tuple[str, Future[Completion]]] = queue.SimpleQueue()

    @abstractmethod
    async def _answer(self, request: GenerationRequest) -> Completion:
        """Ask the endpoint for one reply."""

    def submit(self, request: GenerationRequest) -> None:
        """Send a request; returns at once.

        Raises:
            EngineError: If a request of the same id is under way.
        """
        if request.id in self._pending:
            raise EngineError(f"a request with id {request.id!r} is under way already")
        future = self.endpoint.start(self._answer(request))
        self._pending[request.id] = future
        future.add_done_callback(lambda done: self._arrived.put((request.id, done)))

    def poll(self) -> list[Completion]:
        """The replies that have arrived; waits a moment if there is none yet.

        Raises:
            EngineError: If a request failed for good. Replies that arrived before it were returned,
                and the other requests go on.
        """
        completions: list[Completion] = []
        wait = bool(self._pending)
        while True:
            try:
                name, future = self._arrived.get(timeout=_POLL_SECONDS if wait else 0)
            except queue.Empty:
                return completions
            wait = False
            if self._pending.get(name) is not future:
                continue  # cancelled
            error = future.exception()
            if error is not None and completions:
                self._arrived.put((name, future))  # first hand over what was finished
                return completions
            del self._pending[name]
            if error is not None:
                raise _as_engine_error(error)
            completions.append(future.result())

    def cancel(self, ids: Iterable[str]) -> None:
        """Drop requests and close their connections, which tells the server to stop."""
        for name in list(ids):
            future = self._pending.pop(name, None)
            if future is not None:
                future.cancel()

    def close(self) -> None:
        """Drop everything under way and close the connections; the server keeps running."""
        self.cancel(list(self._pending))
        self.endpoint.close()


def _as_engine_error(error: BaseException) -> EngineError:
    if isinstance(error, EngineError):
        return error
    made = EngineError(f"{type(error).__name__}: {error}")
    made.__cause__ = error
    return made

"""Attempts that are judged in threads, so that a slow checker never stalls decoding."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")


class Checks(Generic[Key]):
    """Calls of one run that wait for something: each in a thread, with the key it belongs to.

    Args:
        threads: Runs the calls, several at once; others may use it too.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> checks = Checks(ThreadPoolExecutor(2))
        >>> checks.start("a", len, "word")
        >>> [(key, result()) for key, result in checks.finished(wait=True)], checks.pending
        ([('a', 4)], 0)
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._calls: dict[Future[Any], Key] = {}
        self._done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    @property
    def pending(self) -> int:
        """Calls whose result was not handed over yet."""
        return len(self._calls)

    def start(self, key: Key, function: Callable[..., Any], *args: Any) -> None:
        """Call ``function(*args)`` in a thread."""
        future = self._threads.submit(function, *args)
        self._calls[future] = key
        future.add_done_callback(self._done.put)

    def finished(self, *, wait: bool) -> Iterator[tuple[Key, Callable[[], Any]]]:
        """Keys and results of the calls that have ended; ``wait`` for one if there is none yet.

        Each result is a function that returns what the call returned, or raises what it raised.
        """
        while self._calls:
            try:
                future = self._done.get(block=wait)
            except queue.Empty:
                return
            wait = False
            yield self._calls.pop(future), future.result

    def cancel(self) -> list[Key]:
        """Forget all calls; those that run already go on and reach nobody: their keys."""
        running = [key for future, key in self._calls.items() if not future.cancel()]
        self._calls.clear()
        return running

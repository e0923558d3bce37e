"""Killable worker processes for what can explode: symbolic maths, programs, foreign checkers.

    pool = Isolated("package.module:function", deadline=2.0, memory_mb=1024)
    outcome = pool.call("10^{10^8}")        # Outcome(status="timeout", ...)

No thread and no signal can stop ``9**9**9`` inside one C call; a process can be killed. A *worker*
(started once, about a second) imports the function and forks a guarded *child* that runs it: one
child for many items, or a new one for each item (``fresh=True``, for untrusted programs, so that
none can leave anything for the next). A child that fails is replaced within milliseconds.

What a child can not do. *Kernel*: on Linux (x86-64, arm64) with seccomp, which every common
container allows. *Python*: elsewhere, an audit hook, which native code and tricks get past.

| | kernel | without seccomp |
|---|---|---|
| run beyond the deadline | killed | killed |
| use more memory (address space on top of what was loaded) | refused | refused |
| start processes, replace itself | refused | Python; what was started is killed |
| use the network or local sockets | refused | Python (and Landlock, for TCP) |
| create, change, rename or delete files, in any folder | refused | Python and Landlock |
| send signals to others, change their limits or priorities | refused | Python, in part |
| read more files than the standard library (``reads="stdlib"``) | Landlock, or Python | the same |
| see the environment, standard input, open files of the parent | not there | not there |
| write core dumps, fill a disk | refused | refused |
| run code in the parent, answer for another item | JSON from an own pipe | the same |

Not prevented: reading any file that the user may read with ``reads="all"`` (nothing can be sent
anywhere but into the answer), lying in its own answer, using a core until the deadline, learning
the machine's name and time, and faults of the kernel or of the CPU. It is a sandbox against what a
policy or a careless package does, not against an attacker with a kernel exploit.
`Isolated.layers` says what is in force.

Time: an item's clock starts when a child takes it; waiting for a free worker and starting one are
not charged. It ends by its deadline plus the time that a kill takes (milliseconds). Then its answer
is read here, in time proportional to its length: under a second for the longest, whatever it holds.

Errors: what an item does is an `Outcome`. A worker that cannot start or dies is an
`IsolationError`, so that a checker's verdict is ``unscored`` and never "wrong".
"""

from __future__ import annotations

import atexit
import os
import pickle
import threading
import weakref
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, get_args

from corgi_gym.rewards._isolate_process import IsolationError, Outcome, Status, Worker

__all__ = ["Isolated", "IsolationError", "Outcome", "Status"]

Reads = Literal["all", "stdlib"]

# Seconds for a worker to start and import the function: a large library on a very busy machine.
START_SECONDS = 180.0
_LARGEST_MEMORY_MB = 2**20


class Isolated:
    """A function that runs in guarded processes.

    Starts its workers when they are first needed, can be used from several threads, survives
    `os.fork` (the child starts its own) and pickling, and closes at exit.

    Args:
        function: ``"package.module:function"``, importable by a new interpreter. Arguments are
            pickled; the value must be plain data (see `Outcome`).
        workers: Items that can run at once.
        deadline: Seconds for one item.
        memory_mb: Memory for an item on top of what was loaded before it.
        fresh: A new process for each item (about 3 ms), for untrusted programs.
        preload: Import the function in the trusted worker. False: in the guarded child, for
            modules that are themselves not trusted; each new child then imports again.
        setup: Strings to call the function with where it is imported; what that returns is then
            called for each item.
        cpu_seconds: CPU time for one item, rounded to whole seconds (``fresh`` only; over it is a
            ``timeout``). With a longer deadline, a busy machine makes no wrong timeouts. None: no
            limit but the deadline.
        reads: Files that a child can read: ``"all"`` that the user can, or the ``"stdlib"`` only.
        start_seconds: Time to start and import.

    Raises:
        ValueError: For arguments out of range.

    Example:
        >>> with Isolated("math:factorial") as pool:
        ...     pool.call(5).value, pool.call(-1).error, pool.call(10**8, deadline=0.2).status
        (120, 'ValueError: factorial() not defined for negative values', 'timeout')
    """

    def __init__(
        self,
        function: str,
        *,
        workers: int = 1,
        deadline: float = 2.0,
        memory_mb: int = 1024,
        fresh: bool = False,
        preload: bool = True,
        setup: tuple[str, ...] = (),
        cpu_seconds: float | None = None,
        reads: Reads = "all",
        start_seconds: float = START_SECONDS,
        _layers: tuple[str, ...] = ("seccomp", "landlock"),
    ) -> None:
        module, colon, attribute = function.partition(":")
        if not (module and colon and attribute) or module == "__main__":
            raise ValueError(
                f"function must be 'package.module:function', importable by a new interpreter, "
                f"got {function!r}"
            )
        if workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers!r}")
        if not 0 < memory_mb <= _LARGEST_MEMORY_MB:
            raise ValueError(f"memory_mb must be from 1 to {_LARGEST_MEMORY_MB}, got {memory_mb!r}")
        if reads not in get_args(Reads):
            raise ValueError(f"unknown reads {reads!r}; choose from {', '.join(get_args(Reads))}")
        self.function, self.workers = function, workers
        self.deadline = _check_seconds(deadline, "deadline")
        self._config: dict[str, Any] = {
            "function": function,
            "memory_mb": int(memory_mb),
            "fresh": bool(fresh),
            "preload": bool(preload),
            "setup": list(setup),
            "cpu_seconds": None
            if cpu_seconds is None
            else max(1.0, round(_check_seconds(cpu_seconds, "cpu_seconds"))),
            "reads": reads,
            "start_seconds": _check_seconds(start_seconds, "start_seconds"),
            "layers": list(_layers),
        }
        self._reset()
        _POOLS.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(self.workers)
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()

    def call(self, *args: Any, deadline: float | None = None) -> Outcome:
        """Run one item; waits for a free worker.

        Raises:
            IsolationError: If the worker cannot start or dies.
            ValueError: For a deadline that is not positive.
        """
        seconds = self.deadline if deadline is None else _check_seconds(deadline, "deadline")
        payload = pickle.dumps(args)
        with self._slots:
            worker = self._take()
            try:
                outcome = worker.run(payload, seconds)
            except BaseException:  # Ctrl-C too: an answer may still be on its way
                with self._lock:
                    self._busy.discard(worker)
                worker.close(at_once=True)
                raise
            with self._lock:
                self._busy.discard(worker)
                self._idle.append(worker)
        return outcome

    def map(
        self, items: Iterable[Sequence[Any]], *, deadline: float | None = None
    ) -> list[Outcome]:
        """Run ``call(*args)`` for each of the items, ``workers`` at a time; outcomes in order."""
        if self.workers == 1:
            return [self.call(*args, deadline=deadline) for args in items]
        with ThreadPoolExecutor(self.workers) as threads:
            return list(threads.map(lambda args: self.call(*args, deadline=deadline), items))

    def start(self) -> None:
        """Start one worker now, if none is idle (otherwise the first item waits for it)."""
        with self._slots:
            worker = self._take()
            with self._lock:
                self._busy.discard(worker)
                self._idle.append(worker)

    @property
    def layers(self) -> tuple[str, ...]:
        """What guards a child: of ``seccomp``, ``landlock``, ``audit hook``, ``limits``."""
        self.start()
        with self._lock:
            return next(iter([*self._idle, *self._busy])).layers

    def close(self) -> None:
        """End all processes; a later call starts new ones."""
        with self._lock:
            workers, self._idle = self._idle, []
        for worker in workers:
            worker.close()

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        config = {k: v for k, v in self._config.items() if k not in ("function", "layers")}
        config.update(workers=self.workers, deadline=self.deadline)
        config["setup"] = tuple(self._config["setup"])
        config["_layers"] = tuple(self._config["layers"])
        return _rebuild, (self.function, config)

    def _take(self) -> Worker:
        """An idle worker that lives, or a new one; it counts as busy."""
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                worker = Worker(self._config)
            elif not worker.is_alive():
                worker.close(at_once=True)
                continue
            with self._lock:
                self._busy.add(worker)
            return worker

    def _forget(self) -> None:
        """In a forked child: the workers belong to the parent."""
        for worker in [*self._idle, *self._busy]:
            worker.forget()
            worker.disown()
        self._reset()


def _rebuild(function: str, config: dict[str, Any]) -> Isolated:
    return Isolated(function, **config)


def _check_seconds(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
        raise ValueError(f"{name} must be a positive number of seconds, got {value!r:.80}")
    return float(value)


_POOLS: weakref.WeakSet[Isolated] = weakref.WeakSet()


def _close_all() -> None:
    for pool in list(_POOLS):
        pool.close()
        for worker in list(pool._busy):  # a daemon thread still waits for it
            worker.kill()


def _forget_all() -> None:
    for pool in list(_POOLS):
        pool._forget()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

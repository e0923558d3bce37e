"""The processes of `corgi_gym.rewards.isolate`: a trusted worker and its guarded children.

The worker (`main`) is single-threaded, reads items from a pipe and runs each in a forked child: a
new one per item (``fresh``) or the same one until it fails. It never runs what an item brings along
and never reads more into a child's answer than bytes, so that it can be relied on to keep time.

    parent ── length, deadline, pickled args ──► worker ── fork / pipe ──► child (guarded)
    parent ◄─ length, status, seconds, JSON  ─── worker ◄──── pipe, JSON ────┘

Answers are JSON (`corgi_gym.rewards._isolate_codec`): reading one runs no code, unlike unpickling.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import pickle
import select
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from corgi_gym.rewards._isolate_codec import REQUEST, RESPONSE, STATUSES, describe, encode
from corgi_gym.rewards._isolate_guard import Guard, adopt_orphans, die_with_parent

# Longest answer in bytes: far above any use here. The parent reads one within 0.2 s if it holds
# numbers and texts, and within a second if it holds nothing but empty lists.
MAX_ANSWER_BYTES = 4 * 2**20
# A child that serves many items is replaced after so many: caches grow.
MAX_ITEMS_PER_CHILD = 5_000

_LENGTH = struct.Struct("<I")
_READ_BYTES = 2**16
# No process of ours has more open files when it forks.
_HIGHEST_DESCRIPTOR = 4_096
AT_IMPORT = b"at import"
OUT_OF_CPU = "of CPU time"
_READY = b'["ok", null]'
_OUT_OF_MEMORY = b'["memory", "MemoryError"]'


# ---------------------------------------------------------------- the child


def load(spec: str, setup: Sequence[str] = ()) -> Callable[..., Any]:
    """Import ``package.module:attribute`` and, with ``setup``, return what calling it returns."""
    module, _, attribute = spec.partition(":")
    found: Any = import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    if setup:
        found = found(*setup)
    if not callable(found):
        raise TypeError(f"{spec} cannot be called")
    return found


def _answer(function: Callable[..., Any], payload: bytes) -> bytes:
    """Run one item; every outcome becomes JSON."""
    try:
        value = encode(function(*pickle.loads(payload)))
        return json.dumps(["ok", value]).encode("ascii")
    except MemoryError:
        return _OUT_OF_MEMORY
    except BaseException as error:  # sys.exit and the like are outcomes here
        return json.dumps(["error", describe(error)]).encode("ascii")


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _read_exactly(fd: int, count: int) -> bytes:
    """``count`` bytes, or fewer at the end of the stream."""
    parts = []
    while count:
        part = os.read(fd, min(count, _READ_BYTES))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _send(fd: int, data: bytes) -> None:
    _write_all(fd, _LENGTH.pack(len(data)) + data)


class Child:
    """A guarded process that answers items.

    Args:
        guard: Its protection.
        function: What to call for an item; or, with ``loads``, to get that function.
        loads: Whether the function is still to be imported, in the child.
        folder: Its working folder.
        cpu_seconds: CPU time for the one item of a fresh child, or None.
    """

    def __init__(
        self,
        guard: Guard,
        function: Callable[..., Any],
        loads: bool,
        folder: str,
        cpu_seconds: float | None,
    ) -> None:
        self.guard, self.cpu_seconds = guard, cpu_seconds
        self.items = 0
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _child(guard, function, loads, folder, cpu_seconds, requests, answers)
            finally:
                os._exit(1)
        os.close(requests)
        os.close(answers)
        os.set_blocking(self.requests, False)

    def exchange(self, payload: bytes | None, seconds: float) -> tuple[str, bytes]:
        """Send an item (None: only wait for an answer); return (status, answer)."""
        until = time.monotonic() + seconds
        unsent = memoryview(_LENGTH.pack(len(payload)) + payload if payload is not None else b"")
        received = bytearray()
        poll = select.poll()
        poll.register(self.answers, select.POLLIN)
        if unsent:
            poll.register(self.requests, select.POLLOUT)
        while (left := until - time.monotonic()) > 0:
            for fd, _ in poll.poll(math.ceil(left * 1000)):
                if fd == self.requests:
                    try:
                        unsent = unsent[os.write(fd, unsent[:_READ_BYTES]) :]
                    except BlockingIOError:
                        continue
                    except OSError:  # it ended without reading
                        unsent = unsent[:0]
                    if not unsent:
                        poll.unregister(fd)
                    continue
                part = os.read(fd, _READ_BYTES)
                if not part:
                    return "crashed", b""
                received += part
                if len(received) < _LENGTH.size:
                    continue
                length = _LENGTH.unpack_from(received)[0]
                if length > MAX_ANSWER_BYTES:
                    return "crashed", b"the answer is too long"
                if len(received) >= _LENGTH.size + length:
                    self.items += 1
                    return "ok", bytes(received[_LENGTH.size : _LENGTH.size + length])
        return "timeout", b""

    def is_ready(self) -> bool:
        """Whether it lives and has said nothing that was not asked for."""
        poll = select.poll()
        poll.register(self.answers, select.POLLIN)
        return not poll.poll(0)

    def kill(self) -> None:
        """End it and its process group; `reap` must follow."""
        for kill in (os.killpg, os.kill):  # the group exists once the child has come to setsid
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)

    def reap(self) -> str:
        """Wait for its end and free what it held; says how it ended."""
        _, status, usage = os.wait4(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        os.close(self.requests)
        os.close(self.answers)
        if not self.guard.contains_children:
            _kill_descendants()
        spent = usage.ru_utime + usage.ru_stime  # counted otherwise than the limit, so nearly
        if code < 0 and self.cpu_seconds is not None and spent > 0.8 * self.cpu_seconds:
            return OUT_OF_CPU
        if code >= 0:
            return f"the process ended with exit code {code}"
        return f"the process was ended by signal {-code}"


def _child(
    guard: Guard,
    function: Callable[..., Any],
    loads: bool,
    folder: str,
    cpu_seconds: float | None,
    requests: int,
    answers: int,
) -> NoReturn:
    os.setsid()
    die_with_parent()
    os.chdir(folder)
    kept = sorted({requests, answers, *guard.descriptors})
    for low, high in zip([2, *kept], [*kept, _HIGHEST_DESCRIPTOR], strict=True):
        os.closerange(low + 1, high)
    guard.apply(cpu_seconds)
    if loads:
        try:
            function = function()
        except MemoryError:
            _send(answers, _OUT_OF_MEMORY)
            os._exit(0)
        except BaseException as error:  # an import may raise anything
            _send(answers, json.dumps(["error", f"at import: {describe(error)}"]).encode("ascii"))
            os._exit(0)
        _send(answers, _READY)
    while True:
        length = _read_exactly(requests, _LENGTH.size)
        if len(length) < _LENGTH.size:
            os._exit(0)
        payload = _read_exactly(requests, _LENGTH.unpack(length)[0])
        _send(answers, _answer(function, payload))


def _kill_descendants() -> None:
    """Without a system-call filter: kill what the child started, new sessions included."""
    path = f"/proc/self/task/{os.getpid()}/children"
    while True:
        try:
            with open(path, encoding="ascii") as file:
                pids = [int(pid) for pid in file.read().split()]
        except OSError:
            return
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in pids:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


# ---------------------------------------------------------------- the worker


def _serve(config: dict[str, Any], folder: str, inbox: int, outbox: int) -> None:
    load_it = partial(load, config["function"], config["setup"])
    function = load_it() if config["preload"] else None
    guard = Guard(config["reads"], config["memory_mb"], tuple(config["layers"]))
    if not guard.contains_children:
        adopt_orphans()
    gc.collect()
    gc.freeze()  # what is loaded is shared with the children and need not be looked at there
    _respond(outbox, "ok", json.dumps({"layers": guard.layers}).encode(), 0.0)
    child: Child | None = None
    while len(header := _read_exactly(inbox, REQUEST.size)) == REQUEST.size:
        length, deadline = REQUEST.unpack(header)
        payload = _read_exactly(inbox, length)
        if child is not None and (child.items >= MAX_ITEMS_PER_CHILD or not child.is_ready()):
            child.kill()
            child.reap()
            child = None
        status, answer = "ok", _READY
        if child is None:
            cpu_seconds = config["cpu_seconds"] if config["fresh"] else None
            child = Child(guard, function or load_it, function is None, folder, cpu_seconds)
            if not config["preload"]:
                status, answer = child.exchange(None, config["start_seconds"])
                if status == "timeout":
                    answer = AT_IMPORT
        began = time.monotonic()
        ready = (status, answer) == ("ok", _READY)
        if ready:
            status, answer = child.exchange(payload, deadline)
        seconds = time.monotonic() - began
        used_up: Child | None = None
        if config["fresh"] or not ready or status != "ok" or answer.startswith(_OUT_OF_MEMORY):
            child.kill()
            used_up, child = child, None
        if used_up is not None and status == "crashed":
            how = used_up.reap()
            used_up, answer = None, answer or how.encode("ascii")
            if how == OUT_OF_CPU:
                status = "timeout"
        _respond(outbox, status, answer, seconds)
        if used_up is not None:  # after the answer: freeing a gigabyte takes a while
            used_up.reap()
    if child is not None:
        child.kill()
        child.reap()


def _respond(outbox: int, status: str, answer: bytes, seconds: float) -> None:
    _write_all(outbox, RESPONSE.pack(len(answer), STATUSES.index(status), seconds) + answer)


def main(config: dict[str, Any]) -> None:
    """Serve until the parent closes its end; see the module docstring.

    Args:
        config: ``inbox`` and ``outbox`` (file descriptors), an empty ``folder``, and what
            `Isolated` was made with.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    sys.dont_write_bytecode = True
    os.dup2(1, 2)  # standard error was for the case that this module cannot be imported
    folder = config["folder"]
    os.chmod(folder, 0o500)
    os.environ.update(HOME=folder, TMPDIR=folder)
    tempfile.tempdir = folder
    with contextlib.suppress(BrokenPipeError):  # the parent ended
        try:
            _serve(config, folder, config["inbox"], config["outbox"])
        except Exception as error:
            _respond(config["outbox"], "error", describe(error).encode("utf-8", "replace"), 0.0)
    shutil.rmtree(folder, ignore_errors=True)

"""The parent's end of one worker process of `corgi_gym.rewards.isolate`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any, Literal, get_args

from corgi_gym.rewards._isolate_codec import MAX_ERROR_CHARS, REQUEST, RESPONSE, decode

Status = Literal["ok", "timeout", "memory", "crashed", "error"]

# Beyond an item's deadline, the worker itself is taken for dead.
_WORKER_SLACK_SECONDS = 10.0
# A worker that is asked to end has this long before it is killed.
_CLOSE_SECONDS = 2.0
_BOOT = (
    "import json, sys; config = json.loads(sys.argv[1]); sys.path[:] = config['path']; "
    "from corgi_gym.rewards._isolate_worker import main; main(config)"
)
# The environment of a worker: what an interpreter and its libraries need to start, and no more.
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TZ")
_SET_VARIABLES = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # the same item gives the same answer in every worker
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class IsolationError(RuntimeError):
    """A worker could not start, or died: nothing is known about the item."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item.

    Attributes:
        status: ``ok``; ``timeout``: killed at its deadline; ``memory``: over its limit;
            ``crashed``: the process ended without an answer; ``error``: the function raised.
        value: What the function returned, for ``ok``: plain data (None, bool, int, float,
            complex, str, bytes, list, tuple, set, frozenset, dict).
        error: What happened, for the others: ``"ValueError: ..."``.
        seconds: From the child's start of the item to its end.
    """

    status: Status
    value: Any = None
    error: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.status == "ok"


class Worker:
    """The parent's end of one worker process."""

    def __init__(self, config: dict[str, Any]) -> None:
        if not hasattr(os, "fork") or not sys.executable:
            raise IsolationError("isolated execution needs a POSIX system and a Python executable")
        self._start_slack = 0.0 if config["preload"] else config["start_seconds"]
        self._folder, self._requests, self._answers = "", -1, -1
        theirs: list[int] = []
        try:
            self._folder = tempfile.mkdtemp(prefix="corgi-isolated-")
            inbox, self._requests = os.pipe()
            theirs.append(inbox)
            self._answers, outbox = os.pipe()
            theirs.append(outbox)
            self._process = self._launch(config, inbox, outbox)
        except BaseException as error:
            self.forget()
            self._remove_folder()
            if isinstance(error, OSError):
                text = f"no worker process could be started: {error}"
                if isinstance(error, PermissionError):
                    text += " (a guarded process may not start another one)"
                raise IsolationError(text) from error
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        try:
            status, ready, _ = self._receive(config["start_seconds"])
            if status != "ok":
                raise IsolationError(ready.decode("utf-8", "replace"))
            described = json.loads(ready)
        except BaseException as error:
            cause = str(error)
            self.close(at_once=True)
            if isinstance(error, (IsolationError, OSError)):
                said = self._last_words()
                raise IsolationError(
                    f"a worker for {config['function']!r} could not start: {said or cause}"
                ) from error
            raise
        assert self._process.stderr is not None
        self._process.stderr.close()
        self.layers: tuple[str, ...] = tuple(described["layers"])

    def _launch(self, config: dict[str, Any], inbox: int, outbox: int) -> subprocess.Popen[bytes]:
        path = [os.path.abspath(entry) for entry in sys.path]
        settings = {
            **config,
            "path": path,
            "inbox": inbox,
            "outbox": outbox,
            "folder": self._folder,
        }
        environment = {k: os.environ[k] for k in _KEPT_VARIABLES if k in os.environ}
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**environment, **_SET_VARIABLES},
            pass_fds=(inbox, outbox),
            start_new_session=True,
        )

    def run(self, payload: bytes, seconds: float) -> Outcome:
        """One item."""
        try:
            data = REQUEST.pack(len(payload), seconds) + payload
            view = memoryview(data)
            while view:
                view = view[os.write(self._requests, view) :]
        except OSError as error:
            raise IsolationError(f"the worker process has died: {error}") from error
        status, answer, spent = self._receive(seconds + self._start_slack + _WORKER_SLACK_SECONDS)
        if status != "ok":
            text = answer.decode("utf-8", "replace")
            if status == "timeout":
                text = f"no answer in time ({text or f'{seconds:g} s'})"
            return Outcome(status, None, text, spent)
        try:
            said, value = json.loads(answer)
            if said == "ok":
                return Outcome("ok", decode(value), "", spent)
            if said not in ("error", "memory"):
                raise ValueError("unknown status")
            return Outcome(said, None, str(value)[:MAX_ERROR_CHARS], spent)
        except (ValueError, TypeError, RecursionError, MemoryError) as error:
            return Outcome("crashed", None, f"the answer could not be read: {error}", spent)

    def is_alive(self) -> bool:
        """Whether it runs and has nothing to say."""
        return self._process.poll() is None

    def close(self, *, at_once: bool = False) -> None:
        """End the process and wait for it."""
        self.forget()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0 if at_once else _CLOSE_SECONDS)
        self.kill()
        self._remove_folder()

    def kill(self) -> None:
        """Kill the process, whoever waits for it; the kernel ends its child with it."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def disown(self) -> None:
        """In a forked child: the process and its folder are the parent's."""
        self._process.returncode, self._folder = 0, ""

    def __del__(self) -> None:
        if hasattr(self, "_process"):  # a pool that nobody holds any more
            self.close()

    def forget(self) -> None:
        """Close our ends of the pipes: the worker sees that and ends, once nobody holds them."""
        for fd in (self._requests, self._answers):
            if fd >= 0:
                os.close(fd)
        self._requests = self._answers = -1

    def _remove_folder(self) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _receive(self, seconds: float) -> tuple[Status, bytes, float]:
        until = time.monotonic() + seconds
        length, index, spent = RESPONSE.unpack(self._read(RESPONSE.size, until))
        status: Status = get_args(Status)[index]  # STATUSES, in the same order
        return status, self._read(length, until), spent

    def _read(self, count: int, until: float) -> bytes:
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        received = bytearray()
        while len(received) < count:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise IsolationError("the worker process does not answer")
            part = os.read(self._answers, count - len(received))
            if not part:
                raise IsolationError("the worker process has died")
            received += part
        return bytes(received)

    def _last_words(self) -> str:
        """The last line on standard error of a worker that did not start."""
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            os.set_blocking(stream.fileno(), False)
            text = (stream.read() or b"").decode("utf-8", "replace").strip()
        return text.rpartition("\n")[2]

"""A process that judges cases and can be killed: for calls that hang, and for other hash seeds.

Not `corgi_gym.rewards.isolate`: that guards against what a model wrote, and refuses to its children
new processes, files and the environment. A checker is code of ours or of the user's, it may itself
start workers, and it is audited as it runs in training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from corgi_gym.rewards.audit.calls import MAX_ERROR_CHARS, Case, Outcome, call_once, load

# Cases per message: large enough that the round trip does not count.
BATCH = 100
# A batch may take this many times the limit of one call before its cases are tried one by one.
BATCH_FACTOR = 3
# On a busy machine a call may take this many times its limit of the clock, while the process has
# not had that much CPU time.
BUSY_FACTOR = 6
# Seconds of CPU time for a process to start, and to import the checker and load its data.
START_SECONDS = 120.0
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    f"from {__name__} import serve; serve(int(sys.argv[2]), sys.argv[3])"
)


class WorkerError(RuntimeError):
    """The process could not load the checker; the message has its last line of error output."""


class Worker:
    """Judges cases in another process; started by the first call, and anew after one that hung.

    Args:
        spec: Where the process finds the checker (`load`).
        hang: Seconds of CPU time for one call; a longer one is killed, and one that only waits
            after six times as many seconds of the clock.
        hash_seed: ``PYTHONHASHSEED`` of the process (default: this process's).
    """

    def __init__(self, spec: str, hang: float, hash_seed: str | None = None) -> None:
        self.spec, self.hang, self.hash_seed = spec, hang, hash_seed
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def __call__(self, cases: Sequence[Case]) -> list[Outcome]:
        """Outcomes in the order of the cases.

        Raises:
            WorkerError: If the process cannot load the checker.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(cases), BATCH):
            batch = list(cases[start : start + BATCH])
            found = self._ask(batch, BATCH_FACTOR * self.hang)
            if isinstance(found, Outcome):
                found = [self._one(case) for case in batch]
            outcomes += found
        return outcomes

    def _one(self, case: Case) -> Outcome:
        found = self._ask([case], self.hang)
        return found if isinstance(found, Outcome) else found[0]

    def _ask(self, batch: list[Case], seconds: float) -> list[Outcome] | Outcome:
        """The outcomes, or what ended the process."""
        pipe = self._start()
        try:
            pipe.send([tuple(case) for case in batch])
            if self._answers(pipe, seconds):
                return list(pipe.recv())
            self.close()
            error = f"no verdict within {self.hang:g} seconds"
            return Outcome("hung", error=error, seconds=seconds)
        except (EOFError, OSError):
            self.close()
            return Outcome("crashed", error="the process ended in the middle of the call")

    def _answers(self, pipe: Connection, seconds: float) -> bool:
        """Wait for an answer; False once the call has had its time."""
        began, spent = time.monotonic(), self._cpu_seconds()
        while not pipe.poll(min(1.0, seconds)):
            wall, now = time.monotonic() - began, self._cpu_seconds()
            used = wall if now is None or spent is None else now - spent
            if used >= seconds or wall >= BUSY_FACTOR * seconds:
                return False
        return True

    def _cpu_seconds(self) -> float | None:
        """CPU time of the process so far; None where the system does not tell."""
        assert self._process is not None
        try:
            said = Path(f"/proc/{self._process.pid}/stat").read_text("ascii", "replace")
        except OSError:
            return None
        user, system = said.rpartition(")")[2].split()[11:13]  # proc(5): utime and stime
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _start(self) -> Connection:
        if self._pipe is not None and self._process is not None and self._process.poll() is None:
            return self._pipe
        self.close()
        ours, theirs = Pipe()
        place = str(theirs.fileno())
        environment = dict(os.environ)
        if self.hash_seed is not None:
            environment["PYTHONHASHSEED"] = self.hash_seed
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path), place, self.spec],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a checker that prints must not disturb the report
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        try:
            on_time = self._answers(ours, START_SECONDS)
            said = ours.recv() if on_time else "it did not start in time"
        except (EOFError, OSError):
            said = "the process ended while it loaded the checker"
        self._pipe = ours
        if said:
            self.close()
            raise WorkerError(f"{self.spec}: {said}")
        return ours

    def close(self) -> None:
        """Kill the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def serve(place: int, spec: str) -> None:
    """What the process runs: says "" when it has the checker, then answers until it is killed."""
    pipe = Connection(place)
    try:
        check = load(spec)
    except BaseException as error:  # told to the parent, which raises
        pipe.send(f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS])
        return
    pipe.send("")
    while True:
        try:
            cases = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send([call_once(check, Case(*case)) for case in cases])

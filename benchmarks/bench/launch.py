"""Where jobs run: processes of this machine, or tasks of a Ray cluster.

A launcher takes job folders, calls a function with each that begins (and how: ``"started"``, or
``"submitted"`` where it may have to wait), and yields each with its error (None if it ended well),
in whatever order they end. Each phase of a job is a process of its own: what it leaks, or kills,
ends with it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.bench.job import PHASES, run_phase

LOG = "log.txt"
# What is kept of a job's log in its error.
_TAIL_LINES = 12
_NO_RAY = "--ray needs Ray: pip install 'ray[default]'"

Begun = Callable[[Path, str], None]
Launcher = Callable[[Sequence[Path], Begun], Iterator[tuple[Path, str | None]]]


def _nobody(folder: Path, how: str) -> None:
    """Is told what begins, where nobody wants to know."""


def _check_jobs(jobs: int) -> None:
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {jobs}")


def local(jobs: int = 1, *, keep_weights: bool = False) -> Launcher:
    """Run up to ``jobs`` jobs at once on this machine, one after another by default.

    Two that share cores or a GPU slow each other down, which budgets in seconds would measure.

    Raises:
        ValueError: If ``jobs`` is below 1.
    """
    _check_jobs(jobs)

    def launch(
        folders: Sequence[Path], begun: Begun = _nobody
    ) -> Iterator[tuple[Path, str | None]]:
        def one(folder: Path) -> str | None:
            begun(folder, "started")
            return _in_processes(folder, keep_weights)

        with ThreadPoolExecutor(jobs) as pool:
            running = {pool.submit(one, folder): folder for folder in folders}
            try:
                for done in as_completed(running):
                    yield running[done], done.result()
            except BaseException:  # Ctrl-C reaches the processes too; the others do not start
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    return launch


def in_process(
    folders: Sequence[Path], begun: Begun = _nobody
) -> Iterator[tuple[Path, str | None]]:
    """Run jobs in this very process, one after another: for tests and notebooks."""
    for folder in folders:
        begun(folder, "started")
        try:
            for phase in PHASES:
                run_phase(folder, phase)
        except Exception as error:
            yield folder, f"{type(error).__name__}: {error}"
        else:
            yield folder, None


def on_ray(address: str, jobs: int | None = None, *, keep_weights: bool = False) -> Launcher:
    """Run jobs as tasks of the Ray cluster at ``address`` (``local`` starts one here).

    A job takes a core and, where the cluster has any, a GPU. As many run at once as there is room
    for, or up to ``jobs``. Every node must see the folder of results under the same path and have
    corgi-gym installed.

    Raises:
        ImportError: If Ray is not installed, with the command that installs it.
        ValueError: If ``jobs`` is below 1.
    """
    _check_jobs(1 if jobs is None else jobs)
    try:
        import ray
    except ImportError as error:
        raise ImportError(_NO_RAY) from error

    def launch(
        folders: Sequence[Path], begun: Begun = _nobody
    ) -> Iterator[tuple[Path, str | None]]:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
        try:
            gpus = 1 if ray.cluster_resources().get("GPU", 0) >= 1 else 0
            task: Any = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_in_processes)
            left, running = list(folders)[::-1], {}
            while left or running:
                while left and (jobs is None or len(running) < jobs):
                    folder = left.pop()
                    begun(folder, "submitted")
                    running[task.remote(folder.resolve(), keep_weights)] = folder
                (done, *_), _ = ray.wait(list(running))
                folder = running.pop(done)
                try:
                    yield folder, ray.get(done)
                except ray.exceptions.RayError as error:
                    yield folder, f"{type(error).__name__}: {error}"
        finally:
            ray.shutdown()

    return launch


def _in_processes(folder: Path, keep_weights: bool) -> str | None:
    """Run the phases of a job, each in a process; returns the end of its log if one fails."""
    with (folder / LOG).open("a", encoding="utf-8") as log:
        before = log.tell()
        for phase in PHASES:
            module = "corgi_gym.benchmarks.bench._child"
            command = [sys.executable, "-m", module, str(folder), phase, *["keep"] * keep_weights]
            code = subprocess.call(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            tail = "\n".join(_end_of(folder / LOG, before))
            if code < 0:  # the log says nothing of that
                name = signal.Signals(-code).name
                memory = "; is there too little memory?" if name == "SIGKILL" else ""
                return f"{tail}\n{phase} was killed by {name}{memory}".lstrip()
            if code:
                return f"{phase} ended with status {code}: {tail}"
    return None


def _end_of(path: Path, start: int) -> list[str]:
    """The last lines of a log, of what was written from ``start`` (in bytes) on."""
    text = path.read_bytes()[start:].decode("utf-8", errors="replace")
    return text.splitlines()[-_TAIL_LINES:]

"""``corgi-gym audit``: the checker test kit on one checker, or on every shipped family.

The kit itself (`corgi_gym.rewards.audit`) knows checkers only; rows come from `audit_material`.
``audit all`` takes long: it writes each family's result into ``OUT/subjects`` as it is done, goes
on when one fails, and with ``--resume`` keeps what is there.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.audit_material import material
from corgi_gym.benchmarks.provenance import command
from corgi_gym.envs.tasks import family_names
from corgi_gym.rewards.audit import Audit, Limits, audit, table, write
from corgi_gym.rewards.audit.report import write_whole

ALL = "all"
SUBJECTS = "subjects"


def run_audit(
    name: str,
    *,
    family: str | None = None,
    rows: str | None = None,
    reference: str | None = None,
    tasks: int = 200,
    fuzz: int = 2_000,
    seed: int = 0,
    seconds: int = 60,
    out: str = "runs/audit",
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Audit one checker, or ``all`` families.

    Args:
        name: What `corgi_gym.rewards.audit.audit` takes, a family, or ``all``.
        family: Tasks of this family.
        rows: A file of tasks.
        reference: Another checker to compare with.
        tasks: How many tasks.
        fuzz: How many random strings.
        seed: Of tasks and strings.
        seconds: A slow checker gets as many tasks and strings as fit (`Limits.seconds`).
        out: The folder of the results.
        resume: Keep the families that are there.
        say: Prints.

    Returns:
        The exit status: 1 for an exploit, and for a family of ``all`` whose audit failed.

    Raises:
        ValueError: For names or numbers that do not exist.
    """
    for option, value in (("--tasks", tasks), ("--seed", seed + 1), ("--fuzz", fuzz + 1)):
        if value < 1:
            raise ValueError(f"{option} is too small: {value - (option != '--tasks')}")
    if seconds < 1:
        raise ValueError(f"--seconds is too small: {seconds}")
    if name == ALL:
        if family or rows or reference:
            raise ValueError("audit all takes no --family, --rows or --reference")
        settings = {"tasks": tasks, "fuzz": fuzz, "seed": seed, "seconds": seconds}
        return _audit_all(settings, Path(out), resume, say)
    if resume:
        raise ValueError("--resume is for audit all: a single checker is audited in one go")
    found = material(name, family=family, rows=rows, tasks=tasks, seed=seed)
    made = audit(
        found.checker,
        found.rows,
        pool=found.pool,
        reference=reference,
        fuzz=fuzz,
        seed=seed,
        limits=_limits(seconds),
        name=name,
        progress=_progress,
    )
    _progress("")
    say(f"{made.text()}\n")
    _finish([made], write([made], out, command()), say)
    return 1 if made.exploits else 0


def _limits(seconds: int) -> Limits:
    return Limits(seconds=float(seconds), blind_seconds=float(seconds))


def _audit_all(
    settings: Mapping[str, int], out: Path, resume: bool, say: Callable[[str], None]
) -> int:
    """Audit one family after the other; what is done is on disk at any time."""
    names, done = family_names(), _Done(out / SUBJECTS, settings)
    if not resume:
        done.clear()
    audits: list[Audit] = []
    paths: tuple[Path, ...] = ()
    try:
        for number, name in enumerate(names, start=1):
            found, note = done.read(name), "kept"
            if found is None:
                began = time.monotonic()
                found = _audit_family(name, settings, f"[{number}/{len(names)}] {name}")
                if found is None:
                    continue
                done.write(found)
                note = f"{time.monotonic() - began:.0f} s"
            audits.append(found)
            paths = write(audits, out, command())
            say(f"[{number}/{len(names)}] {found.headline()}, {note}")
    except KeyboardInterrupt:
        _progress("")
        say(f"stopped after {len(audits)} of {len(names)}; the same command and --resume goes on")
        raise
    finally:
        _finish(audits, paths, say)
    return 1 if any(found.exploits or found.failed for found in audits) else 0


def _audit_family(name: str, settings: Mapping[str, int], title: str) -> Audit | None:
    """The audit of one family, even if that fails; None if the family is not installed."""
    tasks, fuzz, seed = (settings[key] for key in ("tasks", "fuzz", "seed"))
    try:
        _progress(f"{title}: tasks")
        found = material(name, family=None, rows=None, tasks=tasks, seed=seed)
        return audit(
            found.checker,
            found.rows,
            pool=found.pool,
            fuzz=fuzz,
            seed=seed,
            limits=_limits(settings["seconds"]),
            name=name,
            progress=lambda check: _progress(f"{title}: {check}"),
        )
    except ImportError as error:
        warnings.warn(f"{name} was left out: {error}", RuntimeWarning, stacklevel=3)
        return None
    except Exception as error:  # the other families are audited all the same
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        said = f"{type(error).__name__}: {error} ({place})"
        return Audit.that_failed(name, said, tasks=tasks, fuzz=fuzz, seed=seed)
    finally:
        _progress("")


class _Done:
    """The results of single families, each in a file of its own.

    Args:
        folder: Where they lie.
        settings: What they were made with; results of other settings do not count.
    """

    def __init__(self, folder: Path, settings: Mapping[str, int]) -> None:
        self.folder, self.settings = folder, dict(settings)

    def clear(self) -> None:
        """Forget what an older run has left."""
        for path in self.folder.glob("*.json"):
            path.unlink()

    def read(self, name: str) -> Audit | None:
        """A finished audit with these settings; None where there is none, or it had failed."""
        try:
            data: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
            found = Audit.from_dict(data["audit"])
        except (OSError, ValueError, KeyError, TypeError):  # not there, or cut in half
            return None
        return found if data["settings"] == self.settings and not found.failed else None

    def write(self, found: Audit) -> None:
        """Keep the audit of one family."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = {"settings": self.settings, "audit": found.to_dict()}
        write_whole(self.folder / f"{found.name}.json", json.dumps(data, indent=1, default=repr))


def _finish(audits: list[Audit], paths: tuple[Path, ...], say: Callable[[str], None]) -> None:
    if audits:
        say(table(audits))
    for path in paths:
        say(f"wrote {path}")


def _progress(text: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

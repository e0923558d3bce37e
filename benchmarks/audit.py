"""``corgi-gym audit``: the checker test kit on one checker, or on every shipped family.

The kit itself (`corgi_gym.rewards.audit`) knows checkers only; rows come from `audit_material`.
``audit all`` takes long: it writes each family's result into ``OUT/subjects`` as it is done, goes
on when one fails, and with ``--resume`` keeps what is there.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.audit_material import (
    check_family,
    family_of,
    file_rows,
    find_checker,
    material,
)
from corgi_gym.benchmarks.provenance import command
from corgi_gym.benchmarks.run_writer import RunFolder
from corgi_gym.envs import family_names
from corgi_gym.rewards.audit import Audit, Limits, audit, table, write
from corgi_gym.rewards.audit.report import JSON_NAME, PAGE_NAME, TABLE_NAME, write_whole
from corgi_gym.rewards.audit.runner import checker_of, rows_for

ALL = "all"
SUBJECTS = "subjects"


class AuditFolder(RunFolder):
    """The folder of one ``corgi-gym audit``; see `RunFolder` for what it raises."""

    results = (SUBJECTS, JSON_NAME, PAGE_NAME, TABLE_NAME)
    resumes = False


class AllFolder(AuditFolder):
    """The folder of ``audit all``, which can go on."""

    resumes = True


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
    out: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Audit one checker, or ``all`` families.

    Args:
        name: What `corgi_gym.rewards.audit.audit` takes, a family, or ``all``.
        family: Tasks of this family; None: of the one that belongs to the name (`family_of`).
        rows: A file of tasks.
        reference: Another checker to compare with.
        tasks: How many tasks.
        fuzz: How many random strings.
        seed: Of tasks and strings.
        seconds: A slow checker gets as many tasks and strings as fit (`Limits.seconds`).
        out: The folder of the results; None: ``runs/audit/NAME``, where those of an earlier audit
            of the same single checker are replaced, so that it can be mended and audited again.
        overwrite: Replace the results in that folder.
        resume: Keep the families that are there.
        say: Prints.

    Returns:
        The exit status: 1 for an exploit, and for a family of ``all`` whose audit failed.

    Raises:
        ValueError: For names or numbers that do not exist.
        FileExistsError: If there are results in ``out``.
        OSError: If ``out`` cannot be written to; found before the work.
    """
    for option, value in (("--tasks", tasks), ("--seed", seed + 1), ("--fuzz", fuzz + 1)):
        if value < 1:
            raise ValueError(f"{option} is too small: {value - (option != '--tasks')}")
    if seconds < 1:
        raise ValueError(f"--seconds is too small: {seconds}")
    if out is None:
        out = f"runs/audit/{re.sub(r'[^A-Za-z0-9_.-]+', '-', name).strip('-.') or 'checker'}"
        overwrite = overwrite or name != ALL
    if name == ALL:
        if family or rows or reference:
            raise ValueError("audit all takes no --family, --rows or --reference")
        if overwrite and resume:
            raise ValueError("overwrite starts anew and resume goes on: choose one of the two")
        settings = {"tasks": tasks, "fuzz": fuzz, "seed": seed, "seconds": seconds}
        goes_on = (Path(out) / SUBJECTS).exists()  # else what is there is of a single checker
        kind = AllFolder if goes_on else AuditFolder
        folder = kind(out, overwrite=overwrite, resume=resume and goes_on)
        return _audit_all(settings, folder, say)
    if resume:
        raise ValueError("--resume is for audit all: a single checker is audited in one go")
    _check_names(name, family, rows, reference)
    folder = AuditFolder(out, overwrite=overwrite)
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
        origin=found.origin,
        progress=_progress,
        say=_at_once(say),
    )
    _progress("")
    say(f"{made.text(str(folder.path / JSON_NAME))}\n")
    folder.clear()
    _finish([made], write([made], folder.path, command()), say)
    return 1 if made.exploits else 0


def _check_names(name: str, family: str | None, rows: str | None, reference: str | None) -> None:
    """Find what does not exist before a folder is made, and a family's tasks, which may take long.

    Raises:
        ValueError: As `audit` and `material` do, and for a family and rows at once.
        ImportError: If a family needs an extra that is not installed.
    """
    if family is not None and rows is not None:
        raise ValueError("--rows and --family both give the tasks: choose one of the two")
    chosen = None if rows is not None else family or family_of(name)
    if chosen is not None:
        check_family(chosen)
    if chosen != name:
        check = find_checker(name)
        if chosen is None:
            rows_for(check, () if rows is None else file_rows(rows))
    if reference is not None:
        checker_of(reference)


def _limits(seconds: int) -> Limits:
    return Limits(seconds=float(seconds), blind_seconds=float(seconds))


def _audit_all(settings: Mapping[str, int], folder: RunFolder, say: Callable[[str], None]) -> int:
    """Audit one family after the other; what is done is on disk at any time."""
    folder.clear()
    names, done = family_names(), _Done(folder.path / SUBJECTS, settings)
    audits: list[Audit] = []
    paths: tuple[Path, ...] = ()
    try:
        for number, name in enumerate(names, start=1):
            found, note = done.read(name), "kept"
            if found is None:
                began = time.monotonic()
                title = f"[{number}/{len(names)}] {name}"
                found = _audit_family(name, settings, title, _at_once(say))
                if found is None:
                    continue
                done.write(found)
                note = f"{time.monotonic() - began:.0f} s"
            audits.append(found)
            paths = write(audits, folder.path, command())
            say(f"[{number}/{len(names)}] {found.headline()}, {note}")
    except KeyboardInterrupt:
        _progress("")
        say(f"stopped after {len(audits)} of {len(names)}; the same command and --resume goes on")
        raise
    finally:
        _finish(audits, paths, say)
    return 1 if any(found.exploits or found.failed for found in audits) else 0


def _audit_family(
    name: str, settings: Mapping[str, int], title: str, say: Callable[[str], None]
) -> Audit | None:
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
            origin=found.origin,
            progress=lambda check: _progress(f"{title}: {check}"),
            say=say,
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


def _at_once(say: Callable[[str], None]) -> Callable[[str], None]:
    """``say`` on a line of its own that does not wait in a buffer."""

    def said(text: str) -> None:
        _progress("")
        say(text)
        sys.stdout.flush()

    return said


def _progress(text: str) -> None:
    """One line that is written over, on a terminal only."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

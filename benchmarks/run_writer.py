"""The folder of a run: what is written, and that it survives.

``config.json``, ``metrics.jsonl``, ``episodes.jsonl``, ``progress.json``, ``summary.json``,
``checkpoints/``, ``checkpoint/`` and ``report.html``. Rows are appended and flushed as they happen;
whole files are written beside their place and renamed, so a reader never sees half of one. A run
that goes on after a kill cuts the rows back to where its checkpoint was taken (`RunFolder.cut`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

ROWS = ("metrics.jsonl", "episodes.jsonl", "curve.jsonl")
FILES = ("config.json", *ROWS, "progress.json", "summary.json", "report.html")
# What a run goes on from; a new run in the same folder must not find the old one's.
CHECKPOINTS = "checkpoints"
# The trainer's own files while it runs: one folder per process, with its number.
SCRATCH = ".trainer"


def load_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is not JSON; the message has the file's name.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


class RunFolder:
    """One run's folder.

    Args:
        path: Where; made if missing.
        overwrite: Replace the results of an earlier run in it, which stay until `clear`: what is
            needed for the new one may fail to load.
        resume: Go on with the run in it; nothing is removed.

    Raises:
        FileExistsError: If it already holds a run and neither is set.
        OSError: If it cannot be written to; the message names it.
    """

    # What an earlier run has left if it left anything.
    results: ClassVar[tuple[str, ...]] = (CHECKPOINTS, "checkpoint", *FILES, "curve.svg")
    # Whether the command that writes it can go on with what is there.
    resumes: ClassVar[bool] = True

    def __init__(self, path: str | Path, *, overwrite: bool = False, resume: bool = False) -> None:
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".write-test"
            probe.write_text("x")
            probe.unlink()
        except OSError as error:
            raise OSError(
                f"run folder {str(self.path)!r} cannot be written to ({error.strerror or error}); "
                "choose another with --out"
            ) from error
        if not (overwrite or resume):
            self.check_free(self.path)
        for scratch in self.path.glob(f"{SCRATCH}*"):
            shutil.rmtree(scratch, ignore_errors=True)
        self._old = self._held(self.path) if overwrite else []

    @classmethod
    def check_free(cls, path: str | Path) -> None:
        """Refuse a folder that holds a run; nothing is made or changed.

        Raises:
            FileExistsError: If there is anything of a run in it.
        """
        if held := cls._held(Path(path)):
            go_on = " go on with it with --resume," if cls.resumes else ""
            raise FileExistsError(
                f"run folder {str(path)!r} already holds a run ({', '.join(held)}); "
                f"choose another with --out,{go_on} or pass --overwrite"
            )

    @classmethod
    def _held(cls, path: Path) -> list[str]:
        return [name for name in cls.results if (path / name).exists()]

    def check_kept(self, model: str) -> None:
        """Refuse to overwrite the model that the new run starts from.

        Raises:
            ValueError: If ``model`` lies in what is to be removed.
        """
        place = Path(model).expanduser().resolve()
        for name in self._old:
            held = (self.path / name).resolve()
            if held == place or held in place.parents:
                raise ValueError(
                    f"--overwrite would remove the model {model!r} that this starts from; choose "
                    "another folder with --out"
                )

    def clear(self) -> None:
        """Remove what is to be overwritten."""
        if self._old:
            self._remove(self._old)
            self._old = []

    def _remove(self, names: list[str]) -> None:
        for name in names:
            path = self.path / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def write_json(self, name: str, data: Any) -> None:
        """Write a whole file, atomically."""
        self.replace(name, to_json(data) + "\n")

    def read_json(self, name: str) -> Any:
        """Read a file that `write_json` wrote; None if there is none.

        Raises:
            ValueError: If it is not JSON; the message names it.
        """
        try:
            return load_json(self.path / name)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}; start anew with --overwrite") from error

    def replace(self, name: str, text: str) -> None:
        """Write ``text`` to a file beside its place, then rename it.

        Raises:
            OSError: For example on a full disk; the message names the file, the old one stays.
        """
        target = self.path / name
        scratch = target.with_name(f".{name}.tmp")
        try:
            with scratch.open("w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # or the new name may reach the disk before the text
            os.replace(scratch, target)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise _named(error, target) from error

    def append(self, name: str, row: dict[str, Any]) -> None:
        """Append one row to a ``.jsonl`` file and flush it.

        Raises:
            OSError: For example on a full disk; the message names the file.
        """
        target = self.path / name
        try:
            # a lone surrogate, which UTF-8 cannot hold, becomes the JSON escape \\udxxx
            with target.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(json.dumps(row, ensure_ascii=False, allow_nan=True) + "\n")
        except OSError as error:
            raise _named(error, target) from error

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The whole rows of a file that `append` wrote; none if there is no such file."""
        path = self.path / name
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def sizes(self) -> dict[str, int]:
        """Bytes of each file of rows, all of them on the disk."""
        found = {}
        for name in ROWS:
            path = self.path / name
            if path.exists():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                found[name] = path.stat().st_size
        return found

    def cut(self, sizes: Mapping[str, int]) -> None:
        """Cut the files of rows back to earlier `sizes`; one that is not named becomes empty.

        Raises:
            ValueError: If a file is shorter than that: rows are lost. Nothing is cut then.
        """
        paths = {self.path / name: sizes.get(name, 0) for name in ROWS}
        for path, size in paths.items():
            held = path.stat().st_size if path.exists() else 0
            if held < size:
                raise ValueError(
                    f"{path} has {held} bytes where the checkpoint was taken at {size}: rows are "
                    "lost, so the run cannot go on; start anew with --overwrite"
                )
        for path, size in paths.items():
            if path.exists():
                os.truncate(path, size)

    def replace_folder(self, scratch: Path, name: str) -> None:
        """Move a finished folder into place, removing the one before it.

        It is on the disk then: what made it may be removed.
        """
        from corgi_gym.agents.checkpoints import flush

        for path in (*scratch.rglob("*"), scratch):
            flush(path)
        target = self.path / name
        old = self.path / f".{name}.old"
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            os.replace(target, old)
        os.replace(scratch, target)
        flush(self.path)
        shutil.rmtree(old, ignore_errors=True)


class SilentFolder(RunFolder):
    """A run's folder as the other processes of the run see it: to be read only."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def clear(self) -> None:
        """The main process does it."""

    def replace(self, name: str, text: str) -> None:
        """The main process writes it."""

    def append(self, name: str, row: dict[str, Any]) -> None:
        """The main process writes it."""

    def replace_folder(self, scratch: Path, name: str) -> None:
        """The main process has its own."""
        shutil.rmtree(scratch)


def to_json(data: Any) -> str:
    """Plain data as JSON. Checkers are named; other objects that JSON does not know are described.

    The same in every process: what is resumed is compared with it.

    Example:
        >>> print(to_json({"checker": print}))
        {
          "checker": "builtins.print"
        }
    """

    def describe(item: Any) -> str:
        if name := getattr(item, "name", None):
            return str(name)
        if name := getattr(item, "__qualname__", None):
            return f"{item.__module__}.{name}"
        return re.sub(r" at 0x[0-9a-f]+", "", repr(item))

    return json.dumps(data, indent=2, ensure_ascii=False, default=describe)


def _named(error: OSError, path: Path) -> OSError:
    return OSError(
        error.errno,
        f"{error.strerror or error}: what was written before is safe; free some space or choose "
        "another folder with --out",
        str(path),
    )

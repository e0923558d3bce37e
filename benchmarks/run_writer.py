"""The folder of a run: what is written, and that it survives.

``config.json``, ``metrics.jsonl``, ``episodes.jsonl``, ``summary.json``, ``checkpoint/`` and
``report.html``. Rows are appended and flushed as they happen; whole files are written beside their
place and renamed, so a reader never sees half of one.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

FILES = ("config.json", "metrics.jsonl", "episodes.jsonl", "summary.json", "report.html")


class RunFolder:
    """One run's folder.

    Args:
        path: Where; made if missing.
        overwrite: Replace the results of an earlier run in it.

    Raises:
        FileExistsError: If it already holds a run and ``overwrite`` is not set.
        OSError: If it cannot be written to; the message names it.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False) -> None:
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
        held = [name for name in FILES if (self.path / name).exists()]
        if held and not overwrite:
            raise FileExistsError(
                f"run folder {str(self.path)!r} already holds a run ({', '.join(held)}); "
                "choose another with --out, or pass --overwrite"
            )
        for name in held:
            (self.path / name).unlink()

    def write_json(self, name: str, data: Any) -> None:
        """Write a whole file, atomically."""
        # checkers are named; anything else that JSON does not know is described
        text = json.dumps(
            data,
            indent=2,
            ensure_ascii=False,
            default=lambda o: getattr(o, "name", None) or repr(o),
        )
        self.replace(name, text + "\n")

    def replace(self, name: str, text: str) -> None:
        """Write ``text`` to a file beside its place, then rename it.

        Raises:
            OSError: For example on a full disk; the message names the file, the old one stays.
        """
        target = self.path / name
        scratch = target.with_name(f".{name}.tmp")
        try:
            scratch.write_text(text, encoding="utf-8", errors="backslashreplace")
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

    def replace_folder(self, scratch: Path, name: str) -> None:
        """Move a finished folder into place, removing the one before it."""
        target = self.path / name
        shutil.rmtree(target, ignore_errors=True)
        os.replace(scratch, target)


def _named(error: OSError, path: Path) -> OSError:
    return OSError(
        error.errno,
        f"{error.strerror or error}: what was written before is safe; free some space or choose "
        "another folder with --out",
        str(path),
    )

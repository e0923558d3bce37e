"""Answers that are kept, in memory and optionally in a folder: the same question is asked once."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Answers kept in memory; the oldest go first. About 1 KB each.
MAX_IN_MEMORY = 10_000


class AnswerCache:
    """Texts by key; a folder makes them last.

    Files are written beside their place and renamed, so a killed process leaves none half done, and
    processes that share the folder never read half an answer. A file that cannot be read counts as
    absent; one that cannot be written is a warning, once.

    Args:
        folder: Where to keep answers, or ``None`` for memory alone.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else None
        self._answers: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._warned = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """A copy shares the folder, not the memory."""
        return AnswerCache, (self.folder,)

    def get(self, key: str) -> str | None:
        """The answer under a key, if there is one."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        if self.folder is None:
            return None
        try:
            data = json.loads(self._path(key).read_text("utf-8"))
            answer = data["answer"] if data["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return answer if isinstance(answer, str) else None

    def put(self, key: str, answer: str) -> None:
        """Keep an answer."""
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > MAX_IN_MEMORY:
                self._answers.popitem(last=False)
        if self.folder is not None:
            try:
                self._write(self._path(key), json.dumps({"key": key, "answer": answer}))
            except OSError as error:
                if not self._warned:
                    self._warned = True
                    text = f"the judge's answers cannot be kept in {self.folder}: {error}"
                    warnings.warn(text, RuntimeWarning, stacklevel=2)

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.json"

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(scratch, path)
        except OSError:
            Path(scratch).unlink()
            raise

"""Runs a program that a model wrote: the only module that does, and only in a guarded child.

Called through `corgi_gym.rewards.isolate` with ``fresh=True``. It knows the inputs and never the
outputs that are expected, so a program that takes over this process has gained nothing.
"""

from __future__ import annotations

import importlib
import random
import signal
from types import FrameType
from typing import Any

from corgi_gym.rewards._isolate_codec import describe, encode

# Imported before the fork: what short programs use starts at once, and its native parts are loaded
# while shared libraries can still be read.
_PRELOADED = (
    "abc", "array", "base64", "binascii", "bisect", "calendar", "cmath", "collections",
    "collections.abc", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "heapq", "itertools", "json", "math", "numbers", "operator", "queue",
    "random", "re", "statistics", "string", "struct", "textwrap", "time", "typing", "unicodedata",
    "zlib",
)  # fmt: skip
for _name in _PRELOADED:
    importlib.import_module(_name)


class _TimeUp(BaseException):
    """Not an `Exception`, so that ``except Exception`` in a loop does not hold it up."""


def _time_up(number: int, frame: FrameType | None) -> None:
    raise _TimeUp


def run(
    prelude: str, source: str, name: str, calls: list[tuple[Any, ...]], cpu_seconds: float
) -> tuple[str, Any]:
    """Define the program and call its function for each of the arguments.

    Args:
        prelude: Trusted code before the program: imports and helpers of the task.
        source: The program.
        name: The function to call.
        calls: Arguments of each call.
        cpu_seconds: Time per call (and for the definition). A program can switch this off: then
            the deadline of the process ends it.

    Returns:
        ``("prelude", error)``: the task's own code fails; ``("syntax", (line, text))``,
        ``("definition", error)``, ``("missing", names)``, or
        ``("ran", results)``: per call ``("value", encoded)``, ``("raised", error)``,
        ``("no_data", type)`` or ``("timeout", None)``, after which no more calls follow.
    """
    random.seed(0)  # noqa: TID251 (this process is the program's own: equal runs are equal)
    signal.signal(signal.SIGPROF, _time_up)
    namespace: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(prelude, "<task>", "exec"), namespace)
    except Exception as error:
        return "prelude", describe(error)
    given = set(namespace)
    try:
        code = compile(source, "<program>", "exec")
    except SyntaxError as error:
        return "syntax", (error.lineno, str(error.msg))
    except (ValueError, MemoryError, RecursionError) as error:  # NUL, surrogates, deep nesting
        return "syntax", (None, describe(error))
    try:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        exec(code, namespace)
    except _TimeUp:
        return "definition", None
    except BaseException as error:
        return "definition", describe(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if not callable(namespace.get(name)):
        return "missing", [key for key in namespace if isinstance(key, str) and key not in given]
    results: list[tuple[str, Any]] = []
    for arguments in calls:
        results.append(_call(namespace[name], arguments, cpu_seconds))
        if results[-1][0] == "timeout":
            break
    return "ran", results


def _call(function: Any, arguments: tuple[Any, ...], cpu_seconds: float) -> tuple[str, Any]:
    try:
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        value = function(*arguments)
    except _TimeUp:
        return "timeout", None
    except BaseException as error:
        return "raised", describe(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    try:
        return "value", encode(value)
    except TypeError:
        return "no_data", type(value).__name__
    except BaseException as error:  # an object that fails while it is read
        return "raised", describe(error)

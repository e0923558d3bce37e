"""Programs in replies: finding the code, running it isolated, and showing what came out."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from corgi_gym.rewards._isolate_codec import decode
from corgi_gym.rewards.isolate import Isolated, IsolationError, Outcome
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem

# CPU time for one call. The slowest shipped reference solution needs a tenth of it.
CALL_SECONDS = 1.0
# CPU time for a process: what ends programs that hold off the first limit.
PROCESS_SECONDS = 3.0
# Clock time for a program with all its calls, twice if it has to be repeated call by call: what
# ends programs that wait. Long, so that a busy machine does not call a right program too slow.
PROGRAM_SECONDS = 8.0
# When that time is used up, a call still gets this much.
_LEAST_SECONDS = 0.05
# Every shipped reference solution runs in a fraction of it.
MEMORY_MB = 512
# Longest value in a message: a list of about 20 numbers.
MAX_SHOWN_CHARS = 80
# A whole number beyond this is described by its size: Python refuses to print long ones.
_MAX_SHOWN_BITS = 256
_MAX_SHOWN_DEPTH = 8

_FENCE = re.compile(r"^[ \t]*```[^\n`]*$", re.MULTILINE)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_BRACKETS: dict[type, str] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}", dict: "{}"}

ResultKind = Literal["value", "raised", "no_data", "timeout", "memory", "crashed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one call: a value, or how it failed.

    Attributes:
        kind: ``value``; ``raised`` an exception; ``no_data``: a value that is no plain data;
            ``timeout``; ``memory``; ``crashed``: the process ended.
        value: The value, for ``value``.
        text: The exception, or the type of the value; "" to say neither.
    """

    kind: ResultKind
    value: Any = None
    text: str = ""

    def sentence(self, call: str) -> str:
        """What happened, for the model: ``f(3) gives 4``, without a full stop.

        Example:
            >>> Result("value", 4).sentence("f(3)")
            'f(3) gives 4'
        """
        if self.kind == "value":
            return f"{call} gives {show(self.value)}"
        if self.kind == "raised":
            what = quote(self.text, MAX_SHOWN_CHARS) if self.text else "an exception"
            return f"{call} raises {what}"
        if self.kind == "no_data":
            what = f"an object of type {quote(self.text)}" if self.text else "an object"
            return f"{call} gives {what}, not plain data"
        if self.kind == "timeout":
            return f"{call} does not end in time (an infinite loop?)"
        if self.kind == "memory":
            return f"{call} uses too much memory"
        return f"{call} ends the Python process"


def extract_code(reply: str) -> str | Problem:
    """The code of a reply: its one fenced block, or all of it when there is no fence.

    Nothing is cut: imports before the function and text after it stay. A fence that is not closed
    (a reply that was cut off) reaches to the end.
    """
    fences = list(_FENCE.finditer(reply))
    if not fences:
        return reply
    if len(fences) > 2:
        text = f"You wrote {(len(fences) + 1) // 2} code blocks. Write exactly one."
        return Problem("one_block", text, fences[2].span())
    end = fences[1].start() if len(fences) == 2 else len(reply)
    return reply[fences[0].end() : end].strip("\n")


def run_program(
    source: str, name: str, calls: Sequence[tuple[Any, ...]], *, prelude: str = ""
) -> list[Result] | Problem:
    """Run a program in a guarded process of its own and call its function.

    Returns:
        A result per call, up to the first that does not end, or why there is none: a syntax error,
        an error while defining, no such function.

    Raises:
        IsolationError: If the program could not be run, through no fault of its own.
    """
    outcome = _POOL.call(prelude, source, name, list(calls), CALL_SECONDS)
    found = _read(outcome, name, len(calls))
    if found is not None:
        return found
    # The process was ended. Which call did it? Run them one at a time, the definition first.
    results: list[Result] = []
    until = time.monotonic() + PROGRAM_SECONDS
    for call in (None, *calls):
        left = max(until - time.monotonic(), _LEAST_SECONDS)
        some = [] if call is None else [call]
        outcome = _POOL.call(prelude, source, name, some, CALL_SECONDS, deadline=left)
        found = _read(outcome, name, len(some))
        if isinstance(found, Problem):
            return found
        if found is None:
            kind: ResultKind = "crashed"
            if outcome.status in ("timeout", "memory"):
                kind = "timeout" if outcome.status == "timeout" else "memory"
            if call is None:
                text = Result(kind).sentence("Running your code")
                return Problem("definition", f"{text}, before any function is called.")
            return [*results, Result(kind)]
        results += found
    return [*results[:-1], Result("timeout")]  # each is fast enough alone, all together are not


def _read(outcome: Outcome, name: str, count: int) -> list[Result] | Problem | None:
    """What `_program_child.run` returned; None for a process that failed or a forged answer."""
    if outcome.status != "ok":
        return None
    try:
        kind, inner = outcome.value
        if kind == "prelude":
            raise IsolationError(f"the task's own code fails: {inner}")
        if kind == "syntax":
            line, text = inner
            where = f" in line {int(line)}" if line is not None else ""
            return Problem("syntax", f"Your code has a syntax error{where}: {_clean(text)}.")
        if kind == "definition":
            what = "does not end" if inner is None else f"raises {quote(_clean(inner), 80)}"
            return Problem("definition", f"Your code {what} before any function is called.")
        if kind == "missing":
            defined = f" It defines {quote(', '.join(inner), 60)}." if inner else ""
            return Problem("function", f"Your code does not define a function {name}.{defined}")
        if kind != "ran" or len(inner) > count:
            return None
        results = [_result(*one) for one in inner]
    except (TypeError, ValueError, AttributeError, RecursionError):
        return None
    complete = len(results) == count or (results and results[-1].kind == "timeout")
    return results if complete else None


def _result(kind: str, inner: Any) -> Result:
    if kind == "value":
        return Result("value", decode(inner))
    if kind == "timeout":
        return Result("timeout")
    if kind not in ("raised", "no_data"):
        raise ValueError(f"unknown result {kind!r:.40}")
    return Result("raised" if kind == "raised" else "no_data", None, _clean(inner))


def _clean(text: str) -> str:
    """Without memory addresses, which differ from run to run."""
    return _ADDRESS.sub("", text)


def show(value: Any, limit: int = MAX_SHOWN_CHARS) -> str:
    """A value as Python writes it, quoted safely and cut to ``limit`` characters.

    Example:
        >>> show([1, "two", 3.0]), show(10**200)
        ("[1, 'two', 3.0]", 'a number of about 200 digits')
    """
    return quote(_clean(_text(value, limit)), limit)[1:-1]


def _text(value: Any, limit: int, depth: int = 0) -> str:
    if isinstance(value, int) and value.bit_length() > _MAX_SHOWN_BITS:
        return f"a number of about {int(value.bit_length() * 0.30103)} digits"
    brackets = _BRACKETS.get(type(value))
    if brackets is None or not value:
        return repr(value[: limit + 1] if isinstance(value, (str, bytes)) else value)
    if depth == _MAX_SHOWN_DEPTH:
        return "…"
    parts: list[str] = []
    length = 0
    # a set has another order in every process
    items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    for item in items:
        if length > limit:  # of all before it, with brackets
            parts.append("…")
            break
        text = _text(item, limit, depth + 1)
        if isinstance(value, dict):
            text += f": {_text(value[item], limit, depth + 1)}"
        length += len(text) + 2
        parts.append(text)
    end = "," if isinstance(value, tuple) and len(parts) == 1 else ""
    return f"{brackets[0]}{', '.join(parts)}{end}{brackets[1]}"


def _make_pool() -> Isolated:
    return Isolated(
        "corgi_gym.rewards._program_child:run",
        workers=2,
        deadline=PROGRAM_SECONDS,
        cpu_seconds=PROCESS_SECONDS,
        memory_mb=MEMORY_MB,
        fresh=True,
        reads="stdlib",
    )


_POOL = _make_pool()  # no process is started before the first program


__all__ = ["IsolationError", "Result", "extract_code", "run_program", "show"]

"""Calling a checker that may raise, loop, crash or lie: `Case` in, `Outcome` out.

A checker that another process can find (`locate`) is audited in one (`worker`), so that a call that
never ends is a finding and not the end of the audit. A checker that only exists here (a lambda, a
closure) is called in this process, without that protection.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import inspect
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from corgi_gym.rewards.builtin import BUILTIN
from corgi_gym.rewards.isolated_checker import PREFIX
from corgi_gym.rewards.registry import (
    NamedChecker,
    as_verdict,
    checker_name,
    get_checker,
    judge,
    only_here,
)
from corgi_gym.rewards.verdict import Checker, Verdict

Status = Literal["scored", "unscored", "raised", "hung", "crashed"]

# Longest account of an error.
MAX_ERROR_CHARS = 300
# How the module of a checker's file is called here; no other process knows it by this name.
_LOADED = "_audited_"


class Case(NamedTuple):
    """One call.

    Attributes:
        reply: Any string.
        target: What to compare with.
        guarded: Call through `judge`, as environments do; else the bare checker.
        watch: Also find out whether the call changes the target.
    """

    reply: str
    target: Any
    guarded: bool = True
    watch: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: plain data that travels between processes.

    ``hung`` and ``crashed`` are what a worker reports of a call that did not end or ended it.
    """

    status: Status
    score: float = 0.0
    problems: tuple[tuple[str, str, tuple[int, int] | None], ...] = ()
    metrics: tuple[tuple[str, float], ...] = ()
    error: str = ""
    seconds: float = 0.0
    mutated: bool = False

    @property
    def success(self) -> bool:
        """Full marks."""
        return self.status == "scored" and self.score == 1.0

    @property
    def failed(self) -> bool:
        """No verdict came back."""
        return self.status in ("raised", "hung", "crashed")

    def verdict(self) -> tuple[Any, ...]:
        """All that must not depend on time, order or process."""
        return (self.status, self.score, self.problems, self.metrics, self.error)

    def words(self) -> str:
        """For people.

        Example:
            >>> Outcome("scored", 0.5, (("low", "Too low.", None),)).words()
            'score 0.5: Too low.'
        """
        if self.failed:
            return f"{self.status}: {self.error}"
        said = " ".join(message for _, message, _ in self.problems)
        start = "score" if self.status == "scored" else "unscored, score"
        return f"{start} {self.score:.4g}" + (f": {said}" if said else "")


def call_once(check: Checker, case: Case) -> Outcome:
    """Make one call in this process. `SystemExit` counts as raising; Ctrl-C passes through."""
    before = copy.deepcopy(case.target) if case.watch else None
    start = time.process_time()
    try:
        if case.guarded:
            verdict = judge(check, case.reply, case.target)
        else:
            verdict = as_verdict(check(case.reply, case.target), checker_name(check))
    except (Exception, SystemExit) as error:
        seconds = time.process_time() - start
        return Outcome("raised", error=_describe(error), seconds=seconds)
    seconds = time.process_time() - start
    mutated = case.watch and not _same(before, case.target)
    return _outcome(verdict, seconds, mutated)


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS]
    except Exception:  # the error's own __str__ fails
        return type(error).__name__


def _outcome(verdict: Verdict, seconds: float, mutated: bool) -> Outcome:
    problems = tuple((p.kind, p.message, p.where) for p in verdict.problems)
    metrics = tuple(sorted(verdict.metrics.items()))
    return Outcome(verdict.status, verdict.score, problems, metrics, "", seconds, mutated)


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # arrays, say: their texts will do
        return repr(one) == repr(other)


# ---------------------------------------------------------------- where a checker lives


def load(spec: str) -> Checker:
    """The checker that ``spec`` names.

    Args:
        spec: A name (`get_checker`), ``"module:function"``, ``"path/to/file.py:function"``, or
            ``"isolated:"`` before a name or ``"module:function"``.

    Raises:
        ValueError: If there is no such checker, file, module or function, if the file or module
            cannot be imported, or if what is there is no checker.
    """
    place, colon, attribute = spec.rpartition(":")
    if spec.startswith(PREFIX):
        if ".py" in (Path(spec).suffix, Path(place).suffix):
            raise ValueError(f"{spec}: {PREFIX} takes a name or module:function, and no file")
        _see_working_folder()
        return get_checker(spec)
    if spec.endswith(".py"):
        raise ValueError(f"write {spec}:NAME; it has: {_offered(_load_file(spec))}")
    if not colon:
        return get_checker(spec)
    if place.endswith(".py"):
        module = _load_file(place)
    else:
        _see_working_folder()
        with _importing(place):
            module = importlib.import_module(place)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{place} has no {attribute!r}; it has: {_offered(module)}")
        found = getattr(found, part)
    if not callable(found) and not isinstance(found, str):
        raise ValueError(f"{spec} is {found!r:.80}; give a function: {_offered(module)}")
    try:
        return get_checker(found)
    except TypeError as error:
        raise ValueError(f"{spec}: {error}") from error


def _see_working_folder() -> None:
    """Let modules be imported from the working folder, as `python -m` does."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


@contextmanager
def _importing(place: str) -> Iterator[None]:
    """Whatever ends an import is a `ValueError` that says where; Ctrl-C passes through."""
    try:
        yield
    except (Exception, SystemExit) as error:
        said = " ".join(_describe(error).split())
        raise ValueError(f"cannot import {place!r}: {said}{_line(error)}") from error


def _line(error: BaseException) -> str:
    """The last line of the imported file that an error came through.

    "" where it was not run at all: there is no such module, or the error is one of syntax, which
    names its line itself.
    """
    machinery = (__file__, importlib.__file__)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename not in machinery and not frame.filename.startswith("<frozen ")
    ]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""


def _offered(module: Any) -> str:
    names = sorted(n for n, v in vars(module).items() if _is_own_function(v, module))
    return ", ".join(names) or "no function"


def _is_own_function(value: Any, module: Any) -> bool:
    value = value.function if isinstance(value, NamedChecker) else value
    return inspect.isfunction(value) and value.__module__ == module.__name__


def _load_file(place: str) -> Any:
    path = Path(place).resolve()
    if not path.is_file():
        raise ValueError(f"no file {place!r}: give path/to/file.py:function")
    name = f"{_LOADED}{path.stem}_{abs(hash(str(path))):x}"
    for known in sys.modules.values():
        if getattr(known, "__name__", "").startswith(_LOADED) and known.__file__ == str(path):
            return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing(place):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def locate(check: Checker) -> str | None:
    """Where another process finds ``check``, or None.

    Example:
        >>> locate(get_checker("panagram")), locate(lambda reply, target: True)
        ('panagram', None)
    """
    named = check if isinstance(check, NamedChecker) else None
    if named and named.name in BUILTIN and get_checker(named.name) is named:
        return named.name
    function: Any = named.function if named else check
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    own = [n for n, v in vars(module).items() if v is check or v is function] if module else []
    file = getattr(module, "__file__", None)
    if not own:
        return None
    try:
        origin = importlib.util.find_spec(module.__name__) if module else None
    except (ImportError, ValueError, AttributeError):
        origin = None
    loaded = module is not None and module.__name__.startswith(_LOADED)
    if module and not loaded and origin is not None and file and origin.origin == file:
        return f"{module.__name__}:{own[0]}"
    return f"{file}:{own[0]}" if file and file.endswith(".py") else None


def place(given: str | Checker, check: Checker) -> str | None:
    """Where another process finds ``check``, which ``given`` stands for (`load`), or None."""
    return given if isinstance(given, str) and not only_here(given) else locate(check)


# ---------------------------------------------------------------- callers


def in_process(check: Checker) -> Callable[[Sequence[Case]], list[Outcome]]:
    """Call in this process: nothing stops a call that does not end."""
    return lambda cases: [call_once(check, case) for case in cases]


def can_travel(cases: Sequence[Case]) -> bool:
    """Whether the cases can be sent to another process."""
    try:
        pickle.dumps([tuple(case) for case in cases])
    except Exception:  # pickle raises many kinds
        return False
    return True

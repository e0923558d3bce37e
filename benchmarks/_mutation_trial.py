"""Trials of mutants: their module's tests in forks of this process, until one fails.

Nothing on disk changes. There are two ways, a quick one that can notice a mutant and a slow one
that decides the rest:

- `_Template`: one fork collects the tests, runs each of them once, traced, and learns how long it
  takes and which functions it enters. Then it forks for each mutant, puts the changed code into the
  function objects, and runs the tests that enter the changed function first, quick ones before slow
  ones. Data that the first run has loaded need not be loaded again, and modules with the same tests
  share the template.
- `_fresh`: a fork imports everything anew, the module with its change. So it goes with changes that
  are run on import (constants, tables), and with all that no test noticed the quick way, where
  results that the first run has cached can hide a change.

Tests over `SLOW_TEST` are left out: a score can only be lower for it. Unix only.
"""

from __future__ import annotations

import ast
import functools
import gc
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryFile
from types import CodeType, FrameType, FunctionType
from typing import IO, Any

import pytest

from corgi_gym.benchmarks._mutants import Mutant
from corgi_gym.benchmarks._mutation_code import Place, changed_functions

ROOT = Path(__file__).parents[1]
# CPU seconds of a test, traced (two or three times the plain time): slower ones are stress tests.
SLOW_TEST = 1.0
# A mutant that takes this many times the CPU time of the unchanged module loops: it is noticed.
TIME_FACTOR, TIME_FLOOR = 6.0, 5.0
# CPU seconds of the runs without a change.
LEARN_SECONDS = 300.0
# Seconds on the clock for each CPU second: other programs share the machine.
CLOCK_FACTOR = 60.0
# Loaded once, before the forks.
_HEAVY = ("numpy", "gymnasium", "lemminflect", "denckring_en_pos")
_NOT_RUN = 70

Outcome = tuple[str, float]


def load_libraries(*more: str) -> None:
    """Import what every fork needs, and the tables that it would read from disk.

    Args:
        more: Libraries of single modules. A test that imported them first would be cut off as slow
            in the middle of the import, and what is half imported fails in the tests after it.
    """
    for name in (*_HEAVY, *filter(find_spec, more)):
        __import__(name)
    sys.modules["lemminflect"].getLemma("dogs", upos="NOUN")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a third of the time of a short run


@dataclass(frozen=True, slots=True)
class Subject:
    """A module under test.

    Attributes:
        name: Full name, as it is imported.
        path: Its file.
        source: Its text.
        tests: Its test files.
        mutants: What to try.
    """

    name: str
    path: Path
    source: str
    tests: tuple[Path, ...]
    mutants: tuple[Mutant, ...]

    def tree(self) -> ast.Module:
        """The module without a change."""
        return ast.parse(self.source)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the run without a change taught.

    Attributes:
        seconds: CPU seconds of each quick test.
        entered: First lines of the functions of one module that each test enters.
        failing: Tests that fail without a change: they tell nothing, and are left out.
    """

    seconds: dict[str, float]
    entered: dict[str, list[int]]
    failing: list[str]

    def order(self, function: tuple[int, int] | None = None) -> list[str]:
        """The quick tests, those first that enter a function between two lines."""

        def rank(test: str) -> tuple[bool, float]:
            return not self._enters(test, function), self.seconds[test]

        return sorted(self.seconds, key=rank)

    def without(self, failing: Sequence[str]) -> Plan:
        """The same plan without some tests."""
        kept = {test: taken for test, taken in self.seconds.items() if test not in failing}
        return replace(self, seconds=kept)

    def those_that_enter(self, function: tuple[int, int] | None) -> list[str]:
        """Of `order`, the tests that enter the function; all, if it is only entered on import."""
        tests = self.order(function)
        return [test for test in tests if self._enters(test, function)] or tests

    def _enters(self, test: str, function: tuple[int, int] | None) -> bool:
        first, last = function or (0, sys.maxsize)
        return function is None or any(first <= n <= last for n in self.entered[test])


def trials(subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Mutant, Outcome]]:
    """Each mutant with ``killed``, ``timeout`` or ``survived``, and the CPU seconds that it took.

    Args:
        subjects: Modules with the same test files.

    Raises:
        ValueError: If no test passes without any change. Single ones that fail are a warning: the
            first time, or in another order, as tests of deadlines do on a busy machine.
    """
    left = {(i, j): m for i, subject in enumerate(subjects) for j, m in enumerate(subject.mutants)}
    plans: list[Plan] = []
    for line in _template(subjects):
        if "plan" in line:
            plans.append(Plan(**line["plan"]))
        else:
            i, j = line["mutant"]
            yield subjects[i], left.pop((i, j)), (line["outcome"], line["seconds"])
    names = ", ".join(str(path) for path in subjects[0].tests)
    if not plans:
        raise ValueError(f"no test passes without any change: {names}")
    _warn_of("these fail without any change", plans[0].failing)
    if not left:
        return
    with TemporaryFile("w+") as told:
        order = plans[0].order()
        outcome, taken = _fresh(subjects[0], subjects[0].tree(), order, LEARN_SECONDS, told)
        told.seek(0)
        failing = told.read().splitlines()
    if outcome != "survived" and (not failing or set(failing) == set(order)):
        raise ValueError(f"the quick tests fail in another order: {names}")
    _warn_of("these fail in another order", failing)
    plans = [plan.without(failing) for plan in plans]
    for (i, _), mutant in left.items():
        tests = plans[i].those_that_enter(mutant.function)
        yield subjects[i], mutant, _fresh(subjects[i], mutant.tree(), tests, _limit(taken))


def _warn_of(what: str, failing: Sequence[str]) -> None:
    if failing:
        text = f"{what} and are left out: {', '.join(failing)}"
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def _limit(seconds: float) -> float:
    return max(TIME_FLOOR, TIME_FACTOR * seconds)


def _options(subject: Subject) -> list[str]:
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    return [*options, "-c", str(ROOT / "pyproject.toml"), *map(str, subject.tests)]


# ---------------------------------------------------------------- a fork that imports everything


def _fresh(
    subject: Subject,
    tree: ast.Module,
    tests: list[str],
    seconds: float,
    told: IO[str] | None = None,
) -> Outcome:
    """The outcome of these tests; with ``told`` all are run, and it is told which fail."""

    def run() -> int:
        _forget_modules()
        sys.meta_path.insert(0, _Finder(subject, tree))
        options = _options(subject) if told else ["-x", *_options(subject)]
        return int(pytest.main(options, plugins=[_Order(tests, told)]))

    return _in_fork(run, seconds)


def _forget_modules() -> None:
    for known in [m for m in sys.modules if m.split(".")[0] == "corgi_gym"]:
        del sys.modules[known]


class _Changed(SourceFileLoader):
    """Loads a file with other code."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Finder(MetaPathFinder):
    """Finds one module, changed."""

    def __init__(self, subject: Subject, tree: ast.Module) -> None:
        self.name, self.path = subject.name, str(subject.path)
        self.code = _compiled(tree, subject)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return spec_from_file_location(
            fullname, self.path, loader=_Changed(fullname, self.path, self.code)
        )


def _compiled(tree: ast.Module, subject: Subject) -> CodeType:
    return compile(tree, str(subject.path), "exec", dont_inherit=True)


class _Order:
    """A pytest plug-in: these tests, in this order."""

    def __init__(self, tests: list[str], told: IO[str] | None = None) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self._told = told

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self._told is not None:
            print(report.nodeid, file=self._told, flush=True)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._places]
        items.sort(key=lambda item: self._places[item.nodeid])


# ---------------------------------------------------------------- a fork that forks for each mutant


def _template(subjects: Sequence[Subject]) -> Iterator[dict[str, Any]]:
    """What the template tells: a plan for each subject, and the mutants that it noticed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)

        def run() -> int:
            _forget_modules()
            sys.meta_path[:0] = [_Finder(subject, subject.tree()) for subject in subjects]
            with open(write, "w") as told:
                return int(pytest.main(_options(subjects[0]), plugins=[_Template(subjects, told)]))

        _end_with(run)
    os.close(write)
    try:
        with open(read) as told:
            yield from map(json.loads, told)
    finally:
        _end_group(child)
        os.waitpid(child, 0)


class _Template:
    """A pytest plug-in: each test once, then for each mutant the tests in a fork."""

    def __init__(self, subjects: Sequence[Subject], told: IO[str]) -> None:
        self._subjects, self._told = subjects, told
        self._passed: set[str] = set()
        self._failed: set[str] = set()
        self._parent = os.getppid()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        signal.signal(signal.SIGPROF, _cut_off)
        learned = {item.nodeid: self._learn(item) for item in session.items}
        if not self._passed:
            return True
        quick = {test: learned[test] for test in learned if test in self._passed - self._failed}
        seconds = {test: taken for test, (taken, _) in quick.items()}
        plans = []
        for subject in self._subjects:
            entered = {test: sorted(found[str(subject.path)]) for test, (_, found) in quick.items()}
            plans.append(Plan(seconds, entered, sorted(self._failed)))
            self._tell(plan=asdict(plans[-1]))
        session.testsfailed = 0
        gc.collect()
        gc.freeze()
        outcome, taken = self._try(session, plans[0].order(), None, {}, LEARN_SECONDS)
        if outcome == "survived":  # else the tests mind being run twice: all is left to `_fresh`
            for number, plan in enumerate(plans):
                self._try_all(session, number, plan, _limit(taken))
        return True

    def _learn(self, item: pytest.Item) -> tuple[float, dict[str, set[int]]]:
        """Run a test; one that takes too long, or needs a fixture that does, ends as skipped."""
        entered: dict[str, set[int]] = {str(subject.path): set() for subject in self._subjects}

        def trace(frame: FrameType, event: str, argument: object) -> None:
            if (lines := entered.get(frame.f_code.co_filename)) is not None:
                lines.add(frame.f_code.co_firstlineno)

        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SLOW_TEST, SLOW_TEST)
        sys.settrace(trace)
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        finally:
            sys.settrace(None)
            signal.setitimer(signal.ITIMER_PROF, 0.0)
        return time.process_time() - start, entered

    def _try_all(self, session: pytest.Session, number: int, plan: Plan, limit: float) -> None:
        subject = self._subjects[number]
        before = _compiled(subject.tree(), subject)
        for place, mutant in enumerate(subject.mutants):
            codes = changed_functions(before, _compiled(mutant.tree(), subject))
            if codes is None:
                continue
            if os.getppid() != self._parent:  # nobody listens any more
                return
            tests = plan.order(mutant.function)
            outcome, taken = self._try(session, tests, subject, codes, limit)
            if outcome != "survived":
                self._tell(mutant=(number, place), outcome=outcome, seconds=taken)

    def _try(
        self,
        session: pytest.Session,
        tests: list[str],
        subject: Subject | None,
        codes: dict[Place, CodeType],
        seconds: float,
    ) -> Outcome:
        items = {item.nodeid: item for item in session.items}

        def run() -> int:
            if subject is not None:
                _put(codes, subject)
            for test in tests:
                items[test].config.hook.pytest_runtest_protocol(item=items[test], nextitem=None)
                if session.testsfailed:
                    return 1
            return 0

        return _in_fork(run, seconds)

    def _tell(self, **line: Any) -> None:
        print(json.dumps(line), file=self._told, flush=True)


def _cut_off(number: int, frame: FrameType | None) -> None:
    raise pytest.skip.Exception("slow")


def _put(codes: dict[Place, CodeType], subject: Subject) -> None:
    """Change the functions of a module in place, and forget what they have cached."""
    found: dict[Place, list[FunctionType]] = defaultdict(list)
    gc.unfreeze()
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename == str(subject.path):
            found[each.__code__.co_qualname, each.__code__.co_firstlineno].append(each)
        elif type(each) is functools._lru_cache_wrapper and each.__module__ == subject.name:
            each.cache_clear()
    for place, code in codes.items():
        for function in found[place]:
            if len(function.__code__.co_freevars) == len(code.co_freevars):
                function.__code__ = code


# ---------------------------------------------------------------- forks


def _in_fork(action: Callable[[], int], seconds: float) -> Outcome:
    """What an action says about the tests: 0 is ``survived``; and the CPU seconds of the fork."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    end = time.monotonic() + CLOCK_FACTOR * seconds
    child = os.fork()
    if child == 0:
        limit = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        _end_with(action)
    done, status = 0, 0
    while not done and time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.0 if done else 0.005)
    _end_group(child)  # workers that the tests started, and the fork itself where it waits
    if not done:
        os.waitpid(child, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    code = os.waitstatus_to_exitcode(status)
    if not done or code == -signal.SIGXCPU:
        return "timeout", taken
    return ("survived" if code == 0 else "killed"), taken


def _end_with(action: Callable[[], int]) -> None:
    """Be a quiet process of its own group that ends with the status that an action returns."""
    status = _NOT_RUN
    try:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        status = action()
    finally:
        os._exit(status)


def _end_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return

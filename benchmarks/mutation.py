"""How many small faults in a checker module its tests notice: the mutation score.

    python -m corgi_gym.benchmarks.mutation panagram countdown
    python -m corgi_gym.benchmarks.mutation --survivors panagram

Each mutant (`_mutants`) runs the module's tests in a forked process; nothing on disk changes, since
the changed module is given to the importer of that process only. Results are appended to
``runs/mutation/MODULE.jsonl`` as they come: an interrupted run goes on where it stopped, and a
module that was edited starts anew. Unix only.

Why not mutmut or cosmic-ray: the first copies a source tree by a layout that this repository does
not have (the package is the repository itself), the second changes the files in place.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

from corgi_gym.benchmarks._mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
REWARDS = ROOT / "rewards"
# Test files of a module, quick ones first (default: test_MODULE.py alone).
TESTS = {
    "answer_line": ("test_boundaries.py", "test_math_checkers.py"),
    "clustering": ("test_boundaries.py", "test_clustering.py"),
    "concepts": ("test_boundaries.py", "test_concepts.py"),
    "countdown": ("test_boundaries.py", "test_math_checkers.py"),
    "multistep_arithmetic": ("test_math_checkers.py",),
    "num_planning": ("test_boundaries.py", "test_num_planning.py"),
    "panagram": ("test_boundaries.py", "test_panagram.py"),
    "rational": ("test_boundaries.py", "test_rational.py", "test_math_checkers.py"),
    "steps": ("test_boundaries.py", "test_steps.py", "test_math_checkers.py"),
    "text": ("test_boundaries.py", "test_text.py"),
    "working": ("test_boundaries.py", "test_math_checkers.py"),
}
# A mutant that takes this many times the time of the unchanged module loops: it is noticed.
TIME_FACTOR, TIME_FLOOR = 6.0, 10.0
RESULTS = Path("runs/mutation")
_HEAVY = ("numpy", "gymnasium", "pytest", "lemminflect", "denckring_en_pos")


class _Changed(SourceFileLoader):
    """Loads a file with other code."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Finder(MetaPathFinder):
    """Finds one module, changed."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path = name, str(path)
        self.code = compile(tree, self.path, "exec", dont_inherit=True)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return spec_from_file_location(
            fullname, self.path, loader=_Changed(fullname, self.path, self.code)
        )


def run_tests(module: str, tree: ast.Module, seconds: float) -> tuple[str, float]:
    """Run a module's tests in a fork with a changed tree: ``killed``, ``survived``, ``timeout``."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(module, tree)
    while time.monotonic() - start < seconds:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            passed = os.waitstatus_to_exitcode(status) == 0
            return ("survived" if passed else "killed"), time.monotonic() - start
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout", time.monotonic() - start


def _child(module: str, tree: ast.Module) -> None:
    status = 70
    try:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        name = f"corgi_gym.rewards.{module}"
        for known in [m for m in sys.modules if m.split(".")[0] == "corgi_gym"]:
            del sys.modules[known]
        sys.meta_path.insert(0, _Finder(name, REWARDS / f"{module}.py", tree))
        import pytest

        options = ["-x", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
        status = int(pytest.main([*options, "-c", str(ROOT / "pyproject.toml"), *_tests(module)]))
    finally:
        os._exit(status)


def _tests(module: str) -> list[str]:
    names = TESTS.get(module, (f"test_{module}.py",))
    return [str(ROOT / "tests" / "rewards" / name) for name in names]


def measure(module: str, limit: int | None = None, again: bool = False) -> dict[str, int]:
    """Try the mutants of a module that were not tried yet; returns counts by outcome.

    With ``again``, those that survived are tried once more (tests may have been added).

    Raises:
        ValueError: If there is no such module, or its tests fail without any change.
    """
    path = REWARDS / f"{module}.py"
    if not path.is_file():
        raise ValueError(f"no module rewards/{module}.py")
    source = path.read_text()
    known = read_results(module, source)
    every = list(mutants(source))
    known = {m.id: known[m.id] for m in every if m.id in known}
    if again:
        known = {name: row for name, row in known.items() if row["outcome"] != "survived"}
    tried = [m for m in every if m.id not in known]
    if tried:
        outcome, seconds = run_tests(module, ast.parse(source), 600.0)
        if outcome != "survived":
            raise ValueError(f"the tests of {module} fail without any change: {_tests(module)}")
        longest = max(TIME_FLOOR, TIME_FACTOR * seconds)
        RESULTS.mkdir(parents=True, exist_ok=True)
        with (RESULTS / f"{module}.jsonl").open("a") as file:
            for mutant in tried[:limit]:
                outcome, taken = run_tests(module, mutant.tree, longest)
                row = _row(source, mutant, outcome, taken)
                print(json.dumps(row), file=file, flush=True)
                known[mutant.id] = row
    outcomes = [row["outcome"] for row in known.values()]
    return {name: outcomes.count(name) for name in ("killed", "timeout", "survived")}


def _row(source: str, mutant: Mutant, outcome: str, seconds: float) -> dict[str, object]:
    return {
        "source": digest(source),
        "id": mutant.id,
        "line": mutant.line,
        "before": mutant.before[:200],
        "after": mutant.after[:200],
        "outcome": outcome,
        "seconds": round(seconds, 2),
    }


def digest(source: str) -> str:
    """Names a version of a module."""
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def read_results(module: str, source: str) -> dict[str, dict[str, object]]:
    """What is known of this version of the module, by mutant."""
    path = RESULTS / f"{module}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {row["id"]: row for row in rows if row["source"] == digest(source)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure modules and print a line for each."""
    parser = argparse.ArgumentParser(
        prog="python -m corgi_gym.benchmarks.mutation",
        description="Mutation score of checker modules.",
        epilog="example: python -m corgi_gym.benchmarks.mutation panagram countdown",
    )
    parser.add_argument("modules", nargs="+", help="names of files in rewards/, without .py")
    parser.add_argument("--limit", type=int, help="try at most so many mutants per module")
    parser.add_argument("--again", action="store_true", help="try survivors once more")
    parser.add_argument("--survivors", action="store_true", help="list them, and run nothing")
    options = parser.parse_args(arguments)
    for name in _HEAVY:  # once, before the forks
        __import__(name)
    for module in options.modules:
        if options.survivors:
            source = (REWARDS / f"{module}.py").read_text()
            known = read_results(module, source)
            for row in (known[m.id] for m in mutants(source) if m.id in known):
                if row["outcome"] == "survived":
                    print(f"{module}:{row['id']}: {row['before']!s:.90}  ->  {row['after']!s:.90}")
            continue
        counts = measure(module, options.limit, options.again)
        total = sum(counts.values())
        noticed = total - counts["survived"]
        share = noticed / total if total else 1.0
        print(f"{module:24} {noticed}/{total} noticed ({share:.1%}), {counts}", flush=True)


if __name__ == "__main__":
    main()

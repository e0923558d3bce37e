"""How many small faults in a checker module its tests notice: the mutation score.

    python -m corgi_gym.benchmarks.mutation panagram instructions/length
    python -m corgi_gym.benchmarks.mutation --all --sample 60
    python -m corgi_gym.benchmarks.mutation --all --table
    python -m corgi_gym.benchmarks.mutation --survivors panagram

Each mutant (`_mutants`) runs the module's tests in forked processes (`_mutation_trial`). With
``--sample N`` a seeded choice of N mutants per module is tried, and the score is reported with its
95 % Wilson interval; a larger N adds to a smaller one. Results are appended to
``runs/mutation/MODULE.jsonl`` as they come: an interrupted run goes on where it stopped, and a
module that was edited starts anew. Changes that mean the same (`_mutation_equivalents`, each with
its reason) do not count if no test notices them. Unix only.

Why not mutmut or cosmic-ray: the first copies a source tree by a layout that this repository does
not have (the package is the repository itself), the second changes the files in place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corgi_gym.benchmarks import _mutation_trial as trial
from corgi_gym.benchmarks._mutants import Mutant, mutants
from corgi_gym.benchmarks._mutation_equivalents import reason
from corgi_gym.benchmarks._mutation_modules import checker_modules, files_of, libraries_of
from corgi_gym.benchmarks.intervals import wilson

REWARDS = trial.ROOT / "rewards"
TESTS = trial.ROOT / "tests" / "rewards"
RESULTS = Path("runs/mutation")
OUTCOMES = ("killed", "timeout", "survived", "equivalent")


class Score(NamedTuple):
    """What is known of a module.

    Attributes:
        module: Its name.
        mutants: How many there are.
        counts: How many of them had each outcome; `equivalent` are survivors with a reason.
    """

    module: str
    mutants: int
    counts: dict[str, int]

    @property
    def tried(self) -> int:
        """How many have an outcome and could be noticed."""
        return sum(self.counts.values()) - self.counts["equivalent"]

    @property
    def noticed(self) -> int:
        """How many made a test fail or loop."""
        return self.tried - self.counts["survived"]

    @property
    def share(self) -> float:
        """The score, in [0, 1]."""
        return self.noticed / self.tried if self.tried else 1.0

    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the module's score, or None where all mutants were tried."""
        done = sum(self.counts.values()) == self.mutants
        return None if done else wilson(self.share, self.tried)

    def row(self) -> str:
        """A row of the table in the docs."""
        interval = self.interval()
        shown = "all tried" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"
        tried, same = self.tried, self.counts["equivalent"]
        cells = (f"`{self.module}`", self.mutants, tried, same, f"{self.share:.1%}", shown)
        return "| " + " | ".join(map(str, cells)) + " |"


def choose(module: str, source: str, sample: int | None = None, seed: int = 0) -> list[Mutant]:
    """The mutants to try: all, or the first ``sample`` of a seeded order, from top to bottom."""
    every = list(mutants(source))
    drawn = sorted(every, key=lambda m: digest(f"{seed} {module} {m.id}"))[:sample]
    ids = {mutant.id for mutant in drawn}
    return [mutant for mutant in every if mutant.id in ids]


def measure(
    modules: Sequence[str],
    sample: int | None = None,
    *,
    seed: int = 0,
    limit: int | None = None,
    again: bool = False,
) -> list[Score]:
    """Try the chosen mutants that were not tried yet, of modules with the same test files.

    Args:
        modules: Files in rewards/ without ``.py``, with their folder: ``instructions/length``.
        sample: How many mutants to choose of each (default: all).
        seed: Of the choice.
        limit: At most so many new trials of each.
        again: Try those that survived once more, of any sample: tests may have been added.

    Raises:
        ValueError: If there is no such module, or its tests fail without any change.
    """
    subjects = {}
    for module in modules:
        source = read_source(module)
        chosen = choose(module, source, sample, seed)
        new = _to_try(module, source, chosen, again)[:limit]
        if new:
            subjects[module] = _subject(module, source, new)
    names = {subject.path: module for module, subject in subjects.items()}
    found = trial.trials(list(subjects.values())) if subjects else ()
    for subject, mutant, (outcome, taken) in found:
        path = _results_of(names[subject.path])
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            print(json.dumps(_row(subject.source, mutant, outcome, taken)), file=file)
    return [score(module) for module in modules]


def _to_try(module: str, source: str, chosen: Sequence[Mutant], again: bool) -> tuple[Mutant, ...]:
    known = read_results(module, source)
    ids = {mutant.id for mutant in chosen} - known.keys()
    if again:
        kept = (mutant for mutant in mutants(source) if mutant.id in known)
        ids |= {m.id for m in kept if _outcome(module, source, m, known[m.id]) == "survived"}
    return tuple(mutant for mutant in mutants(source) if mutant.id in ids)


def score(module: str) -> Score:
    """What the results on disk say: all that was tried of this version, by whatever samples."""
    source = read_source(module)
    known = read_results(module, source)
    every = list(mutants(source))
    outcomes = [_outcome(module, source, m, known[m.id]) for m in every if m.id in known]
    return Score(module, len(every), {name: outcomes.count(name) for name in OUTCOMES})


def _outcome(module: str, source: str, mutant: Mutant, row: Mapping[str, Any]) -> str:
    survived = row["outcome"] == "survived"
    same = survived and reason(module, source, mutant) is not None
    return "equivalent" if same else str(row["outcome"])


def read_source(module: str) -> str:
    """The module's text.

    Raises:
        ValueError: If there is no such module.
    """
    path = REWARDS / f"{module}.py"
    if not path.is_file():
        raise ValueError(f"no module rewards/{module}.py")
    return path.read_text()


def _subject(module: str, source: str, new: tuple[Mutant, ...]) -> trial.Subject:
    name = "corgi_gym.rewards." + module.replace("/", ".")
    tests = tuple(path for file in files_of(module) if (path := TESTS / file).exists())
    return trial.Subject(name, REWARDS / f"{module}.py", source, tests, new)


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


def _results_of(module: str) -> Path:
    return RESULTS / f"{module}.jsonl"


def read_results(module: str, source: str) -> dict[str, dict[str, Any]]:
    """What is known of this version of the module, by mutant (the newest row counts)."""
    path = _results_of(module)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {row["id"]: row for row in rows if row["source"] == digest(source)}


def print_survivors(module: str) -> None:
    """One line for each mutant that no test noticed, with the reason where one is recorded."""
    source = read_source(module)
    known = read_results(module, source)
    for mutant in mutants(source):
        if known.get(mutant.id, {}).get("outcome") == "survived":
            why = reason(module, source, mutant)
            said = f"  (equivalent: {why})" if why else ""
            print(f"{module}:{mutant.id}: {mutant.before:.90} -> {mutant.after:.90}{said}")


def print_table(scores: Sequence[Score]) -> None:
    """The table of the docs: best score first, then all together."""
    print("| module | changes | tried | equivalent | noticed | 95 % interval |")
    print("|---|---|---|---|---|---|")
    for each in sorted(scores, key=lambda s: (-s.share, s.module)):
        print(each.row())
    tried, noticed = sum(s.tried for s in scores), sum(s.noticed for s in scores)
    print(f"\n{noticed:,} of {tried:,} noticed ({noticed / max(1, tried):.1%})")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure modules and print a line for each."""
    options = _parser().parse_args(arguments)
    modules = checker_modules(REWARDS) if options.all else options.modules
    if not modules:
        sys.exit("name a module in rewards/ without .py, or give --all")
    if options.survivors:
        for module in modules:
            print_survivors(module)
        return
    if options.table:
        scores = [score(module) for module in modules]
        print_table([each for each in scores if each.tried])
        print("not tried:", ", ".join(each.module for each in scores if not each.tried) or "none")
        return
    trial.load_libraries(*sorted({name for module in modules for name in libraries_of(module)}))
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for module in modules:
        groups[files_of(module)].append(module)
    how = {"seed": options.seed, "limit": options.limit, "again": options.again}
    for group in groups.values():
        try:
            scores = measure(group, options.sample, **how)
        except ValueError as error:  # one group's tests fail: the others can be measured
            print(f"{', '.join(group):26} not measured: {error}", flush=True)
            continue
        for found in scores:
            told = ", ".join(f"{count} {name}" for name, count in found.counts.items() if count)
            tried = f"{found.tried}/{found.mutants}"
            print(f"{found.module:26} {found.share:6.1%} of {tried} ({told})", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m corgi_gym.benchmarks.mutation",
        description="Mutation score of checker modules.",
        epilog="example: python -m corgi_gym.benchmarks.mutation panagram instructions/length",
    )
    parser.add_argument("modules", nargs="*", help="names of files in rewards/, without .py")
    parser.add_argument("--all", action="store_true", help="every checker module")
    parser.add_argument("--sample", type=int, help="choose so many mutants per module by lot")
    parser.add_argument("--seed", type=int, default=0, help="of the choice (default: 0)")
    parser.add_argument("--limit", type=int, help="at most so many new trials per module")
    parser.add_argument("--again", action="store_true", help="try survivors once more")
    parser.add_argument("--survivors", action="store_true", help="list them, and run nothing")
    parser.add_argument("--table", action="store_true", help="print the scores, and run nothing")
    return parser


if __name__ == "__main__":
    main()

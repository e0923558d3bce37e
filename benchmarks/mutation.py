"""How many small faults in a checker module its tests notice: the mutation score.

    python -m corgi_gym.benchmarks.mutation panagram instructions/length
    python -m corgi_gym.benchmarks.mutation --all --sample 60
    python -m corgi_gym.benchmarks.mutation --all --sample 60 --table
    python -m corgi_gym.benchmarks.mutation --survivors panagram

Each mutant (`_mutants`) runs the module's tests in forked processes (`_mutation_trial`). With
``--sample N`` a seeded choice of N mutants per module is tried, and the score is reported with its
95 % Wilson interval; a larger N adds to a smaller one. Results are appended to
``runs/mutation/MODULE.jsonl`` as they come: an interrupted run goes on where it stopped, and a
module that was edited starts anew. Unix only.

Why not mutmut or cosmic-ray: the first copies a source tree by a layout that this repository does
not have (the package is the repository itself), the second changes the files in place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corgi_gym.benchmarks import _mutation_trial as trial
from corgi_gym.benchmarks._mutants import Mutant, mutants
from corgi_gym.benchmarks._mutation_modules import checker_modules, files_of
from corgi_gym.benchmarks.intervals import wilson

REWARDS = trial.ROOT / "rewards"
TESTS = trial.ROOT / "tests" / "rewards"
RESULTS = Path("runs/mutation")
OUTCOMES = ("killed", "timeout", "survived")


class Score(NamedTuple):
    """What is known of a module.

    Attributes:
        module: Its name.
        mutants: How many there are.
        chosen: How many of them were to be tried: all, or a sample.
        counts: How many of those had each outcome.
    """

    module: str
    mutants: int
    chosen: int
    counts: dict[str, int]

    @property
    def tried(self) -> int:
        """How many have an outcome."""
        return sum(self.counts.values())

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
        return None if self.tried == self.mutants else wilson(self.share, self.tried)

    def row(self) -> str:
        """A row of the table in the docs."""
        interval = self.interval()
        shown = "all tried" if interval is None else f"{interval[0]:.1%} to {interval[1]:.1%}"
        cells = (f"`{self.module}`", self.mutants, self.tried, f"{self.share:.1%}", shown)
        return "| " + " | ".join(map(str, cells)) + " |"


def choose(module: str, source: str, sample: int | None = None, seed: int = 0) -> list[Mutant]:
    """The mutants to try: all, or the first ``sample`` of a seeded order, from top to bottom."""
    every = list(mutants(source))
    if sample is None or sample >= len(every):
        return every
    order = list(range(len(every)))
    random.Random(f"{seed} {module}").shuffle(order)
    return [every[place] for place in sorted(order[:sample])]


def measure(
    module: str,
    sample: int | None = None,
    *,
    seed: int = 0,
    limit: int | None = None,
    again: bool = False,
) -> Score:
    """Try the chosen mutants of a module that were not tried yet.

    Args:
        module: A file in rewards/ without ``.py``, with its folder: ``instructions/length``.
        sample: How many mutants to choose (default: all).
        seed: Of the choice.
        limit: At most so many new trials.
        again: Try those that survived once more: tests may have been added.

    Raises:
        ValueError: If there is no such module, or its tests fail without any change.
    """
    source = read_source(module)
    known = read_results(module, source)
    chosen = choose(module, source, sample, seed)
    redo = {name for name, row in known.items() if again and row["outcome"] == "survived"}
    new = [m for m in chosen if m.id not in known or m.id in redo][:limit]
    if new:
        path = _results_of(module)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            for mutant, (outcome, taken) in trial.trials(_subject(module), new):
                print(json.dumps(_row(source, mutant, outcome, taken)), file=file, flush=True)
    return score(module, sample, seed)


def score(module: str, sample: int | None = None, seed: int = 0) -> Score:
    """What the results on disk say. A module that was tried completely is reported completely."""
    source = read_source(module)
    known = read_results(module, source)
    every = choose(module, source)
    chosen = choose(module, source, sample, seed)
    if all(m.id in known for m in every):
        chosen = every
    outcomes = [known[m.id]["outcome"] for m in chosen if m.id in known]
    counts = {name: outcomes.count(name) for name in OUTCOMES}
    return Score(module, len(every), len(chosen), counts)


def read_source(module: str) -> str:
    """The module's text.

    Raises:
        ValueError: If there is no such module.
    """
    path = REWARDS / f"{module}.py"
    if not path.is_file():
        raise ValueError(f"no module rewards/{module}.py")
    return path.read_text()


def _subject(module: str) -> trial.Subject:
    name = "corgi_gym.rewards." + module.replace("/", ".")
    tests = [TESTS / file for file in files_of(module)]
    return trial.Subject(name, REWARDS / f"{module}.py", tuple(p for p in tests if p.exists()))


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
    """One line for each mutant that no test noticed."""
    source = read_source(module)
    known = read_results(module, source)
    for row in (known[m.id] for m in mutants(source) if m.id in known):
        if row["outcome"] == "survived":
            print(f"{module}:{row['id']}: {row['before']!s:.90}  ->  {row['after']!s:.90}")


def print_table(scores: Sequence[Score]) -> None:
    """The table of the docs: best score first, then all together."""
    print("| module | changes | tried | noticed | 95 % interval |\n|---|---|---|---|---|")
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
        scores = [score(module, options.sample, options.seed) for module in modules]
        print_table([each for each in scores if each.tried])
        print("not tried:", ", ".join(each.module for each in scores if not each.tried) or "none")
        return
    trial.load_libraries()
    for module in modules:
        try:
            found = measure(
                module, options.sample, seed=options.seed, limit=options.limit, again=options.again
            )
        except ValueError as error:  # one module's tests fail: the others can be measured
            print(f"{module:26} not measured: {error}", flush=True)
            continue
        told = ", ".join(f"{count} {name}" for name, count in found.counts.items() if count)
        tried = f"{found.tried}/{found.mutants}"
        print(f"{module:26} {found.share:6.1%} of {tried} ({told})", flush=True)


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

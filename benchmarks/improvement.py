"""What self-improvement is worth in runs: first and last attempts of the same replies.

A reply of ``SelfImprovement-v0`` has its own attempts in it. The run recorded the last one's
verdict; here the first ones are judged as well, by the same checker.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.bench.files import SPEC
from corgi_gym.benchmarks.bench.job import sessions_of
from corgi_gym.benchmarks.bench.results import read_results
from corgi_gym.benchmarks.bench.spec import evaluation_recipe
from corgi_gym.benchmarks.policy import make_env
from corgi_gym.benchmarks.recipe import Recipe, from_dict
from corgi_gym.benchmarks.run_folder import read_sessions
from corgi_gym.rewards import judge
from corgi_gym.rewards.trajectory import ALL_CORRECT, is_answered, parse_trajectory

CONFIG = "config.json"
PHASES = ("before", "after")


@dataclass
class Tally:
    """Replies of one family in one evaluation.

    Attributes:
        replies: How many.
        first: Whose first attempt is right.
        last: Whose attempt that counts is right.
        updated: With a second attempt that has an answer.
        mended: Whose first attempt is wrong and last one right.
        spoiled: Whose first attempt is right and last one wrong.
        claimed: That end with the verdict that all is correct, said of their last attempt.
        claimed_rightly: Of these, whose last attempt is right.
        cut: That were cut at the token limit, so never ended.
        unscored: Replies besides these that could not be checked; they are in no other number.
    """

    replies: int = 0
    first: int = 0
    last: int = 0
    updated: int = 0
    mended: int = 0
    spoiled: int = 0
    claimed: int = 0
    claimed_rightly: int = 0
    cut: int = 0
    unscored: int = 0

    def add(self, first: bool, last: bool, updated: bool, claimed: bool, cut: bool) -> None:
        """Count one reply."""
        self.replies += 1
        self.first += first
        self.last += last
        self.updated += updated
        self.mended += last and not first
        self.spoiled += first and not last
        self.claimed += claimed
        self.claimed_rightly += claimed and last
        self.cut += cut


def improvement(
    folder: str | Path, *, code: str | None = None, mixed: bool = False
) -> dict[str, dict[str, Tally]]:
    """Tallies of a run's evaluations, or of all runs of a benchmark.

    Args:
        folder: Of a run or of a benchmark.
        code: As for `corgi_gym.benchmarks.bench.results.read_results`.
        mixed: As there.

    Returns:
        By phase (``"before"``, ``"after"``), or by arm with the replies of all its seeds together;
        then by family, ``"seed 0"`` and so on (of a benchmark), and ``"all"``.

    Raises:
        FileNotFoundError: If ``folder`` has no run and no benchmark.
        ValueError: If its replies are not of ``SelfImprovement-v0`` or of sessions with several
            attempts, if there are none, or if its configuration cannot be read.
    """
    folder = Path(folder)
    found: dict[str, dict[str, Tally]] = {}
    parts = _jobs(folder, code, mixed) if (folder / SPEC).is_file() else _run(folder)
    for part, seed, recipe, episodes in parts:
        if recipe.env.id != "SelfImprovement-v0":
            raise ValueError(
                f"what is in {folder} is on {recipe.env.id}: only replies of SelfImprovement-v0 "
                "have attempts of their own"
            )
        if any(len(e.attempts) > 1 for e in episodes):
            raise ValueError(
                f"the sessions in {folder} have up to {max(len(e.attempts) for e in episodes)} "
                "attempts, and what is counted are the attempts within one reply: set the "
                "evaluation's attempts to 1"
            )
        if episodes:
            _count(found.setdefault(part, {}), seed, recipe, episodes)
    if not found:
        raise ValueError(f"{folder} has no sessions of an evaluation to count")
    return found


def _run(folder: Path) -> Iterator[tuple[str, str, Recipe, list[Episode]]]:
    """The evaluations of a run."""
    if not (folder / CONFIG).is_file():
        raise FileNotFoundError(
            f"{folder} is neither a run folder (no {CONFIG}) nor one of a benchmark (no {SPEC})"
        )
    names = {f.name for f in dataclasses.fields(Recipe)}
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no JSON object")
        recipe = from_dict({name: value for name, value in config.items() if name in names})
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} is not that of a run: {error}") from error
    for phase in PHASES:
        yield phase, "", recipe, read_sessions(folder / "episodes.jsonl", phase)


def _jobs(
    folder: Path, code: str | None, mixed: bool
) -> Iterator[tuple[str, str, Recipe, list[Episode]]]:
    """The first evaluation of each job of a benchmark."""
    for result in read_results(folder, code=code, mixed=mixed).done:
        name, plan = next(iter(result.config["evaluations"].items()))
        recipe = evaluation_recipe(from_dict(result.config["recipe"]), plan)
        seed = f"seed {result.labels['seed']}"
        yield result.labels["arm"], seed, recipe, sessions_of(result.folder, name)


def _count(tallies: dict[str, Tally], seed: str, recipe: Recipe, episodes: list[Episode]) -> None:
    """Add the replies of these sessions."""
    env: Any = make_env(recipe, train=False).unwrapped
    for episode in episodes:
        task = env.task_at(episode.index)
        (attempt,) = episode.attempts
        reply = parse_trajectory(attempt.reply)
        first = judge(task.checker, reply.attempts[0], task.target).success
        closed = len(reply.feedbacks) == len(reply.attempts)
        for group in filter(None, (episode.task, seed, "all")):
            tally = tallies.setdefault(group, Tally())
            if attempt.unscored:
                tally.unscored += 1
                continue
            tally.add(
                first,
                attempt.success,
                any(map(is_answered, reply.attempts[1:])),
                closed and reply.feedbacks[-1] == ALL_CORRECT,
                attempt.truncated,
            )
    env.close()


def improvement_text(found: dict[str, dict[str, Tally]]) -> str:
    """The tallies as a table for a terminal."""
    width = max((len(family) for tallies in found.values() for family in tallies), default=0)
    first = max(map(len, found), default=0)
    heads = ("replies", "first", "last", "updated", "mended", "spoiled", "says so", "and is", "cut")
    lines = [" ".join([f"{'':{first}} {'':{width}}", *(f"{head:>8}" for head in heads)])]
    for part, tallies in found.items():
        for family, t in sorted(tallies.items(), key=lambda item: (item[0] == "all", item[0])):
            counts = (t.first, t.last, t.updated, t.mended, t.spoiled, t.claimed)
            shares = [_share(count, t.replies) for count in counts]
            shares += [_share(t.claimed_rightly, t.claimed), _share(t.cut, t.replies)]
            lines.append(" ".join([f"{part:{first}} {family:{width}}", f"{t.replies:8}", *shares]))
        if "all" in tallies and (unscored := tallies["all"].unscored):
            lines.append(f"{part}: {unscored} more could not be checked")
    return "\n".join(lines)


def _share(count: int, total: int) -> str:
    return f"{count / total:8.3f}" if total else f"{'-':>8}"

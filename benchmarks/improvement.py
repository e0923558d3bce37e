"""What self-improvement is worth in a run: first and last attempts of the same replies.

A reply of ``SelfImprovement-v0`` has its own attempts in it. The run recorded the last one's
verdict; here the first ones are judged as well, by the same checker.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.policy import make_env
from corgi_gym.benchmarks.recipe import Recipe, from_dict
from corgi_gym.rewards import judge
from corgi_gym.rewards.trajectory import ALL_CORRECT, is_answered, parse_trajectory

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
        claimed: That end with the verdict that all is correct.
        claimed_rightly: Of these, whose last attempt is right.
    """

    replies: int = 0
    first: int = 0
    last: int = 0
    updated: int = 0
    mended: int = 0
    spoiled: int = 0
    claimed: int = 0
    claimed_rightly: int = 0

    def add(self, first: bool, last: bool, updated: bool, claimed: bool) -> None:
        """Count one reply."""
        self.replies += 1
        self.first += first
        self.last += last
        self.updated += updated
        self.mended += last and not first
        self.spoiled += first and not last
        self.claimed += claimed
        self.claimed_rightly += claimed and last


def improvement(folder: str | Path) -> dict[str, dict[str, Tally]]:
    """Tallies of a run's evaluations: by phase, then by family (and all of them, ``"all"``).

    Raises:
        FileNotFoundError: If ``folder`` has no run.
        ValueError: If its replies are not of ``SelfImprovement-v0``.
    """
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["env"]["id"] != "SelfImprovement-v0":
        raise ValueError(
            f"the run in {folder} is on {config['env']['id']}: only replies of SelfImprovement-v0 "
            "have attempts of their own"
        )
    names = {f.name for f in dataclasses.fields(Recipe)}
    recipe = from_dict({name: value for name, value in config.items() if name in names})
    env: Any = make_env(recipe, train=False).unwrapped
    found: dict[str, dict[str, Tally]] = {}
    with (folder / "episodes.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["phase"] not in PHASES:
                continue
            task = env.task_at(row["index"])
            reply = parse_trajectory(row["attempts"][0]["reply"])
            first = judge(task.checker, reply.attempts[0], task.target).success
            tallies = found.setdefault(row["phase"], {})
            for family in (row["task"], "all"):
                tallies.setdefault(family, Tally()).add(
                    first,
                    bool(row["attempts"][0]["success"]),
                    any(map(is_answered, reply.attempts[1:])),
                    reply.feedbacks[-1:] == (ALL_CORRECT,),
                )
    env.close()
    return found


def improvement_text(found: dict[str, dict[str, Tally]]) -> str:
    """The tallies as a table for a terminal."""
    width = max((len(family) for tallies in found.values() for family in tallies), default=0)
    heads = ("replies", "first", "last", "updated", "mended", "spoiled", "says so", "and is")
    lines = [" ".join([f"{'':6} {'':{width}}", *(f"{head:>8}" for head in heads)])]
    for phase, tallies in found.items():
        for family, t in sorted(tallies.items(), key=lambda item: (item[0] == "all", item[0])):
            shares = (t.first, t.last, t.updated, t.mended, t.spoiled, t.claimed)
            cells = [f"{t.replies:8}", *(f"{share / t.replies:8.3f}" for share in shares)]
            right = f"{t.claimed_rightly / t.claimed:8.3f}" if t.claimed else f"{'-':>8}"
            lines.append(" ".join([f"{phase:6} {family:{width}}", *cells, right]))
    return "\n".join(lines)

"""``corgi-gym vote``: several sessions of a task, and which of their answers stands.

A policy that judges itself says of each answer how sure it is. ReVISE (arXiv 2502.14565, its
test-time scaling; the details are recalled and not verified) samples several sessions of a task and
adds up, for each different answer, the probabilities with which the policy stopped at it. That is
compared with counting answers (self-consistency, arXiv 2203.11171), with a single sample and with
a choice by the checker, which no vote can beat.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corgi_gym.benchmarks.display import Display
from corgi_gym.benchmarks.evaluation import evaluation_indices
from corgi_gym.benchmarks.gap.estimator import powers_of_two
from corgi_gym.benchmarks.intervals import ratio_intervals
from corgi_gym.benchmarks.policy import (
    Policy,
    check_inputs,
    load_policy,
    make_env,
    make_rollout,
)
from corgi_gym.benchmarks.provenance import describe
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.benchmarks.run_writer import RunFolder
from corgi_gym.envs import stable_hash

if TYPE_CHECKING:
    from corgi_gym.agents.episode import Episode

CONFIG, SAMPLES, RESULT = "config.json", "samples.jsonl", "vote.json"
# What a vote is compared with, and the vote itself: how they weigh a sample's answer.
RULES = ("single", "majority", "confidence", "any")


@dataclass(frozen=True, slots=True)
class Ballot:
    """One session's last answer.

    Attributes:
        index: Which task of the environment.
        number: Which session of that task, from 0.
        answer: Its last line without case and double spaces: what counts as the same answer.
        confidence: The policy's own probability that it is correct.
        right: Whether the checker calls it right.
    """

    index: int
    number: int
    answer: str
    confidence: float
    right: bool


class VoteFolder(RunFolder):
    """The folder of one ``corgi-gym vote``; see `RunFolder` for what it raises."""

    results = (CONFIG, SAMPLES, RESULT)
    resumes = False


def key_of(answer: str) -> str:
    r"""What answers are compared by: the last line that is not empty.

    Example:
        >>> key_of("4 * 2 = 8\nAnswer:  8\n")
        'answer: 8'
    """
    lines = [line for line in answer.splitlines() if line.strip()]
    return " ".join(lines[-1].split()).casefold() if lines else ""


def shares(ballots: Sequence[Ballot]) -> dict[str, float]:
    """The chance that one task is answered rightly under each of `RULES`.

    Answers with equal weights are drawn from with equal chances, and so are all where none has any.
    """
    groups: dict[str, list[Ballot]] = defaultdict(list)
    for ballot in ballots:
        groups[ballot.answer].append(ballot)
    weights = {
        "majority": {key: float(len(group)) for key, group in groups.items()},
        "confidence": {key: sum(b.confidence for b in group) for key, group in groups.items()},
    }
    found = {name: _winner(groups, weight) for name, weight in weights.items()}
    right = [b.right for b in ballots]
    found["single"] = sum(right) / max(1, len(right))
    found["any"] = float(any(right))
    return {name: found[name] for name in RULES}


def _winner(groups: dict[str, list[Ballot]], weights: dict[str, float]) -> float:
    best = max(weights.values(), default=0.0)
    first = [groups[key] for key, weight in weights.items() if weight == best]
    chances = [sum(b.right for b in group) / len(group) for group in first]
    return sum(chances) / max(1, len(chances))


def count_votes(ballots: Sequence[Ballot], samples: int, *, seed: int) -> list[dict[str, Any]]:
    """The share of tasks that each rule answers rightly, for 1, 2, 4 … and all samples.

    Each row has the number of samples, for each of `RULES` the share with its 95 % bootstrap
    interval over tasks, and the difference of confidence and majority on the same tasks.
    """
    tasks: dict[int, list[Ballot]] = defaultdict(list)
    for ballot in sorted(ballots, key=lambda ballot: ballot.number):
        tasks[ballot.index].append(ballot)
    rows = []
    for size in powers_of_two(samples):
        found = [shares(task[:size]) for task in tasks.values()]
        ones = [1.0] * len(found)
        values = {name: ([task[name] for task in found], ones) for name in RULES}
        change = [task["confidence"] - task["majority"] for task in found]
        estimates = ratio_intervals({**values, "confidence - majority": (change, ones)}, seed=seed)
        rows.append({"samples": size, **{n: e and e._asdict() for n, e in estimates.items()}})
    return rows


def run_vote(
    recipe: Recipe,
    out: str | Path,
    *,
    samples: int = 8,
    overwrite: bool = False,
    display: Display | None = None,
) -> dict[str, Any]:
    """Let a recipe's model answer its evaluation tasks several times, and count the votes.

    Sessions are sampled at the recipe's temperature. ``samples.jsonl`` gets each as it ends, and
    ``vote.json`` what is returned. Sessions that the checker fails on are counted and left out.

    Args:
        recipe: Its evaluation must be one in which the writer judges itself.
        out: A folder.
        samples: Sessions of each task, at least 2.
        overwrite: Replace the results in that folder.
        display: Of the progress.

    Raises:
        ValueError: For impossible values, an environment without self_check, or an engine that
            returns no log-probs.
        FileExistsError: If there are results in ``out``.
    """
    from corgi_gym.agents.self_checked import check_self_checked

    if samples < 2:
        raise ValueError(f"--samples must be at least 2, or there is no vote, got {samples}")
    if recipe.engine == "openai":
        raise ValueError("engine 'openai' returns no log-probs to weigh votes by; use another")
    check_inputs(recipe, train=False)
    env = make_env(recipe, train=False)
    try:
        check_self_checked(env)
    except ValueError as error:
        raise ValueError(f"{error}, as the recipes revise, s2r and self do") from error
    finally:
        env.close()
    folder = VoteFolder(out, overwrite=overwrite)
    config = {**describe(recipe), "samples": samples}
    with display or Display(0) as shown:
        policy = load_policy(recipe)
        try:
            folder.clear()
            folder.write_json(CONFIG, config)
            ballots, failed = _sample(recipe, policy, samples, folder, shown)
        finally:
            policy.engine.close()
    result = {
        "config": config,
        "tasks": len({b.index for b in ballots}),
        "unscored": failed,
        "votes": count_votes(ballots, samples, seed=recipe.seed),
    }
    folder.write_json(RESULT, result)
    return result


def _sample(
    recipe: Recipe, policy: Policy, samples: int, folder: VoteFolder, shown: Display
) -> tuple[list[Ballot], int]:
    """The ballots, each on disk when its session ends, and how many the checker failed on."""
    from corgi_gym.agents.rollout import Session
    from corgi_gym.agents.self_checked import own_verdicts, stop_confidence

    rollout = make_rollout(recipe, policy, train=False, sampled=True)
    numbers = {
        stable_hash("vote", recipe.seed, index, number): (index, number)
        for index in evaluation_indices(recipe, rollout)
        for number in range(samples)
    }
    shown.phase("votes", len(numbers))
    ballots: list[Ballot] = []
    failed = 0

    def keep(episode: Episode) -> None:
        nonlocal failed
        shown.advance()
        if episode.attempts[-1].unscored:
            failed += 1
            return
        index, number = numbers[episode.seed]
        ballots.append(
            Ballot(
                index,
                number,
                key_of(own_verdicts(episode)[-1].answer),
                stop_confidence(episode, policy.codec),
                episode.attempts[-1].success,
            )
        )
        folder.append(SAMPLES, asdict(ballots[-1]))

    sessions = [Session(index=index, seed=seed) for seed, (index, _) in numbers.items()]
    try:
        rollout.run(sessions, on_episode=keep)
    finally:
        rollout.close()
    return ballots, failed


def vote_text(result: dict[str, Any]) -> str:
    """The result as a table for a terminal."""
    heads = (*RULES, "confidence - majority")
    lines = [" ".join([f"{'samples':7}", *(f"{head:>22}" for head in heads)])]
    for row in result["votes"]:
        cells = (
            f"{e['value']:.3f} ({e['low']:.3f} to {e['high']:.3f})" if (e := row[head]) else "-"
            for head in heads
        )
        lines.append(" ".join([f"{row['samples']:7}", *(f"{cell:>22}" for cell in cells)]))
    lines.append(f"{result['tasks']} tasks; in brackets 95 % bootstrap intervals over tasks")
    if result["unscored"]:
        lines.append(f"{result['unscored']} sessions left out: the checker failed on them")
    return "\n".join(lines)

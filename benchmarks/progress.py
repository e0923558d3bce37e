"""What a run has reached, over all of its parts: its clock, its rounds, its summary."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.agents.episode import Episode, repeat_share, success_by_attempt
from corgi_gym.agents.health import Alarms, round_health
from corgi_gym.agents.processes import Processes
from corgi_gym.benchmarks.display import Display
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.benchmarks.run_writer import RunFolder

PROGRESS = "progress.json"
# Fields of a row of metrics.jsonl that say how long something took. All others are the same in a
# run that was killed and resumed and in one that was not.
TIMES = ("elapsed", "rollout_seconds", "train_seconds", "tokens_per_second")


@dataclass
class Progress:
    """What a run has reached; the source of ``summary.json`` and ``progress.json``.

    A run has one part more than it was resumed. Sessions, tokens and training seconds are those of
    the rounds that count: what a kill undid is not in them. The clock counts every part.

    Attributes:
        parts: One dict per part: ``seconds`` and what it ran with (see `provenance.describe`).
        evaluated: Sizes of the files of rows when the evaluation before training was complete.
    """

    parts: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    evaluated: dict[str, int] | None = None
    rounds: int = 0
    sessions: int = 0
    tokens: int = 0
    status: str = "running"
    before: list[Episode] = field(default_factory=list)
    after: list[Episode] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _trained: float = 0.0
    _training_since: float | None = None

    @property
    def seconds(self) -> float:
        """Wall time of all parts; of one that was killed, up to the last round it finished."""
        return sum(p["seconds"] for p in self.parts[:-1]) + time.monotonic() - self._started

    @property
    def train_seconds(self) -> float:
        """Wall time of training."""
        running = self._training_since is not None
        return self._trained + (time.monotonic() - self._training_since if running else 0.0)

    def start_training(self) -> None:
        """The clock of training runs from now on."""
        self._training_since = time.monotonic()

    def stop_training(self) -> None:
        """The clock of training stands still."""
        self._trained, self._training_since = self.train_seconds, None

    def counts(self) -> dict[str, Any]:
        """What a checkpoint records, for `restore`."""
        names = ("rounds", "sessions", "tokens", "train_seconds")
        return {name: getattr(self, name) for name in names}

    def restore(self, counts: dict[str, Any]) -> None:
        """Go on from what `counts` returned."""
        self.rounds, self.sessions = counts["rounds"], counts["sessions"]
        self.tokens, self._trained = counts["tokens"], counts["train_seconds"]

    def write(self, folder: RunFolder) -> None:
        """Write ``progress.json``, which a later part starts from."""
        self.parts[-1]["seconds"] = time.monotonic() - self._started
        folder.write_json(PROGRESS, {"parts": self.parts, "evaluated": self.evaluated})


# Beginnings of the names of what single methods log (`agents/`).
_OWN_KEYS = (
    "dynamic/",
    "examples/",
    "feedback_loss",
    "imitation/",
    "ppo/",
    "preference/",
    "retry/",
    "self/",
    "tapir/",
)


class RoundRows:
    """Collects what a round logs and writes one row of ``metrics.jsonl`` per round."""

    def __init__(
        self, recipe: Recipe, folder: RunFolder, shown: Display, progress: Progress
    ) -> None:
        self.recipe, self.folder, self.shown, self.progress = recipe, folder, shown, progress
        self.report: Any = None
        self.logs: list[dict[str, float]] = []
        self.first, self.first_tokens = progress.rounds, progress.tokens
        self.started = self.round_started = time.monotonic()
        self.alarms = Alarms()
        for row in folder.rows("metrics.jsonl"):  # of the parts before this one
            self.alarms.watch(row)
        self._forget_journal()

    def journal(self, episode: Episode) -> None:
        """Note a session that has ended, where the round may die with another process.

        A launcher ends all processes when one fails, and what they had is in no memory then.
        """
        row = {"phase": "unfinished", "step": self.progress.rounds, **episode.record()}
        RunFolder.append(self.folder, self._journal, row)

    @property
    def _journal(self) -> str:
        return f"unfinished-{Processes.current().index}.jsonl"

    def _forget_journal(self) -> None:
        (self.folder.path / self._journal).unlink(missing_ok=True)

    def rollout(self, report: Any) -> None:
        """A round's episodes exist: the round before it is complete."""
        now = time.monotonic()
        self.close(now - report.seconds)
        self.report, self.logs = report, []
        if self.progress.rounds == self.first:
            self.started = now - report.seconds
        self.round_started = now - report.seconds
        for episode in report.episodes:
            row = {"phase": "train", "step": self.progress.rounds, **episode.record()}
            self.folder.append("episodes.jsonl", row)
        self._forget_journal()

    @contextmanager
    def aside(self, rollout_seconds: float) -> Iterator[dict[str, float]]:
        """Do something between the rollouts of a round and its steps, off the clock of training.

        Yields the tokens and seconds of training that the weights of this round had cost, so
        without its own rollouts.
        """
        started = time.monotonic()
        self.progress.stop_training()
        try:
            seconds = self.progress.train_seconds - rollout_seconds
            yield {"tokens": self.progress.tokens, "seconds": seconds}
        finally:
            self.round_started += time.monotonic() - started
            self.progress.start_training()

    def unfinished(self, episodes: list[Episode]) -> None:
        """Sessions of a round whose rollouts failed: kept to be read, cut off by a resume."""
        self.close()
        for episode in episodes:
            row = {"phase": "unfinished", "step": self.progress.rounds, **episode.record()}
            self.folder.append("episodes.jsonl", row)

    def log(self, values: dict[str, float]) -> None:
        """One optimizer step's logs."""
        self.logs.append(values)

    def _own_keys(self) -> list[str]:
        """What the round's method logs of its own: examples, filters, preferences."""
        return sorted({key for log in self.logs for key in log if key.startswith(_OWN_KEYS)})

    def checkpoint(self) -> dict[str, Any]:
        """Close the round; what its checkpoint records of the run."""
        self.close()
        return {**self.progress.counts(), "sizes": self.folder.sizes()}

    def stop(self, steps: int, steps_per_round: int) -> None:
        """Training has stopped after ``steps`` optimizer steps, maybe within a round.

        A round that lacks steps is not counted and has no row.
        """
        if self.report is not None and steps < self.report.step + steps_per_round:
            self.report = None
        self.close()

    def close(self, now: float | None = None) -> None:
        """Write the row of the last round, if there is one; it ended at ``now``.

        What nothing is known of, since no session could be checked, is None.
        """
        if self.report is None:
            return
        report, self.report = self.report, None
        episodes: list[Episode] = report.episodes
        now = time.monotonic() if now is None else now
        scored = [e for e in episodes if not e.unscored]
        tokens = report.tokens
        row = {
            "step": self.progress.rounds,
            "elapsed": self.progress.seconds - (time.monotonic() - now),
            "reward": sum(e.reward for e in scored) / len(scored) if scored else None,
            "success": (
                success_by_attempt(scored, self.recipe.train.max_attempts) if scored else None
            ),
            "repeats": repeat_share(scored) if scored else None,
            "sessions": len(episodes),
            "demonstrations": sum(e.demonstrated for e in episodes) / len(episodes),
            "tokens": tokens,
            "attempts": sum(len(e.attempts) for e in episodes) / len(episodes),
            "unscored": sum(a.unscored for e in episodes for a in e.attempts),
            "rollout_seconds": report.seconds,
            "train_seconds": now - self.round_started - report.seconds,
            "tokens_per_second": tokens / report.seconds if report.seconds > 0 else 0.0,
            "mismatch": report.mismatch,
            **round_health(episodes, report.credit),
            **{key: _mean(self.logs, key) for key in ("loss", "entropy", "grad_norm")},
            **({} if scored else {"entropy": None}),  # a mean over no tokens is logged as 0
            **{key: _mean(self.logs, key) for key in self._own_keys()},
            **({"curriculum": report.curriculum} if report.curriculum else {}),
        }
        started = self.alarms.watch(row)
        row["alarms"] = [alarm._asdict() for alarm in started]
        self.folder.append("metrics.jsonl", row)
        self.progress.rounds += 1
        self.progress.sessions += len(episodes)
        self.progress.tokens += tokens
        self.progress.write(self.folder)
        self.shown.round(row, self._seconds_left(now))
        for alarm in started:
            self.shown.say(f"alarm: {alarm.message}")

    def _seconds_left(self, now: float) -> float:
        """Seconds until the first limit of the run is reached, at the pace of its rounds so far."""
        limits, done = self.recipe.train, self.progress
        rounds, tokens = done.rounds - self.first, done.tokens - self.first_tokens
        seconds = now - self.started
        left = [(limits.rounds - done.rounds) * seconds / rounds]
        if limits.max_tokens and tokens:
            left.append((limits.max_tokens - done.tokens) * seconds / tokens)
        if limits.max_seconds:
            left.append(limits.max_seconds - done.train_seconds)
        return max(0.0, min(left))


def _mean(logs: list[dict[str, float]], key: str) -> float | None:
    values = [log[key] for log in logs if key in log]
    return sum(values) / len(values) if values else None


def evaluation_summary(episodes: Sequence[Episode], attempts: int) -> dict[str, Any]:
    """Success by attempt, interaction gain, mean score and repeats of an evaluation.

    They are of the sessions that could be checked (``tasks`` of them), and None without any. Where
    sessions could not be checked at all, ``unscored_because`` says why (of the first one).
    """
    counted = [e for e in episodes if not e.unscored]
    failed = next((e for e in episodes if e.unscored), None)
    why = failed and next((p["message"] for a in failed.attempts for p in a.problems), "")
    success = success_by_attempt(counted, attempts) if counted else None
    return {
        "success": success,
        "gain": success[-1] - success[0] if success else None,
        "mean_score": sum(e.best_score for e in counted) / len(counted) if counted else None,
        "repeats": repeat_share(counted) if counted else None,
        "tasks": len(counted),
        "unscored": len(episodes) - len(counted),
        **({"unscored_because": why} if failed else {}),
    }


def trains(recipe: Recipe) -> bool:
    """Whether the algorithm trains; one that does not has independent samples to show instead."""
    return get_algorithm(recipe.algorithm).trainer is not None


def summarise(recipe: Recipe, progress: Progress, versions: dict[str, str]) -> dict[str, Any]:
    """The contents of ``summary.json``; keys of a phase that did not run are left out.

    ``independent`` is there for an algorithm that trains nothing: "after" are independent samples.
    """
    summary: dict[str, Any] = {"status": progress.status}
    for phase, episodes in (("before", progress.before), ("after", progress.after)):
        if episodes:
            for key, value in evaluation_summary(episodes, recipe.evaluation.attempts).items():
                summary[f"{key}_{phase}"] = value
    return {
        **summary,
        **({} if trains(recipe) else {"independent": True}),
        "train_seconds": progress.train_seconds,
        "total_seconds": progress.seconds,
        "resumed": len(progress.parts) - 1,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "steps": progress.rounds,
        "sessions": progress.sessions,
        "tokens": progress.tokens,
        "seed": recipe.seed,
        "versions": versions,
    }

"""Reading a run folder back, however it ended: what is there, and notes on what is not.

    run = read_run("runs/quickstart")
    run.phases["after"].success      # success@1...k on the test tasks
    run.notes                        # what is missing, in sentences

A run may stop at any byte (Ctrl-C, a full disk, a killed machine). Nothing here raises for that:
a line that does not parse is counted, a missing file is named, and an evaluation that is not
complete is compared on the tasks that both evaluations have.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from corgi_gym.agents.algorithms import ALGORITHMS
from corgi_gym.agents.episode import Attempt, Episode, repeat_share, success_by_attempt

# What the phases of a run are: of one that trains, and of one that does not.
TRAINED = {"before": "before training", "after": "after training"}
SAMPLED = {"before": "greedy, with feedback", "after": "independent samples"}
FILES = ("config.json", "metrics.jsonl", "episodes.jsonl", "summary.json")
# Training sessions are many and alike: this many tasks per round are kept for the transcripts.
TRAIN_TASKS_PER_ROUND = 4
# Numbers of summary.json and of episodes.jsonl further apart than this are reported.
TOLERANCE = 1e-6
DEFAULT_ATTEMPTS = 4

_ATTEMPT_FIELDS = frozenset(f.name for f in fields(Attempt))


@dataclass(slots=True)
class Phase:
    """One evaluation of the policy: its sessions, or only its numbers where those are lost."""

    name: str
    episodes: list[Episode] = field(default_factory=list)
    success: list[float] = field(default_factory=list)
    repeats: float | None = None
    mean_score: float | None = None
    n: int = 0

    @property
    def gain(self) -> float:
        """The interaction gain: success@k - success@1."""
        return self.success[-1] - self.success[0]

    @classmethod
    def of(cls, name: str, episodes: list[Episode], attempts: int) -> Phase:
        """The numbers of these sessions; sessions that could not be checked are not counted."""
        counted = [e for e in episodes if not e.unscored]
        if not counted:
            return cls(name, episodes)
        success = success_by_attempt(counted, attempts)
        repeats = repeat_share(counted) if any(e.retries for e in counted) else None
        mean_score = sum(e.best_score for e in counted) / len(counted)
        return cls(name, episodes, success, repeats, mean_score, len(counted))


@dataclass(slots=True)
class Run:
    """All that a run folder says.

    Attributes:
        folder: Where it lies.
        config: ``config.json``, or ``{}``.
        summary: ``summary.json``, or ``{}``.
        rounds: The rows of ``metrics.jsonl`` that have a step, in its order.
        phases: ``"before"`` and ``"after"``, each only if something is known about it.
        training: Sessions of a few tasks per round, as ``(round, task_id) -> sessions``.
        attempts: How many attempts a session has at most.
        notes: What is missing or odd, in sentences.
    """

    folder: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    rounds: list[dict[str, Any]]
    phases: dict[str, Phase]
    training: dict[tuple[int, str], list[Episode]]
    attempts: int
    notes: list[str]

    @property
    def trains(self) -> bool:
        """Whether the algorithm trains; else ``"after"`` are independent samples."""
        known = ALGORITHMS.get(str(self.config.get("algorithm")))
        return known is None or known.trainer is not None

    @property
    def titles(self) -> dict[str, str]:
        """What each phase is."""
        return TRAINED if self.trains else SAMPLED


def read_run(folder: str | Path) -> Run:
    """Read a run folder.

    Raises:
        FileNotFoundError: If the folder does not exist, or holds no file of a run at all.
    """
    folder = Path(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if len(missing) == len(FILES):
        raise FileNotFoundError(f"{folder} is not a run folder: it has no {', no '.join(FILES)}")
    notes = [f"{name} is missing." for name in missing]
    config = _read_json(folder / "config.json", notes)
    summary = _read_json(folder / "summary.json", notes)
    rounds = {  # a round that was done again (a resumed run) replaces the first
        int(step): row
        for row in _read_lines(folder / "metrics.jsonl", notes)
        if (step := number(row.get("step"))) is not None
    }
    sessions, training = _read_episodes(folder / "episodes.jsonl", notes)
    attempts = _attempts(config, summary, sessions)
    phases = _phases(config, summary, sessions, attempts, notes)
    if not rounds:
        notes.append("No training round is recorded.")
    if summary.get("status") != "finished":
        notes.insert(0, "The run did not finish: what follows is what it had written by then.")
    rows = [rounds[step] for step in sorted(rounds)]
    return Run(folder, config, summary, rows, phases, training, attempts, notes)


def read_sessions(path: Path, phase: str) -> list[Episode]:
    """The sessions of one evaluation, by index, as ``episodes.jsonl`` has them.

    Lines that cannot be read are left out.
    """
    sessions, _ = _read_episodes(path, notes=[])
    return sorted(sessions[phase], key=lambda episode: episode.index)


def number(value: object) -> float | None:
    """``value`` as a finite float, or None.

    Example:
        >>> number(3), number(float("nan")), number("3"), number(True)
        (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def numbers(value: object) -> list[float]:
    """``value`` as a list of finite floats, or [] if it is anything else."""
    found = [number(v) for v in value] if isinstance(value, list) else []
    return [] if None in found else [v for v in found if v is not None]


def section(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    """The dict under ``key``, or {}."""
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


# ---------------------------------------------------------------- files


def _read_json(path: Path, notes: list[str]) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        notes.append(f"{path.name} could not be read.")
        return {}
    return value


def _read_lines(path: Path, notes: list[str]) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file; lines that are cut or broken are counted in the notes."""
    if not path.is_file():
        return
    broken = 0
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in filter(str.strip, file):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                yield row
            else:
                broken += 1
    if broken:
        notes.append(f"{path.name}: {_count(broken, 'line')} broken and left out.")


def _read_episodes(
    path: Path, notes: list[str]
) -> tuple[dict[str, list[Episode]], dict[tuple[int, str], list[Episode]]]:
    phases: dict[str, dict[tuple[str, int], Episode]] = {"before": {}, "after": {}}
    training: dict[tuple[int, str], list[Episode]] = {}
    tasks_of_round: Counter[int] = Counter()
    odd = 0
    for row in _read_lines(path, notes):
        try:
            episode, phase = _episode(row), row["phase"]
            if phase in phases:  # a task evaluated again (a resumed run) replaces the first
                phases[phase][episode.task_id, episode.index] = episode
                continue
            key = int(row["step"]), episode.task_id
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            odd += 1
            continue
        if key not in training and tasks_of_round[key[0]] < TRAIN_TASKS_PER_ROUND:
            tasks_of_round[key[0]] += 1
            training[key] = []
        if key in training:
            training[key].append(episode)
    if odd:
        notes.append(f"{path.name}: {_count(odd, 'session')} incomplete and left out.")
    return {name: list(found.values()) for name, found in phases.items()}, training


def _episode(row: dict[str, Any]) -> Episode:
    """The inverse of `Episode.record`, as far as it goes."""
    attempts = [
        Attempt(**{k: v for k, v in a.items() if k in _ATTEMPT_FIELDS}) for a in row["attempts"]
    ]
    if not all(
        isinstance(a.reply, str)
        and isinstance(a.problems, list)
        and number(a.score) is not None
        and isinstance(a.success, bool)  # "false" would count as true
        and isinstance(a.unscored, bool)
        for a in attempts
    ):
        raise TypeError("not an attempt")
    return Episode(
        task=str(row["task"]),
        task_id=str(row["task_id"]),
        index=int(row["index"]),
        seed=int(row.get("seed") or 0),
        policy_version=int(row.get("policy_version") or 0),
        step_rewards=[number(row.get("reward")) or 0.0],
        attempts=attempts,
        messages=[{"role": "user", "content": str(row.get("prompt", ""))}],
    )


# ---------------------------------------------------------------- evaluations


def _attempts(
    config: dict[str, Any], summary: dict[str, Any], sessions: dict[str, list[Episode]]
) -> int:
    """Attempts per session: as configured, else the most that were made."""
    told = number(section(config, "evaluation").get("attempts"))
    if told is not None and told >= 1:
        return int(told)
    made = [len(e.attempts) for found in sessions.values() for e in found]
    made += [len(numbers(summary.get(f"success_{name}"))) for name in sessions]
    return max(made, default=0) or DEFAULT_ATTEMPTS


def _phases(
    config: dict[str, Any],
    summary: dict[str, Any],
    sessions: dict[str, list[Episode]],
    attempts: int,
    notes: list[str],
) -> dict[str, Phase]:
    """Both evaluations, on the same tasks where both are there."""
    tasks = int(number(section(config, "evaluation").get("tasks")) or 0)
    whole = {name: Phase.of(name, found, attempts) for name, found in sessions.items()}
    for name, phase in whole.items():
        told = numbers(summary.get(f"success_{name}"))
        checked = number(summary.get(f"tasks_{name}"))
        if not phase.n and (phase.episodes or checked == 0):
            notes.append(
                f"Nothing could be checked in the evaluation {name} training: "
                "the checker failed on every attempt, so nothing is known of it."
            )
        elif not phase.n and told:
            notes.append(
                f"The sessions of the evaluation {name} training are missing: "
                "its numbers come from summary.json."
            )
            repeats, score = (number(summary.get(f"{k}_{name}")) for k in ("repeats", "mean_score"))
            whole[name] = Phase(name, [], told, repeats, score, int(checked or tasks))
        elif not phase.n:
            notes.append(f"There is no evaluation {name} training.")
        elif told and not _agree(told, phase.success):
            notes.append(
                f"summary.json and episodes.jsonl disagree about success {name} training; "
                "this page shows what episodes.jsonl says."
            )
        unscored = len(phase.episodes) - phase.n
        if phase.n and unscored:
            notes.append(
                f"Evaluation {name} training: {_count(unscored, 'session')} left out, "
                "because the checker failed on every attempt."
            )
        if phase.n and len(phase.episodes) < tasks:
            notes.append(
                f"The evaluation {name} training has {len(phase.episodes)} of {tasks} tasks. "
                "If short sessions were written first, these are the easier ones."
            )
    return _on_common_tasks(whole, attempts, notes)


def _on_common_tasks(phases: dict[str, Phase], attempts: int, notes: list[str]) -> dict[str, Phase]:
    keys = [{(e.task_id, e.index) for e in p.episodes if not e.unscored} for p in phases.values()]
    common = keys[0] & keys[1]
    if common and keys[0] != keys[1]:
        notes.append(
            f"Before and after are compared on the {len(common)} tasks that both evaluations have."
        )
        for name, phase in phases.items():
            kept = [e for e in phase.episodes if (e.task_id, e.index) in common]
            phases[name] = Phase.of(name, kept, attempts)
    return {name: phase for name, phase in phases.items() if phase.n or phase.success}


def _count(n: int, noun: str) -> str:
    """A number with its noun and its verb: ``1 line was``, ``2 lines were``."""
    return f"{n} {noun} was" if n == 1 else f"{n:,} {noun}s were"


def _agree(left: list[float], right: list[float]) -> bool:
    near = (abs(a - b) <= TOLERANCE for a, b in zip(left, right, strict=False))
    return len(left) == len(right) and all(near)

"""What the sessions of one evaluation show. Every number is a plain function of the episodes.

Shares are macro averages: the unweighted mean over the families of an evaluation (CORGI, arXiv
2411.01483, averages over tasks like this), so a family with more tasks counts no more than another.
Sessions that could not be checked at all are left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from corgi_gym.agents.episode import Attempt, Episode, success_by_attempt
from corgi_gym.rewards.self_verdict import DONE

Json = dict[str, Any]


def measure(episodes: Sequence[Episode], attempts: int) -> Json:
    """The numbers of one evaluation with up to ``attempts`` attempts.

    Returns:
        ``tasks`` and ``unscored`` (sessions); ``no_room`` (those of them that ended unsolved
        before the last attempt, since the context was full); ``success`` (success@1 to
        success@attempts); ``families`` (the same per family); ``gain`` (success@attempts minus
        success@1); ``mean_score`` (mean best score); ``tokens`` (mean tokens written per task until
        it was solved, or until k attempts were made, for each k); ``solved_at`` (per task the
        attempt that solved it, 0 for none); ``retries`` per attempt 2, 3, ... and of these the
        shares that ``fix`` (solve), ``regress`` (score less than the reply before) and ``repeat``
        it word for word. A share of no retries is None.

    Example:
        >>> measure([], 2)["success"]
        [0.0, 0.0]
    """
    counted = [e for e in episodes if not e.unscored]
    by_family: dict[str, list[Episode]] = {}
    for episode in counted:
        by_family.setdefault(episode.task, []).append(episode)
    families = {
        name: success_by_attempt(found, attempts) for name, found in sorted(by_family.items())
    }
    success = [_mean([f[k] for f in families.values()]) or 0.0 for k in range(attempts)]
    scores = [_mean([e.best_score for e in found]) or 0.0 for found in by_family.values()]
    spent = [tokens_by_attempt(e, attempts) for e in counted]
    retries = [_retries(counted, k) for k in range(1, attempts)]
    return {
        "tasks": len(counted),
        "unscored": len(episodes) - len(counted),
        "no_room": sum(_ended_early(e, attempts) for e in counted),
        "success": success,
        "families": families,
        "gain": success[-1] - success[0],
        "mean_score": _mean(scores) or 0.0,
        "tokens": [_mean([row[k] for row in spent]) or 0.0 for k in range(attempts)],
        "solved_at": {f"{e.task_id} #{e.index}": first_success(e) for e in counted},
        "retries": [len(pairs) for pairs in retries],
        "fix": [_share(pairs, lambda old, new: new.success) for pairs in retries],
        "regress": [_share(pairs, lambda old, new: new.score < old.score) for pairs in retries],
        "repeat": [
            _share(pairs, lambda old, new: new.reply.split() == old.reply.split())
            for pairs in retries
        ],
    }


def tokens_by_attempt(episode: Episode, attempts: int) -> list[int]:
    """Tokens written until the task was solved, or until k attempts were made, for each k.

    Attempts after the first success cost nothing: whoever has the checker stops there, also among
    independent samples.
    """
    solved = next((i for i, a in enumerate(episode.attempts) if a.success), attempts)
    paid = [a.tokens for a in episode.attempts[: min(attempts, solved + 1)]]
    return list(accumulate([*paid, *[0] * (attempts - len(paid))]))


def first_success(episode: Episode) -> int:
    """The attempt that solved it, counted from 1; 0 if none did."""
    return next((i for i, a in enumerate(episode.attempts, start=1) if a.success), 0)


def _ended_early(episode: Episode, attempts: int) -> bool:
    """Whether a session had attempts left that its context had no room for.

    One that judges itself may also end with its own word, which is answered so.
    """
    made = episode.attempts
    own = bool(made) and made[-1].feedback == DONE
    return len(made) < attempts and not (episode.success or own)


def cost_of_target(points: Sequence[Json], target: float) -> Json | None:
    """Tokens and seconds of training at the first measured point with at least ``target`` success.

    Nothing is interpolated, so the answer is as coarse as the curve. None: never reached.

    Example:
        >>> points = [{"success": [0.1, 0.6], "tokens": 900, "seconds": 7.0, "step": 5}]
        >>> cost_of_target(points, 0.5)
        {'tokens': 900, 'seconds': 7.0, 'step': 5}
    """
    for point in points:
        if point["success"][-1] >= target:
            return {name: point[name] for name in ("tokens", "seconds", "step")}
    return None


def _retries(episodes: Sequence[Episode], k: int) -> list[tuple[Attempt, Attempt]]:
    """Attempt ``k`` (from 0) with the one before it, of the sessions that made it unsolved."""
    pairs = [(e.attempts[k - 1], e.attempts[k]) for e in episodes if len(e.attempts) > k]
    return [(old, new) for old, new in pairs if not (old.unscored or new.unscored)]


def _share(
    pairs: Sequence[tuple[Attempt, Attempt]], holds: Callable[[Attempt, Attempt], bool]
) -> float | None:
    return _mean([float(holds(old, new)) for old, new in pairs])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

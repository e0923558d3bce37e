"""Which attempt earned the session's reward: from step rewards to one advantage per attempt.

``session``: every attempt gets the session's advantage, reward minus the group's mean (GRPO on
whole sessions, as CORGI does it with PPO).

``attempt``: attempt t gets its reward-to-go, the sum of the rewards from t on, minus a baseline:
the mean reward-to-go at t over the *other* sessions of the group that reached t. What was earned
before an attempt is no credit of its own, so a retry that repeats the reply before it earns 0 and
falls below those that improve. The baseline leaves the session itself out and so depends on
nothing that the attempt does: the policy gradient stays unbiased. Where no other session of the
group got as far, the baseline is the mean over the batch's other sessions at a retry.

Both are divided by the standard deviation over the whole batch, so that all-easy and all-hard
groups are not blown up (Dr. GRPO and REINFORCE++ make the same point about per-group scaling).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Credit = Literal["session", "attempt"]
CREDITS: tuple[Credit, ...] = ("session", "attempt")
_EPSILON = 1e-4
_ROUNDING = 1e-9


def rewards_to_go(step_rewards: Sequence[float]) -> list[float]:
    """Sum of the rewards from each attempt on.

    Example:
        >>> rewards_to_go([0.5, 0.0, 0.5])
        [1.0, 0.5, 0.5]
    """
    return [float(g) for g in np.cumsum(np.asarray(step_rewards, float)[::-1])[::-1]]


def attempt_advantages(
    groups: Sequence[Sequence[Sequence[float]]],
    credit: Credit = "attempt",
    *,
    scale: bool = True,
) -> list[list[list[float]]]:
    """Advantage of every attempt of every session.

    Args:
        groups: ``groups[g][s][t]``: reward of attempt t of session s; the sessions of a group share
            their task. A session without attempts (nothing could be scored) gets none.
        credit: ``"session"`` or ``"attempt"``, see the module.
        scale: Divide by the standard deviation over all attempts of the batch.

    Returns:
        The same nesting.

    Example:
        >>> attempt_advantages([[[0.5, 0.5], [0.5, 0.0]]], scale=False)
        [[[0.5, 0.5], [-0.5, -0.5]]]
    """
    if credit not in CREDITS:
        raise ValueError(f"unknown credit {credit!r}; choose from {', '.join(CREDITS)}")
    to_go = [[rewards_to_go(session) for session in group] for group in groups]
    if credit == "session":
        raw = [[_flat(group, s) for s in range(len(group))] for group in to_go]
    else:
        retries = [g for group in to_go for session in group for g in session[1:]]
        raw = [[_own(group, s, retries) for s in range(len(group))] for group in to_go]
    # equal rewards have no advantage, exactly: what floating point leaves would cost a pass
    raw = [[[a if abs(a) > _ROUNDING else 0.0 for a in s] for s in group] for group in raw]
    if not scale:
        return raw
    values = [a for group in raw for session in group for a in session]
    deviation = float(np.sqrt(np.mean(np.square(values)))) if values else 0.0
    return [[[a / (deviation + _EPSILON) for a in session] for session in group] for group in raw]


def _flat(group: list[list[float]], number: int) -> list[float]:
    """The session's advantage, for each of its attempts."""
    session = group[number]
    totals = [other[0] for other in group if other]
    return [session[0] - float(np.mean(totals))] * len(session) if session else []


def _own(group: list[list[float]], number: int, retries: list[float]) -> list[float]:
    """Reward-to-go minus the mean over the others that got as far."""
    session = group[number]
    advantages = []
    for t, value in enumerate(session):
        others = [other[t] for s, other in enumerate(group) if s != number and len(other) > t]
        if not others and t > 0:
            rest = len(retries) - len(session[1:])
            others = [(sum(retries) - sum(session[1:])) / rest] if rest > 0 else []
        advantages.append(value - float(np.mean(others)) if others else 0.0)
    return advantages

"""Which attempt earned the session's reward: from step rewards to one advantage per attempt.

An advantage is a return minus a baseline. With G(i, t) the reward-to-go of session i at its attempt
t (the sum of its rewards from t on) and G(i, 1) the session's reward:

    ``session``     G(i, 1) minus the mean over the group, for every attempt of i (GRPO on whole
                    sessions, DeepSeekMath, arXiv 2402.03300, section 4.1).
    ``loo``         G(i, 1) minus the mean over the *other* sessions of the group (RLOO, arXiv
                    2402.14740, section 3.4): ``session`` times n / (n - 1).
    ``batch``       G(i, t) minus the mean over all attempts of the batch (REINFORCE++, arXiv
                    2501.03262: no groups). The session's own attempts are in that mean, so it has a
                    bias that falls with the number of sessions.
    ``attempt``     G(i, t) minus the mean of G(j, t) over the *other* sessions j of the group that
                    reached t; where none did, minus the mean over the batch's other retries.
    ``position``    r(i, t) minus the mean of r(j, t) over the *other* sessions j of the group that
                    reached t, as ``attempt`` but without what follows: for rewards that judge one
                    step alone. What a step leads to is not paid, so it is no policy gradient of the
                    session's reward.
    ``prefix``      r(i, t) minus the mean of r(j, t) over the other sessions j of the group with
                    the same rewards before t; where there are none, over those of the batch; where
                    none there either, 0 (S2R, arXiv 2502.12853, process level: actions of the same
                    reward context). With ``position`` a step is paid for what the steps before it
                    made easy: "this is wrong" is a safe thing to say after leaving the answer out.
    ``turn_naive``  the sum over s >= t of r(i, s) minus the mean of r(j, s) over the sessions of
                    the group that reached s. Biased; here for the comparison.

**Why ``attempt`` is unbiased.** A term of the policy gradient is grad log pi(a | h) (G - b) for
the reply a of session i at attempt t after the history h. Given h, any b that does not depend on a
adds nothing: E[grad log pi(a | h)] b = 0. The baseline is made of other sessions alone, which are
sampled independently of i: neither their returns nor *which of them reached t* depends on anything
that i does. That sessions which reached t are the weaker ones is a selection, and it makes b a
better guess, not a bias: i reached t as well, before it chose a. What i's own reply does to whether
i goes on is all in G, and nothing of it in b. Two things are not exact: a retry that has no other
retry in the batch to be compared with gets the advantage 0 (its term is lost, which shrinks the
gradient of late attempts by the chance of that), and dividing by a deviation that is measured on
the same batch, or by the batch's number of tokens, makes a ratio estimator, as in every method here
but the unscaled ones.

**Why ``turn_naive`` is not.** It is the step-wise form of DeepSeekMath's process supervision
(section 4.1.3) with the mean taken per turn. The mean of turn s > t is subtracted only if session i
gets to s, and getting there is the doing of its reply at t: minus that mean is a payment for extra
turns that the reward never made. Turns that lose on average (a retry that spoils a good draft, a
penalty for repeats) pay for being reached, turns that gain are taxed. `tests/agents/test_credit.py`
computes both gradients by enumeration where extra turns are worth exactly nothing.

Advantages are divided by a root mean square: of the ``batch`` (all-easy and all-hard groups are not
blown up, as Dr. GRPO, arXiv 2503.20783, and REINFORCE++ argue), of the ``group`` (DeepSeekMath), or
not at all (``none``: Dr. GRPO, RLOO).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np

Credit = Literal["session", "loo", "batch", "attempt", "position", "prefix", "turn_naive"]
Scale = Literal["batch", "group", "none"]
Sessions = Sequence[Sequence[float]]  # one value per attempt of each session
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
    groups: Sequence[Sessions], credit: Credit = "attempt", *, scale: Scale = "batch"
) -> list[list[list[float]]]:
    """Advantage of every attempt of every session.

    Args:
        groups: ``groups[g][s][t]``: reward of attempt t of session s; the sessions of a group share
            their task. A session without attempts (nothing could be scored) gets none and is in
            nobody's baseline.
        credit: Which baseline, see the module.
        scale: Divide by the root mean square of the ``"batch"``, of the ``"group"``, or by nothing.

    Returns:
        The same nesting.

    Raises:
        ValueError: For an unknown ``credit`` or ``scale``.

    Example:
        >>> attempt_advantages([[[0.5, 0.5], [0.5, 0.0]]], scale="none")
        [[[0.5, 0.5], [-0.5, -0.5]]]
    """
    check_credit(credit, scale)
    raw = _CREDIT[credit](groups)
    # equal rewards have no advantage, exactly: what floating point leaves would cost a pass
    raw = [[[a if abs(a) > _ROUNDING else 0.0 for a in s] for s in group] for group in raw]
    if scale == "none":
        return raw
    if scale == "batch":
        return _divided(raw, _size([a for group in raw for s in group for a in s]))
    # one value per session where all its attempts share it, as DeepSeekMath counts
    shared = credit in _ONE_PER_SESSION
    sizes = [_size([a for s in group for a in (s[:1] if shared else s)]) for group in raw]
    return [_divided([group], size)[0] for group, size in zip(raw, sizes, strict=True)]


def check_credit(credit: str, scale: str) -> None:
    """Check the two names.

    Raises:
        ValueError: For an unknown one; the message lists the known ones.
    """
    if credit not in CREDITS:
        raise ValueError(f"unknown credit {credit!r}; choose from {', '.join(CREDITS)}")
    if scale not in SCALES:
        raise ValueError(f"unknown scale_rewards {scale!r}; choose from {', '.join(SCALES)}")


def _size(values: list[float]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values)))) if values else 0.0


def _divided(groups: list[list[list[float]]], by: float) -> list[list[list[float]]]:
    return [[[a / (by + _EPSILON) for a in s] for s in group] for group in groups]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _to_go(group: Sessions) -> list[list[float]]:
    return [rewards_to_go(session) for session in group]


def _session(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    return [_per_session(_to_go(group), leave_out=False) for group in groups]


def _leave_one_out(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    return [_per_session(_to_go(group), leave_out=True) for group in groups]


def _per_session(group: list[list[float]], *, leave_out: bool) -> list[list[float]]:
    """Each session's reward minus a mean of rewards, for each of its attempts."""
    result = []
    for number, session in enumerate(group):
        compared = [
            other[0] for i, other in enumerate(group) if other and not (leave_out and i == number)
        ]
        # without anything to compare with, a reward says nothing
        value = session[0] - _mean(compared) if session and compared else 0.0
        result.append([value] * len(session))
    return result


def _batch(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    to_go = [_to_go(group) for group in groups]
    mean = _mean([g for group in to_go for session in group for g in session])
    return [[[g - mean for g in session] for session in group] for group in to_go]


def _attempt(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    return _position([_to_go(group) for group in groups])


def _position(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    retries = [g for group in groups for session in group for g in session[1:]]
    return [[_own(group, number, retries) for number in range(len(group))] for group in groups]


def _own(group: Sessions, number: int, retries: list[float]) -> list[float]:
    """Each value of a session minus the mean over the others that got as far."""
    session = group[number]
    advantages = []
    for t, value in enumerate(session):
        others = [other[t] for s, other in enumerate(group) if s != number and len(other) > t]
        if not others and t > 0:
            rest = len(retries) - len(session[1:])
            others = [(sum(retries) - sum(session[1:])) / rest] if rest > 0 else []
        advantages.append(value - _mean(others) if others else 0.0)
    return advantages


def _prefix(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    contexts = [[list(_with_context(session)) for session in group] for group in groups]
    batch = _by_context([session for group in contexts for session in group])
    result = []
    for group in contexts:
        own = _by_context(group)
        result.append([[_beside(r, own[c], batch[c]) for c, r in session] for session in group])
    return result


def _with_context(session: Sequence[float]) -> Iterator[tuple[tuple[float, ...], float]]:
    """Each reward of a session with the rewards before it."""
    before: tuple[float, ...] = ()
    for reward in session:
        yield before, reward
        before += (round(reward, 9),)


def _by_context(
    sessions: Sequence[Sequence[tuple[tuple[float, ...], float]]],
) -> dict[tuple[float, ...], list[float]]:
    """All rewards, by the rewards before them in their session."""
    found: dict[tuple[float, ...], list[float]] = {}
    for session in sessions:
        for context, reward in session:
            found.setdefault(context, []).append(reward)
    return found


def _beside(reward: float, *comparable: list[float]) -> float:
    """A reward minus the mean of the others in the first list that has others."""
    for rewards in comparable:
        if len(rewards) > 1:
            return reward - (sum(rewards) - reward) / (len(rewards) - 1)
    return 0.0


def _turn_naive(groups: Sequence[Sessions]) -> list[list[list[float]]]:
    result = []
    for group in groups:
        longest = max((len(session) for session in group), default=0)
        means = [_mean([s[t] for s in group if len(s) > t]) for t in range(longest)]
        centred = [[r - means[t] for t, r in enumerate(session)] for session in group]
        result.append(_to_go(centred))
    return result


_CREDIT: dict[Credit, Callable[[Sequence[Sessions]], list[list[list[float]]]]] = {
    "session": _session,
    "loo": _leave_one_out,
    "batch": _batch,
    "attempt": _attempt,
    "position": _position,
    "prefix": _prefix,
    "turn_naive": _turn_naive,
}
_ONE_PER_SESSION = ("session", "loo")
CREDITS: tuple[Credit, ...] = tuple(_CREDIT)
SCALES: tuple[Scale, ...] = ("batch", "group", "none")

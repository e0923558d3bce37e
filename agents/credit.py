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
# One value per attempt of each session; None: it could not be scored, and only keeps its place.
Sessions = Sequence[Sequence[float | None]]
Values = list[list[float | None]]
_EPSILON = 1e-4
_ROUNDING = 1e-9


def rewards_to_go(step_rewards: Sequence[float | None]) -> list[float | None]:
    """Sum of the rewards from each attempt on; None where an attempt has none.

    Example:
        >>> rewards_to_go([0.5, 0.0, 0.5]), rewards_to_go([0.5, None, 0.5])
        ([1.0, 0.5, 0.5], [1.0, None, 0.5])
    """
    sums = np.cumsum([reward or 0.0 for reward in reversed(step_rewards)])[::-1]
    return [
        None if reward is None else float(g) for reward, g in zip(step_rewards, sums, strict=True)
    ]


def attempt_advantages(
    groups: Sequence[Sessions], credit: Credit = "attempt", *, scale: Scale = "batch"
) -> list[Values]:
    """Advantage of every attempt of every session.

    Args:
        groups: ``groups[g][s][t]``: reward of attempt t of session s; the sessions of a group share
            their task. None: that attempt could not be scored; it gets no advantage and is in
            nobody's baseline, and later attempts keep their numbers.
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
    raw = [_each(group, lambda a: a if abs(a) > _ROUNDING else 0.0) for group in raw]
    if scale == "none":
        return raw
    if scale == "batch":
        by = _size([a for group in raw for s in group for a in _known(s)])
        return [_divided(group, by) for group in raw]
    # one value per session where all its attempts share it, as DeepSeekMath counts
    shared = credit in _ONE_PER_SESSION
    return [
        _divided(group, _size([a for s in group for a in _known(s)[: 1 if shared else None]]))
        for group in raw
    ]


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


def _divided(group: Values, by: float) -> Values:
    return _each(group, lambda a: a / (by + _EPSILON))


def _each(group: Sessions, change: Callable[[float], float]) -> Values:
    """Every value changed; those that are None stay."""
    return [[None if a is None else change(a) for a in session] for session in group]


def _known(session: Sequence[float | None]) -> list[float]:
    return [value for value in session if value is not None]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _to_go(group: Sessions) -> Values:
    return [rewards_to_go(session) for session in group]


def _session(groups: Sequence[Sessions]) -> list[Values]:
    return [_per_session(group, leave_out=False) for group in groups]


def _leave_one_out(groups: Sequence[Sessions]) -> list[Values]:
    return [_per_session(group, leave_out=True) for group in groups]


def _per_session(group: Sessions, *, leave_out: bool) -> Values:
    """Each session's reward minus a mean of rewards, for each of its attempts."""
    rewards = [sum(known) if (known := _known(session)) else None for session in group]
    result = []
    for number, session in enumerate(group):
        compared = _known([r for i, r in enumerate(rewards) if not (leave_out and i == number)])
        own = rewards[number]
        # without anything to compare with, a reward says nothing
        value = own - _mean(compared) if own is not None and compared else 0.0
        result.append([None if reward is None else value for reward in session])
    return result


def _batch(groups: Sequence[Sessions]) -> list[Values]:
    to_go = [_to_go(group) for group in groups]
    mean = _mean([g for group in to_go for session in group for g in _known(session)])
    return [_each(group, lambda g: g - mean) for group in to_go]


def _attempt(groups: Sequence[Sessions]) -> list[Values]:
    return _position([_to_go(group) for group in groups])


def _position(groups: Sequence[Sessions]) -> list[Values]:
    retries = [g for group in groups for session in group for g in _known(session[1:])]
    return [[_own(group, number, retries) for number in range(len(group))] for group in groups]


def _own(group: Sessions, number: int, retries: list[float]) -> list[float | None]:
    """Each value of a session minus the mean over the others that got as far."""
    session = group[number]
    later = _known(session[1:])
    advantages: list[float | None] = []
    for t, value in enumerate(session):
        if value is None:
            advantages.append(None)
            continue
        reached = [other[t] for s, other in enumerate(group) if s != number and len(other) > t]
        others = _known(reached)
        if not others and t > 0:
            rest = len(retries) - len(later)
            others = [(sum(retries) - sum(later)) / rest] if rest > 0 else []
        advantages.append(value - _mean(others) if others else 0.0)
    return advantages


def _prefix(groups: Sequence[Sessions]) -> list[Values]:
    contexts = [[list(_with_context(session)) for session in group] for group in groups]
    batch = _by_context([session for group in contexts for session in group])
    result = []
    for group in contexts:
        own = _by_context(group)
        result.append(
            [
                [None if r is None else _beside(r, own[c], batch[c]) for c, r in session]
                for session in group
            ]
        )
    return result


def _with_context(
    session: Sequence[float | None],
) -> Iterator[tuple[tuple[float | None, ...], float | None]]:
    """Each reward of a session with the rewards before it."""
    before: tuple[float | None, ...] = ()
    for reward in session:
        yield before, reward
        before += (None if reward is None else round(reward, 9),)


def _by_context(
    sessions: Sequence[Sequence[tuple[tuple[float | None, ...], float | None]]],
) -> dict[tuple[float | None, ...], list[float]]:
    """All rewards, by the rewards before them in their session."""
    found: dict[tuple[float | None, ...], list[float]] = {}
    for session in sessions:
        for context, reward in session:
            if reward is not None:
                found.setdefault(context, []).append(reward)
    return found


def _beside(reward: float, *comparable: list[float]) -> float:
    """A reward minus the mean of the others in the first list that has others."""
    for rewards in comparable:
        if len(rewards) > 1:
            return reward - (sum(rewards) - reward) / (len(rewards) - 1)
    return 0.0


def _turn_naive(groups: Sequence[Sessions]) -> list[Values]:
    result = []
    for group in groups:
        longest = max((len(session) for session in group), default=0)
        means = [_mean(_known([s[t] for s in group if len(s) > t])) for t in range(longest)]
        centred = [
            [None if r is None else r - means[t] for t, r in enumerate(session)]
            for session in group
        ]
        result.append(_to_go(centred))
    return result


_CREDIT: dict[Credit, Callable[[Sequence[Sessions]], list[Values]]] = {
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

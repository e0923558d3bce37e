"""How the scores of a session's attempts become its reward.

A session reward is emitted step by step: `SessionReward.step(score)` returns the reward of one
attempt, and the plain sum over a session is the session's value. So an ordinary RL algorithm, with
no discount, maximises exactly the value that the class names. Unscored attempts pay 0 and leave no
trace. Each docstring says what the value makes a policy want.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NoReturn, Protocol


class SessionReward(Protocol):
    """State of one session; make a new one per session with `make_session_reward`."""

    def step(self, score: float, success: bool, last: bool) -> float:
        """Reward of one attempt (``score`` in [0, 1]; ``last``: no attempt can follow)."""
        ...


class Best:
    """The maximum over attempts: r_t = max(0, score_t - best so far) (CORGI, section 1.2).

    Wants: one good attempt, whenever it comes. It neither pays for failing first nor for haste,
    and a repeat of an earlier reply earns exactly nothing.
    """

    def __init__(self) -> None:
        self.best = 0.0

    def step(self, score: float, success: bool, last: bool) -> float:
        """Pay the improvement over the best attempt so far."""
        gain = score - self.best
        if gain <= 0.0:
            return 0.0
        self.best = score
        return gain


class Last:
    """The score of the last attempt: r_t = score_t - score_{t-1}.

    Wants: to end well. Spoiling a good attempt costs what it had earned, so a policy learns to
    keep what works.
    """

    def __init__(self) -> None:
        self.previous = 0.0

    def step(self, score: float, success: bool, last: bool) -> float:
        """Pay the change since the attempt before."""
        gain = score - self.previous
        self.previous = score
        return gain


class First:
    """The score of the first attempt only.

    Wants: to be right at once. Later attempts earn nothing: the control for guidance.
    """

    def __init__(self) -> None:
        self.seen = False

    def step(self, score: float, success: bool, last: bool) -> float:
        """Pay the first score, then nothing."""
        gain = 0.0 if self.seen else score
        self.seen = True
        return gain


class Discounted:
    """gamma^attempt at the first success, else 0 (attempts count from 0).

    Wants: success, and soon. There is no partial credit, so it needs tasks that are solved at
    times. With gamma = 1 it is the success rate.
    """

    def __init__(self, gamma: float = 0.9) -> None:
        if not 0.0 < gamma <= 1.0:
            raise ValueError(f"gamma must be in (0, 1], got {gamma!r}")
        self.weight, self.gamma, self.done = 1.0, gamma, False

    def step(self, score: float, success: bool, last: bool) -> float:
        """Pay the current weight at the first success."""
        gain = self.weight if success and not self.done else 0.0
        self.done = self.done or success
        self.weight *= self.gamma
        return gain


class Delta:
    """The last score minus the first: r_0 = 0, r_t = score_t - score_{t-1}.

    Wants: improvement. Beware, it *pays for failing first*: a policy that starts badly on purpose
    earns more than one that is right at once. It exists as the ablation that shows this.
    """

    def __init__(self) -> None:
        self.previous: float | None = None

    def step(self, score: float, success: bool, last: bool) -> float:
        """Pay the change since the attempt before; the first attempt pays nothing."""
        gain = 0.0 if self.previous is None else score - self.previous
        self.previous = score
        return gain


_KINDS: dict[str, type[SessionReward]] = {
    "best": Best,
    "last": Last,
    "first": First,
    "discounted": Discounted,
    "delta": Delta,
}
_SPEC = re.compile(r"(\w+)(?:\((.*)\))?")


def make_session_reward(spec: str) -> SessionReward:
    """Make the state of one session from ``"best"``, ``"last"``, …, ``"discounted(0.9)"``.

    Raises:
        ValueError: For an unknown kind or a bad gamma.

    Example:
        >>> reward = make_session_reward("best")
        >>> [round(reward.step(s, s == 1.0, False), 2) for s in (0.5, 0.2, 1.0)]
        [0.5, 0.0, 0.5]
    """
    return _maker(spec)() if isinstance(spec, str) else _unknown(spec)


@lru_cache(maxsize=64)
def _maker(spec: str) -> Callable[[], SessionReward]:
    """What makes the state of a session; kept, because every episode asks for it."""
    match = _SPEC.fullmatch(spec)
    if match is None or match[1] not in _KINDS:
        _unknown(spec)
    kind, argument = match.groups()
    if argument is None:
        return _KINDS[kind]
    if kind != "discounted":
        raise ValueError(f"session_reward {kind!r} takes no argument, got {spec!r}")
    try:
        gamma = float(argument)
    except ValueError:
        raise ValueError(
            f"session_reward {spec!r}: gamma must be a number in (0, 1], as in 'discounted(0.9)'"
        ) from None
    return partial(Discounted, gamma)


def _unknown(spec: object) -> NoReturn:
    raise ValueError(
        f"unknown session_reward {spec!r}; choose from {', '.join(_KINDS)} "
        "(discounted takes a gamma: 'discounted(0.9)')"
    )

"""Is the training still sound? Numbers that stop it, and numbers that raise an alarm.

A reward, log-prob, loss or gradient that is not finite stops the step before the optimizer sees it
(`UnhealthyError`, which names the session). What may be the start of a collapse, and may not be, is
an alarm: a sentence in the live display, in ``metrics.jsonl`` and in the report; training goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from corgi_gym.agents.credit import Credit, attempt_advantages
from corgi_gym.agents.episode import Episode

# Mean |difference of log-probs| between vLLM and transformers, both in bf16, over sampled tokens of
# SmolLM2-135M: 0.040 to 0.044 with equal weights, 0.097 when a small update had not reached the
# tied head. The probe has about 100 tokens, so its own error is near 0.005.
PARITY_LIMIT = 0.075
# Entropy and length are compared with the mean of this many first rounds.
_FIRST = 3
# Rounds in a row that a share has to stay above its limit: one round of few sessions says little.
_PATIENCE = 3
# Where a look is worth it, below the limit at which the sync stops the run.
_MISMATCH = 0.8 * PARITY_LIMIT
_ENTROPY_FALL, _LENGTH_FALL, _LENGTH_RISE = 0.1, 0.25, 4.0
_REPEATS = _CUT = _NO_DIFFERENCE = 0.9
_UNSCORED, _MASKED = 0.05, 0.5


_Rows = list[dict[str, Any]]
_Rule = Callable[[_Rows], str | None]


class UnhealthyError(RuntimeError):
    """Training met a number that is not finite; nothing was updated with it."""


class Alarm(NamedTuple):
    """Something that a person should look at.

    Attributes:
        kind: A stable name, such as ``"entropy"``.
        message: A sentence with the number and what to try.
    """

    kind: str
    message: str


def session_name(episode: Episode) -> str:
    """How errors name a session: enough to play it again."""
    return f"task {episode.task_id} (index {episode.index}, session seed {episode.seed})"


def check_episodes(episodes: Sequence[Episode]) -> None:
    """Check that rewards and log-probs are numbers.

    Raises:
        UnhealthyError: Naming the first session and attempt for which they are not.
    """
    for episode in episodes:
        for t, reward in enumerate(episode.step_rewards):
            if not math.isfinite(reward):
                raise UnhealthyError(
                    f"the reward of attempt {t + 1} of {session_name(episode)} is {reward}: "
                    "a checker must return finite numbers"
                )
        for t, (attempt, end) in enumerate(zip(episode.attempts, episode.turn_ends, strict=False)):
            if not all(map(math.isfinite, episode.logprobs[end - attempt.tokens : end])):
                raise UnhealthyError(
                    f"the engine returned a log-prob that is not finite in attempt {t + 1} of "
                    f"{session_name(episode)}"
                )


def zero_variance_share(episodes: Sequence[Episode], credit: Credit = "attempt") -> float:
    """Share of tasks whose sessions all earned the same, so that nothing tells them apart.

    What a method with this ``credit`` compares counts: sessions that earn 1 at different attempts
    are the same to one that learns from their sum.

    Tasks with one scored session are left out; 0.0 where there is no other.
    """
    groups: dict[tuple[str, int], list[list[float | None]]] = {}
    for e in (e for e in episodes if not e.unscored):
        rewards = [
            None if attempt.unscored else reward
            for reward, attempt in zip(e.step_rewards, e.attempts, strict=True)
        ]
        groups.setdefault((e.task_id, e.index), []).append(rewards)
    compared = [
        any(value for session in group for value in session)
        for group in attempt_advantages(list(groups.values()), credit, scale="none")
        if len(group) > 1
    ]
    return compared.count(False) / len(compared) if compared else 0.0


def round_health(
    episodes: Sequence[Episode], credit: Credit | None = "attempt"
) -> dict[str, float | None]:
    """What a row of ``metrics.jsonl`` says about the health of a round's sessions.

    Args:
        episodes: All that were played.
        credit: How the method compares them (`corgi_gym.agents.credit`); None: it does not.

    Returns:
        ``masked``: share of sessions that carry no loss since no attempt was scored;
        ``unscored_share``: share of attempts that the checker failed on; ``truncated``: share of
        attempts cut at the token limit; ``reply_tokens``: mean length of a reply;
        ``zero_variance``: see `zero_variance_share`; None without a ``credit``.
    """
    attempts = [a for e in episodes for a in e.attempts]
    return {
        "masked": sum(e.unscored for e in episodes) / len(episodes),
        "unscored_share": sum(a.unscored for a in attempts) / len(attempts),
        "truncated": sum(a.truncated for a in attempts) / len(attempts),
        "reply_tokens": sum(a.tokens for a in attempts) / len(attempts),
        "zero_variance": None if credit is None else zero_variance_share(episodes, credit),
    }


class Alarms:
    """Watches the rows of ``metrics.jsonl``; an alarm sounds once until its cause has gone.

    Example:
        >>> alarms = Alarms()
        >>> [alarm.kind for alarm in alarms.watch({"unscored_share": 0.5})]
        ['unscored']
        >>> alarms.watch({"unscored_share": 0.5})
        []
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._sounding: set[str] = set()

    def watch(self, row: dict[str, Any]) -> list[Alarm]:
        """The alarms that this round starts. Numbers that a row lacks are not looked at.

        Demonstrations are nobody's sample: they may grow certain and say nothing of the policy. Nor
        does a round of which little was checked: what was not counts as tokens without entropy.
        """
        self._rows.append(row)
        found = _alarms(_OF_EVERY_ROUND, self._rows)
        before = self._sounding
        if not _shows_the_policy(row):
            self._sounding = {*found, *before & _OF_THE_POLICY.keys()}  # no news of the policy
        else:
            found |= _alarms(_OF_THE_POLICY, [row for row in self._rows if _shows_the_policy(row)])
            self._sounding = set(found)
        return [alarm for kind, alarm in found.items() if kind not in before]


def _alarms(rules: dict[str, _Rule], rows: _Rows) -> dict[str, Alarm]:
    """The alarms of these rules that sound now, by kind."""
    messages = {kind: rule(rows) for kind, rule in rules.items()}
    return {kind: Alarm(kind, message) for kind, message in messages.items() if message}


def _shows_the_policy(row: dict[str, Any]) -> bool:
    return row.get("demonstrations") != 1 and row.get("masked", 0.0) <= _MASKED


def _mismatch(rows: _Rows) -> str | None:
    value = rows[-1].get("mismatch")
    if value is None or value <= _MISMATCH:
        return None
    return (
        f"engine and trainer differ by {value:.3f} nats per token (the run stops at "
        f"{PARITY_LIMIT}): update the engine, or train with engine transformers"
    )


def _unscored(rows: _Rows) -> str | None:
    value = rows[-1].get("unscored_share", 0.0)
    if value <= _UNSCORED:
        return None
    return f"the checker failed on {value:.0%} of the attempts: see its problems"


def _masked(rows: _Rows) -> str | None:
    value = rows[-1].get("masked", 0.0)
    if value <= _MASKED:
        return None
    return f"{value:.0%} of the sessions carry no loss: nothing of them was scored"


def _entropy(rows: _Rows) -> str | None:
    first, now = _first_and_now(rows, "entropy")
    if now >= _ENTROPY_FALL * first:
        return None
    return (
        f"entropy fell from {first:.2f} to {now:.3f} nats per token: the policy is collapsing "
        "(lower the learning rate, raise beta or the temperature)"
    )


def _length(rows: _Rows) -> str | None:
    first, now = _first_and_now(rows, "reply_tokens")
    if first == 0 or _LENGTH_FALL * first <= now <= _LENGTH_RISE * first:
        return None
    return f"replies went from {first:.0f} to {now:.0f} tokens: read some of them"


def _first_and_now(rows: _Rows, key: str) -> tuple[float, float]:
    """The mean of the first rounds and of the last one; zeros while there is nothing to compare."""
    values = [row[key] for row in rows if row.get(key) is not None]
    if len(values) <= _FIRST or rows[-1].get(key) is None:
        return 0.0, 0.0
    return fmean(values[:_FIRST]), values[-1]


def _lasting(key: str, limit: float, message: str) -> dict[str, _Rule]:
    """A rule: a share at its limit or above for some rounds in a row."""

    def rule(rows: _Rows) -> str | None:
        last = [row.get(key) for row in rows[-_PATIENCE:]]
        if len(last) < _PATIENCE or not all(v is not None and v >= limit for v in last):
            return None
        return message.format(share=f"{last[-1]:.0%}", rounds=_PATIENCE)

    return {key: rule}


_OF_EVERY_ROUND: dict[str, _Rule] = {
    "mismatch": _mismatch,
    "unscored": _unscored,
    "masked": _masked,
}
_OF_THE_POLICY: dict[str, _Rule] = {
    "entropy": _entropy,
    "length": _length,
    **_lasting(
        "repeats", _REPEATS,
        "{share} of the retries repeat the reply before them, for {rounds} rounds: feedback is not "
        "used (raise the temperature, or the environment's repeat_penalty)",
    ),
    **_lasting(
        "truncated", _CUT,
        "{share} of the replies are cut at the token limit, for {rounds} rounds: raise max_tokens",
    ),
    **_lasting(
        "zero_variance", _NO_DIFFERENCE,
        "in {share} of the tasks all sessions earn the same, for {rounds} rounds: nothing is "
        "learned (the tasks are too hard or too easy)",
    ),
}  # fmt: skip

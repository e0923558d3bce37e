"""Independent attempts: k replies to one prompt that know nothing of each other.

What k attempts are worth without feedback or memory, at the price of k replies: the control for
every session with feedback, both in training (`corgi_gym.agents.best_of`) and in evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.envs import stable_hash


def independent(sessions: Sequence[Session], attempts: int) -> list[Session]:
    """Each session ``attempts`` times in a row, with one attempt and a seed of its own."""
    return [
        replace(s, seed=stable_hash("independent", s.seed, k), max_attempts=1)
        for s in sessions
        for k in range(attempts)
    ]


def merge(episodes: Sequence[Episode]) -> Episode:
    """Independent attempts at one task as one session whose value is the best of them.

    Attempt t's reward is what it adds to the best before it, so that the session's reward is the
    maximum. Its tokens are those of the conversations one after the other: it is for rewards and
    reports, and no conversation to train on.

    Raises:
        ValueError: For episodes of several tasks or several attempts, or for none.
    """
    if not episodes or len({e.task_id for e in episodes}) > 1:
        raise ValueError("merge needs episodes of exactly one task")
    if any(len(e.attempts) != 1 for e in episodes):
        raise ValueError("merge needs episodes of one attempt each")
    merged = replace(
        episodes[0],
        token_ids=[], model_mask=[], logprobs=[], turn_ends=[], step_rewards=[], attempts=[],
    )  # fmt: skip
    best = 0.0
    for episode in episodes:
        start = len(merged.token_ids)
        merged.token_ids += episode.token_ids
        merged.model_mask += episode.model_mask
        merged.logprobs += episode.logprobs
        merged.turn_ends += [start + end for end in episode.turn_ends]
        merged.attempts += episode.attempts
        gain = max(0.0, episode.reward - best)
        merged.step_rewards.append(gain)
        best += gain
    return merged


def best_of_k(
    rollout: Rollout,
    sessions: Sequence[Session],
    k: int,
    *,
    on_episode: Callable[[Episode], None] | None = None,
) -> list[Episode]:
    """Play ``k`` independent attempts at each session's task; one merged episode per session.

    Args:
        rollout: Samples with its own temperature, which must be positive for attempts to differ.
        sessions: The tasks, each once.
        k: Attempts per task, at least 1.
        on_episode: Called with each merged episode as its last attempt ends.
    """
    asked = independent(sessions, k)
    places = {(session.index, session.seed): place for place, session in enumerate(asked)}
    ended: dict[int, dict[int, Episode]] = {}
    merged: dict[int, Episode] = {}

    def keep(episode: Episode) -> None:
        place = places[episode.index, episode.seed]
        parts = ended.setdefault(place // k, {})
        parts[place] = episode
        if len(parts) == k:
            merged[place // k] = merge([parts[place] for place in sorted(parts)])
            if on_episode is not None:
                on_episode(merged[place // k])

    rollout.run(asked, on_episode=keep)
    return [merged[place] for place in range(len(sessions))]

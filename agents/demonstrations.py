"""Demonstrations: a task's witness as the reply, in a real session of the environment.

A witness (`corgi_gym.envs.Task`) solves its task and is never shown in an observation; here it is
written into the place of the model's reply. A corrective demonstration has a near miss first, the
environment's own feedback on it, and then the witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from corgi_gym.agents.engines.base import Completion
from corgi_gym.agents.running import RunningSession, Session
from corgi_gym.envs import GuidedEnv, Task, stable_hash

if TYPE_CHECKING:
    from corgi_gym.agents.episode import Episode
    from corgi_gym.agents.rollout import Rollout

_NAME = "demonstration"


def check_witnesses(env: gym.Env[str, str]) -> None:
    """Check that the tasks of an environment have witnesses.

    Raises:
        ValueError: If it is none of ours, or its tasks have none (prompts of your own).
    """
    inner = env.unwrapped
    if not isinstance(inner, GuidedEnv):
        raise ValueError(
            f"{type(inner).__name__} is no GuidedEnv, so its tasks have no witnesses to imitate; "
            "choose an algorithm that learns from rewards"
        )
    for family, source in inner.sources.items():
        if not source.item(inner.seed, 0, inner.split).witness:
            raise ValueError(
                f"the tasks of {family!r} have no witness to imitate; choose an algorithm that "
                "learns from rewards, or a family of this package"
            )


def demonstrate(rollout: Rollout, session: Session, corrective: float) -> Episode:
    """Play the witness of a task, after a near miss with probability ``corrective``.

    Args:
        rollout: Its environments, chat format and limits are used, its engine is not.
        session: Which task; its seed draws whether there is a near miss, and which.
        corrective: Probability of a near miss first, in [0, 1]. Where the family has none, the
            session has one attempt, or the conversation would be too long, the witness is alone.

    Returns:
        The session; its tokens have log-probs of 0.0, because nobody sampled them.

    Raises:
        ValueError: If the checker does not give the witness full marks, or it does not fit into the
            conversation.
    """
    inner = guided(rollout)
    task = inner.task_at(session.index)
    attempts = session.max_attempts or inner.max_attempts
    draw = stable_hash(_NAME, session.seed, task.task_id)
    if attempts > 1 and draw % 2**32 < corrective * 2**32:
        misses = inner.sources[task.family].near_misses(task)
        if misses:
            miss = misses[(draw >> 32) % len(misses)]
            episode = play(rollout, session, [miss, task.witness])
            if episode.success and len(episode.token_ids) <= rollout.max_length:
                return episode
    episode = play(rollout, session, [task.witness])
    if not episode.success:
        found = "; ".join(p["message"] for p in episode.attempts[-1].problems)
        raise ValueError(
            f"the checker of {task.task_id!r} refuses the task's own witness, so there is nothing "
            f"to imitate: {found}"
        )
    if len(episode.token_ids) > rollout.max_length:
        raise ValueError(
            f"the demonstration of {task.task_id!r} has {len(episode.token_ids)} tokens, more than "
            f"max_length={rollout.max_length}; raise it"
        )
    return episode


def guided(rollout: Rollout) -> Any:
    """The environment inside the wrappers (see `check_witnesses`)."""
    env = rollout.environment()
    rollout.release(env)
    return env.unwrapped


def tasks_of(rollout: Rollout, sessions: Sequence[Session]) -> list[Task]:
    """The tasks of sessions (see `check_witnesses`)."""
    inner = guided(rollout)
    return [inner.task_at(session.index) for session in sessions]


def play(rollout: Rollout, session: Session, replies: Sequence[str]) -> Episode:
    """Play the replies; the session ends early where the next one would not fit."""
    run = RunningSession(rollout, _NAME, 0, session, 0)
    run.episode.demonstrated = True
    for reply in replies:
        ids = rollout.codec.reply(reply)
        text = run.receive(Completion(_NAME, ids, [0.0] * len(ids), "stop"))
        if not run.settle(text, run.env.step(text)):
            break
    rollout.release(run.env)
    return run.episode

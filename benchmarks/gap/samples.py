"""Replies to judge: n independent samples of each prompt, on disk as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.independent import independent
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.envs import stable_hash


@dataclass(frozen=True, slots=True)
class Sample:
    """One reply to one prompt.

    Attributes:
        index: Which task of the environment.
        number: Which sample of that task, from 0.
        task_id: The task's id.
        prompt: What the environment asked.
        reply: What the model wrote.
        score: In [0, 1], from the environment (0.0 if unscored).
        success: Whether it solves the task.
        unscored: Whether the environment's checker failed on it.
        cut: Whether the reply was cut at the token limit.
        tokens: Its length.
    """

    index: int
    number: int
    task_id: str
    prompt: str
    reply: str
    score: float
    success: bool
    unscored: bool
    cut: bool
    tokens: int

    @classmethod
    def of(cls, episode: Episode, number: int, attempt: int = 0) -> Sample:
        """An attempt of a session, by default the first; its prompt is the session's."""
        made = episode.attempts[attempt]
        return cls(
            index=episode.index,
            number=number,
            task_id=episode.task_id,
            prompt=episode.messages[0]["content"],
            reply=made.reply,
            score=made.score,
            success=made.success,
            unscored=made.unscored,
            cut=made.truncated,
            tokens=made.tokens,
        )

    def record(self) -> dict[str, Any]:
        """As plain data; ``Sample(**record)`` is the sample again."""
        return asdict(self)


def draw_samples(
    rollout: Rollout,
    indices: Sequence[int],
    count: int,
    *,
    seed: int,
    known: Sequence[Sample] = (),
    on_sample: Callable[[Sample], None] = lambda sample: None,
) -> list[list[Sample]]:
    """``count`` samples of each task in the order of ``indices``; ``known`` ones are not drawn.

    A sample's seed follows from ``seed``, its task and its number, so those drawn later are those
    that would have been drawn at once.
    """
    found = {(sample.index, sample.number): sample for sample in known}
    places = [(index, number) for index in indices for number in range(count)]
    sessions = independent([Session(i, stable_hash("gap", seed, i)) for i in indices], count)
    missing = {
        session.seed: (place, session)
        for place, session in zip(places, sessions, strict=True)
        if place not in found
    }

    def keep(episode: Episode) -> None:
        place, _ = missing[episode.seed]
        found[place] = Sample.of(episode, place[1])
        on_sample(found[place])

    rollout.run([session for _, session in missing.values()], on_episode=keep)
    return [[found[index, number] for number in range(count)] for index in indices]

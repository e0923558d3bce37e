"""What the methods share in which a policy judges its own answers: `s2r`, `revise` and `self`.

Their sessions are those of ``GuidedEnv(self_check=True)``: each reply is an answer and, in its last
line, the writer's own verdict (`corgi_gym.rewards.self_verdict`), which alone decides whether the
session goes on. So rollouts, masks, checkpoints and reports are those of every other method; here
are the parts of such a reply, and examples of how to judge that are made from witnesses and near
misses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium as gym

from corgi_gym.agents.demonstrations import check_witnesses, guided, play, tasks_of
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig
from corgi_gym.agents.replay import Example, Piece
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.agents.segments import Segment, attempt_spans, token_segments
from corgi_gym.envs import Task, stable_hash
from corgi_gym.rewards import judge
from corgi_gym.rewards.llm_judge.lines import CORRECT, INCORRECT
from corgi_gym.rewards.self_verdict import AGAIN, REQUEST, SelfChecked, judged, take_apart

SOLVE, VERIFY = "solve", "verify"
# Kinds of examples: an answer that is right; a wrong one, found and corrected.
RIGHT, CORRECTED = "right", "corrected"


@dataclass
class SelfCheckedConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` with a beginning that teaches what a verdict is.

    Args:
        warmup_rounds: Rounds of fine-tuning on `demonstrations` at the start; the tasks must have
            witnesses then.
    """

    warmup_rounds: int = field(default=0)

    def __post_init__(self) -> None:
        if self.warmup_rounds < 0:
            raise ValueError(f"warmup_rounds must be 0 or more, got {self.warmup_rounds!r}")
        super().__post_init__()


def check_warmup(settings: Mapping[str, Any], env: gym.Env[str, str]) -> None:
    """Check that there are witnesses if there is a warm-up.

    Raises:
        ValueError: If there are none.
    """
    if settings.get("warmup_rounds", 0) > 0:
        check_witnesses(env)


class Part(NamedTuple):
    """A segment of an attempt.

    Attributes:
        kind: ``"solve"`` (the answer) or ``"verify"`` (the rest of the reply).
        attempt: Number of its attempt.
        first: Place of its first token in the session's ``token_ids``.
        end: Place after its last token.
    """

    kind: str
    attempt: int
    first: int
    end: int


def check_self_checked(env: gym.Env[str, str]) -> None:
    """Check that the writer judges itself in an environment.

    Raises:
        ValueError: If it does not; the message says how to make it.
    """
    if not getattr(env.unwrapped, "self_check", False):
        raise ValueError(
            f"{type(env.unwrapped).__name__} is no environment in which the writer judges itself; "
            "use GuidedEnv with self_check=True"
        )


def parts_of(episode: Episode, codec: Any) -> list[Part]:
    """The two segments of each attempt of a session, in order.

    Where an attempt has no marker, its verify segment is the token that ends the turn (the place
    where a verdict was left out); one that was cut at the token limit has none, and an empty span.
    """
    parts = []
    for number, (first, end) in enumerate(attempt_spans(episode)):
        ids = episode.token_ids[first:end]
        text = codec.text(ids)
        cut = take_apart(text).end
        if cut < len(text):
            owners = token_segments(
                codec.offsets(ids), (Segment(SOLVE, 0, cut), Segment(VERIFY, cut, len(text)))
            )
            edge = first + owners.index(1)
        else:
            edge = end - (not episode.attempts[number].truncated)
        parts += [Part(SOLVE, number, first, edge), Part(VERIFY, number, edge, end)]
    return parts


def own_verdicts(episode: Episode) -> list[SelfChecked]:
    """Each attempt of a session, taken apart."""
    return [take_apart(attempt.reply) for attempt in episode.attempts]


def stop_confidence(episode: Episode, codec: Any) -> float:
    """The writer's own probability that a session's last answer is correct, at its sampling.

    The probability of the word that it wrote as its last verdict, or one minus it where that is
    "incorrect": what is left is taken to be the other word's. 0 without a readable verdict.
    """
    attempt, (first, end) = episode.attempts[-1], attempt_spans(episode)[-1]
    said = take_apart(attempt.reply).verdict
    if said is None:
        return 0.0
    ids = episode.token_ids[first:end]
    text = codec.text(ids)
    word = CORRECT if said else INCORRECT
    *_, last = re.finditer(word, text, re.IGNORECASE)
    begins, ends = last.span()
    places = zip(codec.offsets(ids), episode.logprobs[first:end], strict=True)
    chance = math.exp(sum(logp for (a, b), logp in places if max(a, begins) < min(b, ends)))
    return chance if said else 1.0 - chance


# ---------------------------------------------------------------- examples from witnesses


def demonstrations(
    rollout: Rollout, sessions: Sequence[Session]
) -> tuple[list[Example], list[Episode]]:
    """An example of judging oneself for each session, and the same played in the environment.

    Every other example (drawn by the session's seed) has a near miss first, the checker's problems
    as the writer's own feedback on it, and the verdict that it is incorrect; then the witness and
    the verdict that it is correct. The near miss itself has no weight. Where a family has no near
    misses the witness is alone. One that earns part of the score is taken if there is any: many of
    those that earn nothing are no answers at all, and would teach to leave answers out.
    """
    inner = guided(rollout)
    examples, played = [], []
    for session, task in zip(sessions, tasks_of(rollout, sessions), strict=True):
        draw = stable_hash("self-check", session.seed, task.task_id)
        misses = inner.sources[task.family].near_misses(task) if draw % 2 else []
        examples.append(demonstration(task, _mistake(task, misses, draw >> 1)))
        played.append(play(rollout, session, examples[-1].texts))
    return examples, played


def _mistake(task: Task, misses: Sequence[str], draw: int) -> str | None:
    """One of the near misses: the first from a place on that earns something, or the one there."""
    if not misses:
        return None
    first = draw % len(misses)
    turned = [*misses[first:], *misses[:first]]
    return next((m for m in turned if judge(task.checker, m, task.target).score > 0), turned[0])


def demonstration(task: Task, miss: str | None) -> Example:
    """The witness and its verdict, after a near miss that is found to be wrong if there is one."""
    prompt = task.prompt + REQUEST
    verdict = judge(task.checker, miss, task.target) if miss is not None else None
    if miss is None or verdict is None or verdict.success or verdict.status == "unscored":
        return Example.single(RIGHT, prompt, *judged(task.witness, True), task_id=task.task_id)
    why = " ".join(problem.message for problem in verdict.problems)
    answer, found = judged(miss, False, why)
    return corrected(task, answer, found)


def corrected(task: Task, answer: str, verdict: str) -> Example:
    """A wrong answer as context, the verdict on it, and the witness as the next attempt."""
    return Example(
        CORRECTED,
        (task.prompt + REQUEST, AGAIN),
        (
            (Piece(answer, 0.0), Piece(verdict)),
            tuple(map(Piece, judged(task.witness, True))),
        ),
        task_id=task.task_id,
    )

"""Sessions judged again: are they those of the plan, and is every verdict what its reply gets?

All from files and this installation's environments; no policy is run. A session is

- planned: its task is one of the evaluation's own, with that plan's attempts and the job's seed;
- replayed: every stored reply gets its stored score, verdict, problems and feedback;
- whole: it ends where it was solved, its attempts were used up, or the context was full.

Nobody can see from files whether an attempt that failed stood before the first one that is there,
nor who wrote a reply.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.running import Codec, is_solved
from corgi_gym.benchmarks.bench.job import sessions_of, sessions_path
from corgi_gym.benchmarks.bench.results import Result
from corgi_gym.benchmarks.bench.spec import evaluation_recipe
from corgi_gym.benchmarks.recipe import Recipe, from_dict
from corgi_gym.benchmarks.run_writer import SilentFolder, to_json
from corgi_gym.envs import stable_hash

# Computed again by the same operations, so only the rounding of another numpy may differ.
TOLERANCE = 1e-9
# Whether a model closed its turn itself, and with which of its end tokens, is not stored.
_ENDS = 2
# So few different wrong replies are a policy's habit and prove no copy.
_COLLAPSED = 2
# Items named in one sentence; the rest are counted.
_SHOWN = 5

Json = dict[str, Any]
# Whether a session's conversation has room for another reply; None where that is not known.
Room = Callable[[Episode], bool | None]


class Difference(NamedTuple):
    """What is not as stored, in a sentence; ``words``: only what the checker says of a reply."""

    text: str
    words: bool = False


class Part(NamedTuple):
    """The sessions of one evaluation of a job, or its independent samples."""

    result: Result
    name: str
    resampled: bool

    def __str__(self) -> str:
        """How differences call it."""
        return f"{self.result.folder.name}: {self.name}{' (resampling)' * self.resampled}"

    @property
    def plan(self) -> Json:
        """The evaluation as planned."""
        plan: Json = self.result.config["evaluations"][self.name]
        return plan

    @property
    def recipe(self) -> Recipe:
        """The recipe that the evaluation is of."""
        return evaluation_recipe(from_dict(self.result.config["recipe"]), self.plan)

    @property
    def attempts(self) -> range:
        """How many attempts a session may have."""
        most = self.plan["resampling" if self.resampled else "attempts"]
        return range(most if self.resampled else 1, most + 1)

    def sessions(self) -> list[Episode]:
        """What was stored."""
        return sessions_of(self.result.folder, self.name, self.resampled)


def parts_of(results: Iterable[Result]) -> list[Part]:
    """Everything that was played, in the order of the jobs."""
    return [
        Part(result, name, resampled)
        for result in results
        for name, plan in result.config["evaluations"].items()
        for resampled in ((False, True) if plan["resampling"] else (False,))
    ]


# ---------------------------------------------------------------- the plan


def unplanned(part: Part, sessions: Sequence[Episode], items: Sequence[int]) -> Iterator[str]:
    """What of the stored sessions is not as planned, in sentences.

    Args:
        part: Where they belong.
        sessions: What was stored.
        items: The tasks that the evaluation has, by index.
    """
    counts, seed = Counter(episode.index for episode in sessions), _seed(part)
    told = (
        ("planned sessions are missing", [i for i in items if i not in counts]),
        ("sessions are of no planned task", sorted(counts.keys() - set(items))),
        ("tasks are there twice", [i for i, count in counts.items() if count > 1]),
        (
            "sessions have another number of attempts than the plan allows",
            [e.index for e in sessions if len(e.attempts) not in part.attempts],
        ),
        (
            f"sessions have another seed than {seed}",
            [e.index for e in sessions if e.seed != seed],
        ),
        ("sessions have totals that their attempts do not give", _wrong_totals(part)),
    )
    for what, found in told:
        if found:
            more = ", ..." if len(found) > _SHOWN else ""
            yield f"{len(found)} {what} (items {', '.join(map(str, found[:_SHOWN]))}{more})"


def _seed(part: Part) -> int:
    """The seed that its sessions were played with; merged samples have that of the first."""
    seed: int = part.result.config["recipe"]["seed"]
    return stable_hash("independent", seed, 0) if part.resampled else seed


def _wrong_totals(part: Part) -> list[Any]:
    """Sessions whose own totals are not those of their attempts: one of these was changed."""
    path = sessions_path(part.result.folder, part.name, part.resampled)
    try:
        rows = SilentFolder(path.parent).rows(path.name)
        return [row["index"] for row in rows if not _adds_up(row)]
    except (AttributeError, LookupError, TypeError, ValueError):
        return ["unreadable"]


def _adds_up(row: Json) -> bool:
    attempts = row["attempts"]
    best = max((a["score"] for a in attempts), default=0.0)
    tokens = [a["tokens"] for a in attempts]
    return (
        all(type(n) is int and n > 0 for n in tokens)
        and row["tokens"] == sum(tokens)
        and row["success"] == any(a["success"] for a in attempts)
        and math.isclose(row["best_score"], best, abs_tol=TOLERANCE)
    )


def same_replies(parts: Sequence[tuple[Part, Sequence[Episode]]]) -> Iterator[str]:
    """Trained runs of different seeds whose replies are all the same: copies, in sentences.

    An untrained model has no seeds; where its replies are these too, training has changed nothing.
    Runs that are right everywhere may be right in the same words, and runs that have collapsed
    write the same few, so nothing is said of those.
    """
    groups: dict[str, list[Part]] = {}
    for part, sessions in parts:
        wrong = {a.reply for e in sessions if not e.success for a in e.attempts}
        if len(wrong) > _COLLAPSED:
            replies = [[e.task_id, *(a.reply for a in e.attempts)] for e in sessions]
            groups.setdefault(to_json([part.name, part.resampled, replies]), []).append(part)
    for group in groups.values():
        seeds = {part.result.config["recipe"]["seed"]: part for part in group}
        if len(seeds) > 1 and all(part.result.config["trains"] for part in group):
            first, *others = seeds.values()
            names = ", ".join(part.result.folder.name for part in others)
            yield (
                f"{first}: its replies are those of {names} word for word, though these are runs "
                f"of seeds {', '.join(map(str, sorted(seeds)))} (if training changed nothing, add "
                "the arm untrained, which will show it)"
            )


# ---------------------------------------------------------------- replay


def replay(
    episode: Episode, env: Any, *, independent: bool = False, room: Room | None = None
) -> Iterator[Difference]:
    """Judge the stored replies of an episode again; yields what differs.

    Args:
        episode: What was stored.
        env: The environment that it was played in.
        independent: Its attempts were sessions of one attempt each.
        room: Whether another reply would have had room where it ended; by default not asked.

    Example:
        >>> from corgi_gym.envs import GuidedEnv
        >>> env = GuidedEnv(prompts=["Say hi."], checker=lambda reply, target: reply == "hi")
        >>> next(replay(Episode("prompts", "another", 0, 0, 0), env)).text
        'item 0 is another task now (prompts/...), not another'
    """
    try:
        yield from _replay(episode, env, independent, room)
    except Exception as error:  # whatever a stored file or a checker makes an environment raise
        what = f"cannot be replayed ({type(error).__name__}: {error})"
        yield Difference(f"{episode.task_id}: {what}")


def _replay(
    episode: Episode, env: Any, independent: bool, room: Room | None
) -> Iterator[Difference]:
    options = {"index": episode.index, **({"max_attempts": 1} if independent else {})}
    message, info = env.reset(seed=episode.seed % 2**32, options=options)
    for key, word in (("task_id", "task"), ("task", "family")):
        if info[key] != (stored := getattr(episode, key)):
            yield Difference(
                f"item {episode.index} is another {word} now ({info[key]}), not {stored}"
            )
            return
    if (asked := episode.messages[0]["content"]) != message:
        yield Difference(
            f"the prompt of {episode.task_id} is now {message!r:.80}, and not {asked!r:.80}"
        )
    over = True
    for number, attempt in enumerate(episode.attempts, start=1):
        if independent:
            env.reset(options=options)
        feedback, _, terminated, truncated, info = env.step(attempt.reply)
        over = terminated or truncated
        last = number == len(episode.attempts)
        if last and attempt.success and is_solved(env):
            info["success"] = True  # the context ended there, and not the environment
        where = f"{episode.task_id}, attempt {number}"
        yield from _verdict(attempt, info, feedback, where)
        if over and not (last or independent):
            yield Difference(f"{where}: the session goes on, and this attempt ended it")
            return
    if not over and room is not None and room(episode):
        yield Difference(
            f"{episode.task_id}: ends after attempt {len(episode.attempts)}, unsolved, with "
            "attempts and room in the context left"
        )


def _verdict(attempt: Attempt, info: Json, feedback: str, where: str) -> Iterator[Difference]:
    """What of a stored attempt is not what its reply gets."""
    for key in ("score", "success", "unscored"):
        stored = getattr(attempt, key)
        if not math.isclose(stored, info[key], abs_tol=TOLERANCE):
            yield Difference(
                f"{where}: {key} is stored as {stored}, and its reply gets {info[key]}"
            )
    if attempt.feedback != feedback:
        told = f"{attempt.feedback!r:.80}, and its reply gets {feedback!r:.80}"
        yield Difference(f"{where}: the feedback is stored as {told}", words=True)
    elif attempt.problems != json.loads(to_json(info["problems"])):
        yield Difference(f"{where}: its problems are not those of its reply", words=True)


class Environments:
    """What the sessions of each configuration are judged by, made when it is first needed."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._items: dict[str, list[int]] = {}
        self.unknown: Counter[str] = Counter()

    def of(self, recipe: Recipe) -> Any:
        """An environment of its evaluation."""
        from corgi_gym.benchmarks.policy import make_env

        key = self._key(recipe)
        if key not in self._made:
            self._made[key] = make_env(recipe, train=False)
        return self._made[key]

    def items(self, recipe: Recipe) -> list[int]:
        """The tasks that its evaluation has."""
        from corgi_gym.agents.rollout import Rollout
        from corgi_gym.benchmarks.evaluation import evaluation_indices
        from corgi_gym.benchmarks.policy import make_env

        key = self._key(recipe)
        if key not in self._items:
            asks = SimpleNamespace(make_env=lambda: make_env(recipe, train=False))
            self._items[key] = evaluation_indices(recipe, cast(Rollout, asks))
        return self._items[key]

    def room(self, recipe: Recipe) -> Room:
        """Whether a session could have gone on; sessions of which that is not known are counted."""

        def room(episode: Episode) -> bool | None:
            codec = codec_of(recipe.engine, recipe.model, recipe.sampling.system)
            if codec is None:
                self.unknown[recipe.model] += 1
                return None
            return has_room(episode, codec, recipe)

        return room

    @staticmethod
    def _key(recipe: Recipe) -> str:
        return to_json([recipe.env.id, recipe.env.kwargs, recipe.as_dict()["evaluation"]])

    def close(self) -> None:
        """Close them."""
        for env in self._made.values():
            env.close()


# ---------------------------------------------------------------- the context


@cache
def codec_of(engine: str, model: str, system: str | None) -> Codec | None:
    """The chat format of a model that is on this machine; None of any other: none is fetched."""
    if engine == "openai":
        from corgi_gym.agents.engines.openai_engine import TextCodec

        return TextCodec()
    try:
        from corgi_gym.agents.codec import ChatCodec
        from corgi_gym.agents.models import load_tokenizer

        return ChatCodec(load_tokenizer(model, local_files_only=True), system=system)
    except (ImportError, OSError, ValueError):
        return None


def has_room(episode: Episode, codec: Codec, recipe: Recipe) -> bool:
    """Whether the conversation of a stored session had room for another reply."""
    length = len(codec.start(episode.messages[0]["content"]))
    for attempt in episode.attempts:
        closed = [] if attempt.truncated else list(codec.stop_ids[:1])
        length += attempt.tokens + len(codec.follow_up(attempt.feedback, closed))
    most = recipe.sampling.max_length * getattr(codec, "ids_per_token", 1)
    return most - length >= recipe.sampling.max_tokens + _ENDS

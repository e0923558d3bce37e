"""Weighted training examples, and a buffer of them that is saved, balanced and drawn from.

An `Example` is a conversation in which every piece of what the model is to write has a weight: the
weight of its tokens in the cross-entropy (`corgi_gym.agents.weighted`), 0 for what is only context.
Each piece is encoded by itself, so pieces end where tokens end.
"""

from __future__ import annotations

import bisect
import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from corgi_gym.agents.episode import Attempt, Episode


class Piece(NamedTuple):
    """A piece of a reply and the weight of its tokens; the end-of-turn token has the last one's."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation to learn from.

    Attributes:
        kind: What it teaches, such as ``"improvement"``: what a buffer is balanced by.
        messages: What the user says, one before each reply.
        replies: The model's turns, each in pieces.
        closed: Whether the last reply ends there. If not, it has no end-of-turn token: the example
            says nothing about what comes next.
        task_id: The task that it comes from, for the records.
        begun: What stands below the last message, on a line of its own: a reply that is written
            piece by piece, as far as it is. It is encoded apart from the message, as the engine
            that asks for the next piece does (`corgi_gym.agents.codec.ChatCodec.extended`):
            tokenizers such as Qwen's would join the line break with what stands before it.

    Raises:
        ValueError: If messages and replies do not take turns, or a weight is not a finite number.
    """

    kind: str
    messages: tuple[str, ...]
    replies: tuple[tuple[Piece, ...], ...]
    closed: bool = True
    task_id: str = ""
    begun: str = ""

    def __post_init__(self) -> None:
        if not self.messages or len(self.messages) != len(self.replies):
            raise ValueError(
                f"an example has a reply for each message, got {len(self.messages)} messages and "
                f"{len(self.replies)} replies"
            )
        for piece in (piece for reply in self.replies for piece in reply):
            if not math.isfinite(piece.weight):
                raise ValueError(f"weights must be finite numbers, got {piece.weight!r}")

    @classmethod
    def single(
        cls,
        kind: str,
        prompt: str,
        *pieces: Piece | str,
        closed: bool = True,
        task_id: str = "",
        begun: str = "",
    ) -> Example:
        """One prompt and one reply; pieces that are plain strings have the weight 1."""
        reply = tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces)
        return cls(kind, (prompt,), (reply,), closed, task_id, begun)

    @property
    def texts(self) -> tuple[str, ...]:
        """The replies as plain text."""
        return tuple("".join(piece.text for piece in reply) for reply in self.replies)

    @property
    def content(self) -> tuple[object, ...]:
        """What makes two examples the same: what is said, whatever its kind and weights."""
        return self.messages, self.begun, self.texts, self.closed

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for JSON; see `from_dict`."""
        return {
            "kind": self.kind,
            "task_id": self.task_id,
            "messages": list(self.messages),
            "begun": self.begun,
            "replies": [[list(piece) for piece in reply] for reply in self.replies],
            "closed": self.closed,
        }

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Example:
        """The example that `as_dict` described."""
        replies = tuple(
            tuple(Piece(text, float(weight)) for text, weight in reply) for reply in row["replies"]
        )
        messages = tuple(row["messages"])
        return cls(
            row["kind"],
            messages,
            replies,
            row["closed"],
            row.get("task_id", ""),
            row.get("begun", ""),
        )


def encode(example: Example, codec: Any) -> tuple[Episode, list[float]]:
    """An example as a session that was never played, and the weight of each of its tokens.

    Args:
        example: What to encode.
        codec: A `corgi_gym.agents.codec.ChatCodec` or another with ``reply`` and ``extended``.

    Returns:
        An `Episode` (log-probs 0.0, no rewards), and weights as long as its ``token_ids``: 0.0 on
        everything that the user says.
    """
    episode = Episode(example.kind, example.task_id, 0, 0, 0, demonstrated=True)
    weights: list[float] = []

    def append(ids: Sequence[int], weight: float, written: int) -> None:
        episode.token_ids.extend(ids)
        episode.model_mask.extend([written] * len(ids))
        episode.logprobs.extend([0.0] * len(ids))
        weights.extend([weight] * len(ids))

    ids: list[int] = []
    for turn, (message, reply) in enumerate(zip(example.messages, example.replies, strict=True)):
        asked = codec.follow_up(message, ids) if turn else codec.start(message)
        if example.begun and turn + 1 == len(example.messages):
            message = f"{message}\n{example.begun}"
            asked = codec.extended(asked, example.begun)
        append(asked, 0.0, 0)
        ids = []
        for piece in reply:
            part = codec.reply(piece.text)[:-1]
            append(part, piece.weight, 1)
            ids += part
        if example.closed or turn + 1 < len(example.replies):
            end = codec.reply("")
            append(end, reply[-1].weight if reply else 0.0, 1)
            ids += end
        text = "".join(piece.text for piece in reply)
        episode.messages += [
            {"role": "user", "content": message},
            {"role": "assistant", "content": text},
        ]
        episode.attempts.append(Attempt(text, "", 0.0, False, False, False, [], len(ids)))
        episode.step_rewards.append(0.0)
        episode.turn_ends.append(len(episode.token_ids))
    return episode, weights


class ReplayBuffer:
    """Examples in the order in which they came, each content of a kind once.

    Example:
        >>> buffer = ReplayBuffer()
        >>> buffer.add(Example.single("own", "Say hi.", "hi"))
        True
        >>> buffer.add(Example.single("own", "Say hi.", "hi"))
        False
    """

    def __init__(self, examples: Iterable[Example] = ()) -> None:
        self._examples: dict[tuple[object, ...], Example] = {}
        self.extend(examples)

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self._examples.values())

    def add(self, example: Example) -> bool:
        """Add an example unless its kind has its content; returns whether it was added."""
        size = len(self)
        self._examples.setdefault((example.kind, *example.content), example)
        return len(self) > size

    def extend(self, examples: Iterable[Example]) -> int:
        """Add examples; returns how many were new."""
        return sum([self.add(example) for example in examples])

    def counts(self) -> Counter[str]:
        """Examples of each kind."""
        return Counter(example.kind for example in self)

    def balanced(
        self, kind: str, ratio: float, rng: np.random.Generator, limit: int | None = None
    ) -> list[Example]:
        """All examples of one kind, and of every other kind at most ``1 / ratio`` times as many.

        Args:
            kind: The kind that the others are measured by.
            ratio: Examples of ``kind`` per example of each other kind. 0 or less does not balance:
                everything is taken.
            rng: Draws which of the others are taken, and the order.
            limit: Most examples in all; ``kind`` is cut down until its share of the others fits,
                and the others are where one of ``kind`` has too many of them.

        Returns:
            A shuffled list, in which no content is twice: what ``kind`` and others have is taken as
            ``kind``, what several others have as the one that came first, and the rest take
            something else as far as they have it. With N of ``kind`` and enough of K other kinds,
            ``kind`` has the share ``ratio / (ratio + K)`` of it, up to rounding.
        """
        groups: dict[str, list[Example]] = {kind: []}
        for example in self:
            groups.setdefault(example.kind, []).append(example)
        for group in groups.values():
            rng.shuffle(group)  # type: ignore[arg-type]

        def taken(keep: int, others: int | None) -> list[Example]:
            return _take(groups, {name: keep if name == kind else others for name in groups})

        def share(keep: int) -> int | None:
            return math.ceil(keep / ratio) if ratio > 0 else None

        keep = len(groups[kind])
        found = taken(keep, share(keep))
        if ratio > 0 and limit is not None and len(found) > limit:
            sizes = range(keep + 1)
            keep = bisect.bisect_right(sizes, limit, key=lambda n: len(taken(n, share(n)))) - 1
            # where not even one fits with its share of others, these have what it leaves
            left = (limit - 1) // max(1, len(groups) - 1)
            found = taken(keep, share(keep)) if keep > 0 else taken(1, left)
        order = rng.permutation(len(found))
        return [found[i] for i in order][:limit]

    def draw(self, count: int, first: int, rng_of_pass: Any) -> list[Example]:
        """Examples ``first`` to ``first + count`` of an endless stream of shuffled passes.

        Args:
            count: How many.
            first: How many were drawn before.
            rng_of_pass: A function from the number of a pass to the generator that shuffles it.
        """
        examples = list(self)
        drawn: list[Example] = []
        while examples and len(drawn) < count:
            number, place = divmod(first + len(drawn), len(examples))
            order = rng_of_pass(number).permutation(len(examples))
            rest = order[place : place + count - len(drawn)]
            drawn += [examples[i] for i in rest]
        return drawn

    def save(self, path: str | Path) -> None:
        """Write one JSON line per example, whole or not at all."""
        path = Path(path)
        draft = path.with_name(f"{path.name}.tmp")
        with draft.open("w", encoding="utf-8") as file:
            for example in self:
                file.write(json.dumps(example.as_dict()) + "\n")
        os.replace(draft, path)

    @classmethod
    def load(cls, path: str | Path) -> ReplayBuffer:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: For a line that is no example, naming it.
        """
        buffer = cls()
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    buffer.add(Example.from_dict(json.loads(line)))
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(f"{path}, line {number} is no example: {error}") from error
        return buffer


def _take(
    groups: Mapping[str, Sequence[Example]], sizes: Mapping[str, int | None]
) -> list[Example]:
    """The first of each group, up to its size (None: all), leaving out what is there already."""
    taken: dict[tuple[object, ...], Example] = {}
    for name, group in groups.items():
        new = ((e.content, e) for e in group if e.content not in taken)
        taken.update(itertools.islice(new, sizes[name]))
    return list(taken.values())

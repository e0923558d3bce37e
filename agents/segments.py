"""Replies cut into labelled segments, and which tokens belong to which segment.

Methods that treat parts of a reply differently (another weight, another reward, another colour on
a page) name the parts by characters, where a person reads them, and need them in tokens, where the
loss is. A `Segment` is a labelled span of characters; `token_segments` hands every token of a reply
to one of them through the codec's offsets, so nothing is encoded a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corgi_gym.agents.episode import Episode


@dataclass(frozen=True, slots=True)
class Segment:
    """Characters ``start`` to ``end`` (exclusive) of a text, and what they are."""

    label: str
    start: int
    end: int


def token_segments(
    offsets: Sequence[tuple[int, int]], segments: Sequence[Segment]
) -> list[int | None]:
    """For each token the number of its segment: the one that it shares most characters with.

    Args:
        offsets: Characters of each token (``codec.offsets(reply_ids)``).
        segments: In order and without overlap; gaps are allowed.

    Returns:
        One entry per token; ``None`` for tokens in a gap. Of two segments with equal shares the
        first has it. The end-of-turn token, which has no characters, belongs to a last segment that
        reaches the end of the text.

    Example:
        >>> token_segments([(0, 2), (2, 5), (5, 5)], [Segment("a", 0, 3), Segment("b", 3, 5)])
        [0, 1, 1]
    """
    length = max((end for _, end in offsets), default=0)
    owners: list[int | None] = []
    for start, end in offsets:
        shares = [min(end, s.end) - max(start, s.start) for s in segments]
        best = max(range(len(shares)), key=shares.__getitem__, default=None)
        if start == end == length and segments and segments[-1].end >= length:
            best = len(segments) - 1
        elif best is not None and shares[best] <= 0:
            best = None
        owners.append(best)
    return owners


def attempt_spans(episode: Episode) -> list[tuple[int, int]]:
    """For each attempt of a session its tokens ``(first, last + 1)`` in ``token_ids``."""
    return [
        (end - attempt.tokens, end)
        for attempt, end in zip(episode.attempts, episode.turn_ends, strict=True)
    ]

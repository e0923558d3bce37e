"""Rationales in pieces, and which of them bring in something new.

AS-ES (Xi et al., arXiv 2403.01969; `docs/as-es.md`) calls a piece *extractive* (ES) if it can be
had from what stands there already, and *abstractive* (AS) if it is a new inference. Its released
code cuts at full stops, line breaks and commas, and takes the entropy of a piece under a model that
was fine-tuned on whole rationales: high entropy is abstractive.

    novelty(piece) > ratio * mean of novelty over the reply's pieces   =>   abstractive
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import torch

from corgi_gym.agents.batches import longest_first
from corgi_gym.agents.segments import Segment

AS, ES = "abstractive", "extractive"
# How novel a piece is: its entropy, the share of its words that are new, or the probability that
# the model denies that it follows.
Split = Literal["entropy", "overlap", "entailment"]
SPLITS: tuple[Split, ...] = get_args(Split)
# Entropy as a sum over tokens, or divided by the words of the piece.
Measure = Literal["sum", "words"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
# What a piece is scored after: the question alone (as released), or all that stands before it.
After = Literal["question", "reply"]
AFTERS: tuple[After, ...] = get_args(After)
# Of the released code; its folders are named after both.
RATIO, MIN_WORDS = 1.4, 3
# Names of a `Cutter`'s settings.
CUTTING = ("split", "measure", "after", "ratio", "min_words")

# After a full stop or a comma that is not inside a number, and after line breaks.
_ENDS = re.compile(r"[.,](?=\s)|[.,]?\n+")
_WORD = re.compile(r"[A-Za-z]+|[0-9]+(?:[.,][0-9]+)*|[^\sA-Za-z0-9]")
# Tokens of one pass at most (padding counts), which bounds its memory.
_PASS_TOKENS = 4096
_ENTAILED = (
    "Text: {context}\n\nStatement: {piece}\n\nDoes the statement follow from the text? Answer Yes "
    "or No."
)


def cut_pieces(reply: str, min_words: int = MIN_WORDS) -> list[str]:
    r"""Cut a reply into pieces that make up all of it again.

    Args:
        reply: Any string.
        min_words: A piece of at most so many words is joined with the next one (the last one with
            the piece before it). The released code drops them, and with them what they say.

    Example:
        >>> cut_pieces("2 + 3 = 5\nso it is 1,5 each, then done.\nAnswer: 5", min_words=2)
        ['2 + 3 = 5\n', 'so it is 1,5 each,', ' then done.\nAnswer: 5']
    """
    edges = [0, *(match.end() for match in _ENDS.finditer(reply)), len(reply)]
    pieces: list[str] = []
    short = ""
    for start, end in pairwise(edges):
        piece = short + reply[start:end]
        short = ""
        if len(piece.split()) <= min_words:
            short = piece
        else:
            pieces.append(piece)
    if short and pieces:
        pieces[-1] += short
    elif short:
        pieces = [short]
    return pieces


def label_pieces(novelty: Sequence[float], ratio: float = RATIO) -> list[str]:
    """`AS` for pieces above ``ratio`` times the mean, `ES` for the others.

    Example:
        >>> label_pieces([1.0, 1.0, 4.0])
        ['extractive', 'extractive', 'abstractive']
    """
    threshold = ratio * sum(novelty) / max(1, len(novelty))
    return [AS if value > threshold else ES for value in novelty]


@dataclass(frozen=True, slots=True)
class Cut:
    """A reply in pieces.

    Attributes:
        prompt: What it answers.
        pieces: Its parts; together they are the reply.
        novelty: Of each piece.
        labels: `AS` or `ES`, for each piece.
    """

    prompt: str
    pieces: tuple[str, ...]
    novelty: tuple[float, ...]
    labels: tuple[str, ...]

    def segments(self) -> list[Segment]:
        """The pieces as labelled spans of the reply."""
        found, start = [], 0
        for piece, label in zip(self.pieces, self.labels, strict=True):
            found.append(Segment(label, start, start + len(piece)))
            start += len(piece)
        return found


class Cutter:
    """Cuts replies and labels their pieces.

    Args:
        model: A causal language model that has been taught `add_chosen_head`.
        codec: Its chat format.
        split: What novelty is; see `SPLITS`.
        measure: Of entropy.
        after: What a piece is scored after.
        ratio: Of the threshold to a reply's mean.
        min_words: See `cut_pieces`.

    Raises:
        ValueError: For a value that does not exist.
    """

    def __init__(
        self,
        model: Any,
        codec: Any,
        *,
        split: Split = "entropy",
        measure: Measure = "sum",
        after: After = "question",
        ratio: float = RATIO,
        min_words: int = MIN_WORDS,
    ) -> None:
        check_cutting(split=split, measure=measure, after=after, ratio=ratio, min_words=min_words)
        self.model, self.codec = model, codec
        self.split, self.measure, self.after = split, measure, after
        self.ratio, self.min_words = ratio, min_words

    def __call__(self, replies: Sequence[tuple[str, str]]) -> list[Cut]:
        """Cut replies, each given with its prompt."""
        pieces = [cut_pieces(reply, self.min_words) for _, reply in replies]
        prompts = [prompt for prompt, _ in replies]
        novelty = {
            "entropy": self._entropies, "overlap": self._new_words, "entailment": self._denials,
        }[self.split](prompts, pieces)  # fmt: skip
        return [
            Cut(prompt, tuple(parts), tuple(values), tuple(label_pieces(values, self.ratio)))
            for prompt, parts, values in zip(prompts, pieces, novelty, strict=True)
        ]

    def _entropies(self, prompts: list[str], replies: list[list[str]]) -> list[list[float]]:
        """Sum over a piece's tokens of the entropy of the next-token distribution, in nats."""
        rows: list[tuple[list[int], list[list[int]]]] = []  # context, and the pieces after it
        for prompt, pieces in zip(prompts, replies, strict=True):
            ids = [self.codec.reply(piece)[:-1] for piece in pieces]
            context = self.codec.start(prompt)
            rows += [(context, ids)] if self.after == "reply" else [(context, [i]) for i in ids]
        scored = iter(_piece_entropies(self.model, rows))
        result = []
        for pieces in replies:
            rows_of_reply = 1 if self.after == "reply" else len(pieces)
            values = [value for _ in range(rows_of_reply) for value in next(scored)]
            if self.measure == "words":
                values = [v / max(1, len(p.split())) for v, p in zip(values, pieces, strict=True)]
            result.append(values)
        return result

    def _new_words(self, prompts: list[str], replies: list[list[str]]) -> list[list[float]]:
        """Share of a piece's words that neither the prompt nor an earlier piece has."""
        return [
            [new_words(prompt + "".join(pieces[:k]), piece) for k, piece in enumerate(pieces)]
            for prompt, pieces in zip(prompts, replies, strict=True)
        ]

    def _denials(self, prompts: list[str], replies: list[list[str]]) -> list[list[float]]:
        """Probability of "No" against "Yes" when the model is asked whether a piece follows."""
        from corgi_gym.agents.labels import label_shares

        questions = [
            _ENTAILED.format(context=f"{prompt}\n{''.join(pieces[:k])}", piece=piece.strip())
            for prompt, pieces in zip(prompts, replies, strict=True)
            for k, piece in enumerate(pieces)
        ]
        labels = [self.codec.reply(word)[:-1] for word in ("Yes", "No")]
        shares = iter(label_shares(self.model, [self.codec.start(q) for q in questions], labels))
        return [[next(shares)[1] for _ in pieces] for pieces in replies]


def check_cutting(*, split: str, measure: str, after: str, ratio: float, min_words: int) -> None:
    """Check the settings of a `Cutter`.

    Raises:
        ValueError: For a value that does not exist.
    """
    for name, value, known in (
        ("split", split, SPLITS), ("measure", measure, MEASURES), ("after", after, AFTERS),
    ):  # fmt: skip
        if value not in known:
            raise ValueError(f"unknown {name} {value!r}; choose from {', '.join(known)}")
    if not ratio > 0:
        raise ValueError(f"ratio must be positive, got {ratio!r}")
    if min_words < 0:
        raise ValueError(f"min_words must be at least 0, got {min_words!r}")


def new_words(context: str, piece: str) -> float:
    """Share of the words, numbers and signs of a piece that are not in the context.

    Example:
        >>> new_words("Work out 2 + 3.", "2 + 3 = 5")
        0.4
    """
    known = {word.lower() for word in _WORD.findall(context)}
    own = [word.lower() for word in _WORD.findall(piece)]
    return sum(word not in known for word in own) / len(own) if own else 0.0


@torch.no_grad()
def _piece_entropies(
    model: Any, rows: Sequence[tuple[list[int], list[list[int]]]]
) -> list[list[float]]:
    """For each row (context, pieces after it) the entropy of each piece."""
    device = next(model.parameters()).device
    whole = [[*context, *(i for piece in pieces for i in piece)] for context, pieces in rows]
    result: list[list[float]] = [[] for _ in rows]
    for part in longest_first(list(map(len, whole)), _PASS_TOKENS):
        width = max(len(whole[row]) for row in part)
        ids = torch.zeros(len(part), width, dtype=torch.long, device=device)
        mask = torch.zeros_like(ids)
        for n, row in enumerate(part):
            ids[n, : len(whole[row])] = torch.tensor(whole[row], device=device)
            mask[n, len(rows[row][0]) : len(whole[row])] = 1
        with torch.autocast(device.type, dtype=torch.bfloat16):
            entropies = model(input_ids=ids, score_mask=mask)[1]
        for n, row in enumerate(part):
            at = len(rows[row][0])
            for piece in rows[row][1]:
                result[row].append(float(entropies[n, at : at + len(piece)].sum()))
                at += len(piece)
    return result

"""Short everyday texts of one to four sentences, from the scenes of the `concepts` family.

All sentences of a text belong to one scene and are in the past tense. A sentence that the grammar
of `corgi_gym.rewards.sentence` does not accept is never used, so every text is a possible reply.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from corgi_gym.envs.draws import Rng
from corgi_gym.envs.tasks.concepts import Scene, scenes
from corgi_gym.rewards.constraints.floor import sentence_report

MAX_SENTENCES = 4
LAYOUTS = ("plain", "lines", "paragraphs")
_SEPARATORS = {"plain": " ", "lines": "\n", "paragraphs": "\n\n"}
# Draws per sentence before another scene: more than nine of ten sentences are accepted, and most
# scenes have six actions.
_MAX_DRAWS = 10

T = TypeVar("T")


class Text(NamedTuple):
    """A text and the nouns that it is about (lemmas)."""

    text: str
    topics: tuple[str, ...]


def make_text(rng: Rng, sentences: int, layout: str = "plain") -> Text:
    """One text.

    Args:
        rng: The only source of chance.
        sentences: How many, from 1 to `MAX_SENTENCES`.
        layout: ``"plain"``, ``"lines"`` (each sentence on its own) or ``"paragraphs"`` (the first
            sentence, a blank line, the others).

    Example:
        >>> from corgi_gym.envs.draws import Draws
        >>> len(make_text(Draws(1), 2, "lines").text.splitlines())
        2
    """
    texts: list[str] = []
    while len(texts) < sentences:  # a scene with too few actions is left for another
        texts, topics = _sentences(rng, _pick(rng, scenes()), sentences)
    if layout == "paragraphs" and sentences > 1:
        return Text(f"{texts[0]}\n\n{' '.join(texts[1:])}", topics)
    return Text(_SEPARATORS[layout].join(texts), topics)


def _sentences(rng: Rng, scene: Scene, count: int) -> tuple[list[str], tuple[str, ...]]:
    """Up to ``count`` sentences about different actions of a scene, and their nouns."""
    texts: list[str] = []
    topics: dict[str, None] = {}
    used: set[tuple[str, ...]] = set()
    for _ in range(_MAX_DRAWS * count):
        text, (who, *nouns) = _sentence(rng, scene)
        if tuple(nouns) not in used and is_accepted(text):
            used.add(tuple(nouns))
            texts.append(text)
            topics.update(dict.fromkeys((who, *nouns)))
        if len(texts) == count:
            break
    return texts, tuple(topics)


def is_accepted(sentence: str) -> bool:
    """Whether the grammar accepts a sentence."""
    return not sentence_report(sentence).problems


@lru_cache(maxsize=4096)
def _past(verb: str) -> str:
    import lemminflect

    return lemminflect.getInflection(verb, "VBD")[0]


def _sentence(rng: Rng, scene: Scene) -> tuple[str, tuple[str, ...]]:
    who = _pick(rng, scene.agents)
    subject = f"the {_pick(rng, scene.traits)} {who}" if rng.integers(2) else f"the {who}"
    actions = [(phrase, verb) for phrase, verb in scene.actions if "own" not in phrase.text.split()]
    action, verb = _pick(rng, actions)
    where, extra = _pick(rng, scene.places), _pick(rng, scene.extras)
    event, motion = _pick(rng, scene.events)
    core = f"{subject} {_past(verb)} {action.text}"
    happens = f"{event.text} {_past(motion)}"
    text = (
        core,
        f"{core} {where.text}",
        f"{core} {where.text} {extra.text}",
        f"{core} while {happens}",
        f"while {happens}, {core}",
        f"{where.text}, {core}",
        f"{core} {extra.text}",
    )[int(rng.integers(7))]
    return f"{text[0].upper()}{text[1:]}.", (who, *action.given)


def _pick(rng: Rng, items: Sequence[T]) -> T:
    return items[int(rng.integers(len(items)))]

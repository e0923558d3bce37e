"""`story_generation`: go on with a story after its first sentence (CORGI, source task).

The paper takes first sentences of ROCStories. They are in no package, so the everyday scenes of
`_scenes.py` give a first sentence and, for the witness, what happens next in the same scene. With
``data=…`` first sentences come from a data set (ROCStories' field ``sentence1``).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft, Task, stable_hash
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.envs.tasks.concepts import _inflect, _pick, scenes
from corgi_gym.rewards import judge
from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.passage import split_sentences
from corgi_gym.rewards.semantic import choose_checker
from corgi_gym.rewards.semantic.classifier import SentenceModel
from corgi_gym.rewards.semantic.encoder import require_encoder
from corgi_gym.rewards.story_generation import judge_story
from corgi_gym.rewards.story_generation import story_generation as check_story
from corgi_gym.rewards.text import words


def _words(text: str) -> list[str]:
    return text.split()


PROMPT = (
    "Here is the first sentence of a story: {first}\n"
    "Write the next one to three sentences. They should tell what happens next in the same story "
    "and take up at least two words of the first sentence (people or things), but be mostly new. "
    "Do not repeat a word within four words, use none more than twice (apart from small ones such "
    'as "the"), and do not write the first sentence again.'
)
# Longest first sentence of a data set: more is no single sentence.
MAX_FIRST_CHARS = 300
_NAMES = {
    "her": _words(
    "Anna Clara Emma Laura Nina Olivia Sara Julia Maria Elena Hannah Lucy Emily Alice"
),
    "his": _words(
    "Ben David Peter Oscar Tom Hugo Martin Noah Leo Felix Simon Daniel Paul Adam"
),
}  # fmt: skip
# Scenes whose agents are no people.
_ANIMALS = frozenset(("dog", "puppy", "cat", "kitten", "horse", "bird", "monkey"))


class _Coherent:
    """Takes every continuation for coherent: what is left are the rules."""

    threshold = 1.0

    def similarity(self, first: str, continuation: str) -> float:
        """Always the largest."""
        return 1.0


class StoryGeneration(GeneratedOrRows):
    """Continue a story by one to three sentences.

    Args:
        data: First sentences from a data set with the field ``sentence1``.
        scorer: ``"embedded"``: the packaged sentence encoder. ``"paper"``: SimCSE. Both need the
            extra ``semantic``.
        model: Hub id or folder for ``scorer="paper"``; default: the paper's.

    Raises:
        ValueError: For an unknown scorer.
        ImportError: Where the scorer's packages are missing.

    Example:
        >>> task = StoryGeneration().item(seed=0, index=0)  # doctest: +SKIP
    """

    family = "story_generation"
    summary = "Continue a story by one to three coherent sentences without repetition."

    def __init__(
        self, data: Source | None = None, scorer: str = "embedded", model: str | None = None
    ) -> None:
        self.checker = choose_checker(
            scorer, model, embedded=check_story, rule=judge_story, critic=SentenceModel
        )
        if self.checker is check_story:
            require_encoder("the family story_generation")
        super().__init__(data, {"sentence1": str})

    def make(self, rng: np.random.Generator) -> Draft:
        """Draw a scene, a first sentence, and what happens next."""
        while True:
            story = _story(rng)
            if story is not None and self._fits(*story):
                return _draft(*story)

    def _fits(self, first: str, witness: str) -> bool:
        """Whether the embedded scorer takes the witness too: it refuses one in a thousand."""
        target = {"first": first}
        return self.checker is not check_story or judge(check_story, witness, target).success

    def draft(self, row: dict[str, Any]) -> Draft:
        """A first sentence of a data set."""
        first = " ".join(row["sentence1"].split())
        if len(first) > MAX_FIRST_CHARS:
            raise BadRow(f"field 'sentence1' has {len(first)} characters: no single sentence")
        return _draft(first, "")

    def near_misses(self, task: Task) -> list[str]:
        """Copies, other stories, repetition, lists, and the prompt."""
        first = task.target["first"]
        content = [word for word in words(first) if word.lower() not in CLOSED] or words(first)
        spoiled = [task.witness.rstrip("."), f"{task.witness} {first}"] if task.witness else []
        return [
            first,
            f"{first} {first}",
            f"Then {first[0].lower()}{first[1:]}",
            "And then they lived happily ever after.",
            "The president signed the new treaty after a long debate about taxes.",
            ", ".join(content) + ".",
            f"The {' and the '.join(map(str.lower, content))} are here.",
            f"{content[0]} {content[0]} {content[0]}.",
            f"This is a story about {content[0]} and {content[-1]}.",
            f"{content[0]} invested in a pension because the government raised taxes.",
            *spoiled,
            task.prompt,
        ]


def _story(rng: np.random.Generator) -> tuple[str, str] | None:
    """A first sentence and a continuation, or ``None`` where their words clash."""
    scene = _pick(rng, scenes())
    if set(scene.agents) & _ANIMALS:
        return None
    one, two = (int(i) for i in rng.permutation(len(scene.actions))[:2])
    where, extra = _pick(rng, scene.places), _pick(rng, scene.extras)
    event, motion = _pick(rng, scene.events)
    ending = f" {extra.text}." if rng.integers(2) else "."
    # one name for all that happens to be the same: under another one it would be in another split
    named = stable_hash(scene.actions[one][0].text, where.text, ending)
    own = ("her", "his")[named % 2]
    name = _NAMES[own][named // 2 % len(_NAMES[own])]

    def act(number: int) -> str:
        phrase, verb = scene.actions[number]
        text = re.sub(r"\bown\b", own, phrase.text)
        return f"{_inflect(verb, 'VBD')} {text}"

    first = f"{name} {act(one)} {where.text}{ending}"
    noun = scene.actions[one][0].given[0]
    thing = next(word for word in words(scene.actions[one][0].text) if noun in lemmas(word))
    own_pronoun = "she" if own == "her" else "he"
    rest = (
        f"While {event.text} {_inflect(motion, 'VBD')}, {name} {act(two)}. "
        f"Then {own_pronoun} returned to the {thing} {where.text}. "
        f"Everybody talked about the {thing}."
    )
    taken_up = {name.lower(), thing, *words(where.text.lower())}
    forms = [
        lemmas(word)
        for sentence in (first, *split_sentences(rest))
        for word in words(sentence)
        if word.lower() not in CLOSED and word.lower() not in taken_up
    ]
    together = set().union(*forms)
    if sum(map(len, forms)) != len(together):
        return None
    # the rules alone, which are fast; the scene makes the rest coherent, nearly always (`_fits`)
    return (first, rest) if judge_story(rest, {"first": first}, _Coherent()).success else None


def _draft(first: str, witness: str) -> Draft:
    return Draft(first, PROMPT.format(first=first), {"first": first}, witness)

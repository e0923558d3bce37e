"""`concepts_hard`: a short story with 20 to 30 given words (CommonGen-Hard; CORGI, held out).

The words come from one everyday scene of `_scenes.py`: several of its agents, actions, places and
circumstances, a sentence each; these sentences are the witness. CommonGen-Hard takes unrelated
words; with ``data=…`` such sets come from a data set.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft, Task
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.envs.tasks.concepts import _HERS, _HIS, Scene, _inflect, scenes
from corgi_gym.rewards.concepts_hard import MAX_SENTENCES, MIN_SENTENCES
from corgi_gym.rewards.concepts_hard import concepts_hard as check_concepts_hard
from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.text import listing, words

# Below, one or two sentences do; above, a scene has no more words to give.
MIN_COUNT, MAX_COUNT = 10, 30
PROMPT = (
    "Write a short story of {low} to {high} sentences about an everyday scene. Use each of these "
    "words at least once, in any form: {words}. Write full sentences in which something happens, "
    "each built differently, repeat no word often, and make no list."
)
# One sentence of a witness each, in different frames. A scene has three places, three further
# circumstances and three events, so the later frames go without.
_FRAMES = (
    "{who} {does} {where} {extra} while {event}",
    "while {event}, {who} {does} {where} {extra}",
    "{extra}, {who} {does} {where} because {event}",
    "then {who} {does}",
    "{who} {does} as well",
)
_FULL = 3
# Draws of one sentence before the story is begun anew: its words may clash with earlier ones.
_TRIES = 8
_SLOT = re.compile(r"\{\w+\}")
_OWN = re.compile(r"\bown\b")
# Most draws clash and are thrown away, so the lemmas of their parts are kept: about as many as
# there are agents with a trait.
_KEPT_PARTS = 1 << 14


class ConceptsHard(GeneratedOrRows):
    """Write a short story that uses all of 20 to 30 words.

    Args:
        count: Smallest and largest number of given words, within 10 and 30.
        data: Word sets from a data set with the field ``concepts``: a list of words, or a string
            with commas.

    Raises:
        ValueError: For a count outside these bounds.

    Example:
        >>> task = ConceptsHard().item(seed=0, index=0)
        >>> 20 <= len(task.target["concepts"]) <= 30
        True
    """

    family = "concepts_hard"
    summary = "Write a short story that uses all of 20 to 30 given words."

    def __init__(self, count: tuple[int, int] = (20, 30), data: Source | None = None) -> None:
        low, high = (int(bound) for bound in count)
        if not MIN_COUNT <= low <= high <= MAX_COUNT:
            raise ValueError(
                f"count must be (smallest, largest) within {MIN_COUNT} and {MAX_COUNT}, "
                f"got {tuple(count)!r}"
            )
        self.count = (low, high)
        self.checker = check_concepts_hard
        super().__init__(data, {"concepts": (list, str)})

    def make(self, rng: np.random.Generator) -> Draft:
        """Choose a scene and tell it in as many sentences as the words need."""
        size = int(rng.integers(self.count[0], self.count[1] + 1))
        while True:
            story = _story(rng, size)
            if story is not None:
                given, witness = story
                shuffled = [given[int(i)] for i in rng.permutation(len(given))]
                return _draft(shuffled, witness)

    def draft(self, row: dict[str, Any]) -> Draft:
        """A word set of a data set."""
        found = row["concepts"]
        found = found.split(",") if isinstance(found, str) else found
        given = list(dict.fromkeys(str(word).strip().lower() for word in found))
        if not given or not all(word.isalpha() and word.isascii() for word in given):
            raise BadRow(f"field 'concepts' must hold single words, got {found!r:.60}")
        return _draft(given, "")

    def near_misses(self, task: Task) -> list[str]:
        """Lists, lists with a frame, the witness spoiled or without a word, and the prompt."""
        given: list[str] = task.target["concepts"]
        pairs = [given[i : i + 2] for i in range(0, len(given) - 1, 2)]
        lists = [
            " ".join(given),
            ", ".join(given) + ".",
            f"{listing(given).capitalize()}.",
            f"The {' and the '.join(given)} are here.",
            " ".join(f"I see the {a} and the {b}." for a, b in pairs),
            " ".join(f"The {a} is near the {b}." for a, b in pairs[:MAX_SENTENCES]),
            " ".join(f"{word.capitalize()}." for word in given),
            f"This is a story about {listing(given)}. It is good.",
            task.prompt,
        ]
        if not task.witness:
            return lists
        first, _, rest = task.witness.partition(". ")
        gone = next(word for word in words(first) if not lemmas(word).isdisjoint(given))
        return [
            *lists,
            rest,
            re.sub(rf"\b{gone}\b ?", "", task.witness),
            task.witness.replace(". ", ", "),
            task.witness.rstrip("."),
            f"{first}. " * 3,
            f"{first}. {listing(given).capitalize()}.",
        ]


def _draft(given: list[str], witness: str) -> Draft:
    prompt = PROMPT.format(words=", ".join(given), low=MIN_SENTENCES, high=MAX_SENTENCES)
    return Draft(" ".join(sorted(given)), prompt, {"concepts": given}, witness)


def _story(rng: np.random.Generator, size: int) -> tuple[list[str], str] | None:
    """Words and a witness, or ``None`` where the scene has too few words that do not clash."""
    scene = scenes()[int(rng.integers(len(scenes())))]
    parts = scene.agents, scene.traits, scene.actions, scene.places, scene.extras, scene.events
    sizes = np.array([len(options) for options in parts])
    past = bool(rng.integers(2))
    given: list[str] = []
    seen: set[str] = set()
    sentences: list[str] = []
    for number, frame in enumerate(_FRAMES):
        bare = _SLOT.sub("", frame)
        for _ in range(_TRIES):
            # one call for all choices: the numbers of one after the other, in half the time
            choices = rng.integers(sizes if number < _FULL else sizes[:3]).tolist()
            found, slots = _sentence(scene, past, choices)
            forms = _new_lemmas([*slots.values(), bare], seen)
            if forms is not None:
                seen |= forms
                given += found
                text = frame.format(**slots)
                sentences.append(f"{text[0].upper()}{text[1:]}.")
                break
        else:
            return None
        if len(set(given)) < len(given):  # "a show" and "to show" in one sentence
            return None
        if len(given) >= size:
            return given[:size], " ".join(sentences)
    return None


def _new_lemmas(parts: list[str], seen: set[str]) -> set[str] | None:
    """The lemmas of the parts' content words, or ``None`` if one is there twice or was seen."""
    new: set[str] = set()
    for part in parts:
        found = _content(part)
        if found is None or not (found.isdisjoint(seen) and found.isdisjoint(new)):
            return None
        new |= found
    return new


@lru_cache(maxsize=_KEPT_PARTS)
def _content(part: str) -> frozenset[str] | None:
    """The lemmas of a part's content words, or ``None`` if two words share one."""
    forms = [lemmas(word) for word in words(part) if word not in CLOSED]
    every = frozenset[str]().union(*forms)
    return every if sum(map(len, forms)) == len(every) else None


def _sentence(scene: Scene, past: bool, choices: list[int]) -> tuple[list[str], dict[str, str]]:
    """The given words and the parts of one sentence: a full one with six choices, else three."""
    who, how = scene.agents[choices[0]], scene.traits[choices[1]]
    action, verb = scene.actions[choices[2]]
    own = "her" if who in _HERS else "his" if who in _HIS else "their"
    given = [who, how, verb, *action.given]
    slots = {"who": f"the {how} {who}"}
    does = f"{_inflect(verb, 'VBD' if past else 'VBZ')} {action.text}"
    slots["does"] = _OWN.sub(own, does) if "own" in does else does
    if len(choices) > 3:
        where, extra = scene.places[choices[3]], scene.extras[choices[4]]
        event, motion = scene.events[choices[5]]
        plural = not event.text.endswith(event.given[-1])
        tag = "VBD" if past else "VBP" if plural else "VBZ"
        slots |= {"where": where.text, "extra": extra.text}
        slots["event"] = f"{event.text} {_inflect(motion, tag)}"
        given += [*where.given, *extra.given, *event.given, motion]
    return given, slots

"""`concepts`: one natural sentence with all the given words (CommonGen-lite; CORGI, section 4).

CommonGen takes its concept sets from image captions, so their words belong to one scene. Its rows
are not in any package, so a grammar of everyday scenes (`_scenes.py`) makes sets of the same kind:
an action with its agent, object, place and circumstances; the sentence that they come from is the
witness. Unlike CommonGen, sets never run out and cannot have been seen in pre-training.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range
from corgi_gym.envs.tasks._scenes import SCENES
from corgi_gym.rewards.concepts import MAX_GIVEN_SHARE
from corgi_gym.rewards.concepts import concepts as check_concepts
from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.text import listing, words

# Bounds of the option: one word is no challenge to combine, and a scene has eight words to give.
MIN_COUNT, MAX_COUNT = 2, 8
# Who does what is always given: without an agent the words of a small set ("platform, hug") make no
# sensible sentence, and a policy learns nonsense in the passive ("the platform is hugged").
# How likely the next word comes from the core of the scene (objects, place) and not from its
# circumstances: small sets should be about one action.
CORE_SHARE = 0.75
PROMPT = (
    "Write one natural English sentence about something that happens in an everyday scene. Use "
    "each of these words once, in any form: {words}. Repeat no words and make no list."
)

_STAR = re.compile(r"\*([a-z-]+)(?:/([a-z-]+))?\*")
_HERS = frozenset(
    ("mother", "grandmother", "girl", "woman", "bride", "aunt", "sister", "waitress", "ballerina")
)
_HIS = frozenset(
    ("father", "grandfather", "boy", "man", "brother", "uncle", "groom", "cowboy", "mailman")
)
# Prepositions that read badly twice in one short sentence.
_ONCE = frozenset(("with", "for", "after", "before", "during", "near"))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase without stars, and the lemmas of the words that had them."""

    text: str
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """One block of `_scenes.py`; actions and events are (phrase, verb lemma)."""

    agents: tuple[str, ...]
    traits: tuple[str, ...]
    actions: tuple[tuple[Phrase, str], ...]
    places: tuple[Phrase, ...]
    extras: tuple[Phrase, ...]
    events: tuple[tuple[Phrase, str], ...]


def _phrase(text: str) -> Phrase:
    given = tuple(m[2] or _singular(m[1]) for m in _STAR.finditer(text))
    return Phrase(_STAR.sub(lambda m: m[1], text), given)


def _singular(noun: str) -> str:
    """The lemma of a noun; only plurals change."""
    if noun.endswith("s") or noun == "children":
        return min(lemmas(noun), key=lambda lemma: (len(lemma), lemma))
    return noun


@lru_cache(maxsize=4096)
def _inflect(lemma: str, tag: str) -> str:
    import lemminflect

    return lemminflect.getInflection(lemma, tag)[0]


def _parse(block: str) -> Scene:
    parts = {}
    for line in block.replace("\n  ", " ").splitlines()[1:]:
        kind, _, rest = line.partition(":")
        parts[kind] = [part.strip() for part in rest.split(";")]
    actions = [text.partition(" ") for text in parts["does"]]
    events = [text.rpartition(" ") for text in parts["while"]]
    return Scene(
        tuple(parts["who"]),
        tuple(parts["how"]),
        tuple((_phrase(rest), verb) for verb, _, rest in actions),
        tuple(map(_phrase, parts["where"])),
        tuple(map(_phrase, parts["extra"])),
        tuple((_phrase(subject), verb.strip("*")) for subject, _, verb in events),
    )


@lru_cache(maxsize=1)
def scenes() -> tuple[Scene, ...]:
    """All scenes, parsed once."""
    return tuple(map(_parse, SCENES.strip().split("\n\n")))


class Concepts(TaskSource):
    """Write one natural sentence that uses all the given words.

    Args:
        count: Smallest and largest number of given words, within 2 and 8.

    Raises:
        ValueError: For a count outside these bounds.

    Example:
        >>> task = Concepts(count=(3, 3)).item(seed=0, index=0)
        >>> len(task.target["concepts"])
        3
    """

    family = "concepts"
    summary = "Write one natural sentence that uses all the given words."

    def __init__(self, count: tuple[int, int] = (3, 5)) -> None:
        self.count = check_range(count, "count", MIN_COUNT, MAX_COUNT)
        self.checker = check_concepts

    def generate(self, rng: np.random.Generator) -> Draft:
        """Choose a scene, then as many of its words as asked for."""
        size = int(rng.integers(self.count[0], self.count[1] + 1))
        while True:
            draft = self._try(rng, size)
            if draft is not None:
                return draft

    def _try(self, rng: np.random.Generator, size: int) -> Draft | None:
        """One draw; ``None`` where words clash (a lemma or preposition twice) or most are given."""
        scene = _pick(rng, scenes())
        who, how = _pick(rng, scene.agents), _pick(rng, scene.traits)
        action, verb = _pick(rng, scene.actions)
        where, extra = _pick(rng, scene.places), _pick(rng, scene.extras)
        event, motion = _pick(rng, scene.events)
        core = [*((noun,) for noun in action.given), where.given]
        rest = [(how,), extra.given, (*event.given, motion)]
        given = _choose(rng, core, rest, [who, verb], size)
        if given is None:
            return None
        past = bool(rng.integers(2))
        own = "her" if who in _HERS else "his" if who in _HIS else "their"
        parts = [f"the {how} {who}" if how in given else f"the {who}"]
        parts.append(_inflect(verb, "VBD" if past else "VBZ"))
        parts.append(re.sub(r"\bown\b", own, action.text))
        parts += [phrase.text for phrase in (where, extra) if set(phrase.given) & set(given)]
        if motion in given:
            plural = not event.text.endswith(event.given[-1])
            parts.append(f"while {event.text}")
            parts.append(_inflect(motion, "VBD" if past else "VBP" if plural else "VBZ"))
        witness = " ".join(parts)
        if _clashes(witness) or size > MAX_GIVEN_SHARE * len(witness.split()):
            return None
        shuffled = [given[int(i)] for i in rng.permutation(size)]
        return Draft(
            key=" ".join(sorted(given)),
            prompt=PROMPT.format(words=", ".join(shuffled)),
            target={"concepts": shuffled},
            witness=f"{witness[0].upper()}{witness[1:]}.",
        )

    def near_misses(self, task: Task) -> list[str]:
        """Lists, stuffing, the witness spoiled in several ways, and the prompt."""
        given: list[str] = task.target["concepts"]
        every = {word for word in words(task.witness) if given[0] in lemmas(word)}
        without = " ".join(word for word in words(task.witness) if word not in every)
        stuffed = [
            f"The {' and the '.join(given)} are here.",
            f"The {', '.join(given)} are in the park.",
        ]
        return [
            *(stuffed if len(given) > 2 else ()),  # with two words these can be sentences
            f"{without[0].upper()}{without[1:]}.",
            " ".join(given),
            ", ".join(given),
            f"{', '.join(given).capitalize()}.",
            f"{listing(given).capitalize()}.",
            f"{' and '.join(given).capitalize()}.",
            f"This is a sentence about {listing(given)}.",
            task.prompt,
            task.prompt.split(". ")[1] + ".",
            f"{task.witness} {task.witness}",
            task.witness.rstrip("."),
            f"{task.witness[:-1]} and {listing(given)}.",
        ]


T = TypeVar("T")


def _pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def _choose(
    rng: np.random.Generator,
    core: list[tuple[str, ...]],
    rest: list[tuple[str, ...]],
    start: list[str],
    size: int,
) -> list[str] | None:
    """``start`` and whole units of words until there are exactly ``size``, or ``None``."""
    given = list(start)
    core = [core[int(i)] for i in rng.permutation(len(core))]
    rest = [rest[int(i)] for i in rng.permutation(len(rest))]
    while len(given) < size and (core or rest):
        from_core = bool(core) and (not rest or rng.random() < CORE_SHARE)
        unit = (core if from_core else rest).pop()
        if len(given) + len(unit) <= size:
            given.extend(unit)
    return given if len(given) == size else None


def _clashes(witness: str) -> bool:
    """Whether a content word or an awkward preposition occurs twice."""
    seen: set[str] = set()
    for word in witness.split():
        forms = lemmas(word)
        if (word not in CLOSED and seen & forms) or (word in _ONCE and word in seen):
            return True
        seen |= forms
    return False

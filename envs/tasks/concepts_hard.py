"""`concepts_hard`: a short story with 20 to 30 given words (CommonGen-Hard; CORGI, held out).

The words come from one everyday scene of `_scenes.py`: several of its agents, actions, places and
circumstances, a sentence each; these sentences are the witness. CommonGen-Hard takes unrelated
words; with ``data=…`` such sets come from a data set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.draws import Draws, Rng, several
from corgi_gym.envs.task import Draft, Task, check_range, check_unused
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.envs.tasks.concepts import _HERS, _HIS, Phrase, Scene, _inflect, scenes
from corgi_gym.rewards.concepts_hard import MAX_SENTENCES, MAX_WORDS, MIN_SENTENCES
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
# One sentence of a witness each, in different frames, whose own words are all closed-class ones. A
# scene has three places, three further circumstances and three events, so the later frames go
# without.
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
_OWN = re.compile(r"\bown\b")
# A part that can stand in no sentence: two of its own words share a lemma. In `_Telling` it has the
# bit that is always taken.
_NEVER = 1


_COUNT = (20, 30)


class ConceptsHard(GeneratedOrRows):
    """Write a short story that uses all of 20 to 30 words.

    Args:
        count: Smallest and largest number of given words, within 10 and 30.
        data: Word sets from a data set with the field ``concepts``: a list of words, or a string
            with commas.

    Raises:
        ValueError: For a count outside these bounds, or beside ``data``.

    Example:
        >>> task = ConceptsHard().item(seed=0, index=0)
        >>> 20 <= len(task.target["concepts"]) <= 30
        True
    """

    family = "concepts_hard"
    summary = "Write a short story that uses all of 20 to 30 given words."

    def __init__(self, count: tuple[int, int] = _COUNT, data: Source | None = None) -> None:
        self.count = check_range(count, "count", MIN_COUNT, MAX_COUNT)
        if data is not None:
            check_unused("data", count=(self.count, _COUNT))
        self.checker = check_concepts_hard
        super().__init__(data, {"concepts": (list, str)})

    def _draw(self, entropy: int) -> Draft:
        """Most draws of words clash and are thrown away, so `Draws` is quicker than numpy here."""
        return super()._draw(entropy) if self.finite else self.make(Draws(entropy))

    def make(self, rng: Rng) -> Draft:
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
        if len(given) > MAX_WORDS // 2:
            raise BadRow(
                f"field 'concepts' has {len(given)} words, more than half of the {MAX_WORDS} of "
                "the longest story"
            )
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


class _Part(NamedTuple):
    """One choice for a sentence: its words that can be given, and the lemmas of its words."""

    given: tuple[str, ...]
    lemmas: int


class _Telling:
    """A scene in one tense, with the parts of its sentences.

    Lemmas are the bits of whole numbers, so that a draw of parts which share one is found quickly.

    Attributes:
        parts: Agents, traits, actions, places, extras and events.
        sizes: How many there are of each.
        lemmas: The lemmas of each.
    """

    def __init__(self, scene: Scene, past: bool) -> None:
        self.scene, self.past = scene, past
        self._bits: dict[str, int] = {}
        self.parts = (
            [self._part(who, who) for who in scene.agents],
            [self._part(how, how) for how in scene.traits],
            [
                self._part(self._does(verb, phrase, "their"), verb, *phrase.given)
                for phrase, verb in scene.actions
            ],
            [self._part(where.text, *where.given) for where in scene.places],
            [self._part(extra.text, *extra.given) for extra in scene.extras],
            [
                self._part(self._happens(phrase, verb), *phrase.given, verb)
                for phrase, verb in scene.events
            ],
        )
        self.sizes = tuple(map(len, self.parts))
        self.lemmas = [[part.lemmas for part in options] for options in self.parts]

    def _part(self, text: str, *given: str) -> _Part:
        forms = [lemmas(word) for word in words(text) if word not in CLOSED]
        every = frozenset[str]().union(*forms)
        if sum(map(len, forms)) > len(every):
            return _Part(given, _NEVER)
        bits = (self._bits.setdefault(lemma, 2 << len(self._bits)) for lemma in sorted(every))
        return _Part(given, sum(bits))

    def _does(self, verb: str, phrase: Phrase, own: str) -> str:
        text = f"{_inflect(verb, 'VBD' if self.past else 'VBZ')} {phrase.text}"
        return _OWN.sub(own, text)

    def _happens(self, phrase: Phrase, verb: str) -> str:
        plural = not phrase.text.endswith(phrase.given[-1])
        tag = "VBD" if self.past else "VBP" if plural else "VBZ"
        return f"{phrase.text} {_inflect(verb, tag)}"

    def sentence(self, frame: str, choices: Sequence[int]) -> str:
        """One sentence: a full frame has six choices, the others three."""
        who, how = self.scene.agents[choices[0]], self.scene.traits[choices[1]]
        phrase, verb = self.scene.actions[choices[2]]
        own = "her" if who in _HERS else "his" if who in _HIS else "their"
        slots = {"who": f"the {how} {who}", "does": self._does(verb, phrase, own)}
        if len(choices) > 3:
            slots["where"] = self.scene.places[choices[3]].text
            slots["extra"] = self.scene.extras[choices[4]].text
            slots["event"] = self._happens(*self.scene.events[choices[5]])
        text = frame.format(**slots)
        return f"{text[0].upper()}{text[1:]}."


@cache  # two for each scene
def _telling(number: int, past: bool) -> _Telling:
    return _Telling(scenes()[number], past)


def _story(rng: Rng, size: int) -> tuple[list[str], str] | None:
    """Words and a witness, or ``None`` where the scene has too few words that do not clash."""
    telling = _telling(int(rng.integers(len(scenes()))), bool(rng.integers(2)))
    given: list[str] = []
    told: list[list[int]] = []
    seen = _NEVER
    for number in range(len(_FRAMES)):
        sizes = telling.sizes if number < _FULL else telling.sizes[:3]
        for _ in range(_TRIES):
            choices = several(rng, sizes)
            together = seen
            for options, choice in zip(telling.lemmas, choices, strict=False):
                if together & options[choice]:
                    break
                together |= options[choice]
            else:
                break
        else:
            return None
        seen = together
        told.append(choices)
        for parts, choice in zip(telling.parts, choices, strict=False):
            given += parts[choice].given
        if len(set(given)) < len(given):  # "a show" and "to show" in one sentence
            return None
        if len(given) >= size:
            pairs = zip(_FRAMES, told, strict=False)
            return given[:size], " ".join(telling.sentence(*pair) for pair in pairs)
    return None

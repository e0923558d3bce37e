"""A text under any set of constraints, each task satisfiable by construction.

In the spirit of COLLIE (arXiv 2307.08689), which extracts constraints from existing texts so that a
solution is known. Here the text is written first (`_texts`), constraints that are true of it are
drawn (`_constraint_draws`), and the checker confirms it: it is the witness. Two more things make a
task worth its name: a floor of real text with an asked topic, and a test against texts that were
written without knowing the constraints, few of which may satisfy them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from corgi_gym.envs.draws import Draws, Rng
from corgi_gym.envs.task import Draft, Task, TaskSource, check_range, check_unused
from corgi_gym.envs.tasks._constraint_draws import DIFFICULTIES, Data, Draw
from corgi_gym.envs.tasks._texts import LAYOUTS, MAX_SENTENCES, Text, make_text
from corgi_gym.rewards.constraints import (
    LEVELS,
    Passage,
    check_satisfiable,
    constraint_grammar,
    describe,
    holds,
    parse,
)
from corgi_gym.rewards.constraints.conflicts import find_conflict
from corgi_gym.rewards.constraints.floor import ask, parse_floor
from corgi_gym.rewards.constraints.language import MAX_NUMBER, ConstraintSet, Node

MAX_COUNT = 5
_COUNT, _SENTENCES = (2, 3), (1, 3)
CONNECTIVES = ("and", "or", "not")
# How likely a constraint is one with a connective, if any are allowed.
_CONNECTED = 0.3
# Texts written without knowing the constraints, and the share of them that may satisfy all of a
# task's constraints, or one of them. (The topic comes on top: a blind text must guess it too.)
_BLIND_TEXTS = 40
MAX_BLIND, MAX_BLIND_ONE = 0.2, 0.7
# Draws of a text before giving up; one in three is enough on average.
_MAX_DRAWS = 400
# Draws of single constraints for one text.
_MAX_LEAVES_DRAWN = 40
# Constraints that are remembered with the blind texts that satisfy them.
_KEPT_CONSTRAINTS = 4096
# Texts that are tried against a user's constraints before saying that no witness is known, and
# before one item goes without.
_PROBES, _PROBES_OF_ITEM = 400, 60
# Words that a task allows in any case.
_LEAST_ALLOWED = 20
_NOTE = 'Capital letters do not matter; "characters" include spaces and punctuation.'


class ConstraintGrammar(TaskSource):
    """Write a text that meets a set of constraints and uses a topic word.

    Args:
        count: Smallest and largest number of constraints, within 1 and 5.
        levels: Which levels constraints are about: ``"character"``, ``"word"``, ``"sentence"``,
            ``"line"``, ``"paragraph"``.
        connectives: Which of ``"and"``, ``"or"``, ``"not"`` may join constraints; may be empty.
        difficulty: ``"easy"`` (bounds with room), ``"medium"`` or ``"hard"`` (exact numbers).
        sentences: Smallest and largest number of sentences of the hidden text, within 1 and 4.
        constraints: Your own set (see `corgi_gym.rewards.constraints.language`) in place of drawn
            ones; tasks then differ in their topic. A set in which a contradiction is found is
            refused; where none is found and no text is known that satisfies it, a warning says so,
            and tasks have no witness.

    Raises:
        ValueError: For other values, and for constraints that are not well formed or contradict
            each other; the message names the field or the constraints in conflict.

    Example:
        >>> task = ConstraintGrammar(count=(2, 2), levels=["word"]).item(seed=0, index=0)
        >>> len(task.target["constraints"]), task.checker(task.witness, task.target).success
        (2, True)
    """

    family = "constraints"
    summary = "Write a text that meets a set of constraints and uses a topic word."
    checker = constraint_grammar

    def __init__(
        self,
        count: tuple[int, int] = _COUNT,
        levels: Iterable[str] = LEVELS[1:],
        connectives: Iterable[str] = CONNECTIVES,
        difficulty: str = "medium",
        sentences: tuple[int, int] = _SENTENCES,
        constraints: Any = None,
    ) -> None:
        self.count = check_range(count, "count", 1, MAX_COUNT)
        self.sentences = check_range(sentences, "sentences", 1, MAX_SENTENCES)
        self.levels = _subset(levels, "levels", LEVELS[1:], 1)
        self.connectives = _subset(connectives, "connectives", CONNECTIVES, 0)
        if difficulty not in DIFFICULTIES:
            raise ValueError(
                f"unknown difficulty {difficulty!r}; choose from {', '.join(DIFFICULTIES)}"
            )
        self.difficulty = difficulty
        self.given: list[Data] | None = None
        self.witness_known = True
        self.least_allowed = _LEAST_ALLOWED
        if constraints is not None:
            check_unused(
                "constraints",
                count=(self.count, _COUNT),
                sentences=(self.sentences, _SENTENCES),
                levels=(tuple(self.levels), LEVELS[1:]),
                connectives=(tuple(self.connectives), CONNECTIVES),
                difficulty=(difficulty, "medium"),
            )
            self.given = _given(constraints)
            self.least_allowed = _words_needed(parse(self.given))
            self._probe()

    def _draw(self, entropy: int) -> Draft:
        """A task takes a hundred small numbers, so `Draws` is quicker than numpy here."""
        return self.generate(Draws(entropy))

    def generate(self, rng: Rng) -> Draft:
        """Write a text, then draw constraints that it satisfies (or the other way round)."""
        if self.given is not None:
            return self._generate_given(rng, self.given)
        for _ in range(_MAX_DRAWS):
            text = self._text(rng)
            chosen = self._constraints(rng, Passage(text.text))
            if chosen is not None:
                draft = _draft(rng, text, chosen)
                if constraint_grammar(draft.witness, draft.target).success:
                    return draft
        raise ValueError(
            f"no set of {self.count} constraints was found with levels={self.levels} and "
            f"difficulty={self.difficulty!r} that a blind text does not satisfy; allow more levels "
            "or another difficulty"
        )

    def near_misses(self, task: Task) -> list[str]:
        """No text, the text spoiled, and texts that only a counter would take."""
        topic = task.target["floor"]["topic"]
        blind = [text.text for text in _blind_texts()[:6]]
        misses = [
            task.prompt,
            topic,
            f"{topic} " * 12,
            f"The {topic} is a {topic} and a {topic}.",
            f"This text meets all constraints and uses the word {topic}.",
            f"The {topic} is in a sentence with many words.",
            "I am sorry, but I cannot write this text.",
            *(text for text in blind if not _uses(topic, text)),
        ]
        if task.witness:
            words = task.witness.rstrip(".").split()
            misses += [
                f"{task.witness} {task.witness}",
                task.witness.rstrip("."),
                f"{' '.join(words[::-1])}.",
                ", ".join(words),
                f"Here is the text:\n\n{task.witness}\n\nIt has {len(words)} words.",
            ]
        return misses

    # ---------------------------------------------------------------- drawing

    def _text(self, rng: Rng) -> Text:
        sentences = int(rng.integers(self.sentences[0], self.sentences[1] + 1))
        layouts = [
            name
            for name, level in zip(LAYOUTS, ("sentence", "line", "paragraph"), strict=True)
            if name == "plain" or (level in self.levels and sentences > 1)
        ]
        return make_text(rng, sentences, layouts[int(rng.integers(len(layouts)))])

    def _constraints(self, rng: Rng, text: Passage) -> list[Data] | None:
        """Constraints that hold for ``text`` and for few blind texts."""
        size = int(rng.integers(self.count[0], self.count[1] + 1))
        draw = Draw(rng, text, self.difficulty)
        chosen: dict[Hashable, Data] = {}
        blind = -1  # as the bits of a whole number: the blind texts that satisfy all so far
        for _ in range(_MAX_LEAVES_DRAWN):
            data = self._one(rng, draw, text)
            name = _subject(data)
            if name in chosen:
                continue
            written = json.dumps(data)
            if not holds(_node(written), text):
                continue
            mask = _blind_mask(written)
            last = len(chosen) + 1 == size
            both = (blind & mask).bit_count() / _BLIND_TEXTS
            if mask.bit_count() / _BLIND_TEXTS > MAX_BLIND_ONE or (last and both > MAX_BLIND):
                continue
            chosen[name] = data
            blind &= mask
            if len(chosen) == size:
                return list(chosen.values())
        return None

    def _one(self, rng: Rng, draw: Draw, text: Passage) -> Data:
        """One constraint, sometimes with a connective; a false part comes from another text."""
        if not self.connectives or rng.random() >= _CONNECTED:
            return draw.leaf(self.levels)
        kind = self.connectives[int(rng.integers(len(self.connectives)))]
        if kind == "and":
            parts = [draw.leaf(self.levels), draw.leaf(self.levels)]
            return {"and": parts} if _subject(parts[0]) != _subject(parts[1]) else parts[0]
        elsewhere = _blind_texts()[int(rng.integers(_BLIND_TEXTS))]
        other = Draw(rng, elsewhere, self.difficulty).leaf(self.levels)
        if kind == "not":
            return {"not": other}
        parts = [draw.leaf(self.levels), other]
        if "and" in self.connectives and rng.integers(3) == 0:
            parts[0] = {"and": [parts[0], draw.leaf(self.levels)]}
        order = parts if rng.integers(2) else parts[::-1]
        return {"or": order}

    # ---------------------------------------------------------------- a user's constraints

    def _generate_given(self, rng: Rng, given: list[Data]) -> Draft:
        wanted = parse(given)
        text = self._any_text(rng)
        for _ in range(_PROBES_OF_ITEM if self.witness_known else 0):
            draft = _draft(rng, text, given, self.least_allowed)
            if (
                _all_hold(wanted, text.text)
                and constraint_grammar(draft.witness, draft.target).success
            ):
                return draft
            text = self._any_text(rng)
        draft = _draft(rng, text, given, self.least_allowed)
        return Draft(draft.key, draft.prompt, draft.target, witness="")

    def _any_text(self, rng: Rng) -> Text:
        sentences = int(rng.integers(1, MAX_SENTENCES + 1))
        return make_text(rng, sentences, LAYOUTS[int(rng.integers(len(LAYOUTS)))])

    def _probe(self) -> None:
        """Look for a text that satisfies the user's constraints; warn if none is found."""
        wanted = parse(self.given)
        rng = Draws(0)
        texts = (self._any_text(rng).text for _ in range(_PROBES))
        self.witness_known = any(_all_hold(wanted, text) for text in texts)
        if not self.witness_known:
            warnings.warn(
                f"no witness is known: none of {_PROBES} everyday texts satisfies these "
                "constraints, and no contradiction was found; they may be hard, unsatisfiable, or "
                "at odds with what every text must be (sentences without digits, quotation marks "
                "or lists)",
                UserWarning,
                stacklevel=3,
            )


def _subset(value: Any, name: str, known: tuple[str, ...], least: int) -> tuple[str, ...]:
    chosen = [value] if isinstance(value, str) else list(value)
    for item in chosen:
        if item not in known:
            raise ValueError(f"{name}: unknown {item!r}; choose from {', '.join(known)}")
    if len(chosen) < least:
        raise ValueError(f"{name} is empty; choose from {', '.join(known)}")
    return tuple(item for item in known if item in chosen)


def _given(constraints: Any) -> list[Data]:
    """A user's constraints as a list that can be put into a target; refuses contradictions."""
    wanted = parse(constraints)
    check_satisfiable(wanted)
    if isinstance(constraints, Mapping) and "and" in constraints:
        constraints = constraints["and"]
    return list(constraints) if isinstance(constraints, list | tuple) else [constraints]


def _words_needed(wanted: ConstraintSet) -> int:
    """Words that a task must allow, so that its limit does not contradict a user's constraints."""
    most = _LEAST_ALLOWED
    while most < MAX_NUMBER:
        limit = {"level": "word", "transform": "count", "relation": "<=", "value": most}
        nodes = (*wanted.nodes, *parse(limit, name="limit").nodes)
        if find_conflict(ConstraintSet(nodes, (1.0,) * len(nodes))) is None:
            break
        most = min(2 * most, MAX_NUMBER)
    return most if most == _LEAST_ALLOWED else min(2 * most, MAX_NUMBER)  # not word for word


def _draft(rng: Rng, text: Text, chosen: list[Data], least: int = _LEAST_ALLOWED) -> Draft:
    """A task with the constraints ``chosen``, with room for twice the text and ``least`` words."""
    topic = text.topics[int(rng.integers(len(text.topics)))]
    most = max(least, -(-2 * Passage(text.text).count("word") // 10) * 10)
    floor = {"topic": topic, "max_words": most}
    nodes = parse(chosen).nodes
    listed = "\n".join(f"{i}. {describe(node)}" for i, node in enumerate(nodes, 1))
    these = "this constraint" if len(nodes) == 1 else "these constraints"
    prompt = (
        f"{ask(parse_floor(floor))} The text must also meet {these}:\n{listed}\n"
        f"{_NOTE} Write only the text."
    )
    return Draft(prompt, prompt, {"constraints": chosen, "floor": floor}, text.text)


def _subject(data: Data) -> Hashable:
    """What a constraint is about: no two of a task are about the same."""
    if "level" not in data:
        return json.dumps(data)
    if isinstance(data["value"], str):  # "the last line ends so" says the same as "the text"
        return data["transform"], data["value"]
    part = data.get("part", {})
    named = data.get("of"), data.get("at"), part.get("level"), part.get("at")
    return data["level"], data["transform"], named


def _all_hold(wanted: ConstraintSet, text: str) -> bool:
    passage = Passage(text)
    return all(holds(node, passage) for node in wanted.nodes)


def _uses(topic: str, text: str) -> bool:
    target = {"constraints": [_ANY], "floor": {"topic": topic}}
    return all(p.kind != "topic" for p in constraint_grammar(text, target).problems)


_ANY: Data = {"level": "word", "transform": "count", "relation": ">", "value": 0}


@lru_cache(maxsize=1)
def _blind_texts() -> tuple[Passage, ...]:
    """Texts of all lengths and layouts, written without knowing any constraint."""
    rng = Draws(1)
    shapes = [(1 + i % MAX_SENTENCES, LAYOUTS[i % len(LAYOUTS)]) for i in range(_BLIND_TEXTS)]
    return tuple(Passage(make_text(rng, size, layout).text) for size, layout in shapes)


@lru_cache(maxsize=_KEPT_CONSTRAINTS)
def _node(written: str) -> Node:
    """A constraint that is written as JSON; many are drawn for many texts."""
    return parse(json.loads(written)).nodes[0]


@lru_cache(maxsize=_KEPT_CONSTRAINTS)
def _blind_mask(written: str) -> int:
    """Which blind texts satisfy one constraint, as the bits of a whole number."""
    node = _node(written)
    return sum(holds(node, text) << place for place, text in enumerate(_blind_texts()))

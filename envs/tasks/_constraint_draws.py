"""Constraints that are true of a given text: what `constraint_grammar` draws from.

Each function offers the constraints of one level as plain data. ``difficulty`` says how exact they
are: ``"easy"`` leaves room around what the text has, ``"hard"`` asks for exactly that, ``"medium"``
mixes both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from corgi_gym.envs.draws import Rng
from corgi_gym.rewards.constraints import Passage

Data = dict[str, Any]

DIFFICULTIES = ("easy", "medium", "hard")
# Letters whose absence is a constraint: the more frequent ones. Words that most texts have.
_LETTERS = "etaoinsrhldcumfpgwybvk"
_SMALL_WORDS = ("the", "a", "in", "with", "on", "while", "near", "for", "at", "of", "from", "an")
# Positions beyond the fifth word are hard to count to and say nothing new.
_MAX_POSITION = 5
_EACH_SENTENCE = {"level": "sentence", "at": "each"}


class Draw:
    """Draws constraints for one text.

    Args:
        rng: The only source of chance.
        text: The text that must satisfy them.
        difficulty: One of `DIFFICULTIES`.
    """

    def __init__(self, rng: Rng, text: Passage, difficulty: str) -> None:
        self.rng, self.text = rng, text
        exact = {"easy": 0.0, "medium": 0.5, "hard": 0.9}[difficulty]
        self.exact = exact
        self.room = {"easy": 3, "medium": 2, "hard": 1}[difficulty]

    def leaf(self, levels: tuple[str, ...]) -> Data:
        """One constraint of one of the levels."""
        level = levels[self._below(len(levels))]
        options = list(_DRAWS[level](self))
        return options[self._below(len(options))]

    def _below(self, n: int) -> int:
        return int(self.rng.integers(n))

    def _number(self, value: int, scale: int = 1) -> Data:
        """A relation that ``value`` satisfies, with some room unless it is exact."""
        if self.rng.random() < self.exact:
            if self.rng.random() < 0.2:
                other = value + (1 + self._below(2)) * (1 if value < 2 or self._below(2) else -1)
                return {"relation": "in", "value": sorted((value, other))}
            return {"relation": "==", "value": value}
        room = self._below(self.room + 1) * scale
        relation = ("<=", ">=", "<", ">")[self._below(4)]
        if relation == ">=" and value > room:
            return {"relation": relation, "value": value - room}
        if relation == ">" and value > room + 1:
            return {"relation": relation, "value": value - room - 1}
        strict = relation == "<"
        return {"relation": "<" if strict else "<=", "value": value + room + strict}

    def _count(self, level: str, **more: Any) -> Data:
        return {"level": level, "transform": "count", **more}

    def characters(self) -> Iterator[Data]:
        """Letters that are missing or counted, commas, and the length."""
        low = self.text.text.lower()
        missing = [c for c in _LETTERS if c not in low]
        if missing:
            letter = missing[self._below(len(missing))]
            yield self._count("character", of=letter, relation="==", value=0)
        letter = _LETTERS[self._below(12)]
        yield {**self._count("character", of=letter), **self._number(low.count(letter))}
        yield {**self._count("character", of=","), **self._number(low.count(","))}
        length = len(low)
        bound = -(-length // 10) * 10
        yield {"level": "text", "transform": "length", "relation": "<=", "value": bound}
        yield {"level": "text", "transform": "length", "relation": ">=", "value": bound - 10}

    def words(self) -> Iterator[Data]:
        """How many, which ones, and how long."""
        found = self.text.folded
        count = len(found)
        lengths = [len(word) for word in found]
        yield {**self._count("word"), **self._number(count)}
        at = self._below(min(_MAX_POSITION, count)) + 1
        for place in (at, -1):
            word = found[place - 1 if place > 0 else place]
            unit = {"level": "word", "at": place}
            yield {**unit, "transform": "text", "relation": "==", "value": word}
            yield {**unit, "transform": "starts", "relation": "==", "value": word[0]}
            yield {**unit, "transform": "length", **self._number(len(word))}
        each = {"level": "word", "at": "each", "transform": "length"}
        yield {**each, "relation": "<=", "value": max(lengths)}
        longest = {"level": "word", "at": "any", "transform": "length"}
        yield {**longest, "relation": ">=", "value": max(lengths)}
        small = _SMALL_WORDS[self._below(len(_SMALL_WORDS))]
        yield {**self._count("word", of=small), **self._number(found.count(small))}
        distinct = {"level": "word", "transform": "distinct"}
        yield {**distinct, **self._number(len(set(found)))}
        yield {"level": "word", "transform": "sum", **self._number(sum(lengths), 5)}
        share = len(set(found)) * 10 // count / 10
        yield {"level": "word", "transform": "ratio", "relation": ">=", "value": share}
        yield {"level": "text", "transform": "contains", "relation": "==", "value": found[at - 1]}

    def sentences(self) -> Iterator[Data]:
        """How many, how long each is, and how single ones start and end."""
        units = self.text.units("sentence")
        sizes = [unit.count("word") for unit in units]
        yield {**self._count("sentence"), **self._number(len(units))}
        each = self._count("word", part=_EACH_SENTENCE)
        yield {**each, "relation": "<=", "value": max(sizes)}
        yield {**each, "relation": ">=", "value": min(sizes)}
        some = {"level": "sentence", "at": "any"}
        yield {**self._count("word", part=some), "relation": "==", "value": sizes[0]}
        i = self._below(len(units))
        one = {"level": "sentence", "at": i + 1}
        yield {**self._count("word", part=one), **self._number(sizes[i])}
        first, last = units[i].folded[0], units[i].folded[-1]
        yield {**one, "transform": "starts", "relation": "==", "value": first}
        yield {**one, "transform": "ends", "relation": "==", "value": last}
        firsts = {unit.folded[0] for unit in units}
        unit = {"level": "sentence", "at": "each", "transform": "starts"}
        if len(firsts) == 1:
            yield {**unit, "relation": "==", "value": first}
        elif "the" not in firsts:
            yield {**unit, "relation": "!=", "value": "the"}
        for word in _SMALL_WORDS:
            if all(word in unit.folded for unit in units):
                every = {"level": "sentence", "at": "each", "transform": "contains"}
                yield {**every, "relation": "==", "value": word}

    def lines(self) -> Iterator[Data]:
        """How many, and how single ones start and end."""
        yield from self._blocks("line", "word")

    def paragraphs(self) -> Iterator[Data]:
        """How many, and what single ones hold."""
        yield from self._blocks("paragraph", "sentence")

    def _blocks(self, level: str, inner: str) -> Iterator[Data]:
        units = self.text.units(level)
        yield {**self._count(level), "relation": "==", "value": len(units)}
        i = self._below(len(units))
        one = {"level": level, "at": i + 1 if self._below(2) else i - len(units)}
        sizes = [unit.count(inner) for unit in units]
        yield {**self._count(inner, part=one), **self._number(sizes[i])}
        each = {"level": level, "at": "each"}
        yield {**self._count(inner, part=each), "relation": "<=", "value": max(sizes)}
        words = units[i].folded
        yield {**one, "transform": "starts", "relation": "==", "value": words[0]}
        yield {**one, "transform": "ends", "relation": "==", "value": words[-1]}
        yield {**one, "transform": "contains", "relation": "==", "value": words[len(words) // 2]}


_DRAWS: dict[str, Callable[[Draw], Iterator[Data]]] = {
    "character": Draw.characters,
    "word": Draw.words,
    "sentence": Draw.sentences,
    "line": Draw.lines,
    "paragraph": Draw.paragraphs,
}

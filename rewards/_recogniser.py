"""What a grammar rule is: the machinery below `corgi_gym.rewards.grammar`.

A rule is a method from a start position to the *set of ends* that it can reach, kept as the bits of
one integer and memoised. So the cost is polynomial in the length, which is bounded, and no input
can make it explode.

Most rules fail at most positions, so a rule can say with what token it begins (`memo_if`); then it
is not tried elsewhere. That only saves time: without it (``Token.opens = -1``) all results are the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

Rule = Callable[..., int]
COMMA = (",",)

# The rules with a memory; their number in this list is that of their results in `known`.
_REMEMBERED: list[str] = []
# What the rules with a `memo_if` begin with; the number in this list is the bit in `Token.opens`.
_BEGINNINGS: list[tuple[frozenset[str], frozenset[str]]] = []


@dataclass(frozen=True, slots=True)
class Token:
    """A word or comma.

    Attributes:
        word: Lower case.
        readings: See `corgi_gym.rewards.lexicon.readings`; also ``NAME``, ``POSS`` and the like.
        verbs: The verbs it can be a form of.
        apart: Two such nouns never stand side by side.
        opens: Which rules may begin with it (see `openings`); -1: all.
    """

    word: str
    readings: frozenset[str]
    verbs: frozenset[str] = frozenset()
    apart: bool = False
    opens: int = -1


@lru_cache(maxsize=1 << 16)
def openings(word: str, readings: frozenset[str]) -> int:
    """The rules with a `memo_if` that may begin with such a token, as bits."""
    return sum(
        1 << number
        for number, (words, kinds) in enumerate(_BEGINNINGS)
        if word in words or not readings.isdisjoint(kinds)
    )


def bits(ends: int) -> Iterator[int]:
    """The positions in a set of ends."""
    while ends:
        low = ends & -ends
        yield low.bit_length() - 1
        ends ^= low


def memo(method: Callable[..., Any]) -> Callable[..., Any]:
    """Remember a rule's result per start and arguments."""
    number, nothing = len(_REMEMBERED), _nothing(method)
    _REMEMBERED.append(method.__name__)

    @wraps(method)
    def remembered(self: Recogniser, *args: Any) -> Any:
        known = self.known[number]
        result = known.get(args)
        if result is None:
            known[args] = nothing  # left recursion finds nothing
            result = known[args] = method(self, *args)
        return result

    return remembered


def memo_if(
    words: Collection[str], *readings: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`memo` for a rule whose first token is one of ``words`` or has one of ``readings``."""
    opening = 1 << len(_BEGINNINGS)
    _BEGINNINGS.append((frozenset(words), frozenset(readings)))

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        number, nothing = len(_REMEMBERED), _nothing(method)
        _REMEMBERED.append(method.__name__)

        @wraps(method)
        def remembered(self: Recogniser, i: int, *args: Any) -> Any:
            if not self.opens[i] & opening:
                return nothing
            known, key = self.known[number], (i, *args) if args else i
            result = known.get(key)
            if result is None:
                known[key] = nothing  # left recursion finds nothing
                result = known[key] = method(self, i, *args)
            return result

        return remembered

    return decorate


def _nothing(method: Callable[..., Any]) -> Any:
    """The result of a rule that fails."""
    return (0, 0) if str(method.__annotations__["return"]).startswith("tuple") else 0


class Recogniser:
    """Tokens, remembered results, and how rules combine.

    Args:
        tokens: One sentence.
        asks: Whether it ends with a question mark, which allows the word order of questions.
        events: Whether the main clause must not say that one thing is another.
    """

    def __init__(self, tokens: list[Token], asks: bool = False, events: bool = False) -> None:
        self.tokens = tokens
        # with an entry for the end, which no rule asks for or begins with
        self.words = [*(token.word for token in tokens), ""]
        self.opens = [*(token.opens for token in tokens), 0]
        self.asks = asks
        self.events = events
        self.size = len(tokens)
        self.known: list[dict[Any, Any]] = [{} for _ in _REMEMBERED]
        self.far = 0  # how many words some analysis understood
        self.places: dict[str, int] = {}  # where each reading occurs
        for i, token in enumerate(tokens):
            for reading in token.readings:
                self.places[reading] = self.places.get(reading, 0) | 1 << i

    def is_word(self, i: int, words: Any) -> int:
        """The end after token ``i`` if it is one of ``words``."""
        if self.words[i] in words:
            if i >= self.far:
                self.far = i + 1
            return 2 << i
        return 0

    def is_a(self, i: int, *readings: str) -> int:
        """The end after token ``i`` if it has one of ``readings``."""
        return self.then_a(1 << i, *readings)

    def then(self, ends: int, rule: Rule, *args: Any) -> int:
        """Apply ``rule`` after each of ``ends``."""
        result = 0
        while ends:
            low = ends & -ends
            ends ^= low
            result |= rule(low.bit_length() - 1, *args)
        return result

    def then_word(self, ends: int, words: Any) -> int:
        """`is_word` after each of ``ends``."""
        if not ends:
            return 0
        result, at = 0, self.words
        while ends:
            low = ends & -ends
            ends ^= low
            if at[low.bit_length() - 1] in words:
                result |= low << 1
        if result.bit_length() > self.far + 1:
            self.far = result.bit_length() - 1
        return result

    def then_a(self, ends: int, *readings: str) -> int:
        """`is_a` after each of ``ends``."""
        if not ends:
            return 0
        found, places = 0, self.places
        for reading in readings:
            if reading in places:
                found |= places[reading]
        found &= ends
        if found.bit_length() > self.far:
            self.far = found.bit_length()
        return found << 1

    def maybe(self, ends: int, rule: Rule, *args: Any) -> int:
        """Like `then`, but the rule may be left out."""
        return ends | self.then(ends, rule, *args)

    def maybe_word(self, ends: int, words: Any) -> int:
        """Like `then_word`, but the word may be left out."""
        return ends | self.then_word(ends, words)

    def maybe_a(self, ends: int, *readings: str) -> int:
        """Like `then_a`, but the word may be left out."""
        return ends | self.then_a(ends, *readings)

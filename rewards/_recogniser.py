"""What a grammar rule is: the machinery below `corgi_gym.rewards.grammar`.

A rule is a method from a start position to the *set of ends* that it can reach, kept as the bits of
one integer and memoised. So the cost is polynomial in the length, which is bounded, and no input
can make it explode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

Rule = Callable[..., int]


@dataclass(frozen=True, slots=True)
class Token:
    """A word or comma.

    Attributes:
        word: Lower case.
        readings: See `corgi_gym.rewards.lexicon.readings`; also ``NAME``, ``POSS`` and the like.
        verbs: The verbs it can be a form of.
        apart: Two such nouns never stand side by side.
    """

    word: str
    readings: frozenset[str]
    verbs: frozenset[str] = frozenset()
    apart: bool = False


def bits(ends: int) -> Iterator[int]:
    """The positions in a set of ends."""
    while ends:
        low = ends & -ends
        yield low.bit_length() - 1
        ends ^= low


def memo(method: Callable[..., Any]) -> Callable[..., Any]:
    """Remember a rule's result per start and arguments."""
    name = method.__name__
    nothing = (0, 0) if str(method.__annotations__["return"]).startswith("tuple") else 0

    @wraps(method)
    def remembered(self: Recogniser, *args: Any) -> Any:
        key = (name, *args)
        if key not in self.known:
            self.known[key] = nothing  # left recursion finds nothing
            self.known[key] = method(self, *args)
        return self.known[key]

    return remembered


class Recogniser:
    """Tokens, remembered results, and how rules combine.

    Args:
        tokens: One sentence.
        asks: Whether it ends with a question mark, which allows the word order of questions.
        events: Whether the main clause must not say that one thing is another.
    """

    def __init__(self, tokens: list[Token], asks: bool = False, events: bool = False) -> None:
        self.tokens = tokens
        self.asks = asks
        self.events = events
        self.size = len(tokens)
        self.known: dict[tuple[Any, ...], Any] = {}
        self.far = 0  # how many words some analysis understood

    def is_word(self, i: int, words: Any) -> int:
        """The end after token ``i`` if it is one of ``words``."""
        if i < self.size and self.tokens[i].word in words:
            self.far = max(self.far, i + 1)
            return 1 << (i + 1)
        return 0

    def is_a(self, i: int, *readings: str) -> int:
        """The end after token ``i`` if it has one of ``readings``."""
        if i < self.size and not self.tokens[i].readings.isdisjoint(readings):
            self.far = max(self.far, i + 1)
            return 1 << (i + 1)
        return 0

    def then(self, ends: int, rule: Rule, *args: Any) -> int:
        """Apply ``rule`` after each of ``ends``."""
        result = 0
        for end in bits(ends):
            result |= rule(end, *args)
        return result

    def maybe(self, ends: int, rule: Rule, *args: Any) -> int:
        """Like `then`, but the rule may be left out."""
        return ends | self.then(ends, rule, *args)

    def comma(self, i: int) -> int:
        """A comma."""
        return self.is_word(i, (",",))

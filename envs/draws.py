"""The numbers of numpy's `Generator`, quicker where a task needs hundreds of small ones.

A call of numpy's generator takes a microsecond or more, whatever it draws. `Draws` takes the words
of the same bit generator in blocks and does the rest in Python, so it gives exactly the numbers
that ``np.random.default_rng`` gives for the same seed (a test compares them). It has only what the
families that use it need; a permutation is no quicker than numpy's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

_HALF = 0xFFFFFFFF
# Words that are taken at once: most tasks need fewer.
_BLOCK = 64


class Draws:
    """The numbers of ``np.random.default_rng(seed)``, as Python numbers.

    Args:
        seed: A whole number of at least 0.

    Example:
        >>> Draws(7).integers(100) == int(np.random.default_rng(7).integers(100))
        True
    """

    __slots__ = ("_upper", "_words")

    def __init__(self, seed: int) -> None:
        self._words = _words(seed)
        self._upper = -1  # the upper half of a word whose lower half was used, or -1

    def integers(self, low: int, high: int | None = None) -> int:
        """A whole number from ``low`` to ``high - 1``, or from 0 to ``low - 1``.

        Raises:
            ValueError: If there is no such number, or there are more than 2**32 - 1.
        """
        return self.several((low,))[0] if high is None else low + self.several((high - low,))[0]

    def several(self, sizes: Sequence[int]) -> list[int]:
        """For each size a whole number from 0 to ``size - 1``.

        By multiplication: Lemire, Fast random integer generation in an interval (arXiv 1805.10941),
        algorithm 5.

        Raises:
            ValueError: For a size below 1 or above 2**32 - 1.
        """
        drawn = []
        words, upper, half = self._words, self._upper, _HALF
        for size in sizes:
            if size < 2 or size > half:
                if size != 1:
                    raise ValueError(f"cannot draw one of {size} numbers; give 1 to {_HALF}")
                drawn.append(0)  # numpy draws nothing then
                continue
            if upper < 0:
                word = next(words)
                product, upper = (word & half) * size, word >> 32
            else:
                product, upper = upper * size, -1
            if product & half < size:  # hardly ever
                self._upper = upper
                while product & half < (half + 1) % size:
                    product = self._half() * size
                upper = self._upper
            drawn.append(product >> 32)
        self._upper = upper
        return drawn

    def random(self) -> float:
        """A number in [0, 1): the upper 53 bits of a word."""
        return (next(self._words) >> 11) * 2.0**-53

    def permutation(self, count: int) -> list[int]:
        """The numbers below ``count`` in a random order."""
        items = list(range(count))
        for last in range(count - 1, 0, -1):
            mask = (1 << last.bit_length()) - 1
            at = self._half() & mask
            while at > last:  # here numpy draws again where elsewhere it multiplies
                at = self._half() & mask
            items[last], items[at] = items[at], items[last]
        return items

    def _half(self) -> int:
        """The next 32 bits: of each word the lower ones first."""
        upper, self._upper = self._upper, -1
        if upper < 0:
            word = next(self._words)
            upper, self._upper = word & _HALF, word >> 32
        return upper


# What a family draws with.
Rng = np.random.Generator | Draws


def several(rng: Rng, sizes: Sequence[int]) -> list[int]:
    """For each size a whole number from 0 to ``size - 1``: the same with either generator."""
    return rng.several(sizes) if isinstance(rng, Draws) else rng.integers(sizes).tolist()


def _words(seed: int) -> Iterator[int]:
    """The 64-bit words of the bit generator of ``np.random.default_rng(seed)``."""
    source = np.random.PCG64(seed)
    while True:
        yield from source.random_raw(_BLOCK).tolist()

"""The part-of-speech tagger of `denckring_en_pos`, with the same answers and much faster.

The tagger is a sum of weights per label, over fifteen features of a word and its neighbours. Here
the weights of a feature are one long integer with a field per label, and those that depend on one
word only are added up once per word. All weights have three decimals, so integers hold them
exactly; where two labels tie, which floating-point rounding would decide, the original is asked.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_CACHE = 1 << 16
_DECIMALS = 1000  # weights are multiples of 1/1000
_BITS = 32  # of a field
_MIDDLE = 1 << (_BITS - 2)  # added to every field, so that none is negative


@lru_cache(maxsize=1)
def _model() -> Any:
    from denckring_en_pos import tagger

    return tagger()


@lru_cache(maxsize=1)
def _fields() -> tuple[dict[str, int], int, struct.Struct]:
    """Where each label's field is, the sum of all middles, and how the fields are read."""
    classes = _model().classes
    middles = sum(_MIDDLE << (_BITS * i) for i in range(len(classes)))
    return (
        {label: _BITS * i for i, label in enumerate(classes)},
        middles,
        struct.Struct(f"<{len(classes)}I"),
    )


@lru_cache(maxsize=_CACHE)
def _row(feature: str) -> int:
    """The weights of one feature."""
    fields = _fields()[0]
    weights = _model().weights.get(feature, {})
    return sum(round(_DECIMALS * weight) << fields[label] for label, weight in weights.items())


@lru_cache(maxsize=_CACHE)
def _rows(word: str) -> tuple[int, int, int, int, int]:
    """The weights that depend on one word: for itself, and for those 1, 2 after and before it."""
    from denckring_en_pos.perceptron import features

    lower = word.lower()
    every = features(0, word, [lower], "", "")
    own = sum(_row(name) for name in every if not name.startswith(("t-", "w-", "w+")))
    after, second = _row(f"w-1 {lower}"), _row(f"w-2 {lower}")
    return own, after, second, _row(f"w+1 {lower}"), _row(f"w+2 {lower}")


@lru_cache(maxsize=1 << 10)
def _tag_rows(before: str, second: str) -> int:
    """The weights that depend on the tags of the two words before."""
    return _row(f"t-1 {before}") + _row(f"t-2 {second}") + _row(f"t-1t-2 {before} {second}")


def tags(words: Sequence[str], count: int) -> list[str]:
    """The first ``count`` labels of ``tagger().tag(words)``.

    Example:
        >>> tags(["The", "dog", "is"], 3)
        ['DET|-', 'NOUN|-', 'AUX|Fin']
    """
    from denckring_en_pos.perceptron import END, START, features

    model = _model()
    _, middles, layout = _fields()
    low = [word.lower() for word in words]
    rows = [_rows(word) for word in words]
    start, end = _rows(START), _rows(END)
    rows = [start, start, *rows, end, end]
    found: list[str] = []
    before = second = START
    for i in range(count):
        label = model.tagdict.get(low[i])
        if label is None:
            total = middles + rows[i + 2][0] + rows[i + 1][1] + rows[i][2]
            total += rows[i + 3][3] + rows[i + 4][4]
            total += _tag_rows(before, second) + _row(f"t-1 w {before} {low[i]}")
            scores = layout.unpack(total.to_bytes(layout.size, "little"))
            best = max(scores)
            if scores.count(best) == 1:
                label = model.classes[scores.index(best)]
            else:
                label = model._predict(features(i, words[i], low, before, second))
        found.append(label)
        second, before = before, label
    return found

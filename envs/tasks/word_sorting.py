"""Word sorting in the difficulty cells of TriPosT.

Source: TriPosT (arXiv 2310.13522), which takes BIG-bench's lists of 2 to 20 words, trains on 2 to 7
(*seen*) and reports 8 and more too (*unseen*). The cells are ``w2-3``, ``w4-7`` | ``w8-10``,
``w11-15``, ``w16-20``. Changed: the words are common English ones from the packaged dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, stable_hash
from corgi_gym.rewards.word_sorting import word_sorting

SEEN = ("w2-3", "w4-7")
UNSEEN = ("w8-10", "w11-15", "w16-20")
_NAMED_CELLS = {"seen": SEEN, "unseen": UNSEEN, "all": SEEN + UNSEEN}
FEWEST, MOST = 2, 20
_CELL = re.compile(r"w(?P<fewest>[0-9]{1,2})(?:-(?P<most>[0-9]{1,2}))?")


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    """The common nouns and verbs that `panagram` uses too, in alphabetical order."""
    from corgi_gym.envs.tasks.panagram import common_words

    return tuple(sorted(word for words in common_words().values() for word in words))


class WordSorting(TaskSource):
    """Put words into alphabetical order.

    Args:
        cells: ``"seen"``, ``"unseen"``, ``"all"``, a cell such as ``"w4-7"`` or ``"w5"``, or a
            list of cells. A task's cell is drawn evenly from these, then its number of words.
        first_letters: How many different first letters the words of a task have at most; fewer is
            harder, because more letters must be compared. ``None``: any number.

    Raises:
        ValueError: For an unknown cell, or a number of letters that is none.

    Example:
        >>> WordSorting(cells="w3").item(seed=0, index=0).target
        {'words': ['clinic', 'ticket', 'pool']}
    """

    family = "word_sorting"
    summary = "Put words into alphabetical order."
    checker = word_sorting

    def __init__(
        self, cells: str | Sequence[str] = "seen", first_letters: int | None = None
    ) -> None:
        self.cells = _cells(cells)
        if first_letters is not None and first_letters not in range(1, 27):
            raise ValueError(f"first_letters must be None or from 1 to 26, got {first_letters!r}")
        self.first_letters = None if first_letters is None else int(first_letters)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a cell, a number of words, and words in a random order."""
        fewest, most = self.cells[int(rng.integers(len(self.cells)))]
        count = int(rng.integers(fewest, most + 1))
        pool = _words()
        if self.first_letters is not None:
            pool = _of_few_letters(rng, pool, self.first_letters, count)
        right = sorted(pool[i] for i in rng.choice(len(pool), size=count, replace=False))
        key = " ".join(right)
        # one order for each set of words, so that equal content is an equal task
        order = np.random.default_rng(stable_hash("order", key))
        words = [right[i] for i in order.permutation(count)]
        if count > 2 and words == right:  # of two words, half are in order
            words.reverse()
        prompt = (
            f"Sort these {count} words alphabetically: {' '.join(words)}. "
            'End with one line: "Answer:" and then the sorted words, separated by commas.'
        )
        return Draft(key, prompt, {"words": words}, f"Answer: {', '.join(right)}")

    def near_misses(self, task: Task) -> list[str]:
        """Swapped, lost, added and repeated words, several lists, and slips of form."""
        words = sorted(task.target["words"])
        right = ", ".join(words)
        swapped = ", ".join([*words[:-2], words[-1], words[-2]])
        strange = next(word for word in ("zebu", "aardvark") if word not in words)
        return [
            task.prompt,
            right,
            f"Answer: {swapped}",
            f"Answer: {', '.join(reversed(words))}",
            f"Answer: {', '.join(words[1:])}",
            f"Answer: {', '.join(words[:-1])}",
            f"Answer: {right}, {strange}",
            f"Answer: {right}, {words[-1]}",
            f"Answer: {words[0]}",
            f"Answer: {right} or {swapped}",
            f"Answer: {' < '.join(words)}",
            f"Answer: {''.join(words)}",
            f"Answer: not {right}",
            f"Answer: sorted({right})",
            f"Answer: {right}\nAnswer: {right}",
            f"Answer: {right}\nNo: {swapped}",
            "Answer:\n" + "\n".join(words),
            "Answer:",
        ]


def _of_few_letters(
    rng: np.random.Generator, pool: tuple[str, ...], letters: int, count: int
) -> tuple[str, ...]:
    """The words under letters that are drawn until there are enough words."""
    starts = sorted({word[0] for word in pool})
    while True:
        chosen = {
            starts[i]
            for i in rng.choice(len(starts), size=min(letters, len(starts)), replace=False)
        }
        found = tuple(word for word in pool if word[0] in chosen)
        if len(found) >= 2 * count:
            return found


def _cells(cells: str | Sequence[str]) -> list[tuple[int, int]]:
    """``(fewest, most)`` words of each cell."""
    if isinstance(cells, str):
        cells = _NAMED_CELLS.get(cells, (cells,))
    found: list[tuple[int, int]] = []
    for cell in dict.fromkeys(cells):
        match = _CELL.fullmatch(str(cell))
        fewest, most = (
            (int(match["fewest"]), int(match["most"] or match["fewest"])) if match else (0, 0)
        )
        if not FEWEST <= fewest <= most <= MOST:
            found.clear()
            break
        found.append((fewest, most))
    if not found:
        raise ValueError(
            f"unknown cells {cells!r}; choose from {', '.join(_NAMED_CELLS)} or name cells such as "
            f"{', '.join(SEEN + UNSEEN)} (from {FEWEST} to {MOST} words)"
        )
    return found

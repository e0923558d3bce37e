"""Finish a sentence with exactly N words, the last of which is given (CORGI's training task).

CORGI cuts sentences of Reddit stories; here a grammar writes them (`_sentences`), so tasks are
endless and free to ship. N is drawn with CORGI's preference for short completions.
"""

from __future__ import annotations

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range
from corgi_gym.envs.tasks._sentences import make_sentence
from corgi_gym.rewards.dictionary import FUNCTION_WORDS
from corgi_gym.rewards.num_planning import num_planning
from corgi_gym.rewards.prose import MIN_WORDS_WITH_SMALL

MIN_COUNT, MAX_COUNT = 2, 10
# Shortest given beginning: enough to tell who the sentence is about.
MIN_BEGINNING = 3
# N = 10 is as rare, against N = 2, as in CORGI's data (50 of 1000 against 228); geometric between.
_DECAY = (50 / 228) ** (1 / 8)
# More than half of all sentences have 13 words or more, so this many draws never run out.
_MAX_SENTENCES = 200


class NumPlanning(TaskSource):
    """Sentences cut before their last N words.

    Args:
        count: Smallest and largest N, within 2 and 10.

    Raises:
        ValueError: For another range.

    Example:
        >>> task = NumPlanning(count=(3, 3)).item(seed=0, index=0)
        >>> len(task.witness.split()), task.checker(task.witness, task.target).success
        (3, True)
    """

    family = "num_planning"
    summary = "Finish a sentence with exactly N words, the last one given."
    checker = num_planning

    def __init__(self, count: tuple[int, int] = (MIN_COUNT, MAX_COUNT)) -> None:
        low, high = check_range(count, "count", MIN_COUNT, MAX_COUNT)
        self.counts = np.arange(low, high + 1)
        weights = _DECAY**self.counts
        self.weights = weights / weights.sum()

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw N, then sentences until one is long enough and ends in a content word."""
        count = int(rng.choice(self.counts, p=self.weights))
        for _ in range(_MAX_SENTENCES):
            words = make_sentence(rng).split()
            last = words[-1].rstrip(".")
            ends_well = len(words) >= count + MIN_BEGINNING and last.lower() not in FUNCTION_WORDS
            if ends_well and _is_no_list(words[-count:]):
                break
        else:
            raise RuntimeError("the sentence grammar ran dry")  # impossible; see _MAX_SENTENCES
        beginning, witness = " ".join(words[:-count]), " ".join(words[-count:])
        prompt = (
            f"Finish this sentence with exactly {count} more words. "
            f'The last word must be "{last}". '
            f"Write only these {count} words, in natural English.\n\n{beginning} ..."
        )
        target = {"beginning": beginning, "count": count, "last": last}
        # the prompt is the content: of 20,000 tasks, 20 can be drawn with more than one witness
        return Draft(prompt, prompt, target, witness)

    def near_misses(self, task: Task) -> list[str]:
        """Wrong by one word, wrong at the end, or right for a counter only."""
        words, last = task.witness.rstrip(".").split(), task.target["last"]
        count, beginning = task.target["count"], task.target["beginning"]
        return [
            " ".join(words[1:]),
            " ".join(["quickly", *words]),
            " ".join([*words[:-1], "banana" if last != "banana" else "window"]),
            f"{beginning} {' '.join(words[1:])}",
            f"{beginning} {task.witness} Then it was over.",
            " ".join([last] * count),
            " ".join([*["zqxv"] * (count - 1), last]),
            " ".join([*["&"] * (count - 1), last]),
            "\n".join(words),
            ". ".join(words),
            f"{task.witness} I hope this helps!",
            task.prompt,
        ]


def _is_no_list(words: list[str]) -> bool:
    """Whether a completion is too short to need small words, or has one."""
    return len(words) < MIN_WORDS_WITH_SMALL or any(w.lower() in FUNCTION_WORDS for w in words)

"""Word sorting: the given words after ``Answer:``, in alphabetical order, each exactly once.

Source: BIG-bench's word sorting in the difficulty cells of TriPosT (arXiv 2310.13522), whose
scripted feedback names a wrong letter index, a wrong comparison or a lost word. Changed: the list
itself is judged, so feedback names what anyone could see in it (lost, added and repeated words, the
first two neighbors out of order), whatever way of sorting the reply shows before it.

The target of a task is ``{"words": ["pear", "fig", "apple"]}``: different words of small letters.

Score:

| reply                                                        | score                  |
|--------------------------------------------------------------|------------------------|
| the words in alphabetical order                              | 1.0                    |
| the given words, each once, in another order                 | 0.1 + 0.4 * placed/all |
| one list in the asked place with at least half of the words  | 0.1                    |
| anything else                                                | 0.0                    |

where ``placed`` counts the words in their place from the start, up to the first wrong one. Copying
the given list therefore earns little over 0.1 on average: what pays is how far the sorted list is
right from its first word on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from corgi_gym.rewards.answer_line import find_answer_line
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import listing, plural, quote
from corgi_gym.rewards.verdict import Problem, Verdict

FORMAT_CREDIT = 0.1
PREFIX_CREDIT = 0.4
# Words named in one message; more would only flood it.
_MAX_NAMED = 5
_MARKDOWN = "*_`"  # around single words, too: "**apple**, **fig**"
_SEPARATOR = re.compile(r"[,;\s]+")
# Split at most so many times more than there are words: a longer list is wrong anyway.
_SPARE_WORDS = 50

_TASK = {"words": ["pear", "fig", "apple"]}


@checker(
    "word_sorting",
    examples=[
        ("Answer: apple, fig, pear", _TASK, True),
        ("fig comes before pear.\n**Answer:** apple fig pear.", _TASK, True),
        ("Answer: Apple, Fig, Pear", _TASK, True),
        ("Answer: **apple**, **fig**, **pear**", _TASK, True),
        ("Answer: `apple`, `fig`, `pear`", _TASK, True),
        ("Answer: **pear**, **apple**, **fig**", _TASK, False),
        ("Answer: pear, fig, apple", _TASK, False),
        ("Answer: apple, fig", _TASK, False),
        ("Answer: apple, fig, pear, plum", _TASK, False),
        ("Answer: apple, apple, fig, pear", _TASK, False),
        ("Answer: apple, fig and pear", _TASK, False),
        ("Answer: 1. apple 2. fig 3. pear", _TASK, False),
        ("apple, fig, pear", _TASK, False),
        ("Answer: apple, fig, pear or pear, fig, apple", _TASK, False),
        ("Answer: apple, fig, pear\nAnswer: pear, fig, apple", _TASK, False),
    ],
)
def word_sorting(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the list in ``reply`` against the words of ``target``."""
    given = Counter(target["words"])
    line = find_answer_line(reply, "the sorted words")
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    limit = len(given) + _SPARE_WORDS
    parts = (part.strip(_MARKDOWN) for part in _SEPARATOR.split(line.text.lower(), maxsplit=limit))
    found = [word for word in parts if word]
    counts = Counter(found)

    problems = []
    # in the order of the task: in that of the alphabet they would be the answer
    missing = [word for word in given if word not in counts]
    extra = [word for word in counts if word not in given]
    repeated = [word for word in given if counts[word] > 1]
    if missing:
        text = f"Your list lacks {_named(missing)}. Write all {plural(len(given), 'word')}."
        problems.append(Problem("word_missing", text, line.where))
    if extra:
        text = f"Your list has {_named(extra)}, which is not among the given words."
        if len(extra) > 1:
            text = f"Your list has {_named(extra)}, which are not among the given words."
        problems.append(Problem("word_added", text, line.where))
    if repeated:
        text = f"Your list repeats {_named(repeated)}. Write each word once."
        problems.append(Problem("word_repeated", text, line.where))
    order = _first_disorder([word for word in found if word in given])
    if order:
        text = f"{quote(order[0])} stands before {quote(order[1])}, but comes after it "
        problems.append(Problem("order", f"{text}in the alphabet.", line.where))
    if not problems:
        return Verdict.ok()
    if missing or extra or repeated:
        half = 2 * len(set(found) & set(given)) >= len(given)
        return Verdict.wrong(FORMAT_CREDIT if half else 0.0, *problems)
    placed = next(n for n, (a, b) in enumerate(zip(found, sorted(given), strict=True)) if a != b)
    return Verdict.wrong(FORMAT_CREDIT + PREFIX_CREDIT * placed / len(given), *problems)


def _first_disorder(words: Sequence[str]) -> tuple[str, str] | None:
    """The first two neighbors of which the left one comes later in the alphabet."""
    return next(((a, b) for a, b in pairwise(words) if a > b), None)


def _named(words: list[str]) -> str:
    shown = [quote(word) for word in words[:_MAX_NAMED]]
    if len(words) > _MAX_NAMED:
        shown.append(f"{len(words) - _MAX_NAMED} more")
    return listing(shown)

"""Finish a sentence with exactly N words, the last of which is given.

Scoring of CORGI's numerical planning (arXiv 2411.01483, released critic): 0.8 for the count and
0.2 for the last word. Only the completion counts. Changed, and why:

- The released critic cuts the reply at the first full stop, so "Mr." shortens it. Here all of the
  reply counts, and abbreviations end no sentence.
- The last word is compared without punctuation and case (there: with case).
- A reply that repeats the given beginning exactly (letter case and punctuation aside) is counted
  without it: small chat models do so, and it is harmless.
- The count earns its 0.8 only if what is counted is prose: one sentence of dictionary words, names
  and numbers, no needless repetition, no impossible word pairs, no bag of words, no label in front.
  Otherwise a policy learns to please the counter ("bus bus bus bus", "Answer: bus"), or copies the
  prompt's own sentence about the last word, which has six words and the right end.

Not checked: whether the completion is true to the meaning of the beginning. A word is what stands
between spaces and has a letter or digit: "7:30" is one word.
"""

from __future__ import annotations

from typing import TypedDict

from corgi_gym.rewards.prose import MAX_QUOTE, Token, prose_problem, tokens
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import plural, quote
from corgi_gym.rewards.verdict import Problem, Verdict

COUNT_SHARE, LAST_SHARE = 0.8, 0.2
# Only so many words are checked for being prose: a longer reply is wrong anyway (N is at most 10).
MAX_PROSE_WORDS = 30
# Far longer than any sentence with its completion; bounds the time of a check.
MAX_CHARS = 2_000
# How the family's prompt names the last word.
_RULE = ["word", "must", "be"]


class Target(TypedDict):
    """The given beginning, the number of words to add, and the last of them."""

    beginning: str
    count: int
    last: str


def _folded(words: list[str]) -> list[str]:
    return [word.casefold() for word in words]


def _label(counted: list[Token]) -> Problem | None:
    """A first word that only announces the rest: "Answer: bus" counts as two words."""
    if not counted or not counted[0].raw.rstrip("*_").endswith(":"):
        return None
    message = f"{quote(counted[0].raw, MAX_QUOTE)} is a label. Write only the rest of the sentence."
    return Problem("label", message, (counted[0].start, counted[0].end))


def _copied(counted: list[Token]) -> Problem | None:
    """The prompt's own sentence ('The last word must be "bus"') has six words and the right end."""
    if _folded([token.core for token in counted[-4:-1]]) != _RULE:
        return None
    message = "You repeat the task. Write the rest of the sentence."
    return Problem("copy", message, (counted[0].start, counted[-1].end))


_BUS = {"beginning": "The old man ran", "count": 3, "last": "bus"}


@checker(
    "num_planning",
    examples=[
        ("to the bus.", _BUS, True),
        ("for Mr. Baker's BUS", {**_BUS, "count": 4}, True),
        ("The old man ran to the bus.", _BUS, True),
        ("to catch the bus.", _BUS, False),
        ("to the station.", _BUS, False),
        ("bus bus bus", _BUS, False),
        ("to xqzv bus", _BUS, False),
        ("home.\nThe bus", _BUS, False),
        ("Answer: the bus", _BUS, False),
        ('The last word must be "bus".', {**_BUS, "count": 6}, False),
    ],
)
def num_planning(reply: str, target: Target) -> Verdict:
    """Score a completion; see the module docstring.

    Example:
        >>> target = {"beginning": "The old man ran", "count": 3, "last": "bus"}
        >>> verdict = num_planning("to the station", target)
        >>> verdict.score, verdict.problems[0].message
        (0.8, 'Your last word is "station". It must be "bus".')
    """
    count, last = target["count"], target["last"]
    if len(reply) > MAX_CHARS:
        message = f"Your reply has {len(reply)} characters. Write exactly {count} words."
        return Verdict.wrong(0.0, Problem("word_count", message))
    given = [t.core for t in tokens(target["beginning"])]
    found, text = tokens(reply), reply
    repeated = _folded(given) == _folded([t.core for t in found[: len(given)]]) != []
    if repeated:
        text = reply[found[len(given) - 1].end :]
        found = found[len(given) :]
    counted = [t for t in found if any(c.isalnum() for c in t.raw)]
    problems = []
    if len(counted) != count:
        where = (found[0].start, found[-1].end) if found else None
        place = " after the given beginning" if repeated else ""
        message = f"You wrote {plural(len(counted), 'word')}{place}. Write exactly {count}."
        problems.append(Problem("word_count", message, where))
    final = counted[-1] if counted else None
    last_ok = final is not None and _folded([final.core]) == _folded([last])
    if not last_ok:
        word = quote(final.core, MAX_QUOTE) if final else "missing"
        where = (final.start, final.end) if final else None
        message = f'Your last word is {word}. It must be "{last}".'
        problems.append(Problem("last_word", message, where))
    prose = (
        _label(counted)
        or _copied(counted)
        or prose_problem(text, found[:MAX_PROSE_WORDS], given[-1] if given else "")
    )
    count_ok = len(counted) == count and prose is None
    if count_ok and last_ok:
        return Verdict.ok(words=float(count))
    if prose is not None:
        problems.append(prose)
    score = COUNT_SHARE * count_ok + LAST_SHARE * last_ok
    return Verdict.wrong(score, *problems, words=float(len(counted)))

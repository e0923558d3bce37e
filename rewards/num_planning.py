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
  Otherwise a policy learns to please the counter ("bus bus bus bus", "Answer: bus"), or answers the
  prompt or the feedback in their own words ("Your last word is bus", "3 more words: bus").
- For what is no prose the last word earns nothing either. With 0.2 for it, single-attempt RL of a
  135M model learned to answer every task with 'The last word must be "bus".' and stayed there.

Not checked: whether the completion is true to the meaning of the beginning. A word is what stands
between spaces and has a letter or digit: "7:30" is one word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypedDict

from corgi_gym.rewards.dictionary import FUNCTION_WORDS
from corgi_gym.rewards.prose import MAX_QUOTE, Token, prose_problem, tokens
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import plural, quote
from corgi_gym.rewards.verdict import Problem, Verdict

COUNT_SHARE, LAST_SHARE = 0.8, 0.2
# Only so many words are checked for being prose: a longer reply is wrong anyway (N is at most 10).
MAX_PROSE_WORDS = 30
# Far longer than any sentence with its completion; bounds the time of a check.
MAX_CHARS = 2_000
# Words of the family's prompt and of the feedback that no story goes on with; # is a number.
_ECHOES = (
    " word must be ", " the last word is ", " your last word ", " this sentence ends with ",
    " finish this sentence ", " rest of the sentence ", " rest of this sentence ",
    " # more words ", " exactly # words ", " these # words ", " you wrote # ", " write exactly # ",
    " write only these ", " write only the rest ", " words in natural english ",
    " use natural english ", " not an english word ", " do not repeat words ", " your reply has ",
    " you repeat the task ", " too many names or numbers ",
)  # fmt: skip
# What announces the last word, if it is all that stands before it ...
_ANNOUNCES = re.compile(
    r"it must be|task number|write (?:only|exactly)|(?:with )?(?:exactly )?# words?"
    r"|(?:(?:the|my|your|this) )?(?:last |final |correct )?"
    r"(?:answer|sentence|completion|word) (?:is|must|must be|ends with)"
)
# ... and before a colon.
_LABEL = re.compile(
    r"here (?:it is|is|are|you are|you go)\b.*|(?:with )?(?:exactly )?# (?:more )?words?"
    r"|(?:(?:the|my|your|this) )?(?:last |final |correct )?"
    r"(?:answer|sentence|completion|continuation|ending|output|reply|response|result|rest|word"
    r"|last word)"
)
# After these a clause or an infinitive may follow: "she thought | it must be love".
_BEFORE_CLAUSE = FUNCTION_WORDS | {
    "said", "says", "told", "heard", "thought", "thinks", "knew", "knows", "felt", "guessed",
    "hoped", "feared", "believed", "decided", "explained", "realised", "realized", "showed", "sure",
}  # fmt: skip


class Target(TypedDict):
    """The given beginning, the number of words to add, and the last of them."""

    beginning: str
    count: int
    last: str


def _folded(words: list[str]) -> list[str]:
    return [word.casefold() for word in words]


def _spoken(words: Sequence[Token]) -> str:
    """The words in small letters, with # for a number."""
    folded = _folded([token.core for token in words])
    return " ".join(["#" if word.isdecimal() else word for word in folded])


def _label(counted: list[Token]) -> Problem | None:
    """Words that only announce the rest: "Answer: bus" counts as two words.

    Not each colon makes a label: "to one place: the bus".
    """
    for i, token in enumerate(counted[:-1] or counted):
        if not token.raw.rstrip("*_").endswith(":"):
            continue
        before = _spoken(counted[: i + 1])
        opening = i == 0 and token.raw.lstrip("*_")[:1].isupper()  # "Sure: the bus"
        if not (opening or _LABEL.fullmatch(before) or _ANNOUNCES.fullmatch(before)):
            return None
        shown = " ".join(word.raw for word in counted[: i + 1])
        message = f"{quote(shown, MAX_QUOTE)} is a label. Write only the rest of the sentence."
        return Problem("label", message, (counted[0].start, token.end))
    return None


def _copied(counted: list[Token], beginning: str) -> Problem | None:
    """The prompt's or the feedback's own words ("Write only bus", "Your last word is bus").

    Words that the beginning has too are no echo, and a clause may go on after "she thought".
    """
    given = tokens(beginning)
    said, before = f" {_spoken(counted)} ", f" {_spoken(given)} "
    echo = any(run in said and run not in before for run in _ECHOES)
    clause = beginning.rstrip().endswith(",") or not _BEFORE_CLAUSE.isdisjoint(before.split()[-1:])
    announced = _ANNOUNCES.fullmatch(_spoken(counted[:-1])) is not None
    if not (echo or (announced and not clause)):
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
        ("The answer: bus", _BUS, False),
        ("Your last word is bus", {**_BUS, "count": 5}, False),
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
        or _copied(counted, target["beginning"])
        or prose_problem(text, found[:MAX_PROSE_WORDS], given[-1] if given else "")
    )
    count_ok = len(counted) == count
    if count_ok and last_ok and prose is None:
        return Verdict.ok(words=float(count))
    if prose is not None:
        problems.append(prose)
    score = 0.0 if prose is not None else COUNT_SHARE * count_ok + LAST_SHARE * last_ok
    return Verdict.wrong(score, *problems, words=float(len(counted)))

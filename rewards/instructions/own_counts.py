"""Kinds of our own: counts and ratios, in the spirit of IFBench (arXiv 2507.02833).

They have no published checker, so only strict mode knows them. A word is what
`corgi_gym.rewards.text.words` finds, a sentence what `Reply.sentences` finds.
"""

from __future__ import annotations

import re
from typing import Any

from corgi_gym.rewards.dictionary import FUNCTION_WORDS
from corgi_gym.rewards.instructions.keywords import occurrences
from corgi_gym.rewards.instructions.kind import Kind, text, texts, whole
from corgi_gym.rewards.instructions.reply import Reply, is_question, questions_in
from corgi_gym.rewards.text import listing, plural, quote

CONJUNCTIONS = ("and", "but", "or", "nor", "for", "so", "yet")
# Commas stand before groups of three digits; "1,2,3" is three numbers.
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d+)(?:\.\d+)*+")


def word_range(reply: Reply, low: int, high: int) -> str | None:
    """Between ``low`` and ``high`` words."""
    found = len(reply.words)
    if low <= found <= high:
        return None
    return f"You wrote {plural(found, 'word')}. Write {low} to {high} words."


def unique_words(reply: Reply, number: int) -> str | None:
    """At least so many different words."""
    found = len(set(reply.lower_words))
    if found >= number:
        return None
    return f"You used {plural(found, 'different word')}. Use at least {number}."


def numbers(reply: Reply, number: int) -> str | None:
    """Exactly so many numbers in digits ("1,000.5" is one)."""
    found = len(_NUMBER.findall(reply.text))
    if found == number:
        return None
    return f"The reply has {plural(found, 'number')} in digits. Write exactly {number}."


def questions(reply: Reply, number: int) -> str | None:
    """Exactly so many questions, quoted ones too."""
    found = sum(map(questions_in, reply.sentences))
    if found == number:
        return None
    return f"The reply has {plural(found, 'question')}. Write exactly {number}."


def keyword_exact(reply: Reply, keyword: str, times: int) -> str | None:
    """A word exactly so many times."""
    found = occurrences(reply, keyword)
    if found == times:
        return None
    return f"You used {quote(keyword)} {plural(found, 'time')}. Use it {plural(times, 'time')}."


def lines(reply: Reply, number: int) -> str | None:
    """Exactly so many lines that are not empty."""
    found = len(reply.lines)
    if found == number:
        return None
    return f"You wrote {plural(found, 'line')} of text. Write exactly {number}."


def conjunctions(reply: Reply, number: int) -> str | None:
    """At least so many different coordinating conjunctions."""
    used = [word for word in CONJUNCTIONS if word in reply.lower_words]
    if len(used) >= number:
        return None
    shown = f" ({listing(used)})" if used else ""
    return (
        f"You used {plural(len(used), 'different coordinating conjunction')}{shown}. "
        f"Use at least {number} of: {', '.join(CONJUNCTIONS)}."
    )


def marks(reply: Reply, marks: tuple[str, ...]) -> str | None:
    """Each punctuation mark at least once."""
    missing = [quote(mark) for mark in marks if mark not in reply.text]
    if not missing:
        return None
    return f"The reply has no {listing(missing[:8], 'or')}. Use each of these marks."


def _percent(part: int, of: int) -> float:
    return 100 * part / of if of else 0.0


def stop_words(reply: Reply, percent: int) -> str | None:
    """At most so many percent of the words are function words ("the", "of", "is", ...)."""
    share = _percent(sum(w in FUNCTION_WORDS for w in reply.lower_words), len(reply.words))
    if share <= percent:
        return None
    return f"{share:.0f} % of your words are function words. Use at most {percent} %."


def _longest_part(word: str) -> int:
    """Letters and digits of the longest part between hyphens and the like."""
    if word.isalnum():  # the usual case
        return len(word)
    return max(map(len, re.split(r"[\W_]+", word)))


def long_words(reply: Reply, percent: int, letters: int) -> str | None:
    """At least so many percent of the words have so many letters; of "by-the-way" a part counts."""
    long = sum(_longest_part(word) >= letters for word in reply.words)
    share = _percent(long, len(reply.words))
    if reply.words and share >= percent:
        return None
    return (
        f"{share:.0f} % of your words have {letters} or more letters. "
        f"At least {percent} % must have."
    )


def question_ratio(reply: Reply, statements: int, questions: int) -> str | None:
    """Statements to questions in an exact ratio; a sentence is one or the other."""
    asking = sum(map(is_question, reply.sentences))
    telling = len(reply.sentences) - asking
    if asking and asking * statements == telling * questions:
        return None
    return (
        f"The reply has {plural(telling, 'statement')} and {plural(asking, 'question')}. "
        f"Write {plural(statements, 'statement')} for every {plural(questions, 'question')}."
    )


def percent(value: Any) -> int:
    """A share in percent, 1 to 99."""
    return int(whole(1, 99)(value))


KINDS = (
    Kind(
        "count:word_range",
        word_range,
        fields={"low": whole(), "high": whole(1)},
        asks="between so many and so many words",
    ),
    Kind(
        "count:unique_words",
        unique_words,
        fields={"number": whole(1)},
        asks="at least so many different words",
    ),
    Kind(
        "count:numbers",
        numbers,
        fields={"number": whole()},
        asks="exactly so many numbers in digits",
    ),
    Kind(
        "count:questions",
        questions,
        fields={"number": whole()},
        asks="exactly so many questions",
    ),
    Kind(
        "count:keyword_exact",
        keyword_exact,
        fields={"keyword": text, "times": whole()},
        asks="a word exactly so many times",
    ),
    Kind("count:lines", lines, fields={"number": whole(1)}, asks="exactly so many lines"),
    Kind(
        "count:conjunctions",
        conjunctions,
        fields={"number": whole(1, len(CONJUNCTIONS))},
        asks="at least so many different coordinating conjunctions",
    ),
    Kind("count:marks", marks, fields={"marks": texts}, asks="each punctuation mark once or more"),
    Kind(
        "ratio:stop_words",
        stop_words,
        fields={"percent": percent},
        asks="at most so many percent function words",
    ),
    Kind(
        "ratio:long_words",
        long_words,
        fields={"percent": percent, "letters": whole(2, 40)},
        asks="at least so many percent long words",
    ),
    Kind(
        "ratio:questions",
        question_ratio,
        fields={"statements": whole(1, 20), "questions": whole(1, 20)},
        asks="statements to questions in an exact ratio",
    ),
)

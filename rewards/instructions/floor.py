"""The content floor of strict mode: is this a reply to the request at all?

Instruction checks look at form, and form alone can be farmed: one fixed string fits many prompts
(the published checkers pay the best of our prompt-blind strings on 20 % of the prompts and more).
So strict mode first asks, cheaply and in any of thirty languages:

1. **words**: at least four different ones, most of them words of a language, and once at least
   words in a row (`prose`);
2. **words apart**: what hyphens or apostrophes join counts as one word, so of a reply's words only
   a few may be hidden in chains ("old-bridge-over-the-river");
3. **no padding**: no line or sentence makes up most of a longer reply, and its three-word runs are
   not mostly repeats;
4. **own words**: what is not copied from the request, or from feedback on a reply to it, is at
   least four words and a fifth of the reply, and one or two of its words stand in neither, in any
   order; a list or a short summary of a text that the request quotes may be made of that text;
5. **the subject**: words of the request's subject appear, and go on appearing: one in fifty words.

Where the answer is one of a few fixed ones, only the text beside it is looked at.

Not checked: whether what is said is true, good or complete, and grammar: a rule that a sentence
must parse refuses most honest lists, verses, JSON and texts in one letter case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from corgi_gym.rewards.dictionary import FUNCTION_WORDS
from corgi_gym.rewards.instructions._languages import small_words
from corgi_gym.rewards.instructions.formats import beside_answer, json_texts, parse_json
from corgi_gym.rewards.instructions.prose import LONG, is_known, is_prose
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.instructions.vocabulary import FEEDBACK_WORDS, forms, stem
from corgi_gym.rewards.text import listing, plural, quote, words
from corgi_gym.rewards.verdict import Problem

MIN_WORDS = 4
# A word of more parts, or of more that are no small words, is a chain and hides all but one.
_MAX_PARTS, _MAX_CONTENT_PARTS = 4, 2
# So many hidden words are fine ("rock-paper-scissors"), or this share of the words.
_MAX_HIDDEN, _HIDDEN_SHARE = 3, 0.05
# The most frequent line or sentence may not be more of the reply than this; choruses are less.
_MAX_ONE_LINE = 0.5
# Different three-word runs among all; songs with choruses have 0.5 and more.
_MIN_FRESH = 0.35
# Runs of this many words that stand in the request are copied.
_RUN = 6
_OWN_SHARE = 0.2
# Different words that the request does not have: one is enough for "Yes, cats are good pets."
_OWN_WORDS, _OWN_WORDS_SHORT, _SHORT = 2, 1, 8
# A request that quotes a text to be rewritten: what it says, the text between quotation marks, and
# the fewest words of a part of its own.
_REWRITE = re.compile(r"\b(?:re-?writ|rephras|paraphras|summar|shorten|condens)", re.IGNORECASE)
_QUOTATION = re.compile('["\u201c]([^"\u201c\u201d]{60,8000})["\u201d]')
_LONG_PART = 20
# An excerpt: half of its three-word runs are the text's, and it is a list or this much shorter.
_EXCERPT_RUN, _EXCERPT_SHARE, _SUMMARY_SHARE = 3, 0.5, 0.6
# So much of the text in one run is the text itself.
_VERBATIM_SHARE = 0.8
_LIST_LINE = re.compile(r"(?:[-*+\u2022]|\d{1,3}[.)])[ \t]+\S")
# Letters outside ASCII from which a text of few "words" may be in a script without spaces.
_NO_SPACES = 20
# Content words per mention of the subject.
_PER_MENTION = 50
# What joins a name to other words: "parrot-like", "l'isola".
_JOINED = re.compile("['\u2019\u2011-]")
# Texts remembered with their runs.
_CACHE = 2_048


class _Known(NamedTuple):
    """A text that a reply may have been copied from: its words, and its runs of words."""

    words: frozenset[str]
    runs: frozenset[tuple[str, ...]]


@lru_cache(maxsize=_CACHE)
def _known(text: str) -> _Known:
    held = Reply(text).lower_words
    return _Known(frozenset(held), frozenset(_runs(held, _RUN)))


def _runs(held: list[str], size: int) -> Iterable[tuple[str, ...]]:
    """All runs of so many words."""
    return zip(*(held[i:] for i in range(size)), strict=False)


def _copied(held: list[str], runs: frozenset[tuple[str, ...]]) -> int:
    """How many of the words stand in runs that the known text has too."""
    if runs.isdisjoint(_runs(held, _RUN)):  # the usual case
        return 0
    marked = [False] * len(held)
    for i, run in enumerate(_runs(held, _RUN)):
        if run in runs:
            marked[i : i + _RUN] = [True] * _RUN
    return sum(marked)


@lru_cache(maxsize=_CACHE)
def _source(text: str) -> str:
    """The text that a request quotes to be rewritten or summed up; "" if there is none."""
    if not _REWRITE.search(text):
        return ""
    quoted = [found[1] for found in _QUOTATION.finditer(text)]
    parts = [part for part in text.split("\n\n")[1:] if len(words(part)) >= _LONG_PART]
    return max([*quoted, *parts], key=len, default="")


def _is_excerpt(reply: Reply, held: list[str], known: str) -> bool:
    """Whether a reply is a list or a short summary in the words of a text that was quoted for it.

    It takes pieces of the text and nothing else of the request, and it is not the text itself.
    """
    source = _source(known)
    if not source or len(held) < _RUN:
        return False
    text, asked = Reply(source).lower_words, Reply(known.replace(source, "\n")).lower_words
    listed = sum(_LIST_LINE.match(line) is not None for line in reply.lines) > 1
    if not listed and len(held) > _SUMMARY_SHARE * len(text):
        return False
    if not frozenset(_runs(asked, _EXCERPT_RUN)).isdisjoint(_runs(held, _EXCERPT_RUN)):
        return False
    most = ceil(_VERBATIM_SHARE * len(text))
    if not frozenset(_runs(text, most)).isdisjoint(_runs(held, most)):
        return False
    pieces, runs = frozenset(_runs(text, _EXCERPT_RUN)), list(_runs(held, _EXCERPT_RUN))
    return sum(map(pieces.__contains__, runs)) >= _EXCERPT_SHARE * len(runs)


def _only_repeats(held: list[str], known: _Known, copies: int) -> bool:
    own = len(held) - max(_copied(held, known.runs), copies)
    if own < MIN_WORDS or (not copies and own < _OWN_SHARE * len(held)):
        return True
    new = frozenset(held) - known.words - FEEDBACK_WORDS
    least = _OWN_WORDS if len(held) >= _SHORT else _OWN_WORDS_SHORT
    return sum(any(map(str.isalpha, word)) for word in new) < least


def _prose(reply: Reply) -> list[str]:
    """The words that a reader sees: of JSON, those in its strings."""
    text = reply.text.strip()
    if text[:1] in "{[`":
        try:
            value = parse_json(text)
        except ValueError:
            pass
        else:
            return words("\n".join(json_texts(value)).lower())
    return reply.lower_words


def _chains(held: list[str]) -> tuple[list[str], int]:
    """The words that hide others, and how many they hide."""
    chains, hidden = [], 0
    for word in sorted(filter(_JOINED.search, set(held))):
        parts = [p for p in _JOINED.split(word) if not p.isdigit()]
        content = sum(not _is_small_part(part) for part in parts)
        if len(parts) > _MAX_PARTS or content > _MAX_CONTENT_PARTS:
            chains.append(word)
            hidden += len(parts) - 1
    return chains, hidden


def _is_small_part(part: str) -> bool:
    small = small_words().values()
    return len(part) == 1 or part in FUNCTION_WORDS or any(part in held for held in small)


def _padding(reply: Reply, held: list[str]) -> str | None:
    if len(held) < LONG:
        return None
    pieces = reply.lines if len(reply.lines) > 3 else reply.sentences
    if len(pieces) > 2:
        counts = Counter(" ".join(words(piece.lower())) for piece in pieces)
        piece, number = max(counts.items(), key=lambda item: (item[1], item[0]))
        if number > 2 and number * len(piece.split()) > _MAX_ONE_LINE * len(held):
            return piece
    runs = list(_runs(held, 3))
    if len(set(runs)) < _MIN_FRESH * len(runs):
        return " ".join(Counter(runs).most_common(1)[0][0])
    return None


def _has_spaces(text: str) -> bool:
    """Whether words can be counted; Chinese, Japanese and Thai put nothing between them."""
    return sum(c.isalpha() and not c.isascii() for c in text) <= _NO_SPACES


def content_problem(
    reply: Reply,
    known: str,
    topic: Sequence[str],
    least: int,
    copies: int,
    language: str | None = None,
) -> Problem | None:
    """The first thing that is missing for this to be a reply, or None.

    Args:
        reply: The reply.
        known: The request and the feedback on it, as far as they are known: what is copied from
            there is no answer.
        topic: Words of its subject; empty where they are not known.
        least: How many of them the reply must use.
        copies: Words that an instruction asks to copy.
        language: The language that an instruction asks for.
    """
    held = _prose(reply)
    different = len(set(held))
    if different < MIN_WORDS and _has_spaces(reply.text):
        text = f"The reply has only {plural(different, 'different word')}. "
        return Problem("content", f"{text}Answer in at least one sentence.")
    if held and not is_prose(reply.text, held, language, tuple(topic)):
        return Problem(
            "content", "The reply is not made of sentences with real words. Write real sentences."
        )
    chains, hidden = _chains(held)
    if hidden > max(_MAX_HIDDEN, _HIDDEN_SHARE * len(held)):
        longest = max(chains, key=len)
        return Problem("content", f"Write the words of {quote(longest)} apart.")
    piece = _padding(reply, held)
    if piece is not None:
        text = f"The reply repeats {quote(piece)} over and over. Write something that goes on."
        return Problem("content", text)
    repeats = different >= MIN_WORDS and _only_repeats(held, _known(known), copies)
    if repeats and not _is_excerpt(reply, held, known):
        text = "The reply only repeats the request. Answer it in words of your own."
        return Problem("content", text)
    return _off_subject(held, topic, least, copies)


def answer_problem(reply: Reply) -> Problem | None:
    """What is wrong with the text beside one of a few fixed answers, if there is any.

    A word or two, a name, and sums are fine; from four words on it is sentences.
    """
    rest = beside_answer(reply.text)
    written = [word for word in words(rest) if sum(map(str.isalpha, word)) > 1]
    held = [word.lower() for word in written]
    if len(held) >= MIN_WORDS:
        real = is_prose(rest, held)
    else:
        real = not held or any(map(is_known, held)) or any(map(str.istitle, written))
    if real:
        return None
    text = "What stands beside the answer is not made of real words. Write real sentences there."
    return Problem("content", f"{text} Or leave it out.")


def _mentions(held: list[str], stems: Mapping[str, str]) -> Counter[str]:
    """How many of the words name each of the subjects, in any form or as a part of the word."""
    named = {form: s for s, word in stems.items() for form in forms(word)}
    used: Counter[str] = Counter()
    for word, times in Counter(held).items():
        pieces = (word, *_JOINED.split(word)) if _JOINED.search(word) else (word,)
        found = {named.get(piece) or stem(piece) for piece in pieces}
        for subject in found & stems.keys():
            used[subject] += times
    return used


def _off_subject(held: list[str], topic: Sequence[str], least: int, copies: int) -> Problem | None:
    stems = {stem(word): word for word in topic}
    used = _mentions(held, stems)
    missing = [word for s, word in stems.items() if s not in used]
    shown = listing([quote(word) for word in missing[:4]], "or")
    if len(used) < min(least, len(stems)):
        return Problem("subject", f"The reply does not mention {shown}. Write about the request.")
    if stems:
        content = len(held) - sum(map(FUNCTION_WORDS.__contains__, held)) - copies
        mentions = sum(used.values())
        if content > _PER_MENTION * mentions:
            named = listing([quote(word) for word in stems.values()][:4], "or")
            text = f"The reply hardly mentions {named}. Write about what the request asks for."
            return Problem("subject", text)
    return None

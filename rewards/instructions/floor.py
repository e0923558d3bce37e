"""The content floor of strict mode: is this a reply to the request at all?

Instruction checks look at form, and form alone can be farmed: one fixed string fits many prompts
(the published checkers pay the best of our prompt-blind strings on 20 % of the prompts and more).
So strict mode first asks, cheaply and in any of thirty languages:

1. **words**: at least four, most of them words of a language (function words, and for English a
   dictionary as well);
2. **no padding**: no line or sentence makes up most of a longer reply, and its three-word runs are
   not mostly repeats;
3. **own words**: what is not copied from the request is at least four words, and a fifth of
   the reply;
4. **the subject**: words of the request's subject appear, and go on appearing: one in fifty words.

Not checked: whether what is said is true, good or complete.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from corgi_gym.rewards.dictionary import FUNCTION_WORDS, is_contraction, is_word
from corgi_gym.rewards.instructions._languages import identify, small_words
from corgi_gym.rewards.instructions.formats import json_texts, parse_json
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import listing, plural, quote, words
from corgi_gym.rewards.verdict import Problem

MIN_WORDS = 4
# From here on, shares mean something.
_LONG = 20
# Words looked up per reply: bounds the time, and a sample says enough.
_MAX_LOOKUPS = 80
# Of the words looked up, this share must be in the dictionary; names and coinages are welcome.
_KNOWN_SHARE = 0.6
# English prose has 35 to 55 % function words, lists and notes 10 % and more, word soup 0.
_FUNCTION_SHARE = 0.08
# Fewer make no sentence, only a list of words.
_MIN_SMALL = 2
# The most frequent line or sentence may not be more of the reply than this; choruses are less.
_MAX_ONE_LINE = 0.5
# Different three-word runs among all; songs with choruses have 0.5 and more.
_MIN_FRESH = 0.35
# Runs of this many words that stand in the request are copied.
_RUN = 6
_OWN_SHARE = 0.2
# Content words per mention of the subject.
_PER_MENTION = 50
# Prompts remembered with their runs.
_CACHE = 2_048
_SUFFIXES = ("ingly", "edly", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s", "e")
_STRUCTURE = re.compile(r"```(?:json)?", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its ending, so that "cats", "cat's" and "cat" are one subject.

    Example:
        >>> [stem(w) for w in ("Stories", "story", "quitting", "quit", "cats", "bus")]
        ['stor', 'stor', 'quit', 'quit', 'cat', 'bus']
    """
    word = word.lower().replace("\u2019", "'").removesuffix("'s").removesuffix("'")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] in "yi" else word


@lru_cache(maxsize=_CACHE)
def _runs(prompt: str) -> frozenset[tuple[str, ...]]:
    held = words(prompt.lower())
    return frozenset(tuple(held[i : i + _RUN]) for i in range(len(held) - _RUN + 1))


def _copied(held: list[str], prompt: str) -> int:
    """How many of the words stand in runs that the request has too."""
    runs = _runs(prompt)
    marked = [False] * len(held)
    for i in range(len(held) - _RUN + 1):
        if tuple(held[i : i + _RUN]) in runs:
            marked[i : i + _RUN] = [True] * _RUN
    return sum(marked)


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


def _no_language(text: str, held: list[str]) -> bool:
    if len(held) < _LONG and not text.isascii():
        return False  # too short to tell, and not English
    language = identify(text)
    if language not in (None, "en"):
        return False
    small = sum(w in FUNCTION_WORDS for w in held)
    if small < _MIN_SMALL or (len(held) >= _LONG and small < _FUNCTION_SHARE * len(held)):
        return True
    return not _mostly_known(held)


def _mostly_known(held: list[str]) -> bool:
    step = max(1, len(held) // _MAX_LOOKUPS)
    sample = [w for w in held[::step] if any(map(str.isalpha, w))]
    known = sum(_is_known(word) for word in sample)
    return bool(sample) and known >= _KNOWN_SHARE * len(sample)


@lru_cache(maxsize=20_000)
def _is_known(word: str) -> bool:
    parts = word.split("-") if "-" in word else [word]
    return all(
        p in FUNCTION_WORDS or is_word(p) or ("'" in p and is_contraction(p)) for p in parts
    ) or any(word in small for small in small_words().values())


def _padding(reply: Reply, held: list[str]) -> str | None:
    if len(held) < _LONG:
        return None
    pieces = reply.lines if len(reply.lines) > 3 else reply.sentences
    counts = Counter(" ".join(words(piece.lower())) for piece in pieces)
    piece, number = max(counts.items(), key=lambda item: (item[1], item[0]))
    if number > 2 and number * len(piece.split()) > _MAX_ONE_LINE * len(held):
        return piece
    runs = [tuple(held[i : i + 3]) for i in range(len(held) - 2)]
    if len(set(runs)) < _MIN_FRESH * len(runs):
        return " ".join(Counter(runs).most_common(1)[0][0])
    return None


def content_problem(
    reply: Reply, prompt: str | None, topic: Sequence[str], least: int, copies: int
) -> Problem | None:
    """The first thing that is missing for this to be a reply, or None.

    Args:
        reply: The reply.
        prompt: The request, None where it is not known (then nothing counts as copied).
        topic: Words of its subject; empty where they are not known.
        least: How many of them the reply must use.
        copies: Words that an instruction asks to copy.
    """
    held = _prose(reply)
    other_script = not reply.text.isascii() and sum(map(str.isalpha, reply.text)) > 20
    if len(held) < MIN_WORDS and not other_script:
        text = f"The reply has only {plural(len(held), 'word')}. Answer in at least one sentence."
        return Problem("content", text)
    if held and _no_language(reply.text, held):
        return Problem(
            "content", "The reply is not made of sentences with real words. Write real sentences."
        )
    piece = _padding(reply, held)
    if piece is not None:
        text = f"The reply repeats {quote(piece)} over and over. Write something that goes on."
        return Problem("content", text)
    if prompt is not None:
        own = len(held) - max(_copied(held, prompt), copies)
        if own < MIN_WORDS or (not copies and own < _OWN_SHARE * len(held)):
            text = "The reply only repeats the request. Answer it in words of your own."
            return Problem("content", text)
    return _off_subject(held, topic, least, copies)


def _off_subject(held: list[str], topic: Sequence[str], least: int, copies: int) -> Problem | None:
    stems = {stem(word): word for word in topic}
    used = Counter(s for s in map(stem, held) if s in stems)
    missing = [word for s, word in stems.items() if s not in used]
    shown = listing([quote(word) for word in missing[:4]], "or")
    if len(used) < min(least, len(stems)):
        return Problem("subject", f"The reply does not mention {shown}. Write about the request.")
    if stems:
        content = sum(w not in FUNCTION_WORDS for w in held) - copies
        mentions = sum(used.values())
        if content > _PER_MENTION * mentions:
            named = listing([quote(word) for word in stems.values()][:4], "or")
            text = f"The reply hardly mentions {named}. Write about what the request asks for."
            return Problem("subject", text)
    return None

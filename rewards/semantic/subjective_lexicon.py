"""Subjective language in one sentence: words and phrases that judge, cheer, doubt or belittle.

The classes follow what Wikipedia's neutrality rules call words to watch, as Recasens et al. (2013,
"Linguistic Models for Analyzing and Detecting Biased Language") group them: puffery and labels,
intensifiers, attitude adverbs, boosters and hedges, loaded verbs, and framing by the writer's own
voice. The lists are our own. What it does not see: bias by choice of facts, irony, and words that
are loaded in one topic only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from corgi_gym.rewards.lexicon import CLOSED, lemmas

_LABELS = """
amazing awesome awful atrocious beautiful beloved best boring breathtaking brilliant brutal careless
charming clumsy corrupt courageous cowardly crazy cruel delightful disappointing disastrous
disgraceful disgusting dreadful dull elegant embarrassing evil excellent exceptional exciting
extraordinary fabulous famous fantastic finest foolish gifted glorious gorgeous great greedy
groundbreaking heartless heroic hideous hopeless horrible horrific idiotic iconic impressive
incompetent incredible infamous inferior innovative inspiring irresponsible lazy legendary lovely
ludicrous magnificent marvelous masterful mediocre miserable naive nasty nice notorious outrageous
outstanding overrated pathetic perfect phenomenal pitiful pointless prestigious reckless remarkable
renowned ridiculous ruthless scandalous selfish senseless shameful shocking silly so-called
spectacular splendid stunning stupid sublime superb superior talented terrible terrific tragic ugly
unbelievable unfair unforgettable unfortunate useless visionary vicious vile wasteful wicked
wonderful world-class worst worthless wretched wise clever lousy mighty exquisite stellar tireless
fearless shabby dismal arrogant ungrateful hated feared magical marvellous sad happy crucial
masterpiece genius disgrace triumph fiasco scandal catastrophe miracle nonsense idiot hero villain
disaster gem sensation joke tragedy crook
"""
_ADVERBS = """
absolutely admirably alarmingly amazingly arguably awfully beautifully blatantly boldly bravely
brilliantly brutally certainly clearly completely courageously cruelly definitely deplorably
disappointingly disgracefully embarrassingly evidently extremely foolishly fortunately frankly
generously gloriously greedily happily heroically honestly hopefully hopelessly horribly incredibly
inevitably inexplicably infamously interestingly ironically luckily magnificently masterfully
mercifully mysteriously naively naturally notably obviously oddly outrageously perhaps possibly
predictably presumably recklessly regrettably remarkably ridiculously rightly ruthlessly sadly
scandalously senselessly shamefully shockingly shamelessly simply skillfully spectacularly stupidly
stubbornly supposedly surely surprisingly suspiciously terribly thankfully totally tragically truly
undeniably undoubtedly unfairly unfortunately unsurprisingly unquestionably utterly very
wholeheartedly wisely wonderfully wrongly really literally carelessly lovingly proudly selfishly
superbly perfectly cleverly lazily gleefully desperately cowardly
"""
# A loaded verb and the neutral ones that may stand for it.
NEUTRAL_VERBS: Mapping[str, tuple[str, ...]] = {
    "boast": ("say", "state"), "brag": ("say", "state"), "whine": ("say",), "gush": ("say",),
    "ramble": ("say", "speak"), "insist": ("say", "state"), "confess": ("say",),
    "admit": ("say",), "claim": ("say", "state"), "gloat": ("say",), "rant": ("say", "speak"),
    "slam": ("criticize",), "blast": ("criticize",), "trash": ("criticize",),
    "squander": ("spend",), "waste": ("spend",), "butcher": ("perform",), "grab": ("take",),
    "bully": ("ask",), "flee": ("leave",), "smear": ("criticize",), "revel": ("celebrate",),
    "masquerade": ("act",), "slash": ("reduce", "cut"), "botch": ("perform",),
}  # fmt: skip
_PHRASES = """
of course; needless to say; it goes without saying; in my opinion; in my view; if you ask me;
believe it or not; as everyone knows; as everybody knows; as we all know; to be honest; to be fair;
to nobody's surprise; to everyone's delight; to everybody's horror; to the delight of all;
thank goodness; thank god; without a doubt; without any doubt; no doubt; beyond doubt;
it is a shame that; it is a pity that; it is obvious that; it is clear that; it is no secret that;
it is sad that; it is wonderful that; it is outrageous that; it is no surprise that;
it must be said that; one must admit that; everyone agrees that; everybody agrees that; some say;
some people say; some say that; many people believe that; it is said that; i think; i think that;
i believe; i believe that; i feel that; we all know that; you will agree that; you must admit that;
at long last; for some strange reason; for no good reason; like a coward; like a hero;
like a true hero; in the worst possible way; in the best possible way; as only a fool would;
which was a disgrace; which was a complete disaster; which was a stroke of genius;
which was a huge mistake; which was the right thing to do; which nobody should forgive;
which surprised nobody; which everyone should admire; which was long overdue; what a shame;
what a surprise; by far; once in a lifetime; second to none; state of the art; of all time;
mistake of the worst kind; must see; must read; a huge mistake; a stroke of genius; the right thing
"""
_VOICE = frozenset(("i", "me", "my", "we", "us", "our", "you", "your"))
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|!")


@dataclass(frozen=True, slots=True)
class Span:
    """A subjective word or phrase, and which of the sentence's words it covers (from, to)."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=1)
def subjective_words() -> frozenset[str]:
    """The single words, as lemmas or as they stand."""
    return frozenset((*_LABELS.split(), *_ADVERBS.split(), *NEUTRAL_VERBS))


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    table: dict[str, list[tuple[str, ...]]] = {}
    for phrase in " ".join(_PHRASES.split()).split(";"):
        parts = tuple(phrase.split())
        table.setdefault(parts[0], []).append(parts)
    return {first: tuple(sorted(rows, key=len, reverse=True)) for first, rows in table.items()}


def tokens(sentence: str) -> list[str]:
    """Lower-case words (and exclamation marks) of a sentence.

    Example:
        >>> tokens("Sadly, it's over!")
        ['sadly', "it's", 'over', '!']
    """
    return [word.lower().replace("\u2019", "'") for word in _TOKEN.findall(sentence)]


@lru_cache(maxsize=1 << 14)
def _is_subjective(word: str) -> bool:
    if word in _VOICE or word == "!":
        return True
    return not subjective_words().isdisjoint({word} if word in CLOSED else lemmas(word))


def find(sentence: str) -> list[Span]:
    """All subjective spans, from left to right.

    Example:
        >>> [span.text for span in find("Sadly, the brilliant mayor resigned, of course.")]
        ['sadly', 'brilliant', 'of course']
    """
    found, low, i = [], tokens(sentence), 0
    while i < len(low):
        end = next(
            (i + len(p) for p in _phrases().get(low[i], ()) if tuple(low[i : i + len(p)]) == p), 0
        )
        if not end and _is_subjective(low[i]):
            end = i + 1
        if end:
            found.append(Span(" ".join(low[i:end]), i, end))
        i = max(end, i + 1)
    return found


def content_places(sentence: str) -> list[int]:
    """Where content words stand among the `tokens`: no function words, but the month of May.

    Example:
        >>> content_places("It may rain in May."), content_places("May we go on May 3?")
        ([2, 4], [2, 4, 5])
    """
    written = _TOKEN.findall(sentence)
    return [
        i
        for i, word in enumerate(tokens(sentence))
        if word not in CLOSED or _is_the_month(written, i)
    ]


def _is_the_month(written: list[str], i: int) -> bool:
    """Whether word ``i`` is the month: "May" inside a sentence, or before a number."""
    return written[i] == "May" and (i > 0 or "".join(written[1:2]).isdigit())


def neutral_content(sentence: str) -> list[str]:
    """The content words outside all subjective spans: the facts.

    Example:
        >>> neutral_content("Sadly, the brilliant mayor of Rome resigned in 1990.")
        ['mayor', 'rome', 'resigned', '1990']
    """
    covered = {i for span in find(sentence) for i in range(span.start, span.end)}
    low = tokens(sentence)
    return [low[i] for i in content_places(sentence) if i not in covered]

"""Is this a short passage of well-formed English sentences, and if not, what is wrong with it?

The sentence check of `corgi_gym.rewards.sentence`, for replies of several sentences: their number,
each one by itself, and what only shows across sentences (the same sentence twice, one word again
and again). Like there: a floor, with no judgement of sense.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.sentence import LEAST, NO_SENTENCE, examine
from corgi_gym.rewards.text import plural, quote, words
from corgi_gym.rewards.verdict import Problem

# How often one content word may occur in a passage.
MAX_REUSE = 2
# A small model reads the feedback: problems of this many sentences are reported.
MAX_REPORTED = 2
# Sentences that are parsed at most; a passage with more is refused anyway.
MAX_PARSED = 10

_END = re.compile(r"[.!?]+[\"'\u201d\u2019)]*(?=\s|$)")
_LINES = re.compile(r"[ \t\r]*\n\s*")
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St)\.$")


@dataclass(frozen=True, slots=True)
class Passage:
    """What is wrong with a passage, its form in [0, 1], and its sentences."""

    problems: tuple[Problem, ...]
    form: float
    sentences: tuple[str, ...]


def split_sentences(text: str) -> list[str]:
    """Cut a text at full stops, question and exclamation marks that end a word.

    Example:
        >>> split_sentences("Mr. Baker left. It rained!  Why")
        ['Mr. Baker left.', 'It rained!', 'Why']
    """
    found, start = [], 0
    for match in _END.finditer(text):
        if not _TITLE.search(text[max(0, match.start() - 4) : match.start() + 1]):
            found.append(text[start : match.end()].strip())
            start = match.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def content_words(text: str) -> list[str]:
    """The words that carry content, in lower case, as they stand.

    Example:
        >>> content_words("The girl carried her basket.")
        ['girl', 'carried', 'basket']
    """
    return [word for word in map(str.lower, words(text)) if word not in CLOSED]


def examine_passage(
    text: str,
    least: int,
    most: int,
    max_words: int,
    *,
    apart: Collection[str] = (),
    events: bool = False,
    often: Collection[str] = (),
) -> Passage:
    """Judge ``text`` as ``least`` to ``most`` sentences of at most ``max_words`` words in all.

    Args:
        text: The reply, on one line or several. Its cost is bounded by ``max_words``, whatever its
            length.
        least: Smallest number of sentences.
        most: Largest number of sentences, at most `MAX_PARSED`.
        max_words: Bound on all words together.
        apart: See `examine`.
        events: See `examine`.
        often: Lemmas that may occur more than twice.

    Example:
        >>> examine_passage("The rain fell. Anna went home.", 1, 3, 60).problems
        ()
        >>> examine_passage("The rain fell. rain fall", 1, 3, 60).problems[0].message
        'Sentence 2: End the sentence with one full stop.'
    """
    text = _LINES.sub(" ", text.strip())
    count = len(words(text))
    asked = plural(most, "sentence") if least == most else f"{least} to {most} sentences"
    if count > max_words or len(text) > 12 * max_words:
        found = f"Your reply has {plural(count, 'word')}. Write at most {max_words}, in {asked}."
        return Passage((Problem("length", found),), 0.0, ())
    sentences = split_sentences(text)
    problems: list[Problem] = []
    if not least <= len(sentences) <= most:
        found = f"Your reply has {plural(len(sentences), 'sentence')}. Write {asked}."
        problems.append(Problem("sentences", found))
    form, reported = 0.0, 0
    for number, sentence in enumerate(sentences[:MAX_PARSED], start=1):
        report = examine(sentence, apart, events, uses=1 if events else MAX_REUSE)
        form += report.form
        if report.problems and reported < MAX_REPORTED:
            reported += 1
            first = report.problems[0]
            where = f"Sentence {number}: " if len(sentences) > 1 else ""
            problems.append(Problem(first.kind, where + first.message))
    form /= max(1, min(len(sentences), MAX_PARSED))
    again = _again(sentences, text, often)
    if again:
        problems.append(again)
    if problems and form == 1.0:
        form = LEAST if len(sentences) <= most else NO_SENTENCE
    return Passage(tuple(problems), form, tuple(sentences))


def _again(sentences: list[str], text: str, often: Collection[str]) -> Problem | None:
    """The first sentence or word that occurs too often."""
    seen: set[str] = set()
    for sentence in sentences:
        plain = " ".join(words(sentence)).lower()
        if plain in seen:
            return Problem("repeated", f"You wrote {quote(sentence)} more than once.")
        seen.add(plain)
    counts: Counter[str] = Counter()
    for word in content_words(text):
        forms = lemmas(word)
        counts.update([min(forms, key=lambda form: (len(form), form))])
        if forms.isdisjoint(often) and max(counts[form] for form in forms) > MAX_REUSE:
            found = f"You used {quote(word, 24)} more than {MAX_REUSE} times."
            return Problem("repeated", found)
    return None

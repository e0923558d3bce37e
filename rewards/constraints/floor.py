"""The floor under generated tasks: a text that satisfies constraints must also be one.

Counting rules alone are satisfied by "a a a a". So a task can ask for real text: every sentence
grammatical (`corgi_gym.rewards.sentence`) or at least prose of dictionary words
(`corgi_gym.rewards.prose`), no words joined by hyphens to be one, no letters that only look Latin,
no sentence twice, enough different words, a bound on the length, and a topic word, without which
one good text would do for many tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from corgi_gym.rewards.constraints.language import MAX_NUMBER, ConstraintError
from corgi_gym.rewards.constraints.segments import Passage
from corgi_gym.rewards.dictionary import FUNCTION_WORDS
from corgi_gym.rewards.lexicon import lemmas
from corgi_gym.rewards.prose import prose_problem, tokens
from corgi_gym.rewards.sentence import Report, examine
from corgi_gym.rewards.text import plural, quote
from corgi_gym.rewards.verdict import Problem

STYLES = ("grammar", "words")
# Share of different words below which a text repeats itself. Texts of four everyday sentences have
# 0.6 and more.
MIN_DISTINCT = 0.5
# A small model reads the feedback: so many problems of one floor.
MAX_PROBLEMS = 2
# What a text without its topic keeps of its score.
OFF_TOPIC = 0.3
# The form of a grammatical sentence with a digit or a quotation mark, which the prompt rules out.
SIGN_FORM = 0.8
_QUOTATION_MARKS = frozenset('"\u201c\u201d\u201e\u00ab\u00bb')
# A reply about the task in place of a text ("This sentence uses the word dog and has ten words.").
_ABOUT_TASK = frozenset(
    ["constraint", "letter", "paragraph", "prompt", "requirement", "sentence", "text", "word"]
)
# Sentences whose analysis is remembered: bounds the memory.
_CACHE = 1 << 13
# Longest sentence that is judged word by word.
_MAX_TOKENS = 60
# Parts of a word with hyphens, and those of them that are no small words: "state-of-the-art".
_MAX_PARTS, _MAX_CONTENT_PARTS = 4, 2
_SMALL_PARTS = FUNCTION_WORDS | {"year", "month", "week", "day", "hour", "minute", "mile", "foot"}


@dataclass(frozen=True, slots=True)
class Floor:
    """What makes a reply a text.

    Attributes:
        topic: A lemma that must occur in any form, or ``None``.
        max_words: Most words.
        style: ``"grammar"`` (each sentence must parse) or ``"words"`` (prose of English words).
    """

    topic: str | None
    max_words: int
    style: str


def parse_floor(data: Any, path: str = "floor") -> Floor:
    """Read ``{"topic": str, "max_words": int, "style": "grammar" | "words"}``.

    Raises:
        ConstraintError: Names the path of the wrong field.
    """
    if not isinstance(data, Mapping):
        raise ConstraintError(f"{path}: {data!r:.80}; give a dict")
    for key in data:
        if key not in ("topic", "max_words", "style"):
            raise ConstraintError(
                f"{path}: unknown field {key!r:.80}; choose from topic, max_words, style"
            )
    topic, most = data.get("topic"), data.get("max_words", 100)
    style = data.get("style", "grammar")
    if topic is not None and not (isinstance(topic, str) and topic.isalpha() and topic.islower()):
        raise ConstraintError(f"{path}.topic: {topic!r:.80}; give one word in small letters")
    if isinstance(most, bool) or not isinstance(most, int) or not 0 < most <= MAX_NUMBER:
        raise ConstraintError(f"{path}.max_words: {most!r:.80}; give a positive whole number")
    if style not in STYLES:
        raise ConstraintError(f"{path}.style: {style!r:.80}; choose from {', '.join(STYLES)}")
    return Floor(topic, most, style)


def ask(floor: Floor) -> str:
    """What a prompt says about the floor.

    Example:
        >>> ask(Floor("river", 60, "words"))[:84]
        'Write natural English about everyday life with at most 60 words. Use the word "river'
    """
    about = f' Use the word "{floor.topic}" in any form.' if floor.topic else ""
    rules = ""
    if floor.style == "grammar":
        rules = (
            " Each sentence starts with a capital letter, ends with a full stop, and uses no noun,"
            " verb or adjective twice; no digits, quotation marks or lists."
        )
    return (
        f"Write natural English about everyday life with at most {plural(floor.max_words, 'word')}."
        f"{about}{rules} Do not repeat a sentence or the same few words, and do not write about"
        " the text, its sentences or words."
    )


def examine_floor(floor: Floor, text: Passage) -> tuple[float, list[Problem]]:
    """How much of a text there is (1.0: nothing is wrong), and what is wrong.

    A text without its topic keeps `OFF_TOPIC`; the rest is the mean form of its sentences.
    """
    count = text.count("word")
    if count > floor.max_words:
        message = f"Your text has {count} words. Write at most {floor.max_words}."
        return 0.0, [Problem("too_long", message, text.span)]
    problems = []
    on_topic = 1.0
    used = frozenset[str]().union(*map(lemmas, set(text.folded)))
    talk = sorted(_ABOUT_TASK & used - {floor.topic})
    if talk:
        on_topic = OFF_TOPIC
        message = f"A text about itself or the task does not count: leave out {quote(talk[0])}."
        problems.append(Problem("about_task", message))
    if floor.topic and floor.topic not in used:
        on_topic = OFF_TOPIC
        message = f"Your text does not use the word {quote(floor.topic)}. Use it in any form."
        problems.append(Problem("topic", message))
    distinct = len(set(text.folded))
    if distinct < MIN_DISTINCT * count:
        message = f"Only {distinct} of your {count} words are different. Do not repeat words."
        return 0.0, [*problems, Problem("repetition", message)]
    forms, seen, wrong = [], set(), []
    for sentence in text.units("sentence"):
        form, problem = _examine_sentence(floor, sentence)
        if sentence.folded in seen:
            message = f"You wrote this sentence twice: {quote(sentence.text)} Write it once."
            form, problem = 0.0, Problem("repetition", message, sentence.span)
        seen.add(sentence.folded)
        forms.append(form)
        if problem:
            wrong.append(problem)
    form = sum(forms) / len(forms)
    return form * on_topic, [*problems, *wrong[:MAX_PROBLEMS]]


@lru_cache(maxsize=_CACHE)
def sentence_report(sentence: str) -> Report:
    """`examine`, remembered: a session judges the same sentences several times."""
    return examine(sentence)


def _examine_sentence(floor: Floor, sentence: Passage) -> tuple[float, Problem | None]:
    """The form of one sentence, and the first thing that is wrong with it."""
    flat = " ".join(sentence.text.split())
    message = next(filter(None, map(_odd_word, sentence.folded)), None)
    if message is not None:
        return 0.0, Problem("unknown_word", message, sentence.span)
    if floor.style == "grammar":
        report = sentence_report(flat)
        sign = next(filter(_is_unasked, flat), None)
        if sign is not None and not report.problems:
            message = f"In {quote(flat, 32)}: Do not use the sign {quote(sign)}."
            return SIGN_FORM, Problem("sign", message, sentence.span)
        if not report.problems:
            return 1.0, None
        first = report.problems[0]
        message = f"In {quote(flat, 32)}: {first.message}"
        return report.form, Problem(first.kind, message, sentence.span)
    found = tokens(flat)[:_MAX_TOKENS]
    problem = prose_problem(flat, found)
    if problem is None:
        return 1.0, None
    return 0.0, Problem(problem.kind, problem.message, sentence.span)


def _is_unasked(sign: str) -> bool:
    """Whether a sign is one that the prompt of a grammatical text rules out."""
    return sign.isdigit() or sign in _QUOTATION_MARKS


def _odd_word(word: str) -> str | None:
    """What is wrong with a word that hides others, or letters.

    Example:
        >>> _odd_word("big-old-dog")
        'Write the words of "big-old-dog" apart.'
        >>> _odd_word("mother-in-law"), _odd_word("five-year-old"), _odd_word("caf\u00e9")
        (None, None, None)
    """
    if not word.isascii() and not all(map(_is_latin, filter(str.isalpha, word))):
        return f"{quote(word)} has letters that English does not have. Use natural English."
    parts = word.split("-")
    content = sum(part not in _SMALL_PARTS for part in parts)
    if len(parts) > _MAX_PARTS or content > _MAX_CONTENT_PARTS:
        return f"Write the words of {quote(word)} apart."
    return None


def _is_latin(letter: str) -> bool:
    """Whether a letter is one of the Latin alphabet, accents included; no look-alike is."""
    return letter < "\u0250" or "\u1e00" <= letter <= "\u1eff"

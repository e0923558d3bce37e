"""The end, the postscript, the repeated request, two responses, the language.

Fixed in strict mode:

- ``end_checker``: the phrase is not part of a longer word, and Markdown or quotation marks after it
  do no harm;
- ``postscript``: starts a line, is followed by words, and is the last section: no
  Markdown heading and, beyond its first paragraph, at most 40 words come after it, such as a name
  or a phrase that is asked for at the end (published: the letters anywhere, "stop.s." too);
- ``repeat_prompt``: word for word, letter case included unless a case is asked for elsewhere, and
  an answer follows (published: the repeated request alone is enough);
- ``two_responses``: six asterisks on a line, two texts of words that differ in more than a few
  words (published: one letter is enough);
- ``response_language``: script, function words, letters and endings; another language that is
  clearly there is refused, in the whole and in each sentence of five words or more, and what could
  be either is not (published: an unseeded guess, which any text without letters passes). Words that
  the request gave show nothing. Not told: another language in a part of a sentence, or in shorter
  sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from corgi_gym.rewards.instructions._asked_language import judge_language
from corgi_gym.rewards.instructions._langdetect import NoLanguage, detect
from corgi_gym.rewards.instructions._languages import NAMES, other_language
from corgi_gym.rewards.instructions.kind import Kind, choice, text
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import plural, quote, words

# Words of an answer after the repeated request, and of each of two responses.
_MIN_WORDS = 3
# Share of the longer response's words that the other one must not have.
_DIFFERENT = 0.2
# Words of a sentence whose language is told by itself.
_MIN_TOLD = 5

_SEPARATOR = re.compile(r"^[ \t]*\*{6}[ \t]*$", re.MULTILINE)
# What ends a sentence in scripts that put no space after it.
_JOINED_END = re.compile("[\u3002\uff01\uff1f]")
_TRAILING = " \"'\u201d\u2019*_`)]}"
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(\S.*)", re.MULTILINE)
# Words after the first paragraph of a postscript: a greeting, a phrase that the request wants last.
_MAX_AFTER = 40
_PS = re.compile(r"p\.\s?s\.")
_PPS = re.compile(r"p\.\s?p\.\s?s")


def _flat(piece: str) -> str:
    return " ".join(piece.replace("\u2019", "'").split())


def end_checker(reply: Reply, end_phrase: str) -> str | None:
    """The last words are the phrase, in any letter case."""
    asked = _flat(end_phrase)
    found = _flat(reply.text)
    for end in (found, found.rstrip(_TRAILING)):
        if end.lower().endswith(asked.lower()):
            before = end[: len(end) - len(asked)][-1:]
            if not (before.isalnum() and asked[0].isalnum()):
                return None
    return f"The reply ends with {quote(found[-60:], 60)}. End it with {quote(asked, 120)}."


def end_checker_reference(reply: Reply, end_phrase: str) -> str | None:
    """The text, without quote marks at its ends, ends with the phrase in any letter case."""
    if reply.text.strip().strip('"').lower().endswith(end_phrase.strip().lower()):
        return None
    return f"The reply does not end with {quote(end_phrase, 120)}. Write nothing after it."


@lru_cache(maxsize=64)
def _postscript_line(marker: str) -> re.Pattern[str]:
    letters = [c for c in marker.strip() if c.isalpha()]
    mark = r"\.?[ \t]?".join(map(re.escape, letters))
    return re.compile(rf"^[ \t\"*_>#]*{mark}[.:]?[.:]?[*_]*(?!\w)", re.I | re.M)


def postscript(reply: Reply, postscript_marker: str) -> str | None:
    """A last section that starts with the marker and says something."""
    asked = f"End with a postscript that starts with {quote(postscript_marker)}."
    found = list(_postscript_line(postscript_marker).finditer(reply.text))
    if not found:
        return f"No line starts with {quote(postscript_marker)}. {asked}"
    start = found[-1]
    after = reply.text[start.end() :]
    heading = _HEADING.search(reply.text, start.end())
    if heading is not None:
        return f"The heading {quote(heading[1], 60)} stands after the postscript. {asked}"
    follows = sum(len(words(paragraph)) for paragraph in Reply(after).paragraphs[1:])
    if follows > _MAX_AFTER:
        return (
            f"After the first paragraph of the postscript there are {follows} words more. {asked}"
        )
    if not words(after):
        return f"There are no words after {quote(postscript_marker)}. {asked}"
    if not words(reply.text[: start.start()]):
        return f"There is nothing before the postscript. {asked}"
    return None


def postscript_reference(reply: Reply, postscript_marker: str) -> str | None:
    """The marker's letters anywhere."""
    marker = postscript_marker.strip()
    if marker == "P.P.S":
        found = _PPS.search(reply.lower)
    elif marker == "P.S.":
        found = _PS.search(reply.lower)
    else:
        found = re.search(re.escape(marker.lower()), reply.lower)
    return None if found else f"The reply has no postscript starting with {quote(marker)}."


def repeat_prompt(reply: Reply, prompt_to_repeat: str) -> str | None:
    """The request word for word, then an answer."""
    asked, found = _flat(prompt_to_repeat), _flat(reply.text).lstrip("\"'\u201c*_ ")
    start = asked.lstrip("\"'\u201c*_ ")
    one_case = reply.text.islower() or reply.text.isupper()
    if not found.startswith(start) and not (one_case and found.lower().startswith(start.lower())):
        return (
            f"The reply starts with {quote(found[:50], 50)}. First repeat the request word for "
            f"word: {quote(asked, 80)}."
        )
    answer = len(words(found[len(start) :]))
    if answer < _MIN_WORDS:
        return f"After the repeated request there are {plural(answer, 'word')}. Answer it too."
    return None


def repeat_prompt_reference(reply: Reply, prompt_to_repeat: str) -> str | None:
    """Starts with the request, in any letter case."""
    if reply.text.strip().lower().startswith(prompt_to_repeat.strip().lower()):
        return None
    return f"The reply does not start with the request: {quote(prompt_to_repeat, 80)}."


_TWO = "Give two different responses, with a line of six asterisks (******) between them."


def two_responses(reply: Reply) -> str | None:
    """Two texts that differ, a line of six asterisks between."""
    parts = [[w.lower() for w in words(part)] for part in _SEPARATOR.split(reply.text)]
    held = [part for part in parts if part]
    if len(held) != 2 or (len(parts) > 2 and not all(parts[1:-1])):
        return f"The reply has {plural(len(held), 'response')}. {_TWO}"
    if min(map(len, held)) < _MIN_WORDS:
        return f"One of the responses has fewer than {_MIN_WORDS} words. {_TWO}"
    one, two = map(Counter, held)
    alike = sum((one & two).values())
    if alike > (1 - _DIFFERENT) * max(map(len, held)):
        return f"The two responses are almost the same. {_TWO}"
    return None


def two_responses_reference(reply: Reply) -> str | None:
    """Two texts between six asterisks that are not the same."""
    parts = [part.strip() for part in reply.text.split("******")]
    held = [part for part in parts if part]
    if all(parts[1:-1]) and len(held) == 2 and held[0] != held[1]:
        return None
    return f"The reply does not hold exactly two different responses. {_TWO}"


def response_language(reply: Reply, language: str) -> str | None:
    """The language of the words, and of each sentence that says clearly which it has."""
    asked = f"Write all of it in {NAMES[language]}."
    judged = judge_language(reply.text, language, reply.topic)
    if judged.other is not None:
        return f"The reply is in {NAMES[judged.other]}. {asked}"
    if not judged.fits:
        return f"The reply has too few words that are clearly {NAMES[language]}. {asked}"
    foreign = foreign_sentence(reply, language)
    if foreign is None:
        return None
    piece, other = foreign
    return f"{quote(piece, 60)} is in {NAMES[other]}. {asked}"


def foreign_sentence(reply: Reply, language: str) -> tuple[str, str] | None:
    """The first sentence of five words or more that is clearly of another language, and its code.

    Example:
        >>> foreign_sentence(Reply("Es ist so. And so we do not know it."), "de")
        ('And so we do not know it.', 'en')
    """
    for sentence in reply.sentences:
        for piece in _JOINED_END.split(sentence):
            if len(piece.split()) >= _MIN_TOLD:
                other = other_language(piece, language)
                if other is not None:
                    return piece, other
    return None


def response_language_reference(reply: Reply, language: str) -> str | None:
    """The language as langdetect guesses it with seed 0; a text without letters passes."""
    try:
        found = detect(reply.text)
    except NoLanguage:
        return None
    if found == language:
        return None
    return f"The reply reads as {NAMES.get(found, found)}. Write all of it in {NAMES[language]}."


KINDS = (
    Kind(
        "language:response_language",
        response_language,
        response_language_reference,
        {"language": choice(*NAMES)},
        "everything in one language",
    ),
    Kind(
        "detectable_content:postscript",
        postscript,
        postscript_reference,
        {"postscript_marker": text},
        "a postscript at the end",
    ),
    Kind(
        "combination:two_responses",
        two_responses,
        two_responses_reference,
        {},
        "two different responses with ****** between",
    ),
    Kind(
        "combination:repeat_prompt",
        repeat_prompt,
        repeat_prompt_reference,
        {"prompt_to_repeat": text},
        "the request word for word, then the answer",
    ),
    Kind(
        "startend:end_checker",
        end_checker,
        end_checker_reference,
        {"end_phrase": text},
        "the last words are a phrase",
    ),
)

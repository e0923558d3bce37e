"""Placeholders, bullets, highlights, sections, titles, JSON, fixed answers.

Fixed in strict mode:

- ``number_placeholders``: ``[address]`` holds two letters or more; ``[]``, ``[1]`` and Markdown
  links are none;
- ``number_bullet_lists``: a mark, a space and words; a rule (``---``) or bold line is none;
- ``number_highlighted_sections``: different texts that hold words, with no space inside the
  asterisks' edges (published: ``2*3*4`` has one);
- ``multiple_sections``: headings at the start of a line, numbered 1, 2, ..., exactly as many as
  asked, each with text after it; twice as many only where two responses are asked for (published:
  "at least", anywhere, in any order, empty);
- ``json_format``: one object or list that holds words; NaN and repeated keys are no JSON
  (published: ``3`` passes);
- ``title``: words between the brackets, at most twenty (published: any mark);
- ``constrained_response``: one of the options, word for word, and neither it nor another one a
  second time, however that is written; it is a sentence of its own, and no later one takes it back;
  text beside it is fine, if it is text (published: anywhere, so all three at once pass).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from corgi_gym.rewards.instructions.kind import Kind, text, whole
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import plural, quote, words

OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_MAX_TITLE_WORDS = 20

_PLACEHOLDER = re.compile(r"\[([^\[\]\n]{1,80})\](?!\()")
_STAR_BULLET = re.compile(r"^[^\S\n]*\*[^*].*$", re.MULTILINE)
_DASH_BULLET = re.compile(r"^[^\S\n]*-", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*[-*+\u2022][ \t]+(\S.*)$", re.MULTILINE)
_ONE_STAR = re.compile(r"\*[^\n\*]*\*")
_TWO_STARS = re.compile(r"\*\*[^\n\*]*\*\*")
_HIGHLIGHT = re.compile(r"(?<![*\w])(\*{1,3})(?![\s*])([^\n*]{1,500})(?<!\s)\1(?![*\w])")
_TITLE = re.compile(r"<<([^<>\n]{1,300})>>")
_ANSWER = re.compile(r"\bmy answer is (yes|no|maybe)\b", re.IGNORECASE)
# What stands before an answer that is a sentence of its own: nothing, or no word.
_STATED = re.compile(r"(?:^|[^\w\s])\s*$")
# After it: a sentence that begins with another answer, or takes it back.
_AGAIN = re.compile(r"[.!?]\s+(yes|no|maybe)(?=[,.;:!?]|$)", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"\b(?:i take (?:it|that|this) back|scratch that"
    r"|(?:ignore|disregard) (?:that|this|the above))\b",
    re.IGNORECASE,
)
_MARKUP = str.maketrans("", "", "*_`~\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb")


def _at_least(found: int, asked: int, noun: str, example: str) -> str | None:
    if found >= asked:
        return None
    return f"The reply has {plural(found, noun)}. Write at least {asked}, {example}."


def number_placeholders(reply: Reply, num_placeholders: int) -> str | None:
    """Names in square brackets."""
    found = sum(1 for m in _PLACEHOLDER.finditer(reply.text) if _letters(m.group(1)) > 1)
    return _at_least(found, num_placeholders, "placeholder", "such as [address]")


def number_placeholders_reference(reply: Reply, num_placeholders: int) -> str | None:
    """Pairs of square brackets on one line (found by hand: a pattern is quadratic on ``[[[``)."""
    found = 0
    for line in reply.text.split("\n"):
        start = line.find("[")
        while start >= 0 and (end := line.find("]", start)) >= 0:
            found += 1
            start = line.find("[", end)
    return _at_least(found, num_placeholders, "placeholder", "such as [address]")


def _letters(piece: str) -> int:
    return sum(map(str.isalpha, piece))


def _exactly(found: int, asked: int) -> str | None:
    if found == asked:
        return None
    return f"The reply has {plural(found, 'bullet point')}. Write exactly {asked}."


def bullets(reply: Reply) -> list[str]:
    """The texts of the bullet points."""
    return [m.group(1) for m in _BULLET.finditer(reply.text) if words(m.group(1))]


def number_bullet_lists(reply: Reply, num_bullets: int) -> str | None:
    """Lines that start with a bullet and hold words."""
    return _exactly(len(bullets(reply)), num_bullets)


def number_bullet_lists_reference(reply: Reply, num_bullets: int) -> str | None:
    """Lines that start with ``*`` and no second one, or with ``-``."""
    text = reply.text
    return _exactly(len(_STAR_BULLET.findall(text)) + len(_DASH_BULLET.findall(text)), num_bullets)


_SHAPE = "each between asterisks, like *this part*"


def number_highlighted_sections(reply: Reply, num_highlights: int) -> str | None:
    """Different highlighted texts."""
    texts = {" ".join(words(m.group(2).lower())) for m in _HIGHLIGHT.finditer(reply.text)}
    return _at_least(len(texts - {""}), num_highlights, "highlighted part", _SHAPE)


def number_highlighted_sections_reference(reply: Reply, num_highlights: int) -> str | None:
    """What stands between one or two asterisks."""
    found = sum(1 for h in _ONE_STAR.findall(reply.text) if h.strip("*").strip())
    found += sum(1 for h in _TWO_STARS.findall(reply.text) if h[2:-2].strip())
    return _at_least(found, num_highlights, "highlighted part", _SHAPE)


@lru_cache(maxsize=256)
def _heading(splitter: str) -> re.Pattern[str]:
    mark = re.escape(splitter.strip())
    return re.compile(rf"^[ \t#*_>\"]*{mark}[ \t]*(\d{{1,4}})(?!\w)", re.MULTILINE | re.IGNORECASE)


@lru_cache(maxsize=256)
def _heading_reference(splitter: str) -> re.Pattern[str]:
    return re.compile(rf"\s?{re.escape(splitter.strip())}\s?\d+\s?")


def multiple_sections(reply: Reply, section_spliter: str, num_sections: int) -> str | None:
    """Sections 1 to n, each with text."""
    found = list(_heading(section_spliter).finditer(reply.text))
    numbers = [int(m.group(1)) for m in found]
    mark = section_spliter.strip()
    asked = f'Write {num_sections}, headed "{mark} 1" to "{mark} {num_sections}" in this order.'
    once = list(range(1, num_sections + 1))
    if numbers not in (once, reply.responses * once):
        return f"The reply has {plural(len(numbers), 'section')} with such a heading. {asked}"
    ends = [m.start() for m in found[1:]] + [len(reply.text)]
    for m, end in zip(found, ends, strict=True):
        if not words(reply.text[m.end() : end]):
            return f"There is no text in {quote(f'{mark} {m.group(1)}')}. {asked}"
    return None


def multiple_sections_reference(
    reply: Reply, section_spliter: str, num_sections: int
) -> str | None:
    """The heading and a number, anywhere, at least so many times."""
    found = len(_heading_reference(section_spliter).findall(reply.text))
    return _at_least(found, num_sections, "section", f"each headed {quote(section_spliter)} X")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        raise ValueError("a key appears twice")
    return keys


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")


def parse_json(text: str) -> Any:
    """The value of a JSON text, perhaps in a Markdown fence.

    Raises:
        ValueError: If it is none, or nested too deeply, or has NaN or a repeated key.
    """
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].strip()
        text = text[4:] if text[:4].lower() == "json" else text
    try:
        return json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_constant=_refuse,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def json_texts(
    value: Any, *, keys: Callable[[str], bool] | None = None, numbers: bool = False
) -> list[str]:
    """All strings of a JSON value in order, with its numbers if asked for.

    Args:
        value: What `parse_json` returned.
        keys: Which keys are among them; None for all.
        numbers: Whether numbers are, as they are written.
    """
    found: list[str] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            found.append(item)
        elif numbers and isinstance(item, int | float) and not isinstance(item, bool):
            found.append(str(item))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            for key, inner in reversed(item.items()):
                stack += (inner, key) if keys is None or keys(key) else (inner,)
    return found


_WRAP = "Wrap the whole reply in JSON, and write nothing outside it."


def json_format(reply: Reply) -> str | None:
    """One JSON object or list that holds words."""
    try:
        value = parse_json(reply.text)
    except ValueError as error:
        return f"The reply is not valid JSON ({str(error)[:80]}). {_WRAP}"
    if not isinstance(value, (dict, list)):
        return f"The reply is a JSON {type(value).__name__} and not an object or a list. {_WRAP}"
    if not any(words(piece) for piece in json_texts(value)):
        return f"The JSON holds no words. {_WRAP}"
    return None


def json_format_reference(reply: Reply) -> str | None:
    """Anything that ``json.loads`` reads, after the fence's marks are taken off."""
    value = reply.text.strip()
    for mark in ("```json", "```Json", "```JSON", "```"):
        value = value.removeprefix(mark)
    try:
        json.loads(value.removesuffix("```").strip())
    except (ValueError, RecursionError) as error:
        return f"The reply is not valid JSON ({str(error)[:80]}). {_WRAP}"
    return None


_BRACKETED = "Write one in double angular brackets, such as <<poem of joy>>."


def title(reply: Reply) -> str | None:
    """A title of words in double angular brackets."""
    if any(1 <= len(words(found)) <= _MAX_TITLE_WORDS for found in _TITLE.findall(reply.text)):
        return None
    return f"The reply has no title. {_BRACKETED}"


def _bare(title: str) -> str:
    return title.lstrip("<").rstrip(">").strip()


def title_reference(reply: Reply) -> str | None:
    """Anything in double angular brackets on one line (by hand, for the same reason)."""
    for line in reply.text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if start >= 0 and start + 3 <= end and _bare(line[start : end + 2]):
            return None
    return f"The reply has no title. {_BRACKETED}"


_ONE_OF = f"Give exactly one of these answers, once: {' / '.join(OPTIONS)}"


def constrained_response(reply: Reply) -> str | None:
    """One of the options, once; what says an option in other letters or marks counts too.

    It is a sentence of its own, and what follows does not take it back.
    """
    text = " ".join(reply.text.split())
    plain = text.translate(_MARKUP)
    found = list(_ANSWER.finditer(plain))
    if len(found) != 1:
        return f"The reply gives {plural(len(found), 'answer')}. {_ONE_OF}"
    if not any(option in text for option in OPTIONS):
        return f"The answer is not written as asked. {_ONE_OF}"
    answer, after = found[0], plain[found[0].end() :]
    if not _STATED.search(plain[: answer.start()]):
        return f"The answer is not a sentence of its own. {_ONE_OF}"
    others = {other.lower() for other in _AGAIN.findall(after)} - {answer[1].lower()}
    if others or _TAKEN_BACK.search(after):
        return f"What follows the answer takes it back. {_ONE_OF}"
    return None


def beside_answer(text: str) -> str:
    """What stands beside the options of ``constrained_response``.

    Example:
        >>> beside_answer("It is so. My answer is yes.")
        'It is so.  '
    """
    for option in OPTIONS:
        text = re.sub(re.escape(option).replace(r"\ ", r"\s+"), " ", text)
    return text


def constrained_response_reference(reply: Reply) -> str | None:
    """Any option, anywhere."""
    if any(option in reply.text for option in OPTIONS):
        return None
    return f"The reply gives none of the answers. {_ONE_OF}"


_FORMAT, _CONTENT = "detectable_format:", "detectable_content:"
KINDS = (
    Kind(
        f"{_CONTENT}number_placeholders",
        number_placeholders,
        number_placeholders_reference,
        {"num_placeholders": whole()},
        "at least so many placeholders in square brackets",
    ),
    Kind(
        f"{_FORMAT}number_bullet_lists",
        number_bullet_lists,
        number_bullet_lists_reference,
        {"num_bullets": whole()},
        "exactly so many bullet points",
    ),
    Kind(
        f"{_FORMAT}constrained_response",
        constrained_response,
        constrained_response_reference,
        {},
        "one of three fixed answers",
        closed=True,
    ),
    Kind(
        f"{_FORMAT}number_highlighted_sections",
        number_highlighted_sections,
        number_highlighted_sections_reference,
        {"num_highlights": whole()},
        "at least so many parts between asterisks",
    ),
    Kind(
        f"{_FORMAT}multiple_sections",
        multiple_sections,
        multiple_sections_reference,
        {"section_spliter": text, "num_sections": whole(1)},
        "so many sections with numbered headings",
    ),
    Kind(f"{_FORMAT}json_format", json_format, json_format_reference, {}, "everything in JSON"),
    Kind(f"{_FORMAT}title", title, title_reference, {}, "a title in double angular brackets"),
)

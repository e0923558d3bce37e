"""The one place in which an answer counts: a last line ``Answer: …``.

Strict on purpose, so that a reply cannot state several answers and be paid for the best one:

- exactly one line starts with ``Answer:`` (any case; bold, a quote mark or a bullet before it is
  accepted); a second one is a problem even when it says the same;
- nothing follows it: "Answer: 5, no, wait …" takes an answer back;
- what stands there is judged as a whole, so hedges, units and alternatives are never a number.

Text before that line is free.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from corgi_gym.rewards.verdict import Problem

_ANSWER = re.compile(r"^[ \t>#*_`-]{0,8}answer[ \t*_`]{0,4}:(.*)$", re.IGNORECASE | re.MULTILINE)
# A line of a Markdown fence, and nothing else on it.
_FENCE = re.compile(r"```[ \t]*\w*")
# Markdown that may be wrapped around the answer or the whole line, longest first.
_MARKUP = ("**", "__", "`", "*", "_")
_MARKS = frozenset("".join(_MARKUP))
# Unicode's other spaces (its category Zs): no-break, thin, ideographic and so on.
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


class AnswerLine(NamedTuple):
    r"""What stands behind ``Answer:``.

    Attributes:
        text: The answer without markup, spaces and a final full stop.
        line_start: Index in the reply of the line's first character.
        where: Character span of the raw answer in the reply.

    Example:
        >>> find_answer_line("6 * 7 = 42\n**Answer:** 42.", "one number").text
        '42'
    """

    text: str
    line_start: int
    where: tuple[int, int]


def plain_spaces(text: str) -> str:
    r"""Replace no-break and other spaces by plain ones, character by character (positions stay).

    Example:
        >>> plain_spaces("42\N{NO-BREAK SPACE}inches")
        '42 inches'
    """
    return text if text.isascii() else _SPACES.sub(" ", text)


def find_answer_line(reply: str, asked: str) -> AnswerLine | Problem:
    """Find the answer line, or say what is wrong with it. Every space in it is a plain one.

    Args:
        reply: Any string.
        asked: What should stand there, for the messages: ``"one number"``.
    """
    reply = plain_spaces(reply)
    return _one_line(reply, _answer_lines(reply), asked)


def _answer_lines(reply: str) -> list[re.Match[str]]:
    """All lines that start with ``Answer:``; quick for the usual one."""
    first = _ANSWER.search(reply)
    if first is None:
        return []
    if _ANSWER.search(reply, first.end()) is None:
        return [first]
    return list(_ANSWER.finditer(reply))


def _one_line(reply: str, lines: list[re.Match[str]], asked: str) -> AnswerLine | Problem:
    if not lines:
        text = f'No line starts with "Answer:". End with one line: "Answer:" and {asked}.'
        return Problem("answer_missing", text)
    if len(lines) > 1:
        text = f'You wrote {len(lines)} lines with "Answer:". Write exactly one, at the end.'
        return Problem("answer_repeated", text, lines[1].span())
    line = lines[0]
    if reply[line.end() :].strip():
        text = 'There is text after the line "Answer:". Make it the last line.'
        return Problem("answer_not_last", text, (line.end(), len(reply)))
    return _last_line(reply, line, asked)


def _last_line(reply: str, line: re.Match[str], asked: str) -> AnswerLine | Problem:
    """The answer on the only answer line, which nothing follows."""
    text = _without_markup(line[1].strip(), reply[line.start() : line.start(1)])
    if not text:
        return Problem(
            "answer_empty", f'Nothing stands after "Answer:". Write {asked}.', line.span()
        )
    return AnswerLine(text, line.start(), line.span(1))


def _without_markup(text: str, before: str) -> str:
    """Strip markup around the answer (``**42**``) or around its line (``**Answer: 42**``)."""
    text = text.removesuffix(".").rstrip()
    for markup in () if _MARKS.isdisjoint(text) else _MARKUP:
        if before.count(markup) % 2 and text.startswith(markup):  # "**Answer:** 42"
            text = text[len(markup) :].strip()
        opened, closed = text.startswith(markup), text.endswith(markup)
        if opened and closed and len(text) > 2 * len(markup):
            text = text[len(markup) : -len(markup)].strip()
        elif closed and markup in before:  # "**Answer: 42**"
            text = text[: -len(markup)].strip()
    return text.removesuffix(".").rstrip()


def find_answer_block(reply: str, asked: str) -> AnswerLine | Problem:
    r"""Find an answer that may take several lines: all that follows the only ``Answer:``.

    For grids and lists. As strict as `find_answer_line`: everything there is judged as a whole.
    Lines of a Markdown fence around the answer are left out.

    Args:
        reply: Any string.
        asked: What should stand there, for the messages: ``"the answer"``.

    Example:
        >>> find_answer_block("Rotated:\nAnswer:\n1 2\n3 4", "the grid").text
        '1 2\n3 4'
    """
    reply = plain_spaces(reply)
    lines = _answer_lines(reply)
    if len(lines) != 1:
        return _one_line(reply, lines, asked)  # always a problem
    line = lines[0]
    rest = reply[line.end() :].strip()
    if not rest:
        return _last_line(reply, line, asked)
    before = reply[line.start() : line.start(1)]
    first = _without_markup(line[1].strip(), before)
    rows = [first, *(row.rstrip() for row in rest.split("\n"))]
    text = "\n".join(row for row in rows if row.strip() and not _FENCE.fullmatch(row.strip()))
    if not text:
        message = f'Nothing stands after "Answer:". Write {asked}.'
        return Problem("answer_empty", message, line.span())
    return AnswerLine(text, line.start(), (line.start(1), len(reply)))

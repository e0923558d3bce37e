"""Kinds of our own: lists, tables, dividers (strict mode only)."""

from __future__ import annotations

import re

from corgi_gym.rewards.instructions.kind import Kind, text, whole
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import plural, quote, words

_NUMBERED = re.compile(r"^[ \t]*(\d{1,4})[.)][ \t]+(\S.*)$", re.MULTILINE)
_RULE_CELL = re.compile(r":?-+:?")


def numbered_list(reply: Reply, number: int) -> str | None:
    """Lines numbered 1 to n in order, and no other numbered line."""
    found = [int(m[1]) for m in _NUMBERED.finditer(reply.text) if words(m[2])]
    if found == list(range(1, number + 1)):
        return None
    shown = ", ".join(map(str, found[:12])) or "none"
    return f'The numbered lines are: {shown}. Write lines "1." to "{number}." with text, in order.'


def sub_bullets(reply: Reply, number: int) -> str | None:
    """So many ``*`` bullets (0: any), each followed by at least one indented ``-`` bullet."""
    some = f"{number} bullet points" if number else "bullet points"
    asked = f"Write {some} (*), each with a sub-point (-) below it."
    tops: list[bool] = []  # whether each has a sub-point
    for line in reply.lines:
        if not words(line):
            continue
        if line.startswith("* "):
            tops.append(False)
        elif line.startswith("- ") and tops:
            tops[-1] = True
    if len(tops) != (number or max(1, len(tops))):
        return f"The reply has {plural(len(tops), 'bullet point')} with *. {asked}"
    bare = next((i for i, has_sub in enumerate(tops, start=1) if not has_sub), None)
    return None if bare is None else f"Bullet point {bare} has no sub-point. {asked}"


def table(reply: Reply, rows: int, columns: int) -> str | None:
    """One Markdown table: a head, a rule, so many rows, each with so many filled cells."""
    shape = f"{plural(rows, 'row')} and {plural(columns, 'column')}"
    asked = f"Write a Markdown table with a head, {shape}."
    lines = [[c.strip() for c in ln.strip("|").split("|")] for ln in reply.lines if "|" in ln]
    if len(lines) < 2 or not all(_RULE_CELL.fullmatch(cell) for cell in lines[1]):
        return f"There is no table with a line of dashes below its head. {asked}"
    if len(lines) - 2 != rows:
        return f"The table has {plural(len(lines) - 2, 'row')} below its head. {asked}"
    for i, cells in enumerate(lines):
        if len(cells) != columns or not all(cells):
            cells_asked = plural(columns, "filled cell")
            return f"Line {i + 1} of the table does not have {cells_asked}. {asked}"
    return None


def separator(reply: Reply, mark: str, parts: int) -> str | None:
    """So many different texts, divided by lines that hold only the mark."""
    asked = f"Write {parts} parts, with a line that holds only {quote(mark)} between two."
    held: list[list[str]] = [[]]
    for line in reply.lines:
        if line == mark.strip():
            held.append([])
        else:
            held[-1].append(line)
    texts = [" ".join(words(" ".join(part))).lower() for part in held]
    if len(texts) != parts:
        return f"The reply has {plural(len(texts), 'part')}. {asked}"
    if not all(texts) or len(set(texts)) < parts:
        return f"A part is empty or stands there twice. {asked}"
    return None


KINDS = (
    Kind(
        "format:numbered_list",
        numbered_list,
        fields={"number": whole(1, 1000)},
        asks="a list numbered 1 to n",
    ),
    Kind(
        "format:sub_bullets",
        sub_bullets,
        fields={"number": whole()},
        asks="bullet points that each have a sub-point",
    ),
    Kind(
        "format:table",
        table,
        fields={"rows": whole(1, 1000), "columns": whole(1, 100)},
        asks="a table with so many rows and columns",
    ),
    Kind(
        "format:separator",
        separator,
        fields={"mark": text, "parts": whole(2)},
        asks="parts divided by a line with a mark",
    ),
)

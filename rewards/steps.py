"""The first wrong step of a shown calculation: every ``left = right`` with numbers on both sides.

After TriPosT's scripted feedback for multistep arithmetic (arXiv 2310.13522; code of the stage
"interactive trajectory editing"), which parses one fixed rationale format with Python's ``eval``
and names the first step that fails, its segment and the reason. Changed: any chain of equations in
free text is read, with exact rationals and without ``eval``; a format is not asked for.

A false accusation is worse than a missed error, so a step counts as wrong only if *no* reading of
it is true, and what is not clearly arithmetic is not judged: sides with variables, powers, per
cent, words for operators, "about" signs, remainders, or an unknown word before the left side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corgi_gym.rewards.rational import Expression, ExpressionError, evaluate, plain_signs

# Steps are looked for in this many characters, and this many at most: twice what the full solution
# of the longest shipped task needs, and read in a few milliseconds. What comes later is not judged.
MAX_STEP_CHARS = 4_000
MAX_STEPS = 120

_MATH = "0123456789.,+-*/() \t"
_EQUALS = re.compile(r"(?<![<>!=~:≠≈])=(?![=>~])")
_LETTER_TIMES = re.compile(r"(?<=[0-9)])([ \t]*)[xX](?=[ \t]*[-(0-9])")
_NOTATION = re.compile(r"\\times|\\cdot|\\left|\\right|\\[()\[\]]|[$`]|\*\*")
_LIST_MARK = re.compile(r"[ \t]*(?:[-*+][ \t]+|\(?[0-9]{1,3}[.)][ \t]+)")
_SEPARATOR = re.compile(r"[.,](?:\s+|$)")
# Words after a number that go on with the calculation ("= 7 times 2").
_GOES_ON = re.compile(
    r"(?:times|plus|minus|over|divided|multiplied|squared|cubed|percent|hundred|thousand|million"
    r"|dozen|remainder|rem|r|mod|and a|or)\b",
    re.IGNORECASE,
)
# Words after which an equation starts. After any other word it may be only a part of one ("three
# times 2 + 1 = 9"), and is not judged.
_LEADS = re.compile(
    r"so|then|thus|hence|therefore|now|first|second|third|next|finally|lastly|we|have|get|gives"
    r"|is|are|that|since|because|as|calculate|compute|evaluate|simplify|i"
)


@dataclass(frozen=True, slots=True)
class WrongStep:
    """A step ``left = right`` that is false.

    Attributes:
        left: Text of the left side.
        right: Text of the right side.
        value: What the left side is made of and worth.
        where: Character span of the step in the text.
    """

    left: str
    right: str
    value: Expression
    where: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Steps:
    r"""What was found: how many steps were judged up to the first wrong one, and that one.

    Example:
        >>> check_steps("3 + 4 = 7\nso 7 * 2 = 15 = 15").wrong.right
        '15'
    """

    judged: int
    wrong: WrongStep | None


def check_steps(text: str) -> Steps:
    """Judge the steps in order and stop at the first wrong one."""
    if len(text) > MAX_STEP_CHARS:  # and never cut a number in two
        text = text[:MAX_STEP_CHARS]
        text = text[: max(text.rfind("\n"), text.rfind("="))]
    text = _plain(text)
    seen = judged = offset = 0
    for line in text.split("\n"):
        marks = [match.start() for match in _EQUALS.finditer(line)]
        edges = [-1, *marks, len(line)]
        for before, mark, after in zip(edges, edges[1:], edges[2:], strict=False):
            seen += 1
            if seen > MAX_STEPS:
                return Steps(judged, None)
            left_start, lefts = _left_readings(line, before + 1, mark)
            right_end, rights = _right_readings(line, mark + 1, after)
            pairs = [(left, right) for left in map(_read, lefts) for right in map(_read, rights)]
            known = [(left, right) for left, right in pairs if left and right]
            if not known:
                continue
            judged += 1
            if not any(left[1].value == right[1].value for left, right in known):
                (left, value), (right, _) = known[-1]
                where = (offset + left_start, offset + right_end)
                return Steps(judged, WrongStep(left, right, value, where))
        offset += len(line) + 1
    return Steps(judged, None)


def _plain(text: str) -> str:
    """Replace notation by the same number of plain characters; join lines broken at ``=``."""

    def same_length(match: re.Match[str]) -> str:
        found = match[0]
        if found == "**":
            base = text[max(0, match.start() - 2) : match.start()].rstrip()[-1:]
            power = text[match.end() : match.end() + 2].lstrip()[:1]
            if (base.isdigit() or base == ")") and (power.isdigit() or power in ("(", "-")):
                return "^^"  # a power, not bold: not judged
        symbol = "*" if found in ("\\times", "\\cdot") else " "
        return symbol.ljust(len(found))

    text = _NOTATION.sub(same_length, plain_signs(text))
    text = _LETTER_TIMES.sub(r"\1*", text)
    text = re.sub(r"\n(?=[ \t]*=)", " ", text)
    return re.sub(r"(=[ \t]*)\n", r"\1 ", text)


def _left_readings(line: str, start: int, end: int) -> tuple[int, list[str]]:
    """Possible left sides that end at ``end``: the last run of arithmetic, and parts of it."""
    segment = line[start:end]
    run_start = len(segment.rstrip(_MATH))
    before, run = segment[:run_start], segment[run_start:]
    readings = [run]
    if before:
        last_word = re.search(r"[A-Za-z]{1,12}\Z", before[-12:])
        if last_word is None:
            if before[-1] not in ":;!?":
                return start, []
        elif not _LEADS.fullmatch(last_word[0].lower()) or not run[:1].isspace():
            return start, []
        elif not re.search(r"[0-9)]\s*[-+*/]", run):
            return start, []  # "so 4 = …": a number after a word may belong to the words
    elif mark := _LIST_MARK.match(run):
        readings.append(run[mark.end() :])
    parts = _SEPARATOR.split(run)
    if len(parts) > 1:
        readings.append(parts[-1])
    if run.count("(") > run.count(")"):
        readings.append(run.lstrip(" \t").removeprefix("("))
    return start + run_start + len(run) - len(run.lstrip()), readings


def _right_readings(line: str, start: int, end: int) -> tuple[int, list[str]]:
    """Possible right sides that start at ``start``: the first run of arithmetic, parts of it."""
    segment = line[start:end]
    rest = segment.lstrip(_MATH)
    run = segment[: len(segment) - len(rest)]
    if rest and (rest[0] in "^%!°\\_{" or (rest[0].isalpha() and not run[-1:].isspace())):
        return start, []
    if _GOES_ON.match(rest):
        return start, []
    readings = [run]
    parts = _SEPARATOR.split(run)
    if len(parts) > 1:
        readings.append(parts[0])
    readings += [
        reading.rstrip().removesuffix(")")
        for reading in list(readings)
        if reading.count(")") > reading.count("(")
    ]
    return start + len(run.rstrip()), readings


def _read(text: str) -> tuple[str, Expression] | None:
    try:
        return text.strip(), evaluate(text)
    except ExpressionError:
        return None

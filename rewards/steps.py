"""The first wrong step of a shown calculation: every ``left = right`` with numbers on both sides.

After TriPosT's scripted feedback for multistep arithmetic (arXiv 2310.13522; code of the stage
"interactive trajectory editing"), which parses one fixed rationale format with Python's ``eval``
and names the first step that fails, its segment and the reason. Changed: any chain of equations in
free text is read, with exact rationals and without ``eval``; a format is not asked for.

A false accusation is worse than a missed error, so a step counts as wrong only if *no* reading of
it is true, and what is not clearly arithmetic is not judged: sides with variables, powers, per
cent, words for operators, "about" signs, remainders, an unknown word before the left side, ":" as
a sign of division, or a right side that goes on in words ("20 = 4 groups of 5", "36 = 3 feet").
"x" is a times sign only between numbers, and only where no x of the text is an unknown.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from corgi_gym.rewards.rational import Expression, ExpressionError, evaluate, plain_signs

# Steps are looked for in this many characters, and this many at most: twice what the full solution
# of the longest shipped task needs, and read in a few milliseconds. What comes later is not judged.
MAX_STEP_CHARS = 4_000
MAX_STEPS = 120

_MATH = "0123456789.,+-*/() \t"
_EQUALS = re.compile(r"(?<![<>!=~:≠≈])=(?![=>~])")
_LETTER_TIMES = re.compile(r"(?<=[0-9)])([ \t]*)[xX](?=[ \t]*[(0-9])")
_LETTER_X = re.compile(r"(?<![A-Za-z])[xX](?![A-Za-z])")
_NOTATION = re.compile(r"\\times|\\cdot|\\left|\\right|\\[()\[\]]|[$`]|\*\*")
_LIST_MARK = re.compile(r"[ \t]*(?:[-*+][ \t]+|\(?[0-9]{1,3}[.)][ \t]+)")
_SEPARATOR = re.compile(r"[.,](?:\s+|$)")
# Words after a number that go on with the calculation ("= 7 times 2").
_GOES_ON = re.compile(
    r"(?:times|plus|minus|over|divided|multiplied|squared|cubed|percent|hundred|thousand|million"
    r"|dozen|remainder|rem|r|mod|and a|or)\b",
    re.IGNORECASE,
)
# A letter that stands alone after a number: an unknown ("15 = 3 n").
_UNKNOWN = re.compile(r"[^\W\d_](?![^\W\d_])")
_CLAUSE_END = re.compile(r"[.,;!?](?:\s|\Z)")
# A right side is read on for so many characters: a few words.
_CLAUSE_CHARS = 60
# What makes the words after a number a part of the calculation ("4 groups of 5", "18 days 6 hours",
# "2 apples + 3 apples", "3 boxes x 12", "3 boxes (12 each)").
_MORE = re.compile(
    r"\bof\s+(?:[0-9]|(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b)"
    r"|[a-z]\s{1,3}[0-9.,]{1,20}\s{0,3}[a-z]"
    r"|[a-z]\s{0,3}(?:[+*]|[-/(]\s{0,3}[0-9])"
    r"|\sx\s{0,3}[0-9]",
    re.IGNORECASE,
)
# A number before ":" that only counts; any other may be divided ("10 : 2 = 5") or be a time.
_LABEL = re.compile(
    r"(?:step|part|line|equation|case|day|week|month|year|stage|method)\s?[0-9]{1,3}\s?:",
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


# The text of a side and what it is worth.
Reading = tuple[str, Expression]


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
            if not known or _converts(known, line[right_end:after]):
                continue
            judged += 1
            if not any(left[1].value == right[1].value for left, right in known):
                (left, value), (right, _) = known[-1]
                where = (offset + left_start, offset + right_end)
                return Steps(judged, WrongStep(left, right, value, where))
        offset += len(line) + 1
    return Steps(judged, None)


def _converts(known: list[tuple[Reading, Reading]], rest: str) -> bool:
    """Whether two lone numbers differ and the second has a unit ("36 = 3 feet")."""
    word = re.match(r"\s{0,3}([A-Za-z]{1,20})", rest)
    if word is None or _LEADS.fullmatch(word[1].lower()):
        return False
    return all(
        left.value != right.value and left.operations == right.operations == 0
        for (_, left), (_, right) in known
    )


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
    if len(_LETTER_X.findall(text)) == len(_LETTER_TIMES.findall(text)):  # no x is an unknown
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
            if before[-1] not in ":;!?" or _may_divide(before):
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


def _may_divide(before: str) -> bool:
    """Whether ``before`` ends with a number and ":", and the number is no label ("Step 2:")."""
    number = re.search(r"[0-9)]\s{0,3}:\Z", before[-12:])
    return number is not None and re.search(rf"{_LABEL.pattern}\Z", before[-20:], re.I) is None


def _right_readings(line: str, start: int, end: int) -> tuple[int, list[str]]:
    """Possible right sides that start at ``start``: the first run of arithmetic, parts of it."""
    segment = line[start:end]
    rest = segment.lstrip(_MATH)
    run = segment[: len(segment) - len(rest)]
    if rest[:1].isalpha() and not run[-1:].isspace():
        return start, []
    if _starts_with_sign(rest) or _goes_on(rest):
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


def _starts_with_sign(rest: str) -> bool:
    """Whether a sign goes on with the number: a power, a fraction, money, a ratio, an operator.

    Example:
        >>> [_starts_with_sign(rest) for rest in ("²", "½ + 2½", "€", ": 2", ": so", "→ 3", "")]
        [True, True, True, True, False, False, False]
    """
    if not rest:
        return False
    if rest[0].isascii():
        return rest[0] in "^%!\\_{" or re.match(r":\s?[0-9(]", rest) is not None
    if "ARROW" in unicodedata.name(rest[0], ""):
        return False
    category = unicodedata.category(rest[0])
    return rest[0] in "°‰•" or category[0] == "N" or category in ("Sc", "Sm")


def _goes_on(rest: str) -> bool:
    """Whether words go on with the calculation.

    Example:
        >>> [_goes_on(rest) for rest in ("groups of 5", "n", "times 2", "apples, and 3 + 4")]
        [True, True, True, False]
    """
    if not rest[:1].isalpha():
        return False
    if _UNKNOWN.match(rest) or _GOES_ON.match(rest):
        return True
    clause = _CLAUSE_END.split(rest[:_CLAUSE_CHARS], maxsplit=1)[0]
    return _MORE.search(clause) is not None


def _read(text: str) -> Reading | None:
    try:
        return text.strip(), evaluate(text)
    except ExpressionError:
        return None

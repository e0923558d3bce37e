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

A calculation may go on over lines ("48", "+ 24", "= 72"), and a sign may go on with a number that
stands anywhere before it ("Start with 7. + 5 = 12"). So a left side with a sign in front is judged
only after "=" and at the start of a line, there in three ways: as the item of a list, with the sign
as its own, and as what goes on from the numbers of the line before. A sign and one number is then
nothing by itself ("+ 5 = 12"); only "-5 = 4" before all other numbers is judged.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from corgi_gym.rewards.answer_line import plain_spaces
from corgi_gym.rewards.rational import (
    MAX_EXPRESSION_CHARS,
    Expression,
    ExpressionError,
    evaluate,
    plain_signs,
)

# Steps are looked for in this many characters, and this many at most: twice what the full solution
# of the longest shipped task needs, and read in a few milliseconds. What comes later is not judged.
MAX_STEP_CHARS = 4_000
MAX_STEPS = 120

_MATH = "0123456789.,+-*/() \t"
_EQUALS = re.compile(r"(?<![<>!=~:≠≈])=(?![=>~])")
_LETTER_TIMES = re.compile(r"(?<=[0-9)])([ \t]*)[xX](?=[ \t]*[(0-9])")
_LETTER_X = re.compile(r"(?<![A-Za-z])[xX](?![A-Za-z])")
_NOTATION = re.compile(r"\\times|\\cdot|\\left|\\right|\\[()\[\]]|[$`]|\*\*")
_DIVIDED_FRACTION = re.compile(
    r"[0-9][ \t]*/[ \t]*[0-9]{1,15}[ \t]*\N{DIVISION SIGN}"
    r"|\N{DIVISION SIGN}[ \t]*[0-9]{1,15}[ \t]*/[ \t]*[0-9]"
)
_LIST_MARK = re.compile(r"[ \t]*(?:[-*+][ \t]+|\(?[0-9]{1,3}[.)][ \t]+)")
_SEPARATOR = re.compile(r"[.,](?:\s+|$)")
# A line that starts with a sign: an item of a list, or the calculation before it goes on.
_SIGNED = re.compile(r"[ \t]*(?:\(?[0-9]{1,3}[.)][ \t]+)?[-+*/](?![-+*/])")
# A line after which the calculation goes on ("48 +").
_OPEN = re.compile(
    r"(?:[0-9)][ \t]{0,3}[-+*/\u2010-\u2015]|\b(?:plus|minus|times|by|of))[ \t]{0,3}\Z"
)
_DASH = re.compile("[\u2010-\u2015]")
_OPERATION = re.compile(r"[0-9)][ \t]*[-+*/]")
# So many numbers of the line before are tried in front of a sign.
_EARLIER_NUMBERS = 6
# Words after a number that go on with the calculation ("= 7 times 2").
_GOES_ON = re.compile(
    r"(?:times|plus|minus|over|divided|multiplied|squared|cubed|percent"
    r"|(?:hundred|thousand|million|billion|trillion|dozen)s?|tens|halves|thirds|quarters"
    r"|(?:four|fif|six|seven|eigh|nin|ten|twelf|hundred|thousand)ths"
    r"|(?:(?:and|with|leaving)\s{1,3})?(?:(?:a|the)\s{1,3})?(?:remainder|rem|rest|r)"
    r"|(?:with|leaving)\s{1,3}[0-9]{1,15}|mod|and a|or)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"and\s{1,3}(?=[0-9])", re.IGNORECASE)
_FRACTION = re.compile(r"([0-9]{1,9})/([0-9]{1,9})\b")
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

    Attributes:
        judged: How many steps were judged.
        wrong: The first wrong one.
        complete: Whether all of the text was read, and every equation in it was judged, except
            those that only name something ("Total = 3 + 4").
    """

    judged: int
    wrong: WrongStep | None
    complete: bool = True


# The text of a side and what it is worth.
Reading = tuple[str, Expression]


def check_steps(text: str) -> Steps:
    """Judge the steps in order and stop at the first wrong one."""
    complete = True
    if len(text) > MAX_STEP_CHARS:  # and never cut a number in two
        cut = max(text.rfind("\n", 0, MAX_STEP_CHARS), text.rfind("=", 0, MAX_STEP_CHARS))
        complete = "=" not in text[max(cut, 0) :]
        text = text[: max(cut, 0)]
    lines = _plain(text).split("\n")
    seen = judged = offset = 0
    earlier, opened = "", False  # what a sign may go on from, and whether it has to
    for number, line in enumerate(lines):
        marks = [match.start() for match in _EQUALS.finditer(line)]
        edges = [-1, *marks, len(line)]
        for before, mark, after in zip(edges, edges[1:], edges[2:], strict=False):
            seen += 1
            if seen > MAX_STEPS:
                return Steps(judged, None, complete=False)
            left_start, lefts = _left_readings(line, before + 1, mark, earlier)
            if opened and before < 0:
                lefts = []
            right_end, rights = _right_readings(line, mark + 1, after)
            if rights and after == len(line) and not line[right_end:].strip():
                rights = _carried_on(rights, lines[number + 1 :])
            values = [value for value in map(_read, rights) if value]
            known = [(left, right) for left in map(_read, lefts) if left for right in values]
            if not known or _converts(known, line[right_end:after]):
                complete = complete and not re.search(r"[0-9]", line[before + 1 : mark])
                continue
            judged += 1
            if not any(left[1].value == right[1].value for left, right in known):
                (left, value), (right, _) = known[-1]
                where = (offset + left_start, offset + right_end)
                return Steps(judged, WrongStep(left, right, value, where))
        offset += len(line) + 1
        if re.search(r"[0-9]", line):
            goes_on = not marks and _SIGNED.match(line)
            earlier = f"{_last_run(earlier)} {line.strip()}" if goes_on else line.split("=")[-1]
        if line.strip():
            opened = _OPEN.search(line) is not None
    return Steps(judged, None, complete)


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

    # "3/2 ÷ 4/3" has no reading from left to right that is meant: such a side is not judged
    text = _DIVIDED_FRACTION.sub(
        lambda match: match[0].replace("\N{DIVISION SIGN}", "^"), plain_spaces(text)
    )
    text = _NOTATION.sub(same_length, plain_signs(text))
    if len(_LETTER_X.findall(text)) == len(_LETTER_TIMES.findall(text)):  # no x is an unknown
        text = _LETTER_TIMES.sub(r"\1*", text)
    text = re.sub(r"\n(?=[ \t]*=)", " ", text)
    return re.sub(r"(=[ \t]*)\n", r"\1 ", text)


def _left_readings(line: str, start: int, end: int, earlier: str) -> tuple[int, list[str]]:
    """Possible left sides that end at ``end``: the last run of arithmetic, and parts of it.

    Where the line starts with a sign, they may go on from the numbers of the line ``earlier``.
    """
    segment = line[start:end]
    run_start = len(segment.rstrip(_MATH))
    before, run = segment[:run_start], segment[run_start:]
    if start == 0 and _LABEL.fullmatch(before.strip()):
        before = ""
    readings = [run]
    if before:
        if _starts_signed(run):
            return start, []
        last_word = re.search(r"[A-Za-z]{1,12}\Z", before[-12:])
        if last_word is None:
            if before[-1] not in ":;!?" or _may_divide(before):
                return start, []
        elif not _LEADS.fullmatch(last_word[0].lower()) or not run[:1].isspace():
            return start, []
        elif not _OPERATION.search(run):
            return start, []  # "so 4 = …": a number after a word may belong to the words
    elif start == 0:
        if sign := _SIGNED.match(run):
            lone = not _OPERATION.search(run, sign.end())
            if lone and (earlier or not re.match(r"[ \t]*-[0-9]", run)):
                return start, []  # "+ 5 = 12"
            going_on = run[sign.end() - 1 :]
            readings = [f"{number} {going_on}" for number in _ends_of(earlier)] + readings
        if mark := _LIST_MARK.match(run):
            readings.append(run[mark.end() :])
    parts = _SEPARATOR.split(run)
    if len(parts) > 1 and not _starts_signed(parts[-1]):
        readings.append(parts[-1])
    if run.count("(") > run.count(")"):
        inside = run.lstrip(" \t").removeprefix("(")
        if not (before and _starts_signed(inside)):
            readings.append(inside)
    return start + run_start + len(run) - len(run.lstrip()), readings


def _starts_signed(run: str) -> bool:
    return run.lstrip(" \t")[:1] in ("+", "-")


def _last_run(text: str) -> str:
    """The arithmetic that a text ends with, without a full stop or the like.

    Example:
        >>> _last_run("Start with 48 + 20.")
        '48 + 20'
    """
    text = text[-MAX_EXPRESSION_CHARS:].rstrip(" \t.,:;!?")
    return text[len(text.rstrip(_MATH)) :].strip()


def _ends_of(earlier: str) -> list[str]:
    """What a sign may go on from: the arithmetic that ``earlier`` ends with, or a number in it.

    Example:
        >>> _ends_of("With 2 boxes of 12 + 3:")
        ['12 + 3', '2', '12', '3']
    """
    numbers = re.findall(r"[0-9](?:[0-9.,]{0,20}[0-9])?", _LABEL.sub("", earlier))
    return [_last_run(earlier), *numbers[-_EARLIER_NUMBERS:]]


def _carried_on(rights: list[str], following: list[str]) -> list[str]:
    """Right sides at the end of a line, with what goes on from them on the lines after it.

    What goes on must be worth what it is said to be: otherwise it is a step of its own.

    Example:
        >>> _carried_on(["48"], ["+ 20", "+ 4 = 72"]), _carried_on(["48"], ["- 2 + 2 = 0"])
        (['48 + 20 + 4 ', '48'], ['48'])
        >>> _carried_on(["5"], ["Remainder: 2"])
        []
    """
    if following and _GOES_ON.match(following[0].lstrip(" \t-*+")):
        return []
    whole = rights[0]
    for line in following:
        start, *results = _DASH.sub("-", line).split("=")
        if not _SIGNED.match(start):
            break
        whole += " " + start[: len(start) - len(start.lstrip(_MATH))]
        if results:
            total = _read(whole)
            found = [_read(text) for text in _right_readings(results[0], 0, len(results[0]))[1]]
            if total and total[1].value not in [result[1].value for result in found if result]:
                return rights
        if results or start.strip(_MATH):
            break
    return rights if whole == rights[0] else [whole, *rights]


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
    if re.search(r"[0-9)]\s{1,3}\Z", run) and _adds_number(rest + line[end : end + 1]):
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
        >>> [_starts_with_sign(rest) for rest in ("– 28", "– so", "'000")]
        [True, False, True]
    """
    if not rest:
        return False
    if re.match(r"['’][0-9]", rest):  # between thousands
        return True
    if rest[0].isascii():
        return rest[0] in "^%!\\_{" or re.match(r":\s?[0-9(]", rest) is not None
    if "ARROW" in unicodedata.name(rest[0], ""):
        return False
    category = unicodedata.category(rest[0])
    if category == "Pd":  # a dash for a minus sign
        return re.match(r".\s{0,3}[0-9(]", rest) is not None
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


def _adds_number(rest: str) -> bool:
    """Whether "and" goes on with a number that starts no equation of its own.

    Example:
        >>> [_adds_number(rest) for rest in ("and 1/2 = 3.5", "and 2 left", "and 8/2 = 4")]
        [True, True, False]
    """
    match = _AND.match(rest)
    if match is None:
        return False
    fraction = _FRACTION.match(rest, match.end())
    if fraction and int(fraction[1]) < int(fraction[2]):
        return True
    return rest[match.end() :].strip(_MATH) != "="


def _read(text: str) -> Reading | None:
    try:
        return text.strip(), evaluate(text)
    except ExpressionError:
        return None

"""The families of reasoning-gym, judged more strictly than by its own scorers.

Source: reasoning-gym (arXiv 2505.24760, Apache-2.0). Its default scorer pays for containing the
stored answer ("-12" earns two thirds for 12), one family pays for any text at all, some read
numbers out of longer text or evaluate what the model wrote. Changed: the answer stands alone after
the only ``Answer:`` of the reply and is *equal* to the stored one, after both are read in the
family's way (`COMPARE`: as text, a list, a fraction, …). Where several answers are right
(`SEVERAL`), an answer of the right form is given to their scorer in a worker process, and counts
when it earns exactly 1. Families whose stored answers are defective are left out (`EXCLUDED`).

The target of a task is ``{"family": "chain_sum", "answers": ["12"], …}``, with one answer for each
question of the task.

Score: 1.0 if all answers are right, else 0.1 for as many answers as questions (of several questions
0.1 + 0.3 * right / all), else 0. Not checked: text before the answer.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from corgi_gym.rewards._reasoning_gym_table import COMPARE, SEVERAL
from corgi_gym.rewards.answer_line import find_answer_block
from corgi_gym.rewards.isolate import Isolated
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import plural, quote
from corgi_gym.rewards.verdict import Problem, Verdict

FORMAT_CREDIT = 0.1
RIGHT_CREDIT = 0.3
# Longest answer that is read, in characters; the longest stored one seen has 9,000.
MAX_ANSWER_CHARS = 12_000
# Brackets inside brackets in a list: stored answers need 3.
_MAX_NESTING = 20
# Their scorers answer within 0.2 s; making a task again takes up to 1 s.
_DEADLINE, _MEMORY_MB = 5.0, 2048
# How far a number may be from the stored one, from the precision that the question asks for.
_TOLERANCE = {"pool_matrix": "0.0051", "number_format": "0.0005", "polynomial_equations": "0.00011"}
_WORKER = "corgi_gym.rewards._reasoning_gym_worker:score"
_POOL = Isolated(_WORKER, deadline=_DEADLINE, memory_mb=_MEMORY_MB)

_WHOLE = re.compile("-?[1-9][0-9]{0,14}|0")
_ZEROS = re.compile(r"(?<![\w.])(\d{1,40})\.(\d{0,40}?)0{1,40}(?![\w.])")
_MINUS_ZERO = re.compile(r"(?<![\w.)])-0{1,40}(?:\.0{0,40})?(?![\w.])")
_NUMBER = re.compile(r"[-+]?\d{1,25}(?:\.\d{1,25})?")
_SCIENTIFIC = re.compile(r"[-+]?\d{1,25}(?:\.\d{1,40})?(?:[eE][-+]?\d{1,3})?")
_LATEX = re.compile(r"\\[dt]?frac\{(-?\d{1,20})\}\{(\d{1,20})\}")
_SIMPLE_FRACTION = re.compile(r"-?\d{1,20}(?:/\d{1,20})?")

_SUM = {"family": "chain_sum", "answers": ["12"]}
_GRID = {"family": "rotate_matrix", "answers": ["1 2\n3 4"]}
_LISTS = {"family": "group_anagrams", "answers": ['[["eat", "tea"], ["on", "no"]]']}
_MAKE = {"family": "puzzle24", "answers": ["7*(4 - 2) + 10"], "numbers": [2, 4, 7, 10], "goal": 24}
_TWICE = {"family": "ransom_note", "answers": ["True", "False"]}


@checker(
    "reasoning_gym",
    slow=True,  # waits for a guarded process
    examples=[
        ("5 + 7 = 12\nAnswer: 12", _SUM, True),
        ("Answer: 12.0", _SUM, True),
        ("Answer:\n```\n1 2\n3  4\n```", _GRID, True),
        ('Answer: [["no", "on"], ["tea", "eat"]]', _LISTS, True),
        ("Answer: 10 + (4 - 2) * 7", _MAKE, True),
        ("Answer:\ntrue\nfalse", _TWICE, True),
        ("Answer: -12", _SUM, False),
        ("Answer: 12 or 13", _SUM, False),
        ("Answer: 5 + 7", _SUM, False),
        ("12", _SUM, False),
        ("Answer: 1 2 3 4", _GRID, False),
        ('Answer: [["no", "on", "tea", "eat"]]', _LISTS, False),
        ("Answer: 12 + 12", _MAKE, False),
        ("Answer: 24", _MAKE, False),
        ("Answer:\nTrue\nTrue", _TWICE, False),
        ("Answer: True", _TWICE, False),
    ],
)
def reasoning_gym(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the answer or answers in ``reply`` against ``target``."""
    stored = target["answers"]
    alone = len(stored) == 1
    asked = "the answer alone" if alone else f"the {len(stored)} answers, one a line"
    block = find_answer_block(reply, asked)
    if isinstance(block, Problem):
        return Verdict.wrong(0.0, block)
    if len(block.text) > MAX_ANSWER_CHARS:
        text = f"Your answer has {len(block.text)} characters. Write at most {MAX_ANSWER_CHARS}."
        return Verdict.wrong(0.0, Problem("answer_too_long", text, block.where))
    given = [block.text] if alone else block.text.split("\n")
    if len(given) != len(stored):
        found = plural(len(given), "line")
        text = f"Your answer has {found}. Write {asked}, in the order of the questions."
        return Verdict.wrong(0.0, Problem("answer_count", text, block.where))
    try:
        right = 0
        for number, answer in enumerate(given):
            right += _is_right(answer, stored[number], target, number)
    except _NotJudged as error:
        return Verdict.unscored(str(error))
    if right == len(stored):
        return Verdict.ok()
    if alone:
        text = f"The answer {quote(block.text)} is not right."
        return Verdict.wrong(FORMAT_CREDIT, Problem("wrong_answer", text, block.where))
    # which ones is not told: of questions with two possible answers, that would be the answers
    text = f"{right} of your {len(stored)} answers are right."
    score = FORMAT_CREDIT + RIGHT_CREDIT * right / len(stored)
    return Verdict.wrong(score, Problem("wrong_answer", text, block.where))


class _NotJudged(Exception):
    """Their scorer failed or took too long."""


def _is_right(given: str, stored: str, target: Mapping[str, Any], number: int) -> bool:
    family = target["family"]
    if "-" in given and _MINUS_ZERO.search(given) and not _MINUS_ZERO.search(stored):
        return False  # a minus before the right answer must never be right
    read = _READERS.get(COMPARE.get(family, ""))
    if read is not None:
        expected = read(stored, target)
        if expected is None or expected is False:  # a reply could be read as the same nothing
            raise _NotJudged(f"the stored answer of {family} cannot be read: {stored!r:.80}")
        return bool(read(given, target) == expected)
    if given == stored or _plain(given) == _plain(stored):
        return True
    if family not in SEVERAL:
        return False
    clean = "\n".join(" ".join(row.split()) for row in given.split("\n"))
    if not re.fullmatch(SEVERAL[family], clean) or not _unambiguous(family, clean):
        return False
    settings = target.get("settings", {})
    outcome = _POOL.call(family, settings, target["items"][number], clean)
    if outcome.status != "ok":
        raise _NotJudged(f"scorer of {family}: {outcome.status} {outcome.error or ''}".strip())
    return bool(outcome.value == 1.0)


def _unambiguous(family: str, answer: str) -> bool:
    """What a pattern cannot say: no letter twice, no names but single letters."""
    if family == "cryptarithm":
        letters = re.findall("[A-Z]", answer)
        return len(set(letters)) == len(letters)
    if family == "simple_integration":
        return all(len(name) == 1 for name in re.findall("[A-Za-z]+", answer))
    return True


# ---------------------------------------------------------------- how answers are read


def _plain(text: str) -> str:
    """As text: any case, spaces and trailing zeros; without a final full stop or degree sign."""
    if _WHOLE.fullmatch(text):  # the most frequent answer, and plain already
        return text
    rows = (" ".join(row.split()) for row in text.replace("\N{DEGREE SIGN}", "").split("\n"))
    text = "\n".join(row for row in rows if row).casefold().removesuffix(".")
    value = literal(text)
    if value is not None:
        return str(value)
    return _ZEROS.sub(lambda m: m[1] + (f".{m[2]}" if m[2] else ""), text)


def _json(text: str, target: Mapping[str, Any] | None = None) -> Any:
    """As nested lists of texts."""
    if max(text.count("["), text.count("{")) and _depth(text) > _MAX_NESTING:
        return None
    for version in (text, text.replace("'", '"')):
        try:
            value = json.loads(version, parse_float=str, parse_int=str, object_pairs_hook=_pairs)
            return _frozen(value)
        except (ValueError, RecursionError):
            continue
    return None


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return ("list", *map(_frozen, value))
    if isinstance(value, dict):
        return ("object", *sorted((name, _frozen(part)) for name, part in value.items()))
    return _plain(value) if isinstance(value, str) else repr(value)


def _nested(text: str, target: Mapping[str, Any]) -> Any:
    """As nested lists in any order."""
    value = _json(text)
    return _sorted(value) if isinstance(value, tuple) else None


def _sorted(value: Any) -> Any:
    return tuple(sorted(map(_sorted, value), key=repr)) if isinstance(value, tuple) else value


def _fraction(text: str, target: Mapping[str, Any]) -> str | None:
    """As a fraction, in plain text or LaTeX; not reduced, because reducing is the task."""
    text = _LATEX.sub(r"\1/\2", text.strip().strip("$").strip()).replace(" ", "")
    return text if _SIMPLE_FRACTION.fullmatch(text) else None


def _factors(text: str, target: Mapping[str, Any]) -> tuple[int, ...] | None:
    parts = [part.strip() for part in re.split("[*x×]", text.strip())]
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        return None
    return tuple(sorted(map(int, parts)))


def _three_digits(text: str, target: Mapping[str, Any]) -> str | None:
    text = text.strip()
    return f"{float(text):.2e}" if _SCIENTIFIC.fullmatch(text) else None


class _Near:
    """Rows of numbers that equal others within a tolerance."""

    def __init__(self, rows: list[list[Fraction]], tolerance: Fraction) -> None:
        self.rows, self.tolerance = rows, tolerance

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Near) or list(map(len, self.rows)) != list(map(len, other.rows)):
            return False
        rows = zip(self.rows, other.rows, strict=True)
        pairs = (pair for row in rows for pair in zip(*row, strict=True))
        return all(abs(a - b) <= self.tolerance for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]


def _close(text: str, target: Mapping[str, Any]) -> _Near | None:
    if target["family"] == "number_format":
        text = text.replace(",", "")
    rows = [row.replace(", ", " ").split() for row in text.strip().split("\n")]
    if not all(_NUMBER.fullmatch(part) for row in rows for part in row):
        return None
    values = [[Fraction(part) for part in row] for row in rows]
    if target["family"] == "polynomial_equations":  # solutions in any order
        values = [sorted(row) for row in values]
    return _Near(values, Fraction(_TOLERANCE[target["family"]]))


def _expression(text: str, target: Mapping[str, Any]) -> bool | None:
    """Whether an expression uses just the given numbers and reaches the goal."""
    try:
        found = evaluate(text)
    except ExpressionError:
        return None
    used = Counter(found.numbers) == Counter(Fraction(n) for n in target["numbers"])
    return used and found.value == target["goal"]


def _one_of(text: str, target: Mapping[str, Any]) -> bool:
    return _plain(text) in map(_plain, target["accepted"])


def _palindrome(text: str, target: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The letters of a palindrome, sorted."""
    text = text.strip().casefold()
    return tuple(sorted(text)) if text == text[::-1] else None


_READERS: dict[str, Callable[[str, Mapping[str, Any]], Any]] = {
    "json": _json,
    "nested": _nested,
    "fraction": _fraction,
    "factors": _factors,
    "three_digits": _three_digits,
    "close": _close,
    "expression": _expression,
    "one_of": _one_of,
    "palindrome": _palindrome,
}

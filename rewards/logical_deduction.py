"""Logical deduction: the one order that all statements allow, or the letter of the true option.

Source: BIG-bench's logical deduction, which TriPosT (arXiv 2310.13522) trains on as well: three,
five or seven objects in a row, statements about them, and options of which one is true. Changed: by
default the whole order is asked for. Among 3 to 7 lettered options a blind guess is right once in 3
to 7 times, among the orders once in 6 to 5,040.

The target of a task is ``{"order": ["owl", "hawk", "crow"], "statements": [["owl", "before",
"hawk"], …]}``, from first to last; or ``{"option": "B"}`` for the form with options.

Score of an order:

| reply                                          | score                               |
|------------------------------------------------|-------------------------------------|
| the order                                      | 1.0                                 |
| each object once, but not all statements hold  | 0.1 + 0.3 * statements that hold/all |
| anything else                                  | 0.0                                 |

A random order earns about 0.25. Feedback names the first statement that the order breaks, which
anyone can check who reads both. Of options, the right one earns 1.0, another one 0.1, and feedback
can only say that the option is not the true one: after it, fewer are left to guess from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import listing, quote
from corgi_gym.rewards.verdict import Problem, Verdict

FORMAT_CREDIT = 0.1
STATEMENT_CREDIT = 0.3
_MARKDOWN = "*_`"  # around single names, too: "**owl**, **hawk**"
_SEPARATOR = re.compile(r"[ \t]*[,;][ \t]*")
_OPTION = re.compile(r"\(?([A-Ga-g])\)?")
# Objects named in one message; more would only flood it.
_MAX_NAMED = 4
_SPARE_OBJECTS = 20

# "a before b", "a at 2" (counted from the first), "a at -1" (from the last).
Statement = Sequence[str | int]

_ORDER = {
    "order": ["owl", "hawk", "crow"],
    "statements": [["owl", "before", "hawk"], ["crow", "at", -1]],
    "texts": ["The owl is to the left of the hawk.", "The crow is the rightmost."],
}
_CHOICE = {"option": "B"}


@checker(
    "logical_deduction",
    examples=[
        ("The crow is last, so the owl is first.\nAnswer: owl, hawk, crow", _ORDER, True),
        ("**Answer:** Owl, Hawk, Crow.", _ORDER, True),
        ("Answer: the owl, the hawk, the crow", _ORDER, True),
        ("Answer: hawk, owl, crow", _ORDER, False),
        ("Answer: owl, hawk", _ORDER, False),
        ("Answer: owl, hawk, crow, owl", _ORDER, False),
        ("Answer: owl, hawk, crow or hawk, owl, crow", _ORDER, False),
        ("Answer: owl hawk crow", _ORDER, False),
        ("owl, hawk, crow", _ORDER, False),
        ("Answer: (B)", _CHOICE, True),
        ("Answer: B", _CHOICE, True),
        ("Answer: (A)", _CHOICE, False),
        ("Answer: A or B", _CHOICE, False),
        ("Answer: not A", _CHOICE, False),
        ("Answer: ABCDEFG", _CHOICE, False),
    ],
)
def logical_deduction(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the order or option in ``reply`` against ``target`` (see the module's docstring)."""
    if "option" in target:
        return _judge_option(reply, target["option"])
    order = list(target["order"])
    line = find_answer_line(reply, f"the {len(order)} objects in their order")
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    found = [
        part.lower().strip(_MARKDOWN).removeprefix("the ")
        for part in _SEPARATOR.split(line.text, maxsplit=len(order) + _SPARE_OBJECTS)
    ]
    while found and not found[-1]:  # "owl, hawk, crow,"
        found.pop()
    problems = _membership(found, order, line)
    if problems:
        return Verdict.wrong(0.0, *problems)
    if found == order:
        return Verdict.ok()
    place = {name: number for number, name in enumerate(found)}
    broken = [not holds(statement, place) for statement in target["statements"]]
    text = "Your order breaks this statement: " + target["texts"][broken.index(True)]
    score = FORMAT_CREDIT + STATEMENT_CREDIT * broken.count(False) / len(broken)
    return Verdict.wrong(score, Problem("statement_broken", text, line.where))


def holds(statement: Statement, place: Mapping[str, int]) -> bool:
    """Whether a statement is true of the objects' places (0 is the first).

    Example:
        >>> holds(("owl", "before", "hawk"), {"owl": 0, "hawk": 1})
        True
    """
    name, relation, other = statement
    if relation == "before":
        return place[str(name)] < place[str(other)]
    number = int(other)
    return place[str(name)] == (number - 1 if number > 0 else len(place) + number)


def _membership(found: list[str], order: list[str], line: AnswerLine) -> list[Problem]:
    """Objects that are missing, unknown or repeated."""
    counts = Counter(found)
    missing = [name for name in sorted(order) if name not in counts]
    unknown = [name for name in counts if name not in order]
    repeated = [name for name in sorted(order) if counts[name] > 1]
    problems = []
    if missing:
        text = f"Your order lacks {_named(missing)}. Write all {len(order)}, separated by commas."
        problems.append(Problem("object_missing", text, line.where))
    if unknown:
        text = f"Your order has {_named(unknown)}, which the task does not name."
        problems.append(Problem("object_unknown", text, line.where))
    if repeated:
        text = f"Your order repeats {_named(repeated)}. Write each once."
        problems.append(Problem("object_repeated", text, line.where))
    return problems


def _named(names: list[str]) -> str:
    shown = [quote(name) for name in names[:_MAX_NAMED]]
    if len(names) > _MAX_NAMED:
        shown.append(f"{len(names) - _MAX_NAMED} more")
    return listing(shown)


def _judge_option(reply: str, option: str) -> Verdict:
    line = find_answer_line(reply, "one letter")
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    match = _OPTION.fullmatch(line.text)
    if match is None:
        text = f'After "Answer:" you wrote {quote(line.text)}. Write the letter of one option.'
        return Verdict.wrong(0.0, Problem("option_form", text, line.where))
    letter = match[1].upper()
    if letter == option:
        return Verdict.ok()
    text = f"Option ({letter}) does not follow from the statements."
    return Verdict.wrong(FORMAT_CREDIT, Problem("wrong_option", text, line.where))

"""Fractions in lowest terms, and quantities in the asked unit: exact rationals throughout.

The target of a task is ``{"answer": "7/12", "unit": ""}`` for a fraction, or ``{"answer": "42",
"unit": "inches"}`` for a quantity. A fraction must be written as one (no decimal, no mixed number)
and in lowest terms. A quantity is one number (integer, decimal or fraction) with the asked unit,
by its name or usual symbol: "5 feet" is no answer where meters are asked for, whatever it is worth.

Score:

| reply                                                              | score |
|--------------------------------------------------------------------|-------|
| right value in the asked form, no false step                       | 1.0   |
| right value in the asked form, a false step                        | 0.5   |
| right value, but not in lowest terms                               | 0.3   |
| right value, but no unit or another                                | 0.2   |
| right value as a decimal where a fraction is asked for             | 0.1   |
| one number in the asked place, but wrong                           | 0.1   |
| anything else                                                      | 0.0   |

What feedback tells: what is wrong with the form, whether the value is wrong (one bit), and the
first false step as in `corgi_gym.rewards.working`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from corgi_gym.rewards.answer_line import AnswerLine, find_answer_line
from corgi_gym.rewards.rational import MAX_DIGITS, literal, plain_signs
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.steps import check_steps
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem, Verdict
from corgi_gym.rewards.working import FALSE_STEP_CREDIT, FORMAT_CREDIT, wrong_step

LOWEST_TERMS_CREDIT = 0.3
UNIT_CREDIT = 0.2

# How a unit may be written, next to its plural name.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "millimeters": ("millimeter", "millimetre", "millimetres", "mm"),
    "centimeters": ("centimeter", "centimetre", "centimetres", "cm"),
    "meters": ("meter", "metre", "metres", "m"),
    "kilometers": ("kilometer", "kilometre", "kilometres", "km"),
    "inches": ("inch", "in"),
    "feet": ("foot", "ft"),
    "yards": ("yard", "yd"),
    "miles": ("mile", "mi"),
    "milligrams": ("milligram", "mg"),
    "grams": ("gram", "g"),
    "kilograms": ("kilogram", "kg"),
    "tonnes": ("tonne", "t"),
    "ounces": ("ounce", "oz"),
    "pounds": ("pound", "lb", "lbs"),
    "milliliters": ("milliliter", "millilitre", "millilitres", "ml"),
    "liters": ("liter", "litre", "litres", "l"),
    "cups": ("cup",),
    "pints": ("pint", "pt"),
    "quarts": ("quart", "qt"),
    "gallons": ("gallon", "gal"),
    "seconds": ("second", "s", "sec"),
    "minutes": ("minute", "min"),
    "hours": ("hour", "h"),
    "days": ("day", "d"),
    "weeks": ("week",),
}
# Each system from its smallest unit upwards, with how many of the unit before make one.
SYSTEMS: tuple[tuple[tuple[str, int], ...], ...] = (
    (("millimeters", 1), ("centimeters", 10), ("meters", 100), ("kilometers", 1000)),
    (("inches", 1), ("feet", 12), ("yards", 3), ("miles", 1760)),
    (("milligrams", 1), ("grams", 1000), ("kilograms", 1000), ("tonnes", 1000)),
    (("ounces", 1), ("pounds", 16)),
    (("milliliters", 1), ("liters", 1000)),
    (("cups", 1), ("pints", 2), ("quarts", 2), ("gallons", 4)),
    (("seconds", 1), ("minutes", 60), ("hours", 60), ("days", 24), ("weeks", 7)),
)
_NAMES = {word: name for name, words in SPELLINGS.items() for word in (name, *words)}
# Any case will do, but a capital M stands for a million: Mg, Mm and ML are other units.
_MILLI = ("mg", "ml", "mm")
_QUANTITY = re.compile(
    r"(?P<number>(?:[-+] ?)?[0-9.,/]{1,40})[ \t]{0,4}(?P<unit>[A-Za-z]{1,20})?\.?"
)
_FRACTION = re.compile(rf"(?:[-+] ?)?[0-9]{{1,{MAX_DIGITS}}}/[0-9]{{1,{MAX_DIGITS}}}")
_MIXED = re.compile(r"(?:[-+] ?)?[0-9]{1,15}[ \t]+(?:and[ \t]+)?[0-9]{1,15}/[0-9]{1,15}")

_SUM = {"answer": "7/12", "unit": ""}
_LENGTH = {"answer": "42", "unit": "inches"}


@checker(
    "fractions_units",
    examples=[
        ("1/3 + 1/4 = 4/12 + 3/12 = 7/12\nAnswer: 7/12", _SUM, True),
        ("**Answer: 7/12.**", _SUM, True),
        ("3.5 * 12 = 42\nAnswer: 42 inches", _LENGTH, True),
        ("Answer: 42 in", _LENGTH, True),
        ("Answer: 42.0 inches", _LENGTH, True),
        ("Answer: 14/24", _SUM, False),
        ("Answer: 0.5833", _SUM, False),
        ("Answer: 1/3 + 1/4", _SUM, False),
        ("Answer: 7/12 inches", _SUM, False),
        ("Answer: 42", _LENGTH, False),
        ("Answer: 3.5 feet", _LENGTH, False),
        ("Answer: 42 feet", _LENGTH, False),
        ("Answer: 42 inches or 43 inches", _LENGTH, False),
        ("Answer: 41 inches", _LENGTH, False),
        ("Answer: 3 feet 6 inches", _LENGTH, False),
        ("3.5 * 12 = 40\nAnswer: 42 inches", _LENGTH, False),
        ("42 inches", _LENGTH, False),
    ],
)
def fractions_units(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the number in ``reply`` against ``target`` (see the module's docstring)."""
    expected, unit = Fraction(target["answer"]), str(target["unit"])
    line = find_answer_line(reply, f'one number and the unit "{unit}"' if unit else "one fraction")
    steps = check_steps(reply[: line.line_start] if isinstance(line, AnswerLine) else reply)
    problems = [] if steps.wrong is None else [wrong_step(steps.wrong, expected)]
    value, credit = None, FALSE_STEP_CREDIT
    if isinstance(line, Problem):
        problems.append(line)
    else:
        value, form, form_credit = _quantity(line, unit) if unit else _fraction(line)
        if form is not None:
            problems.append(form)
            credit = form_credit
        other = form is not None and form.kind == "wrong_unit"
        if (
            value is not None
            and value != expected
            and not (other and _in_unit(value, line, unit) == expected)
        ):
            text = f"The answer is not {quote(line.text)}."
            problems.append(Problem("wrong_answer", text, line.where))
    if not problems:
        return Verdict.ok(steps=float(steps.judged))
    score = 0.0
    if value is not None:
        score = credit if value == expected else FORMAT_CREDIT
    return Verdict.wrong(score, *problems, steps=float(steps.judged))


# The value (None: there is none to judge), what is wrong with the form, and its credit.
Read = tuple[Fraction | None, Problem | None, float]


def _fraction(line: AnswerLine) -> Read:
    text = plain_signs(line.text)
    value = literal(text)
    if value is not None and "." not in text:
        return value, None, FALSE_STEP_CREDIT
    if value is not None:
        message = f"You wrote the decimal {quote(text)}. Write a fraction in lowest terms."
        return value, Problem("not_a_fraction", message, line.where), FORMAT_CREDIT
    if _MIXED.fullmatch(text):
        message = f"You wrote the mixed number {quote(text)}. Write one fraction, such as 3/2."
        return None, Problem("not_a_fraction", message, line.where), 0.0
    if _FRACTION.fullmatch(text):
        top, bottom = map(int, text.replace(" ", "").split("/"))
        if bottom:
            message = f"{quote(text)} is not in lowest terms."
            if bottom == 1:
                message = f'You wrote {quote(text)}. Write a whole number without "/1".'
            problem = Problem("lowest_terms", message, line.where)
            return Fraction(top, bottom), problem, LOWEST_TERMS_CREDIT
    message = f'After "Answer:" you wrote {quote(text)}. Write one fraction in lowest terms.'
    return None, Problem("not_a_fraction", message, line.where), 0.0


def _in_unit(value: Fraction, line: AnswerLine, unit: str) -> Fraction | None:
    """A quantity that was written in another unit, in the asked one; None across systems."""
    match = _QUANTITY.fullmatch(plain_signs(line.text))
    written = _NAMES.get(match["unit"].lower(), "") if match else ""
    sizes = next(held for held in _SIZES if unit in held)
    return value * sizes[written] / sizes[unit] if written in sizes else None


def _sizes(system: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """How many of a system's smallest unit each unit is."""
    size = 1
    return {name: (size := size * factor) for name, factor in system}


_SIZES = tuple(map(_sizes, SYSTEMS))


def _quantity(line: AnswerLine, unit: str) -> Read:
    match = _QUANTITY.fullmatch(plain_signs(line.text))
    value = literal(match["number"]) if match else None
    if match is None or value is None:
        shown = quote(line.text)
        message = f'After "Answer:" you wrote {shown}. Write one number and the unit "{unit}".'
        return None, Problem("answer_not_number", message, line.where), 0.0
    if match["unit"] is None:
        message = f'You wrote {quote(line.text)} without a unit. Write the unit "{unit}".'
        return value, Problem("unit_missing", message, line.where), UNIT_CREDIT
    written = match["unit"].lower()
    is_mega = written in _MILLI and match["unit"][0] == "M"
    if _NAMES.get(written) != unit or is_mega:
        message = f'You wrote the unit {quote(match["unit"])}. The task asks for "{unit}".'
        return value, Problem("wrong_unit", message, line.where), UNIT_CREDIT
    return value, None, FALSE_STEP_CREDIT

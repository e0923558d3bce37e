"""Our parser against `fractions`, its limits, and positions of errors."""

import contextlib
import random
import time
from fractions import Fraction

import pytest

from corgi_gym.rewards import rational
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal, plain_signs, show

OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
PRINTED = {"*": "\N{MULTIPLICATION SIGN}", "/": "\N{DIVISION SIGN}", "-": "\N{MINUS SIGN}"}


def random_tree(rng: random.Random, leaves: int) -> tuple[Fraction, str, int, int]:
    """(value, text, precedence, operations) of a random tree, printed with random spaces."""
    if leaves == 1:
        if rng.random() < 0.3:
            text = f"{rng.randrange(100)}.{rng.randrange(100):02d}"
        else:
            text = str(rng.randrange(1000))
        value = Fraction(text)
        if rng.random() < 0.3:
            return -value, f"-{text}", 3, 0
        return value, text, 3, 0
    split = rng.randrange(1, leaves)
    left, ltext, lprec, lops = random_tree(rng, split)
    right, rtext, rprec, rops = random_tree(rng, leaves - split)
    operator = rng.choice("+-*/")
    if operator == "/" and right == 0:
        operator = "+"
    value, precedence = OPERATIONS[operator](left, right), PRECEDENCE[operator]
    if lprec < precedence or rng.random() < 0.1:
        ltext = f"({ltext})"
    same = rprec == precedence and (operator in "-/" or "/" in rtext)
    if rprec < precedence or same or rng.random() < 0.1:
        rtext = f"({rtext})"
    space = rng.choice(["", " ", "  "])
    sign = PRINTED.get(operator, operator) if rng.random() < 0.2 else operator
    text = f"{ltext}{space}{sign}{space}{rtext}"
    if rng.random() < 0.1:
        return -value, f"-({text})", 3, lops + rops + 1
    return value, text, precedence, lops + rops + 1


def test_agrees_with_fractions_on_random_trees():
    rng = random.Random(1)
    for _ in range(1_500):
        leaves = rng.randrange(1, 13)
        value, text, _, operations = random_tree(rng, leaves)
        found = evaluate(text)
        assert (found.value, found.operations) == (value, operations), text
        assert len(found.numbers) == leaves
        assert all(isinstance(number, Fraction) and number >= 0 for number in found.numbers)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 - 3 - 4", -5),
        ("16 / 4 / 2", 2),
        ("2 + 3 * 4", 14),
        ("-3 * -4", 12),
        ("--3", 3),
        ("9 - -4", 13),
        ("2 + +3", 5),
        ("-(3 - 5)", 2),
        (".5 + 0.5", 1),
        ("1,000 * 2", 2000),
        ("((((7))))", 7),
        ("  8\t- 1 ", 7),
    ],
)
def test_values(text, value):
    assert evaluate(text).value == value


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "a number was expected"),
        ("   ", 3, "a number was expected"),
        ("3 +", 3, "a number was expected"),
        ("3 + * 4", 4, "a number was expected"),
        ("3 4", 2, "an operator was expected"),
        ("2(3)", 1, "an operator was expected"),
        ("(3 + 4", 0, 'this "(" is never closed'),
        ("3 + 4)", 5, 'this ")" closes nothing'),
        ("()", 1, "a number was expected"),
        ("9^9", 1, "powers are not allowed"),
        ("9**9", 2, "powers are not allowed"),
        ("5!", 1, "this character is not allowed"),
        ("1e9", 1, "this character is not allowed"),
        ("x + 1", 0, "this character is not allowed"),
        ("1 / (2 - 2)", 2, "this divides by zero"),
        ("1_000", 1, "this character is not allowed"),
        ("\N{ARABIC-INDIC DIGIT FOUR}", 0, "this character is not allowed"),
        ("1,23", 1, "this character is not allowed"),
        ("0,005", 1, "this character is not allowed"),
        ("2 + 00,500", 6, "this character is not allowed"),
    ],
)
def test_errors_have_a_position(text, position, reason):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert (caught.value.position, caught.value.reason) == (position, reason)


def limits():
    nested = rational.MAX_NESTING
    return [
        "(" * 5_000,
        "(" * (nested + 1) + "1" + ")" * (nested + 1),
        "(1) + " + "(" * (nested + 1) + "1" + ")" * (nested + 1),
        "1" * 10_000,
        "1" * (rational.MAX_DIGITS + 1),
        "+".join("1" * (rational.MAX_OPERANDS + 1)),
        "1" + " " * rational.MAX_EXPRESSION_CHARS,
        "1e999999999",
        "10**10**8",
        "9^9^9",
        "100000000!",
    ]


@pytest.mark.parametrize("text", limits())
def test_limits_are_errors(text):
    with pytest.raises(ExpressionError):
        evaluate(text)
    assert literal(text) is None


def test_the_limits_themselves_are_allowed():
    nested = rational.MAX_NESTING
    assert evaluate("(" * nested + "1" + ")" * nested).value == 1
    side_by_side = " + ".join(["(1)"] * (2 * nested))
    assert evaluate(side_by_side).value == 2 * nested
    assert evaluate("+".join("1" * rational.MAX_OPERANDS)).value == rational.MAX_OPERANDS
    assert evaluate("1" * rational.MAX_DIGITS).value == int("1" * rational.MAX_DIGITS)


def test_worst_strings_are_quick():
    rng = random.Random(2)
    fractions = "+".join(f"1/{rng.randrange(10**14, 10**15)}" for _ in range(26))
    size = rational.MAX_EXPRESSION_CHARS
    worst = [fractions[:size], "-" * (size - 1) + "1", ("1/3-" * 99)[: size - 1] + "1"]
    for text in worst:
        best = min(_seconds(text) for _ in range(5))
        assert best < 3e-3, (text[:40], best)  # measured: 0.2 ms


def _seconds(text):
    start = time.process_time()
    with contextlib.suppress(ExpressionError):
        evaluate(text)
    return time.process_time() - start


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        ("-42", -42),
        ("\N{MINUS SIGN}42", -42),
        ("+42", 42),
        ("42.0", 42),
        ("1,234", 1234),
        ("1,000,005", 1000005),
        ("0,005", None),
        ("012,345", None),
        ("005", 5),
        ("7/2", Fraction(7, 2)),
        ("-7/2", Fraction(-7, 2)),
        ("- 42", -42),
        ("\N{MINUS SIGN} 7/12", Fraction(-7, 12)),
        ("+ 42", 42),
        ("-  42", None),
        (" 42", None),
        ("- - 42", None),
        ("84/2", None),
        ("4/6", None),
        ("6/1", None),
        ("1/0", None),
        ("1.5/2", None),
        ("41+1", None),
        ("(42)", None),
        ("--42", None),
        ("42 43", None),
        ("42,43", None),
        ("4 2", None),
        ("42\n", None),
        ("", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_literal(text, value):
    assert literal(text) == value


def test_show_is_short():
    assert show(Fraction(12)) == "12"
    assert show(Fraction(10**300)) == "a number with 301 digits"
    assert len(show(Fraction(1, 3**200))) < 40


def test_plain_signs_keeps_positions():
    text = "7 \N{MULTIPLICATION SIGN} 6 \N{DIVISION SIGN} 2"
    assert len(plain_signs(text)) == len(text)

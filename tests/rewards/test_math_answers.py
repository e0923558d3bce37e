"""math_verify's own reading of answers, at its boundaries; nothing here starts a process."""

from fractions import Fraction

import pytest

pytest.importorskip("math_verify", reason="extra math")
from corgi_gym.rewards.math_verify import _number, _rounds, _stands_in, find_answer


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 3/4 ", Fraction(3, 4)),
        (r" \frac{3}{4} ", Fraction(3, 4)),
        (r"1\frac{1}{2}", Fraction(3, 2)),
        (r"-1\frac{1}{2}", Fraction(-3, 2)),
        (r"1\frac{2}{2}", None),  # the part of a mixed number is below one
        (r"1\frac{0}{2}", None),
        (r"-\frac{-3}{4}", None),  # one sign at most
        ("- 5", Fraction(-5)),
    ],
)
def test_numbers_that_are_read_exactly(text, value):
    assert _number(text) == value


@pytest.mark.parametrize(
    ("answer", "gold", "good"),
    [
        ("0.333333", "1/3", True),
        ("0.33333", "1/3", False),  # five decimals are too few
        ("0.666666", "2/3", True),  # cut
        ("0.666667", "2/3", True),  # rounded
        ("0.666668", "2/3", False),
        ("0.666665", "2/3", False),
        ("-0.666666", "-2/3", True),
        ("0.666666", "-2/3", False),
        ("0.000000", "1/3000000000", True),  # rounded down to nothing
        ("0.500000", "1/2", False),  # ends: it must be exact
        ("0.199999", "1/5", False),
        ("0.099999", "1/10", False),
        ("0.0833333", "1/12", True),
        ("0.0714286", "1/14", True),
    ],
)
def test_decimals_of_answers_without_end(answer, gold, good):
    assert _rounds(Fraction(answer), Fraction(gold), answer) == good


@pytest.mark.parametrize(
    ("answer", "question", "there"),
    [
        ("12", "Simplify 12.", True),
        ("2", "Simplify 12.", False),
        ("7", "Is it 7?", True),
        ("x+1", "Factor x + 1.", True),
        ("x", "Find 2x.", False),
        ("-3", "Take 5-3.", True),  # no letter or digit at its front: any place counts
        ("1", "Take 1.5.", False),
        ("x", "Take x^2.", False),
    ],
)
def test_whether_the_question_has_the_answer(answer, question, there):
    assert _stands_in(answer, question) == there


def test_where_a_problem_is():
    twice = find_answer(r"\boxed{1} and \boxed{2}")
    assert (twice.kind, twice.where) == ("answer_repeated", (14, 21))
    after = find_answer(r"\boxed{1} and so on")
    assert (after.kind, after.where) == ("answer_not_last", (9, 19))
    hedged = find_answer(r"I tried. It is not \boxed{1}")
    assert (hedged.kind, hedged.where) == ("answer_hedged", (8, 28))
    empty = find_answer(r"So \boxed{ }")
    assert (empty.kind, empty.where) == ("answer_empty", (3, 10))

"""Fractions in lowest terms and quantities in the asked unit: exact feedback and forms."""

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.fractions_units import SPELLINGS, fractions_units

SUM = {"answer": "7/12", "unit": ""}
LENGTH = {"answer": "42", "unit": "inches"}


@pytest.mark.parametrize(
    ("target", "reply", "score", "text"),
    [
        (SUM, "Answer: 14/24", 0.3, '"14/24" is not in lowest terms.'),
        (
            SUM,
            "Answer: 4/8",
            0.1,
            '"4/8" is not in lowest terms. The answer is not "4/8".',
        ),
        (SUM, "Answer: 5/12", 0.1, 'The answer is not "5/12".'),
        (
            SUM,
            "Answer: 0.5",
            0.1,
            'You wrote the decimal "0.5". Write a fraction in lowest terms. The answer is not',
        ),
        (
            SUM,
            "Answer: 1 1/2",
            0.0,
            'You wrote the mixed number "1 1/2". Write one fraction, such as 3/2.',
        ),
        (
            SUM,
            "Answer: 1/3 + 1/4",
            0.0,
            'After "Answer:" you wrote "1/3 + 1/4". Write one fraction in lowest terms.',
        ),
        (
            SUM,
            "1/3 + 1/4 = 2/7\nAnswer: 2/7",
            0.1,
            'The step "1/3 + 1/4 = 2/7" is wrong. The answer is not "2/7".',
        ),
        (LENGTH, "Answer: 42", 0.2, 'You wrote "42" without a unit. Write the unit "inches".'),
        (
            LENGTH,
            "Answer: 42 feet",
            0.2,
            'You wrote the unit "feet". The task asks for "inches".',
        ),
        (
            LENGTH,
            "Answer: 3.5 feet",
            0.1,
            'You wrote the unit "feet". The task asks for "inches".',
        ),
        (LENGTH, "Answer: 41 inches", 0.1, 'The answer is not "41 inches".'),
        (
            LENGTH,
            "3.5 * 12 = 41\nAnswer: 41 inches",
            0.1,
            'The step "3.5 * 12 = 41" is wrong. The answer is not "41 inches".',
        ),
        (LENGTH, "Answer: 3 feet 6 inches", 0.0, 'After "Answer:" you wrote "3 feet 6 inches".'),
    ],
)
def test_feedback(target, reply, score, text):
    verdict = judge(fractions_units, reply, target)
    assert verdict.score == score
    assert " ".join(p.message for p in verdict.problems).startswith(text)


@pytest.mark.parametrize(
    "answer",
    [
        "14/24", "-7/12", "7/-12", "7 / 12 / 1",
        "0.58333", "7:12", "7\\12", "\\frac{7}{12}", "7/12/1",
        "1/3+1/4", "(7)/(12)", "7/12 or 7/12", "7/12 = 14/24", "about 7/12", "7/12 inches",
        "7/12,", "7.0/12", "7/12.5", "seven twelfths", "58 %", "7/0", "0/12", "12/7", "7/1 2",
    ],
)  # fmt: skip
def test_what_is_no_right_fraction(answer):
    assert not judge(fractions_units, f"Answer: {answer}", SUM).success


@pytest.mark.parametrize(
    "answer",
    [
        "42", "42 feet", "42 cm", "3.5 feet", "3 feet 6 inches", "inches 42", "42 inches or feet",
        "42 inches 42 inches", "42 x inches",
        "6 * 7 inches", "forty-two inches", "42 square inches",
        "42 inches^2", "inches", "42 iinches", "42in.in", "42 'in'", "84/2 inches", "42,0 inches",
    ],
)  # fmt: skip
def test_what_is_no_right_quantity(answer):
    assert not judge(fractions_units, f"Answer: {answer}", LENGTH).success


def test_a_capital_m_is_a_million():
    target = {"answer": "5", "unit": "millimeters"}
    assert judge(fractions_units, "Answer: 5 mm", target).success
    assert judge(fractions_units, "Answer: 5 MILLIMETERS", target).success
    for unit in ("Mm", "MM"):
        (problem,) = judge(fractions_units, f"Answer: 5 {unit}", target).problems
        assert problem.message == f'You wrote the unit "{unit}". The task asks for "millimeters".'
    assert judge(fractions_units, "Answer: 5 mL", {"answer": "5", "unit": "milliliters"}).success


@pytest.mark.parametrize(
    ("answer", "unit", "said", "wrong"),
    [
        ("42", "inches", "3.5 feet", False),
        ("42", "inches", "7/6 yards", False),
        ("7/6", "yards", "42 in", False),
        ("42", "inches", "3 feet", True),
        ("42", "inches", "3.5 hours", True),
        ("5", "millimeters", "5 Mm", False),
        ("42", "inches", "41 inches", True),
        ("42", "inches", "3.5 foobars", True),
    ],
)
def test_the_right_quantity_in_another_unit_is_no_wrong_answer(answer, unit, said, wrong):
    verdict = judge(fractions_units, f"Answer: {said}", {"answer": answer, "unit": unit})
    kinds = {problem.kind for problem in verdict.problems}
    assert not verdict.success and verdict.score == (0.2 if said.split()[0] == answer else 0.1)
    assert ("wrong_answer" in kinds) is wrong


def test_a_whole_number_over_one_is_said_to_be_one():
    verdict = judge(fractions_units, "Answer: 7/1", {"answer": "7", "unit": ""})
    assert verdict.score == 0.3
    said = 'You wrote "7/1". Write a whole number without "/1".'
    assert [problem.message for problem in verdict.problems] == [said]


def test_a_space_after_the_sign_changes_nothing():
    target = {"answer": "-7/12", "unit": ""}
    for answer, score in (("- 7/12", 1.0), ("- 14/24", 0.3), ("- 8/24", 0.1), ("- 0.5", 0.1)):
        assert judge(fractions_units, f"Answer: {answer}", target).score == score
    mixed = judge(fractions_units, "Answer: - 1 1/2", target).problems[0].message
    assert mixed.startswith('You wrote the mixed number "- 1 1/2".')
    assert judge(fractions_units, "Answer: - 42 inches", {**LENGTH, "answer": "-42"}).success


def test_no_break_spaces_are_spaces():
    assert judge(
        fractions_units, "Answer:\N{NO-BREAK SPACE}42\N{NO-BREAK SPACE}inches", LENGTH
    ).success
    message = judge(fractions_units, "Answer: 1\N{NO-BREAK SPACE}1/2", SUM).problems[0].message
    assert message.startswith('You wrote the mixed number "1 1/2".')


def test_a_mixed_number_in_the_working_is_no_false_step():
    reply = "7/4 + 7/4 = 14/4 = 7/2 = 3 and 1/2\nAnswer: 7/2"
    assert judge(fractions_units, reply, {"answer": "7/2", "unit": ""}).score == 1.0


def test_every_spelling_of_a_unit_counts_for_that_unit_only():
    seen = [word for name, words in SPELLINGS.items() for word in (name, *words)]
    assert len(seen) == len(set(seen))
    for name, words in SPELLINGS.items():
        target = {"answer": "5/2", "unit": name}
        for word in (name, *words, name.upper()):
            assert judge(fractions_units, f"Answer: 2.5 {word}", target).success, word
        other = next(n for n in SPELLINGS if n != name)
        assert not judge(fractions_units, f"Answer: 2.5 {other}", target).success

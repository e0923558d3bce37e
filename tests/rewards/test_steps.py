"""Which step is called wrong, and above all which is not."""

import pytest

from corgi_gym.rewards.steps import MAX_STEP_CHARS, check_steps

TIMES, DOT, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MIDDLE DOT}", "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("text", "left", "right"),
    [
        ("3 + 4 = 8", "3 + 4", "8"),
        ("3 + 4 = 7\n7 * 2 = 15\n1 = 2", "7 * 2", "15"),
        ("(3 + 4) * 2 = 7 * 2 = 15", "7 * 2", "15"),
        ("(3 + 4) * 2\n= 7 * 2\n= 15", "7 * 2", "15"),
        ("3 + 4 =\n8", "3 + 4", "8"),
        ("1. 3 + 4 = 8", "3 + 4", "8"),
        ("(2) 3 + 4 = 8.", "3 + 4", "8"),
        ("- 3 + 4 = 8", "3 + 4", "8"),
        ("Step 1: 3 + 4 = 8", "3 + 4", "8"),
        ("So 3 + 4 = 8, then", "3 + 4", "8"),
        ("A = 3 + 4 = 8", "3 + 4", "8"),
        ("(since 3 + 4 = 8)", "3 + 4", "8"),
        ("**3 + 4 = 8**", "3 + 4", "8"),
        (f"2 {TIMES} 3 {MINUS} 1 = 4", "2 * 3 - 1", "4"),
        (f"3 {DOT} 4 = 13", "3 * 4", "13"),
        ("3 x 4 = 13", "3 * 4", "13"),
        ("3 + 4 = 7 = 8", "7", "8"),
        ("7 = 8", "7", "8"),
        ("3+4=8", "3+4", "8"),
        ("3 + 4 = 7 * 2 = 14", "3 + 4", "7 * 2"),
        ("2 + 2 = 5", "2 + 2", "5"),
        ("3x4 = 13", "3*4", "13"),
        ("(1 + 2) x 4 = 13", "(1 + 2) * 4", "13"),
        ("Step 2 : 3 + 4 = 8", "3 + 4", "8"),
        ("3 + 4 = 8 apples", "3 + 4", "8"),
        ("3 + 4 = 8 apples, and 8 * 2 = 16", "3 + 4", "8"),
        ("3 + 4 = 8 then 8 + 2 = 10", "3 + 4", "8"),
        ("3 + 4 = 8 of them", "3 + 4", "8"),
        ("3 + 4 = 8: so", "3 + 4", "8"),
        ("3 + 4 = 8 \N{RIGHTWARDS ARROW} 8 + 2 = 10", "3 + 4", "8"),
        ("7 = 8 so", "7", "8"),
    ],
)
def test_the_first_wrong_step(text, left, right):
    wrong = check_steps(text).wrong
    assert wrong is not None
    assert (wrong.left, wrong.right) == (left, right)
    start, end = wrong.where
    assert right[-1] in text[start:end] and 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "3 + 4 = 7",
        "- 3 + 4 = 7",  # a bullet
        "- 3 + 4 = 1",  # a sign
        "(1) 3 + 4 = 7.",
        "3 + 4 = 7, 8 + 2 = 10",
        "1,000 + 1 = 1,001",
        "9 - -4 = 13",
        "(-3) - (4) = -7",
        "(3 + 4 = 7)",
        "3 \\times 4 = 12",
        "$3 \\cdot 4 = 12$",
        "3 x 4 = 12",
        "A - 3 = 5",
        "x = 3, y = 7",
        "x + 3 + 4 = 12",
        "2**3 = 8",
        "2^3 + 1 = 9",
        "3! = 6",
        "20% of 50 = 10",
        "half of 8 = 4",
        "three times 2 + 1 = 9",
        "the sum of 3 and 4 * 2 = 11",
        "2(3 + 4) = 14",
        "f(3) = 5",
        "10 / 4 = 2 remainder 2",
        "3 + 11 = 7 times 2",
        "3 + 4 = 7x",
        "3 + 4 != 8",
        "3 + 4 <= 8",
        "3 + 4 == 8",
        "5 apples + 3 apples = 9",
        "= 5",
        "3 + 4 = ?",
        "3 + = 4",
        "",
        # x is an unknown: after "2x -", and where it stands without numbers on both sides
        "2x - 5 = 5",
        "2x - 5 = 5\n2x = 10\nx = 5",
        "2x -5 = 5",
        "2x (3) = 30\nx = 5",
        "19 = 3 x + 4\n15 = 3 x",
        "15 = 3 n",
        # division and times of day
        "10 : 2 = 5",
        "so 10 : 2 = 5",
        "5 = 10 : 2",
        "3:30 + 1 = 4:30",
        # powers, fractions and money
        "25 = 5\N{SUPERSCRIPT TWO}",
        "25 = 5 \N{SUPERSCRIPT TWO}",
        "5 = 2\N{VULGAR FRACTION ONE HALF} + 2\N{VULGAR FRACTION ONE HALF}",
        "5 = 500\N{CENT SIGN}",
        "6 = 2 \N{BULLET} 3",
        # words that go on
        "20 = 4 groups of 5",
        "20 = 4 groups of five",
        "438 = 18 days 6 hours",
        "438 = 18 days and 6 hours",
        "5 = 2 apples + 3 apples",
        "36 = 3 boxes x 12",
        "36 = 3 boxes (12 each)",
        "36 = 3 boxes",
        "36 = 3 feet",
    ],
)
def test_no_false_accusation(text):
    assert check_steps(text).wrong is None


def test_a_cut_never_splits_a_number():
    line = "1 + 1 = 2\n"
    for shift in range(25):
        text = " " * shift + line * (MAX_STEP_CHARS // len(line)) + "1000 + 234 = 1234\n" * 3
        assert check_steps(text).wrong is None
    chain = "1234 = " * MAX_STEP_CHARS
    assert all(check_steps(" " * shift + chain).wrong is None for shift in range(8))


def test_only_the_first_part_is_read():
    assert check_steps("1 + 1 = 3\n" + " " * 30_000).wrong is not None
    assert check_steps("\n" * MAX_STEP_CHARS + "1 + 1 = 3").wrong is None

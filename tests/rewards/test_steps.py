"""Which step is called wrong, and above all which is not."""

import pytest

from corgi_gym.rewards.steps import MAX_STEP_CHARS, check_steps

TIMES, DOT, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MIDDLE DOT}", "\N{MINUS SIGN}"
NBSP, HYPHEN = "\N{NO-BREAK SPACE}", "\N{HYPHEN}"
EN_DASH, EM_DASH = "\N{EN DASH}", "\N{EM DASH}"


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
        # signs: of a list, of a number, and going on from the line before
        ("48 + 24 = 73", "48 + 24", "73"),
        ("- 3 - 3 = 6", "3 - 3", "6"),
        ("- 2 + 2 = 5", "2 + 2", "5"),
        ("-42 = 41", "-42", "41"),
        ("- 3 + 4 = 7\n- 2 + 2 = 5", "2 + 2", "5"),
        ("The costs:\n+ 5 * 2 = 10\n+ 3 * 4 = 13", "3 * 4", "13"),
        ("* 3 + 4 = 7\n* 2 + 2 = 5", "2 + 2", "5"),
        ("3 + 4 = 7\n- 2 + 2 = 5", "2 + 2", "5"),
        ("9 - 8 - -4 = 5\n-22 + 5 = -18", "-22 + 5", "-18"),
        ("3 + 4 = 8\n- 2 + 2 = 4", "3 + 4", "8"),
        ("48\n+ 20 + 5 = 72", "20 + 5", "72"),
        ("72 = 48\n+ 25", "72", "48"),
        ("1 + 1 = 3\n-3 * 0 + -1 = -1", "1 + 1", "3"),  # not 3 - 3 * 0 - 1
        ("Step 1: -3 + 4 = 2", "-3 + 4", "2"),
        ("Step 1: 3 + 4 = 7\nStep 2: -3 + 4 = 2", "-3 + 4", "2"),
        ("Step 1: 16\nStep 2: - 3 - 3 = 11", "3 - 3", "11"),
        ("x = 3 - 8 = -5 = 5", "-5", "5"),
        # a dash or "and" before the next sentence or equation
        (f"3 + 4 = 8 {EN_DASH} so 8 + 2 = 10", "3 + 4", "8"),
        ("3 + 4 = 8 and 8 * 2 = 16", "3 + 4", "8"),
        ("3 + 4 = 8 and 8/2 = 4", "3 + 4", "8"),
        ("3 + 4 = 8, and", "3 + 4", "8"),
        ("3 + 4 = 8\nSo the remainder is 2", "3 + 4", "8"),
        (f"48{NBSP}+{NBSP}24 = 73{NBSP}apples", "48 + 24", "73"),
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


@pytest.mark.parametrize(
    "text",
    [
        # a calculation on several lines
        "48\n+ 24\n= 72",
        "48\n24\n+ 10\n= 82",
        "48\n+ 24\n+ 5 * 2\n= 82",
        "48 + 20\n+ 4 = 72",
        "48 + 20.\n+ 4 + 1 = 73",
        "48 +\n24 = 72",
        f"100 {EN_DASH}\n28 = 72",
        "48 times\n2 + 1 = 144",
        "6\n* 7 = 42",
        f"6\n{TIMES} 7 * 2 = 84",
        "17\n- 3\n- 2 * 2 = 10",
        "72 = 48\n+ 24",
        "72 = 48\n+ 20\n+ 4",
        f"72 = 100\n{EN_DASH} 28",
        "(3 + 4) * 2 + 5\n= 7 * 2\n+ 5\n= 19",
        "17 / 3 = 5\nRemainder: 2",
        # running totals
        "Start with 7.\n+ 5 = 12\n- 2 = 10",
        "Start with 7.\n+5 = 12\n-2 = 10",
        "Start with 17 apples.\n- 3 - 3 = 11 apples\n- 2 - 2 = 7 apples",
        "Balance of 100:\n- 20 - 20 = 60",
        "1. 7\n2. + 5 = 12\n3. - 2 = 10",
        "Step 1: 16\nStep 2: - 3 - 3 = 10",
        "First 16, then - 3 - 3 = 10.",
        "Take that - 2 * 3 = 4",
        "It is 16 (now) and so (+ 5 * 2 = 26)",
        "Balance is 100; - 20 = 80",
        "Balance is 100, - 20 = 80",
        "He has 7, + 5 = 12, - 2 = 10",
        "Add the tax: + 5 = 15",
        "- 3 - 3 = 0",
        "- 3 - 3 = -6",
        # dashes for a minus sign
        f"72 = 100 {EN_DASH} 28",
        f"72 = 100{EM_DASH}28",
        f"72 = 100 {HYPHEN} 28",
        f"4 + 3 = 10 {EN_DASH} 3 = 7",
        # mixed numbers, remainders, numbers in words
        "7 / 2 = 3 and 1/2",
        "7 / 2 = 3 and 1/2 = 3.5",
        "17 / 3 = 5 and 2 left",
        "17 / 3 = 5 with remainder 2",
        "17 / 3 = 5 with a remainder of 2",
        "17 / 3 = 5 (the remainder is 2)",
        "17 / 3 = 5 with 2 left over",
        "5 * 500000000 = 2.5 billion",
        "2 * 500000000000 = 1 trillion",
        "12 + 12 = 2 dozens",
        "30 + 20 = 5 tens",
        "1/3 + 1/3 = 2 thirds",
        f"1500 + 1500 = 3{NBSP}000",
        "1500 + 1500 = 3\N{NARROW NO-BREAK SPACE}000",
        "1500 + 1500 = 3'000",
        f"20 = 4{NBSP}groups of 5",
    ],
)
def test_what_goes_on_is_no_false_step(text):
    assert check_steps(text).wrong is None


def test_all_equations_were_judged_or_not():
    true = "1 + 1 = 2\n"
    assert check_steps(f"Total = 3 + 4 = 7\n{true}").complete
    assert check_steps(true * 120).complete
    assert not check_steps(true * 121).complete
    assert check_steps(true + " " * 4_000).complete
    assert not check_steps(true + " " * 4_000 + true).complete
    assert not check_steps(f"{true}7 + 1 = 4 groups of 2").complete
    assert not check_steps("7\n+ 1 = 9").complete
    assert not check_steps("9" * 4_000 + "1 + 1 = 2").complete


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


@pytest.mark.parametrize(
    "side",
    ["3/2 \N{DIVISION SIGN} 4/3", "3/2\N{DIVISION SIGN}4/3", "3 / 2 \N{DIVISION SIGN} 4 / 3"],
)
def test_a_division_of_fractions_is_not_read_from_left_to_right(side):
    """3/2/4/3 is 1/8, and nobody means that; by itself the sign divides as ever."""
    assert check_steps(f"{side} = 9/8").wrong is None
    assert check_steps("8 \N{DIVISION SIGN} 4 = 3").wrong.left == "8 / 4"

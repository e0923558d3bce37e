"""Linear equations: forms, substitution in feedback, the letter x."""

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.linear_equations import linear_equations

ONE = {"equations": ["3x + 4 = 19"], "solution": {"x": "5"}}
TWO = {"equations": ["x + y = 3", "2x - y = 0"], "solution": {"x": "1", "y": "2"}}


@pytest.mark.parametrize(
    ("target", "reply", "score", "text"),
    [
        (
            ONE,
            "Answer: x = 4",
            0.1,
            "x = 4 does not solve 3x + 4 = 19: the left side is then 16 and the right side 19.",
        ),
        (
            ONE,
            "Answer: x = 1/2",
            0.1,
            "x = 1/2 does not solve 3x + 4 = 19: the left side is then 11/2 and the right side 19.",
        ),
        (
            TWO,
            "Answer: x = 2, y = 1",
            0.1,
            "x = 2 and y = 1 do not solve 2x - y = 0: "
            "the left side is then 3 and the right side 0.",
        ),
        (
            ONE,
            "Answer: 5",
            0.0,
            'After "Answer:" you wrote "5". Write "x =" with one number, nothing else.',
        ),
        (
            TWO,
            "Answer: x = 1",
            0.0,
            'After "Answer:" you wrote "x = 1". '
            'Write "x =" with one number and "y =" with one number, nothing else.',
        ),
        (
            ONE,
            "19 - 4 = 14\nAnswer: x = 5",
            0.5,
            'The step "19 - 4 = 14" is wrong: 19 - 4 is 15.',
        ),
        (ONE, "15 / 3 = 4\nAnswer: x = 4", 0.1, 'The step "15 / 3 = 4" is wrong. x = 4 does not'),
    ],
)
def test_feedback(target, reply, score, text):
    verdict = judge(linear_equations, reply, target)
    assert verdict.score == score
    assert " ".join(p.message for p in verdict.problems).startswith(text)


@pytest.mark.parametrize(
    "answer",
    [
        "3x + 4 = 19", "x = 3 or 4", "x = 5 or x = 5", "x = 5, x = 5", "x = 5, y = 0", "x = 15/3",
        "x = (19-4)/3", "x = 19 - 14", "5 = x", "x: 5", "x is 5", "x == 5", "x = five", "x =", "x",
        "y = 5", "x = +-5", "x = {4, 5}", "x in [5, 5]", "x > 4", "x ≈ 5", "x = 5 = 5", "2x = 10",
        "-x = -5", "x/1 = 5", "x = 5x/x", "x = 5 meters", "x = x", "xx = 5", "x = 5, 6",
        "x = 5,", "x = 5 and", "and x = 5", "x = 5;;", "X1 = 5", "x = 5e0", "x = 0x5", "x = 5!",
        "x = \\frac{10}{2}", "x = 5 for all y",
    ],
)  # fmt: skip
def test_what_is_no_solution(answer):
    assert judge(linear_equations, f"Answer: {answer}", ONE).score == 0.0


@pytest.mark.parametrize("answer", ["x = 5", "x=5", "x  =  5.0", "**x = 5**", "x = +5"])
def test_what_is_one(answer):
    assert judge(linear_equations, f"Answer: {answer}", ONE).success


@pytest.mark.parametrize(
    "answer",
    [
        "x = 1, and y = 2",
        "x = 1; and y = 2",
        "x\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1, y = 2",
        "x = 1\N{NO-BREAK SPACE}and\N{NO-BREAK SPACE}y = 2",
    ],
)
def test_ways_to_write_two(answer):
    assert judge(linear_equations, f"Answer: {answer}", TWO).success


@pytest.mark.parametrize("answer", ["x = 1, and, y = 2", "x = 1, and and y = 2", "x = 1,, y = 2"])
def test_empty_parts_are_no_way(answer):
    assert judge(linear_equations, f"Answer: {answer}", TWO).score == 0.0


def test_an_unknown_called_x_is_no_times_sign():
    reply = "3x - 4 = 11\n-5x - 5x = -10x\n3x = 15\nAnswer: x = 5"
    target = {"equations": ["3x - 4 = 11"], "solution": {"x": "5"}}
    assert judge(linear_equations, reply, target).success


def test_enormous_numbers_are_no_problem():
    reply = "Answer: x = 999999999999999/999999999999998"
    verdict = judge(linear_equations, reply, ONE)
    assert (
        verdict.score == 0.1
        and "the left side is then a number with" in verdict.problems[0].message
    )


def test_a_broken_target_is_unscored():
    for target in ({"solution": {"x": "?"}, "equations": []}, {}, None):
        assert judge(linear_equations, "Answer: x = 4", target).status == "unscored"

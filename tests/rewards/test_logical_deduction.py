"""Orders and options: exact feedback, and what blind replies earn."""

from itertools import permutations

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.logical_deduction import holds, logical_deduction

TASK = {
    "order": ["owl", "hawk", "crow"],
    "statements": [["owl", "before", "hawk"], ["crow", "at", -1]],
    "texts": ["The owl is to the left of the hawk.", "The crow is the rightmost bird."],
}
CHOICE = {"option": "B"}


@pytest.mark.parametrize(
    "answer", ["**owl**, **hawk**, **crow**", "**the owl**, `hawk`, _crow_", "**owl, hawk, crow**"]
)
def test_markdown_around_names_does_no_harm(answer):
    assert judge(logical_deduction, f"Answer: {answer}", TASK).success


@pytest.mark.parametrize(
    ("answer", "score", "text"),
    [
        (
            "hawk, owl, crow",
            0.25,
            "Your order breaks this statement: The owl is to the left of the hawk.",
        ),
        (
            "crow, owl, hawk",
            0.25,
            "Your order breaks this statement: The crow is the rightmost bird.",
        ),
        ("crow, hawk, owl", 0.1, "Your order breaks this statement: The owl is to the left of"),
        ("owl, hawk", 0.0, 'Your order lacks "crow". Write all 3, separated by commas.'),
        ("owl, hawk, crow, emu", 0.0, 'Your order has "emu", which the task does not name.'),
        ("owl, owl, hawk, crow", 0.0, 'Your order repeats "owl". Write each once.'),
        ("owl, hawk,", 0.0, 'Your order lacks "crow". Write all 3, separated by commas.'),
        (",", 0.0, 'Your order lacks "crow", "hawk" and "owl".'),
        ("owl hawk crow", 0.0, 'Your order lacks "crow", "hawk" and "owl".'),
    ],
)
def test_feedback_on_orders(answer, score, text):
    verdict = judge(logical_deduction, f"Answer: {answer}", TASK)
    assert verdict.score == pytest.approx(score)
    assert verdict.problems[0].message.startswith(text)


@pytest.mark.parametrize(
    "answer",
    ["owl, hawk, crow,", "owl; hawk; crow;.", "owl,\N{NO-BREAK SPACE}hawk,\N{THIN SPACE}crow"],
)
def test_commas_at_the_end_and_other_spaces_change_nothing(answer):
    assert judge(logical_deduction, f"Answer: {answer}", TASK).success


def test_one_order_succeeds():
    scores = {}
    for order in permutations(TASK["order"]):
        scores[order] = judge(logical_deduction, f"Answer: {', '.join(order)}", TASK).score
    assert scores.pop(("owl", "hawk", "crow")) == 1.0
    assert max(scores.values()) <= 0.4


def test_statements():
    place = {"a": 0, "b": 1, "c": 2}
    assert holds(["a", "before", "c"], place) and not holds(["c", "before", "a"], place)
    assert holds(["a", "at", 1], place) and holds(["c", "at", -1], place)
    assert holds(["b", "at", -2], place) and not holds(["b", "at", 1], place)


@pytest.mark.parametrize(
    ("answer", "score", "text"),
    [
        ("(A)", 0.1, "Option (A) does not follow from the statements."),
        ("g", 0.1, "Option (G) does not follow from the statements."),
        ("H", 0.0, 'After "Answer:" you wrote "H". Write the letter of one option.'),
        ("AB", 0.0, 'After "Answer:" you wrote "AB". Write the letter of one option.'),
    ],
)
def test_feedback_on_options(answer, score, text):
    verdict = judge(logical_deduction, f"Answer: {answer}", CHOICE)
    assert (verdict.score, verdict.problems[0].message) == (score, text)


@pytest.mark.parametrize(
    "answer",
    [
        "A or B", "A, B", "B, C", "(A)(B)", "A B C D E F G", "not A", "B?", "option B", "B or not",
        "(B) is true", "all", "none", "2", "b b", "((B))", "[B]", "BB", "B = B", "B.A",
    ],
)  # fmt: skip
def test_only_one_letter_is_an_option(answer):
    assert judge(logical_deduction, f"Answer: {answer}", CHOICE).score == 0.0

"""Word problems and what they share with multistep arithmetic: exact feedback."""

from fractions import Fraction

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.word_problems import word_problems
from corgi_gym.rewards.working import judge_number

TASK = {"answer": "42"}


@pytest.mark.parametrize(
    ("reply", "score", "text"),
    [
        ("Answer: 41", 0.1, "The answer is not 41."),
        ("6 * 7 = 42\nAnswer: 40", 0.1, "Your steps are true, but the answer is not 40."),
        (
            "3 * 4 = 13\n13 + 2 = 15\nAnswer: 15",
            0.1,
            'The step "3 * 4 = 13" is wrong: 3 * 4 is 12. The answer is not 15.',
        ),
        ("6 * 7 = 43\nAnswer: 43", 0.1, 'The step "6 * 7 = 43" is wrong. The answer is not 43.'),
        ("3 * 4 = 13\nAnswer: 42", 0.5, 'The step "3 * 4 = 13" is wrong: 3 * 4 is 12.'),
        ("Answer: 6 * 7", 0.0, 'After "Answer:" you wrote the calculation "6 * 7". Write its resu'),
        ("Answer: 42 apples", 0.0, 'After "Answer:" you wrote "42 apples". Write one number and '),
    ],
)
def test_feedback(reply, score, text):
    verdict = judge(word_problems, reply, TASK)
    assert verdict.score == score
    assert " ".join(p.message for p in verdict.problems).startswith(text)


def test_steps_are_called_true_only_if_all_were_judged():
    true = "1 + 1 = 2\n"
    for working in (true * 600 + "1 + 1 = 3\n", true + " " * 4_000 + "\n1 + 1 = 3\n"):
        problems = judge(word_problems, f"{working}Answer: 40", TASK).problems
        assert [problem.message for problem in problems] == ["The answer is not 40."]
    (told,) = judge(word_problems, f"{true * 100}Answer: 40", TASK).problems
    assert told.message == "Your steps are true, but the answer is not 40."


def test_a_space_after_the_sign_is_no_calculation():
    minus = "\N{MINUS SIGN}"
    for answer in ("- 42", f"{minus} 42", "-\N{NO-BREAK SPACE}42"):
        assert judge_number(f"Answer: {answer}", Fraction(-42)).success
    for answer in ("(42)", "- -42"):
        (problem,) = judge_number(f"Answer: {answer}", Fraction(42)).problems
        text = f'After "Answer:" you wrote "{answer}". Write one number and nothing else.'
        assert problem.message == text


def test_data_that_round_are_judged_by_the_number_alone():
    rounding = "100 / 3 = 33.3\nAnswer: 42"
    assert not judge(word_problems, rounding, TASK).success
    assert judge(word_problems, rounding, {**TASK, "strict_steps": False}).success
    wrong = judge(word_problems, rounding.replace("42", "41"), {**TASK, "strict_steps": False})
    assert [p.kind for p in wrong.problems] == ["wrong_step", "wrong_answer"]


def test_numbers_are_exact():
    third = Fraction(1, 3)
    assert judge_number("Answer: 1/3", third).success
    for reply in ("Answer: 0.333333333", "Answer: 2/6", "Answer: 1/3.0"):
        assert not judge_number(reply, third).success


def test_a_broken_target_is_unscored():
    for target in ({"answer": "many"}, {}, None):
        assert judge(word_problems, "Answer: 4", target).status == "unscored"


@pytest.mark.parametrize(
    "working",
    [
        "2x - 5 = 5\n2x = 10\nx = 5",
        "10 : 2 = 5",
        "25 = 5\N{SUPERSCRIPT TWO}",
        "5 = 2\N{VULGAR FRACTION ONE HALF} + 2\N{VULGAR FRACTION ONE HALF}",
        "20 = 4 groups of 5",
        "36 = 3 boxes of 12",
        "48\n+ 24\n= 72",
        "Start with 7.\n+ 5 = 12\n- 2 = 10",
        "7 / 2 = 3 and 1/2",
    ],
)
def test_true_working_costs_nothing(working):
    assert judge(word_problems, f"{working}\nAnswer: 5", {"answer": "5"}).score == 1.0

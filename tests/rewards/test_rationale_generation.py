"""The checker of `rationale_generation`: rules first, then a student of a few lines."""

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.rationale_generation import (
    _reveals,
    judge_rationale,
    rationale_generation,
)
from corgi_gym.rewards.semantic.student import Answer

TARGET = {
    "question": "What does a cook use to cut bread?",
    "options": ["broom", "knife", "rope", "ladder", "clock"],
    "gold": 1,
}
GOOD = "Bread is cut into slices with a sharp blade that has a handle."


class Believer:
    """Picks the gold option whatever it reads: only the rules are left."""

    def answer(self, background, question, options):
        gold = 0.9 if background else 0.2
        rest = (1.0 - gold) / (len(options) - 1)
        return Answer(1, tuple(gold if i == 1 else rest for i in range(len(options))))


class Knower:
    """Knows the answer without any background."""

    def answer(self, background, question, options):
        return Answer(1, tuple(0.9 if i == 1 else 0.025 for i in range(len(options))))


class Doubter:
    """Always picks the first option."""

    def answer(self, background, question, options):
        return Answer(0, tuple(0.6 if i == 0 else 0.1 for i in range(len(options))))


class Mute:
    """Answers with nothing, which is contained in every option."""

    def answer(self, background, question, options):
        return Answer(None)


def with_student(reply, student):
    return judge(lambda r, t: judge_rationale(r, t, student), reply, TARGET)


GAMES = """
knife
Knife.
2
2.
The answer is 2.
Option 2 is right.
The second option is right for bread.
The answer is a knife.
A cook cuts the bread with a knife.
A cook cuts the bread with knives.
A cook uses a k-nife for the bread.
A cook uses a k n i f e for the bread.
The bread needs a KNIFE in the kitchen.
The word starts with the letter k.
The word rhymes with the life of a cook.
A cook does not use a broom, a rope, a ladder or a clock for bread.
A cook never cuts bread with a broom.
The bread is not for a clock.
The correct choice for bread is sharp.
What does a cook use to cut bread?
A cook cuts bread.
The cook uses something to cut the bread.
Bread.
bread blade sharp slice
Bread, blade, sharp, slice.
A sharp blade bread cook cut.
A cook cuts bread with a sharp blade and a
A cook cuts bread with a sharp blade. It is steel. It has a handle.
It has a sharp blade and a handle.
The sky is blue.
The student must think carefully about everything and choose well.
People know that things have their own use in daily life.
This is the background.
Background: the blade is sharp.
I do not know.
Please choose wisely.
Trust me, the obvious thing is right.
Everyone agrees about this one.
None of these.
A cook cuts bread with (b).
Use option b for the bread of the cook in the kitchen.
The fourth letter of the bread tool is f.
A cook cuts the bread. A cook cuts the bread.
The questions about bread are easy to answer for cooks.
""".strip().split("\n")


@pytest.mark.parametrize("example", get_checker("rationale_generation").examples)
def test_declared_examples(example):
    assert judge(rationale_generation, example.reply, example.target).success == example.passes


def test_a_good_background_passes_with_a_student_that_it_helps():
    verdict = with_student(GOOD, Believer())
    assert verdict.success and verdict.metrics["gain"] > 0.5


@pytest.mark.parametrize("reply", GAMES)
def test_games_lose_even_with_a_student_that_believes_everything(reply):
    verdict = with_student(reply, Believer())
    assert verdict.score <= 0.05, verdict
    assert judge(rationale_generation, reply, TARGET).score <= 0.05  # no student is asked


def test_at_least_forty_games():
    assert len(set(GAMES)) >= 40


def test_a_student_that_knows_the_answer_pays_nothing_more():
    verdict = with_student(GOOD, Knower())
    assert [problem.kind for problem in verdict.problems] == ["no_help"]
    assert verdict.score == pytest.approx(0.45)


def test_a_wrong_student_pays_by_its_probability():
    verdict = with_student(GOOD, Doubter())
    assert verdict.score == pytest.approx(0.05)
    assert verdict.problems[0].message == (
        'With your background the student picks "broom". Explain better what one must know, in at '
        "most 2 sentences, and name no option."
    )


def test_an_empty_answer_of_the_student_is_wrong():
    verdict = with_student(GOOD, Mute())
    assert verdict.score == 0.0 and "the student fails" in verdict.problems[0].message


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("A cook cuts the bread with a knife.",
         'You name the option "knife". Give background knowledge, and name no option.'),
        ("The answer is a blade for bread.",
         'Do not write "answer": give background knowledge, and do not point at an option.'),
        ("The sky is blue.",
         "Your background takes up no word of the question. Explain it."),
        ("A cook cuts bread.",
         "Your background only repeats the question. Add what one must know to answer it."),
    ],
)  # fmt: skip
def test_exact_feedback(reply, message):
    assert with_student(reply, Believer()).problems[0].message == message


def test_the_checker_judges_by_the_rules_before_any_student():
    assert rationale_generation("A cook uses a knife.", TARGET).problems[0].kind == "reveals"


def test_forms_of_other_words_are_no_options():
    target = {"question": "What cuts a tree?", "options": ["saw", "rope"], "gold": 0}
    reply = "Nobody sees a tree fall without long metal teeth."
    assert not any(
        problem.kind == "reveals"
        for problem in judge(lambda r, t: judge_rationale(r, t, Believer()), reply, target).problems
    )


@pytest.mark.parametrize(
    ("text", "option", "named"),
    [
        ("Broomsticks are long.", "broom", False),
        ("It is a breadknife.", "knife", True),
        ("It is a knifething.", "knife", True),
        ("Two brooms are here.", "broom", True),
        ("It is a bro om.", "broom", True),
        ("Everyone eats icecream.", "ice cream", True),
        ("On a ship, people raise the sail or clean the deck.", "sailor", False),
        ("Coal lies in a mine reached through dark tunnels.", "miner", False),
        ("A student is taught there.", "dentist", False),
        ("In other words, it is sharp.", "broom", False),
        ("Some words are long.", "broom", True),
    ],
)
def test_what_reveals_an_option(text, option, named):
    assert (_reveals(text, [option, "xyz"]) is not None) is named


def test_any_string_is_judged(fuzz_strings):
    for reply in fuzz_strings:
        verdict = judge(rationale_generation, reply, TARGET)
        assert verdict.status == "scored" and not verdict.success

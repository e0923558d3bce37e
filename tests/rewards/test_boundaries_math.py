"""Guided math at each limit and one beyond: what is named, where it stands, what it is worth.

Numbers are written out here, so that a limit cannot change unnoticed (see `test_boundaries.py`).
"""

from fractions import Fraction
from itertools import pairwise

import pytest

from corgi_gym.rewards.date_understanding import date_understanding
from corgi_gym.rewards.fractions_units import fractions_units
from corgi_gym.rewards.linear_equations import linear_equations
from corgi_gym.rewards.logical_deduction import logical_deduction
from corgi_gym.rewards.word_sorting import word_sorting

X = {"equations": ["3x + 4 = 19"], "solution": {"x": "5"}}
XY = {"equations": ["x + y = 3", "2x - y = 0"], "solution": {"x": "1", "y": "2"}}


def first(verdict):
    """Kind, message, place and score of the first problem."""
    problem = verdict.problems[0]
    return problem.kind, problem.message, problem.where, verdict.score


# ---------------------------------------------------------------- word sorting


def test_word_sorting_names_five_words():
    given = ["ant", "bat", "cow", "dog", "eel", "fox", "gnu"]
    five = word_sorting(f"Answer: {', '.join(given[5:])}", {"words": given})
    assert first(five) == (
        "word_missing",
        'Your list lacks "ant", "bat", "cow", "dog" and "eel". Write all 7 words.',
        (7, 16),
        0.0,
    )
    six = word_sorting("Answer: gnu", {"words": given})
    assert '"dog", "eel" and 1 more. Write' in six.problems[0].message


def test_word_sorting_reads_51_pieces_more_than_there_are_words():
    nonsense = [f"w{number}" for number in range(80)]
    verdict = word_sorting(f"Answer: {' '.join(nonsense)}", {"words": ["ant", "bat"]})
    # 53 pieces: the last one holds the rest
    assert '"w4" and 48 more, which are' in verdict.problems[1].message


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("ant bat", 0.0),  # two of five
        ("ant bat cow", 0.1),
        ("bat ant cow dog eel", 0.1),  # none of five stands right from the start
        ("ant cow bat dog eel", 0.18),
        ("ant bat cow eel dog", 0.34),
        ("ant bat cow dog eel fox", 0.1),
        ("ant bat cow dog dog", 0.1),
    ],
)
def test_word_sorting_pays_for_the_right_beginning_of_a_whole_list(answer, score):
    verdict = word_sorting(f"Answer: {answer}", {"words": ["ant", "bat", "cow", "dog", "eel"]})
    assert verdict.score == pytest.approx(score)


# ---------------------------------------------------------------- logical deduction

BIRDS = ["auk", "emu", "hen", "jay", "kea", "owl", "tit"]
ROW = {
    "order": BIRDS,
    "statements": [[a, "before", b] for a, b in pairwise(BIRDS)],
    "texts": [f"{a} before {b}." for a, b in pairwise(BIRDS)],
}


def test_an_order_names_four_objects():
    four = logical_deduction(f"Answer: {', '.join(BIRDS[4:])}", ROW)
    assert first(four) == (
        "object_missing",
        'Your order lacks "auk", "emu", "hen" and "jay". Write all 7, separated by commas.',
        (7, 21),
        0.0,
    )
    five = logical_deduction("Answer: owl, tit", ROW)
    assert '"hen", "jay" and 1 more.' in five.problems[0].message


def test_an_order_is_read_up_to_21_objects_more_than_there_are():
    names = ", ".join(f"x{number}" for number in range(60))
    verdict = logical_deduction(f"Answer: {names}", ROW)
    assert '"x3" and 24 more, which' in verdict.problems[1].message


def test_all_that_is_wrong_with_the_objects_is_named():
    verdict = logical_deduction("Answer: auk, auk, dodo", {**ROW, "order": ["auk", "emu"]})
    assert [(p.kind, p.where) for p in verdict.problems] == [
        ("object_missing", (7, 22)),
        ("object_unknown", (7, 22)),
        ("object_repeated", (7, 22)),
    ]
    assert verdict.problems[2].message == 'Your order repeats "auk". Write each once.'


def test_statements_that_hold_are_paid_up_to_three_tenths():
    swapped = ["emu", "auk", *BIRDS[2:]]
    verdict = logical_deduction(f"Answer: {', '.join(swapped)}", ROW)
    assert first(verdict)[:3] == (
        "statement_broken",
        "Your order breaks this statement: auk before emu.",
        (7, 41),
    )
    assert verdict.score == pytest.approx(0.1 + 0.3 * 5 / 6)
    backwards = logical_deduction(f"Answer: {', '.join(BIRDS[::-1])}", ROW)
    assert backwards.score == pytest.approx(0.1)


def test_options_are_placed():
    assert first(logical_deduction("Answer: (c)", {"option": "B"})) == (
        "wrong_option", "Option (C) does not follow from the statements.", (7, 11), 0.1,
    )  # fmt: skip
    assert logical_deduction("Answer: b", {"option": "B"}).success
    missing = logical_deduction("B", {"option": "B"})
    assert (missing.score, missing.problems[0].kind) == (0.0, "answer_missing")
    form = logical_deduction("Answer: B?", {"option": "B"})
    assert (form.problems[0].kind, form.problems[0].where) == ("option_form", (7, 10))
    order = logical_deduction("auk, emu", ROW)
    assert (order.score, order.problems[0].kind) == (0.0, "answer_missing")
    assert "the 7 objects in their order" in order.problems[0].message


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("answer", "kind", "score"),
    [
        ("05/18/2011", "wrong_date", 0.1),
        ("02/30/2011", "no_such_date", 0.0),
        ("5/17/2011", "date_form", 0.0),
        ("the 17th", "date_form", 0.0),
    ],
)
def test_dates_are_placed(answer, kind, score):
    target = {"date": "05/17/2011"}  # a task need not name a date
    verdict = date_understanding(f"Hm.\nAnswer: {answer}", target)
    assert (verdict.problems[0].kind, verdict.score) == (kind, score)
    assert verdict.problems[0].where == (11, 12 + len(answer))
    assert "05/17" not in verdict.problems[0].message.replace(answer, "")


def test_a_date_in_words_hears_no_more_than_the_form():
    message = date_understanding("Answer: the 17th", {"date": "05/17/2011"}).problems[0].message
    assert message == (
        'After "Answer:" you wrote "the 17th". Write one date as MM/DD/YYYY, nothing else.'
    )


# ---------------------------------------------------------------- linear equations


def test_equations_read_answers_of_200_characters():
    fits = f"x ={' ' * 196}5"
    assert len(fits) == 200 and linear_equations(f"Answer: {fits}", X).success
    assert first(linear_equations(f"Answer: x ={' ' * 197}5", X))[0] == "answer_form"


def test_a_step_worth_a_solution_is_not_worked_out():
    kept = linear_equations("19 - 14 = 6\nAnswer: x = 5", X)
    assert first(kept) == ("wrong_step", 'The step "19 - 14 = 6" is wrong.', (0, 11), 0.5)
    negative = linear_equations("14 - 19 = 6\nAnswer: x = 5", X)
    assert negative.problems[0].message == 'The step "14 - 19 = 6" is wrong.'
    second = linear_equations("8 - 6 = 1\nAnswer: x = 1, y = 2", XY)
    assert second.problems[0].message == 'The step "8 - 6 = 1" is wrong.'


def test_equations_count_judged_steps():
    right = linear_equations("19 - 4 = 15\n15 / 3 = 5\nAnswer: x = 5", X)
    assert right.success and right.metrics == {"steps": 2.0}
    wrong = linear_equations("19 - 4 = 15\nAnswer: x = 6", X)
    assert wrong.metrics == {"steps": 1.0} and wrong.problems[0].where == (19, 25)
    none = linear_equations("19 - 4 = 14", X)
    assert [p.kind for p in none.problems] == ["wrong_step", "answer_missing"]
    assert none.score == 0.0 and '"x =" with one number' in none.problems[1].message


def test_only_an_unknown_called_x_is_no_times_sign():
    n = {"equations": ["3n = 15"], "solution": {"n": "5"}}
    assert linear_equations("3 x 5 = 16\nAnswer: n = 5", n).score == 0.5
    assert linear_equations("3 x 5 = 16\nAnswer: x = 5", X).success
    assert linear_equations("3 X 5 = 16\nAnswer: x = 5", X).success


def test_an_unknown_may_stand_apart_from_its_number():
    spaced = linear_equations("19 = 3 x + 4\n15 = 3 x\nAnswer: x = 5", X)
    assert spaced.score == 1.0
    n = {"equations": ["3n = 15"], "solution": {"n": "5"}}
    assert linear_equations("15 = 3 n\nAnswer: n = 5", n).score == 1.0


def test_what_can_be_said_where_the_sides_are_not_worked_out():
    long = {"equations": ["x = 1234567890123456"], "solution": {"x": "5"}}  # 16 digits
    assert first(linear_equations("Answer: x = 4", long))[1] == (
        "x = 4 does not solve x = 1234567890123456: the two sides are not equal."
    )
    other = linear_equations("Answer: x = 2, y = 1", {**XY, "equations": ["x + y = 3"]})
    assert first(other)[1] == "x = 2 and y = 1 is not the solution."


# ---------------------------------------------------------------- fractions and units


@pytest.mark.parametrize(
    ("answer", "score", "kinds"),
    [
        ("1/2", 1.0, []),
        ("0.5", 0.1, ["not_a_fraction"]),
        ("2/4", 0.3, ["lowest_terms"]),
        ("2/6", 0.1, ["lowest_terms", "wrong_answer"]),
        ("1/3", 0.1, ["wrong_answer"]),
        ("0 1/2", 0.0, ["not_a_fraction"]),
        ("3/0", 0.0, ["not_a_fraction"]),
    ],
)
def test_fractions_exactly(answer, score, kinds):
    verdict = fractions_units(f"Answer: {answer}", {"answer": "1/2", "unit": ""})
    assert (verdict.score, [p.kind for p in verdict.problems]) == (score, kinds)
    assert all(p.where == (7, 8 + len(answer)) for p in verdict.problems)


@pytest.mark.parametrize(
    ("answer", "score", "kinds"),
    [
        ("42 inches", 1.0, []),
        ("42", 0.2, ["unit_missing"]),
        ("41", 0.1, ["unit_missing", "wrong_answer"]),
        ("42 feet", 0.2, ["wrong_unit"]),
        ("42 frogs", 0.2, ["wrong_unit"]),
        ("41 inches", 0.1, ["wrong_answer"]),
        ("inches", 0.0, ["answer_not_number"]),
        ("4.2.1 inches", 0.0, ["answer_not_number"]),
    ],
)
def test_quantities_exactly(answer, score, kinds):
    verdict = fractions_units(f"Answer: {answer}", {"answer": "42", "unit": "inches"})
    assert (verdict.score, [p.kind for p in verdict.problems]) == (score, kinds)
    assert all(p.where == (7, 8 + len(answer)) for p in verdict.problems)


def test_a_false_step_costs_half_and_is_not_worked_out_where_it_is_the_answer():
    target = {"answer": "42", "unit": "inches"}
    verdict = fractions_units("6 * 7 = 41\nAnswer: 42 inches", target)
    assert first(verdict) == ("wrong_step", 'The step "6 * 7 = 41" is wrong.', (0, 10), 0.5)
    assert verdict.metrics == {"steps": 1.0}
    form = fractions_units("1 + 1 = 3\nAnswer: 42", target)
    assert (form.score, len(form.problems)) == (0.2, 2)
    right = fractions_units("6 * 7 = 42\n1 + 1 = 2\nAnswer: 42 in", target)
    assert right.success and right.metrics == {"steps": 2.0}
    missing = fractions_units("6 * 7 = 42", target)
    assert (missing.score, missing.metrics) == (0.0, {"steps": 1.0})
    assert 'one number and the unit "inches"' in missing.problems[0].message
    assert "one fraction" in fractions_units("x", {"answer": "1/2", "unit": ""}).problems[0].message


def test_a_quantity_in_two_units_is_no_false_step():
    target = {"answer": "438", "unit": "hours"}
    reply = "438 = 18 days 6 hours\nAnswer: 438 hours"
    assert fractions_units(reply, target).score == 1.0


def test_a_fraction_has_at_most_15_digits_a_part():
    target = {"answer": str(Fraction(10**14, 3)), "unit": ""}
    assert fractions_units(f"Answer: 2{'0' * 14}/6", target).score == 0.3
    assert fractions_units(f"Answer: 2{'0' * 15}/60", target).score == 0.0

"""At each limit and one beyond, and what messages name exactly.

Numbers are written out here, so that a limit cannot change unnoticed. Most of these were missing
until `benchmarks/mutation.py` showed changes that no test noticed.
"""

from fractions import Fraction

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.answer_line import AnswerLine, find_answer_block, find_answer_line
from corgi_gym.rewards.clustering import clustering
from corgi_gym.rewards.concepts import concepts
from corgi_gym.rewards.countdown import countdown
from corgi_gym.rewards.num_planning import num_planning
from corgi_gym.rewards.panagram import panagram
from corgi_gym.rewards.rational import ExpressionError, evaluate, literal, show
from corgi_gym.rewards.steps import check_steps
from corgi_gym.rewards.text import defuse, normalise, quote
from corgi_gym.rewards.working import judge_number

CLASS = {"students": ["Anna", "Ben", "Carl", "Dora"], "wishes": []}
GROUPS = "Group 1: Anna, Ben\nGroup 2: Carl, Dora"
BUS = {"beginning": "The old man ran", "count": 3, "last": "bus"}


def kinds(verdict):
    return [problem.kind for problem in verdict.problems]


# ---------------------------------------------------------------- rational


@pytest.mark.parametrize(
    ("fits", "value", "beyond", "reason"),
    [
        (f"1+{' ' * 497}1", 2, f"1+{' ' * 498}1", "an expression has at most 500 characters"),
        ("+".join("1" * 64), 64, "+".join("1" * 65), "at most 64 numbers can be used"),
        ("(" * 20 + "1" + ")" * 20, 1, "(" * 21 + "1" + ")" * 21, "at most 20 parentheses"),
        ("9" * 15, 10**15 - 1, "9" * 16, "a number has at most 15 digits"),
    ],
)
def test_limits_of_an_expression(fits, value, beyond, reason):
    assert evaluate(fits).value == value
    with pytest.raises(ExpressionError, match=reason):
        evaluate(beyond)


def test_an_error_says_its_reason_and_place():
    with pytest.raises(ExpressionError) as caught:
        evaluate("3 + * 4")
    assert str(caught.value) == "a number was expected (character 5)"
    assert (caught.value.reason, caught.value.position) == ("a number was expected", 4)


def test_a_literal_has_at_most_15_characters_a_part():
    assert literal("0." + "0" * 12 + "1") == Fraction(1, 10**13)
    assert literal("0." + "0" * 13 + "1") is None
    assert literal("1/" + "9" * 15) == Fraction(1, 10**15 - 1)
    assert literal("1/1" + "0" * 15) is None


def test_division_by_zero_and_powers_are_placed():
    for text, reason, position in (
        ("4 / (2 - 2)", "this divides by zero", 2),
        ("2 + 3**2", "powers are not allowed", 6),
        ("2^3", "powers are not allowed", 1),
        ("1 + (2", 'this "(" is never closed', 4),
        ("1 + 2)", 'this ")" closes nothing', 5),
        ("1 + 2 $", "this character is not allowed", 6),
        ("(1)(2)", "an operator was expected", 3),
        ("1 +", "a number was expected", 3),
        ("12 + " + "1" * 16, "a number has at most 15 digits", 5),
    ):
        with pytest.raises(ExpressionError) as caught:
            evaluate(text)
        assert (caught.value.reason, caught.value.position) == (reason, position)


def test_long_values_are_described_from_21_characters_on():
    assert show(Fraction(10**19)) == "1" + "0" * 19
    assert show(Fraction(10**20)) == "a number with 21 digits"


# ---------------------------------------------------------------- answer line


@pytest.mark.parametrize(
    ("reply", "text", "start", "where"),
    [
        ("Answer: **7**", "7", 0, (7, 13)),
        ("Answer: *7*", "7", 0, (7, 11)),
        ("Answer: ***", "*", 0, (7, 11)),
        ("Answer: ****", "**", 0, (7, 12)),
        ("Answer: `7`", "7", 0, (7, 11)),
        ("steps\n**Answer:** 7", "7", 6, (15, 19)),
        ("**Answer:** **7**", "7", 0, (9, 17)),
        ("**Answer:** *7*.", "7", 0, (9, 16)),
        ("**Answer: 7**", "7", 0, (9, 13)),
        ("**Answer**: **7", "**7", 0, (11, 15)),  # opened and not closed
        ("__Answer:__ 7", "7", 0, (9, 13)),
        ("*Answer:* 7", "7", 0, (8, 11)),
        ("`Answer: 7`", "7", 0, (8, 11)),
    ],
)
def test_the_answer_and_its_place(reply, text, start, where):
    assert find_answer_line(reply, "one number") == AnswerLine(text, start, where)


@pytest.mark.parametrize(
    ("reply", "kind", "where"),
    [
        ("x\nAnswer: 1\nAnswer: 2", "answer_repeated", (12, 21)),
        ("Answer: 7\nmore", "answer_not_last", (9, 14)),
        ("Answer:", "answer_empty", (0, 7)),
        ("no answer", "answer_missing", None),
    ],
)
def test_what_is_wrong_with_an_answer_line_and_where(reply, kind, where):
    for find in (find_answer_line, find_answer_block):
        if find is find_answer_block and kind == "answer_not_last":
            continue  # a block may go on
        found = find(reply, "one number")
        assert (found.kind, found.where) == (kind, where)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Answer:\n1 2\n3 4", AnswerLine("1 2\n3 4", 0, (7, 15))),
        ("Answer: 1\n2", AnswerLine("1\n2", 0, (7, 11))),
        ("Answer: 7", AnswerLine("7", 0, (7, 9))),
        ("Answer:\n```\n1\n```", AnswerLine("1", 0, (7, 17))),
        ("w\n**Answer:** **a**\nb  \n\nc", AnswerLine("a\nb\nc", 2, (11, 26))),
    ],
)
def test_answers_of_several_lines(reply, expected):
    assert find_answer_block(reply, "the grid") == expected


def test_a_block_of_fences_is_empty():
    found = find_answer_block("Answer:\n```\n```", "the grid")
    assert (found.kind, found.where) == ("answer_empty", (0, 7))
    assert found.message == 'Nothing stands after "Answer:". Write the grid.'


# ---------------------------------------------------------------- checkers


def test_panagram_names_six_letters_and_then_says_more():
    six, seven = panagram("zzz", "abcdef"), panagram("zzz", "abcdefg")
    assert "the letters a, b, c, d, e and f. Use all" in six.problems[1].message
    assert "the letters a, b, c, d, e, f and more. Use all" in seven.problems[1].message


def test_panagram_reads_words_of_up_to_45_letters():
    assert kinds(panagram("a" * 45, "a")) == ["valid_word"]
    assert kinds(panagram("a" * 46, "a")) == ["one_word"]


def test_countdown_names_six_numbers_and_two_repeated_ones():
    task = {"numbers": [1, 2, 3], "target": 3}
    six = countdown("Answer: 10+11+12+13+14+15", task).problems[0].message
    assert six == "You used 10, 11, 12, 13, 14 and 15. Use only 1, 2 and 3."
    seven = countdown("Answer: 10+11+12+13+14+15+16", task).problems[0].message
    assert seven == "You used 10, 11, 12, 13, 14, 15 and others. Use only 1, 2 and 3."
    message = countdown("Answer: 1+1+2+2+3+3", task).problems[0].message
    assert message == (
        "The number 1 is used 2 times. Use it at most once. "
        "The number 2 is used 2 times. Use it at most once."
    )


def test_num_planning_reads_2000_characters_and_30_words_of_prose():
    long_word = "to the bus" + "!" * 1990
    assert num_planning(long_word, BUS).success
    verdict = num_planning(long_word + "!", BUS)
    assert verdict.score == 0.0
    assert verdict.problems[0].message == ("Your reply has 2001 characters. Write exactly 3 words.")
    words = ["and then he ran on"] * 6  # 30 words, repeated: the 31st is no word and is not read
    within = num_planning(" ".join([*words[:5], "and then he ran xqzv"]), BUS)
    beyond = num_planning(" ".join([*words, "xqzv"]), BUS)
    assert "xqzv" in within.problems[-1].message
    assert "xqzv" not in beyond.problems[-1].message


def test_num_planning_judges_what_follows_a_repeated_beginning():
    assert num_planning("The old man ran\nto the bus.", BUS).success
    lines = num_planning("The old man ran to\nthe bus.", BUS)
    assert kinds(lines) == ["one_sentence"]
    verdict = num_planning("The old man ran home", BUS)
    assert [p.where for p in verdict.problems] == [(16, 20), (16, 20)]
    assert verdict.problems[0].message == (
        "You wrote 1 word after the given beginning. Write exactly 3."
    )


def test_num_planning_places_its_problems():
    verdict = num_planning("home now - yes", BUS)
    assert verdict.problems[0].where == (11, 14)
    several = num_planning("he went home to his wife", {**BUS, "count": 3})
    assert [p.where for p in several.problems[:2]] == [(0, 24), (20, 24)]


def test_clustering_reads_40_lines_and_200_names():
    groups = [f"Group {number}:" for number in range(3, 42)]
    forty = clustering("\n".join([*groups[:38], GROUPS]), CLASS)
    beyond = clustering("\n".join([*groups, GROUPS]), CLASS)
    assert kinds(forty) == ["format"]
    assert kinds(beyond) == ["format", "missing_student", "missing_student"]
    for count, said in ((195, False), (196, True)):
        names = ", ".join(["Zed"] * count)
        verdict = clustering(f"{GROUPS}\nGroup 3: {names}", CLASS)
        assert ("Your reply is too long." in verdict.problems[0].message) is said
    halves = "\n".join(f"Group {n}: {', '.join(['Zed'] * 98)}" for n in (3, 4))
    assert "Your reply is too long." in clustering(f"{GROUPS}\n{halves}", CLASS).problems[0].message


def test_clustering_calls_41_good_lines_too_long():
    students = [f"S{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(82)]
    lines = [f"Group {i + 1}: {students[2 * i]}, {students[2 * i + 1]}" for i in range(41)]
    fits = clustering("\n".join(lines[:40]), {"students": students[:80], "wishes": []})
    assert fits.success
    beyond = clustering("\n".join(lines), {"students": students, "wishes": []})
    assert "Your reply is too long." in beyond.problems[0].message


def test_clustering_names_six_of_a_kind_and_quotes_24_characters():
    students = [f"Al{letter}" for letter in "abcdefghij"]
    verdict = clustering("Group 1: Ala, Alb", {"students": students, "wishes": []})
    assert kinds(verdict).count("missing_student") == 6
    assert verdict.problems[-1].message == "Alh is in no group. Put every student into one group."
    for length, shown in ((24, "x" * 24), (25, "x" * 23 + "…")):
        text = f"Group 1: {'x' * length}, Anna, Ben\nGroup 2: Carl, Dora"
        message = clustering(text, CLASS).problems[0].message
        assert message == f'"{shown}" is not one of the students. Use only the given names.'


def test_a_step_is_quoted_up_to_50_characters():
    step = "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 1234"
    assert len(f"{step}56") == 50
    for text, shown in ((f"{step}56", f"{step}56"), (f"{step}567", f"{step}5…")):
        verdict = judge_number(f"{text}\nAnswer: 5", Fraction(5))
        assert verdict.problems[0].message == f'The step "{shown}" is wrong.'


def test_a_false_step_is_forgiven_only_where_steps_are_not_strict():
    reply = "3 + 4 = 8\nAnswer: 7"
    assert judge_number(reply, Fraction(7)).score == 0.5
    forgiving = judge_number(reply, Fraction(7), strict_steps=False)
    assert forgiving.success and forgiving.metrics["steps"] == 1.0
    assert judge_number("Answer: 8", Fraction(7), strict_steps=False).score == 0.1


# ---------------------------------------------------------------- steps


def test_steps_are_read_in_4000_characters():
    assert check_steps("\n" * 3_991 + "1 + 1 = 3").wrong is not None
    assert check_steps("\n" * 3_992 + "1 + 1 = 3").wrong is None
    assert check_steps("\n" * 4_000 + "1 + 1 = 3\nx").wrong is None
    cut = check_steps("\n" * 3_991 + "1 + 2 = 34")  # never read as "1 + 2 = 3"
    assert (cut.judged, cut.wrong) == (0, None)


def test_120_steps_are_judged():
    true = "1 + 1 = 2\n"
    assert check_steps(true * 3).judged == 3
    last = check_steps(true * 119 + "1 + 1 = 3")
    assert last.wrong is not None and last.judged == 120
    beyond = check_steps(true * 120 + "1 + 1 = 3")
    assert beyond.wrong is None and beyond.judged == 120


@pytest.mark.parametrize(
    ("text", "left", "right", "where"),
    [
        ("3 + 4 = 8", "3 + 4", "8", (0, 9)),
        ("ok:\n3 + 4 = 7 = 8", "7", "8", (12, 17)),
        ("12, 3 + 4 = 8", "3 + 4", "8", (0, 13)),
        ("1, 12, 3 + 4 = 8", "3 + 4", "8", (0, 16)),
        ("(3 + 4 = 8)", "3 + 4", "8", (0, 11)),
        ("3 + 4 = 8, 7", "3 + 4", "8", (0, 12)),
        ("3 + 4 = 8 apples", "3 + 4", "8", (0, 9)),
        ("3 + 4 = 8 apples%", "3 + 4", "8", (0, 9)),
    ],
)
def test_the_wrong_step_and_its_place(text, left, right, where):
    wrong = check_steps(text).wrong
    assert (wrong.left, wrong.right, wrong.where) == (left, right, where)


@pytest.mark.parametrize(
    "text",
    [
        "3 + 4 = 8x.",
        "3 + 4 = 8^2",
        "3 + 4 = 8% of it",
        "2 ** 3 = 8",
        # a power; read as bold, "2 -1" would be a difference
        "2**-1 = 0.5",
        "2 ** -1 = 0.5",
        "(1 + 1)**-1 = 0.5",
        "(1 + 1) ** -1 = 0.5",
        "2**(-1) = 0.5",
    ],
)
def test_what_goes_on_is_not_judged(text):
    assert check_steps(text).wrong is None


# ---------------------------------------------------------------- text

IGNORABLE = [
    *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
    *(0x180B, 0x180C, 0x180D, 0x180F, 0xFE00, 0xFE0F, 0xE0100, 0xE01EF),
]
# Visible neighbours of those.
VISIBLE = [0x115E, 0x17B6, 0x3163, 0x3165, 0xFFA1, 0x180A, 0x1810, 0xFDFF, 0xFE10]


@pytest.mark.parametrize("code", IGNORABLE, ids=hex)
def test_every_character_that_shows_nothing_is_removed(code):
    assert normalise(f"a{chr(code)}b") == "ab"


@pytest.mark.parametrize("code", VISIBLE, ids=hex)
def test_their_neighbours_stay(code):
    assert normalise(f"a {chr(code)} b") == f"a {chr(code)} b"


def test_a_letter_keeps_30_marks():
    assert normalise("x" + "\u0316" * 30) == "x" + "\u0316" * 30
    assert normalise("x" + "\u0316" * 31) == "x" + "\u0316" * 30


def test_judge_reads_20000_characters():
    def anything(reply, target):
        return True

    assert judge(anything, "a" * 20_000, None).success
    assert kinds(judge(anything, "a" * 20_001, None)) == ["too_long"]


def test_quotations_are_cut_at_their_limit_and_read_four_times_as_much():
    assert defuse("a" * 20, 20) == "a" * 20
    assert defuse("a" * 21, 20) == "a" * 19 + "…"
    assert defuse("\x00" * 77 + "abc", 20) == "abc"
    assert defuse("\x00" * 80 + "abc", 20) == ""
    assert quote("a" * 40) == f'"{"a" * 40}"'
    assert quote("a" * 41) == f'"{"a" * 39}…"'
    assert quote("\x00" * 157 + "abc") == '"abc"'
    assert quote("\x00" * 160 + "abc") == '""'


# ---------------------------------------------------------------- concepts


@pytest.mark.parametrize(
    ("reply", "given", "score", "expected"),
    [
        # three given words in a row, joined by commas and fillers, are a list; two are not
        ("The boy saw a dog, a ball and a river in the park.", "dog ball river", 0.2775, ["list"]),
        ("The boy saw a dog, a ball and a river in the park.", "boy dog ball river", 0.2775,
         ["list"]),
        ("The boy saw a dog and a ball in the park near the river.", "dog ball river", 1.0, []),
        ("A ball, a dog and a boy passed the old river with a car.", "dog ball car", 1.0, []),
        ("The boy saw a dog near a ball and a river.", "dog ball river", 1.0, []),
        # up to three quarters of the words may be given ones
        ("The girl chews gum.", "girl chew gum", 1.0, []),
        ("Two girls chew sweet gum.", "girl chew sweet gum", 0.2775, ["list"]),
        # each given word once: a fault takes a fifth of the form, and the repetition another
        ("The dog chased the ball and the other dog.", "dog chase ball", 0.66, ["repeated"]),
        # what is no event is no sentence about a scene
        ("A dog is an animal with a ball.", "dog ball animal", 0.2762, ["event"]),
        ("This is a sentence about a dog that chased a ball.", "dog chase ball", 0.2762,
         ["list", "event"]),
        ("The dog chased a stick.", "dog chase ball", 0.6667, ["missing"]),
        ("dog chase ball", "dog chase ball", 0.15, ["list", "ending", "capital"]),
    ],
)  # fmt: skip
def test_concepts_exactly(reply, given, score, expected):
    verdict = concepts(reply, {"concepts": given.split()})
    assert kinds(verdict) == expected
    assert verdict.score == pytest.approx(score, abs=1e-4)


def test_concepts_reads_400_characters():
    text = "The dog chased a ball." + " " * 378
    target = {"concepts": ["dog", "chase", "ball"]}
    assert concepts(text, target).success
    beyond = concepts(text[:-1] + "xx", target)
    assert (beyond.score, kinds(beyond), beyond.metrics) == (0.0, ["length"], {})


def test_concepts_judges_a_padded_sentence():
    text = "The dog chased a ball." + " " * 400
    assert judge(concepts, text, {"concepts": ["dog", "chase", "ball"]}).success


def test_concepts_names_three_problems():
    reply = "dog dog the ball sits, chases stone stone"
    assert len(concepts(reply, {"concepts": ["dog", "chase", "ball", "sky"]}).problems) == 3

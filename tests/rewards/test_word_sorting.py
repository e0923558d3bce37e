"""Word sorting: exact feedback, and what order and membership are worth."""

import re
from itertools import permutations

import pytest

from corgi_gym.envs.tasks.word_sorting import WordSorting
from corgi_gym.rewards import judge
from corgi_gym.rewards.word_sorting import word_sorting

TASK = {"words": ["pear", "fig", "apple", "plum"]}


@pytest.mark.parametrize(
    ("answer", "score", "text"),
    [
        ("apple, fig, plum, pear", 0.3, '"plum" stands before "pear", but comes after it in the '),
        ("fig, apple, pear, plum", 0.1, '"fig" stands before "apple", but comes after it in the '),
        ("apple, fig, plum", 0.1, 'Your list lacks "pear". Write all 4 words.'),
        ("apple, fig", 0.1, 'Your list lacks "pear" and "plum". Write all 4 words.'),
        ("apple", 0.0, 'Your list lacks "pear", "fig" and "plum". Write all 4 words.'),
        (
            "apple, fig, lime, pear, plum",
            0.1,
            'Your list has "lime", which is not among the given words.',
        ),
        (
            "apple, fig, lime, nut, pear, plum",
            0.1,
            'Your list has "lime" and "nut", which are not among the given words.',
        ),
        ("apple, apple, fig, pear, plum", 0.1, 'Your list repeats "apple". Write each word once.'),
        (
            "plum, apple, fig",
            0.1,
            'Your list lacks "pear". Write all 4 words. "plum" stands before "apple", but comes',
        ),
        ("a b c d e f g", 0.0, 'Your list lacks "pear", "fig", "apple" and "plum".'),
    ],
)
def test_feedback(answer, score, text):
    verdict = judge(word_sorting, f"Answer: {answer}", TASK)
    assert verdict.score == pytest.approx(score)
    assert " ".join(p.message for p in verdict.problems).startswith(text)


def test_only_one_order_succeeds_and_the_others_earn_little():
    scores = []
    for order in permutations(TASK["words"]):
        verdict = judge(word_sorting, f"Answer: {', '.join(order)}", TASK)
        assert verdict.success == (list(order) == sorted(order))
        scores.append(verdict.score)
    scores.remove(1.0)
    assert max(scores) <= 0.5 and sum(scores) / len(scores) < 0.2


def test_words_that_share_a_beginning():
    target = {"words": ["car", "card", "care", "cart"]}
    assert judge(word_sorting, "Answer: car, card, care, cart", target).success
    assert not judge(word_sorting, "Answer: card, car, care, cart", target).success


@pytest.mark.parametrize("separator", [", ", " ", ",", "; ", "  "])
def test_separators(separator):
    assert judge(word_sorting, "Answer: " + separator.join(sorted(TASK["words"])), TASK).success


@pytest.mark.parametrize("separator", [" < ", " -> ", "", " and ", "/", "|", " then ", "-", "."])
def test_no_separators(separator):
    assert not judge(word_sorting, "Answer: " + separator.join(sorted(TASK["words"])), TASK).success


def test_copying_the_feedback_sorts_nothing():
    """The missing words are named in the order of the task."""
    source = WordSorting()
    solved = 0
    for index in range(200):
        task = source.item(0, index)
        (problem,) = [
            p for p in judge(word_sorting, "Answer: x", task.target).problems
            if p.kind == "word_missing"
        ]  # fmt: skip
        named = re.findall('"([a-z]+)"', problem.message)
        assert named == task.target["words"][: len(named)]
        solved += judge(word_sorting, f"Answer: {', '.join(named)}", task.target).success
    assert solved < 40  # two words are in order as they stand in half of the tasks that have two

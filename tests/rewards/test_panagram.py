"""One word from a set of letters: scores, exact feedback, exploits, robustness."""

import time

import numpy as np
import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.panagram import panagram

ONE_WORD = "Write exactly one word and nothing else."


@pytest.mark.parametrize("example", panagram.examples, ids=lambda e: e.reply)
def test_declared_examples(example):
    assert judge(panagram, example.reply, example.target).success is example.passes


@pytest.mark.parametrize(
    "reply, thirds, expected",
    [
        ("plan", 2, ['"plan" does not have the letter e. Use all the letters.']),
        ("plank", 1, ['"plank" does not have the letter e. Use all the letters.',
                      '"plank" has the letter k. Use only the given letters.']),
        ("an", 2, ['"an" does not have the letters l, e and p. Use all the letters.']),
        ("planets", 2, ['"planets" has the letters t and s. Use only the given letters.']),
        ("Nlaep", 2, ['"nlaep" is not a valid English word.']),
        ("nlaez", 0, ['"nlaez" is not a valid English word.',
                      '"nlaez" does not have the letter p. Use all the letters.',
                      '"nlaez" has the letter z. Use only the given letters.']),
        ("xbcdfghjk", 0, ['"xbcdfghjk" is not a valid English word.',
                          '"xbcdfghjk" does not have the letters n, l, a, e and p. '
                          "Use all the letters.",
                          '"xbcdfghjk" has the letters x, b, c, d, f, g and more. '
                          "Use only the given letters."]),
        ("plane panel", 0, [f"You wrote 2 words. {ONE_WORD}"]),
        ("plane/panel", 0, [f'"plane/panel" is not one word. {ONE_WORD}']),
        ("...", 0, [f'"..." is not one word. {ONE_WORD}']),
    ],
)  # fmt: skip
def test_exact_feedback_and_score(reply, thirds, expected):
    verdict = judge(panagram, reply, "nlaep")
    assert [p.message for p in verdict.problems] == expected
    assert verdict.score == pytest.approx(thirds / 3)


@pytest.mark.parametrize(
    "reply", ["plane", "PLANE", "Plane.", '"plane"', " plane!\n", "penal", "**plane**", "`plane`"]
)
def test_forms_of_a_right_word(reply):
    assert judge(panagram, reply, "nlaep").success


def test_capital_letters_are_no_new_letters():
    assert judge(panagram, "Baker", "kbare").success


def test_listing_guesses_earns_nothing():
    for reply in ("plane, panel", "plane panel penal", "plane\npanel", "The word is plane."):
        assert judge(panagram, reply, "nlaep").score == 0.0


def test_never_raises_and_is_fast(fuzz_strings):
    panagram("warmup", "nlaep")
    took = []
    for text in fuzz_strings:
        start = time.process_time()
        verdict = panagram(text, "nlaep")
        took.append(time.process_time() - start)
        assert verdict == panagram(text, "nlaep")
        assert 0.0 <= verdict.score <= 1.0 and verdict.success == (not verdict.problems)
        assert all(len(p.message.split()) <= 25 for p in verdict.problems)
    assert np.percentile(took, 99) < 5e-3

"""Feedback: exact texts of the five levels; bounded, deterministic, harmless."""

import random
import unicodedata

import pytest

from corgi_gym.envs import LEVELS, feedback
from corgi_gym.envs.feedback import MAX_FEEDBACK_CHARS, check_level
from corgi_gym.rewards import Problem, Verdict

PIECES = (
    "<|im_end|>", "<|", "|>", "</s>", "[INST]", "a", " ", "\x00", "\x1b", "\u200b", "\ud800",
    "<|im_start|>user\n", "\u202e", "long " * 300, "_", "<s>", "<｜User｜>",
)  # fmt: skip
VERDICT = Verdict.wrong(
    0.29,
    Problem("word_count", "You wrote 3 words. Write 4."),
    Problem("last_word", 'Your last word is "a". It must be "b".'),
)


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("silent", "Try again."),
        ("binary", "Incorrect. Try again."),
        ("score", "Score: 0.29 of 1. Try again."),
        ("which", "Wrong: word count and last word. Try again."),
        (
            "full",
            'You wrote 3 words. Write 4. Your last word is "a". It must be "b". Try again.',
        ),
    ],
)
def test_exact_text_of_each_level(level, text):
    assert feedback(VERDICT, level) == text


@pytest.mark.parametrize("level", LEVELS)
def test_success_is_said_the_same_at_every_level(level):
    assert feedback(Verdict.ok(), level) == "Correct."


@pytest.mark.parametrize("level", LEVELS)
def test_unscored_blames_nobody_and_tells_no_reason(level):
    text = feedback(Verdict.unscored("secret traceback"), level)
    expected = "Your reply could not be checked. Try again."
    assert text == ("Try again." if level == "silent" else expected)


@pytest.mark.parametrize(
    ("score", "shown"), [(0.0, "0.00"), (0.999999, "0.99"), (0.57, "0.57"), (1 - 2**-30, "0.99")]
)
def test_a_failing_reply_is_never_told_a_full_score(score, shown):
    verdict = Verdict.wrong(score, Problem("kind", "message"))
    assert feedback(verdict, "score") == f"Score: {shown} of 1. Try again."


def test_each_level_tells_no_more_than_the_next():
    lengths = [len(feedback(VERDICT, level)) for level in LEVELS]
    assert lengths == sorted(lengths)
    for level in ("silent", "binary", "score", "which"):
        assert "You wrote 3" not in feedback(VERDICT, level)


def test_kinds_are_named_once():
    twice = Verdict.wrong(0.0, Problem("group_size", "One."), Problem("group_size", "Two."))
    assert feedback(twice, "which") == "Wrong: group size. Try again."


def test_hostile_problems_stay_bounded_visible_and_free_of_control_tokens():
    rng = random.Random(0)
    for _ in range(1_000):
        problems = [
            Problem(*("x" + "".join(rng.choices(PIECES, k=rng.randrange(8))) for _ in range(2)))
            for _ in range(rng.randint(1, 4))
        ]
        verdict = Verdict.wrong(0.5, *problems)
        for level in LEVELS:
            text = feedback(verdict, level)
            assert text == feedback(verdict, level)
            assert len(text) <= MAX_FEEDBACK_CHARS and text.endswith("Try again.")
            assert not any(token in text for token in ("<|", "|>", "<s>", "</s>", "[INST]", "<｜"))
            assert all(c in "\n\t" or unicodedata.category(c)[0] != "C" for c in text)


@pytest.mark.parametrize("level", ["loud", "", None, ["full"], "FULL"])
def test_an_unknown_level_lists_the_known_ones(level):
    with pytest.raises(ValueError, match="choose from silent, binary, score, which, full") as error:
        check_level(level)
    assert repr(level) in str(error.value)

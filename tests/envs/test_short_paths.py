"""Where a usual case takes a shorter path, it says what the long one does."""

import gymnasium as gym
import pytest

import corgi_gym  # noqa: F401  registers the ids
from corgi_gym.envs.tasks.panagram import Panagram
from corgi_gym.rewards.constraints import Passage
from corgi_gym.rewards.instructions.checker import follows, read_target
from corgi_gym.rewards.text import has_word, words


def test_made_environments_say_themselves_that_a_reset_is_missing():
    env = gym.make("corgi/Panagram-v0")
    with pytest.raises(RuntimeError, match="reset"):
        env.step("word")


@pytest.mark.parametrize(("seed", "index"), [(True, 0), (0, True), (0.0, 0), (0, 0.0), (0, -1)])
def test_a_kept_task_hides_no_bad_number(seed, index):
    source = Panagram()
    source.item(0, 0), source.item(1, 0), source.item(0, 1)
    with pytest.raises(ValueError, match="integer"):
        source.item(seed, index)


def test_words_of_plain_text_fold_as_those_of_any_text():
    plain = "Don't STOP - the Well-Known\nX-ray, O'Neil!"
    assert Passage(f"{plain} \u00e9").folded[:-1] == Passage(plain).folded


@pytest.mark.parametrize("text", ["", "- x -", "...", "a", "_ _", "!? 7"])
def test_has_word_is_whether_there_are_words(text):
    for start in range(len(text) + 1):
        assert has_word(text, start) == bool(words(text[start:]))


def test_what_fails_is_looked_at_first_the_next_time():
    rows = [
        {"kind": "punctuation:no_comma"},
        {"kind": "count:questions", "kwargs": {"number": 1}},
    ]
    wanted = read_target(rows)
    order = list(wanted.instructions)
    assert not follows("The river is wide and deep.", wanted, order)
    assert [i.kind.name for i in order] == ["count:questions", "punctuation:no_comma"]
    assert follows("Is the river wide or is it narrow?", wanted, order)

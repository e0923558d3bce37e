"""`ChatText` holds every text of allowed length, and stays small."""

import pickle

import pytest

from corgi_gym.envs import ChatText


@pytest.mark.parametrize("text", ["", "a b", "naïve, 雪 😀", "\x00\n", "\ud800", "x" * 20])
def test_any_text_up_to_the_bound_is_contained(text):
    assert text in ChatText(20)


@pytest.mark.parametrize("thing", ["x" * 21, None, 3, b"bytes", ["a"], ("a",)])
def test_longer_text_and_other_things_are_not(thing):
    assert thing not in ChatText(20)


def test_the_minimum_length_counts():
    assert "ab" not in ChatText(20, min_length=3) and "abc" in ChatText(20, min_length=3)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (1, 1), (0, 10**6), (100, 200), (3, 64)])
def test_samples_are_contained_and_repeat_with_the_seed(low, high):
    one, other = ChatText(high, min_length=low, seed=7), ChatText(high, min_length=low, seed=7)
    samples = [one.sample() for _ in range(50)]
    assert samples == [other.sample() for _ in range(50)]
    assert all(sample in one for sample in samples)
    assert len(set(samples)) > 10 or high == 1


def test_equality_is_of_bounds_and_survives_pickle():
    assert ChatText(5) == ChatText(5) != ChatText(6)
    assert ChatText(5) != ChatText(5, min_length=1)
    assert ChatText(5) != "ChatText(5)"
    copy = pickle.loads(pickle.dumps(ChatText(2_000_000)))
    assert copy == ChatText(2_000_000)


def test_a_large_space_costs_little():
    assert len(pickle.dumps(ChatText(2_000_000))) < 20_000
    assert repr(ChatText(9, min_length=1)) == "ChatText(9, min_length=1)"

"""`Draws` gives the numbers of numpy's generator, whatever is drawn in which order."""

import random

import numpy as np
import pytest

from corgi_gym.envs.draws import Draws, several

SEEDS = (0, 1, 2**63, 2**64 - 1, *range(100, 160))
# 3 * 2**30: every fourth word is thrown away; 1: none is used; the others are what tasks draw.
SIZES = (1, 2, 3, 5, 7, 47, 1_000, 2**31, 3 * 2**30, 2**32 - 1)


def one(rng, ours, chance):
    """One call of each generator."""
    match chance.randrange(5):
        case 0:
            size = chance.choice(SIZES)
            return rng.integers(size), ours.integers(size)
        case 1:
            low = chance.randrange(-50, 50)
            high = low + chance.choice(SIZES)
            return rng.integers(low, high), ours.integers(low, high)
        case 2:
            return rng.random(), ours.random()
        case 3:
            count = chance.randrange(60)
            return rng.permutation(count).tolist(), ours.permutation(count)
        case _:
            sizes = [chance.choice(SIZES) for _ in range(chance.randrange(1, 9))]
            return several(rng, sizes), several(ours, sizes)


@pytest.mark.parametrize("seed", SEEDS)
def test_same_numbers_as_numpy(seed):
    rng, ours, chance = np.random.default_rng(seed), Draws(seed), random.Random(seed)
    for _ in range(200):  # several blocks of words
        theirs, drawn = one(rng, ours, chance)
        assert theirs == drawn


def test_numbers_are_pythons():
    draws = Draws(3)
    assert type(draws.integers(9)) is int and type(draws.random()) is float
    assert all(type(number) is int for number in several(np.random.default_rng(3), [4, 5]))


@pytest.mark.parametrize("size", [0, -1, 2**32])
def test_sizes_that_cannot_be_drawn(size):
    with pytest.raises(ValueError, match=f"one of {size} numbers"):
        Draws(0).integers(size)
    with pytest.raises(ValueError, match="give 1 to 4294967295"):
        Draws(0).integers(5, 5 + size)

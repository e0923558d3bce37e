"""What the `concepts_hard` generator promises about its witnesses."""

import re
from itertools import combinations

import numpy as np

from corgi_gym.envs.draws import Draws
from corgi_gym.envs.tasks.concepts import scenes
from corgi_gym.envs.tasks.concepts_hard import _FRAMES, ConceptsHard, _telling
from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.text import words


def test_frames_have_small_words_only():
    """Else `_story` would have to look whether they clash with a part."""
    for frame in _FRAMES:
        assert CLOSED.issuperset(words(re.sub(r"\{\w+\}", "", frame)))


def test_no_two_content_words_of_a_witness_share_a_lemma():
    source = ConceptsHard((10, 26))
    for index in range(60):
        told = words(source.item(4, index).witness.lower())
        held = [lemmas(word) for word in told if word not in CLOSED]
        assert all(one.isdisjoint(other) for one, other in combinations(held, 2)), told


def test_parts_share_a_bit_where_they_share_a_lemma():
    telling = _telling(3, False)
    scene = scenes()[3]
    texts = [where.text for where in scene.places] + [extra.text for extra in scene.extras]
    parts = [*telling.parts[3], *telling.parts[4]]
    held = [{form for w in words(t) if w not in CLOSED for form in lemmas(w)} for t in texts]
    for i, j in combinations(range(len(texts)), 2):
        assert bool(parts[i].lemmas & parts[j].lemmas) == bool(held[i] & held[j])


def test_either_generator_of_numbers_makes_the_same_task():
    source = ConceptsHard((10, 12))
    for seed in range(20):
        assert source.make(Draws(seed)) == source.make(np.random.default_rng(seed))

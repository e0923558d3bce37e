"""The checker of `concepts`: coverage in any form, and a sentence instead of a list."""

import random

import lemminflect
import pytest

from corgi_gym.envs.tasks.concepts import Concepts
from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.concepts import concepts

DOG = {"concepts": ["dog", "chase", "ball"]}
GIRL = {"concepts": ["carry", "basket", "field"]}


def message(reply, target):
    return " ".join(problem.message for problem in judge(concepts, reply, target).problems)


@pytest.mark.parametrize("example", get_checker("concepts").examples)
def test_declared_examples(example):
    assert judge(concepts, example.reply, example.target).success == example.passes


@pytest.mark.parametrize("tag", ["VB", "VBP", "VBZ", "VBD", "VBG", "VBN"])
def test_every_inflection_counts(tag):
    frames = {
        "VB": "The girls {} into the cold {}.", "VBP": "The girls {} into the cold {}.",
        "VBZ": "The girl {} into the cold {}.", "VBD": "The girl {} into the cold {}.",
        "VBG": "The girl is {} into the cold {}.", "VBN": "The girl has {} into the cold {}.",
    }  # fmt: skip
    for verb in ("jump", "swim", "run", "fall", "fly"):
        form = lemminflect.getInflection(verb, tag)[0]
        for noun in ("lake", "rivers"):
            target = {"concepts": [verb, noun.rstrip("s"), "girl"]}
            reply = frames[tag].format(form, noun)
            assert judge(concepts, reply, target).success, reply


@pytest.mark.parametrize(
    ("reply", "target", "text"),
    [
        ("The girl walked home.", GIRL, "Your sentence is missing: carry, basket and field."),
        ("The girl carried a bag across the field.", GIRL, "Your sentence is missing: basket."),
        ("Basket, field, carry.", GIRL, "Do not list the words: tell what happens. "
         'Write "a" or "the" before "Basket".'),
        ("The girl carried a basket and the basket fell in the field.", GIRL,
         "Use only once: basket."),
        ("The girl carried the basket field home.", GIRL,
         'Do not put given words side by side: "basket field".'),
        ("The ball is a dog, and it chases people.", DOG,
         "Tell what happens, not what something is."),
        ("This is a sentence about a dog that chases its ball.", DOG,
         "Do not list the words: tell what happens. Tell what happens, not what something is."),
    ],
)  # fmt: skip
def test_exact_feedback(reply, target, text):
    assert message(reply, target) == text


def test_stuffing_never_beats_a_good_sentence_that_lacks_a_word():
    stuffed = [
        "{0} {1} {2}", "{0}, {1}, {2}.", "{0} and {1} and {2}.", "The {0} {1} {2}.",
        "The {0}'s {1}'s {2}.", "{0}. {1}. {2}.", "The {0}, {1}, {2} are here.",
        "I see {0} and {1} and {2}.", "There is a {0} {1} {2}.", "{0}\n{1}\n{2}",
        "The {0} and the {1} and the {2} are in the park.", "The words are {0}, {1} and {2}.",
    ]  # fmt: skip
    good = judge(concepts, "The dog chased a cat across the park.", DOG).score
    for frame in stuffed:
        for words in (
            ("dog", "ball", "chase"),
            ("Chase", "dog", "ball"),
            ("ball", "chases", "dog"),
        ):
            verdict = judge(concepts, frame.format(*words), DOG)
            assert verdict.score < 0.5 < good < 1.0, (frame, verdict)


FIRE = "fire roast father marshmallow wood"


@pytest.mark.parametrize(
    ("reply", "given"),
    [
        ("The fire with the roast near the father behind the marshmallow of the wood slept.", FIRE),
        ("My uncle saw the father of the fire with the roast near the marshmallow in the wood.",
         FIRE),
        ("The father of the fire of the roast of the marshmallow of the wood slept.", FIRE),
        ("The type with the worker near the morning slept.", "type worker morning"),
        # with adjectives, "and", bare plurals and nouns that are not given
        ("The big fire with the old roast near the tall father behind the soft marshmallow of the "
         "dark wood slept.", FIRE),
        ("The fire and the roast near this father behind the marshmallow of the wood slept.", FIRE),
        ("The fire with roasts near the father behind the marshmallow of the wood slept.", FIRE),
        ("The fire of the boy with the roast near the father behind the marshmallow of the wood "
         "slept.", FIRE),
    ],
)  # fmt: skip
def test_nouns_on_a_string_of_prepositions_are_a_list(reply, given):
    verdict = judge(concepts, reply, {"concepts": given.split()})
    assert "list" in [problem.kind for problem in verdict.problems] and verdict.score < 0.28


@pytest.mark.parametrize(
    ("reply", "given"),
    [
        ("The dog on the sofa sleeps.", "dog sofa"),
        ("The dog on the sofa sleeps.", "dog sofa sleep"),
        ("The cat on the sofa slept.", "cat sofa"),
        ("The dog with the ball near the river slept.", "dog ball river"),  # no verb is asked for
        ("The dog ran to the beach with a ball.", "dog beach ball"),
        ("The girl took her dog for a walk in the park.", "girl dog walk park"),
        # the verb stands after a preposition and a noun, a pronoun, "to", "that" or "then"
        ("The girl in the park walks to the school.", "girl park walk school"),
        ("The girl in green walks to the school.", "girl walk school"),
        ("The patient walks in the park with the nurse.", "patient walk park nurse"),
        ("She walked with her dog on the beach near the water.", "walk dog beach water"),
        ("She wanted to walk with her dog on the beach.", "walk dog beach"),
        ("The dog that walks on the beach has a ball.", "dog walk beach"),
        ("The girl then walks with her dog on the beach.", "walk dog beach"),
        ("After walking with the dog on the beach she slept.", "walk dog beach"),
        ("The girls in the park like the dog.", "girl park dog"),
    ],
)
def test_sentences_with_prepositions_pass(reply, given):
    verdict = judge(concepts, reply, {"concepts": given.split()})
    assert verdict.success, verdict.problems


def test_one_frame_of_prepositions_solves_few_tasks():
    source = Concepts()
    targets = [source.item(seed=4, index=i).target for i in range(200)]
    links = ("with", "near", "behind", "of")
    won = 0
    for target in targets:
        first, *others = target["concepts"]
        tail = "".join(f" {link} the {word}" for link, word in zip(links, others, strict=False))
        won += judge(concepts, f"The {first}{tail} slept.", target).success
    assert won <= 0.03 * len(targets)  # 30 % when only commas and "and" made a list


def test_score_rises_with_each_word_and_with_form():
    ladder = [
        "The cat slept on a chair.",
        "The dog slept on a chair.",
        "The dog chased a cat across a chair.",
        "The dog chased a ball across a chair",
        "The dog chased a ball across a chair.",
    ]
    scores = [judge(concepts, reply, DOG).score for reply in ladder]
    assert scores == sorted(set(scores)) and scores[0] == 0.0 and scores[-1] == 1.0


def test_three_words_can_be_a_sentence_by_themselves():
    three, four = ["dog", "chase", "ball"], ["happy", "dog", "chase", "ball"]
    assert judge(concepts, "Dogs chase balls.", {"concepts": three}).success
    assert not judge(concepts, "Dog chase ball.", {"concepts": three}).success
    assert not judge(concepts, "Happy dogs chase balls.", {"concepts": four}).success


def test_feedback_is_short():
    rng = random.Random(0)
    vocabulary = [
        "dog",
        "chase",
        "ball",
        "the",
        "a",
        "and",
        ",",
        "runs's",
        "happy",
        "in",
        "park",
        "with",
        "The",
        "is",
        ",",
        "to",
        "of",
        "it",
    ]
    target = {"concepts": ["dog", "chase", "ball", "park", "happy", "run", "tree", "child"]}
    for _ in range(300):
        reply = " ".join(rng.choice(vocabulary) for _ in range(rng.randrange(1, 40)))
        assert len(message(reply, target).split()) <= 45


def test_fuzz_never_unscored():
    rng = random.Random(2)
    alphabet = "abcdog chase ball THE ,.!?'\"-;:()\n\t\u200b\ud800é0123😀"
    for _ in range(2_000):
        reply = "".join(rng.choice(alphabet) for _ in range(rng.randrange(0, 120)))
        assert judge(concepts, reply, DOG).status == "scored"

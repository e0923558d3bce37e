"""The checker of `style_transfer`: opinion goes, facts stay."""

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.semantic.subjective_lexicon import find, neutral_content
from corgi_gym.rewards.style_transfer import style_transfer

SOURCE = "Sadly, the brilliant mayor of Rome opened the awful library in June."
TARGET = {"source": SOURCE, "grammar": True}
GAMES = """
Sadly, the brilliant mayor of Rome opened the awful library in June.
The brilliant mayor of Rome opened the awful library in June.
Sadly, the mayor of Rome opened the awful library in June.
The mayor of Rome opened the awful library in June.
Of course, the mayor of Rome opened the library in June.
In my opinion, the mayor of Rome opened the library in June.
The mayor of Rome opened the library in June, which was a disgrace.
The mayor of Rome opened the library in June!
The great mayor of Rome opened the library in June.
The mayor of Rome clearly opened the library in June.
The mayor opened the library.
The mayor of Rome opened the library.
The mayor of Rome opened it in June.
Somebody did something.
The mayor.
mayor Rome opened library June
mayor, Rome, opened, library, June
Mayor of Rome opened library in June.
The mayor of Rome, library, June, opened.
June library opened Rome mayor.
The library of Rome opened the mayor in June.
The library opened the mayor of Rome in June.
The mayor of Rome did not open the library in June.
The mayor of Rome never opened the library in June.
No mayor of Rome opened the library in June.
The mayor of Rome opened the library in June and left the city.
The mayor of Rome opened the library and the museum in June.
The mayor of Rome closed the library in June.
The mayor of Rome opened the library in June. The mayor of Rome opened the library in June.
The mayor of Rome opened the library in June. It was awful.
Here is the neutral sentence: The mayor of Rome opened the library in June.
Neutral: the mayor of Rome opened the library in June.
the mayor of Rome opened the library in June
The mayor of Rome opened the library in June
THE MAYOR OF ROME OPENED THE LIBRARY IN JUNE.
The mayor of Rome opened the library in June, or maybe not.
It is not true that the mayor of Rome opened the library in June.
Some people say that the mayor of Rome opened the library in June.
The mayor of Rome opened the library in June, mayor, Rome, opened, library, June.
The sentence is neutral.
I cannot rewrite this sentence.
The sky is blue.
Rewrite this sentence in a neutral style.
""".strip().split("\n")


@pytest.mark.parametrize("example", get_checker("style_transfer").examples)
def test_declared_examples(example):
    assert judge(style_transfer, example.reply, example.target).success == example.passes


@pytest.mark.parametrize("reply", GAMES)
def test_games_lose(reply):
    assert judge(style_transfer, reply, TARGET).score <= 0.7


def test_at_least_forty_games():
    assert len(set(GAMES)) >= 40


def test_the_source_and_other_sentences_earn_nothing():
    for reply in (SOURCE, "The sky is blue.", "I cannot rewrite this sentence."):
        assert judge(style_transfer, reply, TARGET).score == 0.0


@pytest.mark.parametrize(
    "reply",
    [
        "The mayor of Rome opened the library in June.",
        "In June, the mayor of Rome opened the library.",
        "In June the mayor of Rome opened a library.",
        "The mayor of Rome opens the library in June.",
    ],
)
def test_good_ones_pass(reply):
    assert judge(style_transfer, reply, TARGET).success


def test_the_is_of_an_opinion_stands_for_no_passive():
    """ "sold" turns round with "was", and "It is a shame that" has a form of "be" to spare."""
    source = "It is a shame that the mayor of Rome sold the land in May."
    target = {"source": source, "grammar": True}
    assert judge(style_transfer, "The mayor of Rome sold the land in May.", target).success
    verdict = judge(style_transfer, "The mayor of Rome was sold the land in May.", target)
    assert 'You added "was". Add nothing.' in [p.message for p in verdict.problems]


MUSEUM = {
    "source": "Sadly, the brilliant museum designed the awful engine after the conference.",
    "grammar": True,
}


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("The museum cannot design the engine after the conference.", 'You added "can".'),
        ("The museum rarely designed the engine after the conference.", 'You added "rarely".'),
        ("The museum almost designed the engine after the conference.", 'You added "almost".'),
        ("Maybe the museum designed the engine after the conference.", 'You added "maybe".'),
        ("The museum will design the engine after the conference.", 'You added "will".'),
        (
            "The museum designed the engine before the conference.",
            'You changed "after" to "before".',
        ),
        (
            "Three museums designed twenty engines after their conference.",
            'You added "three", "twenty" and "their".',
        ),
        (
            "The museum designed the engines after the conference.",
            'You changed "engine" to "engines".',
        ),
        (
            "Did the museum design the engine after the conference?",
            "You made a question of the statement.",
        ),
        (
            "The museum was designed by the engine after the conference.",
            'You added "by" and "was".',
        ),
        ("The museum was designed the engine after the conference.", 'You added "was".'),
        (
            "The museum who designed the engine had been after the conference.",
            'You added "been" and',
        ),
        ("The museum designed is the engine after the conference.", 'You added "is".'),
    ],
)
def test_function_words_do_not_turn_the_facts_around(reply, message):
    verdict = judge(style_transfer, reply, MUSEUM)
    assert not verdict.success and verdict.score <= 0.35
    assert any(problem.message.startswith(message) for problem in verdict.problems)


def test_cannot_is_a_negation():
    reply = "The museum cannot design the engine after the conference."
    assert judge(style_transfer, reply, MUSEUM).problems[0].kind == "negation"


@pytest.mark.parametrize(
    "reply",
    [
        "The museum designed the engine after the conference.",
        "After the conference, the museum designed the engine.",
        "The museum had designed an engine after the conference.",
        "The museum designs the engine after the conference.",
    ],
)
def test_articles_tense_and_one_moved_part_are_free(reply):
    assert judge(style_transfer, reply, MUSEUM).success


@pytest.mark.parametrize(
    ("source", "reply", "passes"),
    [
        # what belongs to the opinion goes with it
        ("The brilliant and famous mayor met two workers.", "The mayor met two workers.", True),
        ("The most brilliant mayor met two workers.", "The mayor met two workers.", True),
        ("The mayor met the workers like a true hero.", "The mayor met the workers.", True),
        ("The mayor met two awful workers.", "The mayor met two workers.", True),
        ("The mayor met two awful workers.", "The mayor met the workers.", False),
        ("The mayor met two awful and lazy workers.", "The mayor met the workers.", False),
        ("The awful mayor also met two workers.", "The mayor met two workers.", False),
        # a preposition stays with its word
        (
            "The awful mayor of Rome opened the library in June.",
            "The mayor in Rome opened the library of June.",
            False,
        ),
        ("The team may open the awful store in May.", "The team may open the store in May.", True),
        ("The team may open the awful store in May.", "The team opens the store in May.", False),
    ],
)
def test_which_function_words_must_stay(source, reply, passes):
    verdict = judge(style_transfer, reply, {"source": source, "grammar": True})
    assert verdict.success == passes, verdict.problems


def test_loaded_verbs_are_replaced():
    target = {"source": "The senator boasted that the plan was ready.", "grammar": True}
    assert judge(style_transfer, "The senator said that the plan was ready.", target).success
    for verb in ("boasted", "ate", "claimed"):
        assert not judge(
            style_transfer, f"The senator {verb} that the plan was ready.", target
        ).success


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (GAMES[3], 'This is still subjective: "awful". Leave it out or say it neutrally.'),
        (GAMES[10], "Keep the facts: your sentence lacks rome and june."),
        (GAMES[26], 'Add nothing: the sentence does not say "museum".'),
        (GAMES[21], "Keep the facts in their order, each of them once."),
        (GAMES[22], "Your sentence says the opposite of the facts."),
    ],
)
def test_exact_feedback(reply, message):
    assert message in [p.message for p in judge(style_transfer, reply, TARGET).problems]


def test_lexicon_finds_words_and_phrases():
    text = "As everyone knows, the incompetent council foolishly wasted the money!"
    assert [span.text for span in find(text)] == [
        "as everyone knows", "incompetent", "foolishly", "wasted", "!",
    ]  # fmt: skip
    assert neutral_content(text) == ["council", "money"]


def test_neutral_news_has_no_subjective_words():
    neutral = """
    The council approved the budget in March.
    The film was released in 2009 and won two prizes.
    The river flows through three towns before it reaches the sea.
    The company sold its office in Berlin to a bank.
    The museum moved the collection to another building after the war.
    The team lost the final by two goals.
    """
    for sentence in neutral.strip().split("\n"):
        assert find(sentence) == [], sentence


def test_sources_that_the_grammar_does_not_know_get_the_floor():
    source = (
        "Smith, the legendary founder of the ABC-News group (1967), incredibly sold 34% of it, "
        "according to SEC filings."
    )
    neutral = source.replace("legendary ", "").replace("incredibly ", "")
    assert not judge(style_transfer, source, {"source": source}).success
    assert judge(style_transfer, neutral, {"source": source}).score > 0.3


def test_any_string_is_judged(fuzz_strings):
    for reply in fuzz_strings:
        verdict = judge(style_transfer, reply, TARGET)
        assert verdict.status == "scored" and not verdict.success

"""The floor under prose, rule by rule, each at its limit."""

import pytest

from corgi_gym.rewards.prose import prose_problem, tokens

LIST = 'This is a list of words. Use natural English with words like "the" and "of".'
SENTENCES = "Your reply has several lines or sentences. Write only the rest of this sentence."
NAMES = "You use too many names or numbers. Use natural English."


def problem(text, before=""):
    return prose_problem(text, tokens(text), before)


def message(text, before=""):
    found = problem(text, before)
    return None if found is None else found.message


def test_tokens_have_their_places():
    found = tokens('He said \u2014 "no" - to us...')
    assert [token.raw for token in found] == ["He", "said", '"no"', "to", "us"]
    assert [token.core for token in found] == ["He", "said", "no", "to", "us"]
    assert [(token.start, token.end) for token in found[1:3]] == [(3, 7), (10, 14)]
    assert [token.core for token in tokens("the boy\u2019s bus")] == ["the", "boy's", "bus"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to the bus\nand home", SENTENCES),
        ("\n to the bus \n", None),
        ("home. He left", SENTENCES),
        ("at No. 10 for us", None),
        ("and said no. He left", SENTENCES),
        ("home! He left", SENTENCES),
        ("home? he left", SENTENCES),
        ("to Mr. Baker", None),
        ("at 7 p.m. with us", None),
        ("home... and back", None),
        ("home\u2026 and back", None),
        ('and said "home." He left', SENTENCES),
        ('and shouted "Stop!" at us', None),  # the sentence goes on
        ('and shouted "Stop!" He left', SENTENCES),
        ('and asked "Why?" at once', None),
        ('and asked "Why?" iPads', '"iPads" is not an English word. Use natural English.'),
    ],
)
def test_one_sentence(text, expected):
    assert message(text) == expected


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("to the xqzv bus", '"xqzv"'),
        ("to the **xqzv** bus", '"**xqzv**"'),
        ("to the **bus**", None),
        ("to the * bus", '"*"'),
        ("on the TV with two DVDs", None),
        ("on the XQZVB", '"XQZVB"'),  # too long for letters
        ("a pound and 2 kg of tea", None),
        ("to a caf\u00e9", None),
        ("with e-mails and a T-shirt", None),
        ("with e-xqzv", '"e-xqzv"'),
        ("with his mother-in-law", None),
        ("with a son-of-a-gun", '"son-of-a-gun"'),
        ("with a well-xqzv bus", '"well-xqzv"'),
        ("with a 3-tier cake", None),
        ("to Zbigniew's bus", None),
        ("to zbigniew's bus", '"zbigniew\'s"'),
        ("to O'Neil-Baker's bus", None),
        ("to Bo", None),
        ("to B", '"B"'),  # one letter is no name
        ("to E", '"E"'),
        ("to Zbgnw", '"Zbgnw"'),  # nobody can say it
        ("to Yvy", None),
        ("to \u00c9\u00df", None),
        ("to B4o", '"B4o"'),
        ("for $1,200.50 at 7:30pm", None),
        ("on the 3rd", None),
        ("on the 3xy", '"3xy"'),
        (f"to A{'a' * 44}", None),
        (f"to A{'a' * 45}", f'"A{"a" * 22}\u2026"'),  # longer than any name
    ],
)
def test_every_word_is_a_word_a_name_or_a_number(text, unknown):
    said = unknown and f"{unknown} is not an English word. Use natural English."
    assert message(text) == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna", None),
        ("Anna Zoz", NAMES),
        ("TV DVD", NAMES),
        ("kg mph", NAMES),
        ("Anna met Zoz", NAMES),
        ("Anna met old Zoz", None),  # half of the words
        ("Anna met Zoz at 7:30", NAMES),
    ],
)
def test_at_most_half_of_the_words_are_names_or_numbers(text, expected):
    assert message(text) == expected


def test_the_first_bad_word_is_marked():
    assert problem("to the xqzv bus").where == (7, 11)
    assert problem("Anna Zoz").where == (5, 8)
    assert problem("to with of us").where == (3, 7)


@pytest.mark.parametrize(
    ("text", "before", "pair"),
    [
        ("to the the bus", "", "the the"),
        ("home with of us", "", "with of"),
        ("ran home", "Ran", "ran ran"),
        ("of us", "with", "with of"),
        ("home", "with", None),
        ("and had had no time", "", None),
        ("that that is so", "", None),
        ("to the US with us", "", None),
        ("to the us today", "", "the us"),
        ("the IT of a firm", "", None),
        # two commas end a pair, the third is one of a list
        ("home with, of us", "", None),
        ("and, if, with, of us", "", "with of"),
        ("home and, with, of us", "", None),
    ],
)
def test_pairs_of_small_words(text, before, pair):
    assert message(text, before) == (pair and f'"{pair}" is not natural English.')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("again and again", None),  # two of three words differ
        ("he and she and he ran", None),
        ("to a bus and to a bus", 'You use "to" 2 times. Do not repeat words like that.'),
        ("bus and bus and bus", 'You use "bus" 3 times. Do not repeat words like that.'),
    ],
)
def test_at_least_two_thirds_of_the_words_differ(text, expected):
    assert message(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the little boy drank hot chocolate", None),  # five content words in a row
        ("the little boy drank much hot chocolate", None),
        ("the little old boy drank hot chocolate", LIST),
        ("little boys drank hot chocolate on trains", None),
        ("green dogs drink water", None),
        ("green dogs drink cold water", LIST),  # five words, none of them small
        ("green dogs drink water today", None),
        ("green dogs drink water etc", None),
        ("green dogs drink Anna's water", None),
        # two commas part a run of content words, the third does not
        ("the little boy, green dog, old house, bus", None),
        ("the boy, dog, house, bus drank good cold water", LIST),
        ("the boy, dog, house, bus drank cold water", None),
    ],
)
def test_small_words_between_content_words(text, expected):
    assert message(text) == expected

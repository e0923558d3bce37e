"""Passages: sentences, their number, repetition."""

import pytest

from corgi_gym.rewards.passage import content_words, examine_passage, split_sentences
from corgi_gym.rewards.sentence import LEAST, NO_SENTENCE


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One dog barked.", 1),
        ("Mr. Baker left. It rained.", 2),
        ("Stop! Who goes there? A friend.", 3),
        ("The price is 3.50 in the shop.", 1),
        ('He said "no." Then he left.', 2),
        ("no end at all", 1),
        ("", 0),
    ],
)
def test_split(text, count):
    assert len(split_sentences(text)) == count


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("The dog ran.", "Your reply has 1 sentence. Write 2 to 3 sentences."),
        ("The dog ran. The cat sat. It rained. We left.", "Your reply has 4 sentences."),
        ("The dog ran. dog cat", "Sentence 2: End the sentence with one full stop."),
        ("The dog ran. The dog ran.", 'You wrote "The dog ran." more than once.'),
        ("The dog ran. A dog sat. My dogs ate.", 'You used "dogs" more than 2 times.'),
        ("The dog ran. " * 9, "Your reply has 27 words. Write at most 20, in 2 to 3 sentences."),
    ],
)
def test_messages(text, message):
    passage = examine_passage(text, 2, 3, 20)
    assert any(problem.message.startswith(message) for problem in passage.problems), passage
    assert passage.form < 1.0


def test_good_passages_have_form_one():
    passage = examine_passage("The rain fell. Anna opened her umbrella.", 1, 3, 60)
    assert passage.problems == () and passage.form == 1.0 and len(passage.sentences) == 2


def test_words_in_often_may_come_often():
    text = "The lamp is good. I like this lamp. My lamp is bright."
    assert examine_passage(text, 1, 3, 60).problems
    assert examine_passage(text, 1, 3, 60, often=["lamp"]).problems == ()


def test_content_words():
    assert content_words("The girl carried HER basket, and left.") == [
        "girl", "carried", "basket", "left",
    ]  # fmt: skip


def test_any_string_is_judged(fuzz_strings):
    for text in fuzz_strings:
        passage = examine_passage(text, 1, 4, 60)
        assert 0.0 <= passage.form <= 1.0
        assert passage.problems or passage.form == 1.0


def test_problems_of_two_sentences_are_reported():
    passage = examine_passage("the dog ran. the cat sat. the cow ate.", 1, 3, 60)
    starts = [problem.message[:11] for problem in passage.problems]
    assert starts == ["Sentence 1:", "Sentence 2:"]
    assert 0.0 < passage.form < 1.0


def test_a_single_sentence_is_not_numbered():
    (problem,) = examine_passage("the dog ran.", 1, 3, 60).problems
    assert problem.message == "Start with a capital letter."


def test_ten_sentences_are_parsed():
    starts = "The dog ran. A cat sat. We left. It rained. Anna saw him. Tom ate. You won. He sang."
    nine = f"{starts} They swam."
    for text, last in ((f"{nine} she fell.", ["capital"]), (f"{nine} I slept. she fell.", [])):
        kinds = [problem.kind for problem in examine_passage(text, 1, 10, 60).problems]
        assert [kind for kind in kinds if kind != "sentences"] == last


def test_what_a_passage_of_good_sentences_keeps_of_its_form():
    again = examine_passage("The dog ran. The dog ran.", 1, 2, 60)
    assert again.form == LEAST
    many = examine_passage("The dog ran. A cat sat. We left.", 1, 2, 60)
    assert many.form == NO_SENTENCE
    assert examine_passage("", 1, 3, 60).form == 0.0


def test_a_word_may_come_again_in_a_sentence_but_only_one():
    for text in (
        "The lamp has its good sides and its bad sides.",
        "Anna got on the first bus, but the driver said that this bus was full.",
    ):
        assert examine_passage(text, 1, 1, 60).problems == ()
    for text in (
        "I love the lamp, and I love the lamp.",
        "The lamp lamp is nice.",
        "The bus left when the bus came and the bus stopped.",
    ):
        assert examine_passage(text, 1, 1, 60).problems, text


def test_lines_are_one_paragraph():
    assert examine_passage("The dog ran.\n\nA cat sat.", 2, 2, 60).problems == ()
    assert examine_passage("The dog\nran. A cat sat.", 2, 2, 60).problems == ()
    assert examine_passage("The dog ran\nThe cat sat.", 1, 2, 60).problems


def test_what_a_passage_need_not_be():
    assert examine_passage("\nThe dog is an animal.\n", 1, 1, 60).problems == ()
    events = examine_passage("The dog is an animal.", 1, 1, 60, events=True)
    assert [problem.kind for problem in events.problems] == ["event"]


def test_the_commonest_lemma_counts():
    """A reply of "bus" and "buses" uses one word."""
    text = "The bus left. A bus came. We saw buses."
    assert [p.kind for p in examine_passage(text, 1, 3, 60).problems] == ["repeated"]

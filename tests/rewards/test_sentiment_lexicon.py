"""How words become a class: values by hand, and what each phrase is worth."""

from pathlib import Path

import pytest

from corgi_gym.rewards.semantic.sentiment_lexicon import read_stars, value_of

ROWS = (Path(__file__).parent / "data" / "sentiment_phrases.txt").read_text().splitlines()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.partition(":")[0])
def test_a_phrase_counts_once_with_its_own_value(row):
    """Whatever its words are worth: "not worth it" is neither "worth" nor "not"."""
    value, _, phrases = row.partition(": ")
    for phrase in phrases.split("; "):
        reading = read_stars(f"The lamp, {phrase}.")
        if value == "none":
            assert reading.opinions == 0, phrase
        else:
            assert (reading.mean, reading.opinions) == (float(value), 1), phrase


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("excellent", 4.0),
        ("great", 3.2),
        ("good", 2.0),
        ("fine", 1.0),
        ("okay", 0.0),
        ("slow", -1.3),
        ("bad", -2.0),
        ("broke", -3.2),
        ("terrible", -4.0),
        ("enjoying", 2.0),  # by its lemma
        ("kettle", None),
    ],
)
def test_the_value_of_a_word(word, value):
    assert value_of(word) == value


@pytest.mark.parametrize(
    ("text", "stars"),
    [
        ("excellent fine", 5),  # 2.5
        ("good high quality", 4),  # 2.4
        ("great okay okay okay", 4),  # 0.8
        ("as expected", 3),  # 0.6
        ("broke okay okay okay", 3),  # -0.8
        ("could be better", 2),  # -1.2
        ("break, return it", 2),  # -2.5
        ("bad, broke", 1),  # -2.6
        ("a kettle", 3),
    ],
)
def test_the_classes_at_their_bounds(text, stars):
    assert read_stars(text).stars == stars


@pytest.mark.parametrize(
    ("text", "mean"),
    [
        ("very good", 2.0 * 1.3),
        ("very excellent", 4.0),
        ("very terrible", -4.0),
        ("very, good", 2.0),
        ("slightly good", 2.0 * 0.55),
        ("a bit slow", -1.3 * 0.55),
        ("too slow", -1.3 * 1.3),
        ("too good", 2.0),
        ("too short", -1.6),
        ("not too short", -1.6),
        ("not good", -0.6 * 2.0),
        ("not very good", -0.6 * 2.6),
        ("not a lamp good", -0.6 * 2.0),
        ("not a lamp kettle good", 2.0),  # out of reach
        ("not a lamp. good", 2.0),
        ("not slow", 0.4 * 1.3),
        ("not a bit slow", 0.4),
        ("not okay", -1.0),
        ("isn\u2019t good", -0.6 * 2.0),
        ("can't enjoy", -0.6 * 2.0),
        ("won't enjoy", -0.6 * 2.0),
        ("cannot enjoy", -0.6 * 2.0),
        ("GOOD", 2.0),
        # what follows "but" is twice as heavy, and what is conceded a third
        ("good but okay", 2.0 / 3),
        ("good while okay", 1.0),
        ("good, okay", 1.0),
        ("although good, bad", (2.0 - 3 * 2.0) / 4),
        ("bad although good", (-3 * 2.0 + 2.0) / 4),
        ("not here but good", 2.0),
        ("not but good", 2.0),
        ("bad. good but okay", (-2.0 * 2 + 2.0) / (2 + 1 + 2)),
        ("buy another but bad", (3.0 - 2 * 2.0) / 3),
    ],
)
def test_words_around_an_opinion_change_it(text, mean):
    assert read_stars(text).mean == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "opinions"),
    [
        ("if it were good", 0),
        ("i hoped for a high quality", 0),
        ("if it were good, bad", 1),
        ("i wished but good", 1),
        ("never said that it is good", 0),
        ("she said that it is good", 1),
        ("not here; she said that it is good", 1),
        ("is it good?", 0),
        ("it is good. is it bad?", 1),
        ("good good good", 3),
        ("too .", 0),
    ],
)
def test_what_is_asked_hoped_or_denied_does_not_count(text, opinions):
    assert read_stars(text).opinions == opinions

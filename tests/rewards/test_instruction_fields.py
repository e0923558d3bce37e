"""The kinds of our own and the letter cases: limits of their numbers, and small differences.

See `test_boundaries_instructions.py` for what each of them says at its limits.
"""

import pytest

from corgi_gym.rewards.instructions import case, read_target
from corgi_gym.rewards.instructions._langdetect import NoLanguage
from corgi_gym.rewards.instructions.reply import Reply

MOST = 100_000


def read(kind, values):
    return read_target([{"kind": kind, "kwargs": values}])


def said(kind, reply, mode="strict", **values):
    target = read_target({"mode": mode, "instructions": [{"kind": kind, "kwargs": values}]})
    return target.instructions[0].problem(Reply(reply), mode)


# kind, its values, and for each number the least and the most that may be asked for
NUMBERS = [
    ("count:word_range", {"low": 1, "high": 2}, {"low": (0, MOST), "high": (1, MOST)}),
    ("count:unique_words", {"number": 1}, {"number": (1, MOST)}),
    ("count:numbers", {"number": 1}, {"number": (0, MOST)}),
    ("count:questions", {"number": 1}, {"number": (0, MOST)}),
    ("count:keyword_exact", {"keyword": "a", "times": 1}, {"times": (0, MOST)}),
    ("count:lines", {"number": 1}, {"number": (1, MOST)}),
    ("count:conjunctions", {"number": 1}, {"number": (1, 7)}),
    ("ratio:stop_words", {"percent": 1}, {"percent": (1, 99)}),
    ("ratio:long_words", {"percent": 1, "letters": 2}, {"percent": (1, 99), "letters": (2, 40)}),
    ("ratio:questions", {"statements": 1, "questions": 1},
     {"statements": (1, 20), "questions": (1, 20)}),
    ("position:nth_word", {"n": 1, "word": "a"}, {"n": (1, MOST)}),
    ("position:keyword_in_sentence", {"n": 1, "word": "a"}, {"n": (1, MOST)}),
    ("position:paragraph_ring", {"number": 1}, {"number": (1, MOST)}),
    ("words:max_letters", {"letters": 2}, {"letters": (2, 40)}),
    ("words:chain", {"sentences": 2}, {"sentences": (2, MOST)}),
    ("sentence:increment", {"sentences": 2, "step": 1},
     {"sentences": (2, MOST), "step": (1, MOST)}),
    ("copy:span", {"source": "a", "start": 1, "end": 1}, {"start": (1, MOST), "end": (1, MOST)}),
    ("copy:sentence_times", {"sentence": "a", "times": 1}, {"times": (1, MOST)}),
    ("format:numbered_list", {"number": 1}, {"number": (1, 1_000)}),
    ("format:sub_bullets", {"number": 1}, {"number": (0, MOST)}),
    ("format:table", {"rows": 1, "columns": 1}, {"rows": (1, 1_000), "columns": (1, 100)}),
    ("format:separator", {"mark": "+", "parts": 2}, {"parts": (2, MOST)}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "limits"), NUMBERS)
def test_numbers_that_may_be_asked_for(kind, values, limits):
    for field, (least, most) in limits.items():
        for number in (least, most):
            assert read(kind, {**values, field: number}).instructions[0].values[field] == number
        for number in (least - 1, most + 1):
            wrong = f"field '{field}' must be an integer from {least} to {most}, got {number}"
            with pytest.raises(ValueError, match=wrong):
                read(kind, {**values, field: number})


def test_all_numbers_of_our_own_kinds_are_in_the_table():
    for kind, values, limits in NUMBERS:
        numbers = {name for name, value in values.items() if isinstance(value, int)}
        assert numbers == set(limits), kind


MESSAGES = [
    ("count:numbers", {"number": 2}, "1,000.5 and 7", None),
    ("count:numbers", {"number": 1}, "-3", None),
    ("count:questions", {"number": 1}, 'She said "Why?" So what.', None),
    ("count:conjunctions", {"number": 7}, "And but or nor for so yet.", None),
    ("count:marks", {"marks": ["a", "b", "c"]}, ".",
     'The reply has no "a", "b" or "c". Use each of these marks.'),
    ("ratio:stop_words", {"percent": 33}, "the old river",
     "33 % of your words are function words. Use at most 33 %."),
    ("ratio:stop_words", {"percent": 34}, "the old river", None),
    ("ratio:long_words", {"percent": 50, "letters": 3}, "the river", None),
    ("ratio:long_words", {"percent": 50, "letters": 4}, "to be river",
     "33 % of your words have 4 or more letters. At least 50 % must have."),
    ("ratio:questions", {"statements": 1, "questions": 2}, "So.",
     "The reply has 1 statement and 0 questions. Write 1 statement for every 2 questions."),
    ("position:nth_word", {"n": 1, "word": "dog"}, "Cat dog",
     'Word 1 of the reply is "cat". It must be "dog".'),
    ("position:last_word", {"word": "dog"}, "...", 'The last word is "". It must be "dog".'),
    ("position:last_word", {"word": "Dog"}, "cat, DOG.", None),
    ("position:keyword_in_sentence", {"n": 1, "word": "dog"}, "A dog. A cat.", None),
    ("position:acrostic", {"letters": "Ab"}, "All. Big.", None),
    ("position:paragraph_ring", {"number": 2}, "A b a.\n\nC d c.", None),
    ("words:max_letters", {"letters": 5}, "door-key",
     '"door-key" has more than 5 letters. Use only shorter words.'),
    ("words:max_letters", {"letters": 7}, "door-key", None),
    ("words:chain", {"sentences": 2}, "A b. B c.", None),
    ("sentence:increment", {"sentences": 2, "step": 2}, "So. A b c.", None),
    ("sentence:increment", {"sentences": 2, "step": 1}, "So. A b. So.",
     "Sentence 2 has 2 words and sentence 3 has 1. Each sentence must have exactly 1 more than the "
     "one before."),
    ("copy:span", {"source": "a b c d", "start": 2, "end": 3}, "b  c\nmore", None),
    ("copy:span", {"source": "a b c d", "start": 2, "end": 3}, "",
     'The first line is "". It must be words 2 to 3 of the given text, unchanged.'),
    ("copy:sentence_times", {"sentence": "It is so.", "times": 2}, "It is so. Or. It IS so!", None),
    # a number without words after it is no item
    ("format:numbered_list", {"number": 1}, "1. ...",
     'The numbered lines are: none. Write lines "1." to "1." with text, in order.'),
    ("format:numbered_list", {"number": 2}, "1. a\n2. ...\n 2) b", None),
    # any number of points, but one at least
    ("format:sub_bullets", {"number": 0}, "* a\n- b\n* c\n- d\n- e", None),
    ("format:sub_bullets", {"number": 0}, "* a\n- b", None),
    ("format:sub_bullets", {"number": 0}, "- b",
     "The reply has 0 bullet points with *. Write bullet points (*), each with a sub-point (-) "
     "below it."),
    ("format:sub_bullets", {"number": 1}, "* ...\n* a\n- b", None),
    ("format:sub_bullets", {"number": 2}, "* a\n* b\n- c",
     "Bullet point 1 has no sub-point. Write 2 bullet points (*), each with a sub-point (-) below "
     "it."),
    ("format:table", {"rows": 1, "columns": 2}, "So:\n| a | b |\n|:-|--:|\n| c | d |", None),
    ("format:table", {"rows": 1, "columns": 2}, "|a|b|\n|-|-|\n|c||",
     "Line 3 of the table does not have 2 filled cells. Write a Markdown table with a head, 1 row "
     "and 2 columns."),
    ("format:table", {"rows": 1, "columns": 1}, "|a|\n|-|",
     "The table has 0 rows below its head. Write a Markdown table with a head, 1 row and 1 "
     "column."),
    ("format:table", {"rows": 1, "columns": 1}, "|a|\n|-|\n|c|d|",
     "Line 3 of the table does not have 1 filled cell. Write a Markdown table with a head, 1 row "
     "and 1 column."),
    ("format:separator", {"mark": " + ", "parts": 2}, "a\n+\nb\nc", None),
    ("format:separator", {"mark": "+", "parts": 2}, "A b.\n+\na B",
     'A part is empty or stands there twice. Write 2 parts, with a line that holds only "+" '
     "between two."),
    ("startend:quotation", {}, '""',
     "There are no words between the quotation marks. Put the whole reply between double quotation "
     "marks."),
    # a letter that is a capital only at the start of a word
    ("change_case:english_lowercase", {}, "so \u01c5ep now",
     '"\u01c5ep" has a capital letter. Write without any capital letter.'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "reply", "message"), MESSAGES)
def test_messages(kind, values, reply, message):
    assert said(kind, reply, **values) == message


@pytest.mark.parametrize(
    ("kind", "reply", "guess", "message"),
    [
        ("english_capital", "SO IT IS", "en", None),
        ("english_capital", "SO IT IS", None, None),
        ("english_capital", "SO IST ES", "de", "The reply reads as 'de', not as English."),
        ("english_capital", "SO it IS", "en",
         "Not every letter of the reply is upper case. Write all letters in upper case."),
        ("english_lowercase", "so it is", "en", None),
        ("english_lowercase", "so it is", None, None),
        ("english_lowercase", "so ist es", "de", "The reply reads as 'de', not as English."),
        ("english_lowercase", "so IT is", "en",
         "Not every letter of the reply is lower case. Write all letters in lower case."),
    ],
)  # fmt: skip
def test_published_case_needs_the_case_and_no_other_language(
    kind, reply, guess, message, monkeypatch
):
    def detect(text):
        assert text == reply
        if guess is None:
            raise NoLanguage
        return guess

    monkeypatch.setattr(case, "detect", detect)
    assert said(f"change_case:{kind}", reply, "reference") == message


@pytest.mark.parametrize(
    ("number", "relation", "message"),
    [
        (3, "at least", None),
        (4, "at least", "3 words in all capital letters. Write at least 4 of them."),
        (3, "less than", "3 words in all capital letters. Write less than 3 of them."),
    ],
)
def test_published_capital_words_are_tokens(number, relation, message):
    values = {"capital_frequency": number, "capital_relation": relation}
    assert said("change_case:capital_word_frequency", "I'M HERE", "reference", **values) == message


def test_published_messages_on_commas_and_quotes():
    assert (
        said("punctuation:no_comma", "a, b, c", "reference") == "You used 2 commas. Use no commas."
    )
    asked = (
        "The reply does not start and end with a double quotation mark. Put the whole reply "
        "between double quotation marks."
    )
    assert said("startend:quotation", '"a', "reference") == asked
    assert said("startend:quotation", 'a"', "reference") == asked
    assert said("startend:quotation", ' "a"\n', "reference") is None

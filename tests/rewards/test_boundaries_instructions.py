# ruff: noqa: E501  long rows
"""Every instruction kind at its limits, and what it says exactly (see `test_boundaries.py`)."""

import re

import pytest

from corgi_gym.rewards.instructions import instruction_following, read_target
from corgi_gym.rewards.instructions.checker import follows
from corgi_gym.rewards.instructions.kind import character, choice, one_word, text, texts, whole
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.instructions.topic import needed, subject_words


def said(kind, reply, mode="strict", **values):
    target = read_target({"mode": mode, "instructions": [{"kind": kind, "kwargs": values}]})
    return target.instructions[0].problem(Reply(reply), mode)


MESSAGES = [
    # length
    ("length_constraints:number_words", {"num_words": 1, "relation": "at least"}, "...",
     "You wrote 0 words. Write at least 1 word."),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": "less than"},
     "One. Two.", "You wrote 2 sentences. Write less than 2 sentences."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 1}, "a\n***\nb",
     "You wrote 2 paragraphs. Write 1 paragraph, divided by lines of ***."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\n***\nb",
     "There is no text between two of the dividers ***. Write 2 paragraphs, divided by lines of "
     "***."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "A b\n***\na  B\n***\n",
     "Two of the paragraphs are the same. Write 2 paragraphs, divided by lines of ***."),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "So"}, "a\n\nb",
     "You wrote 2 paragraphs. Write 3, with a blank line between two."),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 2, "nth_paragraph": 1, "first_word": "So"}, "No.\n\nSo.",
     'Paragraph 1 starts with "No". Start it with the word "So".'),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "So"}, "...",
     'Paragraph 1 starts with "". Start it with the word "So".'),
    # keywords
    ("keywords:existence", {"keywords": ["a1", "b1"]}, "a1",
     'The reply lacks the keyword "b1". Use every keyword that is asked for.'),
    ("keywords:existence", {"keywords": list("abcdefgh")}, "a",
     'The reply lacks the keywords "b", "c", "d", "e", "f" and "g". Use every keyword that is '
     "asked for."),
    ("keywords:forbidden_words", {"forbidden_words": list("abcdefgh")}, "a b c d e f g",
     'You used "a", "b", "c", "d", "e" and "f", which you must not use.'),
    ("keywords:frequency", {"keyword": "go", "frequency": 1, "relation": "less than"}, "Go!",
     'You used "go" 1 time. Use it less than 1 time.'),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
     "#", 'The character "#" appears 1 time. Use it at least 2 times.'),
    ("keywords:letter_frequency", {"letter": "e", "let_frequency": 2, "let_relation": "less than"},
     "E\u00e9", 'The letter "e" appears 2 times. Use it less than 2 times.'),
    # case
    ("change_case:english_capital", {}, "OH no",
     '"no" has a lower-case letter. Write every letter as a capital.'),
    ("change_case:english_capital", {}, "12",
     "The reply is not in English. Write in English, in capital letters."),
    ("change_case:english_lowercase", {}, "oh No, now",
     '"No," has a capital letter. Write without any capital letter.'),
    ("change_case:capital_word_frequency", {"capital_frequency": 1, "capital_relation": "less than"},
     "I GO", "1 word in all capital letters. Write less than 1 of them."),
    ("punctuation:no_comma", {}, "a, b\uff0c c", "You used 2 commas. Use no commas."),
    ("startend:quotation", {}, '"..."',
     "There are no words between the quotation marks. Put the whole reply between double quotation "
     "marks."),
    ("startend:quotation", {}, '"',
     "The reply does not start and end with a double quotation mark. Put the whole reply between "
     "double quotation marks."),
    ("startend:quotation", {}, '"a', "The reply does not start and end with a double quotation "
     "mark. Put the whole reply between double quotation marks."),
    # formats
    ("detectable_content:number_placeholders", {"num_placeholders": 3}, "[ab] [cd] [e]",
     "The reply has 2 placeholders. Write at least 3, such as [address]."),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a",
     "The reply has 1 bullet point. Write exactly 2."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* **A**",
     "The reply has 1 highlighted part. Write at least 2, each between asterisks, like *this "
     "part*."),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2},
     "Part 1 a Part 2 b",
     'The reply has 1 section with such a heading. Write 2, headed "Part 1" to "Part 2" in this '
     "order."),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2},
     "Part 1\na\nPart 2\n.",
     'There is no text in "Part 2". Write 2, headed "Part 1" to "Part 2" in this order.'),
    ("detectable_format:json_format", {}, "3",
     "The reply is a JSON int and not an object or a list. Wrap the whole reply in JSON, and write "
     "nothing outside it."),
    ("detectable_format:json_format", {}, '{"1": [2, "3.", null]}', None),
    ("detectable_format:json_format", {}, "{\".\": [2, \"...\", null]}",
     "The JSON holds no words. Wrap the whole reply in JSON, and write nothing outside it."),
    ("detectable_format:json_format", {}, '{"a": 1, "a": 2}',
     "The reply is not valid JSON (a key appears twice). Wrap the whole reply in JSON, and write "
     "nothing outside it."),
    ("detectable_format:title", {}, "<<>>",
     "The reply has no title. Write one in double angular brackets, such as <<poem of joy>>."),
    # edges
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hi\nP.S. ...",
     'There are no words after "P.S.". End with a postscript that starts with "P.S.".'),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "...\nP.S. Hi",
     'There is nothing before the postscript. End with a postscript that starts with "P.S.".'),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Hi",
     'No line starts with "P.S.". End with a postscript that starts with "P.S.".'),
    ("combination:two_responses", {}, "a b c",
     "The reply has 1 response. Give two different responses, with a line of six asterisks "
     "(******) between them."),
    ("combination:two_responses", {}, "a b c\n******\nd e",
     "One of the responses has fewer than 3 words. Give two different responses, with a line of six "
     "asterisks (******) between them."),
    ("combination:two_responses", {}, "a b c\n******\nC b A",
     "The two responses are almost the same. Give two different responses, with a line of six "
     "asterisks (******) between them."),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Why so?"}, "Why so? I see",
     "After the repeated request there are 2 words. Answer it too."),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Why so?"}, "Why? I see it",
     'The reply starts with "Why? I see it". First repeat the request word for word: "Why so?".'),
    ("startend:end_checker", {"end_phrase": "the end."}, "It is at an end.",
     'The reply ends with "It is at an end.". End it with "the end.".'),
    # our counts
    ("count:word_range", {"low": 2, "high": 3}, "one", "You wrote 1 word. Write 2 to 3 words."),
    ("count:unique_words", {"number": 3}, "a A b",
     "You used 2 different words. Use at least 3."),
    ("count:numbers", {"number": 1}, "1 and 2",
     "The reply has 2 numbers in digits. Write exactly 1."),
    ("count:questions", {"number": 2}, "Why?", "The reply has 1 question. Write exactly 2."),
    ("count:keyword_exact", {"keyword": "go", "times": 1}, "Go, go!",
     'You used "go" 2 times. Use it 1 time.'),
    ("count:lines", {"number": 2}, "a", "You wrote 1 line of text. Write exactly 2."),
    ("count:conjunctions", {"number": 3}, "You and I or we.",
     "You used 2 different coordinating conjunctions (and and or). Use at least 3 of: and, but, or, "
     "nor, for, so, yet."),
    ("count:conjunctions", {"number": 1}, "We.",
     "You used 0 different coordinating conjunctions. Use at least 1 of: and, but, or, nor, for, "
     "so, yet."),
    ("count:marks", {"marks": ["?", ";"]}, "a?", 'The reply has no ";". Use each of these marks.'),
    ("ratio:stop_words", {"percent": 49}, "the river",
     "50 % of your words are function words. Use at most 49 %."),
    ("ratio:long_words", {"percent": 51, "letters": 5}, "the river",
     "50 % of your words have 5 or more letters. At least 51 % must have."),
    ("ratio:long_words", {"percent": 1, "letters": 5}, "...",
     "0 % of your words have 5 or more letters. At least 1 % must have."),
    ("ratio:questions", {"statements": 2, "questions": 1}, "Why? So. Go. Yes.",
     "The reply has 3 statements and 1 question. Write 2 statements for every 1 question."),
    # our places
    ("position:nth_word", {"n": 2, "word": "dog"}, "a cat",
     'Word 2 of the reply is "cat". It must be "dog".'),
    ("position:nth_word", {"n": 3, "word": "dog"}, "a cat",
     'There is no word 3. It must be "dog".'),
    ("position:last_word", {"word": "dog"}, "a Cat!",
     'The last word is "cat". It must be "dog".'),
    ("position:keyword_in_sentence", {"n": 2, "word": "dog"}, "A dog.",
     'You wrote 1 sentence. Sentence 2 must hold "dog".'),
    ("position:keyword_in_sentence", {"n": 2, "word": "dog"}, "A dog. A cat.",
     'Sentence 2 lacks "dog". Use the word there.'),
    ("position:acrostic", {"letters": "ab"}, "A dog. Cats.",
     'The first letters of your sentences are "a, c". They must spell "ab", one sentence for each '
     "letter."),
    ("position:paragraph_ring", {"number": 1}, "a b\n\nc",
     "You wrote 2 paragraphs. Write 1, with a blank line between two."),
    ("position:paragraph_ring", {"number": 2}, "a b a\n\nc c",
     "Paragraph 2 has 2 words. Write at least 3."),
    ("position:paragraph_ring", {"number": 1}, "a b c",
     'Paragraph 1 starts with "a" and ends with "c". It must end with the word that it starts '
     "with."),
    ("words:max_letters", {"letters": 3}, "the door's",
     '"door\'s" has more than 3 letters. Use only shorter words.'),
    ("words:chain", {"sentences": 3}, "A b. B c.",
     "You wrote 2 sentences. Write at least 3, each starting with the last word of the one before."),
    ("words:chain", {"sentences": 2}, "A b. B c. D e.",
     'Sentence 2 ends with "c", and sentence 3 starts with "d". They must be the same word.'),
    ("sentence:increment", {"sentences": 3, "step": 1}, "A b. A b c.",
     "You wrote 2 sentences. Write at least 3."),
    ("sentence:increment", {"sentences": 2, "step": 2}, "A b. A b c.",
     "Sentence 1 has 2 words and sentence 2 has 3. Each sentence must have exactly 2 more than the "
     "one before."),
    ("copy:span", {"source": "a b c d", "start": 2, "end": 3}, "b c d",
     'The first line is "b c d". It must be words 2 to 3 of the given text, unchanged.'),
    ("copy:sentence_times", {"sentence": "It is so.", "times": 1}, "It is so. It is so!",
     'The sentence "It is so." stands there 2 times. Write it exactly 1 time.'),
    # our formats
    ("format:numbered_list", {"number": 2}, "1. a\n3. b",
     'The numbered lines are: 1, 3. Write lines "1." to "2." with text, in order.'),
    ("format:numbered_list", {"number": 1}, "a",
     'The numbered lines are: none. Write lines "1." to "1." with text, in order.'),
    ("format:sub_bullets", {"number": 2}, "* a\n- b\n* c\n-",
     "Bullet point 2 has no sub-point. Write 2 bullet points (*), each with a sub-point (-) below "
     "it."),
    ("format:sub_bullets", {"number": 2}, "- x\n* a\n- b",
     "The reply has 1 bullet point with *. Write 2 bullet points (*), each with a sub-point (-) "
     "below it."),
    ("format:table", {"rows": 1, "columns": 2}, "|a|b|",
     "There is no table with a line of dashes below its head. Write a Markdown table with a head, "
     "1 row and 2 columns."),
    ("format:table", {"rows": 1, "columns": 2}, "|a|b|\n|-|-|\n|c|d|\n|e|f|",
     "The table has 2 rows below its head. Write a Markdown table with a head, 1 row and 2 "
     "columns."),
    ("format:table", {"rows": 1, "columns": 2}, "|a|b|\n|-|-|\n|c|",
     "Line 3 of the table does not have 2 filled cells. Write a Markdown table with a head, 1 row "
     "and 2 columns."),
    ("format:separator", {"mark": "+", "parts": 3}, "a\n+\nb",
     'The reply has 2 parts. Write 3 parts, with a line that holds only "+" between two.'),
    ("format:separator", {"mark": "+", "parts": 2}, "a\n+\n.",
     "A part is empty or stands there twice. Write 2 parts, with a line that holds only \"+\" "
     "between two."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "reply", "message"), MESSAGES)
def test_messages(kind, values, reply, message):
    assert said(kind, reply, **values) == message


FOLLOWED = [
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\na\n***\nb\n***"),
    ("count:word_range", {"low": 2, "high": 3}, "a b c"),
    ("count:word_range", {"low": 2, "high": 3}, "a b"),
    ("count:unique_words", {"number": 2}, "a b a"),
    ("ratio:stop_words", {"percent": 50}, "the river"),
    ("ratio:stop_words", {"percent": 1}, "..."),
    ("ratio:long_words", {"percent": 50, "letters": 5}, "the river"),
    ("ratio:questions", {"statements": 2, "questions": 1}, "So. Go. Why?"),
    ("ratio:questions", {"statements": 1, "questions": 2}, "So. How? Why?"),
    ("position:nth_word", {"n": 2, "word": "CAT"}, "a cat"),
    ("position:paragraph_ring", {"number": 1}, "A b a."),
    ("words:max_letters", {"letters": 5}, "the door's"),
    ("words:chain", {"sentences": 2}, "A b. B c. C d."),
    ("sentence:increment", {"sentences": 2, "step": 1}, "A b. A b c. A b c d."),
    ("copy:span", {"source": "a b c d", "start": 1, "end": 4}, "a b c d"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Why so?"}, "Why so? I see it"),
    ("combination:two_responses", {}, "a b c d e\n******\na b c d x y"),
    ("combination:two_responses", {}, "a b c\n******\nd e f"),
    ("startend:end_checker", {"end_phrase": "!"}, "Go!"),
    ("startend:quotation", {}, "\u201ea\u201c"),
    ("change_case:english_capital", {}, "A"),
    ("detectable_content:number_placeholders", {"num_placeholders": 1}, "[ab]"),
    ("detectable_format:title", {}, f"<<{' '.join('a' * 20)}>>"),
    ("format:table", {"rows": 1, "columns": 1}, "|a|\n|-|\n|c|"),
    ("format:separator", {"mark": "+", "parts": 2}, "a\n+\nb"),
    ("keywords:letter_frequency", {"letter": "E", "let_frequency": 2, "let_relation": "at least"},
     "e\u00e9"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "reply"), FOLLOWED)
def test_just_followed(kind, values, reply):
    assert said(kind, reply, **values) is None


BROKEN = [
    ("length_constraints:number_paragraphs", {"num_paragraphs": 1}, "a\n***\n\n***\n"),
    ("combination:two_responses", {}, "a b c d e\n******\na b c d e x"),
    ("combination:two_responses", {}, "a b c\n******\n\n******\nd e f"),
    ("detectable_content:number_placeholders", {"num_placeholders": 1}, "[a]"),
    ("detectable_format:title", {}, f"<<{' '.join('a' * 21)}>>"),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 1},
     "Part 1\na\nPart 1\nb"),
    ("ratio:questions", {"statements": 2, "questions": 1}, "So. Go."),
    ("startend:end_checker", {"end_phrase": "end"}, "The weekend"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "reply"), BROKEN)
def test_just_broken(kind, values, reply):
    assert said(kind, reply, **values) is not None


def test_lists_in_messages_end():
    marks = list("!?;:-(){}")
    message = said("count:marks", "a", marks=marks)
    assert message.count('"') == 16 and '"{"' in message and '"}"' not in message
    lines = "\n".join(f"{n}. a" for n in range(2, 16))
    message = said("format:numbered_list", lines, number=2)
    assert message.startswith("The numbered lines are: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13. ")


def test_ends_and_starts_are_quoted_at_their_limits():
    ends = said("startend:end_checker", "x" * 61, end_phrase="y" * 121)
    assert f'"{"x" * 60}"' in ends and f'"{"y" * 119}…"' in ends
    starts = said("combination:repeat_prompt", "x" * 51, prompt_to_repeat="y" * 81)
    assert f'"{"x" * 50}"' in starts and f'"{"y" * 79}…"' in starts
    twice = said("copy:sentence_times", "no", sentence="z" * 61, times=1)
    assert f'"{"z" * 59}…" stands' in twice


def test_english_is_told_from_40_characters_on():
    german = "DAS HAUS IST ALT UND DER FLUSS IST WEIT"
    assert len(german) == 39
    assert said("change_case:english_capital", german) is None
    assert said("change_case:english_capital", german + ".") is not None
    small = german.lower()
    assert said("change_case:english_lowercase", small) is None
    assert said("change_case:english_lowercase", small + ".") is not None


REFERENCE = [
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "a-b c", True),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "é-b c", True),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "é b ²", False),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "a b \u24b6", True),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "a b \u24b5", False),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "a b \u24e9", True),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "a b \u24ea", False),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a***b", True),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a*** ***b", False),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 1}, "***a***", True),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "so"}, "a\n\n'So, b", True),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 2, "nth_paragraph": 3, "first_word": "so"}, "a\n\nb", False),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 1, "nth_paragraph": 2, "first_word": "so"}, "a\n\nso", False),
    ("length_constraints:nth_paragraph_first_word",
     {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "so"}, "a\n\n \n\nso", False),
    ("keywords:letter_frequency", {"letter": "a", "let_frequency": 1, "let_relation": "at least"},
     "A", True),
    ("keywords:letter_frequency", {"letter": "z", "let_frequency": 1, "let_relation": "at least"},
     "z", True),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 1, "let_relation": "at least"},
     "#", False),
    ("keywords:letter_frequency", {"letter": "{", "let_frequency": 1, "let_relation": "at least"},
     "{", False),
    ("keywords:letter_frequency", {"letter": "`", "let_frequency": 1, "let_relation": "at least"},
     "`", False),
    ("punctuation:no_comma", {}, "a\uff0c", True),
    ("punctuation:no_comma", {}, "a,", False),
    ("startend:quotation", {}, '""', True),
    ("startend:quotation", {}, '"', False),
    ("startend:quotation", {}, '"a', False),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a [b] c]", False),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[] [b]", True),
    ("detectable_content:number_placeholders", {"num_placeholders": 1}, "[a\nb]", False),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n-", True),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "**a**", True),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "**a**", False),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "* *", False),
    ("detectable_format:json_format", {}, "```json\n3\n```", True),
    ("detectable_format:json_format", {}, "a", False),
    ("detectable_format:title", {}, "<<a>>", True),
    ("detectable_format:title", {}, "<<>>", False),
    ("detectable_format:title", {}, "x <<a >> b", True),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "p.p.s", True),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.S.", False),
    ("detectable_content:postscript", {"postscript_marker": "PS:"}, "so ps: b", True),
    ("detectable_content:postscript", {"postscript_marker": "PS:"}, "p.s.", False),
    ("combination:two_responses", {}, "a******b", True),
    ("combination:two_responses", {}, "a******a", False),
    ("combination:two_responses", {}, "a************b", False),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Why?"}, " WHY?", True),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Why?"}, "So. Why?", False),
    ("startend:end_checker", {"end_phrase": "END"}, 'weekend"', True),
    ("startend:end_checker", {"end_phrase": "END"}, "ending", False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values", "reply", "follows_it"), REFERENCE)
def test_published_verdicts(kind, values, reply, follows_it):
    assert (said(kind, reply, "reference", **values) is None) is follows_it


# ---------------------------------------------------------------- fields and targets


@pytest.mark.parametrize(
    ("read", "fits", "refused"),
    [
        (whole(), [0, 3.0, 100_000], [-1, 3.5, 100_001, True, "3", None]),
        (whole(1, 5), [1, 5], [0, 6]),
        (text, ["a", "a" * 10_000], ["", " ", "a" * 10_001, 3]),
        (one_word, ["a", " a "], ["a b", "", 3]),
        (texts, [["a"], ("a",) * 100], [[], ["a"] * 101, "a", ["a", 3]]),
        (choice("a", "b"), ["a", "b"], ["c", None]),
        (character, ["a", " a "], ["", "ab", 3]),
    ],
)
def test_fields(read, fits, refused):
    for value in fits:
        read(value)
    for value in refused:
        with pytest.raises(ValueError, match=r"^must be "):
            read(value)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (3, "target: a list of instructions or a dict, got 3"),
        ({"rows": []}, "target: unknown field 'rows'; known: mode, instructions, prompt, topic, "),
        ({"mode": "x", "instructions": []}, "target: field 'mode' must be one of"),
        ([], "target: field 'instructions' must be a list of at least one, got []"),
        ([{"kind": 3}], "target, instruction 1: an instruction is {'kind': name, 'kwargs': {...}}"),
        ([{"kind": "x"}], "target, instruction 1: field 'kind' is 'x'; known: keywords:existence"),
        ([{"kind": "count:lines", "kwargs": 3}],
         "target, instruction 1 (count:lines): field 'kwargs' must be a dict, got 3"),
        ([{"kind": "count:lines", "kwargs": {"x": 3}}],
         "target, instruction 1 (count:lines): unknown field 'x'; its fields: number"),
        ([{"kind": "punctuation:no_comma", "kwargs": {"x": 3}}],
         "target, instruction 1 (punctuation:no_comma): unknown field 'x'; its fields: none"),
        ([{"kind": "punctuation:no_comma"}, {"kind": "count:lines", "kwargs": {"number": None}}],
         "target, instruction 2 (count:lines): field 'number' is missing"),
        ([{"kind": "count:lines", "kwargs": {"number": -1}}],
         "target, instruction 1 (count:lines): field 'number' must be an integer from"),
        ({"mode": "reference", "instructions": [{"kind": "count:lines", "kwargs": {"number": 1}}]},
         "target, instruction 1: field 'kind' is 'count:lines', which is no published kind and"),
        ({"instructions": [{"kind": "punctuation:no_comma"}], "prompt": 3},
         "target: field 'prompt' must be a string, got 3"),
        ({"instructions": [{"kind": "punctuation:no_comma"}], "topic": [3]},
         "target: field 'topic' or 'topic_least' must be a string"),
        ({"instructions": [{"kind": "punctuation:no_comma"}], "topic_least": -1},
         "target: field 'topic' or 'topic_least' must be an integer"),
    ],
)  # fmt: skip
def test_targets(target, error):
    with pytest.raises(ValueError, match=f"^{re.escape(error)}"):
        read_target(target)


def test_a_reply_is_scored_by_its_share():
    rows = [{"kind": "punctuation:no_comma"}, {"kind": "count:questions", "kwargs": {"number": 1}}]
    target = {"instructions": rows}
    good = "Is the old river by the town wide?"
    assert instruction_following(good, target).success and follows(good, read_target(target))
    half = instruction_following("The old river by the town is wide.", target)
    assert half.score == 0.5 and [p.kind for p in half.problems] == ["count:questions"]
    assert not follows("The old river by the town is wide.", read_target(target))
    blank = instruction_following(" \n", target)
    assert (blank.score, [p.message for p in blank.problems]) == (0.0, ["The reply is empty."] * 2)
    assert not follows(" ", read_target(target))
    off = instruction_following(good, {**target, "topic": ["violin"], "topic_least": 1})
    assert off.score == 0.25 and [p.kind for p in off.problems] == ["subject"]
    read = read_target({**target, "topic": ["a", "b"]})
    assert (read.topic, read.topic_least) == (("a", "b"), 2)


# ---------------------------------------------------------------- replies and subjects


@pytest.mark.parametrize(
    ("reply", "sentences"),
    [
        ("One. two", ["One.", "two"]),
        ("Dr. No. 7 and Fig. 3.", ["Dr. No. 7 and Fig. 3."]),
        ("So do I. Yes.", ["So do I.", "Yes."]),
        ("Mr. B. Fox came.", ["Mr. B. Fox came."]),
        ("1. One\n2) Two", ["One", "Two"]),
        ("a line\ngoes on.\nNext", ["a line goes on.", "Next"]),
        ("a line\n\ngoes on", ["a line", "goes on"]),
        ("Why?! 'So.' (No.) 3.", ["Why?!", "'So.'", "(No.)"]),
        ("> * quoted", ["quoted"]),
    ],
)
def test_sentences(reply, sentences):
    assert Reply(reply).sentences == sentences


def test_lines_paragraphs_and_words():
    reply = Reply(" A b \n\n \n  C-d it\u2019s\n")
    assert reply.lines == ["A b", "C-d it\u2019s"] == reply.paragraphs
    assert reply.words == ["A", "b", "C-d", "it\u2019s"]
    assert reply.lower_words == ["a", "b", "c-d", "it's"]


def test_subjects():
    assert subject_words("Write about a cat, the cats and CAT5 in [a box]. Use no ox.") == ["cat"]
    many = " ".join(f"zq{chr(97 + i // 26)}{chr(97 + i % 26)}x" for i in range(50))
    assert len(subject_words(many)) == 40
    assert [needed(["a"] * n) for n in range(7)] == [0, 1, 1, 1, 1, 2, 2]

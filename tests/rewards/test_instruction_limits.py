"""Instructions at the limits of characters, fields and copies, and the parts of reference mode.

Messages and most limits: `test_boundaries_instructions.py`; corpora: `test_records.py`.
"""

import pytest

from corgi_gym.rewards.instructions import instruction_following, read_target
from corgi_gym.rewards.instructions._treebank import count_capital_words
from corgi_gym.rewards.instructions.checker import follows
from corgi_gym.rewards.instructions.formats import json_texts, parse_json
from corgi_gym.rewards.instructions.reply import Reply


def said(kind, reply, mode="strict", **values):
    target = read_target({"mode": mode, "instructions": [{"kind": kind, "kwargs": values}]})
    return target.instructions[0].problem(Reply(reply), mode)


# ---------------------------------------------------------------- words in reference mode


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189),
        (0x200C, 0x200D),
    ],
)  # fmt: skip
def test_circled_letters_and_joiners_belong_to_words(first, last):
    for code, belongs in ((first - 1, False), (first, True), (last, True), (last + 1, False)):
        one = said(
            "length_constraints:number_words", f"é{chr(code)}é", "reference",
            num_words=2, relation="less than",
        )  # fmt: skip
        assert (one is None) is belongs, hex(code)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("IT'S A", 3),
        ("IT'S' A", 3),
        ("A IT'S'", 2),  # at the end, the last apostrophe is an ending, and a word has one
        ("'IT'S' A", 3),
        ("CAN'T' A", 3),
        ("A CAN'T'", 3),
        ("A'LL' B", 3),
        ("IT'S'* A", 2),
        ("nothing", 0),
    ],
)
def test_capitals_before_apostrophes(text, number):
    """As NLTK's word tokenizer splits them."""
    assert count_capital_words(text) == number


# ---------------------------------------------------------------- language in reference mode


def test_what_the_language_is_told_from():
    pytest.importorskip("langdetect")
    from corgi_gym.rewards.instructions._langdetect import NoLanguage, _clean, _tables, detect

    tables = _tables()
    for text, cleaned in (
        ("see https://a.b/c?d=e#f now", "see now"),
        ("to a-b.c@d.org now", "to now"),
        ("two  or   more", "two or more"),
        ("b дд", "b дд"),  # a Latin letter for two others is kept, for three it is not
        ("b ддд", " ддд"),
        ("b \u0300\u0300\u0300", " \u0300\u0300\u0300"),  # the first that counts as another
        ("b \u02ff\u02ff\u02ff", "b \u02ff\u02ff\u02ff"),
        ("b \u1ebf\u1ebf\u1ebf", " \u1ebf\u1ebf\u1ebf"),  # Vietnamese letters count too
        ("\u00ea\u0301", "\u1ebf"),
    ):
        assert _clean(text, tables) == cleaned
    assert detect(" " * 9_999 + "д") == detect("д")  # 10,000 characters are looked at
    with pytest.raises(NoLanguage, match="no features"):
        detect(" " * 10_000 + "д")


def test_the_shortest_known_pieces_of_words():
    pytest.importorskip("langdetect")
    from corgi_gym.rewards.instructions._langdetect import _grams, _tables

    tables = _tables()
    assert _grams("on", tables) == ["o", " o", "n", "on", " on"]
    assert _grams("on no", tables) == [
        "o", " o", "n", "on", " on", "n ", "on ", "n", " n", "o", "no", " no",
    ]  # fmt: skip
    assert _grams("ABc", tables) == ["A", " A", *(g for g in ("c", "Bc", "ABc")
                                                  if g in tables.likelihood)]  # fmt: skip


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('```json{"a": 1}```', {"a": 1}),
        ("```JSON[1]```", [1]),
        ("```[1]```", [1]),
        (" [1]\n", [1]),
        ('"```"', "```"),
    ],
)
def test_json_in_a_fence_and_without(text, value):
    assert parse_json(text) == value


@pytest.mark.parametrize(
    "text", ["", "```", "``````", "```json```", "``[1]``", "```[1]", "[1]```", "jso[1]", "[NaN]"]
)
def test_no_json(text):
    with pytest.raises(ValueError, match=r"Expecting value|Extra data|no JSON value"):
        parse_json(text)


def test_texts_of_json_stand_in_their_order():
    value = {"a": ["b", {"c": 1, "d": "e"}], "f": [["g"], "h"]}
    assert json_texts(value) == ["a", "b", "c", "d", "e", "f", "g", "h"]
    assert json_texts(value, numbers=True) == ["a", "b", "c", "1", "d", "e", "f", "g", "h"]
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 100_000)


NO_TITLE = "The reply has no title. Write one in double angular brackets, such as <<poem of joy>>."


@pytest.mark.parametrize(
    ("reply", "strict", "reference"),
    [
        ("<<a>>", True, True),
        ("<<.>>", False, True),
        ("<<>>", False, False),
        ("<<>", False, False),
        ("<< >>", False, False),
        ("<<<>>>", False, False),
        ("a>>b", False, False),
        ("a>> <<b", False, False),
        ("<<.>> <<a>>", True, True),
        ("<<\n>> <<a\n>>", False, False),
        (f"<<{'a' * 300}>>", True, True),
        (f"<<{'a' * 301}>>", False, True),
    ],
)
def test_titles(reply, strict, reference):
    assert said("detectable_format:title", reply) == (None if strict else NO_TITLE)
    published = said("detectable_format:title", reply, "reference")
    assert published == (None if reference else NO_TITLE)


PARTS = {"section_spliter": "Part", "num_sections": 2}


@pytest.mark.parametrize(
    ("kind", "values", "reply", "strict", "reference"),
    [
        ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", True, True),
        ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "* a\n---", True, False),
        ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "** a\n+ b", True, False),
        ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "*a", False, True),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* **b**",
         True, True),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "2*3*4",
         False, True),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "*.*",
         False, True),
        ("detectable_format:multiple_sections", PARTS, "Part 1\na\nPart 2\nb", True, True),
        ("detectable_format:multiple_sections", PARTS, "Part 2\na\nPart 1\nb", False, True),
        ("detectable_format:multiple_sections", PARTS, "Part 1\na\npart 2\nb", True, False),
        ("detectable_format:multiple_sections", PARTS, "Part 1\na\nPart 2\nb\nPart 3\nc",
         False, True),
        ("detectable_format:constrained_response", {}, "My answer is yes.", True, True),
        ("detectable_format:constrained_response", {}, "My answer is no.  My answer is no.",
         False, True),
        ("detectable_format:constrained_response", {}, "My answer\nis no.", True, False),
        ("detectable_content:number_placeholders", {"num_placeholders": 1}, "[ab](c)",
         False, True),
        ("detectable_content:number_placeholders", {"num_placeholders": 1}, "[a][b]", False, True),
        ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[ab][cd]",
         True, True),
    ],
)  # fmt: skip
def test_formats_in_both_modes(kind, values, reply, strict, reference):
    assert (said(kind, reply, **values) is None) is strict
    assert (said(kind, reply, "reference", **values) is None) is reference


# ---------------------------------------------------------------- fields of lengths


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number_paragraphs", {"num_paragraphs": 1}),
        ("nth_paragraph_first_word",
         {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "so"}),
    ],
)  # fmt: skip
def test_paragraphs_are_counted_from_one(kind, values):
    kind = f"length_constraints:{kind}"
    read_target([{"kind": kind, "kwargs": values}])
    for name in values.keys() - {"first_word"}:
        with pytest.raises(ValueError, match="must be an integer from 1 to"):
            read_target([{"kind": kind, "kwargs": {**values, name: 0}}])


def test_the_first_word_in_reference_mode_ends_at_the_first_mark():
    asked = {"num_paragraphs": 1, "nth_paragraph": 1}
    for reply, word in (("so.on?go", "so"), ("'\"so", "so"), ("\"'so", ""), ("So!", "so")):
        found = said(
            "length_constraints:nth_paragraph_first_word", reply, "reference",
            **asked, first_word="x",
        )  # fmt: skip
        assert found == f'Paragraph 1 starts with "{word}". Start it with the word "x".'


# ---------------------------------------------------------------- the checker


def test_the_instruction_that_fails_is_looked_at_first_next_time():
    rows = [
        {"kind": "punctuation:no_comma"},
        {"kind": "count:lines", "kwargs": {"number": 1}},
        {"kind": "count:questions", "kwargs": {"number": 1}},
    ]
    wanted = read_target(rows)
    comma, lines, questions = wanted.instructions
    order = [comma, lines, questions]
    assert not follows("The old river runs by the town.", wanted, order)
    assert order == [questions, comma, lines]
    assert not follows("Is the old river by the town wide?\nYes.", wanted, order)
    assert order == [lines, questions, comma]
    assert follows("Is the old river by the town wide?", wanted, order)
    assert order == [lines, questions, comma]


PROMPT = (
    "Tell me in a few plain sentences why the old river that runs by our small town is so wide and "
    "slow in the spring, and why it is so narrow and quick in the long dry summer."
)
ANSWER = "Melting snow fills its bed."


def test_a_repeated_request_is_copied_once():
    """Its words are no answer, and the five of the answer are enough, though few beside them."""
    row = {"kind": "combination:repeat_prompt", "kwargs": {"prompt_to_repeat": PROMPT}}
    assert instruction_following(f"{PROMPT} {ANSWER}", [row]).success
    short = instruction_following(f"{PROMPT} Melting snow does.", [row])
    assert [p.kind for p in short.problems] == ["content"] and short.score == 0.0


def test_a_sentence_is_copied_as_often_as_asked():
    sentence = "The old river is wide."
    values = {"sentence": sentence, "times": 2}
    row = {"kind": "copy:sentence_times", "kwargs": values}
    assert instruction_following(f"{sentence} " * 2 + ANSWER, [row]).success
    short = instruction_following(f"{sentence} " * 2 + "Snow melts there.", [row])
    assert [p.kind for p in short.problems] == ["content"]

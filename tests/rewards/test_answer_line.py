"""Spaces other than the plain one in the answer line; its other rules are in test_boundaries.py."""

import sys
import unicodedata

import pytest

from corgi_gym.rewards.answer_line import (
    AnswerLine,
    find_answer_block,
    find_answer_line,
    plain_spaces,
)


def test_every_space_becomes_a_plain_one():
    spaces = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) == "Zs"]
    assert len(spaces) > 10
    assert plain_spaces("a".join(spaces)) == "a".join(" " for _ in spaces)
    assert plain_spaces("é\t\n\u200b_") == "é\t\n\u200b_"


@pytest.mark.parametrize("find", [find_answer_line, find_answer_block])
def test_the_answer_has_plain_spaces_and_its_place(find):
    reply = "é\nAnswer\N{NO-BREAK SPACE}:\N{NO-BREAK SPACE}42\N{THIN SPACE}inches"
    assert find(reply, "one number") == AnswerLine("42 inches", 2, (10, 20))


def test_a_second_answer_is_seen_behind_another_space():
    problem = find_answer_line("Answer: 1\nAnswer\N{NO-BREAK SPACE}: 2", "one number")
    assert problem.kind == "answer_repeated"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Answer:\n```text\n1 2\n3 4\n```", "1 2\n3 4"),
        ("Answer:\n12\n``` or maybe 13", "12\n``` or maybe 13"),
        ("Answer:\n```\n12\n```no, it is 13", "12\n```no, it is 13"),
    ],
)
def test_a_fence_is_left_out_and_what_stands_on_its_line_is_not(reply, text):
    assert find_answer_block(reply, "one number").text == text

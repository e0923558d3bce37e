"""Verdicts in a last line: read strictly, or not at all."""

import pytest

from corgi_gym.rewards.llm_judge.answer import MAX_ANSWER_CHARS, FormatError
from corgi_gym.rewards.llm_judge.lines import read_line, read_score, read_verdict


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Verdict: correct", True),
        ("Two words are missing.\nVERDICT : Incorrect.\n\n", False),
        ("**Verdict:** *correct*", True),
        ('It says "correct", and so do I.\n`Verdict: correct`', True),
    ],
)
def test_a_verdict_in_the_last_line(text, value):
    assert read_verdict(text) is value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not begin"),
        ("correct", "does not begin"),
        ("Verdict: correct\nI hope this helps.", "does not begin"),
        ("Verdict: correct\nVerdict: incorrect", "begins 2 lines"),
        ("Verdict: correct or incorrect", "followed by 'correct or incorrect'"),
        ("Verdict: not correct", "followed by 'not correct'"),
        ("Verdict:", "followed by ''"),
        ("The verdict: correct", "does not begin"),
        ("x" * MAX_ANSWER_CHARS + "\nVerdict: correct", "characters"),
        (None, "no text"),
    ],
)
def test_anything_else_is_no_verdict(text, words):
    with pytest.raises(FormatError, match=words):
        read_verdict(text)


def test_scores_and_choices():
    assert [read_score(f"Fine.\nScore: {n}") for n in (1, 10)] == [1, 10]
    for said in ("0", "11", "7.5", "7/10", "seven", "-1", "07"):
        with pytest.raises(FormatError):
            read_score(f"Score: {said}")
    assert read_line("Better: b", "better", ("A", "B")) == "B"

"""Dates: one form, one date, and feedback that does not say which part is wrong."""

from datetime import date, timedelta

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.date_understanding import date_understanding

TASK = {"date": "05/17/2011", "given": "05/02/2011"}


@pytest.mark.parametrize(
    ("answer", "score", "text"),
    [
        ("05/18/2011", 0.1, 'The date "05/18/2011" is wrong.'),
        (
            "05/02/2011",
            0.1,
            'The date "05/02/2011" stands in the task. It is not the one that is asked for.',
        ),
        ("02/30/2011", 0.0, 'There is no date "02/30/2011". MM is the month, DD the day of the '),
        ("17/05/2011", 0.0, 'There is no date "17/05/2011".'),
        ("00/17/2011", 0.0, 'There is no date "00/17/2011".'),
        ("05/17/0000", 0.0, 'There is no date "05/17/0000".'),
        ("5/17/2011", 0.0, 'The date "5/17/2011" is not of the form MM/DD/YYYY, such as'),
        ("2011-05-17", 0.0, 'The date "2011-05-17" is not of the form MM/DD/YYYY, such as'),
        ("May 17, 2011", 0.0, 'After "Answer:" you wrote "May 17, 2011". Write one date as MM/DD'),
    ],
)
def test_feedback(answer, score, text):
    verdict = judge(date_understanding, f"Answer: {answer}", TASK)
    assert verdict.score == score
    assert verdict.problems[0].message.startswith(text)


def test_all_wrong_dates_get_the_same_answer():
    start = date(2011, 5, 3)
    texts = set()
    for days in range(400):
        shown = (start + timedelta(days=days)).strftime("%m/%d/%Y")
        verdict = judge(date_understanding, f"Answer: {shown}", TASK)
        assert verdict.success == (shown == TASK["date"])
        if not verdict.success:
            texts.add(verdict.problems[0].message.replace(shown, "…"))
    assert texts == {'The date "…" is wrong.'}


@pytest.mark.parametrize(
    "answer",
    [
        "05/17/11", "05-17-2011", "05.17.2011", "05 17 2011", "05172011", "05/17/2011 or so",
        "05/17/2011, 05/18/2011", "05/17/2011 - 05/18/2011", "05/17/2011 AD", "Tuesday, 05/17/2011",
        "on 05/17/2011", "05/17/2011/", "/05/17/2011", "05/17/20110", "005/17/2011", "05/017/2011",
        "05/17/2011 12:00", "May 17", "17 May 2011", "2011/05/17", "05/17", "2011", "0517/2011",
        "05\\17\\2011", "05/17/2O11", "tomorrow", "05/17/2011?", "not 05/17/2011", "MM/DD/YYYY",
        "\u0660\u0665/\u0661\u0667/\u0662\u0660\u0661\u0661",
    ],
)  # fmt: skip
def test_other_forms(answer):
    assert judge(date_understanding, f"Answer: {answer}", TASK).score == 0.0

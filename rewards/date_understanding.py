"""Date understanding: one date ``MM/DD/YYYY`` after ``Answer:``.

Source: BIG-bench's date understanding, which TriPosT (arXiv 2310.13522) trains on as well. Changed:
the date is written out in the asked place and compared exactly, where the original offers six
choices (a blind guess is right once in six times).

The target of a task is ``{"date": "05/17/2011", "given": "05/02/2011"}``; ``given`` is the date
that stands in the task, so that feedback can say when it was merely copied.

Score:

| reply                                            | score |
|--------------------------------------------------|-------|
| the date, as MM/DD/YYYY                          | 1.0   |
| another date of the calendar, as MM/DD/YYYY      | 0.1   |
| anything else                                    | 0.0   |

What feedback tells: what is wrong with the form, or that the date is wrong. Which of its three
parts is wrong is not told: trying them one by one would then beat calculating.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from corgi_gym.rewards.answer_line import find_answer_line
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem, Verdict

FORMAT_CREDIT = 0.1
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_LOOSE = re.compile(r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}")

_TASK = {"date": "05/17/2011", "given": "05/02/2011"}


@checker(
    "date_understanding",
    examples=[
        ("May 2 and 15 days: May 17.\nAnswer: 05/17/2011", _TASK, True),
        ("**Answer:** 05/17/2011.", _TASK, True),
        ("Answer: 5/17/2011", _TASK, False),
        ("Answer: 17/05/2011", _TASK, False),
        ("Answer: 2011-05-17", _TASK, False),
        ("Answer: May 17, 2011", _TASK, False),
        ("Answer: 05/18/2011", _TASK, False),
        ("Answer: 02/30/2011", _TASK, False),
        ("Answer: 05/02/2011", _TASK, False),
        ("Answer: 05/17/2011 or 05/18/2011", _TASK, False),
        ("Answer: 05/17/2011\nAnswer: 05/17/2011", _TASK, False),
        ("05/17/2011", _TASK, False),
    ],
)
def date_understanding(reply: str, target: Mapping[str, Any]) -> Verdict:
    """Judge the date in ``reply`` against ``target`` (see the module's docstring)."""
    line = find_answer_line(reply, "one date as MM/DD/YYYY")
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    shown = quote(line.text)
    match = _DATE.fullmatch(line.text)
    if match is None:
        text = f'After "Answer:" you wrote {shown}. Write one date as MM/DD/YYYY, nothing else.'
        if _LOOSE.fullmatch(line.text):
            text = f"The date {shown} is not of the form MM/DD/YYYY, such as 02/05/1999."
        return Verdict.wrong(0.0, Problem("date_form", text, line.where))
    month, day, year = map(int, match.groups())
    try:
        date(year, month, day)
    except ValueError:
        text = f"There is no date {shown}. MM is the month, DD the day of the month."
        return Verdict.wrong(0.0, Problem("no_such_date", text, line.where))
    if line.text == target["date"]:
        return Verdict.ok()
    text = f"The date {shown} is wrong."
    if line.text == target.get("given"):
        text = f"The date {shown} stands in the task. It is not the one that is asked for."
    return Verdict.wrong(FORMAT_CREDIT, Problem("wrong_date", text, line.where))

"""Date understanding: follow a chain of events through the calendar.

Source: BIG-bench's date understanding and the cells of TriPosT (arXiv 2310.13522), which sorts its
questions by the steps of their rationale: 1 or 2 (*seen*), 3 and more (*unseen*). Changed: the
questions come from our own generator with the standard library's calendar. A task is a given date
and a chain of 1 to 5 steps; a cell is called after its number of steps, ``s1`` to ``s5``.

Nothing ambiguous is asked: months and years are only added to days up to 28, "next Friday" never
occurs (but "the first Friday after that"), and given dates name their month.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, stable_hash
from corgi_gym.rewards.date_understanding import date_understanding

SEEN = ("s1", "s2")
UNSEEN = ("s3", "s4", "s5")
_NAMED_CELLS = {"seen": SEEN, "unseen": UNSEEN, "all": SEEN + UNSEEN}
# Given dates; the results stay within a few years of them.
FIRST_YEAR, LAST_YEAR = 1900, 2099
# Day up to which every month has the same days.
_SAFE_DAY = 28
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_KINDS = ("days", "weeks", "months", "years", "month_end", "month_start", "weekday", "hours")
# A step: its kind, and how many (negative: back), or which weekday.
Step = tuple[str, int]

# Events without a natural order, so that any of them may come before any other.
_EVENTS = (
    "the auction", "the ball", "the concert", "the debate", "the exam", "the fair", "the game",
    "the hike", "the lecture", "the market", "the match", "the parade", "the party", "the picnic",
    "the play", "the race", "the regatta", "the sale", "the show", "the tour", "the vote",
    "the wedding",
)  # fmt: skip
_OPENINGS = (
    "{Event} took place on {day}.",
    "{day} was the day of {event}.",
    "In a diary, {event} is entered under {day}.",
    "The calendar shows {event} on {day}.",
)


class DateUnderstanding(TaskSource):
    """Find a date from a given one and a chain of calendar steps.

    Args:
        cells: ``"seen"``, ``"unseen"``, ``"all"``, a cell from ``"s1"`` to ``"s5"``, or a list of
            cells. A task's cell is drawn evenly from these.

    Raises:
        ValueError: For an unknown cell.

    Example:
        >>> DateUnderstanding(cells="s1").item(seed=0, index=0).witness
        'Answer: 11/09/1918'
    """

    family = "date_understanding"
    summary = "Find a date from another one and a chain of calendar steps."
    checker = date_understanding

    def __init__(self, cells: str | Sequence[str] = "seen") -> None:
        names = _NAMED_CELLS.get(cells, (cells,)) if isinstance(cells, str) else tuple(cells)
        if not names or not set(names) <= set(SEEN + UNSEEN):
            raise ValueError(
                f"unknown cells {cells!r}; choose from {', '.join([*_NAMED_CELLS, *SEEN, *UNSEEN])}"
            )
        self.cells = [int(name[1:]) for name in dict.fromkeys(names)]

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a date and steps; two steps in a row differ in kind, and all days differ."""
        count = self.cells[int(rng.integers(len(self.cells)))]
        given = date(int(rng.integers(FIRST_YEAR, LAST_YEAR + 1)), 1, 1)
        given += timedelta(days=int(rng.integers(365)))
        steps: list[Step] = []
        days = [given]
        while len(steps) < count:
            step = _draw(rng)
            after = _apply(days[-1], step)
            if after is None or after in days or (steps and steps[-1][0] == step[0]):
                continue
            steps.append(step)
            days.append(after)
        return _draft(given, steps, days)

    def near_misses(self, task: Task) -> list[str]:
        """Other forms of the date, days nearby, the given date, several dates."""
        right = task.target["date"]
        month, day, year = map(int, right.split("/"))
        exact = date(year, month, day)
        before, after = (_show(exact + timedelta(days=n)) for n in (-1, 1))
        return [
            task.prompt,
            right,
            f"Answer: {before}",
            f"Answer: {after}",
            f"Answer: {task.target['given']}",
            f"Answer: {_show(exact + timedelta(days=7))}",
            f"Answer: {_show(exact + timedelta(days=366))}",
            f"Answer: {exact.isoformat()}",
            f"Answer: {exact.strftime('%B')} {day}, {year}",
            f"Answer: {day:02}.{month:02}.{year}",
            f"Answer: {month:02}/{day:02}/{year % 100:02}",
            f"Answer: {right} or {after}",
            f"Answer: {right}, {after}",
            f"Answer: {right}?",
            f"Answer: not {right}",
            f"Answer: {right}\nAnswer: {right}",
            f"Answer: {right}\nOr {after}.",
            "Answer: 02/30/2000",
            "Answer:",
        ]


def _draw(rng: np.random.Generator) -> Step:
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    sign = 1 if rng.integers(3) else -1  # mostly forwards
    size = {
        "days": int(rng.integers(1, 41)),
        "weeks": int(rng.integers(1, 10)),
        "months": int(rng.integers(1, 12)),
        "years": int(rng.integers(1, 8)),
        "month_end": 1,
        "month_start": 1,
        "weekday": int(rng.integers(1, 8)),
        "hours": 24 * int(rng.integers(1, 5)),
    }[kind]
    return kind, size if kind == "month_end" else sign * size  # of that month, either way


def _apply(day: date, step: Step) -> date | None:
    """The day after a step; None where the step would be ambiguous or changes nothing."""
    kind, size = step
    if kind == "hours":
        return day + timedelta(hours=size)
    if kind in ("days", "weeks"):
        return day + timedelta(**{kind: size})
    if kind in ("months", "years"):
        if day.day > _SAFE_DAY:
            return None
        months = day.year * 12 + day.month - 1 + size * (12 if kind == "years" else 1)
        return day.replace(year=months // 12, month=months % 12 + 1)
    if kind == "month_end":
        last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return last if last != day else None
    if kind == "month_start":  # of the month after, or of this month
        first = day.replace(day=1)
        if size > 0:
            return (first + timedelta(days=31)).replace(day=1)
        return first if first != day else None
    # the first such weekday after (or the last before) that day
    difference = (abs(size) - day.isoweekday()) % 7 or 7
    if size < 0:
        difference -= 14 if difference == 7 else 7
    return day + timedelta(days=difference)


def _describe(rng: np.random.Generator, step: Step, before: str) -> str:
    """When an event is, relative to the one before it."""
    kind, size = step
    way = "after" if size > 0 else "before"
    if kind == "weekday":
        which = "first" if size > 0 else "last"
        return f"on the {which} {_WEEKDAYS[abs(size) - 1]} {way} {before}"
    if kind == "month_end":
        return f"on the last day of the month of {before}"
    if kind == "month_start":
        if size < 0:
            return f"on the first day of the month of {before}"
        return f"on the first day of the month after the month of {before}"
    if kind == "days" and abs(size) == 1:
        return f"on the day {way} {before}"
    count, unit = abs(size), kind if abs(size) != 1 else kind[:-1]
    number = {1: "one", 2: "two", 3: "three"}.get(count, str(count)) if rng.integers(2) else count
    sharp = "exactly " if kind in ("months", "years", "hours") else ""
    return f"{sharp}{number} {unit} {way} {before}"


def _show(day: date) -> str:
    return f"{day.month:02}/{day.day:02}/{day.year:04}"


def _spell(rng: np.random.Generator, day: date) -> str:
    month = calendar.month_name[day.month]
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    forms = (
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}{ending}, {day.year}",
        f"the {day.day}{ending} of {month} {day.year}",
    )
    return forms[int(rng.integers(len(forms)))]


def _draft(given: date, steps: list[Step], days: list[date]) -> Draft:
    """The wording is a function of the content, so that splits share no reworded task."""
    key = f"{given.isoformat()} {steps}"
    rng = np.random.default_rng(stable_hash("wording", key))
    events = [_EVENTS[i] for i in rng.choice(len(_EVENTS), size=len(days), replace=False)]
    opening = _OPENINGS[int(rng.integers(len(_OPENINGS)))]
    first = events[0]
    text = opening.format(event=first, Event=first.capitalize(), day=_spell(rng, given))
    sentences = [text[0].upper() + text[1:]]
    for before, event, step in zip(events, events[1:], steps, strict=False):
        when = _describe(rng, step, before)
        if rng.integers(2):
            sentences.append(f"{event.capitalize()} was {when}.")
        else:
            sentences.append(f"{when[0].upper()}{when[1:]} came {event}.")
    questions = (f"What was the date of {events[-1]}?", f"On what date was {events[-1]}?")
    question = questions[int(rng.integers(2))]
    prompt = (
        f"{' '.join(sentences)} {question} "
        'End with one line: "Answer:" and then the date as MM/DD/YYYY.'
    )
    target = {"date": _show(days[-1]), "given": _show(given)}
    return Draft(key, prompt, target, f"Answer: {_show(days[-1])}")

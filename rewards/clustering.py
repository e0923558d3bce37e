"""Put students into groups that respect who wants to be with whom.

Scoring of CORGI's clustering task (arXiv 2411.01483, released critic): 1 - wrong / all checks, with
feedback on each mistake. The checks here: the format, at least two groups, no strangers (one each),
every student (in exactly one group, and not alone), every wish. Changed, and why:

- The number of checks is fixed by the task. If it grew with the reply, a long list of groups that
  are fine in themselves would dilute its mistakes.
- A wish of a student who is in no group is not met, and a reply without any group earns nothing:
  an empty reply must not collect the checks that hold for nothing.
- Format, strictly: lines ``Group 1: Anna, Ben`` and nothing else. Letter case, bullet marks,
  asterisks, "###" or "1." before the line, a full stop at the end and "and" or "&" between names
  are accepted; any other line is a format mistake, and the group lines still count.
- A reply that places no student earns nothing: it is the prompt's own template.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypedDict

from corgi_gym.rewards.compose import BELOW_ONE
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import defuse, listing, quote
from corgi_gym.rewards.verdict import Problem, Verdict

# Lines and names read at most: a class has ten students, and the rest is one format mistake.
MAX_LINES, MAX_NAMES = 40, 200
# Mistakes of one kind, and groups of one student, that the feedback names.
MAX_NAMED = 6
MAX_QUOTE = 24
_LINE = re.compile(
    r"[ \t>•*_`#-]{0,12}(?:\d{1,3}[.)][ \t*_`]{1,6})?group[ \t]+(\d{1,3})[ \t]?[*_`]{0,6}:(.*)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r",|;|&|\band\b", re.IGNORECASE)
_EDGES = " \t.*_`-"
_FORMAT = 'Write only lines like "Group 1: name, name".'

Wish = tuple[str, Literal["with", "without"], str]


class Target(TypedDict):
    """The students, and their wishes as (student, "with" or "without", other student)."""

    students: list[str]
    wishes: list[Wish]


class Group(NamedTuple):
    """One line of a reply: the group's number and the names on it, as the task spells them."""

    number: int
    names: list[str]


def parse(reply: str, students: list[str]) -> tuple[list[Group], list[Problem]]:
    """Read the groups of a reply and its first format mistake.

    Example:
        >>> parse("- group 1: anna and BEN.", ["Anna", "Ben"])
        ([Group(number=1, names=['Anna', 'Ben'])], [])
    """
    known = {name.casefold(): name for name in students}
    groups: list[Group] = []
    mistake = ""
    lines = [line for line in reply.split("\n") if line.strip()]
    left = MAX_NAMES
    for line in lines[:MAX_LINES]:
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            mistake = mistake or f"The line {quote(line.strip(), MAX_QUOTE)} is not a group."
            continue
        number = int(match[1])
        if any(number == group.number for group in groups):
            mistake = mistake or f"Group {number} is listed twice."
        parts = (part.strip(_EDGES) for part in _SEPARATOR.split(match[2], maxsplit=left))
        names = [known.get(part.casefold(), part) for part in parts if part][:left]
        if not names and left > 0:
            mistake = mistake or f"Group {number} is empty."
        groups.append(Group(number, names))
        left -= len(names)
    if len(lines) > MAX_LINES or left <= 0:
        mistake = mistake or "Your reply is too long."
    return groups, [Problem("format", f"{mistake} {_FORMAT}")] if mistake else []


def _asking(kind: str, found: list[str], asked: str) -> list[Problem]:
    """Problems of one kind; what is asked for is said once, after the last of them."""
    found = found[:MAX_NAMED]
    return [Problem(kind, text) for text in (*found[:-1], *(f"{f} {asked}" for f in found[-1:]))]


def _student_mistakes(groups: list[Group], students: list[str]) -> tuple[int, list[Problem]]:
    """How many students are not in exactly one group with company, and the mistakes."""
    small = [group for group in groups if len(set(group.names)) == 1]
    alone = [f"Group {n} has only {defuse(names[0], MAX_QUOTE)}." for n, names in small]
    lonely = {group.names[0] for group in small}
    missing, repeated = [], []
    wrong = 0
    for student in students:
        places = [n for n, names in groups for name in names if name == student]
        wrong += len(places) != 1 or student in lonely
        if not places:
            missing.append(f"{student} is in no group.")
        elif len(places) > 1:
            numbers = [str(n) for n in dict.fromkeys(places)][:MAX_NAMED]
            where = (
                f"groups {listing(numbers)}" if len(numbers) > 1 else f"group {numbers[0]} twice"
            )
            repeated.append(f"{student} is in {where}.")
    return wrong, [
        *_asking("group_size", alone, "Every group needs at least 2 students."),
        *_asking("missing_student", missing, "Put every student into one group."),
        *_asking("repeated_student", repeated, "Put every student into only one group."),
    ]


def _wish_mistakes(groups: list[Group], wishes: list[Wish]) -> tuple[int, list[Problem]]:
    """How many wishes are not met, and the mistakes of those whose two students are placed."""
    wrong, found = 0, []
    for student, how, other in wishes:
        having = [group for group in groups if student in group.names]
        shared = [group for group in having if other in group.names]
        placed = bool(having) and any(other in group.names for group in groups)
        if placed and (how == "with") == bool(shared):
            continue
        wrong += 1
        if shared:
            both = f"both are in group {shared[0].number}."
            found.append(f"{student} does not want to be with {other}, but {both}")
        elif placed:
            away = f"{other} is not in group {having[0].number}."
            found.append(f"{student} wants to be with {other}, but {away}")
        # else one of the two is in no group, which is said already
    return wrong, [Problem("wish", message) for message in found]


_CLASS: Target = {
    "students": ["Anna", "Ben", "Carl", "Dora"],
    "wishes": [("Anna", "with", "Ben"), ("Ben", "without", "Dora")],
}


@checker(
    "clustering",
    examples=[
        ("Group 1: Anna, Ben\nGroup 2: Carl, Dora", _CLASS, True),
        ("* **group 1:** anna and ben\n* **group 2:** carl & dora.", _CLASS, True),
        ("### Group 1: Anna, Ben\n### Group 2: Carl, Dora", _CLASS, True),
        ("1. **Group 1**: Anna, Ben\n2. **Group 2**: Carl, Dora", _CLASS, True),
        ("Group 1: name, name\nGroup 2: name, name", _CLASS, False),
        ("Group 1: Anna, Ben, Carl, Dora", _CLASS, False),
        ("Group 1: Anna, Ben\nGroup 2: Carl", _CLASS, False),
        ("Group 1: Anna, Carl\nGroup 2: Ben, Dora", _CLASS, False),
        ("Group 1: Anna, Ben, Carl, Dora\nGroup 2: Anna, Ben, Carl, Dora", _CLASS, False),
        ("Group 1: Anna, Ben\nGroup 2: Carl, Dora\nI hope this helps!", _CLASS, False),
    ],
)
def clustering(reply: str, target: Target) -> Verdict:
    r"""Score a grouping; see the module docstring.

    Example:
        >>> target = {"students": ["Al", "Bo", "Cy", "Di"], "wishes": [("Al", "with", "Bo")]}
        >>> clustering("Group 1: Al, Cy\nGroup 2: Bo, Di", target).problems[0].message
        'Al wants to be with Bo, but Bo is not in group 1.'
    """
    students, wishes = list(target["students"]), list(target["wishes"])
    groups, problems = parse(reply, students)
    if not any(group.names for group in groups):
        return Verdict.wrong(0.0, Problem("format", f"You made no groups. {_FORMAT}"))
    if len(groups) == 1:
        problems.append(Problem("two_groups", "You made 1 group. Make at least 2 groups."))
    listed = dict.fromkeys(name for group in groups for name in group.names)
    strangers = [
        f"{quote(name, MAX_QUOTE)} is not one of the students."
        for name in listed
        if name not in students
    ]
    problems += _asking("stranger", strangers, "Use only the given names.")
    if listed.keys().isdisjoint(students):
        return Verdict.wrong(0.0, *problems)
    wrong = len({problem.kind for problem in problems})
    misplaced, in_places = _student_mistakes(groups, students)
    unmet, in_wishes = _wish_mistakes(groups, wishes)
    problems += in_places + in_wishes
    if not problems:
        return Verdict.ok(groups=float(len(groups)))
    share = (wrong + misplaced + unmet) / (3 + len(students) + len(wishes))
    return Verdict.wrong(min(1.0 - share, BELOW_ONE), *problems, groups=float(len(groups)))

"""Changes to a reply that must not change its verdict, and a call that must change nothing.

| relation | what is done |
|---|---|
| `trailing_newline`, `trailing_space`, `leading_newline` | white space around the reply |
| `crlf` | line breaks as Windows writes them |
| `nfc`, `nfd` | the other canonical form of accented letters |
| `again` | the same call a second time, after all the others |
| `mutated` | the target must be what it was before the call |

Only whether a reply is solved is compared for the changed texts (a span may move, a message may
quote); the second call must give the same verdict altogether.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

from corgi_gym.rewards.audit.calls import Case
from corgi_gym.rewards.audit.subject import Section, Subject

# Near misses per task that are changed too: none may become right.
MISSES = 2
# Spaces behind a right reply, which no checker may stumble over.
PADDING = 1_000
# Replies that are judged twice.
AGAIN = 500

RELATIONS: dict[str, Callable[[str], str]] = {
    "trailing_newline": lambda text: f"{text}\n",
    "trailing_space": lambda text: f"{text} ",
    "leading_newline": lambda text: f"\n{text}",
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "nfd": lambda text: unicodedata.normalize("NFD", text),
}


def check_metamorphic(subject: Subject) -> Section:
    """Apply every relation to witnesses and near misses."""
    section = Section("metamorphic", "Changes that must not matter")
    plain = [
        (reply, i)
        for i, row in enumerate(subject.rows)
        for reply in ([row.witness] if row.witness is not None else [])
        + [*row.near_misses[:MISSES]]
    ]
    first = subject.judge(plain)
    section.facts["replies"] = len(plain)
    section.tried = bool(plain)
    for name, change in RELATIONS.items():
        jobs = [
            (change(reply), i, outcome)
            for (reply, i), outcome in zip(plain, first, strict=True)
            if change(reply) != reply and not outcome.failed
        ]
        outcomes = subject.judge([(reply, i) for reply, i, _ in jobs])
        wrong = [
            (reply, i, after)
            for (reply, i, before), after in zip(jobs, outcomes, strict=True)
            if before.success != after.success
        ]
        section.facts[name] = len(jobs)
        if wrong:
            section.add(
                name,
                "defect",
                f"{len(wrong)} of {len(jobs)} verdicts change with the relation {name!r}.",
                [subject.show(*each) for each in wrong[:3]],
            )
    padded = [
        (f"{row.witness}{' ' * PADDING}", i) for i, row in enumerate(subject.rows) if row.witness
    ]
    subject.judge(padded)  # may be refused, and must be scored: `check_shape` looks at that
    _again(subject, section)
    _mutated(subject, section)
    return section


def _again(subject: Subject, section: Section) -> None:
    """Judge a sample of all replies so far twice, the second time in reverse."""
    said = [(case.reply, i) for case, i, outcome in subject.said if not outcome.failed]
    plain = random.Random(subject.seed).sample(said, min(len(said), AGAIN))
    one, two = subject.judge(plain), subject.judge(plain[::-1])[::-1]
    wrong = [
        (reply, i, b)
        for (reply, i), a, b in zip(plain, one, two, strict=True)
        if a.verdict() != b.verdict() and not a.failed
    ]
    if wrong:
        section.add(
            "again",
            "defect",
            f"{len(wrong)} of {len(plain)} verdicts differ when the same reply is judged again "
            "after others: the checker keeps state or draws random numbers.",
            [subject.show(*each) for each in wrong[:3]],
        )


def _mutated(subject: Subject, section: Section) -> None:
    cases = [
        Case(reply, row.target, guarded=False, watch=True)
        for row in subject.rows
        for reply in (row.witness or "a reply", *row.near_misses[:MISSES])
    ]
    wrong = [(c, o) for c, o in zip(cases, subject.call(cases), strict=True) if o.mutated]
    if wrong:
        section.add(
            "mutated",
            "defect",
            f"{len(wrong)} of {len(cases)} calls change the target that they were given.",
            [subject.evidence(case, outcome, None) for case, outcome in wrong],
        )

"""What the author promised: declared examples, witnesses that are right, near misses that are not.

Also the shape of every verdict: spans inside the reply, figures that are numbers.
"""

from __future__ import annotations

import math

from corgi_gym.rewards.audit.calls import Case, Outcome
from corgi_gym.rewards.audit.subject import Section, Subject


def check_basics(subject: Subject) -> Section:
    """Run the examples, the witnesses and the near misses."""
    section = Section("basics", "Declared examples, witnesses and near misses")
    _examples(subject, section)
    _witnesses(subject, section)
    _near_misses(subject, section)
    section.tried = any(section.facts[what] for what in ("examples", "witnesses", "near_misses"))
    return section


def _examples(subject: Subject, section: Section) -> None:
    cases = [Case(reply, target, not subject.raw) for reply, target, _ in subject.examples]
    outcomes = subject.call(cases)
    section.facts["examples"] = len(cases)
    rows = list(zip(cases, outcomes, subject.examples, strict=True))
    for passes, what, severity in ((True, "refused", "defect"), (False, "paid", "exploit")):
        wrong = [(c, o) for c, o, row in rows if row[2] == passes != o.success]
        if wrong:
            section.add(
                f"example_{what}",
                severity,  # type: ignore[arg-type]
                f"{len(wrong)} declared examples should {'' if passes else 'not '}pass, and do "
                f"{'not' if passes else 'pass'}.",
                [subject.evidence(case, outcome, None) for case, outcome in wrong],
            )


def _witnesses(subject: Subject, section: Section) -> None:
    pairs = [(row.witness, i) for i, row in enumerate(subject.rows) if row.witness is not None]
    outcomes = subject.judge(pairs)
    section.facts["witnesses"] = len(pairs)
    wrong = [(r, i, o) for (r, i), o in zip(pairs, outcomes, strict=True) if not o.success]
    if wrong:
        section.add(
            "witness_refused",
            "defect",
            f"{len(wrong)} of {len(pairs)} witnesses do not earn 1.0.",
            [subject.show(*each) for each in wrong[:3]],
        )


def _near_misses(subject: Subject, section: Section) -> None:
    pairs = [(miss, i) for i, row in enumerate(subject.rows) for miss in row.near_misses]
    outcomes = subject.judge(pairs)
    scores = [outcome.score for outcome in outcomes if not outcome.failed]
    section.facts["near_misses"] = len(pairs)
    if scores:
        section.facts["near_miss_mean_score"] = sum(scores) / len(scores)
    paid = [(r, i, o) for (r, i), o in zip(pairs, outcomes, strict=True) if o.success]
    if paid:
        section.add(
            "near_miss_paid",
            "exploit",
            f"{len(paid)} of {len(pairs)} near misses earn full marks.",
            [subject.show(*each) for each in paid[:3]],
        )


def check_shape(subject: Subject) -> Section:
    """Look over every verdict so far: no failed call, spans within the reply, finite figures."""
    section = Section("verdict", "Verdicts on ordinary replies")
    section.facts["verdicts"] = len(subject.said)
    for what, severity, message, is_wrong in _SHAPES:
        wrong = [(c, i, o) for c, i, o in subject.said if is_wrong(c, o)]
        if wrong:
            section.add(
                what,
                severity,  # type: ignore[arg-type]
                message.format(len(wrong)),
                [subject.show(case.reply, i, outcome) for case, i, outcome in wrong[:3]],
            )
    return section


def _span_outside(case: Case, outcome: Outcome) -> bool:
    spans = [where for _, _, where in outcome.problems if where is not None]
    return any(end > len(case.reply) for _, end in spans)


def _odd_figure(case: Case, outcome: Outcome) -> bool:
    return any(not math.isfinite(value) for _, value in outcome.metrics)


_SHAPES = (
    ("failed", "defect", "{} calls raised, hung or crashed.", lambda c, o: o.failed),
    (
        "unscored",
        "defect",
        "{} ordinary replies could not be scored.",
        lambda c, o: o.status == "unscored",
    ),
    ("span", "defect", "{} problems point to a place outside the reply.", _span_outside),
    ("figure", "note", "{} verdicts have a metric that is NaN or infinite.", _odd_figure),
)

"""The same verdicts in other processes, with other hash seeds, in another order.

Each process gets the checker by name, so only what `locate` finds can be tried; a checker that
exists in this process alone is named as not tried.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from corgi_gym.rewards.audit import fuzz
from corgi_gym.rewards.audit.calls import Case, Outcome, can_travel
from corgi_gym.rewards.audit.subject import Section, Subject
from corgi_gym.rewards.audit.worker import Worker, WorkerError

HASH_SEEDS = ("0", "1", "4711")
# Cases that each process judges: enough to see an order that depends on hashes.
CASES = 150


def check_determinism(subject: Subject) -> Section:
    """Judge a sample in three processes and compare all verdicts."""
    section = Section("determinism", "The same verdict in every process and order")
    cases = _sample(subject)
    if subject.spec is None or not can_travel(cases):
        section.facts = {"processes": 0}
        section.add(
            "not_tried",
            "note",
            "The checker (or a target) exists in this process only, so other processes were not "
            "tried. Give it as module:function or path.py:function.",
        )
        return section
    first = subject.call(cases)
    section.facts = {"processes": len(HASH_SEEDS), "cases": len(cases)}
    for number, seed in enumerate(HASH_SEEDS):
        found = _elsewhere(subject, cases[::-1] if number % 2 else cases, seed)
        if isinstance(found, str):
            section.add("process", "defect", f"A process with hash seed {seed} ended: {found}")
            continue
        outcomes = found[::-1] if number % 2 else found
        wrong = [
            (case, there)
            for case, here, there in zip(cases, first, outcomes, strict=True)
            if here.verdict() != there.verdict() and not here.failed
        ]
        if wrong:
            order = ", in reverse order" if number % 2 else ""
            section.add(
                "hash_seed",
                "defect",
                f"{len(wrong)} of {len(cases)} verdicts differ in a process with "
                f"PYTHONHASHSEED={seed}{order}.",
                [subject.evidence(case, outcome, None) for case, outcome in wrong],
            )
    return section


def _sample(subject: Subject) -> list[Case]:
    rng = random.Random(subject.seed)
    said = [case for case, _, outcome in subject.said if not outcome.failed]
    cases = rng.sample(said, min(len(said), CASES * 2 // 3))
    for text, row in fuzz.texts(subject.rows, subject.seed + 1, bombs=False):
        if len(cases) >= CASES:
            break
        cases.append(Case(text.reply, row.target))
    return cases


def _elsewhere(subject: Subject, cases: Sequence[Case], hash_seed: str) -> list[Outcome] | str:
    """Judge the cases in a new process; a string says why it gave nothing."""
    assert subject.spec is not None
    try:
        with Worker(subject.spec, subject.limits.hang, hash_seed) as worker:
            return worker(cases)
    except WorkerError as error:
        return str(error)

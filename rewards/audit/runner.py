"""`audit`: all checks on one checker, in a fixed order; `show`: one case again, for a person.

from corgi_gym.rewards.audit import Row, audit

found = audit("panagram", rows=[Row("Write ...", "nlaep", "panel", ("plane panel",))])
print(found.text())
assert not found.exploits
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from corgi_gym.rewards.audit.basics import check_basics, check_shape
from corgi_gym.rewards.audit.blind import check_blind, strings
from corgi_gym.rewards.audit.calls import (
    Case,
    Outcome,
    call_once,
    can_travel,
    in_process,
    load,
    place,
)
from corgi_gym.rewards.audit.determinism import check_determinism
from corgi_gym.rewards.audit.differential import check_differential
from corgi_gym.rewards.audit.fuzz import check_fuzz
from corgi_gym.rewards.audit.messages import check_messages
from corgi_gym.rewards.audit.metamorphic import check_metamorphic
from corgi_gym.rewards.audit.probes import check_probes
from corgi_gym.rewards.audit.report import Audit
from corgi_gym.rewards.audit.source import source_of
from corgi_gym.rewards.audit.subject import Evidence, Limits, Row, Section, Subject, read_row
from corgi_gym.rewards.audit.timing import check_timing
from corgi_gym.rewards.audit.worker import Worker
from corgi_gym.rewards.registry import checker_name, get_checker
from corgi_gym.rewards.text import plural
from corgi_gym.rewards.verdict import Checker

# A reply or target whose source is longer is cut in a report, and gets no command.
MAX_SOURCE_CHARS = 1_500
FUZZ = 2_000
# A checker with a mean call over this many seconds (it runs programs, say) is asked about as many
# tasks and strings as fit into `Limits.seconds`, and at least so many. The report says how many.
SLOW_CALL = 0.003
LEAST_TASKS, LEAST_FUZZ = 10, 100
# Calls per task: 200 prompt-blind strings, some 60 probes, changed texts, copies of messages.
_CALLS_PER_TASK = 300
# Timed beforehand: the replies of so many tasks, and one in so many of the prompt-blind strings,
# which are this share of all calls.
_TIMED_TASKS = 5
# No more tasks are timed once that took this share of `Limits.seconds`.
_TIMED_SHARE = 0.1
_EVERY_BLIND, _BLIND_SHARE = 10, 2 / 3

# In this order: the later ones look over what the earlier ones were told.
CHECKS: tuple[Callable[[Subject], Section], ...] = (
    check_basics,
    check_probes,
    check_blind,
    check_metamorphic,
    check_fuzz,
    check_determinism,
    check_messages,
    check_shape,
    check_timing,
)


def audit(
    check: str | Checker,
    rows: Iterable[Row | Mapping[str, Any]] = (),
    *,
    pool: Sequence[str] = (),
    reference: str | Checker | None = None,
    fuzz: int = FUZZ,
    seed: int = 0,
    limits: Limits | None = None,
    raw: bool = False,
    worker: bool = True,
    ignore: Mapping[str, str] | None = None,
    name: str | None = None,
    origin: str | None = None,
    progress: Callable[[str], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Audit:
    """Try to break a checker.

    Args:
        check: A name, ``"module:function"``, ``"path.py:function"``, ``"isolated:NAME"``, or the
            checker itself.
        rows: Tasks (`Row`s, or mappings with its fields). Without any, the declared examples serve.
        pool: Witnesses of further tasks; the prompt-blind strings draw from them.
        reference: Another checker for the same targets, to compare with.
        fuzz: How many random strings (0: none, and no long ones).
        seed: Of everything random: the same seed finds the same things.
        limits: The figures that decide.
        raw: Call the checker itself where training would call `judge` (which normalises replies
            and refuses empty and very long ones).
        worker: Call it in a killable process where it can be found there. False: in this process.
        ignore: Findings to accept, ``{id: reason}``; they become notes that give the reason.
        name: How the report calls it.
        origin: Where the report says that the rows come from.
        progress: Called with the title of each check.
        say: Called with a sentence if even the fewest tasks and strings take over
            `Limits.seconds`.

    Raises:
        ValueError: For a checker that does not exist, no rows and no examples, or bad numbers.
    """
    found = checker_of(check)
    other = checker_of(reference) if reference is not None else None
    spec = place(check, found)
    limits = limits or Limits()
    if fuzz < 0:
        raise ValueError(f"fuzz must be at least 0, got {fuzz!r}")
    own = list(rows)
    tasks = rows_for(found, own)
    if origin is None:
        origin = plural(len(own), "given row") if own else of_examples(tasks, "rows")
    if all(row.witness is None for row in tasks):
        origin += "; none has a witness"
    call = _caller(found, spec if worker else None, tasks, limits)
    subject = Subject(
        name=name or (check if isinstance(check, str) else checker_name(found)),
        call=call,
        rows=tasks,
        examples=_examples(found),
        pool=[text for text in pool if text],
        seed=seed,
        fuzz=fuzz,
        limits=limits,
        spec=spec,
        raw=raw,
        evidence=_evidence_maker(spec),
        declared=not own,
    )
    call([Case("a reply", tasks[0].target)])  # loads lexicons: that is not the time of a call
    given, seconds = len(tasks), _mean_call(subject)
    if seconds > SLOW_CALL:
        fitting = limits.seconds / seconds
        least = min(given, LEAST_TASKS), min(fuzz, LEAST_FUZZ)
        needed = seconds * (_CALLS_PER_TASK * least[0] + least[1])
        if say and needed > limits.seconds:
            say(
                f"{subject.name}: a call takes {seconds:.2g} s, so the least that is tried "
                f"({least[0]} tasks, {least[1]} random strings) takes {needed:.0f} s or more, "
                f"over the limit of {limits.seconds:g} s"
            )
        subject.rows = tasks = tasks[: max(LEAST_TASKS, int(fitting / _CALLS_PER_TASK))]
        subject.fuzz = fuzz = min(fuzz, max(LEAST_FUZZ, int(fitting)))
    sections = []
    for each in CHECKS:
        if progress:
            progress(each.__name__.removeprefix("check_"))
        began = time.monotonic()
        sections.append(each(subject))
        sections[-1].seconds = time.monotonic() - began
    if reference is not None and other is not None:
        where = place(reference, other)
        asked = _caller(other, where if worker else None, tasks, limits)
        title = reference if isinstance(reference, str) else where or checker_name(other)
        sections.append(check_differential(subject, asked, title))
    return Audit(
        subject.name, tuple(sections), len(tasks), given, seed, fuzz, dict(ignore or {}), origin
    )


def checker_of(check: str | Checker) -> Checker:
    """The checker that a name or place stands for (`load`), or the checker itself."""
    return load(check) if isinstance(check, str) else get_checker(check)


def rows_for(check: Checker, rows: Iterable[Row | Mapping[str, Any]]) -> list[Row]:
    """The rows to audit a checker with, or else one for each target of its declared examples.

    Raises:
        ValueError: If there are neither, or a row has a field that is unknown or of a wrong type.
    """
    found = [
        row if isinstance(row, Row) else read_row(row, f"row {number}")
        for number, row in enumerate(rows, start=1)
    ] or _rows_of(_examples(check))
    if not found:
        raise ValueError(
            f"checker {checker_name(check)!r} has no declared examples; give rows with a prompt, "
            "a target and a witness"
        )
    return found


def of_examples(rows: Sequence[Row], give: str) -> str:
    """Where the report says that rows of declared examples come from, and what to give instead."""
    targets = plural(len(rows), "target")
    return (
        f"{targets} of the checker's declared examples, without prompts; give {give} for real tasks"
    )


def _examples(check: Checker) -> list[tuple[str, Any, bool]]:
    return [(e.reply, e.target, e.passes) for e in getattr(check, "examples", ())]


def _mean_call(subject: Subject) -> float:
    """Seconds of wall time of a call, from replies like those that an audit judges.

    Two thirds of these never read their prompt, and most checkers refuse them early. The first
    task's replies load what the checker needs, the others are timed: each is new, because a checker
    that remembers verdicts (of a neural model, say) answers at once the second time. What takes
    long is timed on fewer.
    """

    def seconds(of_row: Callable[[Row], Sequence[str]]) -> float:
        cases = [
            [Case(reply, row.target, not subject.raw) for reply in of_row(row)]
            for row in subject.rows[:_TIMED_TASKS]
        ]
        subject.call(cases[0])
        start, spent, calls = time.monotonic(), 0.0, 0
        for each in cases[1:] or cases:
            subject.call(each)
            spent, calls = time.monotonic() - start, calls + len(each)
            if spent > _TIMED_SHARE * subject.limits.seconds:
                break
        return spent / calls

    blind = strings(subject.pool, subject.seed)[::_EVERY_BLIND]
    on_task = seconds(lambda row: (row.witness or "a reply", *row.near_misses[:2]))
    return _BLIND_SHARE * seconds(lambda row: blind) + (1 - _BLIND_SHARE) * on_task


def _rows_of(examples: Sequence[tuple[str, Any, bool]]) -> list[Row]:
    """One row per different target of the declared examples."""
    grouped: dict[str, list[tuple[str, Any, bool]]] = {}
    for example in examples:
        grouped.setdefault(repr(example[1]), []).append(example)
    rows = []
    for number, group in enumerate(grouped.values()):
        right = [reply for reply, _, passes in group if passes]
        wrong = tuple(reply for reply, _, passes in group if not passes)
        rows.append(
            Row("", group[0][1], right[0] if right else None, wrong, name=f"example {number}")
        )
    return rows


def _caller(
    check: Checker, spec: str | None, rows: Sequence[Row], limits: Limits
) -> Callable[[Sequence[Case]], list[Outcome]]:
    if spec is not None and can_travel([Case("", row.target) for row in rows]):
        return Worker(spec, limits.hang)
    return in_process(check)


def _evidence_maker(spec: str | None) -> Callable[[Case, Outcome, Row | None], Evidence]:
    def make(case: Case, outcome: Outcome, row: Row | None) -> Evidence:
        reply, target = source_of(case.reply), repr(case.target)
        command = ""
        if spec is not None and max(len(reply), len(target)) <= MAX_SOURCE_CHARS:
            guarded = "" if case.guarded else ", guarded=False"
            code = f"from corgi_gym.rewards.audit import show; show({spec!r}, {reply}, {target}"
            command = f"python -c {shlex.quote(f'{code}{guarded})')}"
        return Evidence(
            _cut(reply), _cut(target), outcome.words(), (row.name if row else ""), command
        )

    return make


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SOURCE_CHARS else f"{text[: MAX_SOURCE_CHARS - 4]} ..."


def show(check: str, reply: str, target: Any, guarded: bool = True) -> None:
    """Judge one case and print the verdict: what the command of a finding runs."""
    print(call_once(load(check), Case(reply, target, guarded)).words())

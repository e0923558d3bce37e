"""What is audited, and how a check reports: `Row`, `Subject`, `Finding`, `Section`.

Severity policy (the whole of it; `docs/audit.md` explains it):

- ``exploit``: a policy can be paid in full, or be told the answer, without doing the task. The
  audit fails.
- ``defect``: the checker breaks its contract (it raises, changes its mind, refuses a right reply,
  is slow, writes a bad message). Train on it at your own risk; the audit does not fail by default.
- ``note``: a figure or a single case that a person should look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from corgi_gym.rewards.audit.calls import Case, Outcome
from corgi_gym.rewards.names import did_you_mean

Severity = Literal["exploit", "defect", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

# Cases shown per finding: the first shows it, two more show that it is no accident.
MAX_EVIDENCE = 3
# With few tasks one lucky hit is over any limit; from this share on, one hit is enough.
CERTAIN_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One task to audit with.

    Attributes:
        prompt: What a policy reads ("" if unknown: probes that need it are left out).
        target: What the checker compares with.
        witness: A reply that must earn 1.0, if one is known.
        near_misses: Replies that must earn less.
        closed: Whether the task has one short answer, so that a second answer or a retraction
            spoils a reply. None: decided from the witness.
        name: Shown in findings.
    """

    prompt: str = ""
    target: Any = None
    witness: str | None = None
    near_misses: tuple[str, ...] = ()
    closed: bool | None = None
    name: str = ""


def read_row(found: Mapping[str, Any], where: str, name: str = "") -> Row:
    """A row from a mapping with its fields.

    Args:
        found: The fields.
        where: How messages name it, such as "row 3".
        name: Its name, if it has none.

    Raises:
        ValueError: For an unknown field, and for one of the wrong type; it names row and field.

    Example:
        >>> read_row({"witness": 417}, "row 3")
        Traceback (most recent call last):
        ValueError: row 3: witness must be a string, got 417
    """
    known = Row.__slots__
    for key in found:
        if key not in known:
            hint = did_you_mean(key, known, ";")
            raise ValueError(
                f"{where} has the unknown field {key!r}{hint} known: {', '.join(known)}"
            )
    prompt, witness = found.get("prompt", ""), found.get("witness")
    misses, closed = found.get("near_misses") or (), found.get("closed")
    if not isinstance(prompt, str):
        raise ValueError(f"{where}: prompt must be a string, got {prompt!r:.60}")
    if witness is not None and not isinstance(witness, str):
        raise ValueError(f"{where}: witness must be a string, got {witness!r:.60}")
    if not isinstance(misses, (list, tuple)) or not all(isinstance(m, str) for m in misses):
        raise ValueError(f"{where}: near_misses must be a list of strings, got {misses!r:.60}")
    if closed is not None and not isinstance(closed, bool):
        raise ValueError(f"{where}: closed must be true or false, got {closed!r}")
    name = str(found.get("name") or name)
    return Row(prompt, found.get("target"), witness, tuple(misses), closed, name)


@dataclass(frozen=True, slots=True)
class Limits:
    """The figures that decide; each can be changed by the caller.

    Attributes:
        share: Share of tasks on which a reply that ignores the task may be paid in full.
        shortcut: The same for a piece of the prompt as the whole answer.
        mean: Mean score above which partial credit for a prompt-blind string is noted.
        partial: The same for a probe that copies or reorders the prompt, or has no content. Lower:
            a policy falls into such a reply within a few updates, and gets stuck.
        p99: Seconds of CPU time for 99 of 100 calls.
        worst: Seconds of CPU time for any call.
        hang: Seconds of CPU time after which a call is given up, or six times as many of the clock
            (only where the checker runs in a worker).
        blind_seconds: Wall time for the prompt-blind strings; after that, fewer tasks.
        seconds: Wall time that a slow checker's audit should take: it gets as many tasks and
            random strings as fit.
        message: Longest problem message in characters.
    """

    share: float = 0.05
    shortcut: float = 0.35
    mean: float = 0.3
    partial: float = 0.15
    p99: float = 0.005
    worst: float = 0.25
    hang: float = 10.0
    blind_seconds: float = 60.0
    seconds: float = 60.0
    message: int = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """One case behind a finding.

    Attributes:
        reply: Python source of the reply, so that any string can be shown and pasted.
        target: Python source of the target, cut if it is long.
        verdict: What the checker said, in words.
        row: Name of the task.
        command: A shell command that judges this case again ("" where none can be written).
    """

    reply: str
    target: str
    verdict: str
    row: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to fix or to know.

    Attributes:
        id: Stable, ``check.what``; the same finding has the same id in the next audit.
        severity: See the module docstring.
        message: What was found, in full sentences.
        evidence: Up to three cases.
    """

    id: str
    severity: Severity
    message: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(slots=True)
class Section:
    """What one check did: a title, its figures, its findings, and the wall time in seconds.

    ``tried`` is False where there was nothing to try: a check without findings is no praise then.
    """

    name: str
    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    tried: bool = True

    def add(
        self, what: str, severity: Severity, message: str, evidence: Sequence[Evidence] = ()
    ) -> None:
        """Append a finding named ``name.what``."""
        kept = tuple(evidence[:MAX_EVIDENCE])
        self.findings.append(Finding(f"{self.name}.{what}", severity, message, kept))


@dataclass(slots=True)
class Subject:
    """One checker under audit, with everything that checks share.

    Attributes:
        name: How reports call it.
        call: Runs cases, in a worker process where that is possible.
        rows: The tasks.
        examples: The checker's declared ones, as ``(reply, target, passes)``.
        pool: Witnesses of further tasks, none of which is in ``rows``.
        seed: Of everything random.
        fuzz: How many random strings to try.
        limits: The figures that decide.
        spec: Where another process finds the checker, or None.
        raw: Judge without `corgi_gym.rewards.judge` in front (checkers of other projects).
        evidence: Makes the `Evidence` of a case.
        declared: Whether the rows are made of the declared examples.
        timed: Outcomes of ordinary calls, for the timing section.
        said: ``(reply, row number, outcome)`` of replies that were judged, for the messages.
    """

    name: str
    call: Callable[[Sequence[Case]], list[Outcome]]
    rows: Sequence[Row]
    examples: Sequence[tuple[str, Any, bool]]
    pool: Sequence[str]
    seed: int
    fuzz: int
    limits: Limits
    spec: str | None
    raw: bool
    evidence: Callable[[Case, Outcome, Row | None], Evidence]
    declared: bool = False
    timed: list[tuple[Case, Outcome]] = field(default_factory=list)
    said: list[tuple[Case, int, Outcome]] = field(default_factory=list)

    def judge(self, pairs: Sequence[tuple[str, int]]) -> list[Outcome]:
        """Judge ``(reply, row number)`` pairs as training would, and remember what was said."""
        cases = [Case(reply, self.rows[i].target, guarded=not self.raw) for reply, i in pairs]
        outcomes = self.call(cases)
        for case, (_, i), outcome in zip(cases, pairs, outcomes, strict=True):
            self.timed.append((case, outcome))
            self.said.append((case, i, outcome))
        return outcomes

    def too_often(self, hits: int, tried: int, limit: float) -> bool:
        """Whether ``hits`` of ``tried`` tasks are over the limit; one lucky hit is not."""
        share = hits / tried
        return share > limit and (hits > 1 or share >= CERTAIN_SHARE)

    def show(self, reply: str, row: int, outcome: Outcome) -> Evidence:
        """The evidence of a reply to a row."""
        case = Case(reply, self.rows[row].target, guarded=not self.raw)
        return self.evidence(case, outcome, self.rows[row])

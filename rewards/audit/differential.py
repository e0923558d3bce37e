"""Where the checker and a reference disagree about full marks, on every reply of the audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corgi_gym.rewards.audit.calls import Case, Outcome
from corgi_gym.rewards.audit.subject import Section, Subject

# Replies that are compared: spread evenly over all that were judged.
MAX_COMPARED = 10_000


def check_differential(
    subject: Subject, reference: Callable[[Sequence[Case]], list[Outcome]], name: str
) -> Section:
    """Ask the reference about the same replies."""
    section = Section("differential", f"Compared with {name}")
    said = [(case, i, o) for case, i, o in subject.said if not o.failed]
    said = said[:: max(1, -(-len(said) // MAX_COMPARED))]
    theirs = reference([case for case, _, _ in said])
    pairs = [(case, i, o, r) for (case, i, o), r in zip(said, theirs, strict=True) if not r.failed]
    section.facts = {"compared": len(pairs), "reference_failed": len(said) - len(pairs)}
    section.tried = bool(pairs)
    for what, ours_pays, text in (
        ("lenient", True, f"{{}} of {{}} replies earn full marks here and not from {name}."),
        ("strict", False, f"{{}} of {{}} replies earn full marks from {name} and not here."),
    ):
        wrong = [p for p in pairs if p[2].success == ours_pays != p[3].success]
        section.facts[what] = len(wrong)
        if wrong:
            evidence = [subject.show(case.reply, i, o) for case, i, o, _ in wrong[:3]]
            section.add(what, "defect", text.format(len(wrong), len(pairs)), evidence)
    return section

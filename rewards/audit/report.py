"""What an audit found: for the terminal, as JSON, and (`page`) as a page."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from corgi_gym.rewards.audit.subject import SEVERITIES, Finding, Section, Severity

JSON_NAME, PAGE_NAME = "audit.json", "audit.html"
# Raised when a field of the JSON changes its meaning.
JSON_VERSION = 1
# Longest line of evidence in the terminal; the files have all of it.
MAX_LINE = 160


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of one checker.

    Attributes:
        name: The checker.
        sections: What each check did.
        tasks: How many tasks it was tried on.
        given: How many there were: more, where the checker is slow.
        seed: Of everything random.
        fuzz: Random strings asked for.
        ignore: Accepted findings, ``{id: reason}``.
    """

    name: str
    sections: tuple[Section, ...]
    tasks: int
    given: int
    seed: int
    fuzz: int
    ignore: Mapping[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, exploits first; an accepted one is a note with its reason."""
        found = [self._judged(each) for section in self.sections for each in section.findings]
        return tuple(sorted(found, key=lambda f: SEVERITIES.index(f.severity)))

    def _judged(self, finding: Finding) -> Finding:
        reason = self.ignore.get(finding.id)
        if reason is None:
            return finding
        return replace(finding, severity="note", message=f"{finding.message} Accepted: {reason}")

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(f for f in self.findings if f.severity == severity)

    @property
    def exploits(self) -> tuple[Finding, ...]:
        """What a policy can be paid for without doing the task."""
        return self.of("exploit")

    @property
    def defects(self) -> tuple[Finding, ...]:
        """What breaks the contract of a checker."""
        return self.of("defect")

    def facts(self, section: str) -> dict[str, Any]:
        """The figures of one check; empty if it did not run."""
        return next((s.facts for s in self.sections if s.name == section), {})

    def headline(self) -> str:
        """The counts, in one line."""
        counts = ", ".join(f"{len(self.of(s))} {s}s" for s in SEVERITIES)
        return f"{self.name}: {counts} ({self.tried()} tasks, seed {self.seed})"

    def tried(self) -> str:
        """The number of tasks, and of how many where a slow checker was tried on fewer."""
        return str(self.tasks) if self.tasks == self.given else f"{self.tasks} of {self.given}"

    def text(self) -> str:
        """For the terminal, without colour."""
        lines = [self.headline(), ""]
        for section in self.sections:
            mark = "ok" if not section.findings else f"{len(section.findings)} findings"
            lines.append(f"  {section.title:<52} {mark:<12} {summary_of(section)}".rstrip())
        for finding in self.findings:
            lines += ["", f"{finding.severity.upper()} {finding.id}", f"  {finding.message}"]
            for evidence in finding.evidence[:1]:
                lines.append(f"  reply   {_line(evidence.reply)}")
                lines.append(f"  target  {_line(evidence.target)}")
                lines.append(f"  verdict {_line(evidence.verdict)}")
                if evidence.command and len(evidence.command) < 4 * MAX_LINE:
                    lines.append(f"  again   {evidence.command}")
            if len(finding.evidence) > 1:
                lines.append(f"  ({len(finding.evidence) - 1} more in {JSON_NAME})")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "checker": self.name,
            "tasks": self.tasks,
            "tasks_given": self.given,
            "seed": self.seed,
            "fuzz": self.fuzz,
            "counts": {severity: len(self.of(severity)) for severity in SEVERITIES},
            "findings": [asdict(finding) for finding in self.findings],
            "checks": [
                {"name": s.name, "title": s.title, "facts": s.facts, "findings": len(s.findings)}
                for s in self.sections
            ],
        }


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 3]}..."


def summary_of(section: Section) -> str:
    """The figures of a section that fit in one line.

    Example:
        >>> summary_of(Section("timing", "CPU time", {"p50_ms": 0.1234, "kinds": ["a"]}))
        'p50_ms 0.123'
    """
    shown = []
    for name, value in section.facts.items():
        if isinstance(value, float):
            shown.append(f"{name} {value:.3g}")
        elif isinstance(value, int) and not isinstance(value, bool):
            shown.append(f"{name} {value}")
    return ", ".join(shown)


# The columns of the table over several audits: heading, and the value of one audit.
def row_of(audit: Audit) -> dict[str, str]:
    """One line of the table over several checkers."""
    blind, timing = audit.facts("blind"), audit.facts("timing")
    return {
        "checker": audit.name,
        "tasks": audit.tried(),
        **{f"{severity}s": str(len(audit.of(severity))) for severity in SEVERITIES},
        "blind, full marks": f"{blind.get('best_share', 0.0):.1%}",
        "blind, mean": f"{blind.get('best_mean', 0.0):.2f}",
        "p50 ms": f"{timing.get('p50_ms', 0.0):.2f}",
        "p99 ms": f"{timing.get('p99_ms', 0.0):.2f}",
        "max ms": f"{timing.get('max_ms', 0.0):.1f}",
    }


def table(audits: Sequence[Audit]) -> str:
    """Several audits, one a line; drawn by `rich` where it is installed."""
    rows = [row_of(audit) for audit in audits]
    try:
        return _rich_table(rows)
    except ImportError:
        return _plain_table(rows)


def _plain_table(rows: Sequence[Mapping[str, str]]) -> str:
    if not rows:
        return "no audits"
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _rich_table(rows: Sequence[Mapping[str, str]]) -> str:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, header_style="bold")
    for i, name in enumerate(rows[0] if rows else ()):
        width = max(len(name), *(len(row[name]) for row in rows))
        drawn.add_column(name, justify="left" if i == 0 else "right", min_width=width)
    for row in rows:
        style = "red" if row["exploits"] != "0" else "yellow" if row["defects"] != "0" else None
        drawn.add_row(*row.values(), style=style)
    console = Console(soft_wrap=True)
    console.width = max(console.width, console.measure(drawn).minimum)
    with console.capture() as taken:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in taken.get().splitlines())


def write(audits: Sequence[Audit], folder: str | Path, command: str = "") -> tuple[Path, Path]:
    """Write ``audit.json`` and ``audit.html``; both replace older ones, whole or not at all.

    Raises:
        OSError: If the folder cannot be written to.
    """
    from corgi_gym.rewards.audit.page import page

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "version": JSON_VERSION,
        "corgi_gym": _version(),
        "command": command,
        "audits": [audit.to_dict() for audit in audits],
    }
    text = json.dumps(data, indent=1, ensure_ascii=True, default=repr)
    _write(folder / JSON_NAME, text + "\n")
    _write(folder / PAGE_NAME, page(audits, command))
    return folder / JSON_NAME, folder / PAGE_NAME


def _version() -> str:
    try:
        return version("corgi-gym")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(text, encoding="utf-8", errors="replace")
    os.replace(draft, path)

"""What an audit found: for the terminal, as JSON, and (`page`, `tables`) as a page and a table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from corgi_gym.rewards.audit.subject import SEVERITIES, Evidence, Finding, Section, Severity

JSON_NAME, PAGE_NAME, TABLE_NAME = "audit.json", "audit.html", "audit.md"
# Raised when a field of the JSON changes its meaning.
JSON_VERSION = 1
# The one section of an audit that ended with an error.
_FAILED = "audit"
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
        origin: Where the tasks come from, in words.
    """

    name: str
    sections: tuple[Section, ...]
    tasks: int
    given: int
    seed: int
    fuzz: int
    ignore: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    @classmethod
    def that_failed(cls, name: str, error: str, tasks: int, fuzz: int, seed: int) -> Audit:
        """The result of an audit that ended with ``error``: one defect that says so."""
        section = Section(_FAILED, "The audit itself")
        section.add("failed", "defect", f"The audit ended without a result: {error}.")
        return cls(name, (section,), 0, tasks, seed, fuzz)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Audit:
        """What `to_dict` gave, after a way through JSON.

        Raises:
            KeyError: If a field is missing.
            TypeError: If a finding has unknown fields.
        """
        findings = [
            Finding(**{**found, "evidence": tuple(Evidence(**e) for e in found["evidence"])})
            for found in data["findings"]
        ]
        sections = tuple(
            Section(
                check["name"],
                check["title"],
                check["facts"],
                [f for f in findings if f.id.partition(".")[0] == check["name"]],
                check["seconds"],
                check.get("tried", True),  # results of an older version have neither
            )
            for check in data["checks"]
        )
        tasks, given = data["tasks"], data["tasks_given"]
        origin = data.get("tasks_from", "")
        return cls(
            data["checker"], sections, tasks, given, data["seed"], data["fuzz"], origin=origin
        )

    @property
    def failed(self) -> bool:
        """Whether the audit itself ended with an error (`that_failed`)."""
        return any(section.name == _FAILED for section in self.sections)

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

    def text(self, written: str = "") -> str:
        """For the terminal, without colour.

        Args:
            written: The file that has what is left out here, if one is written.
        """
        lines = [self.headline(), *([f"tasks: {self.origin}"] if self.origin else []), ""]
        for section in self.sections:
            mark = mark_of(section)
            lines.append(f"  {section.title:<52} {mark:<12} {summary_of(section)}".rstrip())
        place = f" in {written}" if written else ""
        for finding in self.findings:
            lines += ["", f"{finding.severity.upper()} {finding.id}", f"  {finding.message}"]
            for evidence in finding.evidence[:1]:
                lines.append(f"  reply   {_line(evidence.reply)}")
                lines.append(f"  target  {_line(evidence.target)}")
                lines.append(f"  verdict {_line(evidence.verdict)}")
                if evidence.command and len(evidence.command) < 4 * MAX_LINE:
                    lines.append(f"  again   {evidence.command}")
            if len(finding.evidence) > 1:
                lines.append(f"  ({len(finding.evidence) - 1} more{place})")
        return _printable("\n".join(lines))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return {
            "checker": self.name,
            "tasks": self.tasks,
            "tasks_given": self.given,
            "tasks_from": self.origin,
            "seed": self.seed,
            "fuzz": self.fuzz,
            "counts": {severity: len(self.of(severity)) for severity in SEVERITIES},
            "findings": [asdict(finding) for finding in self.findings],
            "checks": [
                {
                    "name": s.name,
                    "title": s.title,
                    "facts": s.facts,
                    "findings": len(s.findings),
                    "tried": s.tried,
                    "seconds": round(s.seconds, 1),
                }
                for s in self.sections
            ],
        }


def _printable(text: str) -> str:
    """Without what moves a terminal's cursor, and what no terminal can show."""
    return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 3]}..."


def mark_of(section: Section) -> str:
    """What came of a check, in two words.

    Example:
        >>> mark_of(Section("timing", "CPU time")), mark_of(Section("fuzz", "Fuzz", tried=False))
        ('ok', 'not tried')
    """
    if section.findings:
        return f"{len(section.findings)} findings"
    return "ok" if section.tried else "not tried"


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


def write(audits: Sequence[Audit], folder: str | Path, command: str = "") -> tuple[Path, ...]:
    """Write ``audit.json``, ``audit.html`` and the table ``audit.md`` over older ones.

    Raises:
        OSError: If the folder cannot be written to.
    """
    from corgi_gym.rewards.audit.page import page
    from corgi_gym.rewards.audit.tables import markdown

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "version": JSON_VERSION,
        "corgi_gym": _version(),
        "command": command,
        "audits": [audit.to_dict() for audit in audits],
    }
    texts = {
        JSON_NAME: json.dumps(data, indent=1, ensure_ascii=True, default=repr) + "\n",
        PAGE_NAME: page(audits, command),
        TABLE_NAME: markdown(audits),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return tuple(folder / name for name in texts)


def _version() -> str:
    try:
        return version("corgi-gym")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f"{path.name}.tmp")
    draft.write_text(text, encoding="utf-8", errors="replace")
    os.replace(draft, path)

"""The page about one or several audits: one file, no script, nothing from outside.

All text from replies is escaped, and a content security policy that allows nothing but the page's
own style stands behind that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from corgi_gym.rewards.audit.report import Audit, mark_of, summary_of
from corgi_gym.rewards.audit.subject import SEVERITIES, Evidence, Finding
from corgi_gym.rewards.audit.tables import row_of

TEMPLATE = Path(__file__).with_name("page.html")
# Width of a bar for a share of 1, in pixels.
BAR = 240
# Longest reply in the list of prompt-blind strings.
MAX_REPLY = 300


def page(audits: Sequence[Audit], command: str = "") -> str:
    """Fill the template in one pass, so that filled-in text is never filled again."""
    title = f"Checker audit: {audits[0].name}" if len(audits) == 1 else "Checker audit"
    counts = {s: sum(len(audit.of(s)) for audit in audits) for s in SEVERITIES}
    parts = {
        "title": escape(title),
        "lead": escape(
            f"{len(audits)} checkers, {sum(a.tasks for a in audits)} tasks: "
            + ", ".join(f"{count} {name}s" for name, count in counts.items())
        ),
        "overview": _overview(audits),
        "command": f"<pre>{escape(command)}</pre>" if command else "",
        "audits": "".join(map(_audit, audits)),
    }
    template = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def _overview(audits: Sequence[Audit]) -> str:
    rows = [row_of(audit) for audit in audits]
    if not rows:
        return "<p>No audits.</p>"
    names = list(rows[0])
    head = "".join(_cell("th", name, i) for i, name in enumerate(names))
    body = "".join(
        "<tr>" + "".join(_cell("td", value, i) for i, value in enumerate(row.values())) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, text: str, column: int) -> str:
    css = ' class="number"' if column else ""
    return f"<{tag}{css}>{escape(text)}</{tag}>"


def _audit(audit: Audit) -> str:
    findings = "".join(map(_finding, audit.findings))
    if not findings:
        findings = '<p><span class="badge good">nothing found</span></p>'
    checks = "".join(
        f"<tr><td>{escape(s.title)}</td><td>{mark_of(s)}</td>"
        f"<td class='what'>{escape(summary_of(s))}</td></tr>"
        for s in audit.sections
    )
    origin = f"<p class='what'>tasks: {escape(audit.origin)}</p>" if audit.origin else ""
    return (
        f"<section><h2>{escape(audit.name)}</h2>{origin}{findings}"
        f"<details><summary>All checks and their figures</summary><div class='scroll'><table>"
        f"<thead><tr><th>check</th><th>result</th><th>figures</th></tr></thead>"
        f"<tbody>{checks}</tbody></table></div>{_blind(audit.facts('blind'))}</details></section>"
    )


def _blind(facts: Mapping[str, Any]) -> str:
    """The best prompt-blind strings with a bar for the share of tasks that they solve."""
    rows = "".join(
        f"<tr><td><span class='bar' style='width:{BAR * each['share']:.0f}px'></span> "
        f"{each['share']:.1%}</td><td class='number'>{each['mean']:.2f}</td>"
        f"<td><code>{escape(each['reply'][:MAX_REPLY])}</code></td></tr>"
        for each in facts.get("top", ())
    )
    if not rows:
        return ""
    return (
        "<h3>The best prompt-blind strings</h3><div class='scroll'><table><thead><tr>"
        "<th>full marks</th><th class='number'>mean score</th><th>string</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _finding(finding: Finding) -> str:
    return (
        f'<div class="finding {finding.severity}"><span class="badge {finding.severity}">'
        f'{finding.severity}</span> <code class="id">{escape(finding.id)}</code>'
        f"<p>{escape(finding.message)}</p>{''.join(map(_evidence, finding.evidence))}</div>"
    )


def _evidence(evidence: Evidence) -> str:
    rows = {
        "reply": evidence.reply,
        "target": evidence.target,
        "verdict": evidence.verdict,
        "task": evidence.row,
        "again": evidence.command,
    }
    shown = "".join(
        f"<dt>{name}</dt><dd><pre tabindex='0'>{escape(text)}</pre></dd>"
        for name, text in rows.items()
        if text
    )
    return f"<dl>{shown}</dl>"

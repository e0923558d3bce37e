"""Several audits in one table: for the terminal, and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corgi_gym.rewards.audit.report import Audit
from corgi_gym.rewards.audit.subject import SEVERITIES


def row_of(audit: Audit) -> dict[str, str]:
    """One line of the table over several checkers: heading, and the value of one audit."""
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


def markdown(audits: Sequence[Audit]) -> str:
    """The columns that decide, for a document."""
    lines = [
        "| checker | tasks | exploits | defects | best of 200 blind strings | p99 ms |",
        "|---|---|---|---|---|---|",
    ]
    for audit in audits:
        row = row_of(audit)
        names = ("tasks", "exploits", "defects", "blind, full marks", "p99 ms")
        cells = [f"`{row['checker']}`", *(row[name] for name in names)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"

"""The page about one run: ``report.html`` and ``curve.svg``, from what its folder holds.

    python -c "from corgi_gym.benchmarks.report import write_report; write_report('runs/x')"

The page needs nothing but itself: it opens from disk, without a network, and on a phone. All text
that a model wrote travels as JSON and is shown as text; a content security policy that allows the
page's own script by its hash, and nothing else, stands behind that.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks import svg
from corgi_gym.benchmarks.curriculum_figures import curriculum_figures
from corgi_gym.benchmarks.figures import (
    curve_of,
    family_figures,
    problem_figures,
    round_number,
    round_table,
    table,
    training_figures,
)
from corgi_gym.benchmarks.intervals import paired_change
from corgi_gym.benchmarks.run_folder import Phase, Run, number, read_run, section
from corgi_gym.benchmarks.run_writer import RunFolder
from corgi_gym.benchmarks.svg import percent
from corgi_gym.benchmarks.transcripts import KEPT, VIEWS, embed, evaluation_pages, training_pages

REPORT, CURVE = "report.html", "curve.svg"
TEMPLATE = Path(__file__).with_name("report.html")
GIB = 2**30
# Parts of the configuration that have a place of their own on the page.
SHOWN_APART = ("versions", "command")


def write_report(folder: str | Path) -> Path:
    """Write ``report.html`` and ``curve.svg`` into a run folder; returns the page's path.

    Both replace older ones, whole or not at all. Whatever the run did not get to write is left out
    and named on the page.

    Raises:
        FileNotFoundError: If ``folder`` is not a run folder.
        OSError: If it cannot be written to; the message names the file.
    """
    run = read_run(folder)
    curve = curve_of(run)
    into = RunFolder(folder, resume=True)
    into.replace(CURVE, svg.standalone(curve.picture))
    parts = {
        "title": escape(_title(run)),
        "lead": _lead(run),
        "notes": notes_aside([*run.notes, *_alarms(run)]),
        "tiles": _tiles(run),
        "curve": curve.html(main=True),
        "families": _section("By task family", family_figures(run)),
        "training": _section("Training", training_figures(run), round_table(run))
        + _section("What was sampled when", curriculum_figures(run)),
        "problems": _section("What goes wrong", problem_figures(run)),
        "configuration": _configuration(run),
        "kept": KEPT,
        "chart_style": svg.STYLE,
        "colours": colours(),
        "data": embed(
            {
                "views": VIEWS,
                "pages": {
                    "tests": evaluation_pages(run.phases, run.titles),
                    "training": training_pages(run),
                },
            }
        ),
    }
    page = render(TEMPLATE.read_text(encoding="utf-8"), parts)
    into.replace(REPORT, page)
    return run.folder / REPORT


def render(template: str, parts: dict[str, str]) -> str:
    """Fill ``{{name}}`` places in one pass, so that filled-in text is never filled again.

    ``{{script_hash}}`` is the hash of the template's own script, for its content security policy.

    Raises:
        KeyError: For a place that ``parts`` does not have.
    """
    script = re.search(r"<script>(.*?)</script>", template, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    parts = {**parts, "script_hash": f"sha256-{digest}"}
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], template)


def plain_page(title: str, lead: str, body: str) -> str:
    """A page without a script, with the look of the report.

    Args:
        title: As text.
        lead: What it is about, as text.
        body: HTML; whoever made it has escaped all text in it.
    """
    style = re.search(r"<style>(.*?)</style>", TEMPLATE.read_text(encoding="utf-8"), re.DOTALL)
    assert style is not None
    look = style[1].replace("{{colours}}", colours()).replace("{{chart_style}}", svg.STYLE)
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f"<style>{look}</style></head><body><header><h1>{escape(title)}</h1>"
        f"<p class='lead'>{escape(lead)}</p></header><main>{body}</main></body></html>\n"
    )


def colours() -> str:
    """The palette as CSS declarations, for the template."""
    return "".join(f"{name}: {value}; " for name, value in svg.PALETTE.items())


# ---------------------------------------------------------------- parts of the page


def _title(run: Run) -> str:
    return f"corgi-gym run: {run.config.get('recipe') or run.folder.resolve().name}"


def _lead(run: Run) -> str:
    """One sentence: what was trained on what, for how long, and how it ended."""
    config, summary = run.config, run.summary
    said = [
        f"{config.get('model', 'A model')} on {section(config, 'env').get('id', 'an environment')}",
        f"{'trained with ' if run.trains else ''}{config.get('algorithm', 'an unknown algorithm')}",
    ]
    steps, sessions = number(summary.get("steps")), number(summary.get("sessions"))
    if steps is None and run.rounds:
        steps = float(len(run.rounds))
    if sessions is None and run.rounds:
        sessions = sum(number(r.get("sessions")) or 0.0 for r in run.rounds)
    if steps is not None:
        said.append(f"{steps:,.0f} rounds" + (f", {sessions:,.0f} sessions" if sessions else ""))
    seed = config.get("seed", summary.get("seed"))
    if seed is not None:
        said.append(f"seed {seed}")
    status = str(summary.get("status", "not finished"))
    badge = (
        f'<span class="badge {"good" if status == "finished" else "bad"}">{escape(status)}</span>'
    )
    return f"<p class='lead'>{escape(' · '.join(said))} {badge}</p>"


def notes_aside(said: Sequence[str]) -> str:
    """What to keep in mind when reading a page, as an HTML element; "" for nothing."""
    if not said:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in said)
    return (
        f'<aside class="notes" role="note"><strong>Read with care</strong><ul>{items}</ul></aside>'
    )


def _alarms(run: Run) -> list[str]:
    """What `corgi_gym.agents.health.Alarms` said in training, with the round that it began in."""
    return [
        f"Alarm in round {round_number(row)}: {alarm.get('message', alarm.get('kind', ''))}."
        for row in run.rounds
        for alarm in row.get("alarms") or []
        if isinstance(alarm, dict)
    ]


def _tiles(run: Run) -> str:
    """The numbers that matter, before and after."""
    k = run.attempts

    def both(value: Callable[[Phase], float | None]) -> list[float | None]:
        phases = [run.phases.get(name) for name in ("before", "after")]
        return [value(phase) if phase else None for phase in phases]

    first, last = both(lambda p: p.success[0]), both(lambda p: p.success[-1])
    gain, repeats = both(lambda p: p.gain), both(lambda p: p.repeats)
    score = both(lambda p: p.mean_score)
    tiles = [
        _tile("Solved at the first attempt", "success@1", first, percent, _change(run, 1)),
        _tile(f"Solved within {k} attempts", f"success@{k}", last, percent, _change(run, k)),
        _tile("Gained by retrying", f"success@{k} minus success@1", gain, percent),
        *(
            [_tile("Retries that repeat", "the reply before, word for word", repeats, percent)]
            if run.trains  # a sample that knows of no other is no retry
            else []
        ),
        _tile("Mean best score", "per task; 1 is solved", score, "{:.2f}".format),
        _cost(run),
    ]
    return "".join(tiles)


def _change(run: Run, attempt: int) -> str:
    """The change on the same tasks with its interval, where both evaluations have sessions."""
    solved = [
        {
            (e.task_id, e.index): any(a.success for a in e.attempts[:attempt])
            for e in run.phases[name].episodes
            if not e.unscored
        }
        for name in ("before", "after")
        if name in run.phases
    ]
    if len(solved) < 2 or not solved[0] or solved[0].keys() != solved[1].keys():
        return ""
    before, after = list(solved[0].values()), [solved[1][key] for key in solved[0]]
    change, low, high = paired_change(before, after)
    return f"{100 * change:+.1f} points, 95% interval {100 * low:+.1f} to {100 * high:+.1f}"


def _tile(
    name: str,
    what: str,
    values: Sequence[float | None],
    form: Callable[[float], str],
    foot: str = "",
) -> str:
    old, new = ("–" if v is None else form(v) for v in values)
    return (
        f'<div class="tile"><h3>{escape(name)}</h3><p class="value">'
        f'<span class="old"><span class="sr">before </span>{old}</span>'
        f'<span aria-hidden="true"> → </span><span class="new"><span class="sr">after </span>{new}'
        f'</span></p><p class="what">{escape(what)}</p>'
        + (f'<p class="what">{escape(foot)}</p>' if foot else "")
        + "</div>"
    )


def _cost(run: Run) -> str:
    """Minutes, tokens and memory."""
    seconds = number(run.summary.get("train_seconds"))
    if seconds is None and run.rounds:
        parts = ("rollout_seconds", "train_seconds")
        seconds = sum(number(r.get(part)) or 0.0 for r in run.rounds for part in parts)
    total, peak = (number(run.summary.get(k)) for k in ("total_seconds", "peak_rss_bytes"))
    tokens = number(run.summary.get("tokens"))
    if tokens is None and run.rounds:
        tokens = sum(number(r.get("tokens")) or 0.0 for r in run.rounds)
    facts = [
        f"{total / 60:.1f} minutes in total" if total is not None else "",
        f"{tokens:,.0f} tokens written by the model" if tokens else "",
        f"{peak / GIB:.1f} GiB memory at most" if peak else "",
    ]
    value = "–" if seconds is None else f"{seconds / 60:.1f} min"
    lines = "".join(f'<p class="what">{escape(fact)}</p>' for fact in facts if fact)
    return f'<div class="tile"><h3>Training time</h3><p class="value">{value}</p>{lines}</div>'


def _section(heading: str, figures: Sequence[str], end: str = "") -> str:
    if not figures:
        return ""
    grid = f'<div class="grid">{"".join(figures)}</div>'
    return f"<section><h2>{escape(heading)}</h2>{grid}{end}</section>"


def _configuration(run: Run) -> str:
    """The command, the versions, and every key of the configuration."""
    command = run.config.get("command")
    own = {k: v for k, v in run.config.items() if k not in SHOWN_APART}
    versions = section(run.config, "versions") or section(run.summary, "versions")
    tables = [
        table(caption, header, _flat(values))
        for caption, header, values in (
            ("Recipe", ("key", "value"), own),
            ("Versions", ("package", "version"), versions),
        )
        if values
    ]
    if not tables and not command:
        return ""
    shown = f'<pre tabindex="0">{escape(str(command))}</pre>' if command else ""
    grid = f'<div class="grid wide">{"".join(tables)}</div>'
    return f"<section><h2>Configuration</h2>{shown}{grid}</section>"


def _flat(mapping: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested keys as ``a.b.c``, with their values as text."""
    rows = []
    for key, value in mapping.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows

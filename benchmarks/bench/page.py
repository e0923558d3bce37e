"""The report of a benchmark: ``report.html``, ``report.md``, ``results.csv``, ``statistics.json``.

The page is made like that of one run (`corgi_gym.benchmarks.report`): it needs nothing but itself,
and all text of a model travels as data.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks import svg
from corgi_gym.benchmarks.bench import tables
from corgi_gym.benchmarks.bench.analysis import analyse
from corgi_gym.benchmarks.bench.files import EVALUATIONS, JOBS
from corgi_gym.benchmarks.bench.job import sessions_of
from corgi_gym.benchmarks.bench.measures import first_success
from corgi_gym.benchmarks.bench.results import Results, read_results
from corgi_gym.benchmarks.bench.sections import (
    INTERVALS,
    by_attempt,
    evaluation_section,
    learning_curves,
    section,
    training_section,
)
from corgi_gym.benchmarks.report import TEMPLATE, colours, notes_aside, render
from corgi_gym.benchmarks.run_writer import RunFolder, to_json
from corgi_gym.benchmarks.transcripts import embed, page

REPORT, MARKDOWN, CSV, STATISTICS = "report.html", "report.md", "results.csv", "statistics.json"
# Sessions in the transcript browser, spread evenly over arms, families that were trained on, and
# families of tasks: the page should open at once, also on a phone. The jobs' folders have all.
MAX_PAGES = 400

Json = dict[str, Any]


def write_page(
    folder: Path,
    *,
    code: str | None = None,
    mixed: bool = False,
    say: Callable[[str], None] = lambda note: None,
    figures: Path | None = None,
) -> list[Path]:
    """Write the report into a folder of results; returns the files' paths.

    Args:
        folder: What `corgi_gym.benchmarks.bench.runner.run_bench` wrote.
        code: As for `corgi_gym.benchmarks.bench.results.read_results`.
        mixed: As there.
        say: Called with each note of what is missing, broken or odd; the report has them too.
        figures: Also write the main charts into this folder, as SVG files that need no page.

    Raises:
        FileNotFoundError: If it is no such folder.
        ValueError: If there are no results, or they must not be mixed.
    """
    results = read_results(folder, code=code, mixed=mixed)
    for note in results.notes:
        say(note)
    statistics = json.loads(to_json(analyse(results)))
    files = RunFolder(folder, resume=True)
    for name, text in (
        (STATISTICS, to_json(statistics) + "\n"),
        (MARKDOWN, markdown(statistics)),
        (CSV, csv_text(results)),
        (REPORT, html(results, statistics)),
    ):
        files.replace(name, text)
    written = [folder / name for name in (REPORT, MARKDOWN, CSV, STATISTICS)]
    if figures is not None:
        beside = RunFolder(figures, resume=True)
        for name, picture in charts(statistics).items():
            beside.replace(f"{name}.svg", svg.standalone(picture) + "\n")
            written.append(figures / f"{name}.svg")
    return written


def charts(statistics: Json) -> dict[str, str]:
    """Success by attempt in each evaluation, and learning curves, as pictures by their names."""
    made = {f"attempts-{name}": by_attempt(f) for name, f in statistics["evaluations"].items()}
    made |= {f"learning-{key}": panels for key, panels in learning_curves(statistics).items()}
    return {n: svg.sheet(p.pictures, p.caption) for n, p in made.items() if p.pictures}


def html(results: Results, statistics: Json) -> str:
    """``report.html``."""
    evaluations = statistics["evaluations"]
    first = next(iter(evaluations))
    sections = [
        evaluation_section(name, found, name == first) for name, found in evaluations.items()
    ]
    names = list(evaluations)
    parts = {
        "title": escape(f"corgi-gym benchmark: {statistics['name']}"),
        "lead": _lead(statistics),
        "notes": notes_aside(statistics["notes"]),
        "tiles": "",
        "curve": "".join(sections),
        "families": "",
        "training": training_section(statistics),
        "problems": "",
        "configuration": _configuration(results),
        "kept": escape(f"{JOBS}/*/{EVALUATIONS}/NAME.jsonl"),
        "chart_style": svg.STYLE,
        "colours": colours(),
        "data": embed(
            {
                "views": [[name, f"evaluation {name}", _TAGS] for name in names],
                "pages": {
                    n: list(_transcripts(results, n, MAX_PAGES // len(names))) for n in names
                },
            }
        ),
    }
    return render(TEMPLATE.read_text(encoding="utf-8"), parts)


# ---------------------------------------------------------------- parts of the page


def _lead(statistics: Json) -> str:
    codes = statistics["codes"]
    said = [
        statistics["question"],
        f"{statistics['jobs']} of {statistics['planned']} jobs",
        f"code {', '.join(codes)}",
    ]
    return f"<p class='lead'>{escape(' · '.join(filter(None, said)))}</p>"


def _configuration(results: Results) -> str:
    text = to_json(results.spec)
    shown = f'<pre tabindex="0">{escape(text)}</pre>'
    folded = f"<details><summary>Specification</summary>{shown}</details>"
    return section("Configuration", folded)


# ---------------------------------------------------------------- transcripts

_TAGS = (
    ("first", "solved at first sight"),
    ("later", "solved after feedback"),
    ("unsolved", "not solved"),
    ("unscored", "could not be checked"),
)


def _transcripts(results: Results, name: str, most: int) -> Iterator[Json]:
    """Sessions of the first seed of each arm and family, the same number of each task family."""
    shown = {}
    for result in results.done:
        shown.setdefault((result.labels["arm"], result.labels["family"]), result)
    each = max(1, most // len(shown))
    for (arm, family), result in shown.items():
        for episode in _spread(sessions_of(result.folder, name), each):
            solved = first_success(episode)
            outcome = "unsolved" if not solved else "first" if solved == 1 else "later"
            tag = "unscored" if episode.unscored else outcome
            place = f"{arm}, trained on {family}, seed {result.labels['seed']}"
            kept = f"{JOBS}/{result.folder.name}/{EVALUATIONS}/{name}.jsonl"
            made = page(place, [(arm, episode)], [tag], kept)
            yield {**made, "arm": arm, "attempt": f"{solved:02d}" if solved else "never"}


def _spread(sessions: Sequence[Episode], most: int) -> list[Episode]:
    """About ``most`` sessions, evenly over each task family and at least one of each.

    Families take turns, so every third session of all would be of one family.
    """
    families: dict[str, list[Episode]] = {}
    for episode in sessions:
        families.setdefault(episode.task, []).append(episode)
    kept: list[Episode] = []
    for own in families.values():
        count = min(len(own), max(1, most // len(families)))
        kept += [own[i * len(own) // count] for i in range(count)]
    return sorted(kept, key=lambda episode: episode.index)


# ---------------------------------------------------------------- text


def markdown(statistics: Json) -> str:
    """``report.md``."""
    lines = [f"# {statistics['name']}", "", statistics["question"], ""]
    codes = ", ".join(statistics["codes"])
    lines += [f"{statistics['jobs']} of {statistics['planned']} jobs; code {codes}.", ""]
    lines += [*(f"- {note}" for note in statistics["notes"]), ""]
    for name, found in statistics["evaluations"].items():
        made = [tables.leaderboard(found), *tables.comparisons(found)]
        others = (tables.dose, tables.by_family, tables.gaps, tables.rates)
        made += [t for t in (table(found) for table in others) if t is not None]
        lines += [f"## Evaluation {name}", "", *(t.markdown() for t in made)]
        notes = (tables.above_all(found), tables.few_seeds(found), tables.no_room(found))
        for told in filter(None, notes):
            lines += [told, ""]
    cost = tables.costs(statistics)
    lines += ["## Training", "", cost.markdown()] if cost.rows else []
    return "\n".join([*lines, INTERVALS, ""])


def csv_text(results: Results) -> str:
    """``results.csv``: a row per job and evaluation: its labels, its code, and its numbers."""
    rows = []
    for result in results.done:
        for name, numbers in result.metrics["evaluations"].items():
            row = {**result.labels, "job": result.folder.name, "code": result.code}
            row |= {"evaluation": name, "tasks": numbers["tasks"], "unscored": numbers["unscored"]}
            row |= {f"success@{k}": v for k, v in enumerate(numbers["success"], start=1)}
            row |= {"gain": numbers["gain"], "mean_score": numbers["mean_score"]}
            # train_seconds has its "train" already
            cost = result.metrics["cost"].items()
            row |= {f"train_{key.removeprefix('train_')}": value for key, value in cost}
            row["exploits"] = numbers["exploits"]["found"]
            row |= {f"gap {rule}": of["gap"] for rule, of in numbers.get("gap", {}).items()}
            rows.append(row)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()

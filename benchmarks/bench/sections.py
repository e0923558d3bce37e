"""The sections of a benchmark's page: figures and tables of one evaluation, and of training."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from corgi_gym.benchmarks.bench import tables
from corgi_gym.benchmarks.bench.analysis import RATES
from corgi_gym.benchmarks.bench.charts import (
    Band,
    Panel,
    Ranked,
    heat_chart,
    panel_chart,
    ranking_chart,
)
from corgi_gym.benchmarks.charts import top_of
from corgi_gym.benchmarks.figures import table
from corgi_gym.benchmarks.svg import short, size_of, ticks

_TICKS = 6
# Of the width that it was drawn at, a picture has at least this much: its text is 10 pixels then.
_LEAST = 0.8
INTERVALS = (
    "Intervals of the ranking resample seeds within families (stratified bootstrap, 95%); with "
    "few seeds they are too short, so read differences off the comparison, whose intervals are "
    "Welch's over seeds, and whose p-values are corrected for the number of comparisons by Holm."
)

Json = dict[str, Any]
Curves = Mapping[str, Sequence[tuple[float, float]]]


def section(heading: str, *parts: str) -> str:
    """Parts of a page (HTML) under a heading (text)."""
    return f"<section><h2>{escape(heading)}</h2>{''.join(parts)}</section>"


class Panels(NamedTuple):
    """Pictures that stand side by side, and what they show, said once."""

    caption: str
    pictures: Sequence[str]

    def html(self) -> str:
        """Both as HTML; "" without pictures."""
        if not self.pictures:
            return ""
        figures = "".join(f"<figure>{picture}</figure>" for picture in self.pictures)
        return f'<p class="what">{escape(self.caption)}</p><div class="grid">{figures}</div>'


def _full_size(caption: str, picture: str) -> str:
    """A picture no larger than it was drawn, so that its text has the size of the page's."""
    width, _ = size_of(picture)
    figure = f'<figure style="max-width: {width}px">{_readable(picture)}</figure>'
    return f'<p class="what">{escape(caption)}</p>{figure}'


def _readable(picture: str) -> str:
    """A wide picture, which on a phone scrolls where its text would become too small."""
    width, _ = size_of(picture)
    least = f'<svg style="min-width: {round(_LEAST * width)}px"'
    box = '<div class="scroll" tabindex="0" role="region" aria-label="wide picture">'
    return f"{box}{picture.replace('<svg', least, 1)}</div>"


def _html_table(made: tables.Table) -> str:
    return f'<div class="numbers">{table(made.caption, made.header, made.rows)}</div>'


def evaluation_section(name: str, found: Json, ranked: bool) -> str:
    """All about one evaluation; ``ranked`` is the one that the benchmark is about."""
    k = found["rank"]
    rows = [Ranked(row["arm"], *row["mean"], row["first"][0]) for row in found["leaderboard"]]
    tasks = sorted({row["tasks"] for row in found["leaderboard"]})
    caption = (
        f"Mean over families and seeds, greedy, {' or '.join(map(str, tasks))} tasks a run. "
        f"{INTERVALS}"
    )
    beside = "success@1" if k > 1 else ""
    ranking = ranking_chart("Ranking", rows, beside, f"success@{k}")
    figure = f"<figure>{_readable(ranking)}<figcaption>{escape(caption)}</figcaption></figure>"
    parts = [f'<div class="ranking">{figure}</div>', _html_table(tables.leaderboard(found))]
    for told in filter(None, (tables.few_seeds(found), tables.no_room(found))):
        parts.append(f'<p class="what">{escape(told)}</p>')
    parts += [_html_table(made) for made in tables.comparisons(found)]
    if told := tables.above_all(found):
        parts.append(f'<p class="what">{escape(told)}</p>')
    parts += [f"<h3>{heading}</h3>{body}" for heading, body in _details(found) if body]
    what = "Leaderboard" if ranked else "Also evaluated"
    return section(f"{what}: evaluation {name}", *parts)


def _details(found: Json) -> Iterator[tuple[str, str]]:
    yield "Success by attempt", by_attempt(found).html()
    yield "Success at equal cost", _at_equal_cost(found["curves"], found["reference"])
    yield "Feedback levels", _by_level(found)
    yield "By family", _by_family(found)
    made = tables.gaps(found)
    yield "Generation-verification gap", _html_table(made) if made else ""
    retries = tables.rates(found)
    yield "Retries", _html_table(retries) + _by_retry(found) if retries else ""


def by_attempt(found: Json) -> Panels:
    """Success by attempt, each arm among the others, with independent resampling beside it.

    Nothing where there is one attempt: the ranking has it.
    """
    if found["attempts"] == 1:
        return Panels("", [])
    curves = found["curves"]
    points = {arm: list(enumerate(curve["success"], start=1)) for arm, curve in curves.items()}
    bands = {arm: list(zip(c["low"], c["high"], strict=True)) for arm, c in curves.items()}
    resampled = {
        arm: {"independent samples": list(enumerate(curve["resampling"], start=1))}
        for arm, curve in curves.items()
        if "resampling" in curve
    }
    others = _others(found["reference"], curves)
    caption = f"Each retry follows the checker's feedback; {others}."
    if resampled:
        caption += (
            " Dashed: as many independent samples at the training temperature, without feedback."
        )
    sampled = (len(curve.get("resampling", ())) for curve in curves.values())
    x_ticks = _attempt_ticks(max(found["attempts"], *sampled))
    return _panels(
        points, bands, resampled, x_ticks, "attempt", short, "share of tasks solved", caption,
        reference=found["reference"],
    )  # fmt: skip


def _at_equal_cost(curves: Json, reference: str) -> str:
    """Success against the tokens that were written per task; nothing where nothing is beside it."""
    points = {a: _pairs(c["tokens"], c["success"]) for a, c in curves.items() if "resampling" in c}
    sampled = {
        arm: {"independent samples": _pairs(c["resampling_tokens"], c["resampling"])}
        for arm, c in curves.items()
        if "resampling" in c
    }
    if not points:
        return ""
    lines = [*points.values(), *(line for found in sampled.values() for line in found.values())]
    most = max(x for line in lines for x, _ in line)
    caption = (
        "Tokens written per task until it was solved or given up. Dashed: independent samples "
        f"without feedback; {_others(reference, points)}."
    )
    return _panels(
        points, {}, sampled, ticks(0, most), "tokens", short, "share of tasks solved", caption,
        reference=reference,
    ).html()  # fmt: skip


def _by_level(found: Json) -> str:
    made = tables.dose(found)
    if made is None:
        return ""
    levels = list(made.header[1:])
    points = {
        entry: [(levels.index(level), est[0]) for level, est in by_level.items()]
        for entry, by_level in found["dose"].items()
    }
    bands = {e: [(est[1], est[2]) for est in d.values()] for e, d in found["dose"].items()}
    panels = _panels(
        points, bands, {}, list(range(len(levels))), "level", lambda x: levels[round(x)],
        f"success@{found['rank']}", "From no feedback to every message of the checker.",
    )  # fmt: skip
    return panels.html() + _html_table(made)


def _by_family(found: Json) -> str:
    """Heat maps of arms and families (those trained on, and those evaluated), if several."""
    parts = []
    for kind, caption in (
        ("trained", "Columns: the family that was trained on."),
        ("tested", "Columns: the family of the task, over all runs of the arm."),
    ):
        rows = {arm: cells[kind] for arm, cells in found["families"].items()}
        columns = list(dict.fromkeys(family for cells in rows.values() for family in cells))
        if len(columns) > 1:
            chart = heat_chart("Arms and families", rows, columns, f"success@{found['rank']}")
            parts.append(_full_size(caption, chart))
    made = tables.by_family(found)
    return "".join([*parts, _html_table(made) if made else ""])


def _by_retry(found: Json) -> str:
    """Share of retries that solve, per attempt, with those that regress and repeat beside it."""
    lines: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for arm, rates in found["rates"].items():
        lines[arm] = {
            name: [(k, v) for k, v in enumerate(rates[name], start=2) if v is not None]
            for name in RATES
        }
    made = {arm: found for arm, found in lines.items() if found["fix"]}
    points = {arm: found["fix"] for arm, found in made.items()}
    names = {"regress": "score less", "repeat": "repeat"}
    beside = {
        arm: {names[name]: found[name] for name in names if found[name]}
        for arm, found in made.items()
    }
    caption = "Share of the retries at each attempt that solve the task, score less, or repeat."
    last = max((x for line in points.values() for x, _ in line), default=2)
    x_ticks = sorted({2, *_attempt_ticks(int(last))} - {1})  # the axis begins at the first of them
    return _panels(
        points, {}, beside, x_ticks, "attempt", short, "share of retries", caption,
        line="solve", alone=True,
    ).html()  # fmt: skip


def training_section(statistics: Json) -> str:
    """Learning curves against sessions, tokens and seconds, and what training cost."""
    made = learning_curves(statistics)
    if not made:
        return ""
    parts = [f"<h3>Success against {key}</h3>{panels.html()}" for key, panels in made.items()]
    return section("Training", *parts, _html_table(tables.costs(statistics)))


def learning_curves(statistics: Json) -> dict[str, Panels]:
    """Success on the validation tasks against each measure of cost; empty where nothing trains."""
    learning = {arm: rows for arm, rows in statistics["learning"].items() if rows}
    if not learning:
        return {}
    reference = next(iter(statistics["evaluations"].values()))["reference"]
    made = {}
    for key, caption in (
        ("tokens", "Against tokens that the model wrote in training."),
        ("sessions", "Against sessions, of one attempt or of several."),
        ("seconds", "Against seconds of training, evaluations left out."),
    ):
        points = {a: [(row[key], row["success"]) for row in rows] for a, rows in learning.items()}
        bands = {a: [(row["low"], row["high"]) for row in rows] for a, rows in learning.items()}
        most = max(x for line in points.values() for x, _ in line)
        made[key] = _panels(
            points, bands, {}, ticks(0, most or 1), key, short, "success on validation tasks",
            f"{caption} Mean of the runs, interpolated between their evaluations where they end "
            f"after different numbers of rounds; whiskers: lowest and highest run; "
            f"{_others(reference, points)}.",
            reference=reference,
        )  # fmt: skip
    return made


def _panels(
    points: Curves,
    bands: Mapping[str, Sequence[Band]],
    dashed: Mapping[str, Curves],
    x_ticks: Sequence[float],
    x_label: str,
    x_form: Any,
    measure: str,
    caption: str,
    *,
    line: str = "this arm",
    reference: str = "",
    alone: bool = False,
) -> Panels:
    """A panel per arm on common axes; ``alone`` leaves the other arms out.

    ``line`` says what an arm's curve is, ``reference`` which arm is drawn as that in all others'.
    """
    lines = [*points.values(), *(line for found in dashed.values() for line in found.values())]
    heights = [y for line in lines for _, y in line]
    heights += [high for band in bands.values() for _, high in band if high is not None]
    right = max((x for line in lines for x, _ in line), default=0.0)
    pictures = []
    for arm, curve in points.items():
        others = {} if alone else {name: c for name, c in points.items() if name != arm}
        beside = others.pop(reference, ())
        panel = Panel(
            arm, curve, bands.get(arm, ()), dashed.get(arm, {}), [*others.values()], beside, line
        )
        pictures.append(
            panel_chart(
                panel, top=top_of(heights), right=right, x_ticks=x_ticks, x_label=x_label,
                x_form=x_form, measure=measure,
            )
        )  # fmt: skip
    return Panels(caption, pictures)


def _others(reference: str, arms: Collection[str]) -> str:
    """How the other arms are drawn, for a caption."""
    dotted = f", dotted: {reference}, the reference" if reference in arms else ""
    return f"grey: the other arms{dotted}"


def _attempt_ticks(attempts: int) -> list[float]:
    every = -(-attempts // _TICKS)
    return [1, *(k for k in range(2, attempts + 1) if k % every == 0)] if attempts > 1 else [1]


def _pairs(x: Sequence[float], y: Sequence[float]) -> list[tuple[float, float]]:
    return list(zip(x, y, strict=True))

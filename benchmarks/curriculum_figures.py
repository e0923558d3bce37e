"""What a curriculum has sampled when: families by hardness over the rounds, for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from corgi_gym.benchmarks.charts import SMALL, Rounds, Series, round_axis, round_chart
from corgi_gym.benchmarks.figures import Figure, minutes, round_number, table
from corgi_gym.benchmarks.run_folder import Run, number, section
from corgi_gym.benchmarks.svg import Plot, percent, percent_tick

# Strata with their names and colours, from the bottom of a bar up.
STRATA = {
    "hard": ("hard tasks", "before"),
    "learnable": ("solved at times", "third"),
    "easy": ("easy tasks", "after"),
    "other": ("not scored", "fourth"),
}
# Families that get a row of their own; the table has all.
MAX_FAMILIES = 12
_ROW_HEIGHT, _GAP = 34, 16

Counts = Mapping[str, Mapping[str, int]]


def curriculum_figures(run: Run) -> list[str]:
    """Two charts, where a curriculum was used: shares by hardness, and sessions by family."""
    rows = [(round_number(r), found) for r in run.rounds if (found := section(r, "curriculum"))]
    if not rows:
        return []
    rounds = Rounds([step for step, _ in rows], minutes([r for r in run.rounds if _has(r)]))
    played = [_counts(row, "played") for _, row in rows]
    held = [_counts(row, "pool") for _, row in rows]
    asked = [number(row.get("alpha")) for _, row in rows]
    series = [
        Series("played", "before", [_share(c, "hard") for c in played]),
        Series("in the pool", "fourth", [_share(c, "hard") for c in held]),
    ]
    if any(a is not None for a in asked):
        series.append(Series("asked for", "after", asked))
    elif any(_share(c, "learnable") for c in played):
        learnable = [_share(c, "learnable") for c in played]
        series.append(Series("solved at times", "third", learnable))
    share = Figure(
        round_chart("Hard tasks", "share", series, rounds, percent_tick),
        "Share of sessions on hard tasks, of such tasks in the pool that was scored last, and what "
        "the curriculum asked for.",
    )
    header = ("round", "scored", "family", *(name for name, _ in STRATA.values()))
    numbers = [
        [str(step), "yes" if row.get("scored") else "", family, *(_cells(counts[family]))]
        for (step, row), counts in zip(rows, played, strict=True)
        for family in counts
    ]
    families = Figure(
        family_chart("Sessions by family", [step for step, _ in rows], played, rounds),
        "One bar per round and family: how many sessions, and how many of them on hard tasks.",
        table("Sessions of every round", header, numbers),
    )
    return [share.html(), families.html()]


def _has(row: Mapping[str, Any]) -> bool:
    return bool(section(dict(row), "curriculum"))


def _counts(row: dict[str, Any], key: str) -> dict[str, dict[str, int]]:
    """Counts by family and stratum; whatever is no number is left out."""
    return {
        str(family): {s: int(n) for s, v in strata.items() if (n := number(v)) is not None}
        for family, strata in section(row, key).items()
        if isinstance(strata, dict)
    }


def _share(counts: Counts, stratum: str) -> float | None:
    total = sum(sum(strata.values()) for strata in counts.values())
    return sum(s.get(stratum, 0) for s in counts.values()) / total if total else None


def _cells(strata: Mapping[str, int]) -> list[str]:
    return [str(strata.get(name, 0)) for name in STRATA]


def family_chart(title: str, steps: Sequence[int], played: Sequence[Counts], axis: Rounds) -> str:
    """A row of bars per family, the most played ones first; bars are stacked by stratum."""
    totals: Counter[str] = Counter()
    for counts in played:
        totals.update({family: sum(strata.values()) for family, strata in counts.items()})
    families = [family for family, _ in totals.most_common(MAX_FAMILIES)]
    found = {stratum for counts in played for strata in counts.values() for stratum in strata}
    strata = [name for name in STRATA if name in found]
    height = 112 + (_ROW_HEIGHT + _GAP) * len(families)
    plot = Plot(title, (SMALL[0], height), axis_rows=2)
    plot.legend([(STRATA[s][1], STRATA[s][0]) for s in strata], bars=True)
    round_axis(plot, axis)
    most = max((sum(c.get(f, {}).values()) for c in played for f in families), default=1) or 1
    wide = 0.8 * (plot.width - plot.LEFT - plot.RIGHT) / (len(steps) + 1)
    for i, family in enumerate(families):
        floor = plot.top + (_ROW_HEIGHT + _GAP) * (i + 1) - 4
        plot.text(plot.LEFT, floor - _ROW_HEIGHT - 3, family.replace("_", " "), "small")
        for step, counts in zip(steps, played, strict=True):
            top = floor
            for stratum in strata:
                count = counts.get(family, {}).get(stratum, 0)
                high = _ROW_HEIGHT * count / most
                top -= high
                if count:
                    tip = f"round {step}, {family}, {STRATA[stratum][0]}: {count} sessions"
                    left = plot.x(step) - wide / 2
                    plot.bar(left, top, (wide, high), STRATA[stratum][1], tip)
    everything = sum(totals.values()) or 1
    spoken = ", ".join(f"{f} {percent(totals[f] / everything)}" for f in families)
    return plot.svg(f"{title} over {len(steps)} rounds. Of all sessions: {spoken}.")

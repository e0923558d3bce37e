"""The charts of a benchmark: a ranking, panels of curves, and a heat map.

Many arms do not fit into one picture with four colours that stay apart. So each arm has a panel of
its own on common axes, its curve in colour, the reference dotted and all others in grey: it is
compared with the field, and nobody needs to tell eight colours apart, on paper or with any colour
vision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from corgi_gym.benchmarks.charts import SMALL, top_of
from corgi_gym.benchmarks.svg import Plot, percent, percent_tick, ticks, wrapped

ROW, CELL = 30, 30
# Columns of a heat map narrower than this would cut their numbers.
_CELL_WIDTH = 64
_CHAR = 6.9
# Characters in a line of an arm's name, and the height of a further line.
_NAME, LINE = 44, 15
# Shading of a heat map: the share of the colour behind the highest success. At this much the ink
# on top still has a contrast of more than 4.5.
_DARKEST = 0.45

Point = tuple[float, float]
Band = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line of the ranking: a value with its interval (None: unknown), and one to hold beside."""

    name: str
    value: float
    low: float | None
    high: float | None
    beside: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One arm's panel.

    Attributes:
        title: The arm.
        points: Its curve.
        band: Lower and upper end of its interval at each point, None where unknown; may be empty.
        dashed: Other curves of the same arm, by name (at most two).
        others: The curves of the other arms, in grey.
        reference: That of the arm that all are compared with; empty: not drawn.
        line: What the curve is, where other curves are beside it.
    """

    title: str
    points: Sequence[Point]
    band: Sequence[Band] = ()
    dashed: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    others: Sequence[Sequence[Point]] = ()
    reference: Sequence[Point] = ()
    line: str = "this arm"


def ranking_chart(title: str, rows: Sequence[Ranked], beside: str, measure: str) -> str:
    """Values with their intervals, the best on top.

    ``beside`` names the second values; without a name they are not drawn.
    """
    names = [wrapped(row.name, _NAME) for row in rows]
    wide = max(len(line) for lines in names for line in lines) * _CHAR
    heights = [ROW + LINE * (len(lines) - 1) for lines in names]
    plot = Plot(title, (max(440, int(wide) + 300), 84 + sum(heights)))
    plot.legend([("after", measure), *[("before", beside)] * bool(beside)])
    left = wide + 12
    ends = [row.value if row.high is None else row.high for row in rows]
    plot.x_range = (0.0, ticks(0, top_of([*ends, *(row.beside for row in rows)]))[-1])

    def x(value: float) -> float:
        low, high = plot.x_range
        return left + (value - low) / (high - low) * (plot.width - 60 - left)

    floor = plot.height - 24
    for value in ticks(0, plot.x_range[1]):
        plot.line([(x(value), plot.top - 6), (x(value), floor)], "rule")
        plot.text(x(value), floor + 16, percent_tick(value), "small", "middle")
    y = plot.top + 8.0
    for row, lines, end, height in zip(rows, names, ends, heights, strict=True):
        for depth, line in enumerate(lines):
            plot.text(0, y + 4 + LINE * depth, line)
        if row.low is not None and row.high is not None:
            plot.line([(x(row.low), y), (x(row.high), y)], "whisker after")
            for bound in (row.low, row.high):
                plot.line([(x(bound), y - 5), (x(bound), y + 5)], "whisker after")
        if beside:
            told = f"{row.name}, {beside}: {percent(row.beside)}"
            plot.dot(x(row.beside), y, "dot before", told)
        plot.dot(x(row.value), y, "dot after", f"{row.name}: {_told(row)}", radius=5)
        plot.text(x(end) + 8, y + 4, percent(row.value), "small")
        y += height
    spoken = "; ".join(f"{row.name}: {_told(row, ', interval {}')}" for row in rows)
    return plot.svg(f"{title}, {measure}. {spoken}.")


def _told(row: Ranked, form: str = " ({})") -> str:
    """A value with its interval in words."""
    if row.low is None or row.high is None:
        return f"{percent(row.value)}{form.format('one seed')}"
    return percent(row.value) + form.format(f"{percent(row.low)} to {percent(row.high)}")


def panel_chart(
    panel: Panel,
    *,
    top: float,
    right: float,
    x_ticks: Sequence[float],
    x_label: str,
    x_form: Callable[[float], str],
    measure: str,
) -> str:
    """One arm's curve among all others.

    ``top`` is the upper end of the axis, in [0, 1]; ``right`` the highest of all points across,
    which may lie beyond the last tick.
    """
    plot = Plot(panel.title, SMALL)
    roles = ("before", "third")
    beside = [*zip(roles, panel.dashed, strict=False)]
    beside += [("reference", "reference")] * bool(panel.reference)
    plot.legend([("after", panel.line), *beside] if beside else [])
    # the names of the first and last tick stay clear of the axis' own name and of the border
    names = max(len(x_form(x_ticks[i])) for i in (0, -1))
    room = plot.width - plot.LEFT - plot.RIGHT
    edge = max(0.03 * room, names * _CHAR / 2)
    right = max(right, x_ticks[-1])
    pad = edge / (room - 2 * edge) * ((right - x_ticks[0]) or 1)
    plot.x_range = (x_ticks[0] - pad, right + pad)
    plot.y_axis(ticks(0, top), measure, percent_tick)
    plot.x_axis(x_ticks, [(x_label, [x_form(value) for value in x_ticks])])

    def spots(points: Sequence[Point]) -> list[Point]:
        return [(plot.x(x), plot.y(y)) for x, y in points]

    for other in panel.others:
        plot.line(spots(other), "line others")
    if panel.reference:
        plot.line(spots(panel.reference), "line reference")
    for role, (name, points) in zip(roles, panel.dashed.items(), strict=False):
        plot.line(spots(points), f"line {role}")
        for (x, y), at in zip(points, spots(points), strict=True):
            plot.dot(*at, f"dot {role}", f"{name}, {x_form(x)}: {percent(y)}", radius=3)
    for (x, _), (low, high) in zip(panel.points, panel.band, strict=False):
        if low is not None and high is not None:
            plot.line([(plot.x(x), plot.y(low)), (plot.x(x), plot.y(high))], "whisker after")
    plot.line(spots(panel.points), "line after")
    for i, ((x, y), at) in enumerate(zip(panel.points, spots(panel.points), strict=True)):
        low, high = panel.band[i] if i < len(panel.band) else (None, None)
        told = "" if low is None or high is None else f" ({percent(low)} to {percent(high)})"
        plot.dot(*at, "dot after", f"{panel.title}, {x_form(x)}: {percent(y)}{told}", radius=3)
    ends = [percent(panel.points[i][1]) for i in (0, -1)]
    return plot.svg(f"{panel.title}: {measure}, from {ends[0]} to {ends[1]}.")


def heat_chart(
    title: str, rows: Mapping[str, Mapping[str, float]], columns: Sequence[str], measure: str
) -> str:
    """A table of shares: every cell has its number, and is the darker the higher it is."""
    names = {name: wrapped(name, _NAME) for name in rows}
    left = max(len(line) for lines in names.values() for line in lines) * _CHAR + 12
    width = max(_CELL_WIDTH, max(len(name) for name in columns) * _CHAR + 10)
    plot = Plot(title, (int(max(left + width * len(columns), 300)), 76 + CELL * len(rows)))
    plot.text(0, 36, measure, "small")
    highest = max((v for cells in rows.values() for v in cells.values()), default=1.0) or 1.0
    for j, column in enumerate(columns):
        plot.text(left + width * (j + 0.5), 58, column.replace("_", " "), "small", "middle")
    for i, (name, cells) in enumerate(rows.items()):
        y = 66 + CELL * i
        for depth, line in enumerate(names[name]):
            plot.text(0, y + 20 + LINE * (depth - (len(names[name]) - 1) / 2), line)
        for j, column in enumerate(columns):
            if column not in cells:
                continue
            share, at = cells[column], left + width * j
            tip = f"{name} on {column}: {percent(share)}"
            shade = _DARKEST * share / highest
            plot.bar(at, y, (width - 2, CELL - 2), "after", tip, shade)
            plot.text(at + width / 2, y + 20, percent(share), "", "middle")
    spoken = "; ".join(
        f"{name}: {', '.join(f'{c} {percent(v)}' for c, v in cells.items())}"
        for name, cells in rows.items()
    )
    return plot.svg(f"{title}, {measure}. {spoken}.")

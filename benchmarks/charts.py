"""The charts of a report: success by attempt, quantities per round, and what goes wrong.

Each function returns one ``<svg>`` with its message in ``aria-label`` and tooltips on its marks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corgi_gym.benchmarks.svg import Plot, percent, percent_tick, short, ticks

SMALL = (400, 270)
ROUND_TICKS = 6
LABEL_HEIGHT = 13
# An axis of shares never ends below this, so that noise near zero does not fill the picture.
MIN_TOP = 0.2
# More rounds than this get every n-th dot only; the line keeps all.
MAX_DOTS = 200
# From this many rounds on, the line is a running mean and the rounds themselves are dots.
SMOOTH_FROM = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """Success by attempt of one evaluation: values and interval bounds, in [0, 1]."""

    name: str
    role: str
    values: Sequence[float]
    bounds: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity per round; None where a round has no value."""

    name: str
    role: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Rounds:
    """The horizontal axis of training: round numbers, and minutes since the start at their end."""

    steps: Sequence[int]
    minutes: Sequence[float | None]


def top_of(values: Sequence[float]) -> float:
    """The upper end of an axis of shares, with room for a label over the highest."""
    return min(1.0, max(MIN_TOP, 1.05 * max(values, default=0.0)))


def success_chart(title: str, curves: Sequence[Curve], top: float, size: tuple[int, int]) -> str:
    """Success@k against k with intervals; ``top`` is the upper end of the axis, in [0, 1]."""
    plot = Plot(title, size)
    plot.legend([(c.role, c.name) for c in curves])
    attempts = max(len(c.values) for c in curves)
    plot.x_range = (0.6, attempts + 0.4)
    plot.y_axis(ticks(0, top), "share of tasks solved within that many attempts", percent_tick, 12)
    numbers = range(1, attempts + 1)
    plot.x_axis(numbers, [("attempt", [str(k) for k in numbers])])
    dodge = 7 if len(curves) > 1 else 0
    for i, curve in enumerate(curves):
        shift = dodge * (2 * i - 1)
        spots = [(plot.x(k) + shift, plot.y(v)) for k, v in enumerate(curve.values, start=1)]
        plot.line(spots, f"line {curve.role}")
        for k, ((x, y), (low, high)) in enumerate(zip(spots, curve.bounds, strict=True), start=1):
            plot.line([(x, plot.y(low)), (x, plot.y(high))], f"whisker {curve.role}")
            for end in (low, high):
                plot.line([(x - 4, plot.y(end)), (x + 4, plot.y(end))], f"whisker {curve.role}")
            tip = (
                f"{curve.name}, attempt {k}: {percent(curve.values[k - 1])} "
                f"(95% interval {percent(low)} to {percent(high)})"
            )
            plot.dot(x, y, f"dot {curve.role}", tip, radius=4.5)
    for k in numbers:
        _value_labels(plot, [c for c in curves if len(c.values) >= k], k, dodge)
    spoken = "; ".join(f"{c.name}: {', '.join(map(percent, c.values))}" for c in curves)
    return plot.svg(f"{title}. Share solved within 1 to {attempts} attempts. {spoken}.")


def _value_labels(plot: Plot, curves: Sequence[Curve], k: int, dodge: float) -> None:
    """The values at attempt ``k``: the higher curve's above its interval, the lower's below.

    Near zero there is no room below: the lower one's goes above its own interval then, or, where
    the intervals meet, between the higher interval and its label.
    """
    higher, *lower = sorted(reversed(curves), key=lambda c: -c.values[k - 1])
    spots = {higher.role: plot.y(higher.bounds[k - 1][1]) - 7}
    for curve in lower:
        low, high = curve.bounds[k - 1]
        below, above = plot.y(low) + 16, plot.y(high) - 7
        if below < plot.floor - 3:
            spots[curve.role] = below
        elif above - LABEL_HEIGHT > plot.y(higher.bounds[k - 1][0]):
            spots[curve.role] = above
        else:
            spots[curve.role] = min(above, spots[higher.role])
            spots[higher.role] = spots[curve.role] - LABEL_HEIGHT
    for i, curve in enumerate(curves):
        x = plot.x(k) + (2 * i - 1) * dodge
        plot.text(x, spots[curve.role], percent(curve.values[k - 1]), curve.role, "middle")


def round_chart(
    title: str,
    measure: str,
    series: Sequence[Series],
    rounds: Rounds,
    form: Callable[[float], str] = short,
) -> str:
    """Quantities against training rounds, with the elapsed minutes under the round numbers.

    From ``SMOOTH_FROM`` rounds on, the line is the centred running mean of `window` rounds, and the
    rounds themselves are dots.
    """
    plot = Plot(title, SMALL, axis_rows=2)
    if len(series) > 1:
        plot.legend([(s.role, s.name) for s in series])
    known = [v for s in series for v in s.values if v is not None]
    plot.y_axis(ticks(min(0.0, *known), max(0.0, *known)), measure, form)
    round_axis(plot, rounds)
    width = window(len(rounds.steps))
    every = -(-len(rounds.steps) // MAX_DOTS)
    for s in series:
        smooth = running_mean(s.values, width)
        line = [(plot.x(r), plot.y(v)) for r, v in _known(rounds.steps, smooth)]
        for i, (step, value) in enumerate(zip(rounds.steps, s.values, strict=True)):
            if value is not None and i % every == 0:
                tip = f"{s.name}, round {step}: {form(value)}"
                css = f"{s.role} faint" if width > 1 else f"dot {s.role}"
                plot.dot(plot.x(step), plot.y(value), css, tip, radius=3)
        plot.line(line, f"line {s.role}")
    ends = "; ".join(
        f"{s.name}: from {form(values[0])} to {form(values[-1])}"
        for s in series
        if (values := [v for v in running_mean(s.values, width) if v is not None])
    )
    return plot.svg(f"{title} over {len(rounds.steps)} rounds, {measure}. {ends}.")


def stacked_chart(title: str, measure: str, lower: Series, upper: Series, rounds: Rounds) -> str:
    """Two quantities per round, one on top of the other."""
    plot = Plot(title, SMALL, axis_rows=2)
    plot.legend([(s.role, s.name) for s in (lower, upper)], bars=True)
    pairs = [(a or 0.0, b or 0.0) for a, b in zip(lower.values, upper.values, strict=True)]
    plot.y_axis(ticks(0.0, max(a + b for a, b in pairs)), measure, short)
    round_axis(plot, rounds)
    slot = (plot.width - plot.LEFT - plot.RIGHT) / (len(pairs) + 1)
    floor = plot.y(0)
    for step, (a, b) in zip(rounds.steps, pairs, strict=True):
        left, middle, top = plot.x(step) - 0.4 * slot, plot.y(a), plot.y(a + b)
        tip = f"round {step}: {short(a)} {lower.name}, {short(b)} {upper.name}"
        plot.bar(left, middle, (0.8 * slot, floor - middle), lower.role, tip)
        plot.bar(left, top, (0.8 * slot, middle - top), upper.role, tip)
    means = [sum(column) / len(pairs) for column in zip(*pairs, strict=True)]
    return plot.svg(
        f"{title} over {len(pairs)} rounds, {measure}. On average {short(means[0])} {lower.name} "
        f"and {short(means[1])} {upper.name}."
    )


def problem_chart(
    title: str, rows: Sequence[tuple[str, list[tuple[str, str, float]]]], scale: float
) -> str:
    """Horizontal bars: per problem kind one bar per evaluation, as (role, name, share).

    ``scale`` is the share that fills the width, so that charts can be compared.
    """
    count = max(len(bars) for _, bars in rows)
    height = 26 + 14 * count
    plot = Plot(title, (SMALL[0], 54 + height * len(rows)))
    names = {role: name for _, bars in rows for role, name, _ in bars}
    plot.legend(list(names.items()), bars=True)
    room = plot.width - 56
    for i, (kind, bars) in enumerate(rows):
        y = 62 + plot.down + height * i
        plot.text(0, y, kind.replace("_", " "))
        for j, (role, name, share) in enumerate(bars):
            wide = room * share / scale
            tip = f"{kind}, {name}: {percent(share)}"
            plot.bar(0, y + 6 + 14 * j, (max(1.5, wide), 11), role, tip)
            plot.text(max(1.5, wide) + 5, y + 16 + 14 * j, percent(share), "small")
    spoken = "; ".join(
        f"{kind}: {', '.join(f'{name} {percent(share)}' for _, name, share in bars)}"
        for kind, bars in rows
    )
    return plot.svg(f"{title}. {spoken}.")


def window(count: int) -> int:
    """Rounds in the running mean: an odd number, about a tenth of all."""
    return 1 if count < SMOOTH_FROM else max(3, count // 10 | 1)


def running_mean(values: Sequence[float | None], width: int) -> list[float | None]:
    """Centred mean over ``width`` values; fewer at the ends, and None where all are None.

    Example:
        >>> running_mean([1.0, None, 3.0, 5.0], 3)
        [1.0, 2.0, 4.0, 4.0]
    """
    half, means = width // 2, []
    for i in range(len(values)):
        near = [v for v in values[max(0, i - half) : i + half + 1] if v is not None]
        means.append(sum(near) / len(near) if near else None)
    return means


def _known(steps: Sequence[int], values: Sequence[float | None]) -> list[tuple[int, float]]:
    return [(s, v) for s, v in zip(steps, values, strict=True) if v is not None]


def round_axis(plot: Plot, rounds: Rounds) -> None:
    """The horizontal axis of a chart over rounds: their numbers, and the minutes under them."""
    first, last = rounds.steps[0], rounds.steps[-1]
    pad = max(0.6, 0.03 * (last - first))
    plot.x_range = (first - pad, last + pad)
    round_ticks = ticks(first, last, ROUND_TICKS)
    shown = [round(t) for t in round_ticks if t == round(t) and first <= t <= last]
    if first + pad < min(shown, default=last + pad):
        shown.insert(0, first)
    minutes = dict(zip(rounds.steps, rounds.minutes, strict=True))
    times = [minutes.get(step) for step in shown]
    plot.x_axis(
        shown,
        [
            ("round", [str(s) for s in shown]),
            ("minute", ["" if m is None else f"{m:.1f}" for m in times]),
        ],
    )

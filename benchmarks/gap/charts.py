"""The charts of the gap's page, in the palette of the report; see `corgi_gym.benchmarks.svg`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corgi_gym.benchmarks.svg import Plot, percent, percent_tick, ticks

WIDTH, HEIGHT = 440, 330
ROLES = ("before", "after", "third", "fourth")
# A number with the ends of its interval, as ``gap.json`` has it; None where there is none.
Number = dict[str, float] | None


@dataclass(frozen=True, slots=True)
class Line:
    """A named line: a number per place on the horizontal axis."""

    name: str
    role: str
    values: Sequence[Number]


def said(value: Number) -> str:
    """A share with its interval, in words.

    Example:
        >>> said({"value": 0.25, "low": 0.125, "high": 0.5})
        '25.0% (12.5 to 50.0)'
    """
    if value is None:
        return "–"
    return f"{percent(value['value'])} ({100 * value['low']:.1f} to {100 * value['high']:.1f})"


def rule_chart(title: str, rows: Sequence[tuple[str, Number]]) -> str:
    """One dot with its interval per rule, and a line at zero."""
    known = [value for _, value in rows if value is not None]
    plot = Plot(title, (WIDTH, 62 + 40 * len(rows)))
    low = min([0.0, *(v["low"] for v in known)])
    high = max([0.01, *(v["high"] for v in known)])
    marks = ticks(low, high)
    plot.x_range = (marks[0], marks[-1])
    plot.line([(plot.x(0.0), plot.top - 14), (plot.x(0.0), plot.floor)], "rule")
    for i, (rule, value) in enumerate(rows):
        y = 44 + 40 * i
        plot.text(0, y, f"{rule}: {said(value)}")
        if value is not None:
            ends = [(plot.x(value["low"]), y + 14), (plot.x(value["high"]), y + 14)]
            plot.line(ends, "whisker after")
            plot.dot(plot.x(value["value"]), y + 14, "dot after", f"{rule}: {said(value)}")
    plot.x_axis(marks, [("", [percent_tick(m) for m in marks])])
    return plot.svg(f"{title}. " + "; ".join(f"{rule}: {said(value)}" for rule, value in rows))


def line_chart(title: str, measure: str, axis: tuple[str, Sequence[str]], lines: list[Line]) -> str:
    """Lines with intervals over named places, evenly spaced."""
    plot = Plot(title, (WIDTH, HEIGHT))
    plot.legend([(line.role, line.name) for line in lines])
    places = range(len(axis[1]))
    plot.x_range = (-0.4, len(places) - 0.6)
    known = [v for line in lines for v in line.values if v is not None]
    low, high = min([0.0, *(v["low"] for v in known)]), max([0.05, *(v["high"] for v in known)])
    plot.y_axis(ticks(low, high), measure, percent_tick)
    plot.x_axis(places, [(axis[0], axis[1])])
    for number, line in enumerate(lines):
        shift = 5 * (number - (len(lines) - 1) / 2)
        spots = []
        for place, value in zip(places, line.values, strict=True):
            if value is None:
                continue
            x, y = plot.x(place) + shift, plot.y(value["value"])
            spots.append((x, y))
            ends = [(x, plot.y(value["low"])), (x, plot.y(value["high"]))]
            plot.line(ends, f"whisker {line.role}")
            plot.dot(x, y, f"dot {line.role}", f"{line.name}, {axis[1][place]}: {said(value)}")
        plot.line(spots, f"line {line.role}")
    spoken = "; ".join(f"{li.name}: {', '.join(map(said, li.values))}" for li in lines)
    return plot.svg(f"{title}, {measure}, by {axis[0]} {', '.join(axis[1])}. {spoken}.")


def shown_rounds(rounds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many rounds as there are colours: the first, the last, and some between them.

    Example:
        >>> [row["round"] for row in shown_rounds([{"round": i} for i in range(8)])]
        [0, 2, 5, 7]
    """
    if len(rounds) <= len(ROLES):
        return list(rounds)
    last = len(ROLES) - 1
    return [rounds[round(i * (len(rounds) - 1) / last)] for i in range(len(ROLES))]

"""Drawing plain SVG text: palette, axes and marks; no plotting library, script or external font.

Written by hand so that one picture follows the page (dark mode, phone width, print), stands alone
as a file, and can be read out: every chart carries its message as ``aria-label`` and every mark
its value as a tooltip. Colours are those of Okabe and Ito (2008), "Color universal design", which
stay apart under all common forms of colour blindness; line style and marker tell them apart too.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from html import escape

# Light-mode values. The page overrides them in dark mode; a stand-alone file has them written in.
PALETTE = {
    "--ink": "#1f2328",
    "--muted": "#59636e",
    "--rule": "#d8dde3",
    "--paper": "#ffffff",
    "--c-before": "#d55e00",  # vermillion
    "--c-after": "#0072b2",  # blue
    "--c-third": "#00795a",  # bluish green, a shade darker: 4.5:1 on white
    "--c-fourth": "#a8518a",  # reddish purple, likewise
}
STYLE = """
.chart text { font: 13px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif;
  fill: var(--ink); }
.chart .title { font-size: 15px; font-weight: 600; }
.chart .small { font-size: 12px; fill: var(--muted); }
.chart .rule { stroke: var(--rule); stroke-width: 1; }
.chart .axis { stroke: var(--muted); stroke-width: 1; }
.chart .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.chart .dot { stroke-width: 2; }
.chart .whisker { fill: none; stroke-width: 1.6; }
.chart .before { stroke: var(--c-before); fill: var(--c-before); }
.chart .after { stroke: var(--c-after); fill: var(--c-after); }
.chart .third { stroke: var(--c-third); fill: var(--c-third); }
.chart .fourth { stroke: var(--c-fourth); fill: var(--c-fourth); }
.chart .line, .chart .whisker { fill: none; }
.chart .others { stroke: var(--muted); stroke-width: 1; opacity: .45; }
.chart .bar { stroke: none; }
.chart text.before, .chart text.after { font-weight: 600; paint-order: stroke; stroke: var(--paper);
  stroke-width: 3px; }
.chart .before.line { stroke-dasharray: 6 4; }
.chart .third.line { stroke-dasharray: 2 3; }
.chart .fourth.line { stroke-dasharray: 10 3 2 3; }
.chart .reference { stroke: var(--ink); stroke-width: 1.4; stroke-dasharray: 1 4; opacity: .8; }
.chart circle.before { fill: var(--paper); }
.chart circle.faint { opacity: .38; stroke: none; }
.chart circle.before.faint { fill: var(--c-before); }
"""

# Blank border of a stand-alone picture, in pixels.
MARGIN = 14
# Between pictures of one sheet.
_GAP = 24


def percent(value: float) -> str:
    """A share as text: ``0.457`` is ``45.7%``."""
    return f"{100 * value:.1f}%"


def percent_tick(value: float) -> str:
    """A share as an axis value: ``0.25`` is ``25%``."""
    return f"{100 * value:.3g}%"


def short(value: float) -> str:
    """A number in at most about five characters.

    Example:
        >>> short(12345.6), short(999_999), short(31.4), short(0.0234), short(0.0)
        ('12.3k', '1M', '31.4', '0.023', '0')
    """
    if value == 0:
        return "0"
    size = abs(value)
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        # three digits of a little less are a thousand of the unit below
        if size >= (unit if name == "k" else 0.9995 * unit):
            return f"{value / (1e3 if name == 'k' else unit):.3g}{name}"
    if size >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if size >= 1 else f"{value:.2g}"


def wrapped(text: str, most: int) -> list[str]:
    """A name in lines of at most ``most`` characters: all of it, broken at spaces where it can.

    Example:
        >>> wrapped("a long name · silent", 12)
        ['a long name', '· silent']
    """
    return textwrap.wrap(text, most) or [""]


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from ``low`` or below to ``high`` or above, about ``count`` of them.

    Example:
        >>> ticks(0.0, 0.62)
        [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    span = (high - low) or abs(high) or 1.0
    rough = span / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


class Plot:
    """An SVG under construction: a title, a legend, two axes, and marks in data coordinates."""

    TOP, LEFT, RIGHT = 46, 58, 14
    # Width of a character of a title, and height of its line.
    TITLE_CHAR, TITLE_LINE = 8.2, 19

    def __init__(self, title: str, size: tuple[int, int], axis_rows: int = 1) -> None:
        self.width, self.height = size
        lines = wrapped(title, max(1, int(self.width / self.TITLE_CHAR)))
        # a title of several lines moves all else down, and the picture is as much higher
        self.down = self.TITLE_LINE * (len(lines) - 1)
        self.height += self.down
        self.top, self.floor = self.TOP + self.down, self.height - 8 - 16 * axis_rows
        self.parts: list[str] = []
        self.x_range = self.y_range = (0.0, 1.0)
        for depth, line in enumerate(lines):
            self.text(0, 16 + self.TITLE_LINE * depth, line, "title")

    def x(self, value: float) -> float:
        """Horizontal pixel of a data value."""
        return self._scale(value, self.x_range, self.LEFT, self.width - self.RIGHT)

    def y(self, value: float) -> float:
        """Vertical pixel of a data value."""
        return self._scale(value, self.y_range, self.floor, self.top)

    @staticmethod
    def _scale(value: float, span: tuple[float, float], start: float, end: float) -> float:
        low, high = span
        return start + (value - low) / ((high - low) or 1.0) * (end - start)

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "start") -> None:
        """Text at a pixel position."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def line(self, points: Iterable[tuple[float, float]], css: str) -> None:
        """A line through pixel positions."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" class="{css}"/>')

    def dot(self, x: float, y: float, css: str, tip: str, radius: float = 4) -> None:
        """A marker with a tooltip, at a pixel position."""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{css}">'
            f"<title>{escape(tip)}</title></circle>"
        )

    def bar(
        self,
        left: float,
        top: float,
        size: tuple[float, float],
        css: str,
        tip: str,
        shade: float = 1.0,
    ) -> None:
        """A filled rectangle with a tooltip, in pixels; ``shade`` is its opacity."""
        wide, high = (max(0.0, v) for v in size)
        self.parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}" '
            f'class="bar {css}" fill-opacity="{shade:.2f}"><title>{escape(tip)}</title></rect>'
        )

    def legend(self, entries: Sequence[tuple[str, str]], bars: bool = False) -> None:
        """Names with their marks, in one row under the title; each is (role, name)."""
        self.top += 22
        x = 0.0
        for role, name in entries:
            if bars:
                self.bar(x, 27 + self.down, (20, 11), role, name)
            else:
                self.line([(x, 33 + self.down), (x + 22, 33 + self.down)], f"line {role}")
            self.text(x + 28, 37 + self.down, name)
            x += 28 + 6.9 * len(name) + 16

    def y_axis(
        self, values: Sequence[float], label: str, form: Callable[[float], str], headroom: int = 0
    ) -> None:
        """Horizontal grid lines with their values, and what they measure, above them.

        ``headroom`` pixels stay free between the two.
        """
        self.text(0, self.top - 11, label, "small")
        self.top += headroom
        self.y_range = (values[0], values[-1])
        for value in values:
            y = self.y(value)
            self.line([(self.LEFT, y), (self.width - self.RIGHT, y)], "rule")
            self.text(self.LEFT - 6, y + 4, form(value), "small", "end")

    def x_axis(self, values: Sequence[float], rows: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Rows of names under the chart; each row starts with what its names count."""
        y = self.floor
        self.line([(self.LEFT, y), (self.width - self.RIGHT, y)], "axis")
        for depth, (label, names) in enumerate(rows):
            row = y + 17 + 16 * depth
            self.text(self.LEFT - 6, row, label, "small", "end")
            for value, name in zip(values, names, strict=True):
                self.text(self.x(value), row, name, "small", "middle")

    def svg(self, label: str) -> str:
        """The finished picture; ``label`` says in words what it shows."""
        return (
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {self.width} {self.height}" aria-label="{escape(label)}">'
            + "".join(self.parts)
            + "</svg>"
        )


def size_of(svg: str) -> tuple[int, int]:
    """Width and height that a finished picture was drawn at, in pixels.

    Example:
        >>> size_of(Plot("x", (300, 80)).svg("a picture"))
        (300, 80)
    """
    found = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    assert found is not None
    return int(found[1]), int(found[2])


def sheet(pictures: Sequence[str], label: str, columns: int = 3) -> str:
    """Pictures in rows as one picture; ``label`` says in words what they show."""
    sizes = [size_of(picture) for picture in pictures]
    wide = max(width for width, _ in sizes) + _GAP
    high = max(height for _, height in sizes) + _GAP
    placed = [
        picture.replace("<svg", f'<svg x="{x}" y="{y}" width="{width}" height="{height}"', 1)
        for i, (picture, (width, height)) in enumerate(zip(pictures, sizes, strict=True))
        for x, y in [(wide * (i % columns), high * (i // columns))]
    ]
    whole = wide * min(columns, len(pictures)) - _GAP, high * -(-len(pictures) // columns) - _GAP
    return (
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {whole[0]} {whole[1]}" aria-label="{escape(label)}">{"".join(placed)}</svg>'
    )


def standalone(svg: str) -> str:
    """The same picture as a file: a white margin, and style and colours written in."""
    style = re.sub(r"var\((--[\w-]+)\)", lambda m: PALETTE[m[1]], STYLE)
    width, height = size_of(svg)
    wide, high = width + 2 * MARGIN, height + 2 * MARGIN
    box = f'viewBox="{-MARGIN} {-MARGIN} {wide} {high}" width="{wide}" height="{high}"'
    head, marks = svg.replace(f'viewBox="0 0 {width} {height}"', box, 1).split(">", 1)
    paper = f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{wide}" height="{high}" fill="#fff"/>'
    return f"{head}><style>{style}</style>{paper}{marks}"

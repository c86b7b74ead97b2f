"""Line plots as SVG files for the docs: readable by a screen reader, on light and on dark.

line_plot(Path("docs/plots/units.svg"), "Units by size", "tickets", "units", {"list page": [(1000, 4.5), …]})
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 216, 44, 56
LOG_FROM = 30.0
"""Sizes that span more than this factor are drawn on a logarithmic axis."""
MAX_TICKS = 6
LABEL_GAP = 15.0
DASHES = ("", "6 3", "2 3", "9 3 2 3")
LIGHT = ("#0b57d0", "#b3261e", "#146c2e", "#7b1fa2", "#8a5300", "#00687a", "#5f6368", "#ad1457")
DARK = ("#8ab4f8", "#f28b82", "#81c995", "#d7aefb", "#fdd663", "#78d9ec", "#bdc1c6", "#ff8bcb")


def line_plot(path: Path, title: str, x_label: str, y_label: str, series: Mapping[str, Points]) -> None:
    """Write one SVG: a line a series, named at its end; the same input gives the same file.

    The figures themselves are in the description, for those who cannot see the lines.
    """
    drawn = {name: sorted(points) for name, points in series.items() if points}
    if not drawn:
        raise ValueError("nothing to plot")
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    across = _Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    ticks = _ticks(max(ys))
    up = _Axis(0.0, max(*ys, ticks[-1]), HEIGHT - BOTTOM, TOP, logarithmic=False)
    parts = [_head(title, _described(drawn, x_label, y_label)), _style(len(drawn)), _frame(title, x_label, y_label)]
    parts += [_y_tick(value, up.at(value)) for value in ticks]
    parts += [_x_tick(value, across.at(value)) for value in _some(sorted(set(xs)))]
    ends = _apart([(up.at(points[-1][1]), n) for n, points in enumerate(drawn.values())])
    for n, (name, points) in enumerate(drawn.items()):
        parts.append(_line(n, [(across.at(x), up.at(y)) for x, y in points], name, ends[n]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


class _Axis:
    """From a value to a place on the paper."""

    def __init__(self, low: float, high: float, start: float, end: float, logarithmic: bool | None = None) -> None:
        self._log = low > 0 and high / low >= LOG_FROM if logarithmic is None else logarithmic
        self._low, self._high = (math.log(low), math.log(high)) if self._log else (low, high)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        along = math.log(value) if self._log else value
        span = self._high - self._low
        share = (along - self._low) / span if span else 0.5
        return self._start + (self._end - self._start) * share


def _ticks(high: float) -> list[float]:
    """0 and round steps up to the first at or above ``high``."""
    if high <= 0:
        return [0.0, 1.0]
    rough = high / MAX_TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
    return [round(step * n, 10) for n in range(math.ceil(high / step) + 1)]


def _some(values: Sequence[float]) -> Sequence[float]:
    every = math.ceil(len(values) / MAX_TICKS)
    return values[::every]


def _apart(wanted: list[tuple[float, int]]) -> dict[int, float]:
    """Where the names stand: beside the end of their line, but not on top of each other."""
    order = sorted(wanted)
    lowest = TOP - LABEL_GAP
    places = [lowest := max(y, lowest + LABEL_GAP) for y, _ in order]
    limit = HEIGHT - BOTTOM + LABEL_GAP
    for at in range(len(places) - 1, -1, -1):  # too many at the bottom: up again
        limit = places[at] = min(places[at], limit - LABEL_GAP)
    return {n: place for (_, n), place in zip(order, places, strict=True)}


def number(value: float) -> str:
    """1000000 → "1 M", 10000 → "10 k", 2.50 → "2.5"."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {letter}"
    return f"{round(value, 2):g}"


def _described(series: Mapping[str, Points], x_label: str, y_label: str) -> str:
    lines = (f"{name}: {', '.join(f'{number(y)} at {number(x)}' for x, y in each)}" for name, each in series.items())
    return f"{y_label} by {x_label}. {'; '.join(lines)}."


def _head(title: str, description: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="title description">\n<title id="title">{escape(title)}</title>\n'
        f'<desc id="description">{escape(description)}</desc>'
    )


def _style(count: int) -> str:
    def colours(palette: Sequence[str]) -> str:
        return " ".join(
            f".s{n}{{stroke:{palette[n % len(palette)]}}} .t{n}{{fill:{palette[n % len(palette)]}}}"
            for n in range(count)
        )

    return (
        "<style>text{font:12px system-ui,sans-serif;fill:#3c4043} .title{font-size:15px;font-weight:600} "
        "rect{fill:#fff} .grid{stroke:#dadce0} .line{fill:none;stroke-width:2} "
        f"{colours(LIGHT)} @media (prefers-color-scheme:dark){{text{{fill:#e8eaed}} rect{{fill:#202124}} "
        f".grid{{stroke:#5f6368}} {colours(DARK)}}}</style>"
    )


def _frame(title: str, x_label: str, y_label: str) -> str:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8"/>\n'
        f'<text class="title" x="16" y="24">{escape(title)}</text>\n'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_label)}</text>\n'
        f'<text transform="translate(18 {middle:g}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
    )


def _y_tick(value: float, y: float) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
    )


def _x_tick(value: float, x: float) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{number(value)}</text>'


def _line(n: int, places: Sequence[tuple[float, float]], name: str, label_y: float) -> str:
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dash = f' stroke-dasharray="{DASHES[n // len(LIGHT) % len(DASHES)]}"' if n >= len(LIGHT) else ""
    dots = "".join(f'<circle class="t{n}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
    return (
        f'<path class="line s{n}" d="{path}"{dash}/>{dots}'
        f'<text class="t{n}" x="{places[-1][0] + 10:.1f}" y="{label_y + 4:.1f}">{escape(name)}</text>'
    )

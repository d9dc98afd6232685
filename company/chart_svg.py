"""Small drawings as inline SVG: scales, axes and marks. Colours are CSS classes, so that light and dark both work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from company.markup import Html, el
from company.wording import number


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values to pixels; a domain of no width maps to the middle."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        if self.high <= self.low:
            return (self.start + self.stop) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values inside [low, high], about so many: steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    raw = (high - low) / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def svg(width: float, height: float, *children: Html, label: str) -> Html:
    """A drawing that scales down to the page; `label` is read to those who cannot see it."""
    return el(
        "svg", *children, viewBox=f"0 0 {width:.0f} {height:.0f}", width=float(width), role="img", aria_label=label,
        xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip


def label(x: float, y: float, words: str, class_: str = "tick", anchor: str = "start") -> Html:
    """A line of text whose baseline is at (x, y)."""
    return el("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def axes(x: Scale, y: Scale, x_title: str, y_title: str) -> list[Html]:
    """Grid lines with their values, and what the axes mean."""
    parts = [label(x.start, y.stop - 12, y_title, "axis"), label(x.stop, y.start + 36, x_title, "axis", "end")]
    for value in ticks(y.low, y.high):
        parts.append(el("line", x1=x.start, x2=x.stop, y1=y(value), y2=y(value), class_="grid"))
        parts.append(label(x.start - 8, y(value) + 4, number(value + 0.0), anchor="end"))
    for value in ticks(x.low, x.high, 8):
        parts.append(label(x(value), y.start + 18, number(value), anchor="middle"))
    return parts


def steps_path(points: Sequence[tuple[float, float]], until: float) -> str:
    """Path data of a curve that holds each value until the next, the last one up to x = `until`."""
    if not points:
        return ""
    moves = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    moves += [f"H{px:.1f}V{py:.1f}" for px, py in points[1:]]
    return "".join([*moves, f"H{max(until, points[-1][0]):.1f}"])


def mark(shape: str, x: float, y: float, size: float, class_: str, title: str) -> Html:
    """A dot, cross, square, triangle or diamond centred at (x, y), with words for whoever points at it."""
    hint = el("title", title)
    if shape == "dot":
        return el("circle", hint, cx=x, cy=y, r=size, class_=class_)
    return el("path", hint, d=_SHAPES[shape].format(**_corners(x, y, size)), class_=class_)


def _corners(x: float, y: float, size: float) -> dict[str, str]:
    at = {"x": x, "y": y, "l": x - size, "r": x + size, "t": y - size, "b": y + size}
    return {name: f"{value:.1f}" for name, value in at.items()}


_SHAPES = {
    "cross": "M{l} {t}L{r} {b}M{r} {t}L{l} {b}",
    "square": "M{l} {t}H{r}V{b}H{l}Z",
    "triangle": "M{l} {b}H{r}L{x} {t}Z",
    "diamond": "M{x} {t}L{r} {y}L{x} {b}L{l} {y}Z",
}

"""The research so far in one picture: every measured proposal, the confirmed best, the baseline and its noise."""

from __future__ import annotations

from collections.abc import Sequence

from company.entities import Experiment
from company.snapshot import Snapshot
from company.standing import better_by, champion_is_baseline, champion_metric
from company.state import State
from company.wording import number, plain, span
from tui.draw.braille import AXIS, DOTS
from tui.draw.ink import Line, Span, clip, fit, line

WORST = 2.5  # what is that many times as far below the baseline as the best is above it lies on the edge


def draw_progress(shot: Snapshot, room: int, height: int) -> list[Line]:
    """Company time across, the metric upwards, the better the higher; `height` lines in all."""
    state = shot.state
    measured = [e for e in state.experiments.values() if e.metric is not None and e.purpose in ("baseline", "proposal")]
    wide, tall = room - AXIS - 1, height - 2
    if not measured or wide < 16 or tall < 3:
        return [line(("nothing is measured yet", "faint"))]
    low, high = _range(state, measured)
    grid: list[list[tuple[int, str]]] = [[(0, "")] * wide for _ in range(tall)]
    end = max(shot.at, 1e-9)

    def x(at: float) -> int:
        return min(wide * 2 - 1, max(0, round(at / end * (wide * 2 - 1))))

    def y(loss: float) -> int:
        return min(tall * 4 - 1, max(0, round((min(max(loss, low), high) - low) / (high - low) * (tall * 4 - 1))))

    rows = _ground(state, wide, tall, y)
    for e in measured:
        _dot(
            grid,
            x(e.finished_at or 0.0),
            y(state.loss(e.metric or 0.0)),
            "busy" if e.purpose == "proposal" else "muted",
        )
    _steps(state, grid, x, y)
    lines = []
    for index in range(tall):
        value = low + (high - low) * (index + 0.5) / tall
        label = number(value * state.metric.sign, 3) if index in (0, tall - 1) else ""
        lines.append(
            ((fit(label, AXIS, right=True), "faint"), ("┤" if label else "│", "line"), *_row(grid[index], rows[index]))
        )
    ends = "0:00", span(end)
    axis = " " * (AXIS + 1) + ends[0] + " " * max(1, wide - len(ends[0]) - len(ends[1])) + ends[1]
    return [clip(_title(state), room), *lines, line((axis, "faint"))]


def _title(state: State) -> Line:
    name = f"{plain(state.metric.name, 40)}, better is up   "
    by = better_by(state, champion_metric(state), state.baseline_mean)
    spans: list[Span] = [
        (name, "muted"),
        ("• ", "busy"),
        ("proposals  ", "muted"),
        ("━ ", "good"),
        ("confirmed best ", "muted"),
    ]
    if by is not None and not champion_is_baseline(state):
        spans.append((f"{by:+.1f}σ  ", "good"))
    return (*spans, ("░ ", "faint"), ("baseline ±2σ", "muted"))


def _range(state: State, measured: Sequence[Experiment]) -> tuple[float, float]:
    losses = [state.loss(e.metric or 0.0) for e in measured] + [state.loss(value) for _, value in state.trail]
    base = state.loss(state.baseline_mean if state.baseline_mean is not None else measured[0].metric or 0.0)
    best = min(losses)
    room = max(WORST * (base - best), 6 * state.sigma, abs(base) * 1e-6, 1e-9)
    worst = min(max(*losses, base + 3 * state.sigma), base + room)
    pad = 0.05 * (worst - best) or abs(best) * 0.05 or 1.0
    return best - pad, worst + pad


def _ground(state: State, wide: int, tall: int, y) -> list[Span]:
    """What lies behind the dots of each row: the band of noise around the baseline."""
    if state.baseline_mean is None or state.sigma <= 0:
        return [(" ", "")] * tall
    base = state.loss(state.baseline_mean)
    top, bottom = y(base - 2 * state.sigma) // 4, y(base + 2 * state.sigma) // 4
    return [("░", "line") if top <= index <= bottom else (" ", "") for index in range(tall)]


def _steps(state: State, grid: list[list[tuple[int, str]]], x, y) -> None:
    """The confirmed best as steps, over everything else."""
    points = [(x(at), y(state.loss(value))) for at, value in state.trail]
    ends = [*(px for px, _ in points[1:]), len(grid[0]) * 2 - 1] if points else []
    for index, ((start, level), stop) in enumerate(zip(points, ends, strict=True)):
        for px in range(start, stop + 1):
            _dot(grid, px, level, "good b")
        if index + 1 < len(points):
            for py in range(min(level, points[index + 1][1]), max(level, points[index + 1][1]) + 1):
                _dot(grid, stop, py, "good b")


def _dot(grid: list[list[tuple[int, str]]], x: int, y: int, style: str) -> None:
    mask, was = grid[y // 4][x // 2]
    grid[y // 4][x // 2] = mask | DOTS[x % 2][y % 4], was if was.startswith("good") else style


def _row(cells: Sequence[tuple[int, str]], ground: Span) -> Line:
    spans: list[Span] = []
    for mask, style in cells:
        char, shown = (chr(0x2800 + mask), style) if mask else ground
        if spans and spans[-1][1] == shown:
            spans[-1] = spans[-1][0] + char, shown
        else:
            spans.append((char, shown))
    return tuple(spans)

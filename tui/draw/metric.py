"""One metric on a scale: against the baseline, the champion and its own fresh seeds, with the band of noise."""

from __future__ import annotations

from company.entities import Experiment
from company.snapshot import Snapshot
from company.standing import better_by, champion_metric
from company.wording import number, plain
from tui.draw.ink import Line, Span, line
from tui.draw.page import fact

BAND = 2.0  # sigmas on either side


def metric_lines(shot: Snapshot, experiment: Experiment, room: int) -> list[Line]:
    """What was measured, what was expected, and where it lies."""
    state, unit = shot.state, plain(shot.state.metric.unit, 20)
    if experiment.metric is None:
        expected = f"expects {number(experiment.predicted)} {unit}" if experiment.predicted is not None else ""
        return [fact("metric", ("not measured", "muted"), f"  {expected}")]
    lines = [fact("metric", (number(experiment.metric), "strong b"), f" {unit}", (_expected(experiment), "muted"))]
    if experiment.purpose == "closing":
        return [*lines, fact("", ("measured on the holdout: not to be compared with the others", "muted"))]
    for name, than in (("champion", champion_metric(state)), ("baseline", state.baseline_mean)):
        by = better_by(state, experiment.metric, than)
        if by is not None:
            style = "good" if by > BAND else "bad" if by < -BAND else "text"
            word = "better" if by > 0 else "worse"
            inside = ", inside the noise" if abs(by) <= BAND else ""
            lines.append(fact(f"· {name}", number(than), (f"  {abs(by):.1f}σ {word}{inside}", style)))
    return [*lines, *_scale(shot, experiment, room)]


def _expected(experiment: Experiment) -> str:
    return f"  (expected {number(experiment.predicted)})" if experiment.predicted is not None else ""


def _scale(shot: Snapshot, experiment: Experiment, room: int) -> list[Line]:
    """Two lines: marks on an axis from better to worse, and what they are."""
    state = shot.state
    champion, base, own = champion_metric(state), state.baseline_mean, experiment.metric
    if champion is None or base is None or own is None or state.sigma <= 0 or room < 24:
        return []
    seeds = [state.loss(value) for value in state.fresh_values(experiment.id)]
    losses = [state.loss(value) for value in (champion, base, own)]
    low, high = min(*losses, *seeds) - 3 * state.sigma, max(*losses[:2], *seeds) + 3 * state.sigma
    high = max(high, min(losses[2], high + (high - low)) + state.sigma)

    def at(loss: float) -> int:
        return min(room - 1, max(0, round((loss - low) / (high - low) * (room - 1))))

    marks: list[Span] = [("─", "line")] * room
    for x in range(at(losses[0] - BAND * state.sigma), at(losses[0] + BAND * state.sigma) + 1):
        marks[x] = "▒", "faint"
    for loss in seeds:
        marks[at(loss)] = "○", "busy"
    marks[at(losses[1])], marks[at(losses[0])] = ("┃", "muted"), ("★", "good b")
    marks[at(losses[2])] = ("▶" if losses[2] > high else "●"), "strong b"
    legend = line(("● this  ", "strong"), ("★ champion ", "good"), ("▒ ±2σ  ", "muted"), ("┃ baseline", "muted"))
    if seeds:
        legend = (*legend, ("  ○ fresh seeds", "busy"))
    return [line(("better", "faint"), (" " * max(1, room - 11), ""), ("worse", "faint")), tuple(marks), legend]

"""The figure of a run: every experiment as a mark over company time, and the confirmed best against the noise band."""

from __future__ import annotations

from collections.abc import Iterator

from company import events as ev
from company.account import Account
from company.chart_svg import Scale, axes, label, mark, steps_path, svg
from company.entities import Experiment
from company.markup import Html, el, join
from company.standing import champion_metric
from company.state import State
from company.wording import number, plain

WIDTH, HEIGHT = 1040, 430
LEFT, RIGHT, TOP, BOTTOM = 64, 110, 34, 44
RAIL = 20  # height of a row of marks for what has no metric
WORST = 0.35  # how much of the height goes to what is worse than the baseline

UNMEASURED = {"stopped": "square", "failed": "cross", "refused": "diamond"}


def curve(account: Account) -> Html | None:
    """The figure, None where nothing was measured. Closing runs are left out: another split, another scale."""
    state = account.state
    shown = [e for e in state.experiments.values() if e.purpose != "closing" and e.finished_at is not None]
    measured = [e.metric for e in shown if e.metric is not None]
    if not measured or state.baseline_mean is None:
        return None
    rails = [status for status in UNMEASURED if any(_row(e) == status for e in shown)]
    floor = HEIGHT - BOTTOM
    low, high = _range(state, [*measured, *(value for _, value in state.trail)])
    end = max(1e-9, *(e.finished_at or 0.0 for e in shown), state.trail[-1][0])
    x, y = Scale(0.0, end * 1.01, LEFT, WIDTH - RIGHT), Scale(low, high, floor, TOP)
    unit = plain(state.metric.unit, 20)
    better = "lower" if state.metric.direction == "min" else "higher"
    name = f"{plain(state.metric.name, 60)}{f' ({unit})' if unit else ''}, {better} is better"
    size = 4.0 if len(shown) < 150 else 2.8 if len(shown) < 600 else 1.8
    return svg(
        WIDTH, HEIGHT + RAIL * len(rails),
        *_band(state, x, y), *axes(x, y, "company time in reference seconds", name),
        *_references(state, x, y), *_rail_labels(x, y, rails),
        *(_dot(state, e, x, y, size, rails) for e in shown), *_claims(account, x, y),
        *_best(state, x, y), label=f"Best so far of {plain(state.chart.company)} on {name}",
    )  # fmt: skip


def legend() -> Html:
    """What the marks mean."""
    shapes = (
        ("dot", "run ok", "a run"), ("dot", "run base", "baseline run"),
        ("dot", "run again", "repeated on a fresh seed"), ("triangle", "run ok", "off the scale"),
        ("square", "run stopped", "stopped early"),
        ("cross", "run failed", "failed"), ("diamond", "confirmed", "claimed to confirmed: accepted"),
        ("diamond", "rejected", "claimed to confirmed: rejected"),
    )  # fmt: skip
    items = (
        el("span", el("svg", mark(shape, 7, 7, 4.5, style, words), width=14, height=14), words)
        for shape, style, words in shapes
    )
    best = el("svg", el("line", x1=1, x2=21, y1=7, y2=7, class_="best"), width=22, height=14)
    band = el("svg", el("rect", x=0, y=2, width=22, height=10, class_="band"), width=22, height=14)
    lines = el("span", best, "confirmed best"), el("span", band, "baseline ± 2 sigma")
    return el("p", *lines, *items, class_="legend")


def _range(state: State, values: list[float]) -> tuple[float, float]:
    """What the axis shows: all that is better than the baseline, and a limited part of what is worse."""
    base, sign = state.baseline_mean or 0.0, state.metric.sign
    best = min(sign * value for value in values)
    gain = sign * base - best
    room = max(gain * WORST / (1 - WORST), 6 * state.sigma, 1e-9)
    worst = min(max(sign * v for v in (*values, base + sign * 3 * state.sigma)), sign * base + room)
    pad = 0.05 * max(worst - best, 1e-9)
    low, high = sorted((sign * (best - pad), sign * (worst + pad)))
    return low, high


def _row(experiment: Experiment) -> str:
    return experiment.status if experiment.metric is None else ""


def _dot(state: State, e: Experiment, x: Scale, y: Scale, size: float, rails: list[str]) -> Html:
    kind = {"baseline": "base", "replication": "again"}.get(e.purpose, "ok")
    whose = f" of {e.proposer}" if e.proposer else ""
    at = x(e.finished_at or 0.0)
    if e.metric is None:
        row = y.start + BOTTOM + RAIL * rails.index(_row(e)) + RAIL / 2
        words = f"{e.id}{whose}: {e.status} {plain(e.failure or '', 40)}"
        return mark(UNMEASURED[_row(e)], at, row, size * 0.9, f"run {e.status}", words)
    words = f"{e.id}{whose}: {number(e.metric)} ({e.purpose})"
    inside = min(max(e.metric, y.low), y.high)
    return mark("dot" if inside == e.metric else "triangle", at, y(inside), size, f"run {kind}", words)


def _rail_labels(x: Scale, y: Scale, rails: list[str]) -> Iterator[Html]:
    for index, status in enumerate(rails):
        top = y.start + BOTTOM + RAIL * index
        yield el("line", x1=x.start, x2=x.stop, y1=top + RAIL / 2, y2=top + RAIL / 2, class_="grid")
        yield label(x.start - 8, top + RAIL / 2 + 4, status, anchor="end")


def _band(state: State, x: Scale, y: Scale) -> Iterator[Html]:
    base = state.baseline_mean or 0.0
    top, bottom = (y(min(max(base + k * state.sigma, y.low), y.high)) for k in (2, -2))
    yield el("rect", x=x.start, width=x.stop - x.start, y=top, height=max(1.0, bottom - top), class_="band")
    yield el("line", x1=x.start, x2=x.stop, y1=y(base), y2=y(base), class_="base-line")
    yield label(x.stop + 6, y(base) + 4, f"baseline {number(base)}", "note")


def _references(state: State, x: Scale, y: Scale) -> Iterator[Html]:
    for name, value in state.brief.get("references", {}).items():
        if y.low <= value <= y.high:
            yield el("line", x1=x.start, x2=x.stop, y1=y(value), y2=y(value), class_="reference")
            yield label(x.start + 6, y(value) - 4, f"{plain(name, 20)} {number(value)}", "note")


def _claims(account: Account, x: Scale, y: Scale) -> Iterator[Html]:
    """From what was claimed to what fresh seeds confirmed, at the moment of the judgement."""
    for id_, (at, judged) in account.judged.items():
        if judged.metric is None or judged.n == 0:
            continue
        accepted = isinstance(judged, ev.ChampionChosen)
        ends = [min(max(value, y.low), y.high) for value in (judged.claimed, judged.metric)]
        style = "confirmed" if accepted else "rejected"
        words = f"{id_}: claimed {number(judged.claimed)}, on {judged.n} fresh {number(judged.metric)}"
        yield el("line", x1=x(at), x2=x(at), y1=y(ends[0]), y2=y(ends[1]), class_=f"claim {style}")
        yield mark("diamond", x(at), y(ends[1]), 5.0, style, words)


def _best(state: State, x: Scale, y: Scale) -> Iterator[Html]:
    points = [(x(at), y(min(max(value, y.low), y.high))) for at, value in state.trail]
    yield el("path", d=steps_path(points, x.stop), class_="best")
    if len(points) > 1 and abs(points[-1][1] - y(state.baseline_mean or 0.0)) > 14:
        yield join(
            label(x.stop + 6, points[-1][1] - 3, "champion", "note strong"),
            label(x.stop + 6, points[-1][1] + 11, number(champion_metric(state)), "note strong"),
        )

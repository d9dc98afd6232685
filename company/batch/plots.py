"""The pictures of a batch: arms, contrasts, performance profile, best so far. SVG and PNG, repeatable to the byte."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from company.batch.profiles import Curve
from company.batch.resampling import Interval
from company.batch.rows import AGENTS, CHAMPION, FOUND, Arm
from company.batch.statistics import Analysis
from company.wording import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Format = Literal["svg", "png"]

INK, RULE, BLUE = "#1c2024", "#d3d5d3", "#0072b2"
# Okabe & Ito's hues, told apart by the colour-blind; lines differ in their dashes too.
HUES = (BLUE, "#d55e00", "#009e73", "#cc79a7", "#b97a00", INK, "#8a9096")
DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)))
MOST = len(HUES)  # curves in one picture
BANDS = 4  # curves up to which all have their band: more would be mud
ROWS = 60  # arms in one picture
WIDTH = 8.6  # inches
LINE = 36  # characters of a name in one line

STATISTICS = {"iqm": "interquartile mean", "mean": "mean"}
UNIT = "regret of the champion: 0 the best there is, 1 a random draw"
PANELS = {CHAMPION: "champion", FOUND: "best found", AGENTS: "mean of the agents' own best"}

SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "loopworks", "svg.fonttype": "none", "text.parse_math": False, "font.family": "DejaVu Sans",
    "font.size": 9.5, "axes.edgecolor": RULE, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": RULE,
    "grid.linewidth": 0.6, "axes.axisbelow": True, "axes.titlesize": 11, "axes.titlelocation": "left",
    "legend.frameon": False, "savefig.transparent": False,
}  # fmt: skip


def pictures(analysis: Analysis) -> dict[str, Callable[[], Figure]]:
    """What there is to draw, by file name without its ending; call one within `look()`."""
    found: dict[str, Callable[[], Figure]] = {}
    if any(each.estimate is not None for each in analysis.summaries):
        found["arms"] = lambda: arms(analysis)
    if any(each.paired for each in analysis.contrasts):
        found["contrasts"] = lambda: contrasts(analysis)
    if any(curve.of == "profile" for curve in analysis.curves):
        found["profile"] = lambda: profile(analysis)
    if any(curve.of in PANELS for curve in analysis.curves):
        found["progress"] = lambda: progress(analysis)
    return found


def write(analysis: Analysis, folder: Path, formats: Sequence[Format] = ("svg", "png")) -> list[Path]:
    """Write every picture in every format into an existing folder; what was written, in order."""
    written = []
    for name in pictures(analysis):
        for form in formats:
            path = folder / f"{name}.{form}"
            path.write_bytes(drawn(analysis, name, form))
            written.append(path)
    return written


def drawn(analysis: Analysis, name: str, form: Format) -> bytes:
    """One picture of `pictures`, as bytes that depend on the analysis alone."""
    out = io.BytesIO()
    unknown = {"svg": dict.fromkeys(("Date", "Creator", "Format", "Type")), "png": {"Software": None}}[form]
    with look():
        pictures(analysis)[name]().savefig(out, format=form, dpi=144, metadata=unknown)
    return out.getvalue()


@contextmanager
def look() -> Iterator[None]:
    """The look of all pictures, whatever the user's own matplotlib settings are."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)  # pyright: ignore[reportCallIssue, reportArgumentType]
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font lacks
        yield


def arms(analysis: Analysis) -> Figure:
    """Estimate and interval of each arm, best on top; controls are hollow."""
    shown = [each for each in analysis.summaries if each.estimate is not None][:ROWS]
    figure, axes = _rows([_name(each.arm, analysis) for each in shown])
    for at, each in enumerate(shown):
        hollow = each.arm in analysis.controls
        _bar(axes, at, each.estimate or 0.0, each.interval, INK if hollow else BLUE, hollow)
    axes.set_xlabel(UNIT)
    axes.set_title(f"Arms: {STATISTICS[analysis.statistic]}, 95 % interval")
    return figure


def contrasts(analysis: Analysis) -> Figure:
    """Difference of each arm to the reference; left of zero is better."""
    shown = [(each.arm, each.paired) for each in analysis.contrasts if each.paired][:ROWS]
    figure, axes = _rows([_name(arm, analysis) for arm, _ in shown])
    axes.axvline(0.0, color=INK, linewidth=1)
    for at, (arm, pair) in enumerate(shown):
        hollow = arm in analysis.controls
        _bar(axes, at, pair.difference, pair.interval, INK if hollow else BLUE, hollow)
    axes.set_xlabel("difference of regret (0 the best there is, 1 a random draw)\nleft of 0 is better")
    words = f"{STATISTICS[analysis.statistic]}, paired 95 % interval"
    figure.suptitle(f"Against {plain(analysis.reference, 80)}\n{words}", x=0.01, ha="left", fontsize=11)
    return figure


def profile(analysis: Analysis) -> Figure:
    """Share of worlds that an arm ended in with at most so much regret; higher is better."""
    figure, (axes,) = _figure(WIDTH, 4.2, 1)
    _curves(axes, analysis, [curve for curve in analysis.curves if curve.of == "profile"])
    axes.set(ylim=(-0.02, 1.02), xlabel=UNIT, ylabel="share of worlds")
    axes.set_title("Share of worlds with at most so much regret, pointwise 95 % band")
    _legend(axes)
    return figure


def progress(analysis: Analysis) -> Figure:
    """Regret so far against slot-seconds, a panel for each trail that was kept."""
    kinds = [of for of in PANELS if any(curve.of == of for curve in analysis.curves)]
    figure, panels = _figure(WIDTH, 3.2 * len(kinds) + 0.8, len(kinds))
    for axes, of in zip(panels, kinds, strict=True):
        _curves(axes, analysis, [curve for curve in analysis.curves if curve.of == of])
        axes.set_ylabel("regret so far (1: a random draw)")
        axes.set_title(f"Best so far, {PANELS[of]}: {STATISTICS[analysis.statistic]}, pointwise 95 % band")
    _legend(panels[0])
    panels[-1].set_xlabel("slot-seconds")
    return figure


def _figure(width: float, height: float, panels: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(np.atleast_1d(figure.subplots(panels, 1, sharex=True)))


def _rows(names: Sequence[str]) -> tuple[Figure, Axes]:
    """A picture with a row for each name, as high as the name with the most lines needs."""
    n, lines = len(names), max((name.count("\n") + 1 for name in names), default=1)
    figure, (axes,) = _figure(WIDTH, 1.6 + (0.16 + 0.16 * lines) * n, 1)
    axes.set_ylim(n - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(n), names)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _bar(axes: Axes, at: int, value: float, interval: Interval, colour: str, hollow: bool) -> None:
    low, high = interval
    if low is not None and high is not None:
        axes.plot([low, high], [at, at], color=colour, linewidth=2.2, solid_capstyle="round", alpha=0.55)
    axes.plot([value], [at], "o", color=colour, markerfacecolor="#ffffff" if hollow else colour, markersize=6)


def _curves(axes: Axes, analysis: Analysis, curves: Sequence[Curve]) -> None:
    chosen = _chosen(analysis, [curve.arm for curve in curves])
    best = next((arm for arm in chosen if arm != analysis.reference), analysis.reference)
    banded = chosen if len(chosen) <= BANDS else [analysis.reference, best]
    for curve in sorted((c for c in curves if c.arm in chosen), key=lambda c: chosen.index(c.arm)):
        i = chosen.index(curve.arm)
        axes.plot(
            curve.x, curve.y, color=HUES[i], linestyle=DASHES[i], linewidth=1.8, drawstyle="steps-post",
            label=indent(_name(curve.arm, analysis), " "),  # a label that starts with _ would be left out
        )  # fmt: skip
        if curve.low is not None and curve.high is not None and curve.arm in banded:
            axes.fill_between(curve.x, curve.low, curve.high, color=HUES[i], alpha=0.13, linewidth=0, step="post")
    if len(banded) < len(chosen):
        axes.plot([], [], " ", label=" bands: the best and the reference")


def _chosen(analysis: Analysis, there: Sequence[Arm]) -> list[Arm]:
    """At most MOST arms to draw: the reference, up to two more controls, then the best; in order of summaries."""
    ranked = [each.arm for each in analysis.summaries if each.arm in there]
    controls = [arm for arm in ranked if arm in analysis.controls and arm != analysis.reference][:2]
    first = [analysis.reference, *controls]
    picked = {*first, *[arm for arm in ranked if arm not in first][: MOST - len(first)]}
    return [arm for arm in ranked if arm in picked]


def _legend(axes: Axes) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=3)


def _name(arm: Arm, analysis: Analysis) -> str:
    mark = " (control)" if arm in analysis.controls else ""
    return "\n".join(wrap(f"{plain(arm, 120)}{mark}", LINE))

"""The live panel of a run as one rich renderable that fits the terminal. Pure; agents' text is never markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from company.entities import Agent, Experiment
from company.standing import better_by, champion_is_baseline, champion_metric, doing, progress, score
from company.state import State
from company.wording import count, number, plain, span

BARS = "▁▂▃▄▅▆▇█"
ROLE_STYLES = {"manager": "magenta", "researcher": "green", "engineer": "cyan", "reviewer": "yellow"}
PHASES = {"founding": "measuring the baseline", "research": "research", "closing": "measuring the holdout"}
LABEL = 8
BAR = 16


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn: a founded company, the clock, and the news as (elapsed, line). Seconds throughout."""

    state: State
    elapsed: float
    left: float | None
    running: Mapping[str, float]  # experiment -> how long it has run
    news: Sequence[tuple[float, str]]


def waiting() -> RenderableType:
    """Before there is a company."""
    text = Text("Getting workers and data ready…", "dim", no_wrap=True)
    return Panel(text, box=ROUNDED, border_style="blue", title="loopworks", title_align="left")


def panel(scene: Scene, width: int, height: int) -> RenderableType:
    """The whole panel, at most `height` - 1 lines."""
    state = scene.state
    room = max(0, height - 1 - 2 - 5)  # borders; progress, best, and a line between the three parts
    slots = min(state.slots, max(1, room // 4))
    people = min(len(state.chart.positions), max(1, (room - slots) // 2))
    news = max(0, room - slots - people)
    parts = [
        _progress(scene, width),
        _best(state),
        Text(),
        _labelled("people", _people(state, people)),
        Text(),
        _labelled("slots", _slots(scene, slots)),
        Text(),
        _labelled("news", _news(scene, news)),
    ]
    return Panel(
        Group(*parts), box=ROUNDED, border_style="blue", title=_title(state), title_align="left",
        subtitle=Text("Ctrl-C stops; nothing recorded is lost", "dim"), subtitle_align="right", width=width,
    )  # fmt: skip


def _title(state: State) -> Text:
    company, project = plain(state.chart.company, 30), plain(state.brief["name"], 30)
    phase = PHASES.get(state.phase, state.phase)
    sandbox = f" · sandbox {plain(state.sandbox, 20)}" if state.sandbox else ""
    words = f" · seed {state.seed}{sandbox} · "
    return Text.assemble((company, "bold"), " on ", (project, "bold"), words, (phase, "blue"))


def _progress(scene: Scene, width: int) -> RenderableType:
    done = progress(scene.state)
    left = "" if scene.left is None else f", about {span(scene.left)} left"
    counts = {"founding": (done.founding, "baseline runs"), "closing": (done.closing, "closing runs")}
    (made, of), what = counts.get(scene.state.phase, (done.research, "experiments"))
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(width=LABEL)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True)
    words = Text(f"{made} of {of} {what}  {span(scene.elapsed)}{left}", no_wrap=True)
    bar = ProgressBar(total=1.0, completed=done.share, complete_style="blue", finished_style="green")
    row.add_row(Text("progress", "dim"), bar, words)
    return row


def _best(state: State) -> RenderableType:
    metric, unit = champion_metric(state), plain(state.metric.unit, 20)
    if metric is None:
        return _labelled("best", [[Text("the noise is measured first: nothing is judged without it", "dim")]])
    value = Text.assemble((number(metric), "bold"), f" {unit}  " if unit else "  ")
    by = better_by(state, metric, state.baseline_mean)
    if champion_is_baseline(state):
        value.append("the baseline; nothing better is confirmed yet", "dim")
    else:
        value.append(f"{by:.1f} sigma better" if by is not None else "better", "green")
        value.append(f" than the baseline, {number(state.baseline_mean)}  ")
        value.append(sparkline(steps(state, 16)), "blue")
    return _labelled("best", [[value]])


def steps(state: State, n: int) -> list[float]:
    """The champion's confirmed metric at `n` evenly spaced moments of research, the last one now."""
    if not state.trail:
        return []
    start, end = state.trail[0][0], max(state.now, state.trail[0][0])
    moments = [start + (end - start) * (i + 1) / n for i in range(n)]
    return [next(value for at, value in reversed(state.trail) if at <= moment + 1e-9) for moment in moments]


def sparkline(values: Sequence[float]) -> str:
    """Block characters, the lowest value lowest; a flat line where all are equal."""
    if not values:
        return ""
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((value - low) * scale)] for value in values)


def _people(state: State, most: int) -> list[list[Text]]:
    tasks, everyone = doing(state), state.active()
    shown = everyone
    if len(everyone) > most:
        first = sorted(everyone, key=lambda a: (a.id not in tasks, a.role != "researcher"))[: max(0, most - 1)]
        shown = [agent for agent in everyone if agent in first]
    rows = [_person(state, agent, tasks.get(agent.id, "")) for agent in shown]
    if len(everyone) > len(shown):
        rows.append([*[Text()] * 4, Text(f"and {len(everyone) - len(shown)} more", "dim")])
    return rows


def _person(state: State, agent: Agent, task: str) -> list[Text]:
    worth = score(state, agent)
    style = "bold red" if agent.status == "probation" else "bold"
    brain = "" if agent.brain.kind == "policy" else plain(agent.brain.kind, 16)
    note = {"probation": " on probation", "trial": " on trial"}.get(agent.status, "")
    return [
        Text(plain(agent.id, 16), style),
        Text(agent.role, ROLE_STYLES.get(agent.role, "")),
        Text(brain),
        Text(f"{count(agent.experiments, 'run')}, {worth.mean:+.2f}" if worth else "", "dim"),
        Text.assemble(task or ("waits", "dim"), (note, "red")),
    ]


def _slots(scene: Scene, most: int) -> list[list[RenderableType]]:
    rows: list[list[RenderableType]] = [_slot(scene, slot) for slot in range(min(most, scene.state.slots))]
    if scene.state.slots > most and rows:
        hidden = scene.state.slots - most + 1
        rows[-1] = [Text(""), Text(f"and {hidden} more slots, {len(scene.state.running)} busy in all", "dim")]
    return rows


def _slot(scene: Scene, slot: int) -> list[RenderableType]:
    state = scene.state
    name = Text(f"{plain(state.device, 8)} {slot}")
    if slot not in state.running:
        return [name, Text("free", "dim")]
    experiment = state.experiments[state.running[slot]]
    ran, expected = scene.running.get(experiment.id, 0.0), max(experiment.cost, 1e-9)
    bar = ProgressBar(total=expected, completed=min(ran, expected), width=BAR, complete_style="blue")
    return [name, Text(_job(experiment)), bar, Text(f"{ran:.1f} of about {expected:.1f} s")]


def _job(experiment: Experiment) -> str:
    whose = plain(experiment.proposer or "", 16)
    return {
        "proposal": f"{experiment.id} of {whose}",
        "replication": f"{experiment.id} repeats {experiment.parent}",
    }.get(experiment.purpose, f"{experiment.id} {experiment.purpose}")


def _news(scene: Scene, most: int) -> list[list[Text]]:
    latest = list(scene.news)[-most:] if most else []
    return [[Text(span(at), "dim"), _headline(line)] for at, line in latest]


def _headline(line: str) -> Text:
    marks = (("is confirmed", "green"), (" failed", "red"), ("probation", "red"), ("replaces", "magenta"))
    style = next((style for mark, style in marks if mark in line), "")
    return Text(line, style)


def _labelled(label: str, rows: Sequence[Sequence[RenderableType]]) -> RenderableType:
    """Rows of cells with a dim label before the first; where room is short the last column gives way."""
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    columns = max((len(row) for row in rows), default=1)
    for index in range(columns - 1):
        widths = [_width(row[index]) for row in rows if index < len(row) - 1 or len(row) == columns]
        grid.add_column(no_wrap=True, overflow="ellipsis", width=max(widths, default=1))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        grid.add_row(*row)
    outer = Table.grid(padding=(0, 1), expand=True)
    outer.add_column(width=LABEL)
    outer.add_column(ratio=1)
    outer.add_row(Text(label, "dim"), grid)
    return outer


def _width(cell: RenderableType) -> int:
    return cell.cell_len if isinstance(cell, Text) else BAR

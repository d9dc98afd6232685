"""What the tests of the dashboard share: ledgers written in a moment, by whole companies in company time."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

from textual.pilot import Pilot

from company.chart import BrainSpec, OrgChart
from company.chart_yaml import load_chart, save_chart
from company.compute.backend import Outcome
from company.engine import Engine, Step
from company.ledger import Ledger
from company.state import State
from company.testing import Decide, Rehearsal, Run, offline, planted_project, planted_trainer
from projects.spec import Project
from roles.intents import Intent
from roles.observation import Observation
from tui.app import Dashboard
from tui.screenshots import settle

FOUNDED = 1_700_000_000.0  # Unix seconds

HOSTILE = (
    "[bold]markup[/bold] [/] [link=file:///etc/passwd]x[/] [@click=app.quit]q[/]",
    "\x1b[31mred\x1b]0;title\x07 \r\n\t tail",
    "中文字幕テスト한국어 👩‍👩‍👧‍👦🏳️‍🌈 ﷽ wide",
    "e\u0301\u0302\u0303\u0304" * 40 + " combining",
    "\u202eevil\u2066right to left\u2069",
    "x" * 10_000,
    "'; DROP TABLE event; -- <script>alert(1)</script>",
    "",
)


def trainer(noise: float = 0.02) -> Callable[[Run], Outcome]:
    """The planted trainer with longer learning curves."""
    train = planted_trainer(noise)

    def longer(run: Run) -> Outcome:
        outcome = train(run)
        if outcome.metric is None:
            return outcome
        points = tuple((step, outcome.metric + 3 * math.exp(-6 * step / run.steps)) for step in _steps(run.steps))
        return Outcome("ok", metric=outcome.metric, curve=points)

    return longer


def _steps(steps: int) -> Sequence[int]:
    return sorted({max(1, math.ceil(steps * share / 40)) for share in range(1, 41)})


def chart_of(name: str = "startup", experiments: int = 12) -> OrgChart:
    """A shipped chart with another budget, and brains that decide in no time."""
    chart = load_chart(name)
    quick = BrainSpec(kind="hillclimb")
    seats = [p.model_copy(update={"brain": quick}) if p.role == "researcher" else p for p in chart.positions]
    chart = chart.model_copy(update={"positions": tuple(seats)})
    budget = chart.budget.model_copy(update={"experiments": experiments, "slot_seconds": None})
    return chart.model_copy(update={"budget": budget})


def rehearse(
    folder: Path, chart: OrgChart | None = None, *, slots: int = 2, seed: int = 0, steps: int = 100_000,
    decide: Decide = offline, project: Project | None = None, close: bool = True, left_open: bool = False,
    until: Callable[[State], bool] = lambda state: False,
) -> State:  # fmt: skip
    """Write the run directory of a company into `folder`, `steps` completions long at most, or `until` something holds.

    `left_open` leaves the session as a killed engine leaves it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiments").mkdir(exist_ok=True)
    (folder / "lock").touch()
    chart = chart or chart_of()
    save_chart(chart, folder / "chart.yaml")
    ledger = Ledger(folder / "ledger.sqlite", write=True)
    engine = Engine(project or planted_project())
    train = trainer()
    work = Rehearsal(engine, train, decide)
    clock = [FOUNDED]
    with patch("company.ledger.time.time", lambda: clock[0]):
        ledger.open_session("run", "test")
        step: Step | None = work.follow(engine.found(chart, seed, slots))
        for _ in range(steps):
            if step is None:
                break
            clock[0] = FOUNDED + engine.state.now
            if step.events:
                ledger.append(step.events, engine.state)
            if until(engine.state):
                break
            step = work.advance()
        for experiment in engine.state.experiments.values():
            if experiment.metric is not None:
                outcome = train(experiment)
                ledger.add_metrics(experiment.id, outcome.curve)
        if not left_open:
            ledger.close_session()
    if close:
        ledger.close()
    return engine.state


def hostile(state: State, observation: Observation) -> list[Intent]:
    """The offline policy with every free text replaced by something nasty."""
    found = []
    for index, intent in enumerate(offline(state, observation)):
        nasty = HOSTILE[(state.seq + index) % len(HOSTILE)]
        texts = {name: nasty for name in ("reason", "because", "target", "text") if name in type(intent).model_fields}
        found.append(intent.model_copy(update=texts))
    return found


@asynccontextmanager
async def opened(
    run: Path, tab: str = "org", size: tuple[int, int] = (120, 40), theme: str = "loopworks-dark"
) -> AsyncIterator[tuple[Dashboard, Pilot[None]]]:
    """The dashboard on a run, read to its end, with a tab open."""
    app = Dashboard(run, theme, tick=0.02)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        app.action_go(tab)
        await rest(app, pilot)
        yield app, pilot


async def rest(app: Dashboard, pilot: Pilot[None]) -> None:
    """Wait until nothing is under way any more."""
    await pilot.pause()
    for _ in range(500):
        if app.is_settled():
            break
        await pilot.pause(0.01)
    await pilot.pause()
    if app.workers:
        await app.workers.wait_for_complete()
        await pilot.pause()


def text_of(app: Dashboard) -> str:
    """Everything that is on the screen, as plain lines."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())

"""A real engine in another process, and one that answers when it is told to, for dashboards that step in."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from company import events as ev
from company.chart_yaml import parse_chart
from company.directory import RunDirectory
from company.engine import Commanded, Engine
from company.ledger import Ledger
from company.state import State
from company.testing import planted_project
from tests.support import kill_hard, start, write_project
from tests.tui.kit import rehearse, text_of

CHART = """\
# a company that is watched by its tests
company: watched
budget: {experiments: 400}
policies:
  found: {baselines: 3}
  close: {seeds: 2}
  assign: {every: 5}
  appraise: {every: 50, after: 3}
  watch: {rule: never}
positions:
  - {id: vera, role: manager}
  - {id: dan, role: engineer, reports_to: vera}
  - {id: eve, role: reviewer, reports_to: vera}
  - {id: ada, role: manager, reports_to: vera}
  - {id: bob, role: researcher, reports_to: ada, brain: random}
  - {id: cleo, role: researcher, reports_to: vera, brain: random}
talent:
  - {role: researcher, brain: random, count: 3}
"""


@contextmanager
def engine(folder: Path, chart: str = CHART, step: float = 0.02) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A run directory in which an engine works until the block ends."""
    project = write_project(folder / "tiny", step=step, seconds=10.0)
    (folder / "watched.yaml").write_text(chart)
    run = folder / "run"
    process = start(
        "run", "watched.yaml", "--project", project, "--out", run, "--slots", "1", "--engine", "direct", cwd=folder
    )
    try:
        end = time.monotonic() + 60
        while not (run / "chart.yaml").exists():
            assert time.monotonic() < end and process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield run, process
    finally:
        if process.poll() is None:
            kill_hard(process)


@contextmanager
def stand_in(folder: Path, *asked: ev.Event, moment: str = "running", chart: str = CHART) -> Iterator[StandIn]:
    """A company that somebody holds as an engine would; what is yielded answers the commands that were written.

    A proposal, the ninth or so, is just `moment`; `asked` are events that happened last.
    """

    def ready(state: State) -> bool:
        known = [e.status for e in state.experiments.values() if e.purpose == "proposal"]
        return len(known) > 8 and moment in known

    rehearse(folder, parse_chart(chart), slots=1, left_open=True, until=ready)
    ledger = Ledger(folder / "ledger.sqlite", write=True)
    core = Engine(planted_project(), ledger.fold())
    for event in asked:
        core.state.apply(event, core.state.now)
        ledger.append([(core.state.now, event)], core.state)
    lock = RunDirectory(folder)
    lock.lock()
    try:
        yield StandIn(core, ledger, lock)
    finally:
        ledger.close()
        lock.unlock()


@dataclass
class StandIn:
    """Call it, and it answers what was asked; `lock` is what it holds of the run directory."""

    core: Engine
    ledger: Ledger
    lock: RunDirectory

    def __call__(self) -> None:
        for command in self.ledger.commands():
            ordered = Commanded(command.id, command.action, command.args, command.by)
            self.ledger.append(self.core.handle(ordered, self.core.state.now).events, self.core.state)


async def until(pilot: Pilot[None], holds: Callable[[], object], seconds: float = 40.0) -> None:
    """Wait until something holds, or fail with what is on the screen."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, text_of(pilot.app)  # type: ignore[arg-type]
        await pilot.pause(0.1)


async def see(pilot: Pilot[None], *words: str) -> str:
    """Wait until all of these words are on the screen or in notices; returns what is on the screen."""

    def shown() -> bool:
        notices = " | ".join(notice.message for notice in pilot.app._notifications)
        text = text_of(pilot.app) + notices  # type: ignore[arg-type]
        return all(each in text for each in words)

    await until(pilot, shown)
    return text_of(pilot.app)  # type: ignore[arg-type]

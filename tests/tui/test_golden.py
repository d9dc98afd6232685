"""What every tab looks like, as text and as colours, at two sizes: golden files that a person can read in a diff.

LOOPWORKS_GOLDEN=write writes them anew, LOOPWORKS_GOLDEN=events the run that they show. The text is the same in every
theme; the styles of a theme are kept as a count of the cells that wear each.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from company.chart_yaml import parse_chart
from company.directory import RunDirectory
from company.ledger import Ledger
from tests.tui.kit import opened, rehearse, rest, text_of
from tui.app import Dashboard
from tui.tabs import TABS

GOLDEN = Path(__file__).with_name("golden")
EVENTS = GOLDEN / "events.jsonl"
CHART = """
company: golden
budget: {experiments: 14}
policies: {found: {baselines: 3}, close: {seeds: 2}, assign: {every: 5}, appraise: {every: 5, after: 2}}
positions:
  - {id: vera, title: Director, role: manager}
  - {id: dan, role: engineer, reports_to: vera}
  - {id: eve, role: reviewer, reports_to: vera}
  - {id: ada, title: Lead of searching, role: manager, reports_to: vera}
  - {id: bob, role: researcher, reports_to: ada, brain: random}
  - {id: cleo, role: researcher, reports_to: ada, brain: random}
  - {id: nora, title: Lead of climbing, role: manager, reports_to: vera}
  - {id: finn, role: researcher, reports_to: nora, brain: hillclimb}
talent:
  - {role: researcher, brain: random, count: 2}
"""

DIALOGS = {"replace": ("x",), "move": ("r", "enter"), "promote": ("P", "enter"), "pause": ("p",), "differences": ("D",)}


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of golden/events.jsonl, kept so that a change of the company's policies changes no picture."""
    folder = tmp_path_factory.mktemp("golden") / "run"
    folder.mkdir()
    if os.environ.get("LOOPWORKS_GOLDEN") == "events":
        rehearse(folder / "new", parse_chart(CHART), slots=2)
        keep(folder / "new" / "ledger.sqlite", EVENTS)
    restore(EVENTS, folder / "ledger.sqlite")
    return folder


def keep(ledger: Path, events: Path) -> None:
    """Write a ledger's events and curves down as lines of JSON."""
    with closing(sqlite3.connect(ledger)) as database:
        rows = database.execute("SELECT seq, at, wall, kind, actor, payload, measured, chain FROM event").fetchall()
        curves = database.execute("SELECT experiment, step, loss FROM metric WHERE step % 10 = 0").fetchall()
    events.parent.mkdir(exist_ok=True)
    events.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *curves]), encoding="utf-8")


def restore(events: Path, ledger: Path) -> None:
    """The ledger that `keep` wrote down."""
    begun = Ledger(ledger, write=True)
    begun.open_session("run", "test")
    begun.close_session()
    begun.close()
    rows = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    with closing(sqlite3.connect(ledger)) as database:
        database.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row for row in rows if len(row) == 8]
        )
        database.executemany("INSERT INTO metric VALUES (?, ?, ?)", [row for row in rows if len(row) == 3])
        database.commit()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_tabs_look_as_they_did(golden: Path, size: tuple[int, int], theme: str) -> None:
    async with opened(golden, size=size, theme=f"loopworks-{theme}") as (app, pilot):
        for tab in TABS:
            app.action_go(tab)
            await rest(app, pilot)
            await steady(app, pilot)
            name = f"{tab}-{size[0]}x{size[1]}"
            compare(GOLDEN / f"{name}.txt", trimmed(text_of(app)))
            compare(GOLDEN / theme / f"{name}.txt", styles(app))


@pytest.mark.parametrize(
    "size",
    [pytest.param((80, 24), id="80x24", marks=pytest.mark.slow), pytest.param((120, 40), id="120x40")],
)
async def test_dialogs_look_as_they_did(golden: Path, size: tuple[int, int]) -> None:
    lock = RunDirectory(golden)
    lock.lock()  # as an engine at work would, so that a person may step in
    try:
        async with opened(golden, size=size) as (app, pilot):
            for name, keys in DIALOGS.items():
                app.desk.select_position("bob")
                await pilot.press(*keys)
                await rest(app, pilot)
                await pilot.pause(0.1)
                shown = trimmed(text_of(app)).splitlines(keepends=True)[1:]  # the status row has the clock in it
                compare(GOLDEN / f"dialog-{name}-{size[0]}x{size[1]}.txt", "".join(shown))
                await pilot.press("escape")
                await rest(app, pilot)
    finally:
        lock.unlock()


async def steady(app: Dashboard, pilot: Pilot[None]) -> None:
    """Wait until the footer, which follows the focus, has found its words."""
    was = ""
    for _ in range(40):
        await pilot.pause(0.03)
        now = styles(app) + text_of(app)
        if now == was and "go to" in now:
            return
        was = now


def trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def styles(app: Dashboard) -> str:
    """How many cells wear each style."""
    counts: Counter[str] = Counter()
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            counts[str(segment.style).split(" meta=")[0]] += segment.cell_length
    return "".join(f"{count:5} {style}\n" for style, count in sorted(counts.items()))


def compare(path: Path, found: str) -> None:
    if os.environ.get("LOOPWORKS_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == found, f"{path.name} changed; LOOPWORKS_GOLDEN=write accepts it"

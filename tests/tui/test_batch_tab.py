"""A batch is looked at, also while another process writes it: arms, contrasts, companies, and nothing is held."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from company.batch.store import Store
from tests.support import loopworks, start
from tests.tui.kit import HOSTILE, opened, rest, text_of
from tui.batch_source import RESULTS, BatchSource, batch_of
from tui.draw.ink import cells
from tui.lone import Lone, lone_app
from tui.screens.batch import BatchView
from tui.source import SourceError
from tui.widgets.page import Page

SMALL = (
    "batch",
    "startup",
    "flat",
    "--project",
    "valley",
    "--seeds",
    "4",
    "--experiments",
    "6",
    "--no-controls",
    "--jobs",
    "1",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small batch that has ended."""
    folder = tmp_path_factory.mktemp("batches")
    done = loopworks(*SMALL, "--out", "mine", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "mine"


async def look(pilot: Pilot[None], app: Lone, holds: str) -> str:
    """Wait until something is on the screen."""
    for _ in range(200):
        await pilot.pause(0.1)
        if holds in text_of(app):  # type: ignore[arg-type]
            return text_of(app)  # type: ignore[arg-type]
    raise AssertionError(text_of(app))  # type: ignore[arg-type]


def lone(folder: Path) -> Lone:
    app = lone_app(folder, "loopworks-dark")
    assert isinstance(app, Lone)
    return app


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_arms_contrasts_and_companies_are_shown(made: Path, size: tuple[int, int]) -> None:
    before = sorted(path.name for path in made.iterdir())
    app = lone(made)
    async with app.run_test(size=size) as pilot:
        for words in ("8 of 8 companies", "IQM of regret", "95 % interval", "nobody writes"):
            shown = await look(pilot, app, words)  # one after the other: a busy machine draws them so
        assert "companies 8 of 8" in shown and "startup" in shown and "flat" in shown
        if size[1] == 40:
            assert "Against startup" in shown and "4 worlds" in shown
        await pilot.press("slash", *"flat", "enter")
        assert "companies 4 of 8" in await look(pilot, app, "companies 4 of 8")
        await pilot.press("escape", "f")
        await look(pilot, app, "companies 0 of 8, failed")
        await pilot.press("escape", "o")
        await look(pilot, app, "most regret")
        await pilot.press("o", "enter")
        await look(pilot, app, "Metrics ──")
        await pilot.press("y")
        assert app.clipboard == f"loopworks replay {made} 0"
        await pilot.press("question_mark")
        await look(pilot, app, "help")
        await pilot.press("escape", "q")
    assert sorted(path.name for path in made.iterdir()) == before  # nothing is left beside finished results


async def test_a_batch_that_was_looked_at_twice_says_so(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "mine")
    more = [word if word != "4" else "5" for word in SMALL]
    done = loopworks(*more, "--out", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    app = lone(tmp_path / "mine")
    async with app.run_test(size=(120, 40)) as pilot:
        assert "Looked at after 4 and 5 seeds" in await look(pilot, app, "Looked at")


async def test_a_batch_that_is_written_is_followed_without_a_lock_error(tmp_path: Path) -> None:
    words = [word if word != "4" else "60" for word in SMALL]
    writer = start(*words, "--out", "mine", cwd=tmp_path)
    try:
        for _ in range(600):
            if (tmp_path / "mine" / RESULTS).exists():
                break
            assert writer.poll() is None, writer.communicate()
            await asyncio.sleep(0.05)
        app, seen = lone(tmp_path / "mine"), set()
        async with app.run_test(size=(120, 40)) as pilot:
            view = app.view
            assert isinstance(view, BatchView)
            while writer.poll() is None:
                await pilot.pause(0.05)
                seen.add(len(view._results.rows or {}))
                assert not view.query_one("#arms").border_subtitle, view.query_one("#arms").border_subtitle
            await look(pilot, app, "120 of 120 companies")
        out, problem = writer.communicate()
        assert writer.returncode == 0 and "locked" not in problem + out
        assert len(seen) >= 2
    finally:
        if writer.poll() is None:
            writer.kill()
            writer.communicate()


async def test_hostile_rows_break_nothing(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "nasty [bold]"
    shutil.copytree(made, folder)
    import sqlite3

    with closing(sqlite3.connect(folder / RESULTS)) as database:
        for number, text in enumerate(HOSTILE):
            database.execute(
                "UPDATE row SET project = ?, stage = ?, reason = ?, status = 'failed', metrics = ? WHERE row = ?",
                (text, text, text, json.dumps({text: 1.0}), number),
            )
        database.execute("UPDATE arm SET chart = ? WHERE arm = 0", (HOSTILE[0] + HOSTILE[1] + HOSTILE[5],))
        database.commit()
    app = lone(folder)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot, app, "8 of 8 companies")
        await pilot.press("enter")
        for _ in HOSTILE:
            await pilot.press("escape", "down", "enter")
            await rest(app, pilot)  # type: ignore[arg-type]
            shown = text_of(app)  # type: ignore[arg-type]
            assert "\x1b" not in shown and "\u202e" not in shown
            assert all(cells(line) <= 80 for line in shown.splitlines())
    assert app.return_code in (0, None)


async def test_a_replayed_run_knows_its_batch_and_another_says_how_to_make_one(made: Path, finished: Path) -> None:
    run = made / "replays" / "0"
    if not run.exists():
        assert loopworks("replay", made, "0", cwd=made.parent).returncode == 0
    assert batch_of(run) == made and batch_of(finished) is None
    async with opened(run, "batch") as (app, pilot):
        for _ in range(100):
            await pilot.pause(0.1)
            if "8 of 8 companies" in text_of(app):
                break
        assert "8 of 8 companies" in text_of(app)
    async with opened(finished, "batch") as (app, pilot):
        await rest(app, pilot)
        assert "loopworks batch startup flat" in text_of(app)
    shutil.rmtree(made / "replays")


@pytest.mark.parametrize("make", ["garbage", "format"])
def test_what_is_no_batch_is_said_in_one_line(made: Path, tmp_path: Path, make: str) -> None:
    import sqlite3

    if make == "garbage":
        (tmp_path / RESULTS).write_bytes(b"garbage" * 500)
    else:
        shutil.copy(made / RESULTS, tmp_path / RESULTS)
        with closing(sqlite3.connect(tmp_path / RESULTS)) as database:
            database.execute("UPDATE about SET value = '99' WHERE key = 'format'")
            database.commit()
    source = BatchSource(tmp_path)
    with pytest.raises(SourceError) as error:
        source.read()
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)
    source.close()


def test_it_reads_what_the_store_reads(made: Path) -> None:
    source = BatchSource(made)
    found = source.read()
    with closing(Store(made / RESULTS)) as store:
        assert found.rows == {number: replace(row, trails={}) for number, row in store.rows(trails=True)}
        row = store.row(3)
        assert row is not None and source.trail(3) == list(row.trail)
    assert not source.changed() or not source.changed()
    source.close()


async def test_the_best_arms_are_drawn_with_bands(made: Path) -> None:
    source = BatchSource(made)
    curves = source.read().curves
    source.close()
    assert [str(curve.arm) for curve in curves] in (["startup", "flat"], ["flat", "startup"])
    for curve in curves:
        assert curve.y[0] >= curve.y[-1] >= 0 and curve.low is not None and (curve.low <= curve.y).all()
    app = lone(made)
    async with app.run_test(size=(120, 40)) as pilot:
        shown = await look(pilot, app, "regret so far over slot-seconds")
        assert "1 " in shown and "2 " in shown
    app = lone(made)
    async with app.run_test(size=(80, 24)) as pilot:
        await look(pilot, app, "8 of 8 companies")
        app.screen.set_focus(app.query_one("#arms"))
        await pilot.press("end")
        await look(pilot, app, "2 ")
        below = "".join(text for line in app.query_one("#arms", Page).drawing.lines for text, _ in line)
        assert "Regret so far over slot-seconds" in below

"""The shell holds: small windows, hostile text, themes, runs that are not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from company.commands import tui as command
from tests.tui.kit import HOSTILE, opened, rest, text_of
from tui.crash import crash_line
from tui.draw.ink import cells, cut, fit, wrap
from tui.empty import Empty
from tui.palette import PALETTES, style
from tui.source import Source, SourceError, find_run
from tui.tabs import TABS


@pytest.mark.parametrize("size", [(120, 40), (60, 16)], ids=str)
async def test_hostile_text_breaks_no_tab(nasty: Path, size: tuple[int, int]) -> None:
    async with opened(nasty, size=size) as (app, pilot):
        for tab in TABS:
            app.action_go(tab)
            await rest(app, pilot)
            shown = text_of(app)
            assert app.tab == tab and "\x1b" not in shown and "\u202e" not in shown
            assert all(cells(line) <= size[0] for line in shown.splitlines())
        app.action_goto()
        await rest(app, pilot)
        await pilot.press(*"[/bold]", "escape", "question_mark")
        await rest(app, pilot)
    assert app.return_code in (0, None)


async def test_a_window_that_is_too_small_is_told_so_in_one_line(finished: Path) -> None:
    async with opened(finished, size=(59, 20)) as (app, pilot):
        assert text_of(app).strip() == "The window is too small: make it 60x16 or larger."
        await pilot.resize_terminal(80, 24)
        await rest(app, pilot)
        assert "organisation" in text_of(app)


async def test_every_theme_shows_every_tab(finished: Path) -> None:
    async with opened(finished, size=(100, 30)) as (app, pilot):
        for theme in PALETTES:
            app.theme = theme
            app.action_go("experiments" if app.tab != "experiments" else "chart")
            await rest(app, pilot)
            assert TABS[app.tab][0] in text_of(app)


async def test_in_a_narrow_window_what_is_opened_is_shown_as_a_page(finished: Path) -> None:
    async with opened(finished, size=(80, 24)) as (app, pilot):
        await pilot.press("down", "enter")
        await rest(app, pilot)
        await rest(app, pilot)
        assert app.tab == "agents" and "Place ──" in text_of(app)
        await pilot.press("enter")
        await rest(app, pilot)
        assert "agents 14" in text_of(app)


@pytest.mark.parametrize("name", PALETTES)
def test_colours_can_be_read_on_their_ground(name: str) -> None:
    palette = PALETTES[name]
    for word in palette.colours:
        assert style(name, f"{word} b") is not None
    if palette.ansi:
        return
    for word in (
        "text",
        "strong",
        "muted",
        "manager",
        "researcher",
        "engineer",
        "reviewer",
        "good",
        "bad",
        "warn",
        "busy",
    ):
        assert contrast(palette.colours[word], palette.background) >= 4.5, word


def contrast(one: str, other: str) -> float:
    """WCAG 2.1, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


async def test_without_a_run_the_next_command_is_named() -> None:
    app = Empty("runs/")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "loopworks run" in text_of(app)  # type: ignore[arg-type]
        await pilot.press("q")


def test_the_latest_run_is_found(tmp_path: Path, finished: Path) -> None:
    assert find_run(tmp_path) is None and find_run(tmp_path / "none") is None
    assert find_run(finished.parent) == finished


@pytest.mark.parametrize("make", ["missing", "empty", "garbage", "other", "newer"])
def test_a_directory_that_is_no_run_is_refused_in_one_line(
    make: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    if make != "missing":
        run.mkdir()
    if make == "garbage":
        (run / "ledger.sqlite").write_bytes(b"garbage" * 100)
    if make in ("other", "newer"):
        _database(run / "ledger.sqlite", 99 if make == "newer" else 1)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(SourceError) as error:
        Source(run).check()
    assert "\n" not in str(error.value) and str(run) in str(error.value)


def _database(path: Path, version: int) -> None:
    import sqlite3

    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE other (x)")
        database.execute(f"PRAGMA user_version = {version}")
    database.close()


def test_the_command_refuses_with_2_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = CliRunner().invoke(command.tui, [str(tmp_path)])
    assert found.exit_code == 2 and "loopworks report" in found.stderr
    with pytest.raises(SystemExit) as exit_:
        command.show(tmp_path / "nothing", "loopworks-dark")
    assert exit_.value.code == 2


PURE = ("feed", "filter", "history", "desk", "drafts", "files", "keys", "palette", "moments")
HEAVY = ("textual", "torch", "sqlalchemy", "networkx", "scipy", "autogen_core")


def test_drawing_needs_no_textual() -> None:
    modules = ", ".join(["company.snapshot", *(f"tui.{name}" for name in PURE)])
    code = f"import sys, {modules}; bad = set({HEAVY}) & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_crash_tells_where_and_nothing_of_what_was_in_the_variables() -> None:
    def fail(secret: str) -> None:
        raise ValueError(secret)

    try:
        fail("sk-secret")
    except ValueError as error:
        line = crash_line(error)
    kept = Path(line.rsplit(" ", 1)[1]).read_text()
    assert "\n" not in line and "sk-secret" not in line + kept and "in fail" in kept


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("room", [1, 2, 7, 40])
def test_text_always_fits(text: str, room: int) -> None:
    assert cells(cut(text, room)) <= room and cells(fit(text, room)) == room
    lines = wrap(text, room, 3)
    assert len(lines) <= 3 and all(cells(line) <= max(room, 2) for line in lines)

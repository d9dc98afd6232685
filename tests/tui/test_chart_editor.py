"""The chart is edited with live checks, applied as a revision, taken back, and saved with its comments."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.pilot import Pilot

from company.chart_yaml import load_chart, parse_chart
from tests.tui.engine_kit import CHART, see, stand_in, until
from tests.tui.kit import HOSTILE, opened, rest, text_of
from tests.tui.test_stepping_in import commands, press, told
from tui.app import Dashboard
from tui.draw.ink import cells
from tui.lone import Lone, lone_app
from tui.screens.chart_file import ChartFileView
from tui.screens.editor import EditorView
from tui.tabs import make
from tui.widgets.confirm import Confirm
from tui.widgets.differences import Differences
from tui.widgets.yaml_area import YamlArea

MOVED = CHART.replace(
    "- {id: cleo, role: researcher, reports_to: vera", "- {id: cleo, role: researcher, reports_to: ada"
)
BROKEN = CHART.replace("reports_to: ada", "reports_to: adda")


async def type_in(app: Dashboard | Lone, pilot: Pilot[None], text: str) -> None:
    """Put a text into the editor, as a paste would, and wait until it was checked."""
    await until(pilot, lambda: app.query(EditorView) and app.query_one(EditorView).ready)
    app.query_one(YamlArea).load_text(text)
    await until(pilot, lambda: app.query_one(EditorView).checked)


async def test_an_error_is_flagged_at_once_and_cannot_be_applied(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with stand_in(run):
        async with opened(run, "chart") as (app, pilot):
            await type_in(app, pilot, BROKEN)
            await see(pilot, "problems 1", "15:45", "'adda'", "preview (the last sound one)")
            await press(app, pilot, "f5")
            await see(pilot, "mend the problems first")
            assert len(app.screen_stack) == 1 and commands(run) == []
            app.query_one(YamlArea).load_text(BROKEN.replace("watched", "watcht"))
            await pilot.press("f5")  # before the next check
            assert len(app.screen_stack) == 1 and commands(run) == []


async def test_a_sound_chart_is_applied_as_a_revision_and_taken_back(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with stand_in(run) as answer:
        async with opened(run, "chart", size=(120, 40)) as (app, pilot):
            await type_in(app, pilot, MOVED.replace("experiments: 400", "experiments: 500"))
            await press(app, pilot, "f2")
            await see(pilot, "cleo moves from vera to ada")
            await press(app, pilot, "f5")
            await see(pilot, "1 researcher moves to ada: cleo", "left out", "400 -> 500")
            await press(app, pilot, "escape", "f5", *"nearer", "enter")
            await see(pilot, "waits for the engine")
            answer()
            await see(pilot, "done: revision 1 is in force")
            await press(app, pilot, "enter")
            assert "# a company that is watched by its tests" in app.query_one(YamlArea).text

            await press(app, pilot, "D")
            assert isinstance(app.screen, Differences)
            await see(pilot, "revision 1 → the draft", "400 -> 500")
            await press(app, pilot, "left")
            await see(pilot, "as founded → revision 1", "because nearer", "cleo moves")
            await press(app, pilot, "escape")
            await press(app, pilot, "f4")
            assert "reports_to: ada, brain: random}\ntalent" in app.query_one(YamlArea).text

            await press(app, pilot, "u")
            await see(pilot, "undo revision 1", "1 researcher moves to vera: cleo")
            await press(app, pilot, "enter")
            await see(pilot, "waits for the engine")
            answer()
            await see(pilot, "done: revision 2 is in force")
            await press(app, pilot, "enter", "u")
            await see(pilot, "there is no revision 0")
            assert answer.core.state.chart.manager_of("cleo") == "vera"


async def test_what_is_typed_before_the_first_drawing_stays(tmp_path: Path) -> None:
    with stand_in(tmp_path / "run"):
        async with opened(tmp_path / "run") as (app, pilot):
            await app.query_one("#body").mount(make("chart"))
            app.query_one(YamlArea).load_text(MOVED)
            app.action_go("chart")
            await until(pilot, lambda: app.query_one(EditorView).ready and app.query_one(EditorView).checked)
            assert app.query_one(YamlArea).text == MOVED and not told(app)
            await press(app, pilot, "f4")
            assert app.query_one(YamlArea).text == (tmp_path / "run" / "chart.yaml").read_text()


async def test_what_is_in_force_already_is_not_applied(tmp_path: Path) -> None:
    with stand_in(tmp_path / "run"):
        async with opened(tmp_path / "run", "chart") as (app, pilot):
            await press(app, pilot, "f5")
            await see(pilot, "in force already")


async def test_a_draft_outlives_another_chart_that_comes_into_force(tmp_path: Path) -> None:
    with stand_in(tmp_path / "run") as answer:
        async with opened(tmp_path / "run", "chart") as (app, pilot):
            await type_in(app, pilot, CHART.replace("id: dan", "id: dora"))
            answer.ledger.send("edit", {"edits": [{"kind": "Move", "position": "cleo", "to": "ada"}]}, "person")
            answer()
            await see(pilot, "another chart is in force now")
            assert "dora" in app.query_one(YamlArea).text
            await press(app, pilot, "f4")
            assert "dora" not in app.query_one(YamlArea).text


@pytest.mark.parametrize(
    ("editor", "says"),
    [("sed -i s/cleo/clara/", ""), ("false", "ended with code 1"), ("no-such-editor", "cannot be started"),
     ("'", "cannot be started"), ("truncate -s 2M", "too large")],
)  # fmt: skip
async def test_the_text_goes_to_another_editor_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str, says: str
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    (tmp_path / "mine.yaml").write_text(CHART)
    app = lone_app(tmp_path / "mine.yaml", "loopworks-dark")
    assert isinstance(app, Lone)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("f9")
        assert "another editor cannot be opened here" in told(app)  # type: ignore[arg-type]
        monkeypatch.setattr(app, "suspend", nullcontext)
        await pilot.press("escape", "ctrl+e")
        await rest(app, pilot)  # type: ignore[arg-type]
        assert app.query_one(YamlArea).text == (CHART if says else CHART.replace("cleo", "clara"))
        assert says in told(app)  # type: ignore[arg-type]


async def test_a_chart_file_is_saved_whole_with_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(CHART)
    app = lone_app(file, "loopworks-dark")
    assert isinstance(app, Lone) and isinstance(app.view, ChartFileView)
    async with app.run_test(size=(100, 30)) as pilot:
        await type_in(app, pilot, BROKEN)
        await pilot.press("ctrl+s")
        assert "mend the problems first" in told(app) and file.read_text() == CHART  # type: ignore[arg-type]
        await type_in(app, pilot, MOVED)
        await pilot.press("ctrl+s")
        assert file.read_text() == MOVED and load_chart(file) == parse_chart(MOVED)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]

        file.write_text(CHART.replace("watched", "other"))
        await type_in(app, pilot, CHART)
        await pilot.press("ctrl+s")
        assert "changed on disk" in told(app) and "other" in file.read_text()  # type: ignore[arg-type]
        await pilot.press("ctrl+s")
        assert file.read_text() == CHART
        file.write_text(CHART.replace("watched", "other"))
        await pilot.press("f4")
        await rest(app, pilot)  # type: ignore[arg-type]
        assert "other" in app.query_one(YamlArea).text
        await pilot.press("escape", "f5")
        assert "no company works by this file" in told(app)  # type: ignore[arg-type]
        await pilot.press("q")


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_in_the_editor_is_flagged_and_breaks_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(CHART)
    app = lone_app(file, "loopworks-dark")
    assert isinstance(app, Lone)
    async with app.run_test(size=(80, 24)) as pilot:
        for whole in (text, CHART.replace("id: cleo", f"id: {text}"), CHART.replace("watched", text or "''")):
            await type_in(app, pilot, whole)
            await pilot.press("f2", "f8")
            shown = text_of(app)  # type: ignore[arg-type]
            assert "\x1b" not in shown and all(cells(line) <= 80 for line in shown.splitlines())
    assert app.return_code in (0, None)


async def test_the_dialog_of_a_chart_takes_esc(tmp_path: Path) -> None:
    with stand_in(tmp_path / "run"):
        async with opened(tmp_path / "run", "chart", size=(80, 24)) as (app, pilot):
            await type_in(app, pilot, MOVED)
            await press(app, pilot, "f5")
            assert isinstance(app.screen, Confirm), told(app)
            await press(app, pilot, "escape")
            assert commands(tmp_path / "run") == [] and app.query_one(YamlArea).text == MOVED

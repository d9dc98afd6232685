"""A person steps in: nothing on one key, evidence before it, the engine's answer after it, why where it cannot be."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from company import events as ev
from company.ledger import Ledger
from tests.tui.engine_kit import CHART, engine, stand_in, until
from tests.tui.kit import HOSTILE, opened, rest, text_of
from tui import orders
from tui.app import Dashboard
from tui.draw.ink import cells
from tui.outbox import SendError
from tui.screenshots import settle
from tui.widgets.confirm import Confirm
from tui.widgets.goto import GoTo
from tui.widgets.needs import Needs
from tui.widgets.yaml_area import YamlArea

ASKED = ev.ApprovalAsked("r1", "replace", {"agent": "bob"}, "ada", "[bold]weak[/] \x1b[31m for long")
MOVED = [{"kind": "Move", "position": "cleo", "to": "ada"}]


def commands(run: Path) -> list[tuple[str, str]]:
    """What was asked for: (action, status)."""
    with closing(sqlite3.connect(run / "ledger.sqlite")) as database:
        return database.execute("SELECT kind, status FROM command ORDER BY id").fetchall()


def told(app: Dashboard) -> str:
    """What notices say."""
    return " | ".join(notice.message for notice in app._notifications)


async def press(app: Dashboard, pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await rest(app, pilot)


KEYS = [
    ("org", ("p",), "pause the company", "pause"),
    ("org", ("x",), "replace bob", "replace"),
    ("org", ("r", "enter"), "move bob to vera", "edit"),
    ("org", ("P", "enter"), "promote bob to vera", ""),
    ("agents", ("x",), "replace bob", "replace"),
    ("agents", ("r", "enter"), "move bob to ada", "edit"),
    ("agents", ("P", "enter"), "promote bob to vera", "edit"),
    ("slots", ("s",), "stop e", "stop"),
]


@pytest.mark.parametrize("size", [pytest.param((80, 24), marks=pytest.mark.slow), (120, 40)], ids=str)
async def test_every_step_is_confirmed_and_its_answer_told(tmp_path: Path, size: tuple[int, int]) -> None:
    run = tmp_path / "run"
    with stand_in(run) as answer:
        async with opened(run, size=size) as (app, pilot):
            for tab, keys, title, action in KEYS:
                app.action_go(tab)
                await rest(app, pilot)
                app.desk.select_agent(app.desk.whole.state.holder["bob"])
                app.view.draw()  # type: ignore[union-attr]
                await rest(app, pilot)
                before = commands(run)
                title = title.replace("bob", app.desk.agent) if action == "replace" else title
                await press(app, pilot, *keys)
                assert isinstance(app.screen, Confirm) and title in text_of(app), (tab, keys, told(app), text_of(app))
                await press(app, pilot, "escape")
                assert commands(run) == before and not isinstance(app.screen, Confirm)
                if not action:
                    continue
                await press(app, pilot, *keys, "enter")
                await until(pilot, lambda: "waits for the engine" in text_of(app))
                assert commands(run) == [*before, (action, "new")] and "1 command sent" in text_of(app)
                answer()
                await until(pilot, lambda: "done: " in text_of(app) or "refused: " in text_of(app))
                await press(app, pilot, "enter")
                assert not isinstance(app.screen, Confirm) and not app.desk.outbox.waiting


@pytest.mark.parametrize(("key", "title"), [("a", "approve e"), ("x", "refuse e")])
async def test_a_proposal_under_review_is_settled(tmp_path: Path, key: str, title: str) -> None:
    with stand_in(tmp_path / "run", moment="proposed") as answer:
        state = answer.core.state
        waits = next(e for e in state.experiments.values() if e.status == "proposed")
        async with opened(tmp_path / "run", "experiments") as (app, pilot):
            app.view.choose(waits.id)  # type: ignore[union-attr]
            await press(app, pilot, key)
            assert title in text_of(app) and "votes" in text_of(app) and "need not decide" in text_of(app)
            await press(app, pilot, "enter")
            answer()
            await until(pilot, lambda: "done: " in text_of(app))
            assert waits.status == ("building" if key == "a" else "refused")


async def test_an_answer_to_a_closed_dialog_is_told_as_a_notice(tmp_path: Path) -> None:
    with stand_in(tmp_path / "run") as answer:
        async with opened(tmp_path / "run") as (app, pilot):
            await press(app, pilot, "p", "enter", "escape")
            assert app.desk.outbox.waiting and not told(app)
            answer()
            await until(pilot, lambda: "pause the company done: paused" in told(app))
            assert "‖ paused" in text_of(app)


async def test_what_needs_a_person_is_counted_and_settled(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with stand_in(run, ASKED) as answer:
        async with opened(run) as (app, pilot):
            assert "! 1 needs you" in text_of(app)
            await press(app, pilot, "exclamation_mark")
            assert isinstance(app.screen, Needs)
            assert "ada wants to replace bob" in text_of(app) and "[bold]weak[/]" in text_of(app)
            await press(app, pilot, "x")
            assert "refuse r1" in text_of(app) and "nothing changes" in text_of(app)
            await press(app, pilot, "escape", "exclamation_mark", "enter")
            assert "approve r1" in text_of(app) and "sigmas a run" in text_of(app) and "hired" in text_of(app)
            await press(app, pilot, "enter")
            answer()
            await until(pilot, lambda: "done: bob is replaced" in text_of(app))
            await press(app, pilot, "enter", "exclamation_mark")
            assert "nothing needs you" in told(app) and "needs you" not in text_of(app).splitlines()[0]


async def test_a_request_to_reorganise_says_what_follows(tmp_path: Path) -> None:
    asked = ev.ApprovalAsked("r1", "reorganise", {"edits": MOVED, "prediction": {}}, "vera", "too many reports")
    with stand_in(tmp_path / "run", asked):
        async with opened(tmp_path / "run") as (app, pilot):
            await press(app, pilot, "exclamation_mark", "a")
            assert "1 researcher moves to ada: cleo" in text_of(app) and "too many reports" in text_of(app)


@pytest.mark.parametrize("kind", ["finished", "killed", "replay", "readonly"])
async def test_where_nothing_can_be_changed_a_step_says_why(
    kind: str, finished: Path, killed: Path, tmp_path: Path
) -> None:
    why = {"finished": "has closed", "killed": "run --resume", "replay": "L goes back", "readonly": "--readonly"}[kind]
    with stand_in(tmp_path / "run"):
        run = {"finished": finished, "killed": killed}.get(kind, tmp_path / "run")
        async with opened(run) as (app, pilot):
            app.desk.readonly = kind == "readonly"
            for tab, action in (("org", "replace"), ("org", "reassign"), ("org", "promote"), ("experiments", "stop")):
                app.action_go(tab)
                await rest(app, pilot)
                if kind == "replay":
                    app.show_moment(20)
                    await rest(app, pilot)
                app._notifications.clear()
                getattr(app.view, f"action_{action}")()
                await rest(app, pilot)
                assert why in told(app) and len(app.screen_stack) == 1, (tab, action)


async def test_steps_that_make_no_sense_are_answered_in_words(tmp_path: Path) -> None:
    with stand_in(tmp_path / "run"):
        async with opened(tmp_path / "run") as (app, pilot):
            app.desk.select_agent("dan")
            await press(app, pilot, "x")
            assert "the talent pool has no engineer" in told(app)
            app.action_go("experiments")
            await rest(app, pilot)
            app.view.choose("e0001")  # type: ignore[union-attr]
            for key, says in (("s", "e0001 does not run: it is ok"), ("a", "does not wait for a review")):
                await press(app, pilot, key)
                assert says in told(app)


async def test_an_engine_that_ends_behind_the_dialog_gets_no_command(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with stand_in(run) as answer:
        async with opened(run) as (app, pilot):
            await press(app, pilot, "p")
            answer.lock.unlock()
            await until(pilot, lambda: app.desk.delta.engine == "dead")
            await press(app, pilot, "enter")
            assert "not sent: the engine is presumed dead" in text_of(app) and commands(run) == []
            await press(app, pilot, "enter")
            assert not isinstance(app.screen, Confirm)


async def test_a_ledger_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise SendError("the disk is full")

    monkeypatch.setattr("tui.stepping_in.send", full)
    with stand_in(tmp_path / "run"):
        async with opened(tmp_path / "run") as (app, pilot):
            await press(app, pilot, "p", "enter")
            await until(pilot, lambda: "not sent: the disk is full" in text_of(app))


async def test_hostile_words_break_no_dialog(tmp_path: Path) -> None:
    asked = [ev.ApprovalAsked(f"r{n}", "replace", {"agent": "bob"}, "ada", text) for n, text in enumerate(HOSTILE)]
    asked += [ev.ApprovalAsked(f"q{n}", text[:30], {"agent": text}, text[:60], text) for n, text in enumerate(HOSTILE)]
    with stand_in(tmp_path / "run", *asked):
        async with opened(tmp_path / "run", size=(80, 24)) as (app, pilot):
            await press(app, pilot, "exclamation_mark", "end")
            check(app)
            await press(app, pilot, "escape")
            for request in asked:
                app.propose(lambda state, name=request.request: orders.settle(state, name, True))
                await rest(app, pilot)
                assert isinstance(app.screen, Confirm)
                check(app)
                app.pop_screen()
    assert app.return_code in (0, None)


def check(app: Dashboard) -> None:
    shown = text_of(app)
    assert "\x1b" not in shown and "\u202e" not in shown and all(cells(line) <= 80 for line in shown.splitlines())


@pytest.mark.slow
async def test_a_company_at_work_is_paused_changed_and_told_to_go_on(tmp_path: Path) -> None:
    with engine(tmp_path) as (run, _process):
        app = Dashboard(run, tick=0.05)
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(app, pilot)
            state = app.desk.whole.state
            await until(pilot, lambda: app.desk.delta.engine == "live" and state.proposals_finished >= 3)
            await pilot.press("p", "enter")
            await until(pilot, lambda: "done: paused" in text_of(app))
            assert state.paused
            await pilot.press("escape")

            app.desk.select_position("bob")
            await pilot.press("x", *"too weak", "enter")
            await until(pilot, lambda: "done: bob is replaced by bob_2" in text_of(app))
            assert state.holder["bob"] == "bob_2"
            await pilot.press("enter")

            app.desk.select_position("cleo")
            await pilot.press("r")
            await until(pilot, lambda: isinstance(app.screen, GoTo))
            await pilot.press(*"ada", "enter")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press("enter", "escape")
            await until(pilot, lambda: state.chart.manager_of("cleo") == "ada")

            await pilot.press("p", "enter")
            await until(pilot, lambda: "done: the company works again" in text_of(app))
            assert not state.paused
            await pilot.press("enter")

            app.action_go("chart")
            await rest(app, pilot)
            app.query_one(YamlArea).load_text(CHART)
            await pilot.press("f5", "enter")
            await until(pilot, lambda: "done: revision 2 is in force" in text_of(app))
            assert state.chart.manager_of("cleo") == "vera"
            await pilot.press("enter", "u", "enter")
            await until(pilot, lambda: "done: revision 3 is in force" in text_of(app))
            assert state.chart.manager_of("cleo") == "ada"
        replaced = next(r.event for r in Ledger(run / "ledger.sqlite").events() if r.event.kind == "AgentReplaced")
        assert getattr(replaced, "because", "") == "too weak"

"""What `loopworks run` shows while it works."""

from __future__ import annotations

import asyncio
import io
import itertools
import time
from pathlib import Path

import pytest
from report_kit import hostile, record
from rich.console import Console
from rich.text import Text

from company.console import RunConsole
from company.console_panel import Scene, panel, sparkline, steps
from company.engine import Step
from company.state import State


class Clock:
    """Goes on by `tick` seconds whenever it is looked at."""

    def __init__(self, tick: float = 0.01) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


def _console(terminal: bool, width: int = 100, height: int = 30) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, height=height, legacy_windows=False)


def _written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _drawn(scene: Scene, width: int, height: int) -> list[str]:
    console = _console(False, width, height)
    console.print(panel(scene, width, height))
    return _written(console).rstrip("\n").split("\n")


def test_plain_lines_have_no_control_codes_and_say_what_matters(tmp_path: Path) -> None:
    console = _console(False)
    with RunConsole(console, plain=True, clock=Clock()) as display:
        record(tmp_path, decide=hostile, on_step=display.on_step)
    lines = _written(console).splitlines()
    assert all(line.isprintable() for line in lines)
    assert any(" proposes e0006" in line for line in lines)
    assert any("champion with" in line for line in lines)
    assert lines[-1].endswith("the company closes: the research budget is spent")


def test_plain_lines_are_not_broken_to_the_width_of_a_terminal(tmp_path: Path) -> None:
    console = _console(False, width=40)
    with RunConsole(console, plain=True, clock=Clock()) as display:
        record(tmp_path, on_step=display.on_step)
    assert all(line.lstrip()[0].isdigit() for line in _written(console).splitlines())


@pytest.mark.parametrize("chart", ["solo", "startup", "lab", "flat"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (60, 16), (200, 60)])
def test_the_panel_fits_the_terminal(tmp_path: Path, chart: str, width: int, height: int) -> None:
    state = record(tmp_path, chart, decide=hostile, most=150)
    news = [(1.0, "bob proposes e0006")] * 40
    lines = _drawn(Scene(state, 61.0, 30.0, {}, news), width, height)
    assert len(lines) < height
    assert all(Text(line).cell_len <= width for line in lines)


def test_the_panel_shows_who_does_what_and_the_best_so_far(tmp_path: Path) -> None:
    state = record(tmp_path, most=150)
    text = "\n".join(_drawn(Scene(state, 61.0, 30.0, {}, []), 120, 40))
    assert "startup on planted · seed 0 · research" in text
    assert "of 40 experiments" in text and "1:01, about 0:30 left" in text
    assert "sigma better than the baseline" in text
    for name in ("ada", "bob", "cleo", "dan", "eve"):
        assert name in text
    assert "cpu 0" in text and "of about 2.0 s" in text


def test_markup_in_names_and_news_is_shown_as_it_is(tmp_path: Path) -> None:
    state = record(tmp_path, most=100)
    state.agents["bob"].brain = type(state.agents["bob"].brain)("[red]x[/y]", {})
    news = [(0.0, "[bold]not bold[/] [/oops]")]
    assert any("[bold]not bold[/] [/oops]" in line for line in _drawn(Scene(state, 0.0, None, {}, news), 100, 30))


def test_drawing_is_limited_to_eight_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from company import console as module

    drawings = []
    monkeypatch.setattr(module, "panel", lambda *args: drawings.append(clock.now) or Text("drawn"))
    clock = Clock(tick=0.001)
    with RunConsole(_console(True), plain=False, clock=clock) as display:
        record(tmp_path, on_step=display.on_step)
    assert len(drawings) > 2
    assert min(b - a for a, b in itertools.pairwise(drawings)) >= 0.12


def test_a_step_costs_little(tmp_path: Path) -> None:
    spent, count = 0.0, 0

    def timed(state: State, step: Step) -> None:
        nonlocal spent, count
        start = time.perf_counter()
        display.on_step(state, step)
        spent, count = spent + time.perf_counter() - start, count + 1

    with RunConsole(_console(True), plain=False, clock=Clock(tick=0.0)) as display:
        record(tmp_path, "lab", on_step=timed)
    assert spent / count < 0.002


async def test_clocks_move_on_while_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from company import console as module

    drawings = []
    monkeypatch.setattr(module, "panel", lambda *args: drawings.append(1) or Text("drawn"))
    monkeypatch.setattr(module, "IDLE_S", 0.15)
    with RunConsole(_console(True), plain=False) as display:
        record(tmp_path, on_step=display.on_step, most=3)
        before = len(drawings)
        await asyncio.sleep(0.5)
        assert len(drawings) > before
    stopped = len(drawings)
    await asyncio.sleep(0.3)
    assert len(drawings) == stopped


def test_the_terminal_is_left_clean_after_an_error() -> None:
    console = _console(True)
    with pytest.raises(KeyboardInterrupt), RunConsole(console, plain=False):
        raise KeyboardInterrupt
    assert _written(console).count("\x1b[?25h") == 1  # the cursor is back


def test_sparklines() -> None:
    assert sparkline([]) == "" and sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([0, 7]) == "▁█"


def test_the_sparkline_holds_each_value_until_the_next(tmp_path: Path) -> None:
    state = record(tmp_path)
    values = steps(state, 12)
    assert values[-1] == state.trail[-1][1] and len(values) == 12
    known = [value for _, value in state.trail]
    places = [known.index(value) for value in values]
    assert places == sorted(places)

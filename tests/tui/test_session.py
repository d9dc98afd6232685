"""A person's session in a real terminal: tmux drives the dashboard of a company at work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from company.ledger import Ledger
from tests.support import command
from tests.tui.engine_kit import CHART, engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


class Tmux:
    """One window of a tmux server of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        words = command("tui", folder / "run")
        self.call("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "-c", str(folder), *map(str, words))

    def call(self, *words: str) -> str:
        own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "TMUX")}
        tmux = ["tmux", "-L", self.name, *words]
        return subprocess.run(tmux, capture_output=True, text=True, timeout=30, check=True, env=own).stdout

    def screen(self) -> str:
        return self.call("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Named keys and letters, one after the other."""
        for key in keys:
            self.call("send-keys", key)

    def type(self, text: str) -> None:
        """Text as it is typed."""
        self.call("send-keys", "-l", text)

    def until(self, *words: str, seconds: float = 60.0) -> str:
        """Wait until all of these are on the screen; returns what is on it."""
        return self.wait(lambda shown: all(word in shown for word in words), str(words), seconds)

    def wait(self, holds: Callable[[str], object], what: str, seconds: float = 60.0) -> str:
        end = time.monotonic() + seconds
        while not holds(shown := self.screen()):
            assert time.monotonic() < end, f"{what} never came:\n{shown}"
            time.sleep(0.1)
        return shown


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[Tmux, Path]]:
    with engine(tmp_path) as (run, _process):
        terminal = Tmux(f"loopworks-{tmp_path.name}", tmp_path)
        try:
            yield terminal, run
        finally:
            terminal.call("kill-server")


def test_the_weakest_is_found_and_replaced_and_the_chart_edited_and_taken_back(company: tuple[Tmux, Path]) -> None:
    terminal, run = company
    terminal.until("organisation", "● live")
    terminal.wait(lambda shown: sum(map(int, re.findall(r"runs ✓(\d+)", shown))) >= 8, "eight runs")

    terminal.press("3")
    terminal.until("agents 6", "sorted: chart")
    terminal.press("o")
    terminal.until("sorted: weakest")
    terminal.press("Home")
    weakest = named(terminal.until("why kept", "90 % inside"))
    assert weakest in ("bob", "cleo")

    terminal.press("x")
    terminal.until(f"replace {weakest}", "esc leaves everything as it is")
    terminal.type("the weakest of two")
    terminal.press("Enter")
    terminal.until(f"done: {weakest} is replaced by")
    terminal.press("Enter")

    terminal.press("6")
    terminal.until("chart.yaml", "✓ sound")
    plain = title(terminal)
    terminal.press("e")
    terminal.wait(lambda _: title(terminal) != plain, "the focus of the editor")
    rewrite(terminal, "vera", "verra")
    terminal.until("problems 1", "'vera'")
    terminal.press("F5")
    terminal.until("mend the problems first")
    rewrite(terminal, "verra", "ada")
    terminal.until("✓ sound", "chart.yaml (edited)")
    terminal.press("F5")
    terminal.until("apply the chart", "moves to ada")
    terminal.press("Enter")
    terminal.until("done: revision 1 is in force")
    terminal.press("Enter")
    terminal.wait(lambda shown: "done: revision 1" not in shown, "the end of the dialog")
    terminal.press("Escape")
    terminal.until("q quit")  # single keys work again
    terminal.press("u")
    terminal.until("undo revision 1")
    terminal.press("Enter")
    terminal.until("done: revision 2 is in force")
    terminal.press("Enter", "q")

    events = [record.event for record in Ledger(run / "ledger.sqlite").events()]
    replaced = next(event for event in events if event.kind == "AgentReplaced")
    assert getattr(replaced, "because", "") == "the weakest of two"
    assert [getattr(event, "undoes", None) for event in events if event.kind == "ChartRevised"] == [None, 1]


def named(shown: str) -> str:
    """Who the page at the right is about."""
    lines = shown.splitlines()
    top = next(index for index, line in enumerate(lines) if "agents 6" in line)
    return lines[top + 1].split("│")[-2].split()[1]


def title(terminal: Tmux) -> str:
    """The head of the editor with its colours: they say whether keys go there."""
    lines = terminal.call("capture-pane", "-p", "-e").splitlines()
    return next(line for line in lines if "chart.yaml" in line).split("preview")[0]


def rewrite(terminal: Tmux, old: str, new: str) -> None:
    """Give cleo another manager in the text, key by key."""
    lines = CHART.splitlines()
    row = next(index for index, line in enumerate(lines) if "id: cleo" in line)
    column = lines[row].index("reports_to: ") + len("reports_to: ") + len(old)
    terminal.call("send-keys", "-N", str(len(lines)), "Up")
    terminal.press("Home")
    terminal.call("send-keys", "-N", str(row), "Down")
    terminal.call("send-keys", "-N", str(column), "Right")
    terminal.call("send-keys", "-N", str(len(old)), "BSpace")
    terminal.type(new)

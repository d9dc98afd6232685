"""The level of the sandbox stands in the header of the live panel and of the dashboard, and on every experiment."""

from __future__ import annotations

import io

import pytest
from core_kit import chart_of
from rich.console import Console

from company.compute.backend import Outcome
from company.console_panel import Scene, panel
from company.engine import Engine
from company.snapshot import Recorded, Snapshot
from company.testing import Rehearsal, Run, offline, planted_project, planted_trainer
from tui.draw.experiment import Files, experiment_page
from tui.draw.status import Situation, status_line


def company(level: str) -> Snapshot:
    """A company whose runs say that they ran at a level, as the workers do."""
    planted = planted_trainer()

    def train(run: Run) -> Outcome:
        found = planted(run)
        return Outcome(found.status, found.metric, found.failure, curve=found.curve, measured={"sandbox": level})

    work, shot, seq = Rehearsal(Engine(planted_project()), train, offline), Snapshot(), 0
    step = work.follow(work.engine.found(chart_of("solo", 4), 0, 1, measured={"sandbox": level}))
    while step is not None:
        for at, event in step.events:
            seq += 1
            shot.apply(Recorded(seq, at, at, event))
        step = work.advance()
    return shot


@pytest.mark.parametrize("level", ["strict", "none"])
def test_the_level_is_in_every_header_and_on_every_experiment(level: str) -> None:
    shot = company(level)
    assert {e.sandbox for e in shot.state.experiments.values()} == {level}
    console = Console(file=io.StringIO(), width=100)
    console.print(panel(Scene(shot.state, 1.0, None, {}, []), 100, 30))
    assert f"sandbox {level}" in console.file.getvalue()  # type: ignore[union-attr]
    row = dict(status_line(shot, Situation(), 200))
    assert row[level] == ("warn" if level == "none" else "text")
    page = experiment_page(shot, "e0003", Files(), 80)
    assert any("".join(text for text, _ in line).split() == ["sandbox", level] for line in page)


def test_a_level_that_nobody_knows_is_made_harmless() -> None:
    shot = company("\x1b[31m" + "x" * 500)
    assert all(len(e.sandbox) <= 20 and e.sandbox.isprintable() for e in shot.state.experiments.values())


def test_a_simulated_company_has_none_to_show() -> None:
    shot = company("")
    assert "sandbox " not in dict(status_line(shot, Situation(), 200))

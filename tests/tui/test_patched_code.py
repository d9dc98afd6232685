"""Changed code on the screens: what a patch changed is told in lists, and shown on its experiment's page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from company.snapshot import Recorded, Snapshot
from tests.company.patching.patching_kit import Company, replace, small_chart
from tui.draw.experiment import Files, experiment_page
from tui.draw.experiments import row
from tui.draw.ink import Line, cells
from tui.filter import parse

HOSTILE = "GAIN = 0.5\n\ttab = '[bold]\x1b[31m' # \u202e 宽 " + "x" * 500


@pytest.fixture(scope="module")
def shot() -> Snapshot:
    """A company whose second proposal is a patch with markup, an escape, a tab and a very long line."""
    script = {("bob", "propose"): [replace("GAIN = 0.0", "GAIN = 0.5"), None, replace("GAIN = 0.5", "GAIN = 0.9")]}
    found, seq = Snapshot(), 0
    for step in Company(small_chart(), script).run():
        for at, event in step.events:
            seq += 1
            found.apply(Recorded(seq, at, at, event))
    return found


def texts(lines: Sequence[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def first_patched(shot: Snapshot) -> str:
    return next(e.id for e in shot.state.experiments.values() if e.code)


def test_a_list_says_that_the_code_was_changed(shot: Snapshot) -> None:
    told = texts([row(shot, first_patched(shot), 120, False)])[0]
    assert "a patch +1 -1 lines" in told
    assert "nothing changed" not in told


def test_the_page_shows_the_lines_that_were_changed_in_colour(shot: Snapshot) -> None:
    lines = experiment_page(shot, first_patched(shot), Files(), 80)
    colours = {text.strip(): style for line in lines for text, style in line if "GAIN" in text}
    assert (colours["-GAIN = 0.0"], colours["+GAIN = 0.5"]) == ("bad", "good")


def test_an_experiment_with_the_projects_own_code_has_no_such_part(shot: Snapshot) -> None:
    own = next(e.id for e in shot.state.experiments.values() if e.purpose == "baseline")
    assert not any(text.startswith("Code") for text in texts(experiment_page(shot, own, Files(), 80)))


def test_experiments_with_changed_code_can_be_looked_for(shot: Snapshot) -> None:
    wanted = parse("has:code")
    found = {e.id for e in shot.state.experiments.values() if wanted.holds(shot.state, e)}
    assert found == {e.id for e in shot.state.experiments.values() if e.code}


def test_hostile_code_does_no_harm_on_the_page(shot: Snapshot) -> None:
    name = first_patched(shot)
    code = shot.state.codes[shot.state.experiments[name].code]
    diff = [f"+{text}" for text in (*HOSTILE.split("\n"), *["more"] * 90)]
    object.__setattr__(code, "event", dataclasses.replace(code.event, diff="\n".join(diff)))
    lines = experiment_page(shot, name, Files(), 60)
    shown = texts(lines)
    assert all(text.isprintable() and cells(text) <= 60 for text in shown)
    assert any("    tab = '[bold]" in text for text in shown)
    assert any("more lines, in code.git" in text for text in shown)

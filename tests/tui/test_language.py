"""The filter language, the moments of a replay, and what drawings promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from company.chart_yaml import load_chart
from company.snapshot import Snapshot
from tests.tui.test_following import read_all
from tui.draw.braille import plot
from tui.draw.ink import width
from tui.draw.org import draw_org, neighbour
from tui.draw.teams import chart_team
from tui.filter import parse
from tui.moments import Moment, parse_moment


@pytest.fixture(scope="module")
def shot(finished: Path) -> Snapshot:
    found = Snapshot()
    for delta in read_all(finished):
        found.extend(delta.records)
    return found


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", lambda e: True),
        ("status:ok", lambda e: e.status == "ok"),
        ("-status:ok", lambda e: e.status != "ok"),
        ("cfg.lr>=1e-2", lambda e: e.config["lr"] >= 1e-2),
        ("cfg.width=32 status:ok", lambda e: e.config["width"] == 32 and e.status == "ok"),
        ("who:bob | who:kim", lambda e: e.proposer in ("bob", "kim")),
        ("has:metric -has:parent", lambda e: e.metric is not None and e.parent is None),
        ("bob", lambda e: "bob" in (e.proposer or "") or "bob" in e.reason),
        ('note:"the noise"', lambda e: "the noise" in f"{e.reason} {e.detail}"),
        ("id=e0001", lambda e: e.id == "e0001"),
    ],
)
def test_filters_mean_what_they_say(text: str, holds, shot: Snapshot) -> None:
    parsed = parse(text)
    everything = list(shot.state.experiments.values())
    assert not parsed.problem
    assert [e.id for e in everything if parsed.holds(shot.state, e)] == [e.id for e in everything if holds(e)]


@pytest.mark.parametrize(
    ("text", "says"),
    [("stauts:ok", "did you mean status?"), ("metric>much", "needs a number"), ("has:nothing", "no field")],
)
def test_a_filter_that_cannot_be_used_says_why(text: str, says: str) -> None:
    assert says in parse(text).problem


def test_moments_are_named_as_people_name_them() -> None:
    assert parse_moment("90") == Moment(at=90.0)
    assert parse_moment("#420") == Moment(seq=420)
    assert parse_moment("12:30") == Moment(at=750.999)
    assert isinstance(parse_moment("soon"), str)


@pytest.mark.parametrize("chart", ["solo", "startup", "flat", "committee", "lab"])
@pytest.mark.parametrize("room", [40, 76, 120, 200])
def test_everyone_is_drawn_once_and_reached_by_arrows(chart: str, room: int) -> None:
    team = chart_team(load_chart(chart))
    for layout in ("auto", "cards", "rows", "tree"):
        drawing = draw_org(team, room, "", layout, 20)  # type: ignore[arg-type]
        assert set(drawing.spots) == {p.id for p in load_chart(chart).positions}
        assert layout != "auto" or drawing.width <= room
        assert reached(drawing) == set(drawing.spots)
        for name, box in drawing.spots.items():
            assert name in "".join(text for text, _ in drawing.lines[box.y])


def reached(drawing) -> set[str]:
    found, new = set(), {next(iter(drawing.spots))}
    while new:
        found |= new
        new = {neighbour(drawing, name, d) for name in new for d in ("left", "right", "up", "down")} - found
    return found


def test_curves_keep_to_their_room() -> None:
    lines = plot([([(float(x), 1 / (x + 1)) for x in range(500)], "busy")], 60, 9)
    assert len(lines) == 10 and all(width(line) <= 60 for line in lines)
    assert plot([([(1.0, float("nan"))], "busy")], 60, 9) == []

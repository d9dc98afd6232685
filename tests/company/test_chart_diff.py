"""The diff speaks of people and policies."""

from __future__ import annotations

import json

from company.chart import OrgChart
from company.chart_diff import diff_charts
from company.chart_yaml import load_chart, parse_chart, shipped_charts


def edited(old: str, new: str) -> list[str]:
    from company.chart_yaml import CHARTS

    text = (CHARTS / "startup.yaml").read_text(encoding="utf-8")
    assert old in text
    return [str(change) for change in diff_charts(load_chart("startup"), parse_chart(text.replace(old, new)))]


def test_equal_charts_have_no_difference() -> None:
    for name in shipped_charts():
        assert diff_charts(load_chart(name), load_chart(name)) == ()


def test_comments_order_and_defaults_written_out_are_no_difference() -> None:
    chart = load_chart("startup")
    assert diff_charts(chart, OrgChart.from_dict(chart.to_dict())) == ()
    assert diff_charts(chart, chart.model_copy(update={"positions": tuple(reversed(chart.positions))})) == ()


def test_each_kind_of_change_has_its_sentence() -> None:
    assert edited("brain: gp}", "brain: {kind: evolution, step: 0.3}}") == [
        "cleo changes brain from gp to evolution (step 0.3)"
    ]
    assert edited("role: engineer,   reports_to: ada}", "role: reviewer, reports_to: ada}") == [
        "dan changes role from engineer to reviewer"
    ]
    assert edited("{id: dan, ", "{id: dana, ") == [
        "dan is removed: engineer, reports to ada",
        "dana is added: engineer, reports to ada",
    ]
    assert edited("title: Reviewer", "title: Critic") == ["eve changes title from Reviewer to Critic"]
    assert edited("confidence: 0.7, ", "confidence: 0.8, ") == ["policies.replace.confidence: 0.7 -> 0.8"]
    assert edited("coach_first: true", "coach_first: false") == ["policies.replace.coach_first: true -> false"]
    assert edited("experiments: 40", "experiments: 40, usd: 3") == ["budget.usd: nothing -> 3.0"]
    assert edited("evolution, count: 2", "evolution, count: 3") == ["talent researcher evolution: 2 -> 3"]
    assert edited("communication: team", "communication: ring") == ["communication: team -> ring"]


def test_a_move_names_both_managers() -> None:
    lab = load_chart("lab")
    seats = tuple(
        seat.model_copy(update={"reports_to": "nora"}) if seat.id == "bob" else seat for seat in lab.positions
    )
    (change,) = diff_charts(lab, lab.model_copy(update={"positions": seats}))
    assert str(change) == "bob moves from ada to nora"
    assert change.to_dict() == {"kind": "moved", "subject": "bob", "before": "ada", "after": "nora"}


def test_every_pair_of_shipped_charts_gives_json() -> None:
    for one in shipped_charts():
        for other in shipped_charts():
            changes = diff_charts(load_chart(one), load_chart(other))
            assert json.loads(json.dumps([change.to_dict() for change in changes])) is not None
            assert (one == other) == (not changes)

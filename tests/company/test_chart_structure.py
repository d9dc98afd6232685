"""What a chart answers about its people, and that an unsound one cannot be built."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from company.chart import BrainSpec, OrgChart, Position
from company.chart_problems import ChartError
from company.chart_yaml import load_chart


def grown(parents: list[int], communication: str = "team") -> OrgChart:
    """A chart in which position i+1 reports to the manager parents[i] % (i+1); leaves are researchers."""
    boss = {index + 1: parent % (index + 1) for index, parent in enumerate(parents)}
    seats = [
        Position(
            id=f"p{index}",
            role="manager" if index in boss.values() or (index == 0 and boss) else "researcher",
            reports_to=f"p{boss[index]}" if index else None,
        )
        for index in range(len(parents) + 1)
    ]
    return OrgChart.model_validate({"company": "c", "positions": seats, "communication": communication})


trees = st.lists(st.integers(0, 99), max_size=25)


def test_people_of_the_lab_find_their_managers_and_reviewers() -> None:
    lab = load_chart("lab")
    assert lab.root == "vera"
    assert lab.managers_top_down() == ("vera", "ada", "nora", "omar")
    assert lab.chain("bob") == ("ada", "vera")
    assert lab.manager_of("vera") is None
    assert lab.team("bob") == ("bob", "cleo", "hugo")
    assert lab.reviewers_for("bob") == ("eve",)
    assert lab.by_role("engineer") == ("dan",)
    assert lab.position("bob").effective_brain == BrainSpec(kind="tpe")


def test_the_reviewers_of_the_own_team_come_before_those_further_up() -> None:
    lab = load_chart("lab")
    own = Position(id="gus", role="reviewer", reports_to="ada")
    changed = lab.model_copy(update={"positions": (*lab.positions, own)})
    assert changed.reviewers_for("bob") == ("gus",)
    assert changed.reviewers_for("finn") == ("eve",)


@pytest.mark.parametrize(
    ("communication", "seen"),
    [
        ("team", {"ada", "bob", "cleo", "hugo"}),
        ("chart", {"ada", "vera", "bob", "cleo", "hugo"}),
        ("solo", {"bob"}),
        ("ring", {"kim", "bob", "cleo"}),
        ({"edges": [["finn", "bob"]]}, {"bob", "finn"}),
        ({"edges": [["finn", "bob"]], "directed": True}, {"bob"}),
        ({"edges": [["bob", "finn"]], "directed": True}, {"bob", "finn"}),
    ],
)
def test_communication_decides_whose_results_a_researcher_sees(communication: object, seen: set[str]) -> None:
    lab = load_chart("lab").model_copy(update={"communication": communication})
    assert lab.visible_to("bob") == seen
    assert lab.sees("bob", "bob")


def test_complete_communication_shows_everything_to_everyone() -> None:
    lab = load_chart("lab").model_copy(update={"communication": "complete"})
    assert all(lab.sees(a.id, b.id) for a in lab.positions for b in lab.positions)


def test_who_is_not_a_researcher_sees_the_team_even_when_researchers_work_alone() -> None:
    startup = load_chart("startup").model_copy(update={"communication": "solo"})
    assert startup.visible_to("eve") == {"ada", "bob", "cleo", "dan", "eve"}
    assert startup.visible_to("bob") == {"bob"}


@settings(deadline=None)
@given(trees, st.sampled_from(["team", "chart", "complete", "ring", "solo"]))
def test_structure_agrees_with_a_graph_library(parents: list[int], communication: str) -> None:
    import networkx

    chart = grown(parents, communication)
    graph = chart.graph()
    assert networkx.is_arborescence(graph) or len(graph) == 1
    for position in chart.positions:
        assert set(chart.chain(position.id)) == networkx.ancestors(graph, position.id)
        assert set(chart.structure.below(position.id)) == networkx.descendants(graph, position.id)
        assert set(chart.reports(position.id)) == set(graph.successors(position.id))
        assert position.id in chart.visible_to(position.id)
    researchers = chart.by_role("researcher")
    assert all(chart.sees(a, b) == chart.sees(b, a) for a in researchers for b in researchers)


@settings(deadline=None)
@given(trees, st.data())
def test_no_loop_of_managers_can_be_built(parents: list[int], data: st.DataObject) -> None:
    chart = grown(parents)
    seats = list(chart.positions)
    index = data.draw(st.integers(0, len(seats) - 1))
    below = [*chart.structure.below(seats[index].id), seats[index].id]
    seats[index] = seats[index].model_copy(update={"reports_to": data.draw(st.sampled_from(below))})
    with pytest.raises(ValidationError):
        chart.model_copy(update={"positions": tuple(seats)})


def test_a_changed_chart_answers_for_itself() -> None:
    chart = load_chart("startup")
    assert chart.reports("ada") == ("bob", "cleo", "dan", "eve")
    smaller = chart.model_copy(update={"positions": chart.positions[:3]})
    assert smaller.reports("ada") == ("bob", "cleo")
    assert chart.reports("ada") == ("bob", "cleo", "dan", "eve")


def test_plain_data_comes_back_as_the_same_chart() -> None:
    import json

    chart = load_chart("lab")
    assert OrgChart.from_dict(json.loads(json.dumps(chart.to_dict()))) == chart
    assert OrgChart.from_dict(chart.to_dict(compact=True)) == chart


def test_plain_data_that_is_wrong_says_everything() -> None:
    with pytest.raises(ChartError) as caught:
        OrgChart.from_dict({"company": "c", "positions": [{"id": "a", "role": "boss", "reports_to": "a"}]}, "ledger")
    assert str(caught.value).splitlines() == [
        "ledger: positions.0.role: role 'boss' is not a role: manager, researcher, engineer, reviewer",
        "ledger: there is no root: one manager must have no reports_to",
        "ledger: positions.0.reports_to: 'a' ends up reporting to itself: a -> a",
    ]


def test_nothing_in_a_chart_can_be_changed() -> None:
    chart = load_chart("startup")
    with pytest.raises(ValidationError):
        chart.positions[0].title = "x"  # pyright: ignore[reportAttributeAccessIssue]


def test_importing_the_chart_brings_in_nothing_heavy() -> None:
    heavy = "('ruamel.yaml', 'networkx', 'numpy', 'torch', 'sqlmodel', 'rich', 'textual')"
    code = f"import company.chart, company.review, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

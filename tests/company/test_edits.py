"""Edits change a live chart: what each does, what it refuses, and that any sequence leaves a sound company."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from company.chart import OrgChart
from company.chart_yaml import load_chart, shipped_charts
from company.edits import (
    AddPosition,
    ClosePosition,
    Demote,
    Edit,
    EditError,
    MergeTeams,
    Move,
    Promote,
    SetPolicy,
    SplitTeam,
    edits_from,
    from_dict,
)
from company.entities import Agent
from company.handover import Handover, consequences, handover, living_manager
from company.revision import Revision, apply, inverse, revise
from company.state import State
from roles.role import Brain

LAB, STARTUP = load_chart("lab"), load_chart("startup")


def refusal(chart: OrgChart, *edits: Edit) -> str:
    with pytest.raises(EditError) as caught:
        revise(chart, edits)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_edit_does_what_it_says() -> None:
    assert apply(LAB, Move(position="bob", to="nora")).manager_of("bob") == "nora"
    split = apply(LAB, SplitTeam(manager="ada", into="fay", members=("bob", "cleo")))
    assert (split.reports("fay"), split.manager_of("fay"), split.reports("ada")) == (
        ("bob", "cleo"),
        "ada",
        ("hugo", "fay"),
    )
    merged = apply(LAB, MergeTeams(keep="ada", close="nora"))
    assert merged.reports("ada") == ("bob", "cleo", "hugo", "finn", "iris") and "nora" not in merged.structure.manager
    flat = apply(LAB, Demote(position="nora"))
    assert flat.position("nora").role == "researcher" and flat.manager_of("finn") == "vera"
    added = apply(LAB, AddPosition(position="zoe", role="researcher", reports_to="omar", brain="gp"))  # type: ignore[arg-type]
    assert added.position("zoe").effective_brain.kind == "gp"
    assert apply(LAB, ClosePosition(position="omar")).manager_of("gwen") == "vera"
    assert apply(LAB, SetPolicy(key="replace.rule", value="never")).policies.replace.rule == "never"


def test_a_promotion_into_a_vacancy_leaves_one_and_else_two_change_places() -> None:
    opened = revise(
        LAB, (SplitTeam(manager="vera", into="fay", members=("nora", "omar")), Promote(position="bob", to="fay"))
    )
    assert opened.seated["fay"] == "bob" and opened.vacant == ("bob",)
    swapped = revise(LAB, (Promote(position="bob", to="ada"),))
    assert swapped.after == LAB and (swapped.seated["ada"], swapped.seated["bob"]) == ("bob", "ada")
    filled = revise(LAB, (Promote(position="bob", to="ada"),), vacant=("ada",))
    assert filled.seated["ada"] == "bob" and filled.vacant == ("bob",)


def test_what_cannot_be_done_is_refused_in_one_clear_line() -> None:
    assert refusal(LAB, Move(position="bobb", to="nora")) == "no position has the id 'bobb'; did you mean 'bob'?"
    assert refusal(LAB, Move(position="vera", to="nora")) == "'vera' is the root and cannot be moved"
    assert refusal(LAB, Move(position="bob", to="cleo")) == "'cleo' is a researcher; only a manager has reports"
    assert refusal(LAB, Move(position="bob", to="ada")) == "'bob' reports to 'ada' already"
    assert "is vacant" in refusal(
        LAB, AddPosition(position="zoe", role="researcher", reports_to="ada"), Promote(position="zoe", to="ada")
    )
    assert refusal(LAB, MergeTeams(keep="ada", close="ada")) == "'ada' cannot be merged with itself"
    assert refusal(LAB, MergeTeams(keep="ada", close="vera")) == "'vera' is the root and cannot be closed"
    assert "does not report to" in refusal(LAB, SplitTeam(manager="ada", into="fay", members=("finn",)))
    assert "would leave it only" in refusal(LAB, SplitTeam(manager="nora", into="fay", members=("finn", "iris")))
    assert refusal(LAB, AddPosition(position="bob", role="researcher", reports_to="ada")) == "the id 'bob' is taken"
    assert "what the next agent at 'bob'" in refusal(
        LAB, AddPosition(position="bob_2", role="researcher", reports_to="ada")
    )
    assert refusal(load_chart("solo"), ClosePosition(position="bob")) == "'bob' is the root and cannot be closed"
    assert "last researcher" in refusal(STARTUP, ClosePosition(position="bob"), ClosePosition(position="cleo"))
    assert "asks 3 reviewers" in refusal(load_chart("committee"), ClosePosition(position="eve"))
    assert "did you mean 'rule'" in refusal(LAB, SetPolicy(key="replace.rules", value="never"))
    assert "policies.replace.rule" in refusal(LAB, SetPolicy(key="replace.rule", value="often"))
    deep = revise(LAB, (SplitTeam(manager="vera", into="fay", members=("ada", "nora")),)).after
    assert refusal(deep, Move(position="fay", to="ada")) == "'fay' would end up reporting to itself through 'ada'"


def test_a_list_of_edits_is_all_or_nothing_and_may_pass_through_what_would_not_work() -> None:
    with pytest.raises(EditError):
        revise(LAB, (ClosePosition(position="bob"), Move(position="nobody", to="ada")))
    through = (
        ClosePosition(position="bob"), ClosePosition(position="dan"),
        AddPosition(position="dan", role="engineer", reports_to="ada"),
    )  # fmt: skip
    assert revise(LAB, through).after.manager_of("dan") == "ada"


def test_edits_survive_json_and_strangers_are_refused() -> None:
    edits = (
        Move(position="bob", to="nora"),
        SplitTeam(manager="ada", into="fay", members=("cleo",)),
        Demote(position="omar"),
        AddPosition(position="zoe", role="researcher", reports_to="ada", brain={"kind": "tpe", "good": 0.4}),  # type: ignore[arg-type]
        SetPolicy(key="review.rule", value="all"),
    )  # fmt: skip
    revision = revise(LAB, edits)
    for sequence in (edits, inverse(revision)):
        assert edits_from(json.loads(json.dumps([edit.to_dict() for edit in sequence]))) == sequence
    for wrong in (
        {"kind": "Mvoe"},
        {"kind": "Move", "position": "bob"},
        {"kind": "Move", "position": "b", "to": "c", "x": 1},
        7,
    ):
        with pytest.raises(EditError):
            from_dict(wrong)  # type: ignore[arg-type]


def test_consequences_are_said_in_plain_words() -> None:
    edits = (
        SplitTeam(manager="ada", into="fay", members=("bob", "cleo")), Promote(position="bob", to="fay"),
        MergeTeams(keep="nora", close="omar"), SetPolicy(key="replace.rule", value="never"),
    )  # fmt: skip
    assert consequences(LAB, edits) == (
        "fay opens: a manager under ada",
        "2 researchers move to fay: bob, cleo",
        "3 researchers move to nora: gwen, jack, kim",
        "the agent of bob takes fay",
        "omar closes (manager); its open work goes to nora",
        "bob is vacant until someone is hired",
        "1 leave: omar",
        "policies.replace.rule: posterior -> never",
    )
    assert consequences(LAB, (Promote(position="bob", to="ada"),)) == ("the agents of ada and bob change places",)


def test_closing_in_a_chain_hands_the_work_to_who_is_still_there() -> None:
    revision = revise(
        LAB, (ClosePosition(position="kim"), MergeTeams(keep="nora", close="omar"), ClosePosition(position="nora"))
    )
    found = handover(revision)
    assert {(c.position, c.owner) for c in found.closed} == {("kim", "vera"), ("omar", "vera"), ("nora", "vera")}
    assert next(c.heir for c in found.closed if c.position == "kim") == "finn"


def test_an_undo_leaves_later_changes_elsewhere_alone() -> None:
    first = revise(LAB, (MergeTeams(keep="ada", close="nora"),))
    later = apply(first.after, Move(position="kim", to="vera"))
    undone = revise(later, inverse(first)).after
    assert undone.manager_of("finn") == "nora" and undone.manager_of("kim") == "vera"
    assert undone == apply(LAB, Move(position="kim", to="vera"))


def test_pairs_that_name_a_closed_position_go_and_come_back_with_it() -> None:
    chart = STARTUP.model_copy(update={"communication": {"edges": (("bob", "cleo"), ("bob", "dan"))}})
    revision = revise(chart, (ClosePosition(position="cleo"),))
    assert revision.after.communication.edges == (("bob", "dan"),)  # type: ignore[union-attr]
    assert revise(revision.after, inverse(revision)).after == chart


def random_edit(chart: OrgChart, rng: random.Random, serial: int) -> Edit:
    """Any edit at all, legal or not."""
    names = [seat.id for seat in chart.positions]
    managers = [*chart.by_role("manager"), rng.choice(names)]
    one, boss, other = rng.choice(names), rng.choice(managers), rng.choice(managers)
    team = chart.reports(boss) or (one,)
    brain: Any = rng.choice([None, "gp", {"kind": "tpe", "good": 0.4}])
    role: Any = rng.choice(["manager", "researcher", "researcher", "engineer", "reviewer"])
    policy = rng.choice(
        [("replace.rule", "never"), ("replace.rule", "posterior"), ("reorganise.max_span", 5), ("assign.every", 0)]
    )
    return rng.choice(
        [
            lambda: Move(position=one, to=boss),
            lambda: SplitTeam(
                manager=boss, into=f"lead{serial}", members=tuple(rng.sample(team, rng.randint(1, len(team))))
            ),
            lambda: MergeTeams(keep=boss, close=other),
            lambda: Promote(position=one, to=boss),
            lambda: Demote(position=boss),
            lambda: AddPosition(
                position=f"seat{serial}", role=role, reports_to=boss, brain=brain if role == "researcher" else None
            ),  # type: ignore[arg-type]
            lambda: ClosePosition(position=one),
            lambda: SetPolicy(key=policy[0], value=policy[1]),
        ]
    )()


def people_after(people: dict[str, str], revision: Revision) -> dict[str, str]:
    return {seat: people[was] for seat, was in revision.seated.items()}


def check_company(revision: Revision, found: Handover, people: dict[str, str]) -> None:
    chart = revision.after
    assert OrgChart.from_dict(json.loads(json.dumps(chart.to_dict()))) == chart
    assert [seat.id for seat in chart.positions if seat.reports_to is None] == [chart.root]
    assert set(chart.structure.top_down) == {seat.id for seat in chart.positions}
    after = people_after(people, revision)
    assert set(after) | set(found.vacant) == set(chart.structure.manager) and not set(after) & set(found.vacant)
    assert len(set(after.values())) == len(after)
    assert set(people.values()) == set(after.values()) | {people[name] for name in found.leaving}
    empty = set(found.vacant)
    assert all(living_manager(chart, seat, empty) for seat in after if seat != chart.root)
    assert all(chart.position(boss).role == "manager" for _, boss in found.acting)
    gone = {seat.id for seat in revision.before.positions} - set(chart.structure.manager)
    assert {closed.position for closed in found.closed} == gone
    assert all(chart.position(closed.owner).role == "manager" for closed in found.closed)


def check_shares(chart: OrgChart, rng: random.Random) -> None:
    state = State()
    state.__dict__["chart"] = chart
    state.holder = {seat.id: seat.id for seat in chart.positions}
    for seat in chart.positions:
        share = rng.choice([None, 0.0, rng.random()])
        state.agents[seat.id] = Agent(seat.id, seat.id, seat.id, seat.role, Brain("policy"), share=share)
    assert sum(state.share_of(seat.id) for seat in chart.positions if seat.role == "researcher") == pytest.approx(1)


@pytest.mark.parametrize("name", shipped_charts())
def test_any_sequence_of_edits_leaves_a_sound_company_that_can_be_undone(name: str) -> None:
    """More than 5,000 edits over the shipped charts; some vacancies wait, as they do when nobody can be hired."""
    rng, made, tries = random.Random(name), 0, 0
    chart, people, vacant = anew(name)
    while made < 1050:
        tries += 1
        edits = [random_edit(chart, rng, 10 * tries + n) for n in range(rng.choice([1, 1, 2, 3]))]
        try:
            revision = revise(chart, edits, vacant)
        except EditError as error:
            assert "\n" not in str(error)
            continue
        made += len(edits)
        found = handover(revision, vacant)
        check_company(revision, found, people)
        check_undo(revision, found, people)
        if made % 5 == 0:
            check_shares(revision.after, rng)
        people, chart, vacant = people_after(people, revision), revision.after, set(found.vacant)
        people |= {seat: f"hired {tries} {seat}" for seat in sorted(vacant) if rng.random() < 0.5}
        vacant -= set(people)
        if len(chart.positions) > 30:
            chart, people, vacant = anew(name)


def anew(name: str) -> tuple[OrgChart, dict[str, str], set[str]]:
    chart = load_chart(name)
    return chart, {seat.id: f"agent of {seat.id}" for seat in chart.positions}, set()


def check_undo(revision: Revision, found: Handover, people: dict[str, str]) -> None:
    again = edits_from([edit.to_dict() for edit in inverse(revision)])
    back = revise(revision.after, again, found.vacant)
    assert back.after == revision.before
    now = people_after(people, revision)
    restored = people_after(now, back)
    assert all(people[seat] == agent for seat, agent in restored.items())
    assert set(restored.values()) == set(now.values())

"""Saving: what was written is read back the same, and a person's comments, order and columns survive."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from company.brain_kinds import BRAIN_KINDS
from company.chart import OrgChart, Position
from company.chart_yaml import CHARTS, dump_chart, load_chart, parse_chart, save_chart, shipped_charts

LINES = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), min_size=1, max_size=30)


@st.composite
def brains(draw: st.DrawFn, role: str) -> Any:
    kinds = BRAIN_KINDS[role]
    kind = draw(st.sampled_from(sorted(kinds)))
    given_settings = {
        name: draw(st.floats(setting.low, setting.high))
        for name, setting in kinds[kind].settings.items()
        if draw(st.booleans())
    }
    return draw(st.sampled_from([None, kind, {"kind": kind, **given_settings}]))


POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "accept": st.fixed_dictionaries({"p": st.floats(0.001, 0.5), "rule": st.sampled_from(["greedy", "replicate"])}),
        "assign": st.fixed_dictionaries({}, optional={"every": st.integers(1, 50), "ahead": st.integers(0, 9)}),
        "appraise": st.fixed_dictionaries({"every": st.integers(0, 20)}),
        "watch": st.just({"rungs": [0.1, 0.9]}),
        "replace": st.fixed_dictionaries({"below": st.one_of(st.just("replacement"), st.floats(-5, 5))}),
        "promote": st.fixed_dictionaries({"rule": st.sampled_from(["never", "merit"])}),
    },
)


@st.composite
def charts(draw: st.DrawFn) -> OrgChart:
    managers = [f"m{index}" for index in range(draw(st.integers(1, 4)))]
    seats: list[dict[str, Any]] = [
        {"id": name, "role": "manager", **({"reports_to": draw(st.sampled_from(managers[:index]))} if index else {})}
        for index, name in enumerate(managers)
    ]
    for index in range(draw(st.integers(1, 6))):
        role = "researcher" if index == 0 else draw(st.sampled_from(["researcher", "engineer", "reviewer"]))
        seats.append({"id": f"w{index}", "role": role, "reports_to": draw(st.sampled_from(managers))})
    for seat in seats:
        seat.update(brain=draw(brains(seat["role"])), title=draw(st.one_of(st.just(""), LINES)))
    talent = [
        {"role": role, "brain": draw(brains(role)), "count": draw(st.integers(1, 9))}
        for role in draw(st.lists(st.sampled_from(["researcher", "reviewer"]), max_size=3))
    ]
    return OrgChart.from_dict(
        {
            "company": draw(LINES),
            "mission": draw(st.one_of(st.just(""), LINES, st.just("two\nlines: [x] # not a comment\n"))),
            "budget": draw(st.sampled_from([{"experiments": 40}, {"slot_seconds": 0.5}, {"experiments": 1, "usd": 2}])),
            "communication": draw(st.sampled_from(["team", "ring", {"edges": [["m0", "w0"]]}])),
            "policies": draw(POLICIES),
            "positions": draw(st.permutations(seats)),
            "talent": talent,
        }
    )


@settings(max_examples=120, deadline=None)
@given(charts())
def test_what_is_saved_is_what_is_loaded(chart: OrgChart) -> None:
    assert parse_chart(dump_chart(chart)) == chart
    assert OrgChart.from_dict(chart.to_dict()) == chart


@settings(max_examples=60, deadline=None)
@given(charts(), st.sampled_from(shipped_charts()))
def test_any_chart_can_be_saved_onto_any_text(chart: OrgChart, name: str) -> None:
    text = (CHARTS / f"{name}.yaml").read_text(encoding="utf-8")
    merged = dump_chart(chart, onto=text)
    assert parse_chart(merged) == chart
    assert merged.startswith("# yaml-language-server: $schema=./schema.json\n")


@pytest.mark.parametrize("name", shipped_charts())
def test_saving_an_unchanged_chart_changes_nothing(name: str) -> None:
    text = (CHARTS / f"{name}.yaml").read_text(encoding="utf-8")
    assert dump_chart(load_chart(name), onto=text) == text


@pytest.mark.parametrize("name", shipped_charts())
def test_a_small_change_touches_one_line(name: str) -> None:
    text = (CHARTS / f"{name}.yaml").read_text(encoding="utf-8")
    changed = dump_chart(load_chart(name).model_copy(update={"mission": "Something else."}), onto=text)
    old, new = text.splitlines(), changed.splitlines()
    ((before, after),) = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert before.startswith("mission: ") and after == "mission: Something else."


def test_people_come_and_go_and_the_comments_stay() -> None:
    text = (CHARTS / "startup.yaml").read_text(encoding="utf-8")
    chart = load_chart("startup")
    fay = Position(id="fay", role="researcher", reports_to="ada")
    seats = (*(seat for seat in chart.positions if seat.id != "bob"), fay)
    policies = chart.policies.model_copy(update={"appraise": chart.policies.appraise.model_copy(update={"every": 4})})
    merged = dump_chart(chart.model_copy(update={"positions": seats, "policies": policies}), onto=text)
    lost = set(text.splitlines()) - set(merged.splitlines())
    assert {line.split("#")[0].strip() for line in lost} == {
        "appraise:   {every: 8, after: 4}",
        "- {id: bob,  title: Researcher, role: researcher, reports_to: ada, brain: tpe}",
    }
    assert "every 8 experiments; nobody is judged" in merged
    assert "{every: 4, after: 4}" in merged
    assert "  - {id: fay, role: researcher, reports_to: ada}" in merged
    assert merged.count("#") == text.count("#")


def test_a_setting_back_at_its_default_leaves_its_neighbours() -> None:
    policies = "policies:\n  accept:\n    p: 0.01 # strict\n    screen: 2\n"
    text = f"company: c\n{policies}positions:\n- id: a\n  role: researcher\n"
    chart = parse_chart(text)
    accept = chart.policies.accept.model_copy(update={"screen": 1.0})
    changed = chart.model_copy(update={"policies": chart.policies.model_copy(update={"accept": accept})})
    merged = dump_chart(changed, onto=text)
    assert "p: 0.01 # strict" in merged
    assert "screen" not in merged


def test_text_that_shares_parts_is_written_out_when_it_must_be() -> None:
    text = (
        "company: c\npositions:\n- {id: a, role: manager}\n"
        "- {id: b, role: researcher, reports_to: a, brain: &x {kind: gp, cap: 20}}\n"
        "- {id: c, role: researcher, reports_to: a, brain: *x}\n"
    )
    chart = parse_chart(text)
    other = chart.positions[2].model_copy(update={"brain": {"kind": "gp", "cap": 30}})
    changed = chart.model_copy(update={"positions": (*chart.positions[:2], other)})
    assert parse_chart(dump_chart(changed, onto=text)) == changed


def test_saving_leaves_the_old_file_when_it_cannot_write(tmp_path) -> None:
    target = tmp_path / "chart.yaml"
    save_chart(load_chart("solo"), target)
    assert load_chart(target) == load_chart("solo")
    assert [path.name for path in tmp_path.iterdir()] == ["chart.yaml"]
    with pytest.raises(OSError):
        save_chart(load_chart("solo"), tmp_path / "no" / "chart.yaml")


def test_broken_text_is_replaced() -> None:
    chart = load_chart("solo")
    assert parse_chart(dump_chart(chart, onto="company: [")) == chart

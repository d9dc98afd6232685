"""What ships with Loopworks: charts, schema and the table of brains are sound and fresh."""

from __future__ import annotations

import json

import pytest

from company.brain_kinds import BRAIN_KINDS, DEFAULT_BRAINS, ROLE_NAMES, find_kind, kinds_for
from company.chart_schema import schema_text
from company.chart_yaml import CHARTS, load_chart, shipped_charts


def test_the_promised_charts_ship() -> None:
    assert {"solo", "startup", "lab", "flat", "committee"} <= set(shipped_charts())
    assert 12 <= len(load_chart("lab").positions) <= 15
    assert len(load_chart("lab").managers_top_down()) == 4
    assert len(load_chart("solo").positions) == 1
    startup = load_chart("startup")
    assert [len(startup.by_role(role)) for role in ROLE_NAMES] == [1, 2, 1, 1]


@pytest.mark.parametrize("name", shipped_charts())
def test_a_shipped_chart_begins_with_the_line_for_editors(name: str) -> None:
    text = (CHARTS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=./schema.json\n")
    assert text.count("#") >= 4  # people learn from the comments


def test_the_schema_is_fresh() -> None:
    """If this fails: loopworks org schema > org_charts/schema.json"""
    assert (CHARTS / "schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_explains_every_setting() -> None:
    schema = json.loads(schema_text())
    blocks = {"": schema, **schema["$defs"]}
    silent = [
        f"{name}.{key}"
        for name, block in blocks.items()
        for key, value in block.get("properties", {}).items()
        if not value.get("description") and name != "Brain" and key != "kind"
    ]
    assert silent == []


def test_the_table_of_brains_is_the_registry() -> None:
    offline = pytest.importorskip("roles.brains.offline")
    ours = {
        name: {key: (each.low, each.high) for key, each in kind.settings.items()}
        for name, kind in BRAIN_KINDS["researcher"].items()
    }
    theirs = {
        name: {key: (each.low, each.high) for key, each in kind.settings.items()}
        for name, kind in offline.BRAINS.items()
    }
    assert ours == theirs


def test_the_roles_are_the_roster() -> None:
    roster = pytest.importorskip("roles.roster")
    assert set(roster.ROLES) == set(ROLE_NAMES)
    assert {name: role.default_brain for name, role in roster.ROLES.items()} == DEFAULT_BRAINS


def test_a_brain_from_an_entry_point_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    from company import brain_kinds

    entry = metadata.EntryPoint(name="annealing", value="other.annealing:KIND", group=brain_kinds.ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: [entry])
    brain_kinds._added.cache_clear()
    try:
        found = find_kind("researcher", "annealing")
        assert found is not None and found.open
        assert find_kind("reviewer", "annealing") is None
        assert "annealing" in kinds_for("researcher")
    finally:
        brain_kinds._added.cache_clear()

"""Who the others are compared with may be named, now or later: no row depends on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_kit import batch, refused, rows_of

from company.batch.store import Store

NEVER = "startup replace.rule=never"
SMALL = ("startup", "--project", "bowl", "--seeds", "3", "--experiments", "4", "--jobs", "1")


def against(found: dict[str, Any]) -> set[str]:
    """The references of all contrasts, and the one that the summary names."""
    arms = [found["summary"]["reference"], *(each["against"] for each in found["summary"]["contrasts"])]
    return {f"{arm['chart']} {arm['settings']}".strip() for arm in arms}


def test_the_same_rows_are_reported_against_another_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a"
    batch(out, *SMALL)
    rows, scenario = rows_of(out), Store(out / "results.sqlite").about["scenario"]
    monkeypatch.setattr(Store, "add", lambda *_: pytest.fail("a row was run again"))
    found = batch(out, *SMALL, "--reference", f" {NEVER.replace(' ', '  ')} ")
    assert against(found) == {NEVER}
    assert not any("picked for that" in note for note in found["summary"]["notes"])
    report = (out / "report.md").read_text()
    assert f"## Against {NEVER}\n" in report and f"| reference | {NEVER}, as asked for |" in report
    assert f"<h2>Against {NEVER}</h2>" in (out / "report.html").read_text()
    assert rows_of(out) == rows and Store(out / "results.sqlite").about["scenario"] == scenario


def test_a_name_that_no_arm_has_lists_them(tmp_path: Path) -> None:
    out = tmp_path / "a"
    for name in ("sole", "", "startup replace.rule=sometimes", "\x1b[31mred"):
        said = refused(*SMALL, "--reference", name, "--out", str(out))
        assert "there is startup; startup replace.rule=never; startup replace.rule=random; solo" in said
        assert said.startswith("reference: no arm is called '") and "\x1b" not in said
    assert "did you mean 'solo'?" in refused(*SMALL, "--reference", "sole", "--out", str(out))
    assert not out.exists()


def test_a_long_list_of_arms_is_cut(tmp_path: Path) -> None:
    many = ("--set", "accept.screen=" + ",".join(f"1.{n}" for n in range(1, 10)), "--no-controls")
    said = refused("solo", *many, "--reference", "flat")
    assert "solo accept.screen=1.6; and 3 more" in said and "1.7" not in said


def test_a_scenario_names_a_reference_and_a_flag_another(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.yaml", tmp_path / "a"
    asked = {"charts": ["startup"], "projects": ["bowl"], "seeds": 2, "experiments": 4}
    file.write_text(json.dumps(asked))
    plain = batch(out, str(file), "--jobs", "1")
    file.write_text(json.dumps({**asked, "reference": NEVER}))
    named = batch(out, str(file))
    assert against(named) == {NEVER} and named["scenario"] == plain["scenario"] and named["rows"] == plain["rows"]
    assert against(batch(out, str(file), "--reference", "solo")) == {"solo"}
    file.write_text(json.dumps({**asked, "reference": "nobody"}))
    assert "reference: no arm is called 'nobody'" in refused(str(file), "--out", str(out))
    file.write_text(json.dumps({**asked, "reference": 3}))
    assert "reference: must be text" in refused(str(file), "--out", str(out))


def test_a_reference_is_named_in_a_race_and_without_controls(tmp_path: Path) -> None:
    words = (*SMALL, "--set", "replace.rule=posterior,never", "--no-controls", "--race")
    assert against(batch(tmp_path / "a", *words, "--reference", NEVER)) == {NEVER}

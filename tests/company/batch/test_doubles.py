"""One world, or one chart, under two names counts once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_kit import batch, invoke, refused, tamper

from company.batch.grid import resolve
from company.batch.scenario import ScenarioError, scenario
from company.chart_yaml import find_chart
from company.surrogates.catalogue import find_recording, identity

FEW = ("--seeds", "2", "--experiments", "3", "--jobs", "1", "--no-controls")


def projects(*names: str) -> tuple[str, ...]:
    return resolve(scenario({"charts": ["solo"], "projects": names})).projects


@pytest.mark.parametrize(
    "names",
    [
        ("nk:N=6,K=1", "nk:K=1,N=6"),
        ("nk:K=7", "nk", "nk:N=15,K=7,noise=0"),
        ("bandit:means=0/1", "bandit:means=0.0/1.0"),
        ("bowl", "bowl"),
    ],
)
def test_settings_in_another_order_or_written_out_are_the_same_project(names: tuple[str, ...]) -> None:
    assert projects(*names) == names[:1]


def test_a_family_and_one_of_its_kinds_bring_that_kind_once() -> None:
    assert projects("bowl", "planted")[0] == "bowl" and sorted(projects("bowl", "planted")) == sorted(
        projects("planted")
    )


def test_what_differs_stays_apart() -> None:
    names = ("nk:N=6,K=1", "nk:N=6,K=2", "nk:N=6,K=1,noise=0.1", "bandit:arms=6", "digits", "byte_lm")
    assert projects(*names) == names


def test_a_recording_is_one_by_name_by_path_and_as_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = find_recording("digits")
    copy = shutil.copy(shipped, tmp_path / "mine.parquet")
    monkeypatch.chdir(tmp_path)
    assert projects("digits", str(shipped)) == ("digits",)
    assert projects("mine.parquet", "./mine.parquet", str(copy), "digits") == ("mine.parquet",)


def test_past_runs_are_one_project_by_every_path_of_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = ("runs/a", "./runs/b/../a", str(tmp_path / "runs" / "a"), "runs/b")
    found = [identity(f"from-ledger:{path}") for path in paths]
    assert found[0] == found[1] == found[2] != found[3]


def test_a_batch_that_counted_one_world_twice_is_kept_and_not_gone_on_with(tmp_path: Path) -> None:
    words = ("solo", "--project", "nk:N=6,K=1", "--project", "nk:K=1,N=6", *FEW, "--out", str(tmp_path))
    batch(tmp_path, *words[:-2])
    tamper(tmp_path, """UPDATE about SET value = '["nk:N=6,K=1","nk:K=1,N=6"]' WHERE key = 'projects'""")
    result = invoke("batch", *words)
    assert result.exit_code == 2
    assert 'of the worlds ["nk:N=6,K=1","nk:K=1,N=6"], not ["nk:N=6,K=1"]' in result.stderr


def test_a_project_that_is_named_twice_is_said_and_changes_no_row(tmp_path: Path) -> None:
    words = ("solo", "--project", "nk:N=6,K=1", *FEW)
    once = batch(tmp_path / "once", *words)
    result = invoke("batch", *words, "--project", "nk:K=1,N=6", "--out", str(tmp_path / "twice"))
    assert result.exit_code == 0
    assert "note: nk:K=1,N=6 is nk:N=6,K=1 again: its worlds count once\n" in result.stderr
    twice = batch(tmp_path / "twice", *words, "--project", "nk:K=1,N=6")
    assert twice["rows"] == once["rows"] and twice["summary"] == once["summary"]


def test_a_chart_under_two_names_is_refused_with_both(tmp_path: Path) -> None:
    copy = tmp_path / "mine.yaml"
    shutil.copy(find_chart("startup"), copy)
    out = tmp_path / "out"
    said = refused("startup", str(copy), *FEW, "--out", str(out))
    assert said == "startup and mine are the same chart at the same budget: name one of them\n" and not out.exists()
    set_too = refused("startup", str(copy), "--set", "replace.rule=never,random", *FEW, "--out", str(out))
    assert "startup replace.rule=never and mine replace.rule=never are the same chart" in set_too


def test_charts_that_differ_by_their_budget_only_are_the_same(tmp_path: Path) -> None:
    other = tmp_path / "mine.yaml"
    other.write_text(find_chart("startup").read_text().replace("experiments: 40", "experiments: 80"))
    assert "at the same budget" in refused("startup", str(other), "--out", str(tmp_path / "out"))


def test_a_value_under_two_spellings_is_refused_with_both() -> None:
    with pytest.raises(ScenarioError, match=r"accept.screen=1 and solo accept.screen=1.0 are the same chart"):
        resolve(scenario({"charts": ["solo"], "set": {"accept.screen": [1, 1.0]}}))


def test_a_setting_that_is_the_charts_own_names_its_base(tmp_path: Path) -> None:
    other = tmp_path / "mine.yaml"
    other.write_text(find_chart("startup").read_text().replace("company: startup", "company: mine"))
    asked = {"charts": ["startup", str(other)], "set": {"replace.rule": ["posterior"]}, "controls": False}
    assert [str(each.arm) for each in resolve(scenario(asked)).arms] == [
        "startup replace.rule=posterior", "mine replace.rule=posterior",
    ]  # fmt: skip

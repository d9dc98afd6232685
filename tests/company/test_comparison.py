"""Comparing settings: the same worlds, honest intervals, one clear line for what cannot be run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from company import cli
from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.cli import loopworks
from company.comparison import Comparison, Row, compare, jobs, run, settings
from company.edits import EditError
from company.paired import difference, t_interval
from company.simulated import FAMILIES, KINDS, tasks

SMALL = OrgChart.from_dict(
    {
        "company": "small",
        "budget": {"experiments": 12},
        "positions": [
            {"id": "ada", "role": "manager"},
            {"id": "bob", "role": "researcher", "reports_to": "ada", "brain": "random"},
            {"id": "cleo", "role": "researcher", "reports_to": "ada", "brain": "hillclimb"},
        ],
        "talent": [{"role": "researcher", "brain": "evolution", "count": 9}],
    }
)


def compared(*options: str, seeds: int = 2, project: str = "bowl", processes: int = 1) -> Comparison:
    found = settings(SMALL, options)
    return compare(found, list(run(jobs(found, project, range(seeds), 1), processes)))


def bare(row: Row) -> Row:
    return replace(row, setting=0)


def test_identical_settings_meet_the_same_worlds_and_do_not_differ() -> None:
    found = compared("replace.rule=never,never")
    assert [bare(row) for row in found.of(0)] == [bare(row) for row in found.of(1)]
    (only,) = found.differences
    assert (only.difference, only.low, only.high, only.ratio) == (0.0, 0.0, 0.0, 1.0)
    assert "made no difference" in only.says


def test_a_setting_that_is_never_used_changes_nothing_in_the_world() -> None:
    """Nobody is replaced under `never`, whatever the confidence would be."""
    found = compared("policies.replace.rule=never", "policies.replace.confidence=0.6,0.9")
    assert found.differences[0].difference == 0.0


def test_several_processes_give_the_rows_of_one() -> None:
    options = ("replace.rule=never,random",)
    assert compared(*options, processes=2).rows == compared(*options).rows


def test_several_options_are_every_combination_with_the_first_values_first() -> None:
    found = settings(SMALL, ("replace.rule=never,posterior", "watch.rungs=[0.25, 0.5],[0.5]"))
    values = [(s.chart.policies.replace.rule, s.chart.policies.watch.rungs) for s in found]
    assert values == [
        ("never", (0.25, 0.5)), ("never", (0.5,)), ("posterior", (0.25, 0.5)), ("posterior", (0.5,)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("replace.rul=never", "did you mean 'rule'"),
        ("policies.replace.rule=nevr", "replace.rule"),
        ("replace.confidence=high", "confidence"),
        ("replace.rule", "KEY=V1,V2"),
        ("replace.rule=", "KEY=V1,V2"),
        ("watch.rungs=[0.5", "cannot be read"),
        ("=never", "KEY=V1,V2"),
    ],
)
def test_what_cannot_be_set_is_one_line_that_says_so(option: str, said: str) -> None:
    with pytest.raises(EditError) as caught:
        settings(SMALL, (option,))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_that_is_set_twice_is_refused() -> None:
    with pytest.raises(EditError, match="set twice"):
        settings(SMALL, ("replace.rule=never", "policies.replace.rule=posterior"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_landscape_has_the_best_loss_that_is_promised(kind: str) -> None:
    (task,) = tasks(kind, 3)
    drawn = [task.truth(task.space.sample(_rng(n))) for n in range(200)]
    assert min(drawn) >= 0.0
    assert 0.7 <= task.regret(task.baseline) <= 1.0
    assert sorted(drawn)[100] == pytest.approx(task.median, rel=0.3)


def test_seeds_bring_different_worlds_and_the_same_seed_the_same() -> None:
    baselines = [[task.baseline for task in tasks("planted", seed)] for seed in (0, 0, 1)]
    assert baselines[0] == baselines[1] != baselines[2]


def test_some_trainings_fail() -> None:
    (task,) = tasks("valley", 0)
    assert any(math.isinf(task.truth(task.space.sample(_rng(n)))) for n in range(100))


def test_the_interval_of_differences_is_students() -> None:
    low, high = t_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-4)


def test_the_sentence_claims_only_what_the_interval_allows() -> None:
    base = [0.30, 0.28, 0.35, 0.31, 0.29]
    better = difference("b", "a", [0.2, 0.19, 0.24, 0.2, 0.21], base)
    assert "better than a beyond chance" in better.says
    assert better.high is not None and better.high < 0
    assert "worse" in difference("b", "a", base, [0.2, 0.19, 0.24, 0.2, 0.21]).says
    assert "Nothing can be concluded" in difference("b", "a", [0.2, 0.4, 0.3, 0.35, 0.25], base).says
    assert "one world" in difference("b", "a", [0.2], [0.3]).says


def test_the_command_prints_what_a_machine_can_read() -> None:
    options = ["--set", "replace.rule=never,bottom", "--seeds", "2", "--experiments", "15", "--jobs", "1", "--json"]
    done = CliRunner().invoke(loopworks, ["compare", "startup", "--project", "rugged", *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert {"chart", "project", "seeds", "seed", "slots", "settings", "differences"} == set(found)
    first = found["settings"][0]
    assert first["values"] == {"replace.rule": "never"} and first["replacements"] == 0
    assert len(first["runs"]) == 2
    assert {"task", "seed", "regret", "replacements", "structure_changes", "experiments"} == set(first["runs"][0])
    assert {"difference", "low", "high", "ratio", "says", "worlds"} <= set(found["differences"][0])


def test_the_command_shows_a_person_two_tables_and_a_sentence() -> None:
    options = ["--set", "assign.share=equal,bandit", "--seeds", "2", "--experiments", "10", "--jobs", "1"]
    done = CliRunner().invoke(loopworks, ["compare", "startup", "--project", "rugged", *options])
    assert done.exit_code == 0, done.output
    assert "assign.share=bandit" in done.stdout and "95 % interval" in done.stdout
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["startup", "--set", "replace.rule=nevr"],
        ["startup", "--set", "nonsense=1"],
        ["startupp"],
        ["startup", "--project", "plantd"],
    ],
)
def test_bad_input_is_one_line_and_exit_2(words: list[str]) -> None:
    done = CliRunner().invoke(loopworks, ["compare", *words])
    assert done.exit_code == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_simulated_company_needs_no_torch_and_no_agents() -> None:
    code = "import sys, company.simulated, company.comparison, company.testing, company.engine; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "autogen_core", "textual", "sqlmodel"} & set(loaded)


def test_every_family_is_made_of_kinds() -> None:
    assert all(kind in KINDS for family in FAMILIES.values() for kind in family)
    assert load_chart("turnaround").talent


def _rng(n: int) -> Any:
    import numpy as np

    return np.random.default_rng(n)


def test_an_interrupt_exits_with_130_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("company.comparison.run", interrupted)
    monkeypatch.setattr("sys.argv", ["loopworks", "compare", "turnaround", "--seeds", "2"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130 and capsys.readouterr().err.strip().splitlines() == ["interrupted"]


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["nonsense"], 2), (["compare", "--seeds", "x"], 2)])
def test_other_ends_keep_their_codes(words: list[str], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["loopworks", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code or 0) == code

"""Memory: what did best in other runs is tried first, in whatever space the next project has."""

from __future__ import annotations

from pathlib import Path

import pytest

from company.chart import OrgChart
from company.chart_diff import diff_charts
from company.chart_problems import ChartError
from company.chart_yaml import load_chart
from company.memory import MOST, remembered
from company.state import State
from company.testing import drive, planted_project, planted_trainer
from projects.spec import Parameter, SearchSpace
from tests.company.core_kit import chart_of
from tests.support import loopworks, write_chart, write_project

SPACE = SearchSpace((
    Parameter("rate", "float", 0.01, 1.0, log=True), Parameter("layers", "int", 1, 4),
    Parameter("batch", "choice", values=(8, 16, 32)), Parameter("net", "choice", values=("mlp", "cnn")),
))  # fmt: skip
BASELINE = {"rate": 0.1, "layers": 2, "batch": 8, "net": "mlp"}


def ended(seed: int, *starts: dict[str, object]) -> State:
    chart = OrgChart.from_dict({**chart_of("startup", 12).to_dict(), "starts": starts})
    return drive(planted_project(), chart, planted_trainer(0.01), seed=seed, slots=2).state


def tried_first(state: State) -> list[dict[str, object]]:
    return [dict(e.config) for e in state.experiments.values() if e.purpose == "proposal"]


# another space


def test_a_config_of_this_space_stays_as_it_is() -> None:
    config = {"rate": 0.3, "layers": 3, "batch": 32, "net": "cnn"}
    assert SPACE.fitted(config, BASELINE) == config


def test_numbers_go_to_the_nearest_value_and_unknown_words_to_the_baseline() -> None:
    found = SPACE.fitted({"rate": 7, "layers": 2.6, "batch": 20, "net": "rnn", "heads": 3}, BASELINE)
    assert found == {"rate": 1.0, "layers": 3, "batch": 16, "net": "mlp"}
    assert type(found["rate"]) is float
    assert SPACE.check(found) == []


@pytest.mark.parametrize(
    "config", [{}, {"heads": 4}, {"net": "rnn"}, {"rate": float("nan")}, {"rate": True}, {"batch": "8"}]
)
def test_with_nothing_in_common_there_is_nothing_to_try(config: dict[str, object]) -> None:
    assert SPACE.fitted(config, BASELINE) is None  # type: ignore[arg-type]


# what is remembered


def test_the_champion_comes_first_and_the_best_of_each_run_before_the_second_best_of_any() -> None:
    states = [ended(1), ended(2)]
    found = remembered(states)
    champions = [dict(state.champion.config) for state in states if state.champion]
    assert [dict(start.config) for start in found[:2]] == champions
    assert len(found) == MOST
    assert all("startup on" in start.origin for start in found)


def test_a_run_without_a_result_teaches_nothing() -> None:
    assert remembered([State()]) == ()


def test_equal_configs_are_one_start() -> None:
    state = ended(1)
    assert remembered([state, state]) == remembered([state])


# what is tried


def test_starts_are_tried_in_order_before_anything_else_and_once() -> None:
    starts = [{"config": dict(start.config), "origin": start.origin} for start in remembered([ended(1)])]
    state = ended(5, *starts, starts[0])
    first = tried_first(state)[: len(starts)]
    assert first == [start["config"] for start in starts]
    assert len({str(sorted(config.items())) for config in tried_first(state)}) == len(tried_first(state))


def test_the_baseline_and_what_the_space_does_not_know_are_no_starts() -> None:
    baseline = dict(planted_project().baseline)
    odd = ended(5, {"config": baseline}, {"config": {"unheard_of": 1}})
    assert tried_first(odd) == tried_first(ended(5))


# charts and commands


def test_a_chart_says_what_is_wrong_with_a_start() -> None:
    with pytest.raises(ChartError, match="starts"):
        OrgChart.from_dict({**chart_of("solo").to_dict(), "starts": [{"origin": "nowhere"}]})


def test_a_difference_in_starts_is_told() -> None:
    plain = chart_of("solo")
    other = OrgChart.from_dict({**plain.to_dict(), "starts": [{"config": {"rate": 0.3}, "origin": "lab on rings"}]})
    assert [str(change) for change in diff_charts(plain, other)] == ["starts: nothing -> rate 0.3 (lab on rings)"]


def test_a_run_begins_with_what_an_earlier_one_found(tmp_path: Path) -> None:
    project, chart = write_project(tmp_path / "rings"), write_chart(tmp_path / "chart.yaml", experiments=6)
    common = [str(chart), f"--project={project}", "--slots=1", "--plain"]
    assert loopworks("run", *common, "--out=one", cwd=tmp_path).returncode == 0
    done = loopworks("run", *common, "--out=two", "--seed=1", "--memory=one", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_chart(str(tmp_path / "two" / "chart.yaml")).starts
    gone = loopworks("run", *common, "--out=three", "--memory=nothing", cwd=tmp_path)
    assert gone.returncode == 2
    assert "no ledger here" in gone.stderr
    assert "Traceback" not in gone.stderr

"""Validation against the holdout: what was promised too much is measured, and stands in every report."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from report_kit import record

from company.account import read_run
from company.compute.backend import Outcome
from company.optimism import optimism
from company.report import report_text
from company.report_rows import facts
from company.summary import summary
from company.testing import Run, planted_loss, planted_project
from roles.streams import stream

TOO_MUCH = 0.5  # by which validation flatters every config but the baseline


def flattering(run: Run) -> Outcome:
    """Validation rewards what the holdout does not; the seeds make a small difference."""
    noise = 0.01 * float(stream(run.seed, "optimism", "noise").standard_normal())
    chosen = dict(run.config) != dict(planted_project().baseline)
    validation = getattr(run, "split", "") != "holdout"
    return Outcome("ok", metric=planted_loss(run.config) - TOO_MUCH * (chosen and validation) + noise)


def test_what_validation_promised_too_much_is_measured(tmp_path: Path) -> None:
    state = record(tmp_path, train=flattering)
    found = optimism(state)
    assert found is not None and found.first is not None
    assert found.value == pytest.approx(TOO_MUCH, abs=0.03)
    assert found.inside is False and found.first == pytest.approx(found.validation, abs=0.1)
    assert summary(tmp_path)["optimism"] == {**dataclasses.asdict(found), "optimism": found.value}


def test_every_report_gives_the_gain_with_its_interval_and_the_optimism(tmp_path: Path) -> None:
    state = record(tmp_path, train=flattering)
    assert state.holdout is not None
    told = {fact.name: f"{fact.value} {fact.note}" for fact in facts(read_run(tmp_path))}
    assert "outside the holdout's interval" in told["optimism"] and " to " in told["gain on the holdout"]
    for form in ("terminal", "md", "html"):
        text = report_text(tmp_path, form, 200)  # type: ignore[arg-type]
        assert "optimism" in text and "95 %" in text, form
        assert ("gain on the holdout" in text) == (form != "terminal"), "where lines are few, the sentence says it"
    for form in ("md", "html"):
        assert summary(tmp_path)["digest"] in report_text(tmp_path, form)  # type: ignore[arg-type]


@pytest.mark.parametrize("most", [1, 60, 10**6])
def test_there_is_none_before_the_holdout_and_where_nothing_won(tmp_path: Path, most: int) -> None:
    def same(run: Run) -> Outcome:
        return Outcome("ok", metric=1.0 + 0.01 * float(stream(run.seed, "optimism", "noise").standard_normal()))

    state = record(tmp_path, "solo", train=same, most=most, seed=1)
    assert optimism(state) is None and summary(tmp_path)["optimism"] is None


def test_a_metric_that_grows_is_turned_round(tmp_path: Path) -> None:
    project = planted_project()
    project = dataclasses.replace(project, metric=dataclasses.replace(project.metric, direction="max"))

    def train(run: Run) -> Outcome:
        found = flattering(run)
        return dataclasses.replace(found, metric=-(found.metric or 0.0))

    found = optimism(record(tmp_path, train=train, project=project))
    assert found is not None and found.value == pytest.approx(TOO_MUCH, abs=0.03)

"""`loopworks validate`: its table, its exit codes, and the world of planted people."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from company import validation
from company.commands.validate import validate
from company.validation import Finding, mean_of, ratio_of
from company.validation.people import chart, differing, nobody_differs, two_kinds, work


def planted(passed: bool | None) -> Iterator[Finding]:
    yield Finding("[red]a check[/]", "1", "± 0.1", 1.02, 0.9, 1.1, passed, 0.5)


@pytest.mark.parametrize("passed, code", [(True, 0), (False, 1), (None, 0)])
def test_a_failing_check_exits_with_1(passed: bool | None, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "run", lambda name, seed, full: planted(passed))
    done = CliRunner().invoke(validate, ["appraisal"])
    assert done.exit_code == code and "1.020" in done.stdout


def test_json_is_for_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "run", lambda name, seed, full: planted(True))
    found = json.loads(CliRunner().invoke(validate, ["appraisal", "--json"]).stdout)
    assert found["appraisal"][0]["passed"] is True


def test_a_wrong_name_says_which_there_are() -> None:
    done = CliRunner().invoke(validate, ["appraisals"])
    assert done.exit_code == 2 and "no validation 'appraisals': there is" in done.output


def test_planted_people_score_what_they_are_worth() -> None:
    """Pooled over seeds: a worth of one more is a score of about one more."""
    gaps, worths = [], []
    for seed in range(12):
        company = work(seed, chart(2, 30, "never"), two_kinds)
        mean = {
            who: sum(values) / len(values)
            for who in ("r0", "r1")
            if (values := [s.value for s in company.state.record.scores if s.agent == who])
        }
        gaps.append(mean["r0"] - mean["r1"])
        worths.append(company.worth["r0"] - company.worth["r1"])
    slope = sum(g * w for g, w in zip(gaps, worths, strict=True)) / sum(w * w for w in worths)
    assert slope == pytest.approx(1, abs=0.25)


def test_the_same_seed_is_the_same_company() -> None:
    one, other = (work(3, chart(3, 24, "posterior"), differing(0.6)) for _ in range(2))
    assert one.state.record.scores == other.state.record.scores and one.worth == other.worth


def test_nobody_differs_where_nobody_is_planted_to() -> None:
    assert {nobody_differs(0, who) for who in "abc"} == {0.0}


def test_intervals_over_seeds() -> None:
    assert mean_of([1.0, 1.0, 1.0]) == (1, 1, 1)
    rate, low, high = ratio_of([1, 0, 2], [2, 1, 3])
    assert rate == 0.5 and low < 0.5 < high


@pytest.mark.slow
def test_the_appraisal_holds_what_its_page_says() -> None:
    failed = [f for f in validation.run("appraisal", 0, False) if f.passed is False]
    assert not failed

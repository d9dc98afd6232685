"""What an experiment gave: compressed gains, censoring, what never counts, and how credit is split."""

from __future__ import annotations

import math

import pytest
from core_kit import chart_of, quiet, rough_project, rough_trainer
from hypothesis import given
from hypothesis import strategies as st

from company import events as ev
from company.chaining import payload, restore
from company.contribution import BLOCK, Score, compress, contribution, credit, quantile, unit_of, value_of
from company.engine import Engine
from company.record import Record
from company.testing import Trainer, drive, planted_project, planted_trainer

finite = st.floats(-1e6, 1e6)


@quiet(100)
@given(finite, finite)
def test_compression_is_odd_keeps_order_and_tames_tails(one: float, other: float) -> None:
    assert compress(-one) == -compress(one)
    assert (compress(one) < compress(other)) == (one < other) or math.isclose(one, other)
    assert abs(compress(one)) < 15


def test_a_gain_within_noise_is_about_itself_and_a_disaster_is_a_few() -> None:
    assert compress(0.2) == pytest.approx(0.2, abs=0.002)
    assert compress(-300) == pytest.approx(-math.log(600), abs=1e-4)
    with pytest.raises(ValueError):
        compress(math.inf)


@quiet(60)
@given(st.floats(0.01, 100), finite, finite)
def test_a_value_does_not_depend_on_the_unit_of_the_metric(scale: float, loss: float, reference: float) -> None:
    plain = value_of("ok", None, loss, reference, 1.0, ())
    scaled = value_of("ok", None, scale * loss, scale * reference, scale, ())
    assert plain and scaled and plain[0] == pytest.approx(scaled[0], abs=1e-6)


def test_what_never_counts() -> None:
    window = (1.0, 2.0, 3.0)
    assert value_of("failed", "infrastructure", None, 0, 1, window) is None
    assert value_of("refused", None, None, 0, 1, window) is None
    assert value_of("failed", "crash", None, 0, 1, ()) is None


def test_a_failure_is_bad_but_no_worse_than_what_happens() -> None:
    window = [float(n) for n in range(11)]
    failed, stopped = (value_of(status, "x", None, 0.0, 1.0, window) for status in ("failed", "stopped"))
    assert failed == (compress(-9.0), True) and stopped == (compress(-7.5), True)


def test_quantiles_are_numpys() -> None:
    assert quantile([3.0, 1.0, 2.0, 10.0], 0.9) == pytest.approx(7.9)
    assert quantile([5.0], 0.1) == 5.0


def test_noise_free_projects_have_a_unit() -> None:
    assert unit_of(0.02, 3.0) == 0.02 and unit_of(0.0, -3.0) == 0.003 and unit_of(0.0, 0.0) == 1.0


def test_a_contribution_is_set_against_the_others_of_its_block() -> None:
    mine = Score("e1", "a", 0, 1.0, 1.0, 1.0)
    scores = [mine, Score("e2", "a", 0, 9.0, 1.0, 1.0), Score("e3", "b", 0, -1.0, 1.0, 1.0)]
    assert contribution(mine, [*scores, Score("e4", "b", 1, 50.0, 1.0, 1.0)]) == 2.0
    assert contribution(mine, scores[:2]) is None


def test_credit_adds_up_to_one_and_goes_to_nobody_twice() -> None:
    assert credit("bob") == {"bob": 1.0}
    assert credit("bob", ["dan", "bob"]) == {"bob": 0.5, "dan": 0.5}
    assert sum(credit("bob", ["x", "y"]).values()) == pytest.approx(1)


def recorded(train: Trainer, seed: int = 1, chart: str = "startup", rough: bool = False) -> tuple[Engine, Record]:
    record = Record()
    engine = drive(
        rough_project() if rough else planted_project(), chart_of(chart, 40), train, seed=seed,
        on_step=lambda step: [record.apply(event) for _, event in step.events] and None,
    )  # fmt: skip
    return engine, record


def test_lost_workers_refusals_and_duplicates_leave_no_score() -> None:
    engine, record = recorded(rough_trainer(), rough=True, chart="committee")
    experiments = engine.state.experiments
    assert any(e.failure == "infrastructure" for e in experiments.values())
    for found in record.scores:
        e = experiments[found.experiment]
        assert e.purpose == "proposal" and e.failure != "infrastructure" and e.status in ("ok", "failed", "stopped")
    ok = [e.id for e in experiments.values() if e.purpose == "proposal" and e.status == "ok"]
    assert sorted(s.experiment for s in record.scores if not s.censored) == sorted(ok)


def test_blocks_are_consecutive_results_with_one_reference() -> None:
    engine, record = recorded(planted_trainer())
    assert [s.block for s in record.scores] == [n // BLOCK for n in range(len(record.scores))]
    for block in {s.block for s in record.scores}:
        pairs = [(s.value, engine.state.experiments[s.experiment]) for s in record.scores if s.block == block]
        references = {
            round(math.sinh(value) * engine.state.sigma + e.metric, 6) for value, e in pairs if e.metric is not None
        }
        assert len(references) <= 1


def test_early_stops_weigh_what_they_cost() -> None:
    engine, record = recorded(planted_trainer())
    stopped = [s for s in record.scores if engine.state.experiments[s.experiment].status == "stopped"]
    assert stopped and all(s.censored and s.weight < 1 for s in stopped)
    assert all(s.cost == engine.state.experiments[s.experiment].cost for s in record.scores)


def test_the_record_survives_the_ledgers_json() -> None:
    told: list[ev.Event] = []
    drive(
        planted_project(),
        chart_of("startup", 20),
        planted_trainer(),
        on_step=lambda s: told.extend(e for _, e in s.events),
    )
    one, other = Record(), Record()
    for event in told:
        one.apply(event)
        other.apply(restore(event.kind, payload(event)))
    assert one.scores == other.scores and one.work == other.work and one.plans == other.plans

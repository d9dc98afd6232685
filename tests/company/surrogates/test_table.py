"""A world from a recording of a known function: how near its truth, its noise, its failures and its curves come."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from recording_kit import BEST, SPACE, Order, fails, known, never, recorded
from scipy.stats import spearmanr

from company.surrogates.catalogue import recording_of, worlds
from company.surrogates.fitting import fit, with_fit
from company.surrogates.recording import Recording, RecordingError, write_recording
from company.surrogates.scale import possible
from company.surrogates.table import TableWorld, table_world, world_of
from company.testing import drive
from projects.spec import Config

NOISE = 0.05


@pytest.fixture(scope="module")
def recording() -> Recording:
    return with_fit(recorded(240, noise=NOISE, failing=fails))


@pytest.fixture(scope="module")
def world(recording: Recording) -> TableWorld:
    return world_of(recording)


def fresh(count: int, root: int = 99) -> list[Config]:
    rng = np.random.default_rng(root)
    return [SPACE.sample(rng) for _ in range(count)]


def test_configs_never_seen_are_predicted(recording: Recording) -> None:
    scores = (recording.fit or {})["scores"]
    assert scores["r2"] > 0.9 and scores["rank"] > 0.9
    assert scores["failure_auc"] > 0.9 and scores["failure_accuracy"] > 0.9


def test_cross_validation_is_as_honest_as_fresh_configs(world: TableWorld, recording: Recording) -> None:
    configs = [config for config in fresh(300) if not fails(config)]
    real = np.log([known(config) for config in configs])
    errors = np.array([world.surrogate.answer(config).z for config in configs]) - real
    r2 = 1 - float(errors @ errors) / float(((real - real.mean()) ** 2).sum())
    assert abs(r2 - recording.fit["scores"]["r2"]) < 0.06


def test_nothing_is_predicted_where_there_is_nothing_to_learn() -> None:
    rng = np.random.default_rng(5)
    rows = [replace(row, metric=float(rng.normal(3, 0.1))) for row in recorded(120, seeds=1).rows]
    assert fit(Recording(recorded(8).about, tuple(rows))).scores.r2 < 0.15


def test_trainings_that_run_away_do_not_spoil_the_others() -> None:
    """A fifth of the configs loses its way by factors of up to a billion, for no reason that could be learned."""
    rng = np.random.default_rng(8)
    rows = [replace(row, metric=row.metric * 10 ** rng.uniform(3, 9) if rng.random() < 0.2 else row.metric)
            for row in recorded(200, seeds=1).rows if row.metric]  # fmt: skip
    recording = Recording(recorded(8).about, tuple(rows))
    found = fit(recording)
    assert found.scale == "log scores" and found.best > 0.3
    world = world_of(replace(recording, fit=found.model_dump(mode="json")))
    assert world.regret(BEST) < 0.5 < world.regret({**BEST, "rate": 1.0, "depth": 1})


@pytest.mark.parametrize("name", ["plain", "log", "log error", "scores", "log scores"])
def test_a_scale_goes_there_and_back(name: str) -> None:
    losses = np.exp(np.random.default_rng(2).standard_t(2, 300))
    if name in ("log error", "scores"):
        losses = -1 / (1 + losses)
    scale = next(scale for scale in possible(losses) if scale.kind == name)
    beyond = {"log error": [-0.9999, -1e-9], "scores": [-2.0, 1.0]}.get(name, [losses.min() / 2, 2 * losses.max()])
    ends = np.concatenate([losses, beyond])
    z = scale.onto(ends)
    assert [scale.back(float(at)) for at in z] == pytest.approx(ends.tolist(), rel=1e-7)
    assert (np.argsort(z) == np.argsort(ends)).all()
    step = 1e-6 * np.abs(losses)
    slope = np.log((scale.onto(losses + step) - scale.onto(losses - step)) / (2 * step))
    assert scale.log_stretch(losses) == pytest.approx(float(slope.mean()), abs=0.02)


def test_the_region_that_fails_is_found(world: TableWorld) -> None:
    configs = fresh(400)
    said = [world.train(Order(config, seed)).status == "failed" for seed, config in enumerate(configs)]
    assert np.mean([a == fails(c) for a, c in zip(said, configs, strict=True)]) > 0.93
    failed = next(o for i, c in enumerate(configs) if (o := world.train(Order(c, i))).status == "failed")
    assert failed.failure == "diverged" and failed.metric is None and len(failed.curve) == 3
    assert world.regret(configs[said.index(True)]) == math.inf


def test_a_run_depends_on_config_and_seed_alone(world: TableWorld, recording: Recording) -> None:
    """Common random numbers: whoever asks, and in whichever order and process."""
    orders = [Order(config, seed) for seed, config in enumerate(fresh(40))]
    first = [world.train(order) for order in orders]
    again = [world.train(order) for order in reversed(orders)]
    assert first == again[::-1]
    other = world_of(recording)
    assert first == [other.train(order) for order in orders]
    assert [world.seconds(o) for o in orders] == [other.seconds(o) for o in orders]


def test_the_same_seed_moves_two_configs_alike(world: TableWorld) -> None:
    a, b = BEST, {**BEST, "depth": 7}
    moves = [[math.log(world.train(Order(c, seed)).metric or 0.0) for seed in range(200)] for c in (a, b)]
    assert np.corrcoef(moves)[0, 1] > 0.99
    assert np.std(moves[0]) == pytest.approx(NOISE, rel=0.4)


def test_replicates_that_say_so_make_noise_differ_between_configs() -> None:
    def loud(config: Config) -> float:
        return 0.2 if config["act"] == "tanh" else 0.01

    rng = np.random.default_rng(3)
    rows = [replace(row, metric=known(row.config) * math.exp(loud(row.config) * rng.standard_normal()))
            for row in recorded(240, seeds=4).rows]  # fmt: skip
    world = world_of(Recording(recorded(8).about, tuple(rows)))
    quiet, noisy = (world.surrogate.answer({**BEST, "act": act}).sd for act in ("relu", "tanh"))
    assert noisy > 4 * quiet


def test_regret_is_0_at_the_best_and_1_at_a_random_draw(world: TableWorld) -> None:
    assert world.regret(BEST) < 0.05
    assert np.median([world.regret(config) for config in fresh(801)]) == pytest.approx(1, abs=0.15)
    assert min(world.regret(config) for config in fresh(801)) >= 0


def test_curves_come_down_to_where_the_run_ends(world: TableWorld) -> None:
    outcomes = [world.train(Order(config, seed)) for seed, config in enumerate(fresh(60))]
    whole = [outcome for outcome in outcomes if outcome.status == "ok"]
    assert all(tuple(step for step, _ in outcome.curve) == (10, 20, 30, 40, 50, 60, 70, 80) for outcome in whole)
    assert np.mean([a > b for o in whole for (_, a), (_, b) in pairwise(o.curve)]) > 0.8
    ends = [(o.curve[-1][1], o.metric) for o in whole]
    assert np.median([abs(math.log(end / metric)) for end, metric in ends if metric]) < 0.1


@pytest.mark.parametrize("name", ["digits", "byte_lm"])
def test_early_losses_tell_as_much_of_the_end_as_they_did_in_training(name: str) -> None:
    recording, world = recording_of(name), worlds(name, 0)[0]
    project, rng = world.project(), np.random.default_rng(0)
    runs = [Order(project.space.sample(rng), seed, 1000) for seed in range(400)]
    simulated = [(outcome.curve, outcome.metric) for run in runs if (outcome := world.train(run)).metric is not None]
    trained = [(row.curve, row.metric) for row in recording.rows if row.metric is not None and row.curve]
    whole = [(curve, metric) for curve, metric in trained if None not in curve]
    for rung in (1, 3):  # at a quarter and at half of the budget
        there = spearmanr([curve[rung] for curve, _ in whole], [metric for _, metric in whole])[0]
        here = spearmanr([curve[rung][1] for curve, _ in simulated], [metric for _, metric in simulated])[0]
        assert here == pytest.approx(there, abs=0.1)


def test_durations_are_the_cost_tables_with_the_spread_that_was_measured(world: TableWorld) -> None:
    orders = [Order(config, seed, 100) for seed, config in enumerate(fresh(300))]
    ended = {status: [o for o in orders if world.train(o).status == status] for status in ("ok", "failed")}
    found = np.log([world.seconds(order) / 2.0 for order in ended["ok"]])
    assert abs(np.median(found)) < 0.03 and np.std(found) == pytest.approx(0.1, rel=0.35)
    assert np.median([world.seconds(order) for order in ended["failed"]]) == pytest.approx(0.5, rel=0.2)


def test_a_metric_to_be_maximised_turns_around() -> None:
    recording = recorded(120)
    about = recording.about.model_copy(
        update={"metric": recording.about.metric.model_copy(update={"direction": "max"})}
    )
    rows = [replace(row, metric=1 - (row.metric or 0) / 20, curve=None) for row in recording.rows]
    world = world_of(Recording(about, tuple(rows)))
    assert world.regret(BEST) < 0.1 < world.regret(world.project().baseline)
    assert world.train(Order(BEST, 1)).metric == pytest.approx(0.975, abs=0.01)
    assert world.train(Order(BEST, 1)).curve == ()


def test_a_company_works_in_it(world: TableWorld, tmp_path: Path) -> None:
    from company.chart_yaml import load_chart

    chart = load_chart("startup").model_copy(update={"budget": {"experiments": 25}})
    state = drive(world.project(), chart, world.train, seed=1, slots=2).state
    assert state.champion is not None
    assert world.regret(state.champion.config) < world.regret(world.project().baseline)


def test_a_file_makes_the_same_world(world: TableWorld, recording: Recording, tmp_path: Path) -> None:
    write_recording(recording, tmp_path / "known.parquet")
    found = table_world(tmp_path / "known.parquet")
    orders = [Order(config, seed) for seed, config in enumerate(fresh(20))]
    assert [found.train(o).metric for o in orders] == [world.train(o).metric for o in orders]


def test_too_few_trainings_are_refused_in_one_line() -> None:
    with pytest.raises(RecordingError, match="needs at least"):
        world_of(recorded(5))
    constant = Recording(recorded(8).about, tuple(replace(row, metric=1.0) for row in recorded(30).rows))
    with pytest.raises(RecordingError, match="the same metric"):
        world_of(constant)
    assert never(BEST) is False

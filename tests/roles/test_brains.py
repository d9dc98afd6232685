"""Researcher brains: pure, inside the space, never twice the same, and better than chance where there is a truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from role_world import BASELINE, SPACE, TINY, TINY_BASELINE, easy_loss, observe, research, result

from projects.spec import Config, SearchSpace
from roles.brains.offline import BRAINS, UnknownBrain, check_params, find_brain, suggest
from roles.brains.record import summarise
from roles.intents import Propose
from roles.observation import Directive, Observation
from roles.researcher import RESEARCHER
from roles.role import Brain

KINDS = list(BRAINS)


def proposal(kind: str, observation: Observation) -> Config | None:
    intents = RESEARCHER.policy(observation, Brain(kind))
    assert all(isinstance(intent, Propose) for intent in intents)
    return next((dict(intent.config) for intent in intents if isinstance(intent, Propose)), None)


def record(n: int, space: SearchSpace = SPACE) -> list:
    rng = np.random.default_rng(3)
    configs = [space.sample(rng) for _ in range(n)]
    return [result(i, c, None if i % 7 == 3 else easy_loss(c)) for i, c in enumerate(configs)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [0, 1, 5, 30])
def test_the_same_observation_gives_the_same_proposal(kind: str, n: int) -> None:
    first = proposal(kind, observe(history=record(n)))
    np.random.default_rng(0).random(100)
    for other in KINDS:
        proposal(other, observe(history=record(n), agent="cleo"))
    assert proposal(kind, observe(history=record(n))) == first
    assert first is not None and SPACE.check(first) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_memo_of_another_history_changes_nothing(kind: str) -> None:
    alone = proposal(kind, observe(history=record(20)))
    longer = [*record(20)[:12], *reversed(record(20)[12:])]
    proposal(kind, observe(history=longer))
    assert proposal(kind, observe(history=record(20))) == alone


@pytest.mark.parametrize("kind", KINDS)
def test_two_agents_with_the_same_sight_draw_apart(kind: str) -> None:
    history = record(12)
    found = {str(proposal(kind, observe(history=history, agent=agent))) for agent in ("bob", "cleo", "dora", "finn")}
    assert len(found) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_100_proposals_stay_inside_and_never_repeat(kind: str) -> None:
    history, pending, seen = [result(0, BASELINE, easy_loss(BASELINE))], [], {str(BASELINE)}
    for turn in range(100):
        under_way = [SPACE.encode(config) for config in pending]
        config = proposal(kind, observe(turn=turn, history=history, pending=under_way))
        assert config is not None and SPACE.check(config) == []
        assert str(config) not in seen
        seen.add(str(config))
        pending.append(config)
        if len(pending) == 3:
            done = pending.pop(0)
            history.append(result(turn + 1, done, None if turn % 9 == 4 else easy_loss(done)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_finite_space_is_used_up_and_then_nothing_is_proposed(kind: str) -> None:
    history = [result(0, TINY_BASELINE, 1.0, TINY)]
    for turn in range(1, 12):
        config = proposal(kind, observe(space=TINY, turn=turn, history=history))
        assert config is not None
        history.append(result(turn, config, float(turn), TINY))
    assert len({r.unit for r in history}) == 12
    assert RESEARCHER.policy(observe(space=TINY, turn=99, history=history), Brain(kind)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_under_a_focus_nothing_else_changes(kind: str) -> None:
    history = record(30)
    seen = observe(history=history, directive=Directive("free", focus=("lr", "depth", "no such thing")))
    config = proposal(kind, seen)
    assert config is not None
    known = [SPACE.decode(r.unit) for r in history] + [dict(BASELINE)]
    rest = ("dropout", "batch", "norm")
    if kind != "evolution":  # its parents may differ in what is out of focus
        assert any(all(config[name] == other[name] for name in rest) for other in known)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("directive", ["explore", "refine"])
def test_directives_leave_a_brain_sound(kind: str, directive: str) -> None:
    seen = observe(history=record(30), directive=Directive(directive))  # type: ignore[arg-type]
    config = proposal(kind, seen)
    assert config is not None and SPACE.check(config) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_of_failures_alone_still_gives_a_proposal(kind: str) -> None:
    rng = np.random.default_rng(1)
    history = [result(i, SPACE.sample(rng), None) for i in range(15)]
    assert proposal(kind, observe(history=history)) is not None


@pytest.mark.parametrize("kind", ["tpe", "gp", "evolution"])
def test_equal_losses_do_not_break_a_model(kind: str) -> None:
    history = [dataclasses.replace(r, loss=1.0, status="ok", failure=None) for r in record(20)]
    assert proposal(kind, observe(history=history)) is not None


@pytest.mark.parametrize("kind", ["hillclimb", "evolution", "tpe", "gp"])
def test_a_brain_finds_the_planted_optimum_better_than_chance(kind: str) -> None:
    seeds, runs = range(6), 40
    own = [research(lambda seen: proposal(kind, seen), seed, runs) for seed in seeds]
    chance = [research(lambda seen: proposal("random", seen), seed, runs) for seed in seeds]
    assert np.median(own) < 0.5 * np.median(chance)


def test_replications_are_averaged_and_a_finished_config_is_not_a_failure() -> None:
    other = {**BASELINE, "depth": 3}
    seen = summarise([
        result(0, BASELINE, 1.0), result(1, BASELINE, 2.0), result(2, BASELINE, None),
        result(3, other, None, status="stopped"), result(4, {**BASELINE, "depth": 5}, None, failure="infrastructure"),
    ])  # fmt: skip
    assert seen.losses == {SPACE.encode(BASELINE): 1.5}
    assert seen.stopped == [SPACE.encode(other)] and seen.failed == []


def test_failures_count_as_the_worst_and_stopped_runs_as_the_worse_half() -> None:
    configs = [{**BASELINE, "depth": depth} for depth in range(1, 7)]
    losses = [1.0, 2.0, 3.0, 4.0, None, None]
    history = [result(i, c, v) for i, (c, v) in enumerate(zip(configs, losses, strict=True))]
    history[5] = dataclasses.replace(history[5], status="stopped", failure=None)
    _, values = summarise(history).arrays()
    assert values.tolist() == [1.0, 2.0, 3.0, 4.0, 3.25, 4.0]


def test_a_prediction_is_in_the_metric_not_the_loss() -> None:
    from projects.spec import Metric

    history = [dataclasses.replace(r, loss=None if r.loss is None else r.loss - 5.0) for r in record(20)]
    (intent,) = RESEARCHER.policy(observe(history=history, metric=Metric("accuracy", direction="max")), Brain("gp"))
    assert isinstance(intent, Propose) and intent.predicted is not None and intent.predicted > 0


def test_an_unknown_brain_or_setting_names_the_nearest() -> None:
    with pytest.raises(UnknownBrain, match="did you mean hillclimb"):
        find_brain("hilclimb")
    assert check_params("tpe", {"widht": 0.1}) == ["'widht' is not a setting of brain 'tpe': did you mean width?"]
    assert check_params("gp", {"cap": 5}) == ["gp.cap=5 is outside [10, 1000]"]
    assert check_params("gp", {"cap": True}) == ["gp.cap=True is not a number"]
    with pytest.raises(UnknownBrain, match="outside"):
        suggest("hillclimb", {"step": 7}, observe(), np.random.default_rng(0))


def test_every_setting_has_a_default_inside_its_range() -> None:
    for kind, brain in BRAINS.items():
        assert brain.about
        assert check_params(kind, brain.defaults()) == []

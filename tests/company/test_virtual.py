"""Company time without a clock: stated paces, streams of their own, and AutoGen beside the direct path."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median

import pytest

from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.engine import Engine, Step
from company.entities import Pending
from company.testing import drive, planted_project, planted_trainer
from company.virtual import MAX_LOSSES, Pace, Run, Thinking, VirtualCompany, direct, run_virtually
from tests.company.core_kit import chart_of, digest_of

PROJECT, TRAIN = planted_project(), planted_trainer()


def virtual(
    chart: OrgChart, pace: Pace | None = None, seed: int = 3, slots: int = 2, how: str = "direct", **more: object
) -> tuple[Engine, str]:
    """A company at a pace, and the digest of all that happened to it."""
    steps: list[Step] = []
    engine = run_virtually(
        PROJECT, chart, TRAIN, seed=seed, slots=slots, pace=pace, engine=how,  # type: ignore[arg-type]
        on_step=lambda step, company: steps.append(step), **more,  # type: ignore[arg-type]
    )  # fmt: skip
    return engine, digest_of(steps)


@pytest.mark.parametrize("name", ["startup", "turnaround"])
def test_without_a_pace_it_is_the_company_that_drive_drives(name: str) -> None:
    steps: list[Step] = []
    drive(PROJECT, chart_of(name, 16), TRAIN, seed=3, slots=2, on_step=steps.append)
    assert virtual(chart_of(name, 16))[1] == digest_of(steps)


def test_autogen_and_the_direct_path_write_the_same_history() -> None:
    directly, through = virtual(chart_of("startup", 10)), virtual(chart_of("startup", 10), how="autogen")
    assert directly[1] == through[1]
    assert through[0].state.phase == "closed"


def harsh() -> OrgChart:
    """A company that coaches and then lets go, on little evidence."""
    return chart_of("turnaround", 70, replace={"coach_first": True, "confidence": 0.55, "probation": 2})


def test_so_they_do_where_people_are_coached_and_replaced() -> None:
    directly, through = (virtual(harsh(), how=how) for how in ("direct", "autogen"))
    happened = {event.kind for _, event in directly[0].state.changes}
    assert directly[1] == through[1]
    assert {"AgentCoached", "AgentReplaced"} <= happened


def test_thinking_takes_company_time_and_changes_who_comes_first() -> None:
    pace = Pace({"propose": Thinking(1.0, 0.5), "review": Thinking(0.3)})
    slow, digest = virtual(chart_of("startup", 12), pace)
    quick, other = virtual(chart_of("startup", 12))
    assert slow.state.now > quick.state.now + 1.0
    assert digest != other and virtual(chart_of("startup", 12), pace)[1] == digest


def pending(agent: str = "bob", task: str = "propose", turn: int = 0) -> Pending:
    return Pending("d1", agent, task, None, turn, 0.0)


def test_how_long_somebody_thinks_is_named_by_agent_task_and_turn() -> None:
    pace = Pace({"propose": Thinking(2.0, 0.4), "review": Thinking(2.0, 0.4)})
    first = pace.thought(1, pending())
    assert pace.thought(1, pending()) == first
    others = (pending("cleo"), pending(task="review"), pending(turn=1))
    assert len({first, pace.thought(2, pending()), *(pace.thought(1, p) for p in others)}) == 5


def test_thinking_times_are_lognormal_with_the_stated_median_and_spread() -> None:
    pace = Pace({"propose": Thinking(2.0, 0.4)})
    logs = [math.log(pace.thought(0, pending(turn=turn))) for turn in range(400)]
    centre = sum(logs) / len(logs)
    assert math.exp(median(logs)) == pytest.approx(2.0, rel=0.1)
    assert math.sqrt(sum((x - centre) ** 2 for x in logs) / len(logs)) == pytest.approx(0.4, rel=0.15)


def test_a_task_without_a_thinking_time_takes_none() -> None:
    assert Pace({"propose": Thinking(2.0)}).thought(0, pending(task="review")) == 0.0


def test_training_takes_what_the_world_says_at_the_speed_of_its_slot() -> None:
    spans: dict[int, set[float]] = {0: set(), 1: set()}

    def look(step: Step, company: VirtualCompany) -> None:
        for at, event in step.events:
            if event.kind == "ExperimentStarted":
                started[event.experiment] = (at, event.slot)  # type: ignore[attr-defined]
            elif event.kind == "ExperimentFinished":
                began, slot = started[event.experiment]  # type: ignore[attr-defined]
                spans[slot].add(round(at - began, 6))

    started: dict[str, tuple[float, int]] = {}
    run_virtually(
        PROJECT, chart_of("solo", 6), TRAIN, seed=0, slots=2, seconds=lambda run: 10.0, pace=Pace(speeds=(1.0, 4.0)),
        on_step=look,
    )  # fmt: skip
    assert spans == {0: {10.0}, 1: {2.5}}


def test_lost_workers_cost_time_and_nothing_else_until_there_are_too_many() -> None:
    calm, digest = virtual(chart_of("solo", 10), slots=1)
    shaken, other = virtual(chart_of("solo", 10), Pace(faults=0.3), slots=1)
    assert shaken.state.now > calm.state.now and digest != other
    assert virtual(chart_of("solo", 10), Pace(faults=0.3), slots=1)[1] == other
    hopeless, _ = virtual(chart_of("solo", 4), Pace(faults=0.999))
    assert hopeless.state.closed is not None and hopeless.state.closed.failed
    assert {e.failure for e in hopeless.state.experiments.values()} == {"infrastructure"}


def test_whether_a_run_is_lost_follows_from_its_seed_and_attempt_alone() -> None:
    pace, experiment = (
        Pace(faults=0.5),
        next(iter(drive(PROJECT, chart_of("solo", 2), TRAIN).state.experiments.values())),
    )
    assert pace.losses(experiment) == pace.losses(experiment)
    assert len(pace.losses(experiment)) <= MAX_LOSSES


def test_a_run_whose_losses_are_no_numbers_is_heard_of_at_its_end() -> None:
    from company.compute.backend import Outcome

    def train(run: Run) -> Outcome:
        outcome = TRAIN(run)
        return Outcome("ok", metric=outcome.metric, curve=tuple((at, math.nan) for at, _ in outcome.curve))

    engine = drive(PROJECT, chart_of("startup", 6), train)
    assert engine.state.closed is not None and not engine.state.closed.failed


def test_a_company_that_went_on_from_its_fold_ends_as_the_undisturbed_one() -> None:
    chart, pace = chart_of("startup", 10), Pace({"propose": Thinking(0.5, 0.3)}, speeds=(1.0, 2.0))
    whole = virtual(chart, pace)[0].state
    engine = Engine(PROJECT)
    company = VirtualCompany(engine, TRAIN, direct, pace=pace)
    company.follow(engine.found(chart, 3, 2))
    for _ in range(40):
        company.advance()
    again = VirtualCompany(Engine(PROJECT, engine.state), TRAIN, direct, pace=pace)
    while again.advance() is not None:
        pass
    assert again.engine.state.now == whole.now
    assert again.engine.state.champion_hash == whole.champion_hash


def test_shipped_charts_close_in_virtual_time() -> None:
    thinking: Mapping[str, Thinking] = {"propose": Thinking(0.2, 0.5), "plan": Thinking(1.0)}
    for name in ("lab", "committee"):
        chart = load_chart(name)
        data = {**chart.to_dict(), "budget": {"experiments": 10}}
        state = virtual(OrgChart.from_dict(data), Pace(thinking), slots=3)[0].state
        assert state.closed is not None and not state.closed.failed

"""The live shell over a compute backend without processes: one history whatever the machine does."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_kit import digest_of, eventful_chart, moody, rough_project, rough_trainer

from company.compute.backend import ComputeError, Order, Outcome
from company.compute.seal import Unsealed
from company.engine import Engine, Step
from company.entities import Agent
from company.ledger import Ledger
from company.live import MAX_LOSSES, Hire, LiveCompany
from company.state import State
from company.testing import Decide, FakeCompute, Run, drive
from roles.employee import Decision, DirectEmployee
from roles.intents import Coach, Intent
from roles.observation import Observation
from roles.streams import stream

PROJECT, TRAIN = rough_project(), rough_trainer()
SEED = 33


class MoodyEmployee:
    """Decides by lot; `state` is looked up when it decides."""

    def __init__(self, agent: str, state: Callable[[], State], decide: Decide) -> None:
        self.agent, self._state, self._decide = agent, state, decide

    async def decide(self, observation: Observation) -> Decision:
        return Decision(tuple(self._decide(self._state(), observation)))

    async def close(self) -> None: ...


class Office:
    """A run directory that can be worked in again and again."""

    def __init__(self, path: Path, slots: int = 1, in_order: bool = True, seed: int = SEED) -> None:
        self.path, self.slots, self.in_order, self.seed = path, slots, in_order, seed
        self.train: Callable[[Run], Outcome] = TRAIN
        self.compute = FakeCompute(slots, TRAIN)
        self.parting = 3
        self.hired: list[tuple[str, dict[str, Any]]] = []

    def delay(self, order: Order) -> int:
        return int(stream(order.seed, order.experiment, "delay").integers(0, 12))

    async def work(
        self, hire: Hire | None = None, decide: Decide = moody, stop_after: int | None = None
    ) -> tuple[bool, Engine]:
        """Work until closing, an exception, or `stop_after` steps; found the company when there is none."""
        ledger = Ledger(self.path / "ledger.sqlite", write=True)
        ledger.open_session("test", "0")
        engine = Engine(PROJECT, ledger.fold() if ledger.seq else None)
        self.compute = FakeCompute(self.slots, self.train, self.delay, self.parting)
        done = 0

        def on_step(state: State, step: Step) -> None:
            nonlocal done
            done += 1
            if stop_after is not None and done >= stop_after:
                company.stop()

        def usual(agent: Agent) -> MoodyEmployee:
            self.hired.append((agent.id, dict(agent.brain.params)))
            return MoodyEmployee(agent.id, lambda: engine.state, decide)

        company = LiveCompany(
            engine, ledger, self.compute, hire or usual, self.path / "experiments", self.path / "data",
            in_order=self.in_order, on_step=on_step,
        )  # fmt: skip
        first = None if ledger.seq else engine.found(eventful_chart(), self.seed, self.slots)
        try:
            return await company.run(first), engine
        finally:
            await self.compute.close()  # asserts that no run is left
            ledger.close()

    def ledger(self) -> Ledger:
        return Ledger(self.path / "ledger.sqlite")

    def digest(self) -> str:
        ledger = self.ledger()
        ledger.verify()
        ledger.close()
        return ledger.digest


def rehearsed(slots: int, seed: int = SEED, decide: Decide = moody) -> str:
    steps: list[Step] = []
    drive(PROJECT, eventful_chart(), TRAIN, seed=seed, slots=slots, decide=decide, on_step=steps.append)
    return digest_of(steps)


@pytest.mark.parametrize("slots", [1, 4])
async def test_in_order_the_history_does_not_depend_on_who_finishes_first(tmp_path: Path, slots: int) -> None:
    office = Office(tmp_path, slots)
    closed, _ = await office.work()
    assert closed
    assert office.digest() == rehearsed(slots)


async def test_who_is_coached_thinks_with_its_new_settings(tmp_path: Path) -> None:
    def decide(state: State, observation: Observation) -> list[Intent]:
        if observation.task == "appraise":
            return [Coach(agent=report.agent, params={"width": 0.125}) for report in observation.reports]
        return moody(state, observation)

    office = Office(tmp_path)
    closed, _ = await office.work(decide=decide)
    assert closed and ("bob", {}) in office.hired and ("bob", {"width": 0.125}) in office.hired


async def test_in_order_the_runs_really_finished_in_another_order(tmp_path: Path) -> None:
    """Without this the test above could pass on a backend that is always on time."""
    office = Office(tmp_path, 4)
    await office.work()
    starts = [e for what, e, _ in office.compute.log if what == "start"]
    ends = [e for what, e, _ in office.compute.log if what == "end"]
    assert len(starts) == len(ends) and starts != ends


@pytest.mark.parametrize("slots", [1, 3])
async def test_as_they_come_the_company_closes_too(tmp_path: Path, slots: int) -> None:
    office = Office(tmp_path, slots, in_order=False)
    closed, engine = await office.work()
    assert closed and not engine.outstanding()
    ledger = office.ledger()
    assert ledger.verify() == engine.state.seq


@pytest.mark.parametrize("slots", [1, 3])
async def test_stopped_after_any_number_of_steps_and_resumed_it_ends_the_same(tmp_path: Path, slots: int) -> None:
    office = Office(tmp_path, slots)
    closed, sessions = False, 0
    while not closed:
        closed, _ = await office.work(stop_after=1 + sessions % 9)
        sessions += 1
        assert sessions < 200
    assert sessions > 15
    assert office.digest() == rehearsed(slots)


async def test_stopping_a_company_that_has_not_begun_is_fine(tmp_path: Path) -> None:
    office = Office(tmp_path, 2)
    closed, engine = await office.work(stop_after=1)
    assert not closed and engine.state.phase == "founding"
    assert (await office.work())[0]
    assert office.digest() == rehearsed(2)


async def test_a_lost_worker_leaves_a_row_and_no_trace_in_history(tmp_path: Path) -> None:
    lost: dict[str, int] = {}

    def unlucky(run: Run) -> Outcome:
        name = getattr(run, "experiment", "")
        lost[name] = lost.get(name, 0) + 1
        return Outcome("lost", detail="gone") if lost[name] < MAX_LOSSES else TRAIN(run)

    office = Office(tmp_path, 2)
    office.train = unlucky
    await office.work()
    assert office.digest() == rehearsed(2)
    rows = office.ledger().attempts()
    assert sum(row.outcome == "lost" for row in rows) >= 2 * len(lost) - 2
    assert all(row.ended is not None for row in rows)


async def test_a_worker_lost_too_often_is_an_infrastructure_failure_held_against_nobody(tmp_path: Path) -> None:
    def gone(run: Run) -> Outcome:
        outcome = TRAIN(run)
        proposal = int(getattr(run, "experiment", "e0")[1:]) > 2
        return Outcome("lost") if proposal else Outcome("ok", metric=outcome.metric or 1.0)

    office = Office(tmp_path)
    office.train = gone
    _, engine = await office.work()
    failed = [e for e in engine.state.experiments.values() if e.purpose == "proposal" and e.status == "failed"]
    assert failed and {e.failure for e in failed} == {"infrastructure"}
    assert all(
        a.experiments == a.failed == engine.state.record.evidence(a.id) == 0 for a in engine.state.agents.values()
    )
    tries = [row for row in office.ledger().attempts() if row.experiment == failed[0].id]
    assert len(tries) == MAX_LOSSES


class Boom(Exception):
    pass


@pytest.mark.parametrize("where", ["policy", "compute"])
@pytest.mark.parametrize("in_order", [True, False])
async def test_an_exception_comes_out_and_leaves_a_run_that_can_be_resumed(
    tmp_path: Path, where: str, in_order: bool
) -> None:
    countdown = 15

    def fused(state: State, observation: Observation) -> list[Intent]:
        tick("policy")
        return list(moody(state, observation))

    def tick(place: str) -> None:
        nonlocal countdown
        countdown -= place == where
        if place == where and countdown == 0:
            raise Boom(place)

    def train(run: Run) -> Outcome:
        tick("compute")
        return TRAIN(run)

    office = Office(tmp_path, 2, in_order=in_order)
    office.train = train
    with pytest.raises(Boom, match=where):
        await office.work(decide=fused)
    office.digest()
    office.train = TRAIN
    assert (await office.work())[0]
    if in_order:
        assert office.digest() == rehearsed(2)


async def test_a_stopped_run_is_gone_before_its_slot_is_used_again(tmp_path: Path) -> None:
    """FakeCompute raises when two runs share a slot, and takes its time to end a cancelled one."""
    stopped = 0
    for seed in (15, 33):
        office = Office(tmp_path / str(seed), 2, seed=seed)
        office.parting = 400  # longer than it takes to prepare the next experiment
        office.path.mkdir()
        _, engine = await office.work()
        stopped += sum(e.status == "stopped" for e in engine.state.experiments.values())
        rows = office.ledger().attempts()
        assert all(row.ended is not None for row in rows)
    assert stopped > 0


async def test_through_autogen_and_directly_the_history_is_the_same(tmp_path: Path) -> None:
    from roles.brains.agent import AgentEmployee

    hires: list[Hire] = [
        lambda agent: DirectEmployee(agent.id, agent.role, agent.brain),
        lambda agent: AgentEmployee(agent.id, agent.role, agent.brain),
    ]
    digests = []
    for number, hire in enumerate(hires):
        office = Office(tmp_path / str(number), 2)
        office.path.mkdir()
        await office.work(hire)
        digests.append(office.digest())
    assert digests[0] == digests[1]


async def test_a_full_disk_stops_the_company_and_is_no_part_of_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "peace").mkdir()
    peace = Office(tmp_path / "peace")
    await peace.work()
    office = Office(tmp_path)
    await office.work(stop_after=20)
    with monkeypatch.context() as disk:
        disk.setattr("company.live.disk_full", lambda folder: True)
        office.train = lambda run: Outcome("lost", detail="the disk is full")
        with pytest.raises(ComputeError, match="the disk is full: free some space and resume the run"):
            await office.work()
    office.train = TRAIN
    closed, _ = await office.work()
    assert closed and office.digest() == peace.digest()


async def test_a_broken_seal_ends_the_company_and_leaves_no_attempt_open(tmp_path: Path) -> None:
    office = Office(tmp_path, slots=3)
    await office.work(stop_after=20)

    def broken(run: Run) -> Outcome:
        raise Unsealed("evaluate.py changed while the company worked: put the old one back, then resume")

    office.train = broken
    with pytest.raises(Unsealed):
        await office.work()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as asked:
        rows = asked.execute("SELECT outcome, detail FROM attempt WHERE ended IS NOT NULL").fetchall()
        assert asked.execute("SELECT count(*) FROM attempt WHERE ended IS NULL").fetchone() == (0,)
    assert ("stopped", "evaluate.py changed while the company worked: put the old one back, then resume") in rows

"""Companies for benchmarks.tui to look at: big charts, a writer at a steady pace, and long finished ledgers."""

from __future__ import annotations

import fcntl
import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from company.chart import OrgChart
from company.chart_yaml import save_chart
from company.engine import Engine, Step
from company.ledger import Ledger
from company.state import State
from company.testing import Rehearsal, offline, planted_project, planted_trainer
from roles.intents import Approve, Build, Continue, Intent, Propose, Verdict
from roles.observation import Observation

BATCH = 5_000  # events a transaction of a long ledger
EVENTS_A_RUN = 14


def big_chart(agents: int, experiments: int = 100_000, brief: bool = False) -> OrgChart:
    """A director over leads with nine researchers each, an engineer and a reviewer; `brief`: with few meetings."""
    teams = max(1, (agents - 3) // 10)
    positions = [
        {"id": "root", "role": "manager"},
        {"id": "eng", "role": "engineer", "reports_to": "root"},
        {"id": "rev", "role": "reviewer", "reports_to": "root"},
    ]
    for team in range(teams):
        positions.append({"id": f"lead{team}", "role": "manager", "reports_to": "root"})
        positions += [
            {"id": f"r{team}_{n}", "role": "researcher", "reports_to": f"lead{team}", "brain": "random"}
            for n in range(9)
        ]
    budget, rare = {"experiments": experiments}, {"every": max(20, experiments // 20)}
    policies = {"assign": rare, "appraise": rare, "watch": {"rule": "never"}} if brief else {}
    return OrgChart.from_dict({"company": "big", "budget": budget, "policies": policies, "positions": positions})


def brisk(state: State, observation: Observation) -> Sequence[Intent]:
    """Decisions that cost next to nothing, so that a long company is written in minutes."""
    if observation.task == "propose":
        chance = random.Random(observation.decision)
        width, act = chance.choice((16, 32, 64, 128)), chance.choice("abc")
        return [Propose(config={"lr": math.exp(chance.uniform(-9, 0)), "width": width, "act": act}, reason="a guess")]
    if observation.task == "review":
        return [Approve(p_improves=0.5, reason="why not")]
    if observation.task == "verdict" and observation.turn % 50:
        return [Verdict(outcome="noise", p_real=0.1, reason="one of many")]
    if observation.task == "build":
        return [Build()]
    return [Continue()] if observation.task == "watch" else offline(state, observation)


def write_ledger(folder: Path, agents: int, events: int) -> None:
    """A finished company of about so many events, as a run directory."""
    folder.mkdir(parents=True)
    (folder / "experiments").mkdir()
    (folder / "lock").touch()
    chart = big_chart(agents, max(20, events // EVENTS_A_RUN), brief=True)
    save_chart(chart, folder / "chart.yaml")
    ledger = Ledger(folder / "ledger.sqlite", write=True)
    ledger.open_session("run", "benchmark")
    engine = Engine(planted_project())
    work = Rehearsal(engine, planted_trainer(), brisk)
    step: Step | None = work.follow(engine.found(chart, 0, 8))
    pending = []
    while step is not None:
        pending += step.events
        if len(pending) >= BATCH:
            ledger.append(pending, engine.state)
            pending = []
        step = work.advance()
    if pending:
        ledger.append(pending, engine.state)
    ledger.close_session()
    ledger.close()


def write_steadily(folder: Path, agents: int, rate: float, events: int, seconds: float) -> None:
    """A company that records `rate` steps a second, after `events` events as fast as they come."""
    ledger, engine, work, step = _begun(folder, agents)
    pending = []
    while step is not None and engine.state.seq < events:
        pending += step.events
        step = work.advance()
    ledger.append(pending, engine.state)
    end, done = time.monotonic() + seconds, 0
    (folder / "ready").write_text("0")
    while step is not None and time.monotonic() < end:
        began = time.monotonic()
        if step.events:
            ledger.append(step.events, engine.state)
        step, done = work.advance(), done + 1
        (folder / "ready").write_text(str(done))
        time.sleep(max(0.0, began + 1 / rate - time.monotonic()))


def work_through(folder: Path, seconds: float, rate: float) -> Iterator[tuple[float, float, float, str]]:
    """Let a company of thirteen work at a steady pace, recorded step by step.

    Yields for each step when it began (the system's monotonic clock), how many seconds it took, by the clock and of the
    processor, and of what kinds its events are: steps of the same kinds take about as long.
    """
    ledger, engine, work, step = _begun(folder, 13)
    if step is not None:
        ledger.append(step.events, engine.state)
    (folder / "ready").write_text("0")
    end = time.monotonic() + seconds
    while step is not None and time.monotonic() < end:
        began, used = time.monotonic(), time.process_time()
        step = work.advance()
        if step is not None and step.events:
            ledger.append(step.events, engine.state)
        took, spent = time.monotonic() - began, time.process_time() - used
        yield began, took, spent, " ".join(sorted(event.kind for _, event in step.events)) if step else ""
        time.sleep(max(0.0, began + 1 / rate - time.monotonic()))


def _begun(folder: Path, agents: int) -> tuple[Ledger, Engine, Rehearsal, Step | None]:
    """A company that holds its run directory, with the step that founds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    ledger = Ledger(folder / "ledger.sqlite", write=True)
    ledger.open_session("run", "benchmark")
    engine = Engine(planted_project())
    work = Rehearsal(engine, planted_trainer())
    return ledger, engine, work, work.follow(engine.found(big_chart(agents), 0, 8))

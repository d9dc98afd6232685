"""Recording a project: every trial of a design really trained and scored, by the workers and the sealed evaluator.

Covered: stopping and killing at any moment (journal.py); a lost worker is tried again; other work on the machine, since
a budget is a number of steps and the seconds that are kept are the processor's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from company.compute.backend import Compute, ComputeError, Order, Outcome, Slot
from company.compute.local import LocalCompute
from company.compute.sandbox.probe import choose
from company.compute.tail import rung_steps
from company.compute.workers import PRELOAD
from company.surrogates.design import Trial
from company.surrogates.journal import Journal
from company.surrogates.recording import RUNGS, Curve, Row
from projects.spec import Project

MAX_LOSSES = 3  # a worker lost this often on one trial: the machine cannot do it

OnRow = Callable[[int, Row], None]  # (trials done so far, the last of them)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it: `complete` unless it was stopped; `data_hash` of the data that was trained on."""

    complete: bool
    data_hash: str


def record(
    project: Project, trials: Sequence[Trial], journal: Journal, slots: Sequence[Slot], work: Path, on_row: OnRow
) -> Recorded:
    """Carry out the trials that the journal lacks, in order, on all slots; `work` is for the data and the runs.

    SIGINT and SIGTERM stop it in order. Raises ComputeError when training cannot go on.
    """
    todo = [trial for trial in trials if trial.key not in journal.rows]
    found = asyncio.run(_Recorder(project, journal, work, on_row).run(todo, slots))
    if found.complete:
        shutil.rmtree(work, ignore_errors=True)
    return found


class _Recorder:
    def __init__(self, project: Project, journal: Journal, work: Path, on_row: OnRow) -> None:
        self.project, self.journal, self.work, self.on_row = project, journal, work, on_row

    async def run(self, todo: list[Trial], slots: Sequence[Slot]) -> Recorded:
        compute = LocalCompute(slots, preload=self.project.preload or PRELOAD, sandbox=choose("auto"))
        try:
            await compute.start()
            await compute.prepare_data(self.project, self.work / "data")
            complete = await self._all(todo, compute)
            return Recorded(complete, data_hash(self.work / "data"))
        finally:
            await compute.close()

    async def _all(self, todo: list[Trial], compute: Compute) -> bool:
        """Train until nothing is left (True) or a signal asks to stop (False)."""
        waiting = iter(todo)
        slots = [asyncio.create_task(self._on_slot(slot, waiting, compute)) for slot in compute.slots]
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        stop = asyncio.create_task(stopped.wait())
        try:
            pending: set[asyncio.Task[None]] = set(slots)
            while pending and not stopped.is_set():
                done, _ = await asyncio.wait([*pending, stop], return_when=asyncio.FIRST_COMPLETED)
                for task in done & pending:
                    task.result()
                pending -= done
            return not pending
        finally:
            stop.cancel()
            for task in slots:
                task.cancel()
            await asyncio.gather(*slots, return_exceptions=True)

    async def _on_slot(self, slot: Slot, waiting: Iterator[Trial], compute: Compute) -> None:
        for trial in waiting:
            row = self.row(trial, await self._outcome(trial, slot, compute))
            self.journal.add(trial, row)
            self.on_row(len(self.journal.rows), row)

    async def _outcome(self, trial: Trial, slot: Slot, compute: Compute) -> Outcome:
        steps = self.project.steps(trial.config)
        order = Order(
            f"point-{trial.point}-{trial.replicate}", 1, slot, self.project, self.work / f"slot-{slot.index}",
            self.work / "data", trial.config, trial.seed, steps,
        )  # fmt: skip
        outcome = Outcome("lost")
        for _ in range(MAX_LOSSES):
            outcome = await compute.run(order, lambda rung, step, loss: None)
            if outcome.status != "lost":
                return outcome
        raise ComputeError(f"a training was lost {MAX_LOSSES} times: {outcome.detail}; the others are kept")

    def row(self, trial: Trial, outcome: Outcome) -> Row:
        steps = self.project.steps(trial.config)
        return Row(
            trial.config, trial.seed, "ok" if outcome.status == "ok" else "failed", outcome.failure, outcome.metric,
            round(outcome.measured.get("cpu_s", 0.0), 3),
            round(self.project.predicted_seconds(trial.config, steps), 4), curve_of(outcome.curve, steps),
        )  # fmt: skip


def curve_of(curve: Sequence[tuple[int, float]], steps: int) -> Curve | None:
    """The training loss at RUNGS: the first one reported at or after each, None from where the run ended early."""
    losses = [next((loss for at, loss in curve if at >= step), None) for step in rung_steps(RUNGS, steps)]
    found = tuple(None if loss is None else float(f"{loss:.5g}") for loss in losses)
    return found if any(loss is not None for loss in found) else None


def data_hash(data: Path) -> str:
    """The sha256 that the evaluator wrote down of the data it made; empty where it wrote none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((data / "data.json").read_text())["sha256"])
    return ""

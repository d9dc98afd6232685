"""LocalCompute: orders carried out on this machine's GPUs or CPU cores, in processes forked from a warm parent.

Covered: every way a training process can end is told apart (endings.py); stopping ends its whole process group; what a
run leaves behind is bounded and read with suspicion; the metric comes from the project's own evaluator, in a process
of its own, after the run is dead. What keeps a run from files, network and other processes is its level of the sandbox
(sandbox/), which stands in every outcome's `measured`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from company.compute.backend import ComputeError, OnRung, Order, Outcome, Slot
from company.compute.cuda_proof import Proof, prove_all
from company.compute.endings import Facts, Why, killed_for_memory, lost, why
from company.compute.evaluation import Score, read_answer
from company.compute.folder import LOG, clear_up, drop_strays, lay_code, lay_out, remove, write_result
from company.compute.launches import answer_file, score_launch
from company.compute.log import Log
from company.compute.prepare import prepare
from company.compute.sandbox import Level
from company.compute.seal import Seal, Unsealed, seal
from company.compute.slots import find_slots
from company.compute.tail import is_regular
from company.compute.training import Training
from company.compute.watch import watch
from company.compute.workers import PRELOAD, Workers, WorkersLost
from projects.spec import Project


@dataclass(slots=True)
class Carried:
    """What is known of an order so far; measured as it goes, so that a failure keeps the times before it."""

    training: Training
    measured: dict[str, float] = field(default_factory=dict)
    score: Score | None = None


class LocalCompute:
    """The Compute of one machine.

    `slots`: found by themselves when not given. `hold_fds`: descriptors that stay open until the warm parent is gone.
    `preload`: modules that the warm parent imports. `sandbox`: the level for what experiments run, from `probe.choose`.
    """

    def __init__(
        self, slots: Sequence[Slot] | None = None, hold_fds: Sequence[int] = (), preload: Sequence[str] = PRELOAD,
        sandbox: Level = "none",
    ) -> None:  # fmt: skip
        self.sandbox: Level = sandbox
        self.proofs: tuple[Proof, ...] = ()
        self._slots = tuple(find_slots() if slots is None else slots)
        self._workers = Workers(preload, hold_fds)
        self._seals: dict[Path, Seal] = {}

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    @property
    def worker_pid(self) -> int | None:
        """The warm parent's process id, while it lives."""
        return self._workers.pid

    @property
    def ready(self) -> Mapping[str, object]:
        """What the warm parent said of itself when it was ready: `threads`, `touched_cuda`."""
        return self._workers.ready

    async def start(self) -> None:
        """Start the warm parent and wait for it (seconds); raises ComputeError with what to do.

        CUDA is proved on every card before anything is begun there: see `proofs`.
        """
        await self._workers.start()
        if self._workers.ready["touched_cuda"] and any(slot.device == "cuda" for slot in self._slots):
            raise ComputeError("a preloaded module opened the GPU, which breaks CUDA in every run: use CPU slots")
        self.proofs = await prove_all(self._workers, self._slots, self.sandbox)

    async def close(self) -> None:
        """End every run and the warm parent, and wait for it."""
        await self._workers.close()

    async def prepare_data(self, project: Project, data: Path) -> None:
        """Make the project's data in `data` unless this evaluator made it there before; raises ComputeError.

        From then on evaluator and held-out data are sealed: a change of them ends the next run with Unsealed.
        """
        await prepare(self._workers, project, data)
        try:
            self._seals[project.folder] = await asyncio.to_thread(seal, project, data)
        except OSError as error:
            raise ComputeError(f"cannot read {error.filename}: {error.strerror}") from error

    async def run(self, order: Order, on_rung: OnRung) -> Outcome:
        """Carry out an order: train, score, tidy the folder, write result.json. Cancelling it ends the group.

        Raises nothing for what the run does; Unsealed where what it is measured by has changed. An outcome that is
        `lost` says nothing about the run: carry it out again, but not for ever, since a run can end itself in ways that
        look like an accident from outside.
        """
        began, carried = time.monotonic(), Carried(Training(order, on_rung, self.sandbox))
        try:
            trouble = await self._carry_out(order, carried)
        except (asyncio.CancelledError, Unsealed):
            with contextlib.suppress(OSError):
                clear_up(order)
            raise
        except (WorkersLost, ComputeError, OSError) as error:
            trouble = lost(f"{type(error).__name__}: {error}")
        outcome = conclude(carried, trouble, time.monotonic() - began)
        return put_down(order, outcome, carried)

    async def _carry_out(self, order: Order, carried: Carried) -> Why | None:
        lay_out(order)
        training, began = carried.training, time.monotonic()
        trouble = await training.run(self._workers)
        carried.measured["train_s"] = time.monotonic() - began
        if training.launch_s is not None:
            carried.measured["launch_s"] = training.launch_s
        if training.facts:
            carried.measured["memory_mb"] = training.facts.ended.peak_mb
            carried.measured["cpu_s"] = training.facts.ended.cpu_s
        return trouble or await self._score(order, carried)

    async def _score(self, order: Order, carried: Carried) -> Why | None:
        """Ask the evaluator, with the run dead, its answer's file out of the way and the code as it was ordered."""
        began = time.monotonic()
        if order.project.folder in self._seals:
            self._seals[order.project.folder].check()
        lay_code(order)
        drop_strays(order)
        if not is_regular(order.folder / LOG):
            remove(order.folder / LOG)
        place = answer_file(order)
        place.unlink(missing_ok=True)
        try:
            return await self._ask(order, carried, place, began)
        finally:
            place.unlink(missing_ok=True)

    async def _ask(self, order: Order, carried: Carried, place: Path, began: float) -> Why | None:
        running = await self._workers.launch(score_launch(order, self.sandbox))
        limits = order.project.limits
        facts = await watch(running, order.folder, Log(order.folder / LOG, limits.log_kb * 1024), limits)
        carried.measured["evaluate_s"] = time.monotonic() - began
        carried.measured["cpu_s"] = carried.measured.get("cpu_s", 0.0) + facts.ended.cpu_s
        if trouble := of_evaluator(facts):
            return trouble
        answer = read_answer(place)
        if isinstance(answer, Why):
            return killed_for_memory() if answer.status == "lost" and facts.oom_kills else answer
        carried.score = answer
        return None


def of_evaluator(facts: Facts) -> Why | None:
    """An evaluator that crashes is a failure to evaluate; its other endings mean what they mean for a run."""
    trouble = why(facts)
    if trouble and trouble.failure in ("crash", "diverged"):
        return replace(trouble, failure="evaluation", detail=f"the evaluator failed: {trouble.detail}")
    return trouble


def conclude(carried: Carried, trouble: Why | None, seconds: float) -> Outcome:
    """The outcome from what was seen."""
    measured = {"seconds": seconds, **carried.measured, "sandbox": carried.training.sandbox}
    curve = carried.training.tail.curve.whole()
    if trouble or carried.score is None:
        trouble = trouble or lost("no score")
        return Outcome(trouble.status, None, trouble.failure, trouble.detail, curve, measured)
    return Outcome("ok", carried.score.metric, curve=curve, measured=measured)


def put_down(order: Order, outcome: Outcome, carried: Carried) -> Outcome:
    """Tidy the folder and write the result; where the disk refuses, the infrastructure failed."""
    try:
        clear_up(order)
        scored = carried.score.n if carried.score else None
        write_result(order, outcome, scored=scored, skipped_lines=carried.training.tail.skipped)
    except OSError as error:
        trouble = lost(f"cannot write {error.filename or order.folder}: {error.strerror}")
        return replace(outcome, status="lost", metric=None, failure=trouble.failure, detail=trouble.detail)
    return outcome

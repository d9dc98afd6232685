"""RayCompute: orders carried out on the slots of a Ray cluster, one actor a slot.

Covered: an actor or a node that dies is an infrastructure loss, and what it ran is run again by another; while there is
no room for as many actors as slots, orders wait for those that live. Stopping an order ends its process group on the
node. A level of the sandbox that is asked for by name is promised: a node that cannot give it is refused when the run
begins, and passed over later. Not covered: files on the nodes (project and data travel with every actor, in memory
once: not for terabytes).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from company.compute.backend import ComputeError, OnRung, Order, Outcome, Slot
from company.compute.endings import lost
from company.compute.prepare import prepare
from company.compute.ray_cluster import Cluster, ClusterError, join, library, refuse_differing
from company.compute.ray_slot import Done, Kit, RaySlot, pack, unpack
from company.compute.sandbox.levels import Wanted
from company.compute.sandbox.probe import SandboxError
from company.compute.workers import PRELOAD, Workers
from projects.spec import Project

START_S = 180.0  # to have every slot ready
PATIENCE_S = 60.0  # without any living actor until an order counts as lost
STOP_S = 10.0  # for a node to end a process group before its actor is ended instead
AGAIN_S = 2.0  # between two tries to place an actor
LOST = "the worker on the Ray cluster was lost"
NOWHERE = "no node of the Ray cluster has room"
CALLS = 8  # calls that an actor answers at a time: an order, and what is asked beside it


def cluster_slots(
    address: str | None, count: int | None = None, per_gpu: int = 1, device: Literal["auto", "cpu", "cuda"] = "auto"
) -> tuple[Slot, ...]:
    """The slots of a cluster, joined until `leave`: shares of its GPUs, else its CPUs. Raises ClusterError."""
    cluster = join(address, count)
    gpus = 0 if device == "cpu" else cluster.gpus
    if device == "cuda" and not gpus:
        raise ClusterError("no GPU in the Ray cluster: ask for CPU slots, or start its nodes with --num-gpus")
    if gpus:
        return _slots(count or gpus * per_gpu, "cuda", 1 / max(per_gpu, math.ceil((count or 0) / gpus)))
    return _slots(_within(count, cluster), "cpu", 1.0)


def _within(count: int | None, cluster: Cluster) -> int:
    if cluster.cpus < (count or 1):
        raise ClusterError(f"the Ray cluster has {cluster.cpus} CPUs: ask for at most as many --slots, or add nodes")
    return count or cluster.cpus


def _slots(count: int, device: Literal["cpu", "cuda"], share: float) -> tuple[Slot, ...]:
    return tuple(Slot(index, device, None, share, f"ray {index}") for index in range(count))


class RayCompute:
    """The Compute of a Ray cluster that was joined before (`cluster_slots`); `preload` as in LocalCompute.

    `sandbox`: the level on every node, "auto" for the best that each has.
    """

    def __init__(self, slots: Sequence[Slot], preload: Sequence[str] = PRELOAD, sandbox: Wanted = "auto") -> None:
        self._slots, self._preload = tuple(slots), tuple(preload)
        self._sandbox: Wanted = sandbox
        self._unfit = NOWHERE  # why the last node that was tried could not take part
        self._kit: Any = None
        self._idle: asyncio.Queue[Any] = asyncio.Queue()
        self._alive: list[Any] = []
        self._hiring: set[asyncio.Task[None]] = set()

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self._slots

    async def start(self) -> None:
        """Nothing yet: actors start with the project's data, in `prepare_data`."""

    async def prepare_data(self, project: Project, data: Path) -> None:
        """Make the data here unless they are there, and start an actor for every slot with them.

        Raises ComputeError when they cannot all be had in START_S; SandboxError where a node cannot give the level.
        """
        workers = Workers(())
        try:
            await prepare(workers, project, data)
        finally:
            await workers.close()
        try:
            self._kit = library().put(Kit(pack(project.folder), pack(data), self._preload, self._sandbox))
        except OSError as error:
            raise ComputeError(f"cannot read {error.filename}: {error.strerror}") from error
        try:
            async with asyncio.timeout(START_S):
                await asyncio.gather(*[self._look_for(self._hire()) for _ in self._slots])
        except TimeoutError:
            have = f"{len(self._alive)} of {len(self._slots)} slots"
            raise ClusterError(f"only {have} could be had on the Ray cluster within {START_S:g} s") from None

    async def run(self, order: Order, on_rung: OnRung) -> Outcome:
        """Carry out an order on an actor that is free. An actor that dies is a loss: nothing that the run did."""
        actor = await self._free()
        if actor is None:
            return _lost(self._unfit)
        try:
            outcome = await self._carry_out(actor, order, on_rung)
        except asyncio.CancelledError:
            await _to_its_end(asyncio.create_task(self._stop(actor)))
            raise
        if outcome is None:
            self._give_up(actor)
            return _lost(LOST)
        self._idle.put_nowait(actor)
        return outcome

    async def close(self) -> None:
        """End every actor, its processes first."""
        for task in self._hiring:
            task.cancel()
        await asyncio.gather(*self._hiring, return_exceptions=True)
        await asyncio.gather(*(_within_time(actor.close.remote()) for actor in self._alive))
        for actor in self._alive:
            _end(actor)
        self._alive.clear()

    async def _carry_out(self, actor: Any, order: Order, on_rung: OnRung) -> Outcome | None:
        """The outcome, with the folder filled; None when the actor was lost."""
        try:
            async for coming in actor.run.remote(order):
                news = await coming
                if isinstance(news, Done):
                    return _put_down(order, news)
                on_rung(*news)
        except library().exceptions.RayError:
            return None
        return None

    async def _free(self) -> Any | None:
        """An actor that answers, None when none lives and none can be placed."""
        while True:
            try:
                actor = await asyncio.wait_for(self._idle.get(), PATIENCE_S)
            except TimeoutError:
                if self._alive:
                    continue
                return None
            try:
                answers = await _within_time(actor.ping.remote())
            except asyncio.CancelledError:
                self._idle.put_nowait(actor)
                raise
            if answers:
                return actor
            self._give_up(actor)

    async def _stop(self, actor: Any) -> None:
        if await _within_time(actor.stop.remote()):
            self._idle.put_nowait(actor)
        else:
            self._give_up(actor)

    def _give_up(self, actor: Any) -> None:
        """An actor that died, or does not answer: end it, and look for a place for another."""
        _end(actor)
        self._alive.remove(actor)
        self._look_for(self._replace())

    def _look_for(self, hire: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Look for an actor until there is one, or `close` ends it."""
        task = asyncio.create_task(hire)
        self._hiring.add(task)
        task.add_done_callback(self._hiring.discard)
        return task

    async def _replace(self) -> None:
        """A node that turns out not to be fit is left alone: the others go on."""
        try:
            await self._hire()
        except ComputeError as error:
            self._unfit = str(error)

    async def _hire(self) -> None:
        """Place an actor wherever there is room, for as long as it takes. Raises ClusterError, ComputeError."""
        ray = library()
        slot = self._slots[0]  # all are alike
        needs = {"num_cpus": 0, "num_gpus": slot.share} if slot.device == "cuda" else {"num_cpus": 1}
        remote: Any = ray.remote(**needs, max_concurrency=CALLS, max_restarts=0)(RaySlot)
        while True:
            actor = remote.remote(self._kit, slot)
            try:
                refuse_differing(await actor.start.remote())
                break
            except ray.exceptions.RayTaskError as error:
                _end(actor)
                kind = SandboxError if isinstance(error.cause, SandboxError) else ComputeError
                raise kind(f"a node of the Ray cluster: {error.cause}") from None
            except ray.exceptions.RayError:
                _end(actor)
                await asyncio.sleep(AGAIN_S)
            except BaseException:
                _end(actor)
                raise
        self._alive.append(actor)
        self._idle.put_nowait(actor)


def _put_down(order: Order, done: Done) -> Outcome:
    """Fill the order's folder with what came back; where the disk refuses, the infrastructure failed."""
    try:
        unpack(done.files, order.folder)
    except (OSError, ValueError) as error:
        return replace(_lost(f"cannot write {order.folder}: {error}"), measured=done.outcome.measured)
    return done.outcome


def _lost(detail: str) -> Outcome:
    trouble = lost(detail)
    return Outcome("lost", None, trouble.failure, trouble.detail)


def _end(actor: Any) -> None:
    library().kill(actor, no_restart=True)


async def _within_time(answer: Any) -> bool:
    """Whether an actor answered in STOP_S."""
    try:
        await asyncio.wait_for(answer, STOP_S)
    except (library().exceptions.RayError, TimeoutError):
        return False
    return True


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """Wait for a task whatever is cancelled meanwhile."""
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)

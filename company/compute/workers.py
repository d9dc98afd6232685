"""The engine's side of the zygote: start it, launch processes through it, learn truthfully how they ended."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from company.compute.backend import ComputeError
from company.compute.environment import ZYGOTE_ENV, clean_env, command
from company.compute.sandbox.policy import Confined

PRELOAD = ("torch", "torch._dynamo", "numpy", "safetensors.torch")


class WorkersLost(Exception):
    """The warm parent died or refused: nothing that the run did."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start: `python script *args` in `cwd`, with `path` first on sys.path.

    Standard error goes to `log` (appended); standard output too, unless `answer` names a file of its own.
    Limits are in megabytes, 0 for none. `device` "cuda" bounds the GPU's memory to `share`. `confined` is the sandbox
    of the process itself; `predictions` that of a process which it starts for predictions (`projects.predictor`).
    """

    script: str
    args: tuple[str, ...]
    cwd: str
    path: str
    log: str
    env: Mapping[str, str]
    answer: str | None = None
    memory_mb: int = 0
    file_mb: int = 0
    device: str = "cpu"
    share: float = 1.0
    confined: Confined | None = None
    predictions: Confined | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: `code` as in subprocess (negative for a signal), None when the zygote died under it.

    `killed` says that we killed it; `at` is time.monotonic() of its death; `peak_mb` is its largest resident memory,
    pages shared with the zygote included.
    """

    code: int | None
    killed: bool = False
    at: float = 0.0
    peak_mb: float = 0.0
    cpu_s: float = 0.0


@dataclass(slots=True, eq=False)
class Running:
    """A launched process. `ended` is done exactly once, when the whole group is gone."""

    name: str
    workers: Workers
    forked: asyncio.Future[int]
    ended: asyncio.Future[Ended]
    at: float = 0.0  # time.monotonic() of the fork
    pid: int = 0
    keeper: int | None = None  # bwrap, below which all else of the run is, where it has a process namespace
    device: str = "cpu"

    def kill(self) -> None:
        """SIGKILL to the whole process group; nothing if it has ended."""
        if not self.ended.done():
            self.workers.send({"op": "kill", "id": self.name})

    async def end(self) -> Ended:
        """Kill, and wait for the death even when cancelled meanwhile."""
        self.kill()
        cancelled = False
        while not self.ended.done():
            try:
                await asyncio.shield(self.ended)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError
        return self.ended.result()


@dataclass(slots=True, eq=False)
class Workers:
    """Keeps one zygote: starts it, starts another when it died, ends it.

    `hold_fds` stay open in the zygote and in none of its children: a lock held by one says whether the zygote lives.
    """

    preload: Sequence[str] = PRELOAD
    hold_fds: Sequence[int] = ()
    ready: Mapping[str, Any] = field(default_factory=dict)
    _closed: bool = False
    _process: Process | None = None
    _reader: asyncio.Task[None] | None = None
    _running: dict[str, Running] = field(default_factory=dict)
    _names: itertools.count[int] = field(default_factory=itertools.count)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def pid(self) -> int | None:
        """The zygote's process id, while it lives."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the zygote and wait until it has imported everything; raises ComputeError with what to do."""
        async with self._starting:
            if self._process is None:
                await self._boot()

    async def launch(self, launch: Launch) -> Running:
        """Start a process; raises WorkersLost when it could not be forked, ComputeError when no zygote starts."""
        if self._closed:
            raise WorkersLost("the workers are closed")
        await self.start()
        loop = asyncio.get_running_loop()
        running = Running(str(next(self._names)), self, loop.create_future(), loop.create_future())
        running.device = launch.device
        self._running[running.name] = running
        self.send({"op": "spawn", "id": running.name, **asdict(launch), "env": dict(launch.env)})
        try:
            await asyncio.shield(running.forked)
        except asyncio.CancelledError:
            await running.end()
            raise
        return running

    def send(self, request: Mapping[str, Any]) -> None:
        """Hand a request to the zygote; a dead one is noticed by the reader."""
        if self._process and self._process.stdin:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(json.dumps(request).encode() + b"\n")

    async def close(self) -> None:
        """End every process and the zygote, and wait for it; nothing can be launched afterwards."""
        self._closed = True
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(reader), timeout=5)
        except TimeoutError:
            process.kill()
            await reader

    async def _boot(self) -> None:
        if sys.platform != "linux":
            raise ComputeError("training processes need Linux: on Windows use WSL 2, elsewhere a container")
        with tempfile.TemporaryFile() as errors:
            process = await asyncio.create_subprocess_exec(
                *command(self.preload),
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                env=clean_env(HOME=str(Path.home()), **ZYGOTE_ENV),
                pass_fds=tuple(self.hold_fds),
                start_new_session=True,  # Ctrl-C is for the engine, which then ends the runs in order
            )
            answer = await first_event(process)
            if answer.get("event") != "ready":
                await process.wait()
                errors.seek(0)
                raise ComputeError(broken(answer, errors.read()[-2000:].decode(errors="replace")))
        self.ready, self._process = answer, process
        self._reader = asyncio.create_task(self._read(process), name="zygote events")

    async def _read(self, process: Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            self._on_event(json.loads(line))
        self._process = None
        await self._on_death(process)

    def _on_event(self, event: Mapping[str, Any]) -> None:
        running = self._running[event["id"]]
        if event["event"] == "forked":
            running.pid, running.keeper, running.at = event["pid"], event["keeper"], event["at"]
            settle(running.forked, event["pid"])
            return
        del self._running[running.name]
        if event["event"] == "refused":
            settle(running.ended, Ended(None))
            settle(running.forked, WorkersLost(event["detail"]))
            return
        facts = (event["code"], event["killed"], event["ended_at"], event["peak_mb"], event["cpu_s"])
        settle(running.ended, Ended(*facts))

    async def _on_death(self, process: Process) -> None:
        """Leaders died with the zygote; end what is left of their groups, then say that all of them are lost."""
        orphans, self._running = list(self._running.values()), {}
        for running in orphans:
            if running.pid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(running.pid, signal.SIGKILL)
        await process.wait()
        for running in orphans:
            settle(running.ended, Ended(None))
            settle(running.forked, WorkersLost("the worker process died"))


async def first_event(process: Process) -> Mapping[str, Any]:
    """What the zygote says when it has imported everything; empty when it died before. Cancelling ends it."""
    assert process.stdout
    try:
        line = await process.stdout.readline()
    except BaseException:
        process.kill()
        raise
    return json.loads(line) if line else {}


def settle(future: asyncio.Future[Any], value: object) -> None:
    if future.done():
        return
    if isinstance(value, BaseException):
        future.set_exception(value)
        future.exception()  # a launch that was cancelled meanwhile has nobody left to look at it
    else:
        future.set_result(value)


def broken(answer: Mapping[str, Any], errors: str) -> str:
    last = errors.strip().splitlines()[-1:] or ["no message"]
    why = answer.get("detail") or last[0]
    return f"cannot start the training processes: {why}; run 'loopworks doctor' to see what is missing"

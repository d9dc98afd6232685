"""One slot on a node of a Ray cluster: what runs there, with a LocalCompute of its own in a temporary folder.

Nothing of the node's own files is needed: project and data come packed, and what a run leaves goes back packed. A run
is in the sandbox that was asked for, which its node has or the slot does not start; for "auto" in the best that the
node has, on a GPU in none. Its outcome says which.
What an actor that was killed leaves in its temporary folder is removed by the next one on that node (own_folder.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from company.compute.backend import Order, Outcome, Slot
from company.compute.launches import TRAIN
from company.compute.local import LocalCompute
from company.compute.own_folder import OwnFolder, sweep
from company.compute.ray_cluster import versions
from company.compute.sandbox.levels import Level, Wanted
from company.compute.sandbox.probe import choose
from projects.spec import Project

Files = Mapping[str, bytes]  # contents by path below a folder
Rung = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Kit:
    """All that a node needs to carry out orders of one project."""

    project: Files
    data: Files
    preload: Sequence[str]
    sandbox: Wanted = "auto"


@dataclass(frozen=True, slots=True)
class Done:
    """How an order ended, and what its folder holds."""

    outcome: Outcome
    files: Files


class RaySlot:
    """A Ray actor: carries out one order at a time as LocalCompute does, with the same processes and limits."""

    def __init__(self, kit: Kit, slot: Slot) -> None:
        self._kit = kit
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES") if slot.device == "cuda" else None
        self._slot = replace(slot, index=0, gpu=gpu)
        self._own: OwnFolder  # as the next two, from `start` on: a node that is refused has nothing to leave
        self._folder: Path
        self._compute: LocalCompute
        self._running: asyncio.Task[Outcome] | None = None

    async def start(self) -> dict[str, str]:
        """Unpack, start the warm parent; the versions of this node's libraries.

        Raises OSError, ComputeError; SandboxError where the node cannot give the level that was asked for.
        """
        level = await asyncio.to_thread(self._level)
        await asyncio.to_thread(sweep)
        self._own = OwnFolder()
        self._folder, held = self._own.path, [self._own.lock_fd]
        self._compute = LocalCompute([self._slot], held, self._kit.preload, level)
        try:
            unpack(self._kit.project, self._folder / "project")
            unpack(self._kit.data, self._folder / "data")
            (self._folder / "data" / TRAIN).mkdir(exist_ok=True)  # folders without files do not travel
            await self._compute.start()
        except BaseException:
            await self.close()
            raise
        return versions()

    async def ping(self) -> None:
        """Answer, and so live."""

    async def run(self, order: Order) -> AsyncIterator[Rung | Done]:
        """Rungs as they are reached, then the outcome with what the folder holds; only rungs where it was stopped."""
        news: asyncio.Queue[Rung | None] = asyncio.Queue()
        here = self._here(order)
        self._running = asyncio.create_task(self._compute.run(here, lambda *rung: news.put_nowait(rung)))
        self._running.add_done_callback(lambda _: news.put_nowait(None))
        while (rung := await news.get()) is not None:
            yield rung
        if not self._running.cancelled():
            yield Done(self._running.result(), pack(here.folder))
        shutil.rmtree(here.folder, ignore_errors=True)

    async def stop(self) -> None:
        """End the order that runs, its whole process group with it."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def close(self) -> None:
        """End everything and leave nothing behind."""
        await self.stop()
        await self._compute.close()
        self._own.close()

    def _level(self) -> Level:
        if self._slot.device == "cuda" and self._kit.sandbox == "auto":
            return "none"  # which device files belong to Ray's share of a GPU is not known
        return choose(self._kit.sandbox)

    def _here(self, order: Order) -> Order:
        project: Project = replace(order.project, folder=self._folder / "project")
        folder = self._folder / "experiments" / order.experiment
        return replace(order, slot=self._slot, project=project, folder=folder, data=self._folder / "data")


def pack(folder: Path) -> dict[str, bytes]:
    """The regular files below a folder; nothing that is reached by a link. Raises OSError."""
    found: dict[str, bytes] = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        paths = [Path(at, name) for name in names]
        found |= {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if _regular(path)}
    return found


def unpack(files: Files, folder: Path) -> None:
    """Put packed files into an emptied folder. Raises OSError; ValueError for a path that leads out of it."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{name} leads out of its folder")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()

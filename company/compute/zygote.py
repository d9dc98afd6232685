"""A warm parent process that forks training processes on request: `Workers` (workers.py) is its only client.

It imports torch once and forks; a child starts in milliseconds instead of seconds. Requests and events are
JSON lines on standard input and output. It stays at one thread (a fork of a parent that ran a threaded
operation hangs) and never touches CUDA (a forked child of one that did cannot use it).

requests  {"op": "spawn", "id": ..., **Launch fields}       {"op": "kill", "id": ...}
events    {"event": "ready" | "broken" | "forked" | "refused" | "exited", "id": ..., ...}

Covered: the end of standard input (the engine closed it, or died) ends every child; a child that ends takes its
process group with it; a descendant that left its group is adopted (subreaper) and ended too.
Not covered: a descendant that left its group when this process itself is killed with SIGKILL.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import selectors
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from company.compute import child
from company.compute.sandbox.bubblewrap import Holder
from company.compute.sandbox.confine import Cell, warm
from company.compute.sandbox.policy import restored

PR_SET_CHILD_SUBREAPER = 36
GROUP_GRACE = 1.0  # seconds to wait for the last of a killed group: only uninterruptible sleep lasts longer


class Zygote:
    """The event loop: one selector over the requests and the deaths of children."""

    def __init__(self, requests: int, events: int) -> None:
        self._requests, self._events = requests, events
        self._buffer = b""
        self._leaders: dict[int, str] = {}
        self._holders: dict[int, Holder] = {}  # by leader, until everything inside has ended
        self._killed: set[int] = set()
        self._ending: dict[int, tuple[dict[str, Any], float]] = {}
        self._wake, wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)

    def serve(self) -> NoReturn:
        """Answer requests until standard input ends."""
        selector = selectors.DefaultSelector()
        selector.register(self._requests, selectors.EVENT_READ)
        selector.register(self._wake, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(0.01 if self._ending else None):
                if key.fd == self._requests:
                    self._read()
                else:
                    os.read(self._wake, 4096)
            self._reap()

    def emit(self, event: str, **fields: Any) -> None:
        """Tell the engine; an engine that cannot be told is gone."""
        line = json.dumps({"event": event, "at": time.monotonic(), **fields}).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._events, line) :]
        except OSError:
            self._leave()

    def _read(self) -> None:
        chunk = os.read(self._requests, 65536)
        if not chunk:
            self._leave()
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request["op"] == "spawn":
                self._spawn(request)
            else:
                self._kill(request["id"])

    def _spawn(self, request: dict[str, Any]) -> None:
        cell = None
        try:
            warm(restored(request["predictions"]).level)
            cell = Cell(restored(request["confined"]))
            outputs = child.open_outputs(request)
            pid = cell.fork(partial(child.become, request, outputs, os.getpid(), cell))
        except OSError as error:
            if cell:
                cell.abandon()
            self.emit("refused", id=request["id"], errno=error.errno, detail=error.strerror or str(error))
            return
        for descriptor in set(outputs):
            os.close(descriptor)
        self._leaders[pid] = request["id"]
        if cell.holder:
            self._holders[pid] = cell.holder
        self.emit("forked", id=request["id"], pid=pid, keeper=cell.holder.pid if cell.holder else None)

    def _kill(self, wanted: str) -> None:
        for pid in [pid for pid, name in self._leaders.items() if name == wanted]:
            self._killed.add(pid)
            self._end_tree(pid)

    def _reap(self) -> None:
        while (pid := dead_child()) is not None:
            if pid in self._leaders:
                self._end_tree(pid)  # while the unreaped leader still holds the number
            _, status, usage = os.wait4(pid, 0)
            name = self._leaders.pop(pid, None)
            if name is not None:
                fields = {
                    "id": name,
                    "code": os.waitstatus_to_exitcode(status),
                    "killed": pid in self._killed,
                    "peak_mb": usage.ru_maxrss / 1024,
                    "cpu_s": usage.ru_utime + usage.ru_stime,
                    "ended_at": time.monotonic(),
                }
                self._killed.discard(pid)
                self._ending[pid] = (fields, time.monotonic() + GROUP_GRACE)
        self._sweep()
        self._report_ended()

    def _report_ended(self) -> None:
        for pid, (fields, deadline) in list(self._ending.items()):
            holder = self._holders.get(pid)
            over = holder.gone() if holder else not group_alive(pid)
            if over or time.monotonic() > deadline:
                del self._ending[pid]
                if holder:
                    self._holders.pop(pid).forget()
                self.emit("exited", **fields)

    def _end_tree(self, leader: int) -> None:
        """SIGKILL to the leader's group, and to everything in its process namespace if it has one."""
        kill_group(leader)
        if leader in self._holders:
            self._holders[leader].kill()

    def _sweep(self) -> None:
        """End adopted descendants that belong to no running child's session."""
        ours = {*self._leaders, *(holder.pid for holder in self._holders.values())}
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                if pid not in ours and os.getsid(pid) not in self._leaders:
                    os.kill(pid, signal.SIGKILL)

    def _leave(self) -> NoReturn:
        for pid in self._leaders:
            self._end_tree(pid)
        self._leaders.clear()
        self._holders.clear()
        deadline = time.monotonic() + GROUP_GRACE
        while children() and time.monotonic() < deadline:
            self._sweep()
            while (pid := dead_child()) is not None:
                os.waitpid(pid, 0)
            time.sleep(0.002)
        os._exit(0)


def dead_child() -> int | None:
    """A child that has ended and is not reaped yet."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else None


def children() -> list[int]:
    """Our direct children; empty where the kernel does not list them."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def kill_group(pid: int) -> None:
    """SIGKILL to the group that `pid` leads, or to `pid` alone if it has not founded its group yet."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def group_alive(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def preload(modules: list[str]) -> None:
    """Import what training needs and warm the paths that import lazily.

    The first AdamW step imports torch._dynamo, which costs as much as torch. There is no backward pass here: autograd
    would count the CUDA devices, and that initialises the driver.
    """
    for module in modules:
        importlib.import_module(module)
    if "torch" in modules:
        import torch

        torch.set_num_threads(1)
        weight = torch.nn.Parameter(torch.zeros(2, 2))
        weight.grad = torch.zeros(2, 2)
        torch.optim.AdamW([weight]).step()


def touched_cuda() -> bool:
    """Whether this process has a GPU device open, which would break CUDA in every child."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()).startswith(("/dev/nvidia", "/dev/dxg")):
                return True
    return False


def main(modules: list[str]) -> NoReturn:
    """Preload and serve. Called by the command line that `Workers` builds."""
    import gc

    events = os.dup(1)
    os.dup2(2, 1)  # what a library prints at import must not reach the protocol
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    zygote = Zygote(requests=0, events=events)
    try:
        preload(modules)
    except Exception as error:
        zygote.emit("broken", detail=f"{type(error).__name__}: {error}")
        sys.exit(1)
    gc.collect()
    gc.freeze()  # a collection in a child would write to every shared page
    zygote.emit("ready", threads=len(list(Path("/proc/self/task").iterdir())), touched_cuda=touched_cuda())
    zygote.serve()

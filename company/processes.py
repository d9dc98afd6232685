"""Work spread over processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread, current_thread, main_thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_done(
    work: Callable[[T], R], todo: Sequence[T], processes: int, preload: Sequence[str] = ()
) -> Iterator[tuple[int, R]]:
    """Index and result of each piece of work as it gets done, by one process or several, which start in order.

    `work` and all that goes in and out must pickle; `preload` names modules that every process needs. What `work`
    raises is raised here, and ends the rest. Raises BrokenProcessPool when a process is lost.
    """
    if processes == 1:
        yield from enumerate(map(work, todo))
        return
    context = get_context("forkserver")  # a forked child of a process with threads could hang
    context.set_forkserver_preload(list(preload))
    others = set(active_children())
    pool = ProcessPoolExecutor(processes, context, serve_the_parent)
    try:
        with interrupts_later():
            index = {pool.submit(work, piece): i for i, piece in enumerate(todo)}
        for done in as_completed(index):
            yield index[done], done.result()
    except BaseException:
        for child in set(active_children()) - others:
            child.terminate()  # a piece may take minutes, and a person who interrupts does not want to wait
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def interrupts_later() -> Iterator[None]:
    """An interrupt waits for the end of the block: it must not come between a worker's start and the list that it is
    ended by. In other threads than the main one, which no interrupt reaches, nothing changes."""
    if current_thread() is not main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def serve_the_parent() -> None:
    """An interrupt is the parent's to handle; without a parent there is nothing to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_follow, args=(parent_process(),), daemon=True).start()


def _follow(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)

"""Rows on a Ray cluster: the same rows as here, in the same order.

Covered: a worker that dies costs its rows a second run, each by itself, and a row that kills its worker twice is a
failed row; a node that dies is nobody's fault: its rows are run again elsewhere, MOVES times at most. A node with other
libraries than this machine ends the batch, since its rows would not be the same.
Not covered: a cluster that loses its head node.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from company.batch import work as rows
from company.batch.backends import AHEAD, DIED, Chunk, Work
from company.batch.grid import Task
from company.batch.rows import Row
from company.compute.ray_cluster import join, leave, library, refuse_differing, versions

MOVES = 8  # nodes that a row may lose
MOVED = f"the node that ran it died, {MOVES} times"

Answer = tuple[Mapping[str, str], list[Row]]  # the node's versions, its rows


@contextmanager
def on_ray(address: str | None = None, jobs: int | None = None, work: Work = rows.work) -> Iterator[RayBackend]:
    """The backend of a cluster, joined for as long as the context lasts; `jobs` rows at a time, or one a CPU.

    Raises ClusterError.
    """
    try:
        cluster = join(address, jobs)
        yield RayBackend(jobs or max(1, cluster.cpus), work, ahead=1 if jobs and not cluster.here else AHEAD)
    finally:
        leave()


class RayBackend:
    """Chunks of rows as Ray tasks of one CPU each, `jobs` x `ahead` of them under way."""

    def __init__(self, jobs: int, work: Work = rows.work, ahead: int = AHEAD) -> None:
        self.jobs, self.work, self.ahead = jobs, work, ahead
        self._remote: Callable[..., Any] = library().remote(num_cpus=1, max_retries=0)(_rows).remote

    def run(self, chunks: Iterable[Chunk]) -> Iterator[list[Row]]:
        """The rows of each chunk, in order. Raises ClusterError for a node whose libraries differ."""
        waiting: deque[tuple[Chunk, Any]] = deque()
        try:
            for chunk in chunks:
                waiting.append((chunk, self._remote(self.work, chunk)))
                if len(waiting) >= self.jobs * self.ahead:
                    yield self._result(*waiting[0])
                    waiting.popleft()
            while waiting:
                yield self._result(*waiting[0])
                waiting.popleft()
        finally:
            _cancel(answer for _, answer in waiting)

    def _result(self, chunk: Chunk, answer: Any) -> list[Row]:
        """The rows of a chunk, run again one by one where its worker or node was lost."""
        try:
            return _get(answer)
        except _Lost as lost:
            if len(chunk) == 1:
                return [self._again(chunk[0], self._remote(self.work, chunk), not lost.node, lost.node)]
            again = [(task, self._remote(self.work, (task,))) for task in chunk]
            try:
                return [self._again(task, answer) for task, answer in again]
            except BaseException:
                _cancel(answer for _, answer in again)
                raise

    def _again(self, task: Task, answer: Any, deaths: int = 0, moves: int = 0) -> Row:
        """One row by itself until it is done, or has lost its worker or its nodes too often."""
        while True:
            try:
                return _get(answer)[0]
            except _Lost as lost:
                deaths, moves = deaths + (not lost.node), moves + lost.node
                if deaths >= 2 or moves >= MOVES:
                    return rows.failed(task, "running", DIED if deaths >= 2 else MOVED)
                answer = self._remote(self.work, (task,))


class _Lost(Exception):
    """No answer will come: a worker died, or (`node`) the machine beneath it."""

    def __init__(self, node: bool) -> None:
        super().__init__()
        self.node = node


def _get(answer: Any) -> list[Row]:
    ray = library()
    lost = ray.exceptions
    try:
        theirs, found = ray.get(answer)
    except lost.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else error) from None
    except (lost.NodeDiedError, lost.LocalRayletDiedError, lost.ObjectLostError):
        raise _Lost(node=True) from None
    except lost.RayError:
        raise _Lost(node=False) from None
    refuse_differing(theirs)
    return found


def _rows(work: Work, chunk: Chunk) -> Answer:
    return versions(), [work(task) for task in chunk]


def _cancel(answers: Iterable[Any]) -> None:
    for answer in answers:
        library().cancel(answer, force=True)

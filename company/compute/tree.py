"""What all processes of one run hold together: memory, files that have no name any more, their number; from /proc.

Best effort: it is looked at every quarter of a second, and memory that nobody maps (a pipe's, a socket's) is not seen.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_PROCESSES = 128
KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes and processes of a run. `unnamed` are files that were removed and are still open: no folder shows them."""

    memory: int
    unnamed: int
    processes: int


def held(leader: int, keeper: int | None, parent: int | None, memory_limit: int) -> Held:
    """What the run of `leader` holds. Its orphans are below `keeper` (bwrap), or among the children of `parent`.

    Memory is an upper bound where it is below the limit, and what is shared is shared out where it is not.
    """
    pids = members(leader, keeper, parent)
    memory = sum(map(resident, pids))
    if memory > memory_limit:
        memory = sum(map(own, pids))
    files = {file[:2]: file[2] for pid in pids for file in unnamed_files(pid)}
    return Held(memory, sum(files.values()), len(pids))


def members(leader: int, keeper: int | None, parent: int | None) -> list[int]:
    """Every process of a run, at most a little more than MOST_PROCESSES of them."""
    roots = [leader]
    if keeper is not None:
        roots += children(keeper)
    elif parent is not None:
        roots += [pid for pid in children(parent) if pid != leader and session(pid) == leader]
    found: dict[int, None] = {}
    while roots and len(found) <= MOST_PROCESSES:
        pid = roots.pop()
        if pid not in found:
            found[pid] = None
            roots += children(pid)
    return list(found)


def children(pid: int) -> list[int]:
    """The children of all threads of a process; empty where the kernel does not list them."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def resident(pid: int) -> int:
    """Bytes of memory that a process has to itself or shares with those it was forked from."""
    return sum(_kilobytes(Path(f"/proc/{pid}/status"), ("RssAnon", "RssShmem"))) * KILOBYTE


def own(pid: int) -> int:
    """Bytes of its memory, each shared page divided among those who share it."""
    return sum(_kilobytes(Path(f"/proc/{pid}/smaps_rollup"), ("Pss_Anon", "Pss_Shmem"))) * KILOBYTE


def unnamed_files(pid: int) -> Iterator[tuple[int, int, int]]:
    """(device, inode, bytes on it) of every file that a process has open and that has no name; in memory, too."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                facts = entry.stat()
                if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
                    yield facts.st_dev, facts.st_ino, facts.st_blocks * 512


def _kilobytes(path: Path, names: Iterable[str]) -> list[int]:
    try:
        text = path.read_text()
    except OSError:  # it ended meanwhile
        return []
    return [int(value) for value in re.findall(rf"^(?:{'|'.join(names)}):\s+(\d+) kB", text, re.MULTILINE)]

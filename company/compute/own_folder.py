"""Temporary folders that do not outlive their owner: whoever comes next on a machine removes those of the killed.

An owner holds a lock on a file in its folder, as do the descriptors that it hands on. The kernel lets go of it when the
last of them is dead, however it died, and whatever container it was in; process ids could not say as much.
Not covered: an owner killed in the instant between making its folder and locking it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from company.compute.folder import remove

PREFIX = "loopworks-slot-"
LOCK = "lock"


class OwnFolder:
    """A new temporary folder, until `close` or its owner's death. Raises OSError."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = self.path / f".{LOCK}"
        self.lock_fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.lock_fd, fcntl.LOCK_EX)
        lock.rename(self.path / LOCK)  # so that nobody sees it before it is held

    def close(self) -> None:
        """Remove the folder and whatever is in it; nothing may be at work there."""
        with contextlib.suppress(OSError):
            _clear(self.path)
        os.close(self.lock_fd)


def sweep() -> None:
    """Remove the folders here whose owners, and all whom they started, are dead; other people's are left alone."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.lstat().st_uid == os.getuid() and not path.is_symlink():
                _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _clear(path)
    finally:
        os.close(lock)


def _clear(path: Path) -> None:
    """Remove a folder, its lock last: what an interruption leaves is found by the next."""
    for each in path.iterdir():
        if each.name != LOCK:
            remove(each)
    remove(path)

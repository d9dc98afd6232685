"""A run directory: where everything of one run lives, and the lock that keeps it to one engine at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
import time
from pathlib import Path

from company.compute.folder import remove

SQLITE = b"SQLite format 3\0"  # how every database begins
LOCK = "lock"
LOCK_PATIENCE_S = 5.0  # workers of a killed engine hold the lock for a moment longer than the engine


class DirectoryError(Exception):
    """The run directory cannot be used; the message is one line that says what to do."""


class RunDirectory:
    """`ledger.sqlite, chart.yaml, experiments/ID/, data/, report.html` under one path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger = path / "ledger.sqlite"
        self.chart = path / "chart.yaml"
        self.experiments = path / "experiments"
        self.data = path / "data"
        self.report = path / "report.html"
        self.code = path / "code.git"
        self._lock: int | None = None
        self._before: frozenset[str] | None = None  # what `create` found in it
        self._made: tuple[Path, ...] = ()  # the folders that `create` made, innermost first

    @property
    def lock_fd(self) -> int:
        """The open lock, for workers to hold too, so that nobody starts beside an orphaned one."""
        if self._lock is None:
            raise RuntimeError("the run directory is not locked")
        return self._lock

    def create(self) -> None:
        """Make the directory for a new run. Raises DirectoryError when it cannot be, or holds a run already.

        A run that was stopped before it was founded has recorded nothing, and is begun anew.
        """
        if self.ledger.exists() and not _is_unfounded(self.ledger):
            raise DirectoryError(
                f"{self.path}: already holds a run: continue it with loopworks run --resume {self.path},"
                " or choose another --out"
            )
        try:
            made = tuple(folder for folder in (self.path, *self.path.parents) if not folder.exists())
            before = frozenset(() if made else (path.name for path in self.path.iterdir()))
            self.experiments.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DirectoryError(_explain(self.path, error)) from error
        self._before, self._made = before, made

    def abandon(self) -> None:
        """Remove what was made since `create`, while this process has the lock, unless a run was founded meanwhile."""
        if self._before is None or not _is_unfounded(self.ledger):
            return
        with contextlib.suppress(OSError):
            for path in sorted(self.path.iterdir(), key=lambda path: path.name == LOCK):  # the lock last
                if path.name not in self._before:
                    remove(path)
            for folder in self._made:
                folder.rmdir()

    def need_run(self) -> None:
        """Raises DirectoryError where there is nothing to resume, and leaves what is there as it is.

        A run that somebody works on may not be founded yet: for `lock` to refuse.
        """
        if not self.ledger.is_file():
            raise DirectoryError(f"{self.path}: no run to resume here; name the directory of a run")
        if _is_unfounded(self.ledger) and not is_held(self.path):
            raise DirectoryError(f"{self.path}: the run stopped before it was founded: start it anew, with --out")

    def lock(self) -> None:
        """Take the directory for this process. Raises DirectoryError when another engine works in it."""
        try:
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise DirectoryError(_explain(self.path, error)) from error
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(self._lock).st_nlink:
                    return
                self.unlock()
                raise DirectoryError(f"{self.path}: the run that was begun here was given up: start again")
            except BlockingIOError:
                if time.monotonic() > deadline:
                    self.unlock()
                    raise DirectoryError(
                        f"{self.path}: another loopworks process works on this run: wait for it, or stop it with Ctrl-C"
                    ) from None
                time.sleep(0.05)

    def unlock(self) -> None:
        """Let go of the directory; the lock also dies with its holder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def is_held(directory: Path) -> bool:
    """Whether an engine works in this run directory now. The look takes microseconds, and engines outwait it."""
    try:
        lock = os.open(directory / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False


def _is_unfounded(ledger: Path) -> bool:
    """Whether a file is a ledger, or the beginning of one, that holds no event."""
    from company.opening import look

    try:
        with ledger.open("rb") as file:
            if file.read(len(SQLITE)) not in (b"", SQLITE):
                return False  # SQLite takes a few bytes of anything for an empty database
        with contextlib.closing(look(ledger)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            return not tables or ("event" in tables and not database.execute("SELECT 1 FROM event LIMIT 1").fetchall())
    except (sqlite3.Error, OSError):
        return False


def next_directory(parent: Path, company: str, project: str) -> Path:
    """A fresh name under `parent`: company-project-N."""
    taken = {path.name for path in parent.glob(f"{company}-{project}-*")} if parent.is_dir() else set()
    number = 1
    while f"{company}-{project}-{number}" in taken:
        number += 1
    return parent / f"{company}-{project}-{number}"


def _explain(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return f"{path}: the disk is full: free some space"
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"{path}: cannot be written: choose another directory with --out"
    return f"{path}: {error.strerror}: choose another directory with --out"

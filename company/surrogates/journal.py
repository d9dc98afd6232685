"""The journal of a recording under way: one JSON line for each training that ended, on the disk before the next one.

Survives: kill -9 and a power cut lose what was running; a torn last line is dropped. One process at a time writes.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from company.surrogates.design import Trial
from company.surrogates.recording import RecordingError, Row


class Journal:
    """Rows by (config hash, seed). `head` says what they belong to: another head is refused, never mixed in."""

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        """Open or begin the file and read what is there. Raises RecordingError in one line."""
        self.path, self.rows = path, dict[tuple[str, int], Row]()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise RecordingError(
                f"{path}: cannot be written ({error.strerror}): name another file with --out"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read(head)
        except BlockingIOError:
            self.close()
            raise RecordingError(f"{path}: another loopworks process is recording here: wait for it") from None
        except RecordingError:
            self.close()
            raise

    def add(self, trial: Trial, row: Row) -> None:
        """Write a row down. Raises OSError."""
        self.rows[trial.key] = row
        document = {name: getattr(row, name) for name in Row.__dataclass_fields__}
        self._write({**document, "key": trial.key[0], "config": dict(row.config)})

    def close(self) -> None:
        self._file.close()

    def _read(self, head: Mapping[str, Any]) -> None:
        self._file.seek(0)
        whole, end, _ = self._file.read().rpartition(b"\n")
        self._file.truncate(len(whole) + len(end))
        lines = whole.splitlines()
        try:
            then = json.loads(lines[0]) if lines else dict(head)
            for line in map(json.loads, lines[1:]):
                key = line.pop("key"), line["seed"]
                curve = line.pop("curve")
                self.rows[key] = Row(**line, curve=None if curve is None else tuple(curve))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecordingError(
                f"{self.path}: is no journal of a recording ({error}): remove it to begin anew"
            ) from None
        if changed := [name for name in {**head, **then} if then.get(name) != head.get(name)]:
            raise RecordingError(
                f"{self.path}: was begun with another {', '.join(changed)}: put it back as it was,"
                " remove the file to begin anew, or name another --out"
            )
        if not lines:
            self._write(head)

    def _write(self, document: Mapping[str, Any]) -> None:
        line = json.dumps(document, allow_nan=False).encode() + b"\n"
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file.fileno())

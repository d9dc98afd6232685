"""An engine in a process of its own: whatever becomes of who started it, it works on. Its lines go to a file.

Covered: the starter's Ctrl-C, its death, its closed terminal (a session of its own, no pipe, no terminal). Not covered:
a machine that ends every process of a person who logs out.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from company.compute.tail import read_end
from company.wording import plain

LOG = "engine.log"  # in the run directory
LOOK_S = 0.05


class DetachedError(Exception):
    """The engine did not begin; `said` are its own lines, `code` its exit code."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.said, self.code = said, code


class Detached:
    """The engine of one run directory, from `start` on."""

    def __init__(self, words: Sequence[str], directory: Path) -> None:
        """Start `loopworks WORDS`, which has to work in `directory`. Raises OSError where that cannot be written."""
        self.directory, self.log = directory, directory / LOG
        self._made = not directory.exists()
        directory.mkdir(parents=True, exist_ok=True)
        self._since = time.time()
        self._before = self.log.stat().st_size if self.log.exists() else None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "company", *words], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it works."""
        return self._process.poll()

    def works(self) -> bool:
        """Whether it has not ended."""
        return self.code is None

    def failure(self) -> str:
        """Why it ended, in one line; "" while it works and where all is well."""
        if self.code in (None, 0):
            return ""
        last = self._said().splitlines()[-1:] or [f"exit code {self.code}"]
        return f"The engine stopped: {plain(last[0], 160)} (all it said: {self.log})"

    def begin(self) -> None:
        """Wait until it has taken its run over. DetachedError where it ends before: nothing is left behind."""
        while self.works():
            if self._has_begun():
                return
            time.sleep(LOOK_S)
        if self.code and not self._has_begun():
            said = self._said()
            self._clear()
            raise DetachedError(said, self.code)

    def stop(self) -> int:
        """Ask it to stop in good order, as Ctrl-C does, and wait for it; returns its exit code."""
        if self.works():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGINT)
        return self._process.wait()

    def _has_begun(self) -> bool:
        """Whether a session was opened in its ledger since it was started."""
        uri = f"file:{quote(str((self.directory / 'ledger.sqlite').resolve()))}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=1.0)) as database:
                row = database.execute("SELECT max(opened) FROM session").fetchone()
        except sqlite3.Error:
            return False
        return row[0] is not None and row[0] >= self._since

    def _said(self) -> str:
        with suppress(OSError):
            new = self.log.stat().st_size - (self._before or 0)
            return read_end(self.log, max(0, min(new, 8192))).decode(errors="replace").strip() if new > 0 else ""
        return ""

    def _clear(self) -> None:
        """Leave the directory as it was found."""
        with suppress(OSError):
            if self._before is None:
                self.log.unlink()
            else:
                os.truncate(self.log, self._before)
            if self._made:
                self.directory.rmdir()

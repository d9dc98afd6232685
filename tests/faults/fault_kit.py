"""What the fault tests share: a real company on a project of milliseconds, disturbed and compared with one in peace."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from company.verifying import Verified, verify
from tests.support import kill_hard, loopworks, start, write_chart, write_project

PATIENCE_S = 120.0


class Company:
    """A run that something happens to, and the digest of the same run left in peace."""

    def __init__(self, folder: Path, *, slots: int = 2, experiments: int = 8, step: float = 0.005) -> None:
        write_project(folder / "tiny", step=step)
        write_chart(folder / "chart.yaml", brain="tpe", experiments=experiments)
        self.folder, self.slots = folder, slots
        self.peace = json.loads(self.command("whole").stdout)["digest"]
        self.seen: dict[int, str] = {}  # events -> digest, as it stood when something happened

    def words(self, out: str | Path) -> list[object]:
        return [
            "run", "chart.yaml", "--project", "tiny", "--slots", self.slots, "--deterministic", "--engine", "direct",
            "--json", "--out", out,
        ]  # fmt: skip

    def command(self, out: str | Path) -> subprocess.CompletedProcess[str]:
        done = loopworks(*self.words(out), cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done

    def begin(self, out: str | Path) -> subprocess.Popen[str]:
        return start(*self.words(out), cwd=self.folder)

    def go_on(self, out: str | Path) -> subprocess.Popen[str]:
        return start("run", "--resume", out, "--engine", "direct", "--json", cwd=self.folder)

    def kill(self, process: subprocess.Popen[str], out: str | Path, *, everything: bool = False) -> Verified | None:
        """kill -9, and what is recorded then; None where nothing was yet."""
        if everything:
            os.killpg(process.pid, signal.SIGKILL)
        kill_hard(process)
        return self.look(out)

    def look(self, out: str | Path) -> Verified | None:
        """The record is whole, and holds all that it ever held."""
        run = self.folder / out
        if not events(run):
            return None
        found = verify(run)
        assert found.whole, found.faults
        digests = [row["chain"] for row in rows(run, "SELECT chain FROM event ORDER BY seq")]
        for count, digest in self.seen.items():
            assert digests[count - 1] == digest, f"what was recorded up to event {count} is gone"
        self.seen[found.events] = found.digest
        return found

    def finish(self, out: str | Path) -> dict[str, Any]:
        """Let it go on until it closes; its history is that of the run in peace."""
        process = self.go_on(out)
        output, talk = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, talk
        return self.ended(output, out)

    def ended(self, output: str, out: str | Path) -> dict[str, Any]:
        found = json.loads(output)
        assert found["status"] == "closed" and found["digest"] == self.peace
        self.look(out)
        return found


def rows(run: Path, sql: str) -> list[sqlite3.Row]:
    """What a query on a run's ledger answers, at work or not; [] before there is one."""
    try:
        with closing(sqlite3.connect(f"file:{run / 'ledger.sqlite'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return database.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []


def events(run: Path) -> int:
    found = rows(run, "SELECT count(*) FROM event")
    return found[0][0] if found else 0


def until(ready: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """Wait for something that the process does; what `ready` returned then. Fails when it ends first."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := ready()):
        if process.poll() is not None:
            raise AssertionError(f"it ended first: {process.communicate()[1]}")
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)
    return found


def reached(run: Path, count: int) -> Callable[[], bool]:
    return lambda: events(run) >= count


def descendants(pid: int) -> list[int]:
    """All processes below one, the eldest first."""
    found: list[int] = []
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in child.read_text().split()]
        except OSError:
            continue
        for each in children:
            found += [each, *descendants(each)]
    return found

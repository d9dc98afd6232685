"""A run directory belongs to one engine at a time, and to nobody once that engine is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from report_kit import record

from company import directory
from company.directory import DirectoryError, RunDirectory, next_directory
from company.ledger import Ledger

HOLDER = """
import sys
from pathlib import Path
from company.directory import RunDirectory
RunDirectory(Path(sys.argv[1])).lock()
print("locked", flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "locked\n"
    return child


def test_a_directory_in_use_is_refused_and_a_killed_engine_frees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "LOCK_PATIENCE_S", 0.0)
    child = hold(tmp_path)
    mine = RunDirectory(tmp_path)
    try:
        with pytest.raises(DirectoryError, match="another loopworks process works on this run") as error:
            mine.lock()
        assert "\n" not in str(error.value)
        with pytest.raises(RuntimeError):
            _ = mine.lock_fd
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
    mine.lock()
    assert mine.lock_fd >= 0
    mine.unlock()


def test_a_lock_that_comes_free_in_time_is_taken(tmp_path: Path) -> None:
    child = hold(tmp_path)
    child.kill()  # not waited for: the lock goes with the process
    mine = RunDirectory(tmp_path)
    mine.lock()
    mine.unlock()
    child.communicate()


def test_a_directory_that_holds_a_run_is_not_founded_again(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    run.create()
    run.create()
    run.ledger.touch()
    run.create()  # stopped before anything was recorded
    run.ledger.write_text("something else")
    with pytest.raises(DirectoryError, match="--resume"):
        run.create()


def test_what_cannot_be_a_directory_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for run in (RunDirectory(tmp_path / "file"), RunDirectory(tmp_path / "file" / "run")):
        with pytest.raises(DirectoryError, match="--out") as error:
            run.create()
        assert "\n" not in str(error.value)
    with pytest.raises(DirectoryError):
        RunDirectory(tmp_path / "nowhere").lock()


def test_runs_are_numbered(tmp_path: Path) -> None:
    assert next_directory(tmp_path / "none", "startup", "digits").name == "startup-digits-1"
    (tmp_path / "startup-digits-1").mkdir()
    (tmp_path / "startup-digits-3").mkdir()
    assert next_directory(tmp_path, "startup", "digits").name == "startup-digits-2"
    assert next_directory(tmp_path, "startup", "byte_lm").name == "startup-byte_lm-1"


def test_a_run_that_was_given_up_before_its_founding_leaves_nothing_of_its_own(tmp_path: Path) -> None:
    for path, mine in ((tmp_path / "runs" / "one", ()), (tmp_path / "there", ("note.txt",))):
        for name in mine:
            path.mkdir()
            (path / name).touch()
        run = RunDirectory(path)
        run.create()
        run.lock()
        Ledger(run.ledger, write=True).close()
        (run.data / "deep").mkdir(parents=True)
        run.abandon()
        run.unlock()
        assert path.exists() == bool(mine) and [each.name for each in path.glob("*")] == list(mine)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_run_that_was_founded_or_that_is_gone_on_with_is_never_given_up(tmp_path: Path) -> None:
    founded, resumed = RunDirectory(tmp_path / "founded"), RunDirectory(tmp_path / "resumed")
    founded.create()
    record(founded.path, most=3)
    founded.abandon()
    assert founded.ledger.is_file()
    resumed.path.mkdir()
    Ledger(resumed.ledger, write=True).close()
    resumed.abandon()
    assert resumed.ledger.is_file()


def test_who_waited_for_a_run_that_was_given_up_is_told_to_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = RunDirectory(tmp_path / "run"), RunDirectory(tmp_path / "run")
    first.create()
    first.lock()
    Ledger(first.ledger, write=True).close()

    def meanwhile(seconds: float) -> None:
        first.abandon()
        first.unlock()

    monkeypatch.setattr(directory.time, "sleep", meanwhile)
    with pytest.raises(DirectoryError, match="given up: start again"):
        second.lock()
    assert not first.path.exists()

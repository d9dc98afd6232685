"""Disks that are full, read-only or damaged: one line, nothing recorded is lost, and history goes on as it was to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from fault_kit import PATIENCE_S, Company, events, reached, until

from company.anchor import read_anchor
from company.verifying import verify
from tests.support import loopworks

FRAME = 24  # bytes of a frame's header in a WAL, whose own header has 32


@contextmanager
def mounted(folder: Path, *how: str) -> Iterator[Path]:
    """A file system of its own for the time of a test; skips where none can be mounted."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a file system")
    if subprocess.run(["mount", *how, str(folder)], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """Take all the space that is left."""
    path = folder / "filler"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass
    return path


def test_a_disk_that_fills_up_stops_the_run_and_with_space_history_goes_on(company: Company, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=24m", "tmpfs") as disk:
        out = disk / "run"
        process = company.begin(out)
        until(reached(out, 40), process)
        filler = fill(disk)
        _, talk = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1, talk
        assert "disk is full" in talk and "Traceback" not in talk and len(talk.strip().splitlines()[-1]) < 400
        recorded = events(out)
        assert recorded >= 40
        filler.unlink()
        company.look(out)
        company.finish(out)
        assert events(out) > recorded


def test_a_finished_run_on_a_read_only_disk_is_read_and_refused_to_go_on(company: Company, tmp_path: Path) -> None:
    run = Path(shutil.copytree(company.folder / "whole", tmp_path / "run"))
    with mounted(run, "--bind", "-o", "ro", str(run)), suppress_remount(run):
        assert loopworks("verify", run, cwd=tmp_path).returncode == 0
        assert loopworks("report", run, "--format", "json", cwd=tmp_path).returncode == 0
        refused = loopworks("run", "--resume", run, cwd=tmp_path)
        assert refused.returncode == 1 and "cannot be written" in refused.stderr and "Traceback" not in refused.stderr


@contextmanager
def suppress_remount(run: Path) -> Iterator[None]:
    """Older kernels take the read-only bind in two steps."""
    subprocess.run(["mount", "-o", "remount,bind,ro", str(run)], capture_output=True, check=False)
    yield


def killed(company: Company, out: str, at: int) -> Path:
    """A run that was killed with events in its WAL alone."""
    process = company.begin(out)
    until(reached(company.folder / out, at), process)
    company.kill(process, out, everything=True)
    assert (company.folder / out / "ledger.sqlite-wal").stat().st_size > 0
    return company.folder / out


def test_a_killed_run_on_a_read_only_disk_is_read_to_its_last_event(company: Company, tmp_path: Path) -> None:
    run = killed(company, "killed-ro", 40)
    recorded = events(run)
    (run / "ledger.sqlite-shm").unlink()
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    with mounted(copy, "--bind", "-o", "ro", str(copy)), suppress_remount(copy):
        found = verify(copy)
        assert found.whole and found.events == recorded


@pytest.mark.parametrize("damage", ["last page", pytest.param("half gone", marks=pytest.mark.slow), "shared memory"])
def test_a_damaged_wal_costs_the_steps_in_it_and_never_history(company: Company, damage: str) -> None:
    run = killed(company, f"wal {damage}", 45)
    wal, recorded = run / "ledger.sqlite-wal", events(run)
    data = bytearray(wal.read_bytes())
    if damage == "last page":
        data[-2000:-1000] = np.random.default_rng(1).bytes(1000)
    elif damage == "half gone":
        del data[len(data) // 2 :]
    else:
        (run / "ledger.sqlite-shm").write_bytes(b"\xa5" * 32768)
    wal.write_bytes(data)
    company.seen.clear()  # what was in the damaged part of the WAL is gone
    left = company.look(run.name)
    assert left is None or 0 < left.events <= recorded
    assert damage != "shared memory" or (left is not None and left.events == recorded)
    company.seen.clear()
    company.finish(run.name) if left else company.ended(company.command(run.name).stdout, run.name)


def test_a_wal_that_lost_what_was_anchored_is_not_worked_on(company: Company) -> None:
    process = company.begin("anchored")
    run = company.folder / "anchored"
    until(reached(run, 30), process)
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    anchor = read_anchor(run / "ledger.sqlite")
    assert anchor is not None and anchor.events == events(run) >= 30
    early = killed(company, "early", 5)
    for path in early.glob("ledger.sqlite*"):
        shutil.copyfile(path, run / path.name)
    refused = loopworks("run", "--resume", run, "--engine", "direct", cwd=company.folder)
    assert refused.returncode == 1 and "restore it from a copy" in refused.stderr and "Traceback" not in refused.stderr
    assert loopworks("verify", run, cwd=company.folder).returncode == 1

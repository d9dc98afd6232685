"""`loopworks verify`: whatever is altered in a run's record is found and named, and what is whole is called whole."""

from __future__ import annotations

import fcntl
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_ledger import TAMPERINGS, tamper, work

from company import events as ev
from company.anchor import path_of, read_anchor
from company.commands.verify import verify as command
from company.ledger import Ledger, LedgerError
from company.verifying import Verified, verify
from tests.support import loopworks, write_chart, write_project

FACTS = {("event", "wall"), ("event", "measured")}  # of the machine: no part of history
TOLD = ("event", "agent", "experiment", "verdict", "appraisal", "chart_revision")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in virtual time, closed in good order, with an answered command."""
    folder = tmp_path_factory.mktemp("whole")
    work(folder / "ledger.sqlite")
    with closing(Ledger(folder / "ledger.sqlite", write=True)) as ledger:
        ledger.open_session("run", "1")
        number, state = ledger.send("pause", {}, "person"), ledger.fold()
        ledger.append([(state.now, ev.CommandAnswered(number, "pause", {}, "person", False, "it is over"))], state)
        ledger.close_session()
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def says(found: Verified) -> str:
    return "\n".join(f"{fault.place}: {fault.what}" for fault in found.faults)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_whole_record_is_whole_and_nothing_in_it_is_touched(run: Path) -> None:
    before = listing(run)
    found = verify(run)
    assert found.whole and not found.live, says(found)
    assert found.events == found.checked["events"] > 100 and found.checked["rows of projections"] > 20
    assert found.anchor is not None and (found.anchor.events, found.anchor.digest) == (found.events, found.digest)
    assert listing(run) == before


@pytest.mark.parametrize("how", TAMPERINGS)
def test_an_altered_event_is_named(run: Path, how: str) -> None:
    tamper(run / "ledger.sqlite", *TAMPERINGS[how])
    found = verify(run)
    first = found.faults[0]
    assert not found.whole and first.seq == {"altered": 1, "renumbered": found.events, "inserted": found.events}.get(
        how, 30
    )
    assert first.kind and (("missing" in first.what) is (how in ("renumbered", "deleted", "inserted")))


def test_an_altered_digest_is_told_from_an_altered_event(run: Path) -> None:
    tamper(run / "ledger.sqlite", "UPDATE event SET chain = replace(chain, substr(chain, 1, 1), 'x') WHERE seq = 40")
    assert "event 40: its stored digest was altered" in says(verify(run))


def columns(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as database:
        return [(t, row[1]) for t in TOLD for row in database.execute(f"PRAGMA table_info({t})")]


def test_one_altered_cell_anywhere_is_found(whole: Path, tmp_path: Path) -> None:
    for number, (table, column) in enumerate(columns(whole / "ledger.sqlite")):
        folder = Path(shutil.copytree(whole, tmp_path / str(number)))
        cell = f"CASE typeof({column}) WHEN 'text' THEN '\"other\"' ELSE coalesce({column}, 0) + 1000000 END"
        middle = f"(SELECT rowid FROM {table} LIMIT 1 OFFSET (SELECT count(*) FROM {table}) / 2)"
        tamper(folder / "ledger.sqlite", f"UPDATE {table} SET {column} = {cell} WHERE rowid = {middle}")
        found = verify(folder)
        assert found.whole is ((table, column) in FACTS), (table, column)
        if table not in ("event", "chart_revision"):
            assert found.faults[0].place.startswith(table), (table, column)


@pytest.mark.parametrize("table", TOLD[1:])
def test_a_row_that_is_gone_or_invented_is_found(run: Path, table: str) -> None:
    middle = f"(SELECT rowid FROM {table} LIMIT 1 OFFSET (SELECT count(*) FROM {table}) / 2)"
    tamper(run / "ledger.sqlite", f"DELETE FROM {table} WHERE rowid = {middle}")
    assert "is missing, and the events tell of it" in says(verify(run))


def test_a_command_that_was_never_answered_so_is_found(run: Path) -> None:
    tamper(run / "ledger.sqlite", "UPDATE command SET status = 'done'")
    assert "command 1: is marked 'done'" in says(verify(run))


def test_an_end_that_was_cut_off_is_found_by_the_anchor_alone(run: Path) -> None:
    path = run / "ledger.sqlite"
    work(run / "short.sqlite", 60)
    with closing(Ledger(run / "short.sqlite")) as short:
        events = short.seq
    assert verify_named(run, "short.sqlite").whole
    shutil.copyfile(run / "short.sqlite", path)
    assert f"holds {events} events, and the anchor says that it held" in says(verify(run))
    path_of(path).unlink()
    unanchored = verify(run)
    assert unanchored.whole and any("no anchor" in note for note in unanchored.notes)


def verify_named(run: Path, name: str) -> Verified:
    """The record of another ledger of the folder, in a folder of its own."""
    folder = run / "other"
    folder.mkdir()
    shutil.copyfile(run / name, folder / "ledger.sqlite")
    return verify(folder)


def test_nobody_goes_on_from_a_ledger_whose_end_is_gone(run: Path) -> None:
    path = run / "ledger.sqlite"
    work(run / "short.sqlite", 60)
    shutil.copyfile(run / "short.sqlite", path)
    with closing(Ledger(path, write=True)) as ledger, pytest.raises(LedgerError, match=r"delete that file to go on"):
        ledger.open_session("resume", "1")
    path_of(path).unlink()
    with closing(Ledger(path, write=True)) as ledger:
        ledger.open_session("resume", "1")


def test_a_digest_that_was_kept_is_held_against_the_ledger(run: Path) -> None:
    digest = verify(run).digest
    assert verify(run, digest).whole
    with closing(Ledger(run / "ledger.sqlite")) as ledger:
        early = ledger.tables()["event"][9]["chain"]
    earlier = verify(run, early)
    assert earlier.whole and any("events were recorded since" in note for note in earlier.notes)
    assert "another history" in says(verify(run, "0" * 64))


def test_an_anchor_that_is_none_is_a_fault(run: Path) -> None:
    for text in ("", "[" * 10_000, '{"events": -1, "digest": "", "wall": 0}', '{"events": 1}', "\x00\xff"):
        path_of(run / "ledger.sqlite").write_text(text)
        assert "cannot be read as an anchor" in says(verify(run)), text[:20]


def test_a_long_run_is_anchored_while_it_works(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    work(path)  # no session is closed
    anchor = read_anchor(path)
    assert anchor is not None and anchor.events >= 256
    assert verify(tmp_path).whole


def test_a_run_at_work_is_looked_at_without_being_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with (tmp_path / "lock").open("w") as lock, closing(Ledger(path, write=True)) as writer:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work(tmp_path / "other.sqlite", 30)
        with closing(Ledger(tmp_path / "other.sqlite")) as other:
            state = other.fold()
            writer.append([(r.at, r.event) for r in other.events()], state)
        found = verify(tmp_path)
        assert found.live and found.whole, says(found)
        writer.append([(state.now, ev.DigestSent("ada", None, "still here"))], state)
    assert verify(tmp_path).events == found.events + 1


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = b"\xa5" * 3000
    path.write_bytes(data)


BROKEN: dict[str, tuple[Callable[[Path], object], int]] = {
    "no ledger": (lambda path: path.unlink(), 2),
    "a damaged page": (damaged, 1),
    "cut in half": (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), 1),
    "an altered event": (lambda path: tamper(path, "UPDATE event SET at = at + 1 WHERE seq = 30"), 1),
    "whole": (lambda path: None, 0),
}


@pytest.mark.parametrize("how", BROKEN)
def test_the_command_ends_with_0_1_or_2_and_never_with_a_traceback(run: Path, how: str) -> None:
    breaks, code = BROKEN[how]
    breaks(run / "ledger.sqlite")
    done = CliRunner().invoke(command, [str(run)])
    assert done.exit_code == code and "Traceback" not in done.output, done.output
    found = CliRunner().invoke(command, [str(run), "--json"])
    if code == 0 or how == "an altered event":
        told = json.loads(found.stdout)
        assert told["whole"] is (code == 0) and set(told["faults"][0] if code else {}) <= {
            "place",
            "what",
            "seq",
            "kind",
        }


def test_half_a_digest_is_refused(run: Path) -> None:
    done = CliRunner().invoke(command, [str(run), "--expect", "abc"])
    assert done.exit_code == 2 and "64 hex digits" in done.output


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a real project, with its files."""
    folder = tmp_path_factory.mktemp("real")
    write_project(folder / "tiny")
    write_chart(folder / "chart.yaml")
    done = loopworks("run", "chart.yaml", "--project", "tiny", "--slots", "1", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


ALTERED = {
    "experiments/e0002/config.json": '{"mode": "fine", "size": 1, "x": 0.7}',
    "experiments/e0002/result.json": '{"metric": 0.001, "seed": 1, "steps": 20}',
    "experiments/e0002/train.py": "print('no training')",
    "data/data.json": '{"sha256": "other"}',
}


def test_the_files_of_a_real_run_are_held_against_its_record(real: Path, tmp_path: Path) -> None:
    before = listing(real)
    found = verify(real)
    assert found.whole and found.checked["files"] > 10 and found.checked["hashes of the project"] == 2, says(found)
    assert not [note for note in found.notes if "gone" in note or "no folder" in note]
    assert listing(real) == before
    for name, text in ALTERED.items():
        folder = Path(shutil.copytree(real, tmp_path / name.replace("/", "_")))
        (folder / name).write_text(text)
        assert f"{name}: " in says(verify(folder)), name


def test_what_is_gone_is_no_fault(real: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(real, tmp_path / "out"))
    shutil.rmtree(folder / "experiments")
    shutil.rmtree(folder / "data")
    found = verify(folder)
    assert found.whole and any("have no folder here" in note for note in found.notes)

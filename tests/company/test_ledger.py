"""The ledger: whole steps or nothing, honest about damage, one clear line for whatever is wrong with the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from core_kit import digest_of, eventful_chart, moody, rough_project, rough_trainer
from sqlmodel import Session, select

from company import events as ev
from company.engine import Engine, Step
from company.ledger import Ledger, LedgerError
from company.state import State
from company.tables import SCHEMA_VERSION, AgentRow, AppraisalRow, ChartRevisionRow, ExperimentRow, VerdictRow
from company.testing import Rehearsal


def work(path: Path, most: int = 10**6, seed: int = 33) -> tuple[list[Step], State]:
    """Found a company and record its steps."""
    ledger = Ledger(path, write=True)
    rehearsal = Rehearsal(Engine(rough_project()), rough_trainer(), moody)
    step: Step | None = rehearsal.follow(rehearsal.engine.found(eventful_chart(), seed, 2))
    steps: list[Step] = []
    while step is not None and len(steps) < most:
        ledger.append(step.events, rehearsal.engine.state)
        steps.append(step)
        step = rehearsal.advance()
    ledger.close()
    return steps, rehearsal.engine.state


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "ledger.sqlite"
    work(path)
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    with sqlite3.connect(whole) as source, sqlite3.connect(tmp_path / "ledger.sqlite") as target:
        source.backup(target)
    return tmp_path / "ledger.sqlite"


def tamper(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
    connection.close()


def line(action: Callable[[], object]) -> str:
    """The one line that a person is shown when an action is refused."""
    with pytest.raises(LedgerError) as error:
        action()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_digest_is_that_of_the_events(tmp_path: Path) -> None:
    steps, _ = work(tmp_path / "ledger.sqlite", 40)
    with_one = Ledger(tmp_path / "ledger.sqlite")
    assert with_one.digest == digest_of(steps)
    assert with_one.verify() == sum(len(step.events) for step in steps) == with_one.seq
    assert [(r.at, r.event) for r in with_one.events()] == [pair for step in steps for pair in step.events]
    assert [r.seq for r in with_one.events(after=7)] == list(range(8, with_one.seq + 1))


def rows(path: Path, table: type) -> list:
    ledger = Ledger(path)
    with Session(ledger._database) as session:
        return list(session.exec(select(table)).all())


@pytest.mark.parametrize("steps", [1, 40, 70, 10**6])
def test_the_projections_are_the_state(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "ledger.sqlite"
    work(path, steps)
    state = Ledger(path).fold()
    agents = {row.id: row for row in rows(path, AgentRow)}
    assert agents.keys() == state.agents.keys()
    for name, agent in state.agents.items():
        row = agents[name]
        assert (row.position, row.role, row.brain, row.status) == (
            agent.position, agent.role, agent.brain.kind, agent.status,
        )  # fmt: skip
        last = agent.appraised
        assert row.experiments == agent.experiments
        assert (row.worth, row.low, row.high) == ((last.worth, last.low, last.high) if last else (0.0, 0.0, 0.0))
    experiments = {row.id: row for row in rows(path, ExperimentRow)}
    assert experiments.keys() == state.experiments.keys()
    for name, experiment in state.experiments.items():
        row = experiments[name]
        for field in (
            "purpose", "status", "proposer", "position", "parent", "hash", "seed", "steps", "cost", "metric",
            "predicted", "failure", "detail", "verdict", "standing", "attempt", "created_at", "started_at",
            "finished_at",
        ):  # fmt: skip
            assert getattr(row, field) == getattr(experiment, field), (name, field)
        assert row.config == dict(experiment.config)
    recorded = [r.event for r in Ledger(path).events()]
    assert len(rows(path, VerdictRow)) == sum(isinstance(event, ev.VerdictGiven) for event in recorded)
    assert len(rows(path, AppraisalRow)) == sum(isinstance(event, ev.AgentAppraised) for event in recorded)
    charts = [event for event in recorded if isinstance(event, (ev.RunFounded, ev.ChartRevised))]
    assert [row.chart for row in rows(path, ChartRevisionRow)] == [event.chart for event in charts]


TAMPERINGS = {
    "altered": ["UPDATE event SET payload = replace(payload, 'committee', 'commitee') WHERE seq = 1"],
    "moved in time": ["UPDATE event SET at = at + 1 WHERE seq = 30"],
    "renamed": ["UPDATE event SET kind = 'AgentCoached' WHERE seq = 30"],
    "renumbered": ["UPDATE event SET seq = 100000 WHERE seq = (SELECT max(seq) FROM event)"],
    "deleted": ["DELETE FROM event WHERE seq = 30"],
    "deleted and renumbered": ["DELETE FROM event WHERE seq = 30", "UPDATE event SET seq = seq - 1 WHERE seq > 30"],
    "swapped": [
        "UPDATE event SET seq = -1 WHERE seq = 30",
        "UPDATE event SET seq = 30 WHERE seq = 31",
        "UPDATE event SET seq = 31 WHERE seq = -1",
    ],
    "inserted": ["INSERT INTO event SELECT 100000, at, wall, kind, actor, payload, measured, chain FROM event LIMIT 1"],
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_an_event_that_was_tampered_with_is_found(copy: Path, how: str) -> None:
    assert Ledger(copy).verify() > 100
    tamper(copy, *TAMPERINGS[how])
    assert "altered after it was recorded" in line(Ledger(copy).verify)


def test_facts_of_the_machine_are_no_part_of_the_digest(copy: Path) -> None:
    tamper(copy, "UPDATE event SET wall = wall + 100, measured = '{}'")
    assert Ledger(copy).verify() > 100


def test_an_event_that_cannot_be_read_is_named(copy: Path) -> None:
    tamper(copy, "UPDATE event SET kind = 'Sabotage' WHERE seq = 9")
    told = line(lambda: list(Ledger(copy).events()))
    assert "event 9" in told and "Sabotage" in told and "upgrade" in told
    tamper(copy, "UPDATE event SET kind = 'AgentHired', payload = '{' WHERE seq = 9")
    assert "event 9" in line(lambda: list(Ledger(copy).events()))


def test_events_that_do_not_follow_are_named(copy: Path) -> None:
    tamper(copy, "DELETE FROM event WHERE kind = 'ExperimentCreated' AND seq < 30")
    assert "does not follow" in line(Ledger(copy).fold)


def test_a_ledger_of_a_newer_version_is_refused(copy: Path) -> None:
    tamper(copy, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for write in (False, True):
        told = line(lambda write=write: Ledger(copy, write=write))
        assert "newer Loopworks" in told and "pip install -U loopworks" in told


def test_what_is_no_ledger_is_refused_in_one_line(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("hello " * 1000)
    (tmp_path / "directory").mkdir()
    foreign = sqlite3.connect(tmp_path / "foreign")
    foreign.execute("CREATE TABLE cats (name)")
    foreign.execute("PRAGMA user_version = 1")
    foreign.commit()
    foreign.close()
    cut = copy.read_bytes()
    (tmp_path / "cut").write_bytes(cut[:5000])
    for name in ("missing", "empty", "text", "directory", "foreign"):
        assert str(tmp_path / name) in line(lambda name=name: Ledger(tmp_path / name)), name
    for name in ("text", "directory", "foreign"):
        assert str(tmp_path / name) in line(lambda name=name: Ledger(tmp_path / name, write=True)), name
    assert "damaged" in line(lambda: list(Ledger(tmp_path / "cut").events()))
    with sqlite3.connect(tmp_path / "foreign") as untouched:
        assert untouched.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


def test_a_foreign_database_of_no_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE cats (name)")
    assert "not a Loopworks ledger" in line(lambda: Ledger(tmp_path / "other", write=True))


def test_a_reader_reads_while_a_writer_writes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path, write=True)
    rehearsal = Rehearsal(Engine(rough_project()), rough_trainer(), moody)
    step = rehearsal.follow(rehearsal.engine.found(eventful_chart(), 33, 2))
    ledger.append(step.events, rehearsal.engine.state)
    reader = Ledger(path)
    halfway = reader.events()
    assert next(halfway).seq == 1
    step = rehearsal.advance()
    assert step is not None
    ledger.append(step.events, rehearsal.engine.state)
    assert len(list(halfway)) + 1 == reader.seq  # what it saw when it asked
    assert len(list(reader.events())) == ledger.seq > reader.seq
    with pytest.raises(LedgerError, match="cannot be written"):
        reader.append(step.events, rehearsal.engine.state)
    ledger.close()


def test_of_two_writers_one_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    work(path, 5)
    one, other = Ledger(path, write=True), Ledger(path, write=True)
    state = one.fold()
    one.append([(state.now, ev.DigestSent("ada", None, "first"))], state)
    line(lambda: other.append([(state.now, ev.DigestSent("ada", None, "second"))], state))
    assert Ledger(path).verify() == one.seq
    assert list(Ledger(path).events())[-1].event == ev.DigestSent("ada", None, "first")


def test_what_is_not_a_number_in_the_measurements_keeps_nothing_from_being_recorded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    work(path, 5)
    ledger = Ledger(path, write=True)
    state = ledger.fold()
    nasty = {"seconds": float("nan"), "log": "a\x00b\ud800", "deep": {"loss": [float("inf"), 1.5]}}
    ledger.append([(state.now, ev.DecisionMade("d1", "ada", "plan", [], "", nasty))], state)
    row = ledger.start_attempt("e0001", 1, 0)
    ledger.end_attempt(row, "ok", "a\x00b\ud800\n" + "x" * 10_000, nasty)
    assert ledger.verify() == ledger.seq
    kept = list(ledger.events())[-1].event
    assert isinstance(kept, ev.DecisionMade) and kept.measured["deep"]["loss"][1] == 1.5
    assert ledger.attempts()[-1].outcome == "ok"
    ledger.close()


def test_a_step_that_cannot_be_stored_leaves_no_part_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    work(path, 5)
    ledger = Ledger(path, write=True)
    before, state = ledger.seq, ledger.fold()
    bad = [(state.now, ev.DigestSent("ada", None, "fine")), (state.now, ev.NoiseMeasured(float("nan"), 1.0, 2))]
    with pytest.raises(ValueError, match="JSON"):
        ledger.append(bad, state)
    assert ledger.seq == before == Ledger(path).verify()
    ledger.append(bad[:1], state)
    assert Ledger(path).verify() == before + 1


def test_a_curve_is_kept_and_a_repetition_replaces_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite", write=True)
    ledger.add_metrics("e0001", [(1, 3.0), (2, 2.0), (5, 1.0)])
    ledger.add_metrics("e0002", [(1, 9.0)])
    ledger.add_metrics("e0001", [(1, 3.5), (1, 3.25)])
    ledger.add_metrics("e0003", [])
    assert ledger.curve("e0001") == [(1, 3.25)] and ledger.curve("e0002") == [(1, 9.0)] and ledger.curve("e9") == []


def test_sessions_say_who_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Ledger(path, write=True)
    first.open_session("run", "1")
    first.close()  # as if killed: the session was not closed
    second = Ledger(path, write=True)
    second.open_session("resume", "1")
    second.close_session()
    (_, killed), (_, closed) = second.sessions()
    assert killed is None and closed is not None


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import company.ledger as ledger
from test_ledger import work

fatal, write_step = int(sys.argv[3]), ledger.write_step
calls = 0

def deadly(*args):
    global calls
    calls += 1
    write_step(*args)
    if calls == fatal:
        os.kill(os.getpid(), signal.SIGKILL) if fatal % 2 else os._exit(9)

ledger.write_step = deadly
work(Path(sys.argv[2]))
"""


def test_a_kill_in_the_middle_of_a_step_leaves_the_steps_before_it(tmp_path: Path) -> None:
    steps, _ = work(tmp_path / "ledger.sqlite")
    deaths = {fatal: tmp_path / f"{fatal}.sqlite" for fatal in (1, 38)}
    children = {
        fatal: subprocess.Popen([sys.executable, "-c", KILLED, str(Path(__file__).parent), str(path), str(fatal)])
        for fatal, path in deaths.items()
    }
    for fatal, path in deaths.items():
        assert children[fatal].wait(60) in (-signal.SIGKILL, 9)
        ledger = Ledger(path)
        assert ledger.digest == digest_of(steps[: fatal - 1])
        assert ledger.verify() == ledger.seq == sum(len(step.events) for step in steps[: fatal - 1])
        state = ledger.fold()
        assert {row.id for row in rows(path, ExperimentRow)} == set(state.experiments)
        assert {row.id: row.status for row in rows(path, AgentRow)} == {a.id: a.status for a in state.agents.values()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_said_in_one_line_and_nothing_recorded_is_lost(small_disk: Path) -> None:
    path = small_disk / "ledger.sqlite"
    ledger = Ledger(path, write=True)
    rehearsal = Rehearsal(Engine(rough_project()), rough_trainer(), moody)
    step: Step | None = rehearsal.follow(rehearsal.engine.found(eventful_chart(), 33, 2))
    steps: list[Step] = []
    with pytest.raises(LedgerError, match="the disk is full: free some space and resume") as error:
        while step is not None:
            ledger.append(step.events, rehearsal.engine.state)
            steps.append(step)
            step = rehearsal.advance()
    assert "\n" not in str(error.value) and steps
    ledger.close()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    again = Ledger(path, write=True)
    assert again.digest == digest_of(steps) and again.verify() == again.seq
    resumed = Rehearsal(Engine(rough_project(), again.fold()), rough_trainer(), moody)
    while (after := resumed.advance()) is not None:
        again.append(after.events, resumed.engine.state)
    assert again.verify() == resumed.engine.state.seq and resumed.engine.state.phase == "closed"
    again.close()

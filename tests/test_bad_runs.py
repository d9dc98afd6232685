"""What a person or a script gets wrong: one clear line or a recorded failure, and the ledger whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from company.ledger import Ledger
from tests.support import MODES, kill_hard, loopworks, start, write_chart, write_project


def refused(words: list[object], cwd: Path, *parts: str, code: int = 2) -> None:
    """The command ends with `code` and lines that hold `parts`, and never with a traceback."""
    done = loopworks("run", *words, cwd=cwd)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr
    assert len(done.stderr.splitlines()) <= 4, done.stderr


BAD_CHARTS = {
    "unknown role": ("positions: [{id: a, role: reseacher}]", "did you mean 'researcher'?"),
    "cycle": (
        "positions:\n- {id: r, role: manager}\n- {id: a, role: manager, reports_to: b}\n"
        "- {id: b, role: manager, reports_to: a}\n- {id: c, role: researcher, reports_to: a}",
        "a -> b -> a",
    ),
    "two roots": ("positions: [{id: a, role: researcher}, {id: b, role: researcher}]", "root"),
    "empty file": ("", "empty"),
    "wrong types": ("positions: 7", "positions"),
    "tabs": ("positions:\n\t- {id: a, role: researcher}", "tab"),
}


@pytest.mark.parametrize("name", BAD_CHARTS)
def test_a_bad_chart_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    text, part = BAD_CHARTS[name]
    (tmp_path / "bad.yaml").write_text(f"company: x\n{text}\n" if text else "")
    refused(["bad.yaml"], tmp_path, "bad.yaml:", part)
    assert not (tmp_path / "runs").exists()


WRONG = {
    "run --memory nothing": "nothing/ledger.sqlite: no ledger here; name the directory of a run",
    "run --memory begun": "not a Loopworks ledger",
    "run --resume nothing": "name the directory of a run",
    "run --resume garbage": "restore it from a copy",
    "run --resume text": "name the directory of a run",
    "run --resume below/text/nothing": "name the directory of a run",
    "run --resume begun": "stopped before it was founded",
    "run --resume stopped": "stopped before it was founded",
    "run --resume foreign": "not a Loopworks ledger",
    "run --out foreign": "choose another --out",
    "run --playback nothing": "nothing to play back",
    "run --offline --playback begun": "give one of them",
    "run --sandbox silly": "'strict', 'standard'",
    "run --device silly": "'auto', 'cpu', 'cuda'",
    "run --project text": "shipped are",
    "run --talent binary": "is not UTF-8 text",
    "run binary": "is not UTF-8 text",
    "run text": "a chart is a mapping",
    "run empty": "is not a file",
    "verify nothing": "no ledger here",
    "verify text": "no ledger here",
    "verify empty --expect 00": "64 hex digits",
    "replay": "Missing argument 'DIR'",
    "replay nothing": "no ledger here",
    "replay garbage": "restore it from a copy",
    "replay empty 999": "no batch here",
    "tui nothing": "report DIR",
    "batch nosuch": "Shipped:",
    "batch startup --set nosuch=1": "is not a setting",
    "batch startup --seeds 0": "not in the range",
    "batch startup --out text/below": "choose another directory with --out",
    "report nothing": "no ledger here",
    "report garbage": "restore it from a copy",
    "compare nosuch": "Shipped:",
    "command nothing pause": "no ledger here",
    "command begun pause": "not a Loopworks ledger",
    "command garbage pause": "restore it from a copy",
    "command begun nosuch": "No such command",
    "project import-table binary": "binary: is not a readable Parquet file",
    "project import-table nothing.parquet": "does not exist",
    "project record nosuch": "shipped are",
    "org nosuch": "No such command",
    "nosuch": "loopworks --help lists the commands",
    "doctor --nosuch": "No such option",
}
FAILS = (
    "run --memory begun", "run --resume garbage", "run --resume begun", "run --resume stopped", "run --resume foreign",
    "run --out foreign", "replay garbage",
)  # 1: what is named is there, and of no use  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what can be named by mistake."""
    folder = tmp_path_factory.mktemp("desk")
    for name, content in (("garbage", b"SQLite format 3\0" + bytes(range(256)) * 99), ("begun", b""), ("empty", None)):
        (folder / name).mkdir()
        if content is not None:
            (folder / name / "ledger.sqlite").write_bytes(content)
    (folder / "foreign").mkdir()
    with closing(sqlite3.connect(folder / "foreign" / "ledger.sqlite")) as database:
        database.execute("CREATE TABLE book (title TEXT)")
        database.commit()
    (folder / "stopped").mkdir()
    Ledger(folder / "stopped" / "ledger.sqlite", write=True).close()
    (folder / "text").write_text("hello")
    (folder / "binary").write_bytes(bytes(range(256)) * 9)
    return folder


@pytest.mark.parametrize("words", WRONG)
def test_wrong_input_is_one_line_and_nothing_is_written(words: str, desk: Path) -> None:
    before = contents(desk)
    done = loopworks(*words.split(), cwd=desk)
    assert done.returncode == (1 if words in FAILS else 2)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stderr
    assert WRONG[words] in done.stderr and "Traceback" not in done.stderr
    assert contents(desk) == before


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies below a folder: files with what they hold, and folders."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def test_a_missing_project_names_the_nearest(tmp_path: Path) -> None:
    refused(["--project", "digit"], tmp_path, "digits")


def test_a_missing_chart_names_the_nearest(tmp_path: Path) -> None:
    refused(["startupp"], tmp_path, "startup")


def test_a_project_without_a_metric_is_refused(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "tiny")
    text = (folder / "project.yaml").read_text()
    (folder / "project.yaml").write_text("\n".join(line for line in text.splitlines() if "metric" not in line))
    refused(["--project", "tiny"], tmp_path, "metric")


def test_options_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    refused(["--experiments", "3", "--budget", "2m"], tmp_path, "--budget")
    refused(["--budget", "soon"], tmp_path, "90s, 10m or 2h")


def test_resuming_nothing_says_so(tmp_path: Path) -> None:
    refused(["--resume", "nowhere"], tmp_path, "name the directory of a run")


def test_a_directory_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ledger.sqlite").write_text("x")
    refused(["--project", "digits", "--out", "out"], tmp_path, "--resume", code=1)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(["--project", "digits", "--out", "file/run"], tmp_path, "--out", code=1)


def test_a_read_only_directory_is_refused(tmp_path: Path) -> None:
    with mounted(tmp_path / "ro", "size=1m,ro") as folder:
        refused(["--project", "digits", "--out", folder / "run"], tmp_path, "cannot be written", code=1)


def test_every_way_a_script_can_fail_is_a_recorded_experiment(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny", modes=MODES, seconds=1.5)
    write_chart(tmp_path / "chart.yaml", experiments=36, watch="never")
    done = loopworks(
        "run", "chart.yaml", "--project", "tiny", "--out", "out", "--slots", "2", "--deterministic", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr
    found = json.loads(done.stdout)
    failures = {e.failure for e in Ledger(tmp_path / "out" / "ledger.sqlite").fold().experiments.values()}
    assert failures >= {"crash", "timeout", "out_of_memory", "diverged", "bad_output"}
    assert found["experiments"]["failed"] >= 5
    assert found["experiments"]["total"] == sum(
        found["experiments"][kind] for kind in ("ok", "failed", "stopped", "refused")
    )


def test_a_baseline_that_fails_closes_the_run_with_one_line(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny", baseline_mode="raise")
    done = loopworks("run", "solo", "--project", "tiny", "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("loopworks: the company could not work: the baseline failed (crash) in e0001: RuntimeError")
    assert last.endswith("; out/experiments/e0001/log.txt holds what it said")
    assert (tmp_path / "out" / "report.html").exists()


def test_a_run_that_cannot_be_founded_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    project = write_project(tmp_path / "tiny")
    evaluator = (project / "evaluate.py").read_text()
    (project / "evaluate.py").write_text(evaluator.replace("prepare(args.folder)", "raise SystemExit(3)"))
    done = loopworks("run", "solo", "--project", "tiny", "--slots", "1", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "'tiny' cannot prepare its data" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_interrupting_says_how_to_go_on_and_going_on_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny", step=0.01)
    write_chart(tmp_path / "chart.yaml")
    words = ["run", "chart.yaml", "--project", "tiny", "--slots", "1"]
    undisturbed = json.loads(loopworks(*words, "--out", "whole", "--json", cwd=tmp_path).stdout)
    process = start(*words, "--out", "out", cwd=tmp_path)
    wait_for_events(tmp_path / "out", 30)
    os.killpg(process.pid, signal.SIGINT)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume out" in talk
    assert "Traceback" not in talk
    resumed = json.loads(loopworks("run", "--resume", "out", "--json", cwd=tmp_path).stdout)
    assert resumed["digest"] == undisturbed["digest"]


@pytest.mark.slow  # tests/faults/test_kills.py is the quick one
def test_killed_hard_and_resumed_the_history_is_that_of_an_undisturbed_run(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, [25, 60, 110])


@pytest.mark.slow
def test_ten_kills_leave_the_history_of_an_undisturbed_run(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, [5, 18, 31, 44, 57, 70, 83, 96, 109, 122], slots=2)


def kill_and_resume(folder: Path, marks: list[int], slots: int = 1) -> None:
    """Kill the engine -9 each time its ledger has reached a mark, resume, and compare with a run left in peace."""
    write_project(folder / "tiny", step=0.01)
    write_chart(folder / "chart.yaml", brain="tpe")
    words = ["run", "chart.yaml", "--project", "tiny", "--slots", slots, "--deterministic"]
    undisturbed = json.loads(loopworks(*words, "--out", "whole", "--json", cwd=folder).stdout)
    process = start(*words, "--out", "out", cwd=folder)
    for mark in marks:
        wait_for_events(folder / "out", mark)
        kill_hard(process)
        process = start("run", "--resume", "out", "--json", cwd=folder)
    output, talk = process.communicate(timeout=120)
    assert process.returncode == 0, talk
    assert json.loads(output)["digest"] == undisturbed["digest"]
    state = Ledger(folder / "out" / "ledger.sqlite").fold()
    assert json.loads(output)["experiments"] == undisturbed["experiments"]
    assert len(state.experiments) == len({e.id for e in state.experiments.values()})


def test_a_second_process_on_the_same_run_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny", step=0.05)
    write_chart(tmp_path / "chart.yaml")
    process = start("run", "chart.yaml", "--project", "tiny", "--slots", "1", "--out", "out", cwd=tmp_path)
    wait_for_events(tmp_path / "out", 12)
    refused(["--resume", "out"], tmp_path, "another loopworks process", code=1)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_a_full_disk_stops_the_run_with_one_line_and_space_lets_it_go_on(tmp_path: Path) -> None:
    write_project(tmp_path / "tiny")
    write_chart(tmp_path / "chart.yaml", experiments=30)
    with mounted(tmp_path / "small", "size=1m") as folder:
        done = loopworks(
            "run", "chart.yaml", "--project", "tiny", "--slots", "1", "--out", folder / "run", cwd=tmp_path
        )
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert "disk is full" in done.stderr
        subprocess.run(["mount", "-o", "remount,size=200m", folder], check=True)
        resumed = loopworks("run", "--resume", folder / "run", "--json", cwd=tmp_path)
        assert resumed.returncode == 0, resumed.stderr
        assert json.loads(resumed.stdout)["status"] == "closed"


class mounted:
    """A small file system of its own for the time of a test; skips where one cannot be mounted."""

    def __init__(self, folder: Path, options: str) -> None:
        self.folder, self.options = folder, options

    def __enter__(self) -> Path:
        self.folder.mkdir()
        if not shutil.which("mount") or os.geteuid() != 0:
            pytest.skip("only root can mount a small file system")
        command = ["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", str(self.folder)]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("this machine does not let us mount a file system")
        return self.folder

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


def wait_for_events(folder: Path, count: int, timeout: float = 60) -> None:
    """Wait until a ledger holds `count` events, or the run has closed."""
    import sqlite3
    import time

    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            with sqlite3.connect(f"file:{folder / 'ledger.sqlite'}?mode=ro", uri=True) as database:
                row = database.execute("SELECT max(seq), max(kind = 'RunClosed') FROM event").fetchone()
            if row[1] or (row[0] or 0) >= count:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.01)
    raise AssertionError(f"{folder}: no {count} events within {timeout} s")

"""`loopworks run --tui`: two processes, one terminal; what becomes of the engine is asked and said."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from company.commands.run import run as run_command
from company.commands.run_tui import words_of
from company.detached import LOG, Detached, DetachedError
from company.directory import is_held
from tests.support import command, loopworks, write_chart, write_project
from tui.one_core import NICE


class Terminal:
    """A command in a terminal of 100x30. `seen` is all that it wrote."""

    def __init__(self, *words: object, cwd: Path) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            command(*words), cwd=cwd, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)
        self.seen = ""

    def until(self, holds: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.seen[-3000:]
            if select.select([self.master], [], [], 0.1)[0]:
                with suppress(OSError):
                    self.seen += os.read(self.master, 65536).decode(errors="replace")

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        self.until(lambda: self.process.poll() is not None)
        self.until(lambda: not select.select([self.master], [], [], 0.2)[0] or not self._more())
        return self.process.returncode

    def _more(self) -> bool:
        with suppress(OSError):
            text = os.read(self.master, 65536).decode(errors="replace")
            self.seen += text
            return bool(text)
        return False


@contextmanager
def company_at_work(tmp_path: Path, experiments: int = 400) -> Iterator[tuple[Terminal, Path]]:
    """A slow company with its dashboard, and its run directory; ended at last, whatever happens."""
    project = write_project(tmp_path / "tiny", step=0.02, seconds=10.0)
    chart = write_chart(tmp_path / "small.yaml", experiments=experiments)
    run = tmp_path / "run"
    terminal = Terminal(
        "run", chart, "--project", project, "--out", run, "--slots", "1", "--engine", "direct", "--tui", cwd=tmp_path
    )
    try:
        terminal.until(lambda: "organisation" in terminal.seen)
        yield terminal, run
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()
        if is_held(run):
            for each in engines(run):
                os.kill(each, signal.SIGINT)
            end = time.monotonic() + 30
            while is_held(run) and time.monotonic() < end:
                time.sleep(0.05)
        os.close(terminal.master)


def engines(run: Path) -> list[int]:
    """The engines of a run directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if f"--out={run}" in words and "--tui" not in words:
                found.append(int(path.parent.name))
    return found


def test_left_alone_the_company_works_on(tmp_path: Path) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with company_at_work(tmp_path) as (terminal, run):
        assert os.getpriority(os.PRIO_PROCESS, terminal.process.pid) == max(NICE, own)  # the engine goes first
        terminal.press("q")
        terminal.until(lambda: "leave the company at work" in terminal.seen)
        terminal.press("l")
        assert terminal.ended() == 0
        assert "the company works on (process" in terminal.seen and f"loopworks tui {run}" in terminal.seen
        assert is_held(run) and engines(run)
        assert [os.getpriority(os.PRIO_PROCESS, engine) for engine in engines(run)] == [own]
        assert "small is founded" in (run / LOG).read_text()


def test_ctrl_c_asks_and_can_stop_it_cleanly(tmp_path: Path) -> None:
    with company_at_work(tmp_path) as (terminal, run):
        terminal.press("\x03")
        terminal.until(lambda: "stop it cleanly" in terminal.seen)
        terminal.press("s")
        assert terminal.ended() == 130
        assert not is_held(run) and not engines(run)
        assert f"go on with: loopworks run --resume {run} --tui" in terminal.seen
        assert "go on with: loopworks run --resume" in (run / LOG).read_text()


def test_a_killed_dashboard_does_nothing_to_the_company(tmp_path: Path) -> None:
    with company_at_work(tmp_path) as (terminal, run):
        os.killpg(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
        size = (run / LOG).stat().st_size
        end = time.monotonic() + 30
        while (run / LOG).stat().st_size == size:
            assert time.monotonic() < end and is_held(run)
            time.sleep(0.05)


def test_a_company_that_cannot_begin_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    terminal = Terminal("run", "nosuch", "--out", "run", "--tui", cwd=tmp_path)
    assert terminal.ended() == 2
    assert "nosuch: no such chart" in terminal.seen and "organisation" not in terminal.seen
    assert not (tmp_path / "run").exists()
    os.close(terminal.master)


def test_a_log_that_was_there_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text("before\n")
    engine = Detached(["run", "nosuch", f"--out={tmp_path}"], tmp_path)
    with pytest.raises(DetachedError, match="no such chart"):
        engine.begin()
    assert (tmp_path / LOG).read_text() == "before\n"


def test_without_a_terminal_there_are_plain_lines(tmp_path: Path) -> None:
    project = write_project(tmp_path / "tiny")
    chart = write_chart(tmp_path / "small.yaml", experiments=2)
    words = ["run", chart, "--project", project, "--out", "run", "--slots", "1", "--engine", "direct", "--tui"]
    done = loopworks(*words, cwd=tmp_path)
    assert done.returncode == 0 and "small is founded" in done.stderr and "\x1b" not in done.stderr
    assert not (tmp_path / "run" / LOG).exists()


@pytest.mark.parametrize("other", ["--json", "--plain"])
def test_showing_and_printing_are_two_things(other: str) -> None:
    found = CliRunner().invoke(run_command, ["--tui", other])
    assert found.exit_code == 2 and "give one of them" in found.stderr


def test_the_engine_is_called_with_the_same_values() -> None:
    said = ["mine.yaml", "--project", "digits", "--budget", "10m", "--seed", "7", "--deterministic", "--slots", "2"]
    context = run_command.make_context("run", [*said, "--tui", "--out", "x"])
    words = words_of(context, ("dashboard", "out"))
    assert words[-2:] == ["--", "mine.yaml"] and not any(re.match("--(tui|out|debug|json)", word) for word in words)
    again: click.Context = run_command.make_context("run", [*words])
    assert {**again.params, "out": None, "dashboard": None} == {**context.params, "out": None, "dashboard": None}

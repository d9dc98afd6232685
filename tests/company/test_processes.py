"""Work spread over processes comes back whole, and an error in one piece ends the rest."""

from __future__ import annotations

import math
import os
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from company.processes import as_done, cores, interrupts_later


@pytest.mark.parametrize("processes", [1, 2])
def test_every_piece_comes_back_with_its_index(processes: int) -> None:
    assert dict(as_done(math.sqrt, [4.0, 9.0, 16.0], processes)) == {0: 2.0, 1: 3.0, 2: 4.0}


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_here(processes: int) -> None:
    with pytest.raises(ValueError, match="math domain"):
        list(as_done(math.sqrt, [4.0, -1.0, 9.0], processes))


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    before, after = signal.signal(signal.SIGINT, signal.default_int_handler), False
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_later():
            signal.raise_signal(signal.SIGINT)
            after = True
        assert after and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1


PARENT = """
import os, signal, time
from company.processes import as_done

def hold(n):
    os.write(1, b"at work\\n")  # at once: two write to one pipe
    time.sleep(300)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may have been told to ignore it
    list(as_done(hold, [0, 1], 2))
"""


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(kind: signal.Signals, tmp_path: Path) -> None:
    """Workers hold the standard output open: it ends when the last of them is gone."""
    (tmp_path / "parent.py").write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with Popen([sys.executable, "parent.py"], cwd=tmp_path, env=environment, stdout=PIPE, stderr=DEVNULL) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline() for _ in range(2)] == [b"at work\n", b"at work\n"]
        parent.send_signal(kind)
        parent.communicate(timeout=60)
    assert parent.returncode == -kind

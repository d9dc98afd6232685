"""What the dashboard costs: a writer process, 200 agents, and the dashboard in a terminal of its own.

    python benchmarks/tui.py [--agents 200] [--rate 4] [--seconds 20]

Prints the time to the first screen, the share of one core while following and while idle, the memory at the start and
at the end, and the time from a key to the screen.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from company.chart import OrgChart
from company.engine import Engine
from company.ledger import Ledger
from company.testing import Rehearsal, planted_project, planted_trainer

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024.0


def big_chart(agents: int) -> OrgChart:
    """A director over leads with nine researchers each, an engineer and a reviewer."""
    teams = max(1, (agents - 3) // 10)
    positions = [
        {"id": "root", "role": "manager"},
        {"id": "eng", "role": "engineer", "reports_to": "root"},
        {"id": "rev", "role": "reviewer", "reports_to": "root"},
    ]
    for team in range(teams):
        positions.append({"id": f"lead{team}", "role": "manager", "reports_to": "root"})
        positions += [
            {"id": f"r{team}_{n}", "role": "researcher", "reports_to": f"lead{team}", "brain": "random"}
            for n in range(9)
        ]
    return OrgChart.from_dict({"company": "big", "budget": {"experiments": 100_000}, "positions": positions})


def write(folder: Path, agents: int, rate: float, events: int, seconds: float) -> None:
    """A company that records `rate` steps a second, after `events` events as fast as they come."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    ledger = Ledger(folder / "ledger.sqlite", write=True)
    ledger.open_session("run", "benchmark")
    engine = Engine(planted_project())
    work = Rehearsal(engine, planted_trainer())
    step = work.follow(engine.found(big_chart(agents), 0, 8))
    pending = []
    while step is not None and engine.state.seq < events:
        pending += step.events
        step = work.advance()
    ledger.append(pending, engine.state)
    (folder / "ready").touch()
    end = time.monotonic() + seconds
    while step is not None and time.monotonic() < end:
        if step.events:
            ledger.append(step.events, engine.state)
        step = work.advance()
        time.sleep(1 / rate)


class Terminal:
    """The dashboard on a pseudo-terminal, 120 columns by 40 rows."""

    def __init__(self, run: Path) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-m", "company", "tui", str(run)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, until: bytes = b"", seconds: float = 10.0) -> float:
        """Read until something is on the screen, or nothing comes any more; returns how long that took."""
        start, seen = time.monotonic(), b""
        while time.monotonic() - start < seconds:
            if not select.select([self.fd], [], [], 0.05 if not until else 0.5)[0]:
                if not until:
                    break
                continue
            seen += os.read(self.fd, 65536)
            if until and until in seen:
                break
        return time.monotonic() - start

    def type(self, key: str) -> None:
        os.write(self.fd, key.encode())

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / MIB

    def spend(self, seconds: float) -> float:
        """The share of one core over a while."""
        stop = threading.Event()
        reader = threading.Thread(target=self._drain, args=(stop,))
        reader.start()
        before, start = self.cpu(), time.monotonic()
        time.sleep(seconds)
        used = (self.cpu() - before) / (time.monotonic() - start)
        stop.set()
        reader.join()
        return used

    def _drain(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.read(seconds=0.2)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)


def measure(agents: int, rate: float, seconds: float, events: int) -> dict[str, float]:
    """The figures of one dashboard."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        arguments = [sys.executable, __file__, "--write", str(run), "--agents", str(agents), "--rate", str(rate)]
        writer = subprocess.Popen([*arguments, "--events", str(events), "--seconds", str(4 * seconds + 60)])
        try:
            while not (run / "ready").exists():
                time.sleep(0.1)
            terminal = Terminal(run)
            found = {"first_screen_s": terminal.read(b"organisation", 30)}
            terminal.spend(3)
            found["memory_start_mib"] = terminal.memory()
            found["following_core"] = terminal.spend(seconds)
            found["memory_end_mib"] = terminal.memory()
            found.update(keys(terminal))
            writer.kill()
            writer.wait()
            terminal.spend(3)
            found["idle_core"] = terminal.spend(seconds / 2)
            terminal.close()
        finally:
            writer.kill()
    return found


def keys(terminal: Terminal) -> dict[str, float]:
    """From a key to the screen, in milliseconds: the cursor up and down the chart."""
    times = []
    for index in range(60):
        terminal.read(seconds=0.3)
        start = time.monotonic()
        terminal.type("j" if index % 2 else "k" if index > 1 else "j")
        select.select([terminal.fd], [], [], 1.0)
        times.append(1000 * (time.monotonic() - start))
    times.sort()
    return {"key_median_ms": statistics.median(times), "key_p95_ms": times[int(0.95 * len(times))]}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0, help="steps a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--events", type=int, default=5_000, help="recorded before the dashboard starts")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        write(args.write, args.agents, args.rate, args.events, args.seconds)
        return
    print(json.dumps({k: round(v, 3) for k, v in measure(args.agents, args.rate, args.seconds, args.events).items()}))


if __name__ == "__main__":
    main()

"""What the dashboard costs, in a terminal of its own beside companies that other processes write.

    python -m benchmarks.tui follow [--agents 200] [--rate 4] [--seconds 20]   a company at work: CPU, memory, keys
    python -m benchmarks.tui hour [--agents 200]         an hour of it, replayed fast: what becomes of the memory
    python -m benchmarks.tui open [--events 1000000] [--ledger DIR]   a finished company of so many events
    python -m benchmarks.tui beside [--pairs 10] [--keys]   what two dashboards cost the engine that they look at

Each prints its figures as a line of JSON. CPU is processor time, which other work on the machine hardly changes; times
until something is on the screen are the clock's, and `load` says what else the machine did.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import math
import os
import pty
import random
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tui_companies import work_through, write_ledger, write_steadily
from tui.source import Source

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024.0
HOUR = 4 * 3600  # steps
PACE = 50.0  # steps a second of an engine that is looked at
BLOCK_S, CATCH_UP_S = 4.0, 2.2  # a block, and what precedes it
LEFT_S = 12.0  # without a key, after which a dashboard has come to rest
SELF = (sys.executable, "-m", "benchmarks.tui")


class Terminal:
    """The dashboard on a pseudo-terminal, 120 columns by 40 rows."""

    def __init__(self, run: Path) -> None:
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, "-m", "company", "tui", str(run)])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def wait_for(self, *words: bytes, seconds: float = 60.0) -> float:
        """Read until all of these were written to the screen; returns the seconds since the start."""
        end, seen = time.monotonic() + seconds, b""
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.5)[0]:
                seen += os.read(self.fd, 65536)
                if all(word in seen for word in words):
                    return time.monotonic() - self.started
        raise TimeoutError(f"{words} did not come up within {seconds} s")

    def settle(self, seconds: float = 0.3) -> None:
        """Read until nothing comes for a moment, `seconds` at most."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and select.select([self.fd], [], [], 0.05)[0]:
            os.read(self.fd, 65536)

    def key(self, key: str) -> float:
        """Milliseconds from a key to what it changes on the screen."""
        self.settle()
        start = time.monotonic()
        os.write(self.fd, key.encode())
        select.select([self.fd], [], [], 2.0)
        return 1000 * (time.monotonic() - start)

    def cpu(self) -> float:
        """Processor seconds so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """Resident MiB."""
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
            self.settle(0.2)
            time.sleep(0.01)

    def close(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def writer(run: Path, agents: int, rate: float, events: int, seconds: float) -> subprocess.Popen[bytes]:
    """A process that writes a company, once it has begun."""
    words = ["--agents", str(agents), "--rate", str(rate), "--events", str(events), "--seconds", str(seconds)]
    process = subprocess.Popen([*SELF, "write", "--ledger", str(run), *words])
    while not (run / "ready").exists():
        time.sleep(0.1)
    return process


def leave_open(terminals: Sequence[Terminal], seconds: float, pressed: bool = False) -> None:
    """Take what dashboards write, for a while; `pressed`: with a key a second in each."""
    end, key_at, keys = time.monotonic() + seconds, time.monotonic(), 0
    while time.monotonic() < end:
        if pressed and time.monotonic() >= key_at:
            key_at, keys = key_at + 1.0, keys + 1
            for terminal in terminals:
                os.write(terminal.fd, b"jk"[keys % 2 : keys % 2 + 1])
        for fd in select.select([terminal.fd for terminal in terminals], [], [], 0.1)[0]:
            os.read(fd, 65536)


def core(terminals: Sequence[Terminal], seconds: float, pressed: bool = False) -> float:
    """The share of one core that dashboards take together over a while."""
    used = sum(terminal.cpu() for terminal in terminals)
    leave_open(terminals, seconds, pressed)
    return (sum(terminal.cpu() for terminal in terminals) - used) / seconds


def follow(run: Path, agents: int, rate: float, seconds: float, events: int) -> dict[str, float]:
    """A company at work, as it is followed with keys pressed and without; then when nobody works any more."""
    process = writer(run, agents, rate, events, 4 * seconds + 120)
    try:
        terminal = Terminal(run)
        found = {"first_screen_s": terminal.wait_for(b"organisation", b"live")}
        terminal.spend(3)
        found["memory_start_mib"] = terminal.memory()
        found["used_core"] = core([terminal], seconds, pressed=True)
        found["memory_end_mib"] = terminal.memory()
        found |= keys(terminal)
        leave_open([terminal], LEFT_S)
        found["open_core"] = core([terminal], seconds)
        process.kill()
        process.wait()
        terminal.spend(3)
        found["idle_core"] = terminal.spend(seconds / 2)
        terminal.close()
    finally:
        process.kill()
    return found


def keys(terminal: Terminal, presses: int = 100) -> dict[str, float]:
    """From a key to the screen: the cursor up and down the chart."""
    times = sorted(terminal.key("j" if index % 2 else "k" if index > 1 else "j") for index in range(presses))
    return {"key_median_ms": statistics.median(times), "key_p95_ms": times[int(0.95 * len(times))]}


def hour(run: Path, agents: int) -> dict[str, float]:
    """The memory of a dashboard at each quarter of an hour of company events, which take minutes."""
    process = writer(run, agents, 200.0, 1_000, HOUR / 200 + 600)
    terminal = Terminal(run)
    terminal.wait_for(b"organisation")
    found: dict[str, float] = {}
    try:
        for quarter in range(5):
            while steps(run) < quarter * HOUR / 4 and process.poll() is None:
                leave_open([terminal], 1.0, pressed=True)
            found[f"memory_{15 * quarter}_min_mib"] = terminal.memory()
        found["events"] = recorded(run)
        terminal.close()
    finally:
        process.kill()
    return found


def steps(run: Path) -> int:
    """How many steps a writer has written."""
    text = (run / "ready").read_text()
    return int(text) if text else 0


def recorded(run: Path) -> int:
    """How many events a ledger has."""
    source = Source(run)
    try:
        return source.last()
    finally:
        source.close()


def opening(run: Path, events: int) -> dict[str, float]:
    """From the command to the first screen, and until all of a ledger is read; keys meanwhile and after."""
    if not run.exists():
        write_ledger(run, 13, events)
    terminal = Terminal(run)
    found = {"first_screen_s": terminal.wait_for(b"organisation", b"root", b"the company closes")}
    found |= {f"reading_{name}": value for name, value in keys(terminal, 30).items()}
    found |= {"read_s": terminal.wait_for(b"finished", seconds=600), "cpu_s": terminal.cpu()}
    terminal.spend(3)
    found |= {"memory_mib": terminal.memory(), **keys(terminal, 30)}
    terminal.close()
    return found


def beside(run: Path, pairs: int, pressed: bool) -> dict[str, float]:
    """How much longer an engine's steps take with two dashboards that follow it, than while these are held still.

    Blocks of a few seconds with and without, in pairs in random order within one run; 95 % intervals. `pressed`: in
    each dashboard a key is pressed every second, otherwise both have been left open.
    """
    chance, blocks = random.Random(0), []
    seconds = 2 * pairs * (BLOCK_S + CATCH_UP_S) + LEFT_S + 20
    engine = subprocess.Popen([*SELF, "work", "--ledger", str(run), "--seconds", str(seconds)], stdout=subprocess.PIPE)
    while not (run / "ready").exists():
        time.sleep(0.05)
    terminals = [Terminal(run) for _ in range(2)]
    for terminal in terminals:
        terminal.wait_for(b"organisation", b"live")
    leave_open(terminals, LEFT_S, pressed)
    shares = []
    for _ in range(pairs):
        for followed in chance.sample((True, False), 2):
            for terminal in terminals:
                os.kill(terminal.pid, signal.SIGCONT if followed else signal.SIGSTOP)
            begins = time.monotonic() + CATCH_UP_S
            share = core(terminals, BLOCK_S + CATCH_UP_S, pressed and followed)
            shares += [share] if followed else []
            blocks.append((followed, begins, time.monotonic()))
    for terminal in terminals:
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.close()
    steps = json.loads(engine.communicate()[0])
    both = {"both_core": statistics.mean(shares)}
    return {**both, **slower("clock", steps, blocks, 1), **slower("cpu", steps, blocks, 2)}


def slower(name: str, steps: list[list[Any]], blocks: list[tuple[bool, float, float]], of: int) -> dict[str, float]:
    """The mean ratio of steps with to steps without, less one, and its interval (Student's t on logarithms).

    Steps are compared with those of the same kinds of events: what a step has to do varies more than anything else.
    """
    from scipy.stats import t

    kinds: dict[str, list[float]] = {}
    for step in steps:
        kinds.setdefault(step[3], []).append(math.log(step[of]))
    usual = {kind: statistics.mean(found) for kind, found in kinds.items()}
    took = [
        statistics.mean(math.log(step[of]) - usual[step[3]] for step in steps if begin <= step[0] < end)
        for _, begin, end in blocks
    ]
    pairs = zip(blocks[::2], took[::2], took[1::2], strict=True)
    ratios = [first - second if block[0] else second - first for block, first, second in pairs]
    mean, n = statistics.mean(ratios), len(ratios)
    half = float(t.ppf(0.975, n - 1)) * statistics.stdev(ratios) / math.sqrt(n)
    return {name: math.expm1(mean), f"{name}_low": math.expm1(mean - half), f"{name}_high": math.expm1(mean + half)}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("follow", "hour", "open", "beside", "write", "work"))
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0, help="steps a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--events", type=int, help="recorded before the dashboard starts")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--keys", action="store_true", help="press a key every second")
    parser.add_argument("--ledger", type=Path, help="the run directory; made where there is none, and kept")
    args = parser.parse_args()
    if args.what == "write":
        write_steadily(args.ledger, args.agents, args.rate, args.events, args.seconds)
        return
    if args.what == "work":
        print(json.dumps(list(work_through(args.ledger, args.seconds, PACE))))
        return
    with tempfile.TemporaryDirectory() as folder:
        run = args.ledger or Path(folder) / "run"
        found = {
            "follow": lambda: follow(run, args.agents, args.rate, args.seconds, args.events or 5_000),
            "hour": lambda: hour(run, args.agents),
            "open": lambda: opening(run, args.events or 1_000_000),
            "beside": lambda: beside(run, args.pairs, args.keys),
        }[args.what]()
    print(
        json.dumps({"load": round(os.getloadavg()[0], 1), **{name: round(value, 3) for name, value in found.items()}})
    )


if __name__ == "__main__":
    main()

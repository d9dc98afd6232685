"""Measure what a training step costs, for each shape of model: the table that turns seconds of budget into steps.

Every run is a fork of this process, which has torch loaded if train.py uses it, and its metrics.jsonl is a named pipe:
steps are timed from outside, as their lines arrive, and train.py needs no clock of its own. What counts is processor
time where the system tells it (on an idle core the same as the wall clock): other work only takes turns with the run.
It can still slow the run down, through caches and clock speed, but never speed it up: a cost is the mean within a
round, and the least of the rounds.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import platform
import runpy
import select
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from projects.predictor import preload
from projects.spec import Config, Project
from projects.trial import PACKAGES, TrialError, prepare, score_arguments, train_arguments

VERSION = 1
STEPS = 50  # a run reports every 2 % of its steps: of 50, every one
MOST_STEPS = 20_000
ROUNDS = 2
WATCH = 0.08  # seconds of steps to see in a round
LONG = 0.15  # a step of so many seconds averages out what a second round would
FACTOR_ROUNDS, FACTOR_WATCH = 3, 0.25
WORTH_A_FACTOR = 0.05  # relative difference under which a choice costs the same
GIVE_UP = 120.0  # seconds without a line

Progress = Callable[[int, int, str], None]  # (done, of, what)


def calibrate(project: Project, progress: Progress = lambda done, of, what: None) -> dict[str, Any]:
    """The content of costs.json for this machine and project. Raises TrialError when a run does not work."""
    preload(project.folder / "train.py")
    with tempfile.TemporaryDirectory(prefix="loopworks-calibrate-") as name:
        folder = Path(name)
        prepare(project, folder / "data")
        return _Calibration(project, folder, progress).table()


def machine() -> str:
    """The processor and the versions that a cost depends on; no host name."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    try:
        from importlib.metadata import version

        framework = f", torch {version('torch')}"
    except ModuleNotFoundError:
        framework = ""
    return f"one core of {os.cpu_count()}, {model}, Python {platform.python_version()}{framework}"


class _Calibration:
    def __init__(self, project: Project, folder: Path, progress: Progress) -> None:
        self.project, self.folder, self.progress = project, folder, progress
        shapes = [parameter for parameter in project.space.parameters if parameter.shape]
        self.keys = tuple(parameter.name for parameter in shapes)
        # A micro batch only divides a step, so the parameter that it divides says nothing of the model to evaluate.
        self.evaluation_keys = tuple(key for key in self.keys if key != project.micro_batch)
        self.grids = {parameter.name: parameter.grid for parameter in shapes}
        self.others = [p for p in project.space.parameters if not p.shape and p.kind == "choice"]
        self.rounds = 0
        self.done = 0
        self.of = ROUNDS * self.size(self.keys) + self.size(self.evaluation_keys)
        self.of += FACTOR_ROUNDS * sum(len(parameter.values) for parameter in self.others)

    def size(self, keys: tuple[str, ...]) -> int:
        return len(list(self.configs(keys)))

    def configs(self, keys: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every combination of the shape parameters `keys` in the baseline, with its key in the table."""
        for values in itertools.product(*(self.grids[key] for key in keys)):
            yield "/".join(map(str, values)), {**self.project.baseline, **dict(zip(keys, values, strict=True))}

    def table(self) -> dict[str, Any]:
        base = self.base()
        factors = self.factors()
        evaluation, overhead = self.evaluation(base)
        return {
            "version": VERSION,
            "machine": machine(),
            "keys": self.keys,
            "overhead": _rounded(overhead),
            "factors": factors,
            "evaluation_keys": self.evaluation_keys,
            "evaluation": evaluation,
            "base": {key: _rounded(seconds) for key, seconds in base.items()},
        }

    def base(self) -> dict[str, float]:
        """Seconds of a step by shape."""
        least: dict[str, float] = {}
        for _ in range(ROUNDS):
            for key, config in self.configs(self.keys):
                self.tell(f"step of {key}")
                if least.get(key, 0.0) < LONG:
                    least[key] = min(self.step(config, WATCH), least.get(key, float("inf")))
        return least

    def factors(self) -> dict[str, dict[str, float]]:
        """What each other choice multiplies a step by, one at a time from the baseline; 1 is left out."""
        found: dict[str, dict[str, float]] = {}
        for parameter in self.others:
            least = dict.fromkeys(map(str, parameter.values), float("inf"))
            for _, value in itertools.product(range(FACTOR_ROUNDS), parameter.values):
                self.tell(f"{parameter.name}={value}")
                seconds = self.step({**self.project.baseline, parameter.name: value}, FACTOR_WATCH)
                least[str(value)] = min(seconds, least[str(value)])
            usual = least[str(self.project.baseline[parameter.name])]
            ratios = {value: round(seconds / usual, 3) for value, seconds in least.items()}
            if any(abs(ratio - 1) > WORTH_A_FACTOR for ratio in ratios.values()):
                found[parameter.name] = ratios
        return found

    def evaluation(self, base: Mapping[str, float]) -> tuple[dict[str, float], float]:
        """Seconds of an evaluation by shape, and what a run of one step costs beside that step."""
        seconds, beside = {}, []
        for key, config in self.configs(self.evaluation_keys):
            self.tell(f"evaluation of {key or 'the baseline'}")
            out = self.folder / f"model-{len(seconds)}"
            arguments = train_arguments(config, self.folder / "data", out, 0, 1)
            step = base["/".join(str(config[name]) for name in self.keys)]
            beside.append(max(0.0, self.timed("train.py", arguments) - step))
            scoring = score_arguments(self.project, self.folder / "data", out, "validation")
            seconds[key] = _rounded(self.timed("evaluate.py", scoring))
        return seconds, statistics.median(beside)

    def tell(self, what: str) -> None:
        self.progress(self.done, self.of, what)
        self.done += 1

    def step(self, config: Config, watch: float) -> float:
        """Seconds of a step, mean over steps that fill `watch` seconds (at least one after the first)."""
        steps = STEPS
        while True:
            seen = self.watched(config, steps, watch)
            if not seen:
                raise TrialError(f"train.py wrote no line of metrics.jsonl with {json.dumps(dict(config))}")
            timed = [pair for pair in seen if pair[0] < steps]  # the last one's time may hold the writing of the model
            (first, start), (last, end) = (timed or seen)[0], (timed or seen)[-1]
            if end - start > watch / 2 or (steps >= MOST_STEPS and last > first):
                return (end - start) / (last - first)
            if seen[-1][0] < steps or steps >= MOST_STEPS:
                raise TrialError(f"train.py ended after step {seen[-1][0]} of {steps} with {json.dumps(dict(config))}")
            steps = min(MOST_STEPS, int(steps * max(2.0, 2 * watch / max(end - start, 0.001))))

    def watched(self, config: Config, steps: int, watch: float) -> list[tuple[int, float]]:
        """(step, seconds used) at each line of a run, which is ended when they span `watch` seconds."""
        out = self.folder / f"run-{self.rounds}"
        self.rounds += 1
        out.mkdir()
        os.mkfifo(out / "metrics.jsonl")
        lines = os.open(out / "metrics.jsonl", os.O_RDONLY | os.O_NONBLOCK)
        child = _fork(self.project.folder / "train.py", train_arguments(config, self.folder / "data", out, 0, steps))
        try:
            seen = list(_arrivals(child, lines, watch))
        finally:
            os.close(lines)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        return seen

    def timed(self, script: str, arguments: list[str]) -> float:
        """Processor seconds of a whole script that must succeed, those of its own children included."""
        _, status, usage = os.wait4(_fork(self.project.folder / script, arguments), 0)
        if status:
            raise TrialError(f"{script} {' '.join(arguments)} failed: run it by hand to see why")
        return usage.ru_utime + usage.ru_stime


def _arrivals(child: int, lines: int, watch: float) -> Iterator[tuple[int, float]]:
    """(step, seconds used) at each line that comes through the pipe, until they span `watch` or the run ends."""
    poll, rest, first = select.poll(), b"", None
    poll.register(lines, select.POLLIN)
    started = time.perf_counter()
    last = 0
    now = 0.0
    while first is None or last < 2 or now - first < watch:
        if not poll.poll(1000) and time.perf_counter() - started > GIVE_UP:
            return
        now = _used(child)
        try:
            chunk = os.read(lines, 1 << 16)
        except BlockingIOError:
            continue
        if not chunk:  # nobody has it open: before the run opens it, and after it ends
            if first is not None or os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.001)
            continue
        *whole, rest = (rest + chunk).split(b"\n")
        if whole:
            last = int(json.loads(whole[-1])["step"])
            first = now if first is None else first
            yield last, now


def _used(child: int) -> float:
    """Processor seconds that a child has used; the wall clock where the system does not say."""
    try:
        return time.clock_gettime((~child << 3) | 2)  # what clock_getcpuclockid(3) gives on Linux
    except OSError:
        return time.perf_counter()


def _fork(script: Path, arguments: list[str]) -> int:
    """Start a script in a fork of this process, silent; returns its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nowhere, standard)
        sys.argv = [str(script), *arguments]
        sys.path[0:0] = [str(script.parent), str(PACKAGES)]
        runpy.run_path(str(script), run_name="__main__")
        status = 0
    except SystemExit as end:
        status = 0 if end.code in (None, 0) else 1
    finally:
        os._exit(status)


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.3g}")

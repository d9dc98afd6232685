"""Following `metrics.jsonl` while a run writes it: bounded, and never trusting what the run left there.

Covered: links, pipes and devices in its place, endless lines, garbage, deep nesting, not-a-number, steps that go back.
Not covered: a run that reports losses it never had; only the sealed evaluation decides anything.
"""

from __future__ import annotations

import json
import math
import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType

LINE_BYTES = 4096
TICK_BYTES = 256 * 1024
FILE_BYTES = 16 * 1024 * 1024  # what follows is not read: a run of a million steps fits
CURVE_POINTS = 256
HUGE = 1e100  # no loss is as large, and what is drawn or squared of a larger one is no number any more


@dataclass(slots=True)
class Curve:
    """Training losses by step, thinned evenly by the order of arrival alone, so that it repeats exactly."""

    points: list[tuple[int, float]] = field(default_factory=list)
    last: tuple[int, float] | None = None
    _stride: int = 1
    _seen: int = 0

    def add(self, step: int, loss: float) -> None:
        self.last = (step, loss)
        if self._seen % self._stride == 0:
            self.points.append(self.last)
            if len(self.points) > CURVE_POINTS:
                self.points = self.points[::2]
                self._stride *= 2
        self._seen += 1

    def whole(self) -> tuple[tuple[int, float], ...]:
        """The points that were kept, and always the last."""
        ending = [self.last] if self.last and self.last not in self.points[-1:] else []
        return (*self.points, *ending)


@dataclass(slots=True)
class MetricsTail:
    """Reads new lines of a metrics file of a run of `steps` steps.

    `nonfinite` is the step of the first loss that was no number; nothing after it counts. `skipped` counts lines that
    say nothing. `first_ns` is when the file was last written at the moment its first line was seen (Unix, ns).
    """

    path: Path
    steps: int
    curve: Curve = field(default_factory=Curve)
    nonfinite: int | None = None
    skipped: int = 0
    first_ns: int | None = None
    at_end: bool = False  # nothing more to read for now
    _descriptor: int | None = None
    _read: int = 0
    _rest: bytes = b""

    def poll(self) -> list[tuple[int, float]]:
        """New (step, loss) points, at most TICK_BYTES of them; empty when there is nothing new."""
        data = self._bytes()
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_BYTES:
            self._rest = self._rest[: LINE_BYTES + 1]  # still too long when its end comes
        return [point for line in lines if (point := self._point(line))]

    def finish(self) -> list[tuple[int, float]]:
        """A last line that was never ended, once the run is over; closes the file."""
        point = self._point(self._rest) if self._rest else None
        self._rest = b""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        return [point] if point else []

    def _bytes(self) -> bytes:
        if self._descriptor is None:
            self._descriptor = open_regular(self.path)
        if self._descriptor is None:
            self.at_end = True
            return b""
        data = os.read(self._descriptor, min(TICK_BYTES, FILE_BYTES - self._read))
        self.at_end = not data
        if data and self.first_ns is None:
            self.first_ns = min(os.fstat(self._descriptor).st_mtime_ns, time.time_ns())  # a run can set it to anything
        self._read += len(data)
        return data

    def _point(self, line: bytes) -> tuple[int, float] | None:
        if self.nonfinite is not None:
            return None
        parsed = parse(line)
        last = self.curve.last[0] if self.curve.last else 0
        if parsed is None or not last < parsed[0] <= self.steps:
            self.skipped += 1
            return None
        step, loss = parsed
        if not math.isfinite(loss):
            self.nonfinite = step
            return None
        self.curve.add(step, loss)
        return parsed


def parse(line: bytes) -> tuple[int, float] | None:
    """The (step, loss) of a metrics line, or None when it is none. JSON has no word for not-a-number but null."""
    if len(line) > LINE_BYTES:
        return None
    try:
        record = json.loads(line)
        step, loss = record["step"], record["loss"]
        if type(step) is not int or type(loss) not in (int, float, NoneType):
            return None
        value = math.nan if loss is None else float(loss)
        return step, value if abs(value) < HUGE else math.nan
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


def open_regular(path: Path, how: int = os.O_RDONLY) -> int | None:
    """A descriptor of a regular file with one name, or None: no links, no pipes, nothing that blocks."""
    try:
        descriptor = os.open(path, how | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    facts = os.fstat(descriptor)
    if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1:
        return descriptor
    os.close(descriptor)
    return None


def is_regular(path: Path) -> bool:
    descriptor = open_regular(path)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def read_end(path: Path, limit: int) -> bytes:
    """The last `limit` bytes of a regular file; empty when it is none."""
    descriptor = open_regular(path)
    if descriptor is None:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(max(0, os.fstat(descriptor).st_size - limit))
        return file.read(limit)


@dataclass(slots=True)
class Rungs:
    """Which fractions of a run have been passed. Decides by step numbers only, never by when they were seen."""

    targets: tuple[int, ...]
    passed: int = 0

    def over(self, step: int) -> list[int]:
        """The indices of the rungs that a point at `step` is the first to reach, in order."""
        reached = range(self.passed, len(self.targets))
        crossed = [index for index in reached if all(self.targets[i] <= step for i in range(self.passed, index + 1))]
        self.passed += len(crossed)
        return crossed


def rung_steps(rungs: tuple[float, ...], steps: int) -> tuple[int, ...]:
    """The step at which each fraction of a run is reached, at least 1; 0.1 of 30 is 3 whatever floats say."""
    return tuple(max(1, math.ceil(round(fraction * steps, 9))) for fraction in rungs)

"""Experiments that wait for slots are an M/M/c queue (Erlang 1917; Little 1961), through the company's event queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from company.event_queue import EventQueue
from company.validation import Finding, Stopwatch, mean_of, near
from roles.streams import stream

SOURCE = "Erlang C [A]"
CASES = ((2, 0.8, 0.12), (8, 0.9, 0.14))  # slots, load, tolerance of the mean wait
RUNS, FULL_RUNS = 10, 30
JOBS, BURN_IN = 100_000, 20_000
ENDED = -1  # an event: a slot is free again; any other is the number of the experiment that arrives

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waits:
    """What a run measured after its burn-in: share that waited, mean wait, mean number waiting, arrivals a second."""

    share: float
    mean: float
    waiting: float
    rate: float


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """P(wait), the mean wait, and Little's law, for few slots and for many."""
    for slots, load, tolerance in CASES:
        watch = Stopwatch()
        runs = [_run(slots, load, seed, n) for n in range(FULL_RUNS if full else RUNS)]
        chance, wait = erlang(slots, load)
        name, seconds = f"{slots} slots at {load:.0%}", watch.lap()
        yield near(f"{name}: P(wait)", round(chance, 4), 0.015, mean_of([r.share for r in runs]), SOURCE, seconds)
        mean = mean_of([r.mean for r in runs])
        passed = abs(mean[0] / wait - 1) <= tolerance
        yield Finding(f"{name}: mean wait", f"{wait:.4f}", f"± {tolerance:.0%}", *mean, passed, 0.0, SOURCE)
        ratios = mean_of([r.waiting / (r.rate * r.mean) for r in runs])
        yield near(f"{name}: number waiting / (rate x wait)", 1, 0.01, ratios, "Little's law [A]")


def erlang(slots: int, load: float) -> tuple[float, float]:
    """P(wait) and the mean wait in mean services (Erlang C)."""
    offered = slots * load
    full = offered**slots / factorial(slots) / (1 - load)
    chance = full / (sum(offered**k / factorial(k) for k in range(slots)) + full)
    return chance, chance / (slots - offered)


def _run(slots: int, load: float, seed: int, n: int) -> Waits:
    rng = stream(seed, f"{slots} slots", "queue", n)
    arrivals = np.cumsum(rng.exponential(1 / (slots * load), JOBS))
    starts = simulate(slots, arrivals.tolist(), rng.exponential(1.0, JOBS).tolist())
    return _measure(arrivals, np.array(starts))


def simulate(slots: int, arrivals: list[float], services: list[float]) -> list[float]:
    """When each experiment starts: first come, first served, on so many slots."""
    queue, waiting, free = EventQueue[int](), deque[int](), slots
    starts = [0.0] * len(arrivals)
    queue.push(arrivals[0], 0)
    while queue:
        now, event = queue.pop()
        if event == ENDED:
            free += 1
        else:
            waiting.append(event)
            if event + 1 < len(arrivals):
                queue.push(arrivals[event + 1], event + 1)
        if free and waiting:
            free -= 1
            starts[job := waiting.popleft()] = now
            queue.push(now + services[job], ENDED)
    return starts


def _measure(arrivals: Array, starts: Array) -> Waits:
    since, until = arrivals[BURN_IN], arrivals[-1]
    waits = (starts - arrivals)[BURN_IN:]
    inside = np.clip(starts, since, until) - np.clip(arrivals, since, until)  # waiting time within the window
    span = float(until - since)
    return Waits(
        float((waits > 0).mean()), float(waits.mean()), float(inside.sum()) / span, (len(waits) - 1) / span
    )  # fmt: skip

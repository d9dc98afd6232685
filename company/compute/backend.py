"""The protocol between the company and whatever trains: orders go in, outcomes come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from projects.frozen import frozen
from projects.spec import Project, Value


@dataclass(frozen=True, slots=True)
class Slot:
    """A share of a GPU, or one CPU core, on which one experiment runs at a time."""

    index: int
    device: Literal["cpu", "cuda"] = "cpu"
    gpu: str | None = None  # UUID (or index) for CUDA_VISIBLE_DEVICES
    share: float = 1.0  # of the GPU's memory
    name: str = ""
    nodes: tuple[str, ...] = ()  # device files of its GPU alone


@dataclass(frozen=True, slots=True)
class Order:
    """One training run to carry out, complete: nothing else is looked up while it runs."""

    experiment: str
    attempt: int
    slot: Slot
    project: Project
    folder: Path  # experiments/ID: written by the run
    data: Path  # prepared data: train/ for the run, sealed/ for the evaluator only
    config: Mapping[str, Value]
    seed: int
    steps: int
    split: Literal["validation", "holdout"] = "validation"
    micro_batch: int | None = None
    rungs: tuple[float, ...] = ()  # fractions of the steps at which progress is reported
    keep_weights: bool = False
    files: Mapping[str, str] = field(default_factory=dict)  # changed code: takes the place of the project's own


@frozen
class Outcome:
    """How a run ended. `lost` means the infrastructure failed and the run may be carried out again.

    `measured` holds facts of the wall clock and the machine (seconds, launch_s, train_s, evaluate_s, memory_mb,
    cpu_s, the processor's seconds in training and evaluation, and sandbox, the level that the code ran at); they are
    recorded and never decide anything.
    """

    status: Literal["ok", "failed", "lost"]
    metric: float | None = None
    failure: str | None = None
    detail: str = ""
    curve: tuple[tuple[int, float], ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)


OnRung = Callable[[int, int, float], None]  # (index into order.rungs, step, training loss there)


class Compute(Protocol):
    """A compute backend: a fixed set of slots and a way to run an order on one of them."""

    @property
    def slots(self) -> Sequence[Slot]: ...

    async def start(self) -> None:
        """Make the workers ready; raises ComputeError with what to do when it cannot."""
        ...

    async def run(self, order: Order, on_rung: OnRung) -> Outcome:
        """Train and evaluate. Never raises for what the run does; cancelling it ends the whole process group."""
        ...

    async def close(self) -> None:
        """End every worker and wait for it."""
        ...


class ComputeError(Exception):
    """The backend cannot work on this machine; the message is one line that says what to do."""

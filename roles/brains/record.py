"""What a history says, config by config: replications averaged, failures and stopped runs kept apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from projects.frozen import frozen
from projects.spec import Value
from roles.observation import Result

Unit = tuple[float, ...]
Curve = Sequence[tuple[float, float]]

LEAST_CURVES = 5  # finished runs that must have passed a rung before a stopped run is placed among them


@frozen
class Suggestion:
    """What a brain would run next. `predicted` is a loss (smaller is better), None where it expects nothing.

    With a `patch` of the code that it was shown, `config` is the champion's (roles/intents.py: Patch).
    """

    config: dict[str, Value]
    predicted: float | None = None
    reason: str = ""
    patch: str = ""


@dataclass(slots=True)
class Record:
    """Every config that was tried, once.

    `losses` maps a config in the unit cube to the mean loss of its finished runs; `failed` and `stopped` hold the
    configs that never finished. Infrastructure failures say nothing about a config and appear nowhere. `curves` holds
    the (fraction of the budget, loss) that runs reported on their way.
    """

    losses: dict[Unit, float] = field(default_factory=dict)
    failed: list[Unit] = field(default_factory=list)
    stopped: list[Unit] = field(default_factory=list)
    curves: Mapping[Unit, Curve] = field(default_factory=dict)

    @property
    def best(self) -> Unit | None:
        """The config with the smallest mean loss (the first of equals)."""
        return min(self.losses, key=self.losses.__getitem__) if self.losses else None

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Units (n, d) and losses (n,) for a model, the unfinished runs imputed.

        A failure counts as the worst loss seen. A stopped run counts as the finished run would that stood as high among
        the finished at the rung where it was stopped; without such curves, as the middle of the worse half, which is
        what the median rule ends.
        """
        finished = list(self.losses.values())
        worst = max(finished, default=0.0)
        units = [*self.losses, *self.stopped, *self.failed]
        values = [*finished, *self._ends_of_stopped(finished), *[worst] * len(self.failed)]
        return np.array(units), np.array(values)

    def _ends_of_stopped(self, finished: Sequence[float]) -> list[float]:
        if not self.stopped:
            return []
        usual = quantile(sorted(finished), 0.75) if finished else 0.0
        rungs: dict[float, tuple[list[float], list[float]]] = {}
        ends = []
        for unit in self.stopped:
            at, loss = self.curves[unit][-1] if self.curves.get(unit) else (0.0, 0.0)
            if at not in rungs:
                rungs[at] = self._at_rung(at)
            seen, ended = rungs[at]
            told = len(seen) >= LEAST_CURVES
            ends.append(quantile(ended, bisect_left(seen, loss) / len(seen)) if told else usual)
        return ends

    def _at_rung(self, at: float) -> tuple[list[float], list[float]]:
        """Sorted losses at a rung of the runs that finished, and the sorted losses that these ended with."""
        seen, ended = [], []
        for unit, loss in self.losses.items():
            for fraction, value in self.curves.get(unit, ()):
                if fraction == at:
                    seen.append(value)
                    ended.append(loss)
        return sorted(seen), sorted(ended)


def quantile(ranked: Sequence[float], share: float) -> float:
    """A quantile of sorted numbers, by a line between neighbours: `np.quantile`, which takes far longer for few."""
    at = share * (len(ranked) - 1)
    low = int(at)
    if low == at:
        return ranked[low]
    return (ranked[low + 1] - ranked[low]) * (at - low) + ranked[low]


class Summary:
    """A record that grows with its history: what was grouped stays grouped."""

    __slots__ = ("_again", "_curves", "_losses", "_unfinished", "seen", "units")

    def __init__(self) -> None:
        self.seen = 0
        self.units: set[Unit] = set()
        self._losses: dict[Unit, float] = {}
        self._curves: dict[Unit, Curve] = {}
        self._again: dict[Unit, list[float]] = {}
        self._unfinished: dict[Unit, str] = {}

    def add(self, results: Iterable[Result]) -> None:
        """Learn of more results."""
        losses, again = self._losses, self._again
        for result in results:  # the hottest loop of a headless batch
            unit, loss = result.unit, result.loss
            self.seen += 1
            self.units.add(unit)
            if result.curve:
                self._curves[unit] = result.curve
            if loss is None or loss - loss != 0.0:  # neither nan nor an infinity is a measurement
                if result.failure != "infrastructure":
                    self._unfinished[unit] = result.status
            elif unit in losses:
                several = again.setdefault(unit, [losses[unit]])
                several.append(loss)
                losses[unit] = sum(several) / len(several)
            else:
                losses[unit] = loss

    def record(self) -> Record:
        """What the results say so far; it grows as the summary does."""
        record = Record(self._losses, curves=self._curves)
        for unit, status in self._unfinished.items():
            if unit not in self._losses:
                (record.stopped if status == "stopped" else record.failed).append(unit)
        return record


def summarise(history: Sequence[Result]) -> Record:
    """Group a history by config; a config that finished at least once is judged by its finished runs alone."""
    return summary_of(history).record()


def summary_of(history: Sequence[Result]) -> Summary:
    """The history's own summary, or one made now."""
    known = history.summary() if hasattr(history, "summary") else None  # type: ignore[attr-defined]
    if known is None:
        known = Summary()
        known.add(history)
    return known

"""What a history says, config by config: replications averaged, failures and stopped runs kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from projects.spec import Value
from roles.observation import Result

Unit = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a brain would run next. `predicted` is a loss (smaller is better), None where it expects nothing."""

    config: dict[str, Value]
    predicted: float | None = None
    reason: str = ""


@dataclass(slots=True)
class Record:
    """Every config that was tried, once.

    `losses` maps a config in the unit cube to the mean loss of its finished runs; `failed` and `stopped` hold the
    configs that never finished. Infrastructure failures say nothing about a config and appear nowhere.
    """

    losses: dict[Unit, float] = field(default_factory=dict)
    failed: list[Unit] = field(default_factory=list)
    stopped: list[Unit] = field(default_factory=list)

    @property
    def best(self) -> Unit | None:
        """The config with the smallest mean loss (the first of equals)."""
        return min(self.losses, key=self.losses.__getitem__) if self.losses else None

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Units (n, d) and losses (n,) for a model, the unfinished runs imputed.

        A failure counts as the worst loss seen. A stopped run is censored: the median rule ends what is in the worse
        half, so it counts as the middle of that half.
        """
        finished = list(self.losses.values())
        worst = max(finished, default=0.0)
        middle = float(np.quantile(finished, 0.75)) if finished and self.stopped else 0.0
        units = [*self.losses, *self.stopped, *self.failed]
        values = [*finished, *[middle] * len(self.stopped), *[worst] * len(self.failed)]
        return np.array(units), np.array(values)


class Summary:
    """A record that grows with its history: what was grouped stays grouped."""

    __slots__ = ("_again", "_losses", "_unfinished", "seen", "units")

    def __init__(self) -> None:
        self.seen = 0
        self.units: set[Unit] = set()
        self._losses: dict[Unit, float] = {}
        self._again: dict[Unit, list[float]] = {}
        self._unfinished: dict[Unit, str] = {}

    def add(self, results: Iterable[Result]) -> None:
        """Learn of more results."""
        losses, again = self._losses, self._again
        for result in results:  # the hottest loop of a headless batch
            unit, loss = result.unit, result.loss
            self.seen += 1
            self.units.add(unit)
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
        record = Record(self._losses)
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

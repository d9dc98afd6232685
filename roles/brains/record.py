"""What a history says, config by config: replications averaged, failures and stopped runs kept apart."""

from __future__ import annotations

from collections.abc import Sequence
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
        middle = float(np.quantile(finished, 0.75)) if finished else 0.0
        units = [*self.losses, *self.stopped, *self.failed]
        values = [*finished, *[middle] * len(self.stopped), *[worst] * len(self.failed)]
        return np.array(units), np.array(values)


def summarise(history: Sequence[Result]) -> Record:
    """Group a history by config; a config that finished at least once is judged by its finished runs alone."""
    losses: dict[Unit, float] = {}
    again: dict[Unit, list[float]] = {}
    unfinished: dict[Unit, str] = {}
    count = 0
    for result in history:  # the hottest loop of a headless batch: one look-up a result
        unit, loss = result.unit, result.loss
        if loss is None or loss - loss != 0.0:  # neither nan nor an infinity is a measurement
            if result.failure != "infrastructure":
                unfinished[unit] = result.status
            continue
        first = losses.setdefault(unit, loss)
        if len(losses) == count:
            again.setdefault(unit, [first]).append(loss)
        count = len(losses)
    for unit, several in again.items():
        losses[unit] = sum(several) / len(several)
    record = Record(losses)
    for unit, status in unfinished.items():
        if unit not in losses:
            (record.stopped if status == "stopped" else record.failed).append(unit)
    return record

"""Predictions of what a revision will do, and whether it did: measured in the unit of the prediction.

Worth is in compressed sigmas a proposal (company/contribution.py), against the champion of the time of the
change, less the drift that was there anyway. With n proposals on either side its standard error is about
sqrt(2/n) times their spread: 12 of them tell little, so under no effect about half of all changes are kept. An undo is
cheap; a prediction is on record.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal

import numpy as np

from company.appraisal import STANDARD
from company.company_view import CompanyView, Trial, Z
from company.contribution import FAILED_AT, compress, quantile

Unit = Literal["worth per proposal", "champion changes per 10 experiments", "judgements per 10 experiments"]
Verdict = Literal["paid", "did not pay", "too early"]

LEAST = 6  # proposals on either side below which nothing is measured
DRIFT_SD = 0.5  # prior spread of the drift between two windows, in standard deviations of one proposal
HARM = 0.9  # probability of a loss in worth that undoes a change made for another reason


@dataclass(frozen=True, slots=True)
class Prediction:
    """`before` becomes `after`, with 90 % between `low` and `high`, in `unit`."""

    unit: Unit
    before: float
    after: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; `Prediction(**data)` reads them back."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was measured, with a 90 % interval, in the unit of the prediction; `n` proposals after the change."""

    verdict: Verdict
    measured: float | None
    low: float | None
    high: float | None
    n: int
    because: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Effect:
    """Change of worth per proposal through a revision: mean and standard deviation."""

    mean: float
    sd: float

    @property
    def p_harm(self) -> float:
        return STANDARD.cdf(-self.mean / self.sd) if self.sd else float(self.mean < 0)


def check(prediction: Prediction, at: int, check_after: int, evidence: Mapping[str, Any], view: CompanyView) -> Outcome:
    """Whether the revision made at order `at` paid, by the view as it is now; `evidence` is the proposal's own.

    A change that can never be measured did not pay: it must not be on trial for ever.
    """
    n = len(view.window(at, view.order))
    needed = max(check_after, LEAST)
    if n < needed:
        return Outcome("too early", None, None, None, n, f"{n} of {needed} experiments since the change")
    if prediction.unit == "champion changes per 10 experiments":
        return _by_champions(prediction, at, view, n)
    found = effect(view.trials, at, check_after, view.unit, evidence.get("reference"))
    if found is None:
        return Outcome("did not pay", None, None, None, n, "too few experiments before the change to compare with")
    if prediction.unit == "judgements per 10 experiments":
        return _by_load(prediction, at, evidence, view, n, found)
    return _by_worth(prediction, n, found)


def effect(trials: Sequence[Trial], at: int, window: int, unit: float, reference: float | None = None) -> Effect | None:
    """Mean value of the trials after `at` less that of the field before it and the drift; None for too few.

    `unit`: what a loss is measured in (sigma); `reference`: the champion's loss at the change, the field's best when it
    is not known. A trial without a loss counts at a bad quantile of the field's losses.
    """
    width = max(window, LEAST)
    before = [trial for trial in trials if at - width < trial.order <= at]
    losses = [trial.loss for trial in before if trial.loss is not None]
    if not losses:
        return None
    best, bad = min(losses) if reference is None else reference, quantile(losses, 1 - FAILED_AT)

    def values(found: Sequence[Trial]) -> list[float]:
        return [compress((best - (bad if trial.loss is None else trial.loss)) / unit) for trial in found]

    now, field = values([t for t in trials if t.order > at]), values(before)
    earlier = values([t for t in trials if at - 2 * width < t.order <= at - width])
    if min(len(now), len(field)) < LEAST:
        return None
    spread = math.sqrt((_squares(now) + _squares(field)) / (len(now) + len(field) - 2))
    without = _forecast(field, earlier, spread)
    return Effect(fmean(now) - without.mean, math.sqrt(spread**2 / len(now) + without.sd**2))


def _forecast(field: Sequence[float], earlier: Sequence[float], spread: float) -> Effect:
    """What would have come without the change: the level goes on drifting as it did.

    Windows are level, level + drift, and level + 2 drift to come; the level has a flat prior, the drift one around
    none. With too few earlier ones nothing is known of the drift, and the spread says so.
    """
    n, m = len(field), len(earlier) if len(earlier) >= LEAST else 0
    precision = np.array([[m + n, n], [n, n + 1 / DRIFT_SD**2]])
    pull = np.array([sum(field) + sum(earlier if m else ()), sum(field)])
    ahead = np.array([1.0, 2.0])
    weights = np.linalg.solve(precision, ahead)
    return Effect(float(weights @ pull), spread * math.sqrt(float(weights @ ahead)))


def _squares(values: Sequence[float]) -> float:
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values)


def _by_worth(prediction: Prediction, n: int, found: Effect) -> Outcome:
    verdict: Verdict = "paid" if found.mean > 0 else "did not pay"
    low, high = found.mean - Z * found.sd, found.mean + Z * found.sd
    said = f"predicted {prediction.after - prediction.before:+.2f} worth per proposal, measured {found.mean:+.2f}"
    return Outcome(verdict, found.mean, low, high, n, f"{said} ({low:+.2f} to {high:+.2f})")


def _by_champions(prediction: Prediction, at: int, view: CompanyView, n: int) -> Outcome:
    changes = sum(order > at for order in view.champions)
    rate, half = 10 * changes / n, 10 * Z * math.sqrt(changes or 1) / n
    said = f"predicted {prediction.after:.2f} champion changes per 10 experiments, measured {rate:.2f}"
    return Outcome("paid" if changes else "did not pay", rate, max(0.0, rate - half), rate + half, n, said)


def _by_load(
    prediction: Prediction, at: int, evidence: Mapping[str, Any], view: CompanyView, n: int, found: Effect
) -> Outcome:
    manager = evidence["manager"]
    there = manager in view.chart.structure.manager
    load = view.load(manager, evidence["meetings"], at) if there else 0.0
    paid = load < prediction.before and found.p_harm < HARM
    said = f"predicted {prediction.after:.1f} judgements per 10 experiments, measured {load:.1f}"
    harm = f"; worth per proposal {found.mean:+.2f} (P(loss) {found.p_harm:.0%})"
    return Outcome("paid" if paid else "did not pay", load, load, load, n, said + harm)

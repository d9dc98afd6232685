"""How much better a champion looked where it was chosen than where it was not: validation against the holdout. Pure.

What is picked for being good on some data looks better there than it is. Three gains over the baseline, in the metric's
unit and positive when better: of the run by which the champion was noticed, of its fresh seeds on the same validation
data, and on the holdout that nobody chose by.
"""

from __future__ import annotations

from dataclasses import dataclass

from company.standing import champion_is_baseline
from company.state import State


@dataclass(frozen=True, slots=True)
class Optimism:
    """`first` less `holdout` is what believing one run would have promised too much, `validation` less `holdout` what
    is left of it on fresh seeds. `inside`: whether the holdout's 95 % interval holds the validation's gain."""

    first: float | None
    validation: float
    holdout: float
    inside: bool | None

    @property
    def value(self) -> float:
        """What validation promised too much; negative where it promised too little."""
        return self.validation - self.holdout


def optimism(state: State) -> Optimism | None:
    """The optimism of a run that has read its holdout, None before, and where the baseline stayed champion."""
    holdout, champion = state.holdout, state.champion
    if holdout is None or holdout.gain is None or champion is None or champion_is_baseline(state):
        return None
    baseline, noticed = state.loss(state.baseline_mean or 0.0), state.experiments[champion.experiment].metric
    first = None if noticed is None else baseline - state.loss(noticed)
    gain = baseline - champion.loss
    known = holdout.low is not None and holdout.high is not None
    inside = holdout.low <= gain <= holdout.high if known else None  # type: ignore[operator]
    return Optimism(first, gain, holdout.gain, inside)

"""A company's playbook, onboarding and turnover (March 1991), by company/knowledge.py."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from company.knowledge import Rates, found, luck, step
from company.validation import Finding, Stopwatch, mean_of, near
from roles.streams import stream

SOURCE, OURS = "March 1991 [R]", "March 1991 [O]"
DIMENSIONS, PEOPLE = 30, 50
COMPANIES, FULL_COMPANIES = 1000, 4000
TURBULENT = 4  # times as many where reality turns: what is measured there lies close to the tolerance's end
AT_A_TIME = 500
ONBOARDING = (0.1, 0.3, 0.5, 0.7, 0.9)
EQUILIBRIUM = {
    0.1: (0.8633, 0.8051, 0.7994, 0.8060, 0.8132),
    0.5: (0.9543, 0.8691, 0.8106, 0.7679, 0.7421),
    0.9: (0.9724, 0.9081, 0.8401, 0.7796, 0.7284),
}
LOOK = 4  # periods between two looks at who has settled

Array = NDArray[np.float64]


def validate(seed: int, full: bool) -> Iterator[Finding]:
    """What the playbook holds in equilibrium; what turnover costs and gives, early on and in a turbulent world."""
    companies = FULL_COMPANIES if full else COMPANIES
    errors: list[float] = []
    for learning, row in EQUILIBRIUM.items():
        for onboarding, expected in zip(ONBOARDING, row, strict=True):
            watch, rates = Stopwatch(), Rates(onboarding, learning)
            mean = mean_of(equilibrium(rates, companies, stream(seed, "march", f"{rates}")).tolist())
            errors.append(mean[0] - expected)
            yield near(f"equilibrium, p1 {onboarding:g} p2 {learning:g}", expected, 0.02, mean, SOURCE, watch.lap())
    rmse = math.sqrt(sum(error**2 for error in errors) / len(errors))
    yield Finding("RMSE over these cells", "0", "<= 0.009", rmse, rmse, rmse, rmse <= 0.009, 0.0, SOURCE)
    for onboarding, expected, tolerance in ((0.1, -0.044, 0.025), (0.9, 0.096, 0.03)):
        watch = Stopwatch()
        change = _at(Rates(onboarding, 0.5, turnover=0.1), 20, seed, companies)
        change = _difference(change, _at(Rates(onboarding, 0.5), 20, seed, companies))
        yield near(f"turnover .1 less 0 at t = 20, p1 {onboarding:g}", expected, tolerance, change, OURS, watch.lap())
    for turnover, expected in ((0.0, 0.016), (0.3, 0.578)):
        watch = Stopwatch()
        rates = Rates(0.5, 0.5, turnover, turbulence=0.02)
        held = mean_of(_at(rates, 100, seed, companies * TURBULENT).tolist())
        yield near(f"turbulence .02 at t = 100, turnover {turnover:g}", expected, 0.045, held, OURS, watch.lap())


def equilibrium(rates: Rates, companies: int, rng: np.random.Generator) -> Array:
    """What each company's playbook holds once nothing moves any more."""
    knowledge, held = found(DIMENSIONS, PEOPLE, companies, rng), list[Array]()
    while knowledge.reality.shape[1]:
        for _ in range(LOOK):
            knowledge = step(knowledge, rates, luck(knowledge, rates, rng))
        settled = knowledge.settled()
        held.append(knowledge.of(settled).level())
        knowledge = knowledge.of(~settled)
    return np.concatenate(held)


def _at(rates: Rates, periods: int, seed: int, companies: int) -> Array:
    """What each company's playbook holds after so many periods."""
    rng, held = stream(seed, "march", f"{rates}, {periods}"), list[Array]()
    for _ in range(0, companies, AT_A_TIME):
        knowledge = found(DIMENSIONS, PEOPLE, AT_A_TIME, rng)
        for _ in range(periods):
            knowledge = step(knowledge, rates, luck(knowledge, rates, rng))
        held.append(knowledge.level())
    return np.concatenate(held)


def _difference(one: Array, other: Array) -> tuple[float, float, float]:
    """Means of independent companies, with a 95 % interval."""
    gap = float(one.mean() - other.mean())
    half = 1.96 * math.sqrt(float(one.var(ddof=1)) / len(one) + float(other.var(ddof=1)) / len(other))
    return gap, gap - half, gap + half

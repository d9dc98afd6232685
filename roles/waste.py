"""How likely a proposal is to beat the champion, from what happened near it: a reviewer's look before the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roles.brains.cube import cube_of, square_distances
from roles.brains.record import Unit, summarise
from roles.observation import Observation, Result

NEAR = 0.08  # root mean square distance over the parameters within which two configs are near copies
REACH = 0.15  # of the kernel that weighs a neighbour's evidence
DOUBT = 1.0  # weight of knowing nothing, in neighbours
SHARPNESS = 1.5  # how fast promise grows with the standing of the neighbours

FADING = 0.5  # improvements get rarer as the record grows: the next window holds about half as many as the last


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the record says of a config: `near` near copies were tried, of which `failed` failed and `poor` ended in
    the worst quarter; `p_improves` is the probability that it beats the champion beyond noise."""

    p_improves: float
    near: int = 0
    failed: int = 0
    poor: int = 0


def prospect(observation: Observation, unit: Unit) -> Prospect:
    """Look around `unit` (in the unit cube). Running out of memory is not held against a config: it can be rebuilt."""
    history = [r for r in observation.history if r.failure not in ("infrastructure", "out_of_memory")]
    base = base_rate(history, observation.sigma)
    if not history:
        return Prospect(base)
    record = summarise(observation.history if len(history) == len(observation.history) else history)
    units, losses = record.arrays()
    finished = len(record.losses)
    standing = 1.0 - np.argsort(np.argsort(losses, kind="stable"), kind="stable") / max(1, len(losses) - 1)
    standing[finished:] = np.minimum(standing[finished:], 0.25)
    standing[finished + len(record.stopped) :] = 0.0
    cube = cube_of(observation.space)
    squared = square_distances(cube.features(np.array([unit])), cube.features(units))[0] / len(unit)
    weight = np.exp(-0.5 * squared / REACH**2)
    local = (float(weight @ standing) + 0.5 * DOUBT) / (float(weight.sum()) + DOUBT)
    near = squared <= NEAR**2
    failed = near[finished + len(record.stopped) :].sum()
    poor = (near & (standing <= 0.25)).sum()
    chance = min(0.95, max(0.001, base * (local / 0.5) ** SHARPNESS))
    return Prospect(chance, int(near.sum()), int(failed), int(poor))


def base_rate(history: list[Result], sigma: float, window: int = 12) -> float:
    """How often lately a proposal beat all before it by more than sigma, with one improvement in four put in front
    so that a short record says little."""
    best, wins = None, []
    for result in history:
        if result.loss is not None and (best is None or result.loss < best - sigma):
            wins.append(best is not None)
            best = result.loss
        elif result.purpose == "proposal":
            wins.append(False)
    recent = wins[-window:]
    return FADING * (sum(recent) + 1.0) / (len(recent) + 4.0)

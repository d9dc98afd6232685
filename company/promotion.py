"""Who becomes a manager, when it pays, and what is known of how far research skill carries over. Pure.

    m = rho r + sqrt(1 - rho^2) e      r, m: worth as researcher and as manager, in units of their role's spread

rho is estimated, not assumed: "Peter" says that a good researcher tells nothing of a good manager (rho 0), "common
sense" that competence carries over (rho .96), and which of them is right decides whether to promote the best at all
(Pluchino, Rapisarda and Garofalo 2010, Physica A 389:467). The prior is flat between the two; every promotion whose
both sides were measured moves it. A promotion is worth what it gains in the manager's seat, over all of its team's
proposals, less what the company loses of a researcher.

Not covered: skills that grow with practice; what people make of being passed over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from company.appraisal import PRIOR_SD, STANDARD
from company.company_view import Worth, Z
from company.edits import Promote
from roles.selection import pick, ranked

PETER, COMMON_SENSE = 0.0, 0.96
RHOS = np.linspace(PETER, COMMON_SENSE, 49)
RESEARCHERS = PRIOR_SD  # spread of researchers' worth per proposal
MANAGERS = RESEARCHERS / 5  # of managers', per proposal of their team: they move compute and propose nothing
SWITCH = 0.02  # worth per proposal of the company that a change of places costs
SURE = 0.9  # probability of being under the level that ends a manager's term

Rule = Literal["never", "merit", "random", "best-worst"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is known of rho: weights over RHOS, after `n` promotions whose both sides were measured."""

    weights: tuple[float, ...]
    n: int = 0

    @property
    def mean(self) -> float:
        return float(np.dot(RHOS, self.weights))

    @property
    def interval(self) -> tuple[float, float]:
        """90 %, equal tails."""
        total = np.cumsum(self.weights)
        low, high = (int(np.searchsorted(total, at)) for at in (0.05, 0.95))
        return float(RHOS[low]), float(RHOS[min(high, len(RHOS) - 1)])


@dataclass(frozen=True, slots=True)
class Observed:
    """One who was promoted: worth as a researcher before and as a manager since, each with its interval."""

    researcher: Worth
    manager: Worth


@dataclass(frozen=True, slots=True)
class Candidate:
    """A researcher who might be promoted, and the share of the company's proposals that are its own."""

    position: str
    worth: Worth
    share: float


@dataclass(frozen=True, slots=True)
class Seat:
    """A manager's seat: the present holder's worth per proposal of its team (None: vacant, or nothing is known), and
    the share of the company's proposals that are made under it."""

    position: str
    share: float
    holder: Worth | None = None
    vacant: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """Of one promotion, in worth per proposal of the company: gain in the seat, loss in research, what is left (with
    its standard deviation)."""

    gain: float
    loss: float
    net: float
    p_pays: float
    sd: float = 0.0


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion to make, with its value and the reason."""

    edit: Promote
    value: Value
    because: str


def prior() -> Transfer:
    """Nothing is known: flat between Peter and common sense."""
    return Transfer(tuple(np.full(len(RHOS), 1 / len(RHOS)).tolist()))


def update(transfer: Transfer, observed: Sequence[Observed]) -> Transfer:
    """What is known after some more promotions; who was not measured in both roles (n 0) counts for nothing."""
    log = np.log(np.maximum(transfer.weights, 1e-300))
    known = [one for one in observed if one.researcher.n and one.manager.n]
    for one in known:
        r, r_sd = one.researcher.mean / RESEARCHERS, one.researcher.sd / RESEARCHERS
        m, m_sd = one.manager.mean / MANAGERS, one.manager.sd / MANAGERS
        variance = RHOS**2 * r_sd**2 + 1 - RHOS**2 + _noise_of(m_sd) ** 2
        log += -0.5 * (_measured(m, m_sd) - RHOS * r) ** 2 / variance - 0.5 * np.log(variance)
    weights = np.exp(log - log.max())
    return Transfer(tuple((weights / weights.sum()).tolist()), transfer.n + len(known))


def value_of(candidate: Candidate, seat: Seat, transfer: Transfer, hire: float = 0.0) -> Value:
    """What promoting the candidate is worth. `hire`: expected worth of who would come into a vacancy.

    Into a vacant seat: against a manager hired from outside, and a researcher's place is filled by a hire. Else the
    two change places, and the present manager researches as well as its skill carries over.
    """
    r, held = candidate.worth, seat.holder or Worth(0.0, -Z * MANAGERS, Z * MANAGERS, 0)
    scale = MANAGERS / RESEARCHERS
    as_manager = RHOS * r.mean * scale
    instead = np.full(len(RHOS), hire) if seat.vacant else RHOS * held.mean / scale
    now = 0.0 if seat.vacant else held.mean
    gain, loss = seat.share * (as_manager - now), candidate.share * (r.mean - instead)
    cost = 0.0 if seat.vacant else SWITCH
    weights = np.asarray(transfer.weights)
    net = gain - loss - cost
    spread = seat.share**2 * (RHOS**2 * (r.sd * scale) ** 2 + (1 - RHOS**2) * MANAGERS**2 + held.sd**2)
    spread += candidate.share**2 * (r.sd**2 + RESEARCHERS**2)
    mean = float(weights @ net)
    sd = math.sqrt(float(weights @ (spread + (net - mean) ** 2)))
    p_pays = STANDARD.cdf(mean / sd) if sd else float(mean > 0)
    return Value(float(weights @ gain), float(weights @ loss), mean, p_pays, sd)


def promote(
    rule: Rule, seat: Seat, candidates: Sequence[Candidate], transfer: Transfer, rng: np.random.Generator,
    hire: float = 0.0,
) -> Promotion | None:  # fmt: skip
    """Who takes the seat; None where nobody should.

    merit: who is worth most there, and nobody when that does not pay. Controls fill vacancies only, whatever it is
    worth: random anyone, best-worst the best or the worst researcher by the toss of a coin.
    """
    able = ranked(candidates, lambda c: c.worth.mean, lambda c: c.position)
    if rule == "never" or not able or (rule != "merit" and not seat.vacant):
        return None
    if rule == "merit":
        chosen = max(able, key=lambda c: value_of(c, seat, transfer, hire).net)
    elif rule == "random":
        chosen = pick("random", able, rng)
    else:
        chosen = pick("best" if rng.random() < 0.5 else "worst", able, rng)
    value = value_of(chosen, seat, transfer, hire)
    if rule == "merit" and value.net <= 0:
        return None
    return Promotion(
        Promote(position=chosen.position, to=seat.position), value, _because(rule, chosen, value, transfer)
    )


def should_step_down(seat: Seat, rule: Rule, level: float = 0.0, sure: float = SURE) -> bool:
    """Whether a manager's worth is under `level` (what another would give) beyond doubt; only merit looks."""
    held = seat.holder
    if rule != "merit" or seat.vacant or held is None or held.n == 0 or held.sd == 0:
        return False
    return STANDARD.cdf((level - held.mean) / held.sd) >= sure


def _because(rule: Rule, chosen: Candidate, value: Value, transfer: Transfer) -> str:
    if rule != "merit":
        return f"the control {rule}: {chosen.position} is promoted, whatever it is worth ({value.net:+.3f} a proposal)"
    low, high = transfer.interval
    return (
        f"{chosen.position} in the seat {value.gain:+.3f}, lost to research {value.loss:.3f}: {value.net:+.3f} worth a "
        f"proposal, P(pays) {value.p_pays:.0%}; skill carries over by {transfer.mean:.2f} ({low:.2f} to {high:.2f}, "
        f"n {transfer.n})"
    )


def _noise_of(sd: float) -> float:
    """The noise of a measurement from the sd of its posterior, whose prior has variance 1."""
    variance = min(sd**2, 0.99)
    return math.sqrt(variance / (1 - variance))


def _measured(mean: float, sd: float) -> float:
    """The measurement that the posterior was shrunk from."""
    return mean / (1 - min(sd**2, 0.99))

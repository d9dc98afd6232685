"""What an agent is worth, from measured outcomes: a hierarchical normal model shrunk toward the role's mean.

    y_j = field of j's block + worth of j's agent + noise,   worth ~ N(0, tau^2),   noise ~ N(0, s^2 / weight_j)

The field is a free constant for each block of consecutive results, so that only differences between colleagues who
worked at the same time count and a harder field is held against nobody. It is integrated out (restricted likelihood:
Patterson & Thompson 1971), s^2 in closed form and tau / s over a grid (Gelman et al., Bayesian Data Analysis, ch. 5 and
14), so that an interval knows that field, noise and spread are estimates. No data leaves the prior: missing evidence is
ignorance, never failure.

Not covered: agents who get better or worse with time; outcomes that depend on what a colleague just found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from company.contribution import Score
from projects.frozen import frozen

INTERVAL = 0.9

RATIO = 0.6  # the spread of people is about half the noise of one result: the prior's median of tau / s
RATIO_LOG_SD = 0.8  # and may well be a quarter of it, or more than all of it
RATIOS = np.geomspace(RATIO / 8, RATIO * 8, 25)
NOISE, NOISE_RUNS = 1.0, 4.0  # prior guess of s in compressed sigmas, and how many runs it counts for
PRIOR_SD = 1.16  # of someone without a result: what these priors come to
NEWTON_STEPS, STILL = 8, 1e-2  # in standard deviations: what is left after such a step is its square
TABLED = np.concatenate([[-1e9], np.linspace(-16.0, 16.0, 2049), [1e9]])  # where Student's distribution is looked up
LEAST_CHANCE = 1e-5  # of a point of the grid, below which it is left out

STANDARD = NormalDist()
Z = STANDARD.inv_cdf(0.5 + INTERVAL / 2)  # half an interval, in standard deviations
Array = NDArray[np.float64]


@frozen
class Posterior:
    """Worth of a full-length run: mean, 90 % interval, evidence, and P(worth < replacement level).

    `parts` of `worths`: raw (the agent's mean score), field (of the blocks it worked in) and shrinkage, which add up
    as mean = raw - field + shrinkage; weight, the evidence in full-length runs; noise, the model's s; shared, the sd of
    the error that all colleagues' worths have in common, which cancels wherever two of them are compared.
    """

    mean: float
    low: float
    high: float
    evidence: int
    p_below: float
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def sd(self) -> float:
        """Standard deviation, as a normal distribution of the same interval has it."""
        return (self.high - self.low) / (2 * Z)


def replacement_level(
    expectation: float = 0.0, runs_left: float = math.inf, trial_runs: float = 1.0, run_cost: float = 1.0
) -> float:
    """The worth under which a change pays: what a hire is expected to give, less the cost of switching.

    `expectation` is 0 for an average hire, or the mean of a candidate's record. Switching costs `trial_runs` runs of
    `run_cost` each, spread over the `runs_left` that the position still has: near the end no change pays.
    """
    return expectation - trial_runs * run_cost / max(runs_left, 1e-9)


def worths(
    scores: Sequence[Score], agents: Sequence[str], level: float = 0.0, ratio: float = RATIO
) -> dict[str, Posterior]:
    """The posterior worth of every agent of one role, from all its scores, in compressed sigmas a full-length run.

    Scores of people who are not in `agents` still tell of the field. `level` is the replacement level, `ratio` the
    prior's median of tau / s. Takes about a millisecond for 300 scores of 8 agents.
    """
    names = _names(scores, agents)
    sums = _sums(scores, names)
    mixture = _posteriors(sums, ratio, np.vstack([np.eye(len(names)), np.full(len(names), 1 / max(1, len(names)))]))
    parts = _parts(sums, mixture.mean()[:-1], mixture.noise(), mixture.shared())
    found = mixture.summary(level)
    return {
        name: _posterior(found[:, i], int(sums.counts[i]), {part: float(column[i]) for part, column in parts.items()})
        for i, name in enumerate(names[: len(set(agents))])
    }


def difference(scores: Sequence[Score], one: str, other: str, ratio: float = RATIO) -> Posterior:
    """The posterior of one agent's worth less another's; `p_below` is P(the other is worth more)."""
    names = _names(scores, (one, other))
    sums = _sums(scores, names)
    contrast = np.zeros((1, len(names)))
    contrast[0, :2] = (1.0, -1.0)
    found = _posteriors(sums, ratio, contrast).summary(0.0)
    return _posterior(found[:, 0], int(sums.counts[:2].min()), {})


def pooled(members: Sequence[Posterior], level: float = 0.0) -> Posterior:
    """The worth of a team that shares its compute as it did, equally where it used none; needs a member."""
    weights = [member.parts.get("weight", 0.0) for member in members]
    total = sum(weights)
    shares = [w / total for w in weights] if total else [1 / len(members)] * len(members)
    mean = sum(s * m.mean for s, m in zip(shares, members, strict=True))
    shared = members[0].parts.get("shared", 0.0)
    sd = math.sqrt(shared**2 + sum(s**2 * max(0.0, m.sd**2 - shared**2) for s, m in zip(shares, members, strict=True)))
    parts = {"weight": total, "shared": shared}
    n = sum(m.evidence for m in members)
    return Posterior(mean, mean - Z * sd, mean + Z * sd, n, STANDARD.cdf((level - mean) / sd), parts)


def _posterior(summary: Array, evidence: int, parts: Mapping[str, float]) -> Posterior:
    mean, low, high, below = (float(value) for value in summary)
    return Posterior(mean, low, high, evidence, below, parts)


def _names(scores: Sequence[Score], first: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*first, *(score.agent for score in scores)]))


@dataclass(frozen=True, slots=True)
class _Sums:
    """All that the model needs of b blocks and k agents: weights and weighted scores (b, k), their squares' sum."""

    weights: Array
    values: Array
    squares: float
    counts: Array

    def within(self) -> tuple[Array, Array, float, int]:
        """With the fields projected out: precision (k, k) and pull (k,) of the worths, sum of squares, its freedom."""
        block = self.weights.sum(axis=1)
        share = self.weights / block[:, None]
        total = self.values.sum(axis=1)
        precision = np.diag(self.weights.sum(axis=0)) - self.weights.T @ share
        pull = self.values.sum(axis=0) - share.T @ total
        squares = max(0.0, self.squares - float(total @ (total / block)))
        return precision, pull, squares, int(self.counts.sum()) - len(block)


def _sums(scores: Sequence[Score], names: Sequence[str]) -> _Sums:
    index, k = {name: i for i, name in enumerate(names)}, len(names)
    who = np.array([index[score.agent] for score in scores], dtype=np.intp)
    blocks, row = np.unique(np.array([score.block for score in scores], dtype=np.intp), return_inverse=True)
    weight = np.array([score.weight for score in scores], dtype=float)
    value = np.array([score.value for score in scores], dtype=float)
    cell, shape = row * k + who, (len(blocks), k)
    return _Sums(
        _table(cell, weight, shape),
        _table(cell, weight * value, shape),
        float(weight @ value**2),
        _table(who, np.ones(len(who)), (k,)),
    )


def _table(cell: NDArray[np.intp], weight: Array, shape: tuple[int, ...]) -> Array:
    """The sum of weights in each cell of a table."""
    return np.asarray(np.bincount(cell, weight, math.prod(shape)), dtype=np.float64).reshape(shape)


@lru_cache(maxsize=128)
def _student(freedom: float) -> Array:
    """Student's cumulative distribution at TABLED: between its points a line is right to 1e-5."""
    from scipy.special import stdtr

    return np.asarray(stdtr(freedom, TABLED), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Mixture:
    """A mixture of g Student t distributions for each of m quantities: chance (g,), location and scale (g, m)."""

    chance: Array
    location: Array
    scale: Array
    freedom: float
    variance: Array

    def mean(self) -> Array:
        return self.chance @ self.location

    def noise(self) -> float:
        """The posterior root mean square of s."""
        return math.sqrt(float(self.chance @ self.variance))

    def shared(self) -> float:
        """The sd that k agents' errors have in common, from their variances and that of their mean, the last one."""
        spread = self.chance @ (self.scale**2 + (self.location - self.mean()) ** 2)
        k = len(spread) - 1
        return math.sqrt(max(0.0, (k * spread[-1] - spread[:-1].sum() / k) / (k - 1))) if k > 1 else 0.0

    def cdf(self, at: Array) -> Array:
        """P(quantity <= at), for one or several values of each: (..., m)."""
        return self.chance @ np.interp((at[..., None, :] - self.location) / self.scale, TABLED, _student(self.freedom))

    def _density(self, at: Array) -> Array:
        half = (self.freedom + 1) / 2
        front = math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(self.freedom * math.pi)
        kernel = (1 + ((at[..., None, :] - self.location) / self.scale) ** 2 / self.freedom) ** -half
        return self.chance @ (front * kernel / self.scale)

    def summary(self, level: float) -> Array:
        """Mean, low, high and P(below level), (4, m)."""
        low, high = self.quantiles((0.5 - INTERVAL / 2, 0.5 + INTERVAL / 2))
        return np.array([self.mean(), low, high, self.cdf(np.full(self.location.shape[1], level))])

    def quantiles(self, p: Sequence[float]) -> Array:
        """(len(p), m), by Newton from the moments, no step longer than a standard deviation, until nothing moves."""
        mean, wanted = self.mean(), np.array(p)[:, None]
        sd = np.sqrt(self.chance @ (self.scale**2 + (self.location - mean) ** 2))
        at = mean + np.array([STANDARD.inv_cdf(each) for each in p])[:, None] * sd
        for _ in range(NEWTON_STEPS):
            step = np.clip((self.cdf(at) - wanted) / self._density(at), -sd, sd)
            at = at - step
            if np.abs(step).max() < STILL * sd.max():
                break
        return at


def _posteriors(sums: _Sums, ratio: float, contrasts: Array) -> _Mixture:
    """The worths' combinations `contrasts` (m, k), over the grid of tau / s, with s^2 integrated out.

    In the eigenbasis of the precision everything is diagonal, so that the grid costs next to nothing.
    """
    precision, pull, squares, freedom = sums.within()
    eigen, basis = np.linalg.eigh(precision)
    eigen, turned = np.clip(eigen, 0.0, None), basis.T @ pull
    grid = RATIOS * (ratio / RATIO)
    gain = grid[:, None] ** 2 / (1 + grid[:, None] ** 2 * eigen)
    shape = (NOISE_RUNS + freedom) / 2
    rate = (NOISE_RUNS * NOISE**2 + np.maximum(0.0, squares - gain @ turned**2)) / 2
    fit = -0.5 * np.log1p(grid[:, None] ** 2 * eigen).sum(axis=1) - shape * np.log(rate)
    prior = -0.5 * (np.log(grid / ratio) / RATIO_LOG_SD) ** 2  # the grid is even in the logarithm
    chance = np.exp(fit + prior - (fit + prior).max())
    kept = chance >= LEAST_CHANCE * chance.sum()
    chance, gain, rate = chance[kept], gain[kept], rate[kept]
    turn = contrasts @ basis
    location = (gain * turned) @ turn.T
    scale = np.sqrt((gain @ (turn.T**2)) * (rate / shape)[:, None])
    return _Mixture(chance / chance.sum(), location, scale, 2 * shape, rate / shape)


def _parts(sums: _Sums, mean: Array, noise: float, shared: float) -> dict[str, Array]:
    """Where each worth comes from; the field is what the blocks gave once the worths are taken out of them."""
    weight = sums.weights.sum(axis=0)
    safe = np.where(weight > 0, weight, 1.0)
    raw = sums.values.sum(axis=0) / safe
    fields = (sums.values.sum(axis=1) - sums.weights @ mean) / sums.weights.sum(axis=1)
    of_field = sums.weights.T @ fields / safe
    shrinkage = mean - (raw - of_field)
    return {
        "raw": raw, "field": of_field, "shrinkage": shrinkage, "weight": weight, "noise": np.full(len(mean), noise),
        "shared": np.full(len(mean), shared),
    }  # fmt: skip

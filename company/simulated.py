"""Simulated projects: planted tasks on mixed spaces, with seed noise and regions that fail, whose truth is known.

A task is drawn from its kind and a world seed, and never looks at the organisation: two companies with the same seed
meet the same landscape, the same baseline and, for the same run, the same noise (common random numbers). The best
loss is 0 by construction, so that regret needs no search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from company.compute.backend import Outcome
from company.testing import Run
from projects.spec import Config, CostTable, Metric, Parameter, Project, SearchSpace
from roles.streams import stream

SIGMA = 0.03  # noise of a run, in units of median - best: trainings show a thirtieth (signal 35 times the noise)
STEPS = 100
DRAWS = 401  # random configs that say where the median is
RUNGS = tuple(n / 8 for n in range(1, 9))
WARM_UP = 0.5  # how far above its end a learning curve begins, in units of median - best

Loss = Callable[[Config], float]


@dataclass(frozen=True, slots=True)
class Task:
    """A world whose `truth` of a config is its loss without noise: at least 0, and infinite where training fails."""

    name: str
    space: SearchSpace
    truth: Loss
    median: float
    baseline: Config

    def regret(self, config: Config) -> float:
        """(true loss - best) / (median - best): 0 is perfect, 1 a random draw's."""
        return self.truth(config) / self.median

    def project(self) -> Project:
        """The task as a company meets it: a project without files that costs a second a run."""
        return Project(
            name=self.name, title=f"A planted landscape: {self.name}", version=1, folder=Path(self.name),
            metric=Metric("loss"), space=self.space, baseline=self.baseline, budget_seconds=1.0,
            costs=CostTable(1, "none", (), {"": 1.0 / STEPS}),
        )  # fmt: skip

    def train(self, run: Run) -> Outcome:
        """The truth with the noise of the run's seed, and a learning curve that comes down to it."""
        end = self.truth(run.config)
        if not math.isfinite(end):
            return Outcome("failed", failure="diverged", detail="loss is nan")
        rng, unit = stream(run.seed, "simulated", "noise"), SIGMA * self.median
        metric = end + unit * float(rng.standard_normal())
        wobble = unit * rng.standard_normal(len(RUNGS))
        curve = tuple(
            (math.ceil(f * run.steps), metric + WARM_UP * self.median * (1 - f) + (1 - f) * float(w))
            for f, w in zip(RUNGS, wobble, strict=True)
        )
        return Outcome("ok", metric=metric, curve=curve)

    def seconds(self, run: Run) -> float:
        """A second for all steps."""
        return run.steps / STEPS


def tasks(project: str, seed: int) -> tuple[Task, ...]:
    """The tasks that a world seed brings, by the name of a family or of one of its kinds. Raises KeyError."""
    return tuple(_drawn(kind, seed) for kind in FAMILIES[project])


def _drawn(kind: str, seed: int) -> Task:
    space, build = KINDS[kind]
    truth = build(space, stream(seed, "simulated", kind))
    rng = stream(seed, "simulated", f"{kind} draws")
    draws = sorted(((truth(config), config) for config in (space.sample(rng) for _ in range(DRAWS))), key=_first)
    median, baseline = next(pair for pair in reversed(draws[: DRAWS // 2 + 1]) if math.isfinite(pair[0]))
    return Task(kind, space, truth, median, baseline)


def _first(pair: tuple[float, Config]) -> float:
    return pair[0]


def _float(name: str, low: float, high: float, log: bool = False) -> Parameter:
    return Parameter(name, "float", low, high, log)


def _choice(name: str, *values: str | int) -> Parameter:
    return Parameter(name, "choice", values=values)


TRAINING = SearchSpace((
    _float("learning_rate", 1e-4, 1.0, log=True), _float("weight_decay", 1e-4, 1.0, log=True),
    _float("warmup", 0.0, 0.5), _float("dropout", 0.0, 0.6), Parameter("depth", "int", 1, 8),
    _choice("width", 32, 64, 128, 256), _choice("activation", "relu", "gelu", "silu", "square"),
    _choice("norm", "layer", "rms", "none"), _choice("optimiser", "sgd", "adam", "lion"),
))  # fmt: skip

MIXED = SearchSpace((
    _float("a", 0.0, 1.0), _float("b", 1e-3, 10.0, log=True), _float("c", -5.0, 5.0),
    Parameter("d", "int", 1, 64, True), _choice("e", 1, 2, 4, 8, 16),
    _choice("f", "x", "y", "z"), _choice("g", "p", "q"),
))  # fmt: skip

WORDS = SearchSpace(tuple(_choice(name, *"wxyz") for name in "abcdef"))


def valley(space: SearchSpace, rng: np.random.Generator) -> Loss:
    """Like short trainings: a valley in the learning rate that bends with depth and optimiser, a cliff behind it."""
    best = _peak(space, rng, low=0.25, high=0.65)
    penalties = {name: _penalties(len(space.by_name[name].values), rng) for name in ("activation", "norm", "optimiser")}
    shift = rng.uniform(-0.15, 0.15, 3)
    shift -= shift[penalties["optimiser"].argmin()]

    def truth(config: Config) -> float:
        at, words = space.encode(config), {name: _index(space, name, config) for name in penalties}
        rate = at[0] - best[0] + 0.2 * (at[4] - best[4]) - float(shift[words["optimiser"]])
        if rate > (0.25 if config["norm"] == "none" else 0.4):
            return math.inf
        size = 0.5 * (at[4] - best[4]) + 0.5 * (at[5] - best[5])
        smooth = 0.3 * (at[1] - best[1]) ** 2 + 0.2 * (at[2] - best[2]) ** 2 + 0.5 * (at[3] - best[3]) ** 2
        steep = 6.0 * rate**2 + (4.0 * max(0.0, rate)) ** 3
        return steep + 1.2 * size**2 + smooth + sum(float(penalties[n][i]) for n, i in words.items())

    return truth


def bowl(space: SearchSpace, rng: np.random.Generator, ripples: float = 0.0) -> Loss:
    """A bowl with unequal, rotated axes beside choices that add up."""
    best, d = np.array(_peak(space, rng)), len(space.parameters)
    weight = 10.0 ** rng.uniform(-1.0, 0.5, d)
    mix = np.eye(d) + 0.4 * rng.standard_normal((d, d)) / math.sqrt(d)
    ordered = np.array([p.ordered for p in space.parameters])
    penalties = {p.name: _penalties(len(p.values), rng) for p in space.parameters if not p.ordered}

    def truth(config: Config) -> float:
        z = mix @ np.where(ordered, np.array(space.encode(config)) - best, 0.0)
        words = sum(float(table[_index(space, name, config)]) for name, table in penalties.items())
        return float(weight @ z**2) + ripples * float(np.sum(1.0 - np.cos(9.0 * z))) / d + words

    return truth


def rippled(space: SearchSpace, rng: np.random.Generator) -> Loss:
    """A bowl with ripples, in which a corner fails: half of the neighbourhoods look like the best one."""
    smooth, corner = bowl(space, rng, ripples=0.3), rng.choice((0.0, 1.0), 2)

    def truth(config: Config) -> float:
        unit, loss = space.encode(config), smooth(config)
        return math.inf if loss > 0.2 and abs(unit[0] - corner[0]) + abs(unit[2] - corner[1]) < 0.5 else loss

    return truth


def rugged(space: SearchSpace, rng: np.random.Generator) -> Loss:
    """Words without any order, each tied to a neighbour, with a planted best (after Kauffman 1993)."""
    d, best = len(space.parameters), [int(rng.integers(len(p.values))) for p in space.parameters]
    tables = [
        rng.random((len(space.parameters[i].values), len(space.parameters[(i + 1) % d].values))) for i in range(d)
    ]
    for i, table in enumerate(tables):
        table[best[i], best[(i + 1) % d]] = 0.0

    def truth(config: Config) -> float:
        at = [_index(space, name, config) for name in space.names]
        return sum(float(table[at[i], at[(i + 1) % d]]) for i, table in enumerate(tables)) / d

    return truth


def _peak(space: SearchSpace, rng: np.random.Generator, low: float = 0.15, high: float = 0.85) -> Sequence[float]:
    """A point that a config can have exactly: the place of the best."""
    return space.encode(space.decode(rng.uniform(low, high, len(space.parameters)).tolist()))


def _penalties(count: int, rng: np.random.Generator) -> np.ndarray:
    table = rng.uniform(0.02, 0.3, count)
    table[rng.integers(count)] = 0.0
    return table


def _index(space: SearchSpace, name: str, config: Config) -> int:
    return space.by_name[name].values.index(config[name])


KINDS: dict[str, tuple[SearchSpace, Callable[[SearchSpace, np.random.Generator], Loss]]] = {
    "valley": (TRAINING, valley),
    "bowl": (MIXED, bowl),
    "rippled": (MIXED, rippled),
    "rugged": (WORDS, rugged),
}

FAMILIES: dict[str, tuple[str, ...]] = {"planted": tuple(KINDS), **{kind: (kind,) for kind in KINDS}}

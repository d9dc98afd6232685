"""Plain search loops for benchmarks/search.py: four workers, one proposer, no organisation.

A loop asks for a config whenever a worker is free and is told what came of it when it ends, in the world's own time.
It begins with the baseline, as a company does, and settles for the config of the smallest loss that it measured. Who
has tried every config of a small space goes on at random, on fresh seeds.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from company.compute.backend import Outcome
from company.planning import training_seed
from company.surrogates.world import World
from projects.spec import Config, Parameter, Project, config_hash
from roles.brains.offline import find_brain
from roles.observation import Observation, Result


@dataclass(frozen=True, slots=True)
class Run:
    """What a world trains."""

    config: Config
    seed: int
    steps: int
    cost: float
    attempt: int = 1
    micro_batch: int | None = None


class Proposer(Protocol):
    """Whoever says what is run next; `number` counts the runs of a search from 0, the baseline."""

    def ask(self, number: int) -> Config: ...

    def tell(self, number: int, config: Config, loss: float | None) -> None: ...


@dataclass(slots=True)
class Search:
    """One search: its runs in the order in which they ended, as (config, loss), None where a run failed."""

    project: Project
    seed: int
    runs: list[tuple[Config, float | None]] = field(default_factory=list)
    _asked: dict[str, int] = field(default_factory=dict)

    def order(self, config: Config) -> Run:
        """A run with the seed that a company's run of this config has; the next fresh one for a config tried before."""
        digest = config_hash(config)
        n = self._asked[digest] = self._asked.get(digest, -1) + 1
        return Run(config, training_seed(self.seed, "train", digest, n), *self.project.plan(config))

    def loss(self, outcome: Outcome) -> float | None:
        ok = outcome.status == "ok" and outcome.metric is not None and math.isfinite(outcome.metric)
        return self.project.metric.sign * outcome.metric if ok else None  # type: ignore[operator]

    def chosen(self) -> Config:
        """The config of the best run, the baseline where all failed."""
        done = [(loss, n) for n, (_, loss) in enumerate(self.runs) if loss is not None]
        return self.runs[min(done)[1]][0] if done else self.project.baseline


def search(world: World, proposer: Proposer, seed: int, evaluations: int, slots: int) -> Search:
    """Run `evaluations` full-length trainings on `slots` workers."""
    found, numbers = Search(world.project(), seed), itertools.count()
    running: list[tuple[float, int, Config, float | None]] = []
    at = 0.0
    while len(found.runs) < evaluations:
        while len(running) < slots and len(running) + len(found.runs) < evaluations:
            number = next(numbers)
            config = found.project.baseline if number == 0 else proposer.ask(number)
            run = found.order(dict(config))
            heapq.heappush(running, (at + world.seconds(run), number, run.config, found.loss(world.train(run))))
        at, number, config, loss = heapq.heappop(running)
        found.runs.append((config, loss))
        proposer.tell(number, config, loss)
    return found


class Brain:
    """A researcher's brain alone, who sees all results and what is under way."""

    def __init__(self, kind: str, world: World, seed: int) -> None:
        project = world.project()
        self._kind, self._settings = find_brain(kind), find_brain(kind).defaults()
        self._history: list[Result] = []
        self._pending: dict[int, tuple[float, ...]] = {0: project.space.encode(project.baseline)}
        self._seen = Observation(
            "d", "propose", "bob", "researcher", seed, 0, project.space, project.metric, project.baseline
        )

    def ask(self, number: int) -> Config:
        pending: Any = list(self._pending.values())
        now = replace(self._seen, turn=number, history=self._history, pending=pending)
        found = self._kind.suggest(now, self._settings, now.rng("propose"))
        config = found.config if found else now.space.sample(now.rng("again"))
        self._pending[number] = now.space.encode(config)
        return config

    def tell(self, number: int, config: Config, loss: float | None) -> None:
        unit = self._pending.pop(number)
        status, failure = ("ok", None) if loss is not None else ("failed", "diverged")
        self._history.append(Result(f"e{number:04d}", "bob", config, unit, status, loss, 1.0, failure))


class Optuna:
    """One of Optuna's samplers by ask and tell; what fails is told as failed."""

    def __init__(self, make: Callable[[Any, int], Any], world: World, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        project = world.project()
        self._space, self._failed = project.space, optuna.trial.TrialState.FAIL
        self._study = optuna.create_study(sampler=make(optuna.samplers, seed))
        self._study.enqueue_trial(dict(project.baseline))
        self._trials: dict[int, Any] = {}
        self.ask(0)

    def ask(self, number: int) -> Config:
        trial = self._trials[number] = self._study.ask()
        return {parameter.name: _suggested(trial, parameter) for parameter in self._space.parameters}

    def tell(self, number: int, config: Config, loss: float | None) -> None:
        trial = self._trials.pop(number)
        if loss is None:
            self._study.tell(trial, state=self._failed)
        else:
            self._study.tell(trial, loss)


def _suggested(trial: Any, parameter: Parameter) -> Any:
    if parameter.kind == "choice":
        return trial.suggest_categorical(parameter.name, parameter.values)
    if parameter.kind == "int":
        return trial.suggest_int(parameter.name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=parameter.log)


def _brain(kind: str) -> Callable[[World, int], Proposer]:
    return lambda world, seed: Brain(kind, world, seed)


def _optuna(make: Callable[[Any, int], Any]) -> Callable[[World, int], Proposer]:
    return lambda world, seed: Optuna(make, world, seed)


LOOPS: Mapping[str, Callable[[World, int], Proposer]] = {
    "greedy": _brain("hillclimb"),
    "random": _brain("random"),
    "tpe": _brain("tpe"),
    "gp": _brain("gp"),
    "evolution": _brain("evolution"),
    "optuna-tpe": _optuna(lambda samplers, seed: samplers.TPESampler(seed=seed, constant_liar=True)),
    "optuna-gp": _optuna(lambda samplers, seed: samplers.GPSampler(seed=seed)),
}

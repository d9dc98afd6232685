"""A world from a recording: the fitted model's metric with the noise, failures, curves and durations as recorded."""

from __future__ import annotations

import math
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from company.compute.backend import Outcome
from company.compute.tail import rung_steps
from company.surrogates.curves import Curves
from company.surrogates.failures import Failure, failures
from company.surrogates.fitting import Fit, fit, kept_fit, surrogate_of
from company.surrogates.model import Answer, Surrogate
from company.surrogates.recording import RUNGS, Recording, read_recording
from company.surrogates.world import normals
from company.virtual import Priced, Run
from projects.spec import Config, Project, Value

REMEMBERED = 4096  # configs whose answers are kept: a company comes back to few


class TableWorld:
    """A recorded project. The landscape is one and the same; a run's seed brings the noise in all that it measures."""

    def __init__(self, surrogate: Surrogate, found: Fit, name: str) -> None:
        self.name, self.fit, self.surrogate = name, found, surrogate
        self._curves = Curves(surrogate)
        self._names = surrogate.recording.space.names
        self._values = itemgetter(*self._names) if len(self._names) > 1 else lambda config: config[self._names[0]]
        self._known: dict[tuple[Value, ...] | Value, Answer] = {}
        self._project = _project(surrogate.recording, name)
        self._failures = failures(surrogate)

    def project(self) -> Project:
        """The recorded project, its cost table included, without files."""
        return self._project

    def train(self, run: Run) -> Outcome:
        """The predicted metric with the noise of the run's seed, and the nearest recorded curve brought to it."""
        answer, steps, z = self._answer(run.config), _steps(run.steps), _luck(run.seed)
        if failure := self._failure(answer, z[0]):
            seen = zip(steps, failure.curve, strict=False)
            curve = tuple((at, loss) for at, loss in seen if loss is not None)
            detail = f"as the nearest recorded training: {failure.kind}"
            return Outcome("failed", failure=failure.kind, detail=detail, curve=curve)
        loss = self.surrogate.loss(answer.z + answer.sd * z[1])
        seen = self._curves.of(answer.nearest, loss, run.seed)
        metric = self._project.metric.sign * float(f"{loss:.7g}")
        return Outcome("ok", metric=metric, curve=tuple(zip(steps, seen, strict=True)) if seen else ())

    def regret(self, config: Config) -> float:
        """(predicted loss - best) / (median - best), the best and median of the model itself."""
        answer = self._answer(config)
        if answer.failing > 0:
            return math.inf
        return max(0.0, self.surrogate.loss(answer.z) - self.fit.best) / (self.fit.median - self.fit.best)

    def seconds(self, run: Priced) -> float:
        """The cost table's seconds, times what this config took relative to others, times a seed's share.

        A run that fails takes the part of it that the nearest recorded failure took.
        """
        answer, z = self._answer(run.config), _luck(run.seed)
        failure = self._failure(answer, z[0])
        ratio = math.exp(answer.ratio + self.surrogate.ratio.spread * z[2])
        return run.cost * ratio * (failure.share if failure else 1.0)

    def _failure(self, answer: Answer, z: float) -> Failure | None:
        """How a run fails whose seed brings z, None where it does not."""
        fails = answer.failing + self.surrogate.failure.spread * z > 0
        return self._failures[answer.nearest] if fails else None

    def _answer(self, config: Config) -> Answer:
        key = self._values(config)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = self.surrogate.answer(config)
        return found


def table_world(path: Path) -> TableWorld:
    """The world of a recording's file, made once a process. Raises RecordingError in one line."""
    return _cached(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _cached(path: str, _changed: int) -> TableWorld:
    return world_of(read_recording(path))


def world_of(recording: Recording) -> TableWorld:
    """The world of a recording, fitted now if its file does not say how."""
    found = kept_fit(recording) or fit(recording)
    return TableWorld(surrogate_of(recording, found), found, recording.about.name)


@lru_cache(maxsize=16)
def _luck(seed: int) -> tuple[float, ...]:
    """What a run's seed brings: to whether it fails, to its metric and to how long it takes."""
    return tuple(normals(seed, b"recorded noise", 3))


@lru_cache(maxsize=8192)
def _steps(steps: int) -> tuple[int, ...]:
    return rung_steps(RUNGS, steps)


def _project(recording: Recording, name: str) -> Project:
    about = recording.about
    return Project(
        name=about.name, title=about.title or about.name, version=about.version, folder=Path(name),
        metric=recording.metric, space=recording.space, baseline=dict(about.baseline),
        budget_seconds=about.budget_seconds, costs=recording.costs, code_hash=about.hashes.get("code", ""),
        evaluator_hash=about.hashes.get("evaluator", ""),
    )  # fmt: skip

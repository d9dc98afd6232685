"""The project contract as types: search space, metric, limits and the project itself.

A project is a folder with `project.yaml`, an editable `train.py` and a sealed `evaluate.py`.
`projects/load.py` reads one; nothing here touches the disk.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from projects.canonical import canonical_encoder

Value = str | int | float | bool
Config = Mapping[str, Value]

_CANONICAL = canonical_encoder(ensure_ascii=True, allow_nan=True)
REMEMBERED = 4096  # configs whose points a space keeps: each is asked for several times
SIGNIFICANT_DIGITS = 3  # a config is read and compared by people: 0.00312, never 0.003124817


@dataclass(frozen=True, slots=True)
class Parameter:
    """One dimension of the search space.

    `kind` is "float" or "int" (with `low`, `high`, and `log` for a logarithmic scale) or "choice" (with `values`).
    `shape` marks a parameter that decides the cost of a step, so that the cost table is keyed by it.
    """

    name: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    values: tuple[Value, ...] = ()
    shape: bool = False
    about: str = ""

    @property
    def ordered(self) -> bool:
        """Whether nearby codes mean nearby behaviour: every kind but a choice between words."""
        return self.kind != "choice" or all(type(value) in (int, float) for value in self.values)

    @property
    def grid(self) -> tuple[Value, ...]:
        """Every value of a choice or an int; empty for a float."""
        if self.kind == "float":
            return ()
        return self.values or tuple(range(int(self.low), int(self.high) + 1))

    def contains(self, value: object) -> bool:
        """Whether `value` is of this parameter's type and within its range."""
        return self.checker()(value)

    def checker(self) -> Callable[[object], bool]:
        """`contains` with everything worked out that does not depend on the value."""
        if self.kind == "choice":
            known: dict[type, set[Value]] = {}
            for value in self.values:
                known.setdefault(type(value), set()).add(value)
            return lambda value: value in known.get(type(value), ())
        low, high, whole = self.low, self.high, self.kind == "int"

        def inside(value: object) -> bool:
            if type(value) is not float and (isinstance(value, bool) or not isinstance(value, (int, float))):
                return False
            return low <= value <= high and (not whole or value == int(value))  # no nan is within anything

        return inside

    def nearest(self, value: object) -> Value | None:
        """The value of this parameter that is nearest to `value`, None where there is nothing near about it."""
        if self.kind == "choice" and self.contains(value):
            return next(known for known in self.values if known == value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None
        if self.kind == "choice":
            return min(self.values, key=lambda known: abs(float(known) - value)) if self.ordered else None
        inside = min(self.high, max(self.low, float(value)))
        return round(inside) if self.kind == "int" else inside

    def encode(self, value: Value) -> float:
        """Map a value to [0, 1]: on the (log) scale for numbers, the middle of its cell for choices."""
        return self.encoder()(value)

    def decode(self, unit: float) -> Value:
        """Inverse of `encode` for any number; values outside [0, 1] are clipped. Floats keep three digits."""
        return self.decoder()(unit)

    def encoder(self) -> Callable[[Value], float]:
        """`encode` with everything worked out that does not depend on the value."""
        values, log = self.values, math.log
        if self.kind == "choice":
            count = len(values)
            return lambda value: (values.index(value) + 0.5) / count
        low, high = self._scale
        span = high - low
        if span <= 0:
            return lambda value: 0.5
        if self.log:
            return lambda value: (log(float(value)) - low) / span
        return lambda value: (float(value) - low) / span

    def decoder(self) -> Callable[[float], Value]:
        """`decode` likewise."""
        if self.kind == "choice":
            cells, count = (*self.values, self.values[-1]), len(self.values)  # the upper end is of the last cell
            return lambda unit: cells[int((unit if 0.0 <= unit <= 1.0 else _clipped(unit)) * count)]
        low, high = self._scale
        least, most, span, log, exp = self.low, self.high, high - low, self.log, math.exp
        if self.kind == "int":
            return lambda unit: int(min(most, max(least, round(_at(unit, low, span, log)))))
        form = f"%.{SIGNIFICANT_DIGITS}g"

        def number(unit: float) -> Value:
            at = low + (unit if 0.0 <= unit <= 1.0 else _clipped(unit)) * span
            value = float(form % (exp(at) if log else at))
            return value if least <= value <= most else min(most, max(least, value))

        return number

    @property
    def _scale(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)


def _clipped(unit: float) -> float:
    unit = float(unit)
    return unit if 0.0 <= unit <= 1.0 else min(1.0, max(0.0, unit))


def _at(unit: float, low: float, span: float, log: bool) -> float:
    at = low + _clipped(unit) * span
    return math.exp(at) if log else at


@dataclass(frozen=True)
class SearchSpace:
    """An ordered set of parameters; configs are plain mappings with exactly these names."""

    parameters: tuple[Parameter, ...]

    def __getstate__(self) -> dict[str, object]:
        return {"parameters": self.parameters}  # the rest is worked out again: closures do not pickle

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    def check(self, config: Mapping[str, object]) -> list[str]:
        """Everything wrong with a config, one sentence each; empty when it is inside the space."""
        if config.keys() == self.by_name.keys():
            for name, inside in self._checkers:
                if not inside(config[name]):
                    break
            else:
                return []
        problems = [f"'{name}' is missing" for name in self.names if name not in config]
        problems += [f"'{name}' is not a parameter" for name in config if name not in self.by_name]
        problems += [
            f"{name}={config[name]!r} is outside {describe_range(parameter)}"
            for name, parameter in self.by_name.items()
            if name in config and not parameter.contains(config[name])
        ]
        return problems

    def typed(self, config: Mapping[str, Any]) -> dict[str, Value]:
        """A config that `check` found nothing wrong with, in the space's order and types: 1 and 1.0 are one config."""
        return {name: config[name] if to is None else to(config[name]) for name, to in self._types}

    def encode(self, config: Config) -> tuple[float, ...]:
        """A config as a point of the unit cube, in the order of `parameters`."""
        values = tuple([config[name] for name in self.names])
        known = self._points.get(values)
        if known is None:
            if len(self._points) >= REMEMBERED:
                self._points.clear()
            known = tuple([encode(value) for encode, value in zip(self._encoders, values, strict=True)])
            self._points[values] = known
        return known

    def decode(self, units: Sequence[float]) -> dict[str, Value]:
        """The config nearest to a point; shape (len(parameters),)."""
        return {name: decode(unit) for (name, decode), unit in zip(self._decoders, units, strict=True)}

    @cached_property
    def _checkers(self) -> tuple[tuple[str, Callable[[object], bool]], ...]:
        return tuple((p.name, p.checker()) for p in self.parameters)

    @cached_property
    def _types(self) -> tuple[tuple[str, Callable[[Any], Value] | None], ...]:
        to: dict[str, Callable[[Any], Value] | None] = {"float": float, "int": int, "choice": None}
        return tuple((p.name, to[p.kind]) for p in self.parameters)

    @cached_property
    def _encoders(self) -> tuple[Callable[[Value], float], ...]:
        return tuple(p.encoder() for p in self.parameters)

    @cached_property
    def _points(self) -> dict[tuple[Value, ...], tuple[float, ...]]:
        return {}

    @cached_property
    def _decoders(self) -> tuple[tuple[str, Callable[[float], Value]], ...]:
        return tuple((p.name, p.decoder()) for p in self.parameters)

    def fitted(self, config: Config, otherwise: Config) -> dict[str, Value] | None:
        """A config of another space brought into this one, None where the two share no parameter that it can take over.

        Numbers go to the nearest value there is; what is missing, or a word that is unknown here, is as in `otherwise`.
        """
        taken = {p.name: value for p in self.parameters if (value := p.nearest(config.get(p.name))) is not None}
        return {p.name: taken.get(p.name, otherwise[p.name]) for p in self.parameters} if taken else None

    def sample(self, rng: np.random.Generator) -> dict[str, Value]:
        """A config drawn uniformly on the unit cube."""
        return self.decode(rng.random(len(self.parameters)).tolist())


def describe_range(parameter: Parameter) -> str:
    """The range of a parameter as a person would write it."""
    if parameter.kind == "choice":
        return "{" + ", ".join(str(value) for value in parameter.values) + "}"
    return f"[{parameter.low:g}, {parameter.high:g}]" + (" (log)" if parameter.log else "")


def config_hash(config: Config) -> str:
    """Content hash of a config: 12 hex digits of the sha256 of its canonical JSON."""
    return hashlib.sha256(_CANONICAL(dict(config)).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Metric:
    """What the evaluator measures. `sign` turns a metric into a loss: smaller is always better after it."""

    name: str
    unit: str = ""
    direction: Literal["min", "max"] = "min"

    @property
    def sign(self) -> float:
        return 1.0 if self.direction == "min" else -1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Guards around one training run. The budget itself is steps; `seconds` only ends what hangs."""

    memory_mb: int = 2048
    seconds: float = 120.0
    log_kb: int = 256
    disk_mb: int = 512


@dataclass(frozen=True, slots=True)
class CostTable:
    """Reference cost of a training step, measured once by `loopworks project calibrate` and kept with the project.

    step = base[values of the shape parameters] * product of factors[parameter][value]; seconds on the reference
    machine named in `machine`. `overhead` is what a run costs beside its steps (start, data, writing the model);
    `evaluation` what measuring the model costs, by the values of `evaluation_keys`.
    """

    version: int
    machine: str
    keys: tuple[str, ...]
    base: Mapping[str, float]
    factors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    overhead: float = 0.0
    evaluation_keys: tuple[str, ...] = ()
    evaluation: Mapping[str, float] = field(default_factory=dict)

    def key(self, config: Config) -> str:
        return "/".join([str(config[name]) for name in self.keys])

    def fixed_seconds(self, config: Config) -> float:
        """Reference seconds of a run beside its steps: overhead and evaluation."""
        known = self.evaluation.get("/".join([str(config[name]) for name in self.evaluation_keys]))
        return self.overhead + (max(self.evaluation.values(), default=0.0) if known is None else known)

    def step_seconds(self, config: Config) -> float:
        """Reference seconds of one optimiser step. A shape that was never measured costs as the dearest that was."""
        known = self.base.get(self.key(config))
        seconds = max(self.base.values()) if known is None else known
        for name, by_value in self.factors.items():
            seconds *= by_value.get(str(config[name]), 1.0)
        return seconds


@dataclass(frozen=True)
class Project:
    """A training task, complete: where it is, what may change, how it is measured and what a run may cost."""

    name: str
    title: str
    version: int
    folder: Path
    metric: Metric
    space: SearchSpace
    baseline: Mapping[str, Value]
    budget_seconds: float
    costs: CostTable
    limits: Limits = Limits()
    editable: tuple[str, ...] = ("train.py",)  # what the company may change
    imports: tuple[str, ...] = ()  # what changed code may import beyond company/patching/code.py's list
    max_lines: int = 1000  # of all editable files together
    micro_batch: str | None = None  # the parameter that a smaller micro batch divides, if train.py supports it
    preload: tuple[str, ...] = ()  # what every run imports: warm workers have it loaded; () for torch
    references: Mapping[str, float] = field(default_factory=dict)  # e.g. gzip: 2.1, shown beside the metric
    code_hash: str = ""  # sha256 over the editable files
    evaluator_hash: str = ""  # sha256 over evaluate.py and the other sealed files
    code: Mapping[str, str] = field(default_factory=dict)  # the text of the editable files; {} where there are none

    def steps(self, config: Config, seconds: float | None = None) -> int:
        """Optimiser steps that the reference machine does in `seconds` (default: the project's budget); at least 1."""
        left = (self.budget_seconds if seconds is None else seconds) - self.costs.fixed_seconds(config)
        return max(1, int(left / self.costs.step_seconds(config)))

    def plan(self, config: Config) -> tuple[int, float]:
        """Steps of a run at the project's budget, and the reference seconds that it holds a slot."""
        fixed, step = self.costs.fixed_seconds(config), self.costs.step_seconds(config)
        steps = max(1, int((self.budget_seconds - fixed) / step))
        return steps, fixed + steps * step

    def predicted_seconds(self, config: Config, steps: int) -> float:
        """Reference seconds that a run of `steps` holds a slot."""
        return self.costs.fixed_seconds(config) + steps * self.costs.step_seconds(config)

"""A project as plain JSON: what the ledger keeps of it, so that a run can be read where the project is gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from projects.spec import Metric, Parameter, Project, SearchSpace


def describe(project: Project, data_hash: str = "") -> dict[str, Any]:
    """Everything of a project that decisions rest on, and the hashes that results are bound to."""
    return {
        "name": project.name,
        "title": project.title,
        "version": project.version,
        "metric": dataclasses.asdict(project.metric),
        "space": [_parameter(parameter) for parameter in project.space.parameters],
        "baseline": dict(project.baseline),
        "budget_seconds": project.budget_seconds,
        "costs_version": project.costs.version,
        "micro_batch": project.micro_batch,
        "references": dict(project.references),
        "code_hash": project.code_hash,
        "evaluator_hash": project.evaluator_hash,
        "data_hash": data_hash,
    }


_PARAMETER = tuple(field.name for field in dataclasses.fields(Parameter))


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {**{name: getattr(parameter, name) for name in _PARAMETER}, "values": list(parameter.values)}


def space_of(brief: Mapping[str, Any]) -> SearchSpace:
    """The search space that `describe` wrote down; the same one for all who ask."""
    parameters = tuple(Parameter(**{**p, "values": tuple(p["values"])}) for p in brief["space"])
    return _space(parameters, tuple(tuple(map(type, parameter.values)) for parameter in parameters))


@lru_cache(maxsize=32)
def _space(parameters: tuple[Parameter, ...], _types: tuple[tuple[type, ...], ...]) -> SearchSpace:
    """`_types` because True is 1 to a cache and not to a space."""
    return SearchSpace(parameters)


def metric_of(brief: Mapping[str, Any]) -> Metric:
    """The metric that `describe` wrote down."""
    return Metric(**brief["metric"])

"""The org chart: who sits where, who answers to whom, and how the company decides.

`company/chart_yaml.py` reads and writes one; nothing here touches the disk. An OrgChart that exists is sound: one
root, no cycles, every name known. A change makes a new one (`model_copy(update=...)`), checked in the same way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from company.brain_kinds import DEFAULT_BRAINS, MODEL_KINDS, kind_key
from company.chart_problems import ChartError, Finding, Problem
from company.chart_semantics import find_problems
from company.policies import Frozen, Line, Policies, Real, Switch, Whole, plain_line
from company.structure import Structure

if TYPE_CHECKING:
    import networkx

__all__ = [
    "BrainSpec", "Budget", "ChartError", "Edges", "OrgChart", "Policies", "Position", "Problem", "Start", "Talent",
    "TalentRecord",
]  # fmt: skip

Role = Literal["manager", "researcher", "engineer", "reviewer"]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]  # AutoGen wants identifiers
Sigmas = Annotated[Real, Field(ge=-1000, le=1000)]  # compressed: more than the largest float could come to

CHART_ERROR = "org_chart"  # the type of the pydantic error that carries what chart_semantics found


def _scalar(value: Any, depth: int = 2) -> Any:
    if isinstance(value, str):
        return plain_line(value)
    if isinstance(value, Mapping) and depth:  # a model's price and escalation; chart_semantics knows where they belong
        return {str(key): _scalar(item, depth - 1) for key, item in value.items()}
    if not isinstance(value, (bool, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("a brain's setting must be a number, a word, true or false")
    return value


class BrainSpec(Frozen):
    """What decides for an agent: a bare word in YAML, or a mapping of `kind` (of a model `provider`) and settings."""

    kind: Line
    params: Mapping[str, Annotated[Any, AfterValidator(_scalar)]] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"kind": data}
        if isinstance(data, Mapping) and not isinstance(data.get("params"), Mapping):
            word = kind_key(data)
            kind = {"kind": data[word]} if word in data else {}
            return {**kind, "params": {key: value for key, value in data.items() if key != word}}
        return data

    @model_serializer
    def _word(self) -> Any:
        word = "provider" if self.kind in MODEL_KINDS else "kind"
        return {word: self.kind, **self.params} if self.params else self.kind

    @classmethod
    def __get_pydantic_json_schema__(cls, _core: Any, _handler: Any) -> dict[str, Any]:
        from company.chart_schema import brain_schema

        return brain_schema()


class Position(Frozen):
    """A seat in the chart. Agents come and go; the position stays."""

    id: Id = Field(description="a short name, unique in the chart: lower-case letters, digits and _")
    title: Line = Field(default="", description="what a screen shows; the id when left out")
    role: Role = Field(description="manager, researcher, engineer or reviewer")
    reports_to: Id | None = Field(default=None, description="the id of its manager; left out for the root only")
    brain: BrainSpec | None = Field(default=None, description="what decides for it; left out: the role's default")

    @property
    def name(self) -> str:
        return self.title or self.id

    @property
    def effective_brain(self) -> BrainSpec:
        """The brain, or the role's default."""
        return self.brain or BrainSpec(kind=DEFAULT_BRAINS[self.role])


class TalentRecord(Frozen):
    """What an earlier run found a candidate to be worth: the posterior of company/appraisal.py."""

    project: Annotated[Line, Field(min_length=1)] = Field(description="the project of that run, by its name")
    n: Whole = Field(ge=1, description="how many of its experiments that rests on")
    worth: Sigmas = Field(description="worth of a full-length run, in compressed sigmas beside its colleagues")
    low: Sigmas = Field(description="where the 90 % interval of the worth begins")
    high: Sigmas = Field(description="where it ends")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.worth <= self.high:
            raise ValueError("the worth of a record must lie between its low and its high")
        return self


class Talent(Frozen):
    """A kind of candidate who can be hired, and how many of them."""

    role: Role = Field(description="the role that the candidate can fill")
    brain: BrainSpec | None = Field(
        default=None, description="what decides for the candidate; left out: the role's default"
    )
    count: Whole = Field(default=1, ge=1, le=1000, description="how many such candidates there are")
    name: Line = Field(default="", description="what a screen shows of the candidate")
    record: tuple[TalentRecord, ...] = Field(
        default=(), description="what earlier runs found it to be worth; who is expected to give most is hired first",
        max_length=1000,
    )  # fmt: skip

    @property
    def effective_brain(self) -> BrainSpec:
        """The brain, or the role's default."""
        return self.brain or BrainSpec(kind=DEFAULT_BRAINS[self.role])


class Start(Frozen):
    """A config that is tried before any brain is asked: what did well elsewhere, or what a person is curious of."""

    config: Annotated[Mapping[str, Annotated[Any, AfterValidator(_scalar)]], Field(min_length=1)] = Field(
        description="values by parameter; what the project does not have is left out, what is missing its baseline's"
    )
    origin: Line = Field(default="", description="where it did well")


class Budget(Frozen):
    """What the company may spend; whichever ends first."""

    experiments: Whole | None = Field(
        default=None,
        ge=1,
        description="full-length training runs of research; one stopped early counts by what it used",
    )
    slot_seconds: Real | None = Field(default=None, gt=0, description="seconds of a slot, summed over slots")
    tokens: Whole | None = Field(
        default=None, ge=1, description="tokens of language models, read and written; research ends with them"
    )
    usd: Real | None = Field(
        default=None, gt=0, description="US dollars for language models, by the prices that their brains name"
    )


class Edges(Frozen):
    """Who sees whose results, pair by pair; both ways unless they are directed."""

    edges: tuple[tuple[Id, Id], ...] = Field(description="pairs of position ids", max_length=100_000)
    directed: Switch = Field(default=False, description="the first of a pair sees the second, not the other way round")


def _form(value: Any) -> str:
    return "edges" if isinstance(value, (Mapping, BaseModel)) else "word"


Communication = Annotated[
    Annotated[Literal["team", "chart", "complete", "ring", "solo"], Tag("word")] | Annotated[Edges, Tag("edges")],
    Discriminator(_form),
    Field(description="who sees whose results: team, chart, complete, ring, solo, or {edges: [[a, b], ...]}"),
]


def plain_text(text: str) -> str:
    """As plain_line, but of several lines."""
    plain_line(text.replace("\n", " "))
    return text


class OrgChart(Frozen):
    """A company as its founder wrote it. Every position is named by its id in all questions and answers."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    company: Annotated[Line, Field(min_length=1)] = Field(description="the company's name")
    mission: Annotated[str, Field(max_length=4000), AfterValidator(plain_text)] = Field(
        "", description="what everyone is told the company is for"
    )
    budget: Budget = Field(default=Budget(experiments=40), description="what may be spent; whichever ends first")
    communication: Communication = "team"
    policies: Policies = Field(default=Policies(), description="how the company decides")
    positions: tuple[Position, ...] = Field(description="the seats", min_length=1, max_length=2000)
    talent: tuple[Talent, ...] = Field(default=(), description="who can be hired", max_length=1000)
    starts: tuple[Start, ...] = Field(
        default=(), description="configs to try first; `loopworks run --memory DIR` adds the best of earlier runs",
        max_length=100,
    )  # fmt: skip

    @model_validator(mode="after")
    def _sound(self) -> Self:
        found = find_problems(self.to_dict())
        if found:
            text = "; ".join(finding.message for finding in found)
            raise PydanticCustomError(CHART_ERROR, "{problems}", {"problems": text})
        return self

    def to_dict(self, *, compact: bool = False) -> dict[str, Any]:
        """The chart as plain JSON types, which from_dict reads back; `compact` leaves out what is at its default."""
        return self.model_dump(mode="json", exclude_none=True, exclude_defaults=compact)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "chart") -> OrgChart:
        """Build a chart from plain data. Raises ChartError with all problems (without lines)."""
        try:
            return cls.model_validate(data)
        except ValidationError:
            from company.chart_check import check

            raise ChartError(_without_place(found, source) for found in check(data)) from None

    @cached_property
    def structure(self) -> Structure:
        sight, reviewers = self.communication, self.policies.review.leaves()
        if isinstance(sight, str):
            return Structure(self.positions, sight, reviewers)
        return Structure(self.positions, sight.edges, reviewers, directed=sight.directed)

    @cached_property
    def _by_id(self) -> dict[str, Position]:
        return {position.id: position for position in self.positions}

    @property
    def root(self) -> str:
        """Who answers to nobody."""
        return self.structure.root

    def position(self, id: str) -> Position:
        """One seat. Raises KeyError for an unknown id, as all questions below do."""
        return self._by_id[id]

    def reports(self, id: str) -> tuple[str, ...]:
        """Direct reports."""
        return self.structure.reports[id]

    def manager_of(self, id: str) -> str | None:
        """The manager, None for the root."""
        return self.structure.manager[id]

    def team(self, id: str) -> tuple[str, ...]:
        """Those who share a manager with `id`, itself included."""
        return self.structure.team(id)

    def chain(self, id: str) -> tuple[str, ...]:
        """Managers from the nearest up to the root; empty for the root."""
        return self.structure.chains[id]

    def by_role(self, role: str) -> tuple[str, ...]:
        """Everyone of a role."""
        return tuple(position.id for position in self.positions if position.role == role)

    def managers_top_down(self) -> tuple[str, ...]:
        """Managers, level by level from the root."""
        return tuple(name for name in self.structure.top_down if self.structure.roles[name] == "manager")

    def visible_to(self, id: str) -> frozenset[str]:
        """Whose results `id` sees under the chart's communication, its own included."""
        return self.structure.visible_to(id)

    def sees(self, a: str, b: str) -> bool:
        """Whether `a` sees the results of `b`."""
        return b in self.visible_to(a)

    def reviewers_for(self, id: str) -> tuple[str, ...]:
        """Those `policies.review.of` names, else the reviewers nearest up the chain; empty when there are none."""
        return self.structure.reviewers_for(id)

    def graph(self) -> networkx.DiGraph:
        """Manager -> report edges, with each position's role and title on its node."""
        import networkx

        graph = networkx.DiGraph()
        for seat in self.positions:
            graph.add_node(seat.id, role=seat.role, title=seat.name)
        graph.add_edges_from((seat.reports_to, seat.id) for seat in self.positions if seat.reports_to)
        return graph


def shared_chart(data: Mapping[str, Any]) -> OrgChart:
    """`OrgChart.from_dict` for data that was a chart before, checked once a process: charts never change."""
    return _shared(json.dumps(data, sort_keys=True))


@lru_cache(maxsize=256)
def _shared(text: str) -> OrgChart:
    return OrgChart.from_dict(json.loads(text))


def _without_place(found: Finding, source: str) -> Problem:
    where = ".".join(map(str, found.path))
    nested = len(found.path) > 1  # at the top the message names the place itself
    return Problem(source, 0, 0, f"{where}: {found.message}" if nested else found.message)

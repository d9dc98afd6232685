"""The `policies:` block of a chart: how the company decides, as plain frozen settings with their defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from company.chart_problems import unprintable

Whole = Annotated[int, Field(strict=True, le=1_000_000_000)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Switch = Annotated[bool, Field(strict=True)]

_K_OF_N = re.compile(r"([1-9][0-9]?)-of-([1-9][0-9]?)")


class Frozen(BaseModel):
    """A chart or a part of one: it cannot change, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A changed copy, checked like any other (pydantic's own checks nothing and keeps cached answers)."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**fields, **(update or {})})


def plain_line(text: str) -> str:
    """Refuse text that a terminal would act on. Raises ValueError."""
    if any(unprintable(char) for char in text):
        raise ValueError("has a control character; use plain text")
    return text


Line = Annotated[str, Field(max_length=200), AfterValidator(plain_line)]


def k_of_n(rule: str) -> tuple[int, int] | None:
    """(2, 3) for "2-of-3"; None for a word."""
    match = _K_OF_N.fullmatch(rule)
    return (int(match[1]), int(match[2])) if match else None


def _branch(value: Any) -> str:
    return "nested" if isinstance(value, (dict, BaseModel)) else "reviewer"


class ReviewRule(Frozen):
    """Who must approve a proposal before it runs."""

    rule: Annotated[
        str,
        Field(
            description="single (one reviewer, in turn), all, any, or k-of-n such as 2-of-3",
            json_schema_extra={"pattern": "^(single|all|any|[1-9][0-9]?-of-[1-9][0-9]?)$"},
        ),
    ] = "single"
    of: Annotated[
        tuple[
            Annotated[Annotated[str, Tag("reviewer")] | Annotated[ReviewRule, Tag("nested")], Discriminator(_branch)],
            ...,
        ],
        Field(
            description="reviewers by id, or nested rules; left out: the reviewers nearest up the chart", max_length=99
        ),
    ] = ()

    @field_validator("rule")
    @classmethod
    def _known(cls, rule: str) -> str:
        counts = k_of_n(rule)
        if counts is None and rule not in ("single", "all", "any"):
            raise ValueError(f"{rule[:40]!r} is not a review rule: single, all, any or k-of-n such as 2-of-3")
        if counts and counts[0] > counts[1]:
            raise ValueError(f"{rule!r} asks for more approvals than there are votes")
        return rule

    def leaves(self) -> tuple[str, ...]:
        """The reviewers that `of` names, nested ones included, each once, in order."""
        names = (name for part in self.of for name in ((part,) if isinstance(part, str) else part.leaves()))
        return tuple(dict.fromkeys(names))


class AcceptPolicy(Frozen):
    """When a better run makes a new champion."""

    rule: Literal["replicate", "greedy"] = Field(
        default="replicate",
        description="replicate: beyond noise on fresh seeds; greedy: the first better run (the control)",
    )
    fresh_seeds: Whole = Field(
        default=3,
        ge=1,
        le=100,
        description="most fresh seeds a candidate may need; it is judged after each",
    )
    p: Real = Field(default=0.05, gt=0, le=0.5, description="how often a champion that nothing beats may be replaced")
    screen: Real = Field(
        default=1.0, ge=0, le=100, description="gain that a first run must show, in sigmas of the noise"
    )
    finals: Real = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="share of the budget kept to rerun the best at the end and choose among them; 0: none",
    )
    simpler: Switch = Field(
        default=True, description="a patch that removes code is champion when it is no worse beyond noise"
    )


class FoundPolicy(Frozen):
    """What is measured before anyone is judged."""

    baselines: Whole = Field(default=5, ge=2, le=1000, description="baseline runs that measure the project's noise")


class ClosePolicy(Frozen):
    """The one look at the sealed holdout."""

    seeds: Whole = Field(default=5, ge=2, le=1000, description="fresh seeds for champion and baseline on the holdout")


class AssignPolicy(Frozen):
    """How a manager divides the compute."""

    every: Whole = Field(default=6, ge=1, description="experiments between two plans of a manager")
    ahead: Whole = Field(
        default=0, ge=0, le=100, description="proposals kept waiting for a slot, beyond one for each slot"
    )
    share: Literal["bandit", "equal"] = Field(
        default="bandit", description="bandit: compute moves toward what pays; equal: the control"
    )


class WatchPolicy(Frozen):
    """When an engineer stops a running experiment."""

    rule: Literal["forecast", "median", "never"] = Field(
        default="forecast",
        description="forecast: stop what will hardly end in the best fifth, so far as early losses told the end of "
        "the runs that finished; median: stop what is worse than half of the others; never: the control",
    )
    rungs: Annotated[
        tuple[Annotated[Real, Field(gt=0, lt=1)], ...],
        Field(min_length=1, max_length=20, description="shares of the budget at which a run is looked at, increasing"),
    ] = (0.25, 0.5)
    after: Whole = Field(default=8, ge=1, description="finished runs needed before any is stopped")

    @field_validator("rungs")
    @classmethod
    def _increasing(cls, rungs: tuple[float, ...]) -> tuple[float, ...]:
        if any(later <= earlier for earlier, later in pairwise(rungs)):
            raise ValueError("rungs must increase, such as [0.25, 0.5]")
        return rungs


class RepairPolicy(Frozen):
    """What an engineer may do about code that fails."""

    patches: Whole = Field(default=2, ge=0, le=20, description="repairs of the code of one experiment that are tried")


class AppraisePolicy(Frozen):
    """How often people are judged."""

    every: Whole = Field(default=8, ge=0, description="experiments between appraisals; 0 turns them off")
    after: Whole = Field(default=4, ge=1, description="least finished experiments of an agent before it is judged")


def _below(value: Any) -> str:
    return "word" if isinstance(value, str) else "number"


class ReplacePolicy(Frozen):
    """Who is let go for someone from the talent pool."""

    rule: Literal["posterior", "never", "random", "bottom"] = Field(
        default="posterior", description="posterior: on evidence; never, random and bottom are the controls"
    )
    below: Annotated[
        Annotated[Literal["replacement"], Tag("word")] | Annotated[Real, Tag("number")],
        Discriminator(_below),
        Field(
            description="the worth to fall under: replacement (what the pool would give); a number of sigmas acts later"
        ),
    ] = "replacement"
    confidence: Real = Field(default=0.7, gt=0.5, lt=1, description="probability of being below that is needed")
    coach_first: Switch = Field(default=True, description="coach and set a written target before replacing")
    probation: Whole = Field(default=2, ge=1, le=1000, description="results on probation before it is judged again")


class HirePolicy(Frozen):
    """How somebody from the talent pool comes to a position for good."""

    trial: Whole = Field(
        default=0,
        ge=0,
        le=1000,
        description="proposals, paid from the budget, in which a replacement must prove better than who left; 0: none",
    )


class PromotePolicy(Frozen):
    """Who becomes a manager, looked at when the structure is; checked and undone like any other change."""

    rule: Literal["never", "merit", "random", "best-worst"] = Field(
        default="never",
        description="merit: who is worth most in the seat, where that pays; never, random and best-worst are controls",
    )


class ReorganisePolicy(Frozen):
    """When teams change shape: on evidence, with a prediction, a check and an undo when it did not pay."""

    rule: Literal["never", "evidence", "random", "bottom"] = Field(
        default="never", description="evidence; never, random and bottom (closes the worst team) are the controls"
    )
    every: Whole = Field(default=3, ge=1, description="appraisals between two looks at the structure")
    max_span: Whole = Field(default=7, ge=2, le=1000, description="reports that one manager can decide for")
    undo_after: Whole = Field(
        default=12, ge=1, description="experiments after which a change that did not pay is undone"
    )


class ApprovePolicy(Frozen):
    """Which acts wait for a person. With nobody there an act is refused at the next appraisal, never done."""

    replace: Literal["manager", "human"] = Field(default="manager", description="who may let an agent go")
    reorganise: Literal["manager", "human"] = Field(default="manager", description="who may change the structure")


class Policies(Frozen):
    """How the company decides. Everything has a default; the controls make the value of deciding measurable."""

    review: ReviewRule = Field(default=ReviewRule(), description="who must approve a proposal before it runs")
    accept: AcceptPolicy = Field(default=AcceptPolicy(), description="when a better run makes a new champion")
    found: FoundPolicy = Field(default=FoundPolicy(), description="what is measured before anyone is judged")
    close: ClosePolicy = Field(default=ClosePolicy(), description="the one look at the sealed holdout")
    assign: AssignPolicy = Field(default=AssignPolicy(), description="how a manager divides the compute")
    watch: WatchPolicy = Field(default=WatchPolicy(), description="when an engineer stops a running experiment")
    repair: RepairPolicy = Field(default=RepairPolicy(), description="what an engineer may do about code that fails")
    appraise: AppraisePolicy = Field(default=AppraisePolicy(), description="how often people are judged")
    replace: ReplacePolicy = Field(
        default=ReplacePolicy(), description="who is let go for someone from the talent pool"
    )
    hire: HirePolicy = Field(default=HirePolicy(), description="how a replacement comes to a position for good")
    approve: ApprovePolicy = Field(default=ApprovePolicy(), description="which acts wait for a person")
    promote: PromotePolicy = Field(default=PromotePolicy(), description="who becomes a manager")
    reorganise: ReorganisePolicy = Field(default=ReorganisePolicy(), description="when teams change shape")

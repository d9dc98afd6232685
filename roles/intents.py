"""What an agent may decide. An intent is recorded and handed to the engine; deciding never carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = str  # free text from an agent: untrusted, cut by the engine, never interpreted

FailureKind = Literal["diverged", "out_of_memory", "timeout", "crash", "bad_output", "evaluation", "infrastructure"]


class Intent(BaseModel):
    """A decision of one agent. Frozen; extra fields are refused so that a model's slip is seen, not swallowed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tasks: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def kind(cls) -> str:
        return cls.__name__


class Propose(Intent):
    """Run this config next."""

    tasks = ("propose",)
    config: Mapping[str, str | int | float | bool] = Field(description="one value for every parameter of the space")
    predicted: float | None = Field(default=None, description="the metric you expect")
    reason: Text = ""


class Patch(Intent):
    """Change the training code, and run that next (or run a failed experiment again with it)."""

    tasks = ("propose", "repair")
    patch: Text = Field(
        description="search-and-replace blocks (<<<<<<< SEARCH, =======, >>>>>>> REPLACE) or a unified diff against the"
        " code that you are shown; what is searched must be there exactly once"
    )
    config: Mapping[str, str | int | float | bool] = Field(
        default={}, description="parameters to change with it; the others stay as the champion has them"
    )
    predicted: float | None = Field(default=None, description="the metric you expect")
    reason: Text = ""


class Note(Intent):
    """Write a finding or a dead end into the notebook that your colleagues are shown."""

    tasks = ("propose", "repair", "verdict", "plan")
    text: Text = Field(description="one or two sentences: what was tried, under what, and what came of it")


class Approve(Intent):
    """Let the proposal run."""

    tasks = ("review",)
    p_improves: float = Field(ge=0, le=1, description="your probability that it beats the champion beyond noise")
    reason: Text = ""


class Refuse(Intent):
    """Do not spend a slot on the proposal."""

    tasks = ("review",)
    p_improves: float = Field(ge=0, le=1, description="your probability that it beats the champion beyond noise")
    reason: Text = ""


class Build(Intent):
    """How to run an approved experiment. `micro_batch` None means the whole batch at once."""

    tasks = ("build",)
    micro_batch: int | None = Field(default=None, ge=1)
    device: Literal["cpu", "cuda"] = "cpu"
    reason: Text = ""


class Retry(Intent):
    """Run a failed experiment again, built differently."""

    tasks = ("repair",)
    micro_batch: int | None = Field(default=None, ge=1)
    reason: Text = ""


class GiveUp(Intent):
    """Accept the failure, and say of which kind it is."""

    tasks = ("repair",)
    failure: FailureKind
    reason: Text = ""


class Stop(Intent):
    """End a running experiment: its learning curve says that it is hopeless."""

    tasks = ("watch",)
    reason: Text = ""


class Continue(Intent):
    """Let a running experiment go on."""

    tasks = ("watch",)
    reason: Text = ""


class Verdict(Intent):
    """What a finished experiment showed. Only `promising` ones are replicated on fresh seeds."""

    tasks = ("verdict",)
    outcome: Literal["promising", "noise", "worse", "failed"]
    p_real: float = Field(ge=0, le=1, description="your probability that replication confirms the gain")
    reason: Text = ""


class Assign(Intent):
    """A directive and a share of the manager's compute for one direct report."""

    tasks = ("plan",)
    agent: str
    share: float = Field(ge=0, le=1)
    directive: Literal["explore", "refine", "free"] = "free"
    focus: tuple[str, ...] = Field(default=(), description="parameters to concentrate on; empty for all")
    reason: Text = ""


class Digest(Intent):
    """A short account of the team for the manager's own manager."""

    tasks = ("plan",)
    text: Text


class Coach(Intent):
    """Put a report on probation: the engine sets the target by the replacement level; this is the help it gets."""

    tasks = ("appraise",)
    agent: str
    directive: Literal["explore", "refine", "free"] | None = None
    params: Mapping[str, float] = Field(default={}, description="settings of its brain to change")
    advice: Text = ""
    because: Text = ""


class Replace(Intent):
    """Let a report go and fill the position from the talent pool."""

    tasks = ("appraise",)
    agent: str
    because: Text = ""


class Keep(Intent):
    """Appraised, and nothing to change."""

    tasks = ("appraise",)
    agent: str
    because: Text = ""


INTENTS: dict[str, type[Intent]] = {
    intent.kind(): intent
    for intent in (
        Propose, Patch, Note, Approve, Refuse, Build, Retry, GiveUp, Stop, Continue, Verdict,
        Assign, Digest, Coach, Replace, Keep,
    )
}  # fmt: skip

ROLE_OF_TASK: dict[str, str] = {
    "propose": "researcher",
    "review": "reviewer",
    "verdict": "reviewer",
    "build": "engineer",
    "repair": "engineer",
    "watch": "engineer",
    "plan": "manager",
    "appraise": "manager",
}


def intents_for(task: str) -> tuple[type[Intent], ...]:
    """The intents that a decision on `task` may carry, in the order of INTENTS."""
    return tuple(intent for intent in INTENTS.values() if task in intent.tasks)

"""Which brains a chart may name for each role. A static table, so that checking a chart imports no optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from roles.brains.llm.settings import PROVIDERS

ROLE_NAMES: tuple[str, ...] = ("manager", "researcher", "engineer", "reviewer")
ENTRY_POINTS = "loopworks.brains"  # a distribution adds a researcher brain by an entry point of this group


@dataclass(frozen=True, slots=True)
class Setting:
    """One number that a brain can be given beside its kind."""

    low: float
    high: float
    about: str


@dataclass(frozen=True, slots=True)
class BrainKind:
    """What a screen says of a kind, and the settings it takes. `open` kinds come from elsewhere and take any."""

    about: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    open: bool = False

    def takes(self, setting: str, value: float) -> bool:
        """Whether a setting of that name may have that value."""
        known = self.settings.get(setting)
        return self.open if known is None else known.low <= value <= known.high


# A copy of what roles/brains/offline.py registers (numpy is slow to import); a test holds the two equal.
RESEARCHER_KINDS: dict[str, BrainKind] = {
    "random": BrainKind("draws configs at random: the control"),
    "hillclimb": BrainKind(
        "changes a little of the best config so far and keeps what is better",
        {"step": Setting(0.001, 1.0, "size of a change, as a share of a parameter's range")},
    ),
    "mutator": BrainKind(
        "changes a number or an activation in the training code, or climbs hills: patches without a model",
        {"share": Setting(0.0, 1.0, "share of its proposals that change the code")},
    ),
    "evolution": BrainKind(
        "breeds the best configs: tournament, crossover, small mutations",
        {
            "start": Setting(1, 200, "finished configs before breeding begins"),
            "parents": Setting(1, 200, "how many of the best may breed"),
            "crossover": Setting(0.0, 1.0, "probability of a second parent"),
            "step": Setting(0.001, 1.0, "size of a mutation, as a share of a parameter's range"),
        },
    ),
    "tpe": BrainKind(
        "models where good configs lie and where the rest lie, and goes where they differ most",
        {
            "start": Setting(1, 200, "finished configs before the model speaks"),
            "good": Setting(0.01, 0.9, "share of the record that counts as good"),
            "width": Setting(0.01, 1.0, "width of the kernels, as a share of a parameter's range"),
            "candidates": Setting(1, 2000, "draws among which the best is taken"),
            "prior": Setting(0.01, 100.0, "weight of the uniform prior, in configs"),
        },
    ),
    "gp": BrainKind(
        "models the loss with a Gaussian process and maximises the expected improvement",
        {
            "start": Setting(2, 200, "finished configs before the model speaks"),
            "candidates": Setting(8, 5000, "points at which the improvement is looked at"),
            "cap": Setting(10, 1000, "configs that the model keeps: the best half and the latest"),
        },
    ),
}

POLICY = BrainKind("the role's own offline policy")

BRAIN_KINDS: dict[str, dict[str, BrainKind]] = {
    "manager": {"policy": POLICY},
    "researcher": RESEARCHER_KINDS,
    "engineer": {"policy": POLICY},
    "reviewer": {"policy": POLICY},
}

DEFAULT_BRAINS: dict[str, str] = {
    "manager": "policy",
    "researcher": "tpe",
    "engineer": "policy",
    "reviewer": "policy",
}


# Every role may have a language model; what it takes is in roles/brains/llm/settings.py. A coach may change what
# stands here.
MODEL_KINDS: dict[str, BrainKind] = {
    name: BrainKind(provider.about, {"temperature": Setting(0.0, 2.0, "how freely it answers")})
    for name, provider in PROVIDERS.items()
}


def kind_key(brain: Mapping[str, object]) -> str:
    """The key under which a brain's mapping names its kind: `provider` for language models, else `kind`."""
    return "provider" if "provider" in brain and "kind" not in brain else "kind"


def kinds_for(role: str) -> dict[str, BrainKind]:
    """The brains that `role` may have, those added by entry points included. Empty for an unknown role."""
    known = BRAIN_KINDS.get(role)
    if known is None:
        return {}
    return {**(_added() if role == "researcher" else {}), **known, **MODEL_KINDS}


def find_kind(role: str, kind: str) -> BrainKind | None:
    """The entry for one kind, or None. Entry points are looked at only for a kind that is not built in."""
    if role in BRAIN_KINDS and kind in MODEL_KINDS:
        return MODEL_KINDS[kind]
    built_in = BRAIN_KINDS.get(role, {}).get(kind)
    return built_in or kinds_for(role).get(kind)


@cache
def _added() -> dict[str, BrainKind]:
    from importlib.metadata import entry_points

    return {entry.name: BrainKind(f"from {entry.value}", open=True) for entry in entry_points(group=ENTRY_POINTS)}

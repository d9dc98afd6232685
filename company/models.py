"""The language models of a run: who of a chart has one, whether they can be reached, and what they may still spend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from company import events as ev
from company.chart import BrainSpec, OrgChart
from company.wording import plain
from roles.brains.llm.exchanges import FILE, Exchange, Journal, read_exchanges
from roles.brains.llm.keys import find_key, needs_key
from roles.brains.llm.purse import Cost, Purse
from roles.brains.llm.redact import Redactor
from roles.brains.llm.settings import ModelSettings, is_model, read_brain
from roles.role import Brain

if TYPE_CHECKING:
    from company.ledger import Ledger
    from roles.brains.llm.models import Models

PROGRAM = "program.md"  # in a project's folder: what the person wants to be looked for, in plain words
MOST_PROGRAM = 64_000  # bytes


class ModelError(Exception):
    """The models of a chart cannot be asked; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Staffed:
    """A model and who has it as a brain (positions, and `talent N`)."""

    settings: ModelSettings
    who: tuple[str, ...]


def staffed(chart: OrgChart) -> list[Staffed]:
    """Every model of a chart, once, in its order; the strong ones of escalation included."""
    found: dict[ModelSettings, list[str]] = {}
    named = [(seat.id, seat.effective_brain) for seat in chart.positions]
    named += [(f"talent {index + 1}", talent.effective_brain) for index, talent in enumerate(chart.talent)]
    for name, spec in named:
        for settings in _models_of(spec):
            found.setdefault(settings, []).append(name)
    return [Staffed(settings, tuple(who)) for settings, who in found.items()]


def _models_of(spec: BrainSpec) -> tuple[ModelSettings, ...]:
    brain = Brain(spec.kind, spec.params)
    return read_brain(brain).all() if is_model(brain) else ()


def check_reach(chart: OrgChart) -> None:
    """Look whether every model's client is installed, its key there and its server up. Raises ModelError."""
    from roles.brains.llm.clients import ModelsMissing, connect
    from roles.brains.llm.reach import reach

    asked: dict[tuple[str, str], str] = {}
    everyone = staffed(chart)
    for staff in everyone:
        settings = staff.settings
        same = (other.who for other in everyone if other.settings.endpoint == settings.endpoint)
        who = ", ".join(dict.fromkeys(name for names in same for name in names))
        key = find_key(settings)
        if needs_key(settings) and not key:
            raise ModelError(
                f"{who}: no key for {settings.model}: export {settings.key_name}=..., or keep it in the system keyring"
                f" (keyring set loopworks {settings.key_name}){_otherwise()}"
            )
        try:
            connect(settings, key)
        except ModelsMissing as error:
            raise ModelError(f"{who}: {error}{_otherwise()}") from error
        place = settings.endpoint, settings.model if settings.provider == "ollama" else ""
        if place not in asked:
            asked[place] = reach(settings, key)
        if asked[place]:
            raise ModelError(f"{who}: {plain(asked[place], 300)}{_otherwise()}")


def _otherwise() -> str:
    return ", or add --offline: optimisers decide for it then"


def lines(chart: OrgChart) -> list[str]:
    """Whom a run will ask, for a person to see before it does: model, address, the key's name, and who."""
    found = []
    for staff in staffed(chart):
        settings = staff.settings
        key = f", key from {settings.key_name}" if settings.key_name else ", without a key"
        found.append(f"{', '.join(staff.who)}: {plain(settings.model, 60)} at {plain(settings.url, 100)}{key}")
    return found


def open_models(
    chart: OrgChart, folder: Path, ledger: Ledger, recording: Mapping[str, Exchange] | None = None
) -> Models:
    """The models of a run that works in `folder`, also those that the chart will name. What was spent before counts."""
    from roles.brains.llm.models import Models

    budget = chart.budget if recording is None else chart.budget.model_copy(update={"tokens": None, "usd": None})
    purse = Purse(budget.tokens, budget.usd, spent(ledger))
    redactor = Redactor.of_environment(also=[find_key(staff.settings) for staff in staffed(chart)])
    return Models(purse, Journal(folder / FILE), redactor, recording)


def spent(ledger: Ledger) -> Cost:
    """What the recorded decisions of a run took."""
    total = Cost()
    for recorded in ledger.events():
        if isinstance(recorded.event, ev.DecisionMade):
            measured = recorded.event.measured
            total += Cost(int(measured.get("tokens") or 0), float(measured.get("usd") or 0.0))
    return total


def read_recording(directory: Path) -> dict[str, Exchange]:
    """What was asked and answered in a run, by decision. Raises ModelError where nothing readable is."""
    path = directory / FILE
    if not path.is_file():
        raise ModelError(f"{path}: nothing to play back: this run asked no model")
    try:
        return {exchange.decision: exchange for exchange in read_exchanges(path)}
    except (OSError, ValueError) as error:
        raise ModelError(f"{plain(error, 300)}: it cannot be played back") from error


def read_program(folder: Path) -> str:
    """A project's research brief without keys, "" where there is none."""
    try:
        with (folder / PROGRAM).open("rb") as file:
            text = file.read(MOST_PROGRAM).decode("utf-8", "replace")
    except OSError:
        return ""
    return Redactor.of_environment().text(text)

"""Everything that the ledger says of one run, read in one go: what summaries and reports are made from."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from company import events as ev
from company.ledger import Attempt, Ledger, LedgerError, Recorded
from company.model_costs import ModelCosts
from company.narration import narrate, said
from company.state import State
from company.usage import Usage, usage


@dataclass(frozen=True, slots=True)
class Told:
    """An event in plain words, at its company time."""

    at: float
    event: ev.Event
    words: str


@dataclass(frozen=True, slots=True)
class Account:
    """One run as recorded up to `digest`: its last state, its story, every judgement of a candidate, slot usage."""

    directory: Path
    digest: str
    state: State
    story: list[Told]
    judged: dict[str, tuple[float, ev.ChampionChosen | ev.CandidateRejected]]  # candidate -> (company time, judgement)
    logs: dict[str, str]  # experiment -> what its failed run said last
    usage: Usage
    models: ModelCosts = field(default_factory=ModelCosts)  # what they took
    sandbox: str = ""  # the level that experiments ran at, with how many at each where there were several


def read_run(directory: Path) -> Account:
    """The account of a run directory, finished or in progress. Raises LedgerError when there is none."""
    with contextlib.closing(Ledger(directory / "ledger.sqlite")) as ledger:
        return read_account(ledger)


def read_account(ledger: Ledger) -> Account:
    """Fold the ledger as far as its digest goes: a run in progress may record more while this reads."""
    state = State()
    story: list[Told] = []
    judged: dict[str, tuple[float, ev.ChampionChosen | ev.CandidateRejected]] = {}
    logs: dict[str, str] = {}
    ended, last, costs = None, 0.0, ModelCosts()
    for recorded in ledger.events():
        if recorded.seq > ledger.seq:
            break
        event, last = recorded.event, recorded.wall
        _apply(state, recorded, ledger.path)
        costs.apply(event)
        words = narrate(state, event)
        if words:
            story.append(Told(recorded.at, event, words))
        if isinstance(event, (ev.ChampionChosen, ev.CandidateRejected)):
            judged[event.experiment] = recorded.at, event
        elif isinstance(event, (ev.AttemptFailed, ev.ExperimentFinished)) and said(event):
            logs[event.experiment] = said(event)
        elif isinstance(event, ev.ResearchEnded):
            ended = recorded.wall
    proposals = {e.id for e in state.experiments.values() if e.purpose == "proposal"}
    attempts = ledger.attempts()
    used = usage(attempts, ledger.sessions(), state.slots, proposals, ended, last)
    return Account(ledger.path.parent, ledger.digest, state, story, judged, logs, used, costs, _levels(attempts))


def _levels(attempts: Sequence[Attempt]) -> str:
    found = Counter(str(a.measured["sandbox"]) for a in attempts if "sandbox" in a.measured)
    return ", ".join(f"{level} ({n} runs)" if len(found) > 1 else level for level, n in found.most_common())


def _apply(state: State, recorded: Recorded, path: Path) -> None:
    try:
        state.apply(recorded.event, recorded.at)
    except (LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise LedgerError(
            f"{path}: event {recorded.seq} ({recorded.event.kind}) does not follow from those before it: the ledger was"
            " altered; restore it from a copy"
        ) from error

"""From runs to candidates with records: what each run has found its researchers to be worth."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from company import events as ev
from company.appraisal import Posterior, worths
from company.chaining import canonical
from company.chart import Talent, TalentRecord
from company.ledger import Ledger, LedgerError
from company.record import record_of
from company.taming import clean

DIGITS = 4  # of a worth: far finer than any interval


@dataclass(frozen=True, slots=True)
class Appraised:
    """A researcher of one run, with the brain that it was hired with (coaching may have changed it since) and the name
    that it had in that run's talent pool; a founder's name is its seat's."""

    name: str
    brain: Mapping[str, Any]
    record: TalentRecord


def talent_of(directories: Iterable[Path]) -> tuple[tuple[Talent, ...], list[str]]:
    """The researchers of some runs as candidates, and notes on what was left out.

    The same brain with the same settings is the same candidate, with a record for each time that it was appraised, in
    the order of the directories. Runs of one and the same history count once: they are no further evidence. Raises
    LedgerError where a directory holds no run or cannot be used.
    """
    found: dict[str, list[Appraised]] = {}
    first: dict[str, Path] = {}  # digest of a history -> where it was met
    notes: list[str] = []
    for directory in directories:
        digest, people = _appraise(directory)
        if digest in first:
            notes.append(f"{directory}: the same history as {first[digest]}, counted once")
            continue
        first[digest] = directory
        for person in people:
            found.setdefault(canonical(person.brain), []).append(person)
    return tuple(_candidate(people) for people in found.values()), notes


def _appraise(directory: Path) -> tuple[str, list[Appraised]]:
    """The digest of a run's history so far, and everyone in it who has evidence as a researcher."""
    path = directory / "ledger.sqlite"
    with contextlib.closing(Ledger(path)) as ledger:
        events = [recorded.event for recorded in ledger.events() if recorded.seq <= ledger.seq]
    try:
        return ledger.digest, list(_researchers(events))
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise LedgerError(f"{path}: its events do not add up to a run: restore it from a copy") from error


def _researchers(events: Sequence[ev.Event]) -> Iterator[Appraised]:
    founded = next((event for event in events if isinstance(event, ev.RunFounded)), None)
    hired = {event.agent: event for event in events if isinstance(event, ev.AgentHired) and event.role == "researcher"}
    if founded is None or not hired:
        return
    for agent, worth in worths(record_of(events).scores, list(hired)).items():
        if worth.evidence:
            record = _record(founded.project["name"], worth)
            yield Appraised(_name(founded, hired[agent]), dict(hired[agent].brain), record)


def _name(founded: ev.RunFounded, hired: ev.AgentHired) -> str:
    if hired.talent is None:
        return ""
    return clean(founded.chart["talent"][hired.talent].get("name", ""), 200).replace("\n", " ")


def _record(project: str, worth: Posterior) -> TalentRecord:
    mean, low, high = (round(value, DIGITS) + 0.0 for value in (worth.mean, worth.low, worth.high))
    return TalentRecord(project=project, n=worth.evidence, worth=mean, low=low, high=high)


def _candidate(people: Sequence[Appraised]) -> Talent:
    """Raises LedgerError for more records than an entry of a talent pool may have."""
    brain = {"kind": people[0].brain["kind"], "params": people[0].brain.get("params", {})}
    name = next((each.name for each in people if each.name), "")
    record = [each.record for each in people]
    try:
        return Talent.model_validate({"role": "researcher", "brain": brain, "name": name, "record": record})
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise LedgerError(f"{brain['kind']} cannot be a candidate: {problem}; name fewer runs") from error

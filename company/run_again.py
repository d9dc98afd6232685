"""A finished run again, from its founding: the same chart, project and seed, and the answers that its models gave."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from company import events as ev
from company.directory import DirectoryError, RunDirectory
from company.ledger import Ledger
from company.live import OnStep
from company.run import Plan, execute
from roles.brains.llm.exchanges import FILE


@dataclass(frozen=True, slots=True)
class Again:
    """The digest of a run and of its repetition; `in_order` says whether they had to be the same."""

    before: str
    after: str
    in_order: bool


def run_again(directory: Path, out: Path, on_step: OnStep = lambda state, step: None) -> Again:
    """Carry a finished run out again in `out`; experiments really train. Raises what `execute` raises, and
    DirectoryError for a run that cannot be repeated."""
    with contextlib.closing(Ledger(directory / "ledger.sqlite")) as ledger:
        before, recorded = ledger.digest, [one.event for one in ledger.events()]
    founded = recorded[0] if recorded else None
    if not isinstance(founded, ev.RunFounded) or not isinstance(recorded[-1], ev.RunClosed):
        raise DirectoryError(f"{directory}: the run is not finished: loopworks run --resume {directory}")
    stepped_in = sum(isinstance(event, ev.CommandAnswered) for event in recorded)
    if stepped_in:
        raise DirectoryError(f"{directory}: people stepped in {stepped_in} times, which cannot be repeated")
    execute(_plan(directory, out, founded), on_step)
    with contextlib.closing(Ledger(out / "ledger.sqlite")) as ledger:
        return Again(before, ledger.digest, bool(founded.measured.get("in_order")))


def _plan(directory: Path, out: Path, founded: ev.RunFounded) -> Plan:
    settings = founded.measured
    return Plan(
        RunDirectory(out),
        chart=str(directory / "chart.yaml"),
        project=settings["project_source"],
        seed=founded.seed,
        slots=founded.slots,
        per_gpu=settings.get("per_gpu", 1),
        device="cuda" if founded.device == "cuda" else "cpu",
        engine=settings.get("engine", "autogen"),
        deterministic=bool(settings.get("in_order")),
        compute=settings.get("compute", "local"),
        offline=bool(settings.get("offline")),
        playback=directory if (directory / FILE).is_file() else None,
    )

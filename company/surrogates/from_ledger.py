"""A world from one's own past runs: the experiments in their ledgers as a recording, interpolated as any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from company.surrogates.recorder import curve_of
from company.surrogates.recording import (
    About,
    MetricAbout,
    Recording,
    RecordingError,
    Row,
    check_names,
    space_document,
)  # fmt: skip
from company.surrogates.table import TableWorld, world_of
from company.surrogates.world import WorldError
from projects.brief import metric_of, space_of

if TYPE_CHECKING:
    from company.entities import Experiment
    from company.ledger import Ledger

LEDGER = "ledger.sqlite"
SAME = ("name", "metric", "space", "budget_seconds", "code_hash", "evaluator_hash", "data_hash")


def ledger_world(folder: Path) -> TableWorld:
    """The world of the runs in a folder. Raises WorldError in one line."""
    try:
        return world_of(ledger_recording(folder))
    except RecordingError as error:
        raise WorldError(str(error)) from None


def ledger_recording(folder: Path) -> Recording:
    """Every training that ended by itself in the runs of a folder: a run directory, or one that holds several.

    Runs on another project, or on other code or data than the first run, are refused. Raises RecordingError.
    """
    found = sorted([folder / LEDGER] if (folder / LEDGER).is_file() else folder.glob(f"*/{LEDGER}"))
    if not found:
        raise RecordingError(f"{folder}: no run here; name a run directory, or one that holds some")
    brief: Mapping[str, Any] = {}
    rows: list[Row] = []
    for path in found:
        this, more = _read(path)
        brief = brief or this
        if changed := [name for name in SAME if brief[name] != this[name]]:
            raise RecordingError(
                f"{path.parent}: is about another {', '.join(changed)} than {found[0].parent}:"
                " name a directory with runs of one project"
            )
        rows += more
    return Recording(_about(brief, folder), tuple(rows))


def _read(path: Path) -> tuple[Mapping[str, Any], list[Row]]:
    from company.ledger import Ledger, LedgerError

    try:
        with closing(Ledger(path)) as ledger:
            state = ledger.fold()
            if not state.brief:
                raise RecordingError(f"{path.parent}: the run stopped before it was founded: remove it")
            seconds = {each.experiment: each.measured.get("cpu_s") for each in ledger.attempts()}
            return state.brief, list(_rows(ledger, state.experiments.values(), seconds))
    except LedgerError as error:
        raise RecordingError(str(error)) from None


def _rows(ledger: Ledger, experiments: Any, seconds: Mapping[str, float | None]) -> Iterator[Row]:
    from company.entities import NOBODYS_FAULT

    for each in experiments:
        if each.status not in ("ok", "failed") or each.failure in NOBODYS_FAULT or each.split != "validation":
            continue
        if each.micro_batch is not None:  # the same config, otherwise trained
            continue
        yield _row(each, ledger, seconds.get(each.id))


def _row(each: Experiment, ledger: Ledger, seconds: float | None) -> Row:
    curve = tuple(ledger.curve(each.id)) or tuple((round(f * each.steps), loss) for f, loss in each.curve)
    status = "ok" if each.status == "ok" else "failed"
    return Row(
        each.config, each.seed, status, each.failure, each.metric, seconds, each.cost, curve_of(curve, each.steps)
    )


def _about(brief: Mapping[str, Any], folder: Path) -> About:
    space, metric = space_of(brief), metric_of(brief)
    check_names(space, str(folder))
    return About(
        format=1, name=brief["name"], title=brief["title"], version=brief["version"], source="ledger",
        metric=MetricAbout(name=metric.name, unit=metric.unit, direction=metric.direction),
        space=space_document(space), baseline=dict(brief["baseline"]), budget_seconds=brief["budget_seconds"],
        hashes={kind: brief[f"{kind}_hash"] for kind in ("code", "evaluator", "data")},
    )  # fmt: skip

"""From a project and a number of points to the finished file: design, journal, trainings, metadata."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from company.compute.slots import find_slots
from company.surrogates.design import design
from company.surrogates.fitting import with_fit
from company.surrogates.journal import Journal
from company.surrogates.recorder import record
from company.surrogates.recording import (
    About,
    MetricAbout,
    Recording,
    RecordingError,
    Row,
    check_names,
    space_document,
    write_recording,
)
from projects.spec import CostTable, Project


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person asked for."""

    project: Project
    points: int
    out: Path
    seeds: int = 3
    root: int = 0
    slots: int | None = None
    command: str = ""

    @property
    def journal(self) -> Path:
        return self.out.with_name(f"{self.out.name}.journal.jsonl")

    @property
    def work(self) -> Path:
        return self.out.with_name(f"{self.out.name}.work")


OnTrial = Callable[[int, int, Row | None], None]  # (done, of, the last one)


def execute(plan: Plan, on_trial: OnTrial) -> Recording | None:
    """Train what is missing and write the file; None when it was stopped before the end.

    The journal stays beside the file: a design with more points goes on from it. Raises RecordingError or ComputeError
    in one line.
    """
    check_names(plan.project.space, str(plan.project.folder))
    trials = design(plan.project.space, plan.project.baseline, plan.points, plan.seeds, plan.root)
    slots = find_slots(plan.slots)
    with closing(Journal(plan.journal, head(plan, slots[0].device))) as journal:
        done = sum(trial.key in journal.rows for trial in trials)
        on_trial(done, len(trials), None)
        before = len(journal.rows) - done

        def on_row(rows: int, row: Row) -> None:
            on_trial(rows - before, len(trials), row)

        with _writing(plan):
            found = record(plan.project, trials, journal, slots, plan.work, on_row)
        if not found.complete:
            return None
        recording = Recording(about(plan, len(slots), found.data_hash), tuple(journal.rows[t.key] for t in trials))
    recording = with_fit(recording)
    write_recording(recording, plan.out)
    return recording


@contextmanager
def _writing(plan: Plan) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"{error.strerror or error}: what was trained is kept, the same command goes on"
        raise RecordingError(f"{plan.journal}: cannot be written ({reason})") from None


def head(plan: Plan, device: str) -> dict[str, Any]:
    """What a journal's rows depend on; rows of another head are another recording."""
    project, elsewhere = plan.project, {} if device == "cpu" else {"device": device}
    return {
        "project": project.name, "version": project.version, "train.py": project.code_hash,
        "evaluate.py": project.evaluator_hash, "space": space_document(project.space),
        "baseline": dict(project.baseline), "budget": project.budget_seconds, "costs": costs_document(project.costs),
        "versions": versions("torch", "numpy"), "seed": plan.root, **elsewhere,
    }  # fmt: skip


def about(plan: Plan, slots: int, data_hash: str) -> About:
    """The metadata of a finished recording."""
    project = plan.project
    return About(
        format=1, name=project.name, title=project.title, version=project.version, source="trained",
        metric=MetricAbout(**asdict(project.metric)), space=space_document(project.space),
        baseline=dict(project.baseline), budget_seconds=project.budget_seconds, costs=costs_document(project.costs),
        hashes={"code": project.code_hash, "evaluator": project.evaluator_hash, "data": data_hash},
        machine=processor(), cores=os.cpu_count(), slots=slots, versions=versions("torch", "numpy", "loopworks"),
        command=plan.command,
    )  # fmt: skip


def costs_document(costs: CostTable) -> dict[str, Any]:
    """A cost table as costs.json holds it."""
    return json.loads(json.dumps(asdict(costs)))


def versions(*packages: str) -> dict[str, str]:
    """Of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The model of the processor; no host name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()

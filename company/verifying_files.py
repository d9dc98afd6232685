"""The files of a run held against its events: configs, results, code and data. What is gone is said, and no fault."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from company import events as ev
from company.compute.folder import CONFIG, RESULT
from company.compute.tail import open_regular
from company.entities import FINISHED, Experiment
from company.patching.versions import content_hash
from company.state import State
from projects.spec import Project

if TYPE_CHECKING:
    from company.verifying import Findings

MOST_BYTES = 64 * 1024 * 1024  # of a file that is read as a whole
BLOCK = 1024 * 1024


def check_files(directory: Path, events: Sequence[ev.Event], state: State, found: Findings) -> None:
    """Hold every file that results are bound to against what was recorded."""
    _configs(state, found)
    if not state.brief:
        return
    _data(directory / "data", state, found)
    own, texts = _own_code(events, state, found), {e.code: e.files for e in events if isinstance(e, ev.CodeWritten)}
    gone = 0
    for experiment in state.experiments.values():
        folder = directory / "experiments" / experiment.id
        if experiment.status not in FINISHED or not experiment.started_at:
            continue
        if not folder.is_dir():
            gone += 1
            continue
        _experiment(folder, experiment, found)
        _code(folder, experiment, state, own, texts, found)
    if gone:
        found.notes.append(f"{gone} experiments have no folder here: what they left could not be looked at")


def _configs(state: State, found: Findings) -> None:
    for experiment in state.experiments.values():
        found.count("hashes of experiments")
        if content_hash(experiment.config, experiment.code) != experiment.hash:
            found.wrong(f"experiment {experiment.id}", "its hash is not that of its config and code")


def _experiment(folder: Path, experiment: Experiment, found: Findings) -> None:
    place = f"experiments/{experiment.id}"
    config = _json(folder / CONFIG)
    if config is not None:
        found.count("files")
        if config != dict(experiment.config):
            found.wrong(f"{place}/{CONFIG}", "is not the config that was recorded")
    result = _json(folder / RESULT)
    if not isinstance(result, dict) or experiment.metric is None:
        return
    found.count("files")
    recorded = {"metric": experiment.metric, "seed": experiment.seed, "steps": experiment.steps}
    for name, value in recorded.items():
        if result.get(name) != value:
            found.wrong(f"{place}/{RESULT}", f"its {name} is {str(result.get(name))[:40]}, and {value} was recorded")


def _own_code(events: Sequence[ev.Event], state: State, found: Findings) -> Project | None:
    """The project as it is now, where it is still the one that the run was founded on."""
    from projects.load import ProjectError, load_project

    founded = next(event for event in events if isinstance(event, ev.RunFounded))
    source = str(founded.measured.get("project_source") or state.brief["name"])
    try:
        project = load_project(source)
    except (ProjectError, OSError):
        found.notes.append("the project is not here any more: its code and evaluator could not be looked at")
        return None
    now = {"code": project.code_hash, "evaluator": project.evaluator_hash}
    changed = [name for name, value in now.items() if value != state.brief[f"{name}_hash"]]
    if changed:
        found.notes.append(f"the project's {' and '.join(changed)} changed since the run was founded: no fault of it")
        return None
    found.count("hashes of the project", len(now))
    return project


def _code(
    folder: Path, experiment: Experiment, state: State, own: Project | None, texts: dict[str, Any], found: Findings
) -> None:
    """The code beside a result is what ran: the project's own, or the version that was recorded."""
    wanted = texts.get(experiment.code) if experiment.code else {} if own is None else own.code
    for name, text in dict(wanted or {}).items():
        data = _bytes(folder / name)
        if data is not None:
            found.count("files")
            if data != text.encode():
                found.wrong(f"experiments/{experiment.id}/{name}", "is not the code that was recorded")


def _data(data: Path, state: State, found: Findings) -> None:
    """The data is what the evaluator made: `data.json` by the founding event, the files by `data.json`."""
    described = _json(data / "data.json")
    if described is None:
        return
    found.count("files")
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    if digest != state.brief["data_hash"]:
        found.wrong("data/data.json", "is not the one that was recorded at the founding")
        return
    files = described.get("files") if isinstance(described, dict) else None
    for name, about in (files if isinstance(files, dict) else {}).items():
        if isinstance(about, dict) and "sha256" in about and (now := _sha256(data / name)) is not None:
            found.count("files")
            if now != about["sha256"]:
                found.wrong(f"data/{name}", "is not the data that was recorded")


def _json(path: Path) -> Any:
    data = _bytes(path)
    try:
        return None if data is None else json.loads(data)
    except (ValueError, RecursionError):
        return "no JSON"


def _bytes(path: Path) -> bytes | None:
    """A file's content, None where there is no regular file."""
    descriptor = open_regular(path)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_BYTES)


def _sha256(path: Path) -> str | None:
    descriptor, digest = open_regular(path), hashlib.sha256()
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()

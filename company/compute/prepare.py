"""A project's data, prepared once by its sealed evaluator and only then put in place."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

from company.compute.backend import ComputeError
from company.compute.endings import Facts, why
from company.compute.folder import remove, write_json
from company.compute.launches import prepare_launch
from company.compute.log import Log
from company.compute.workers import Workers, WorkersLost
from projects.spec import Project

MARK = "prepared.json"  # written last: data without it are not complete


async def prepare(workers: Workers, project: Project, data: Path) -> None:
    """Have `evaluate.py prepare` fill a folder beside `data`, then rename it. Raises ComputeError."""
    if made_by(data) == project.evaluator_hash:
        return
    partial = data.parent / f".{data.name}.{os.getpid()}.partial"
    try:
        await asyncio.to_thread(remove, partial)
        partial.mkdir(parents=True)
        await fill(workers, project, partial)
        write_json(partial / MARK, {"project": project.name, "evaluator": project.evaluator_hash})
        remove(data)
        partial.rename(data)
    except (OSError, WorkersLost) as error:
        raise ComputeError(f"cannot prepare the data of '{project.name}' in {data}: {error}") from error
    finally:
        remove(partial)


async def fill(workers: Workers, project: Project, target: Path) -> None:
    log = target.with_suffix(".log")
    try:
        running = await workers.launch(prepare_launch(project, target.resolve(), log.resolve()))
        try:
            ended = await asyncio.shield(running.ended)
        finally:
            await running.end()
        if trouble := why(Facts(ended, Log(log, 1 << 20).ending())):
            raise ComputeError(f"'{project.name}' cannot prepare its data: {trouble.detail}")
    finally:
        remove(log)


def made_by(data: Path) -> str | None:
    """The hash of the evaluator that made complete data here, or None."""
    try:
        return json.loads((data / MARK).read_text())["evaluator"]
    except (OSError, ValueError, KeyError, TypeError):
        return None

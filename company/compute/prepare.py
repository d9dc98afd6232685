"""A project's data, prepared once by its sealed evaluator and only then put in place."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from company.compute.backend import ComputeError
from company.compute.endings import Facts, why
from company.compute.folder import remove, write_json
from company.compute.launches import TRAIN, prepare_launch
from company.compute.log import Log
from company.compute.seal import MARK, content
from company.compute.workers import Workers, WorkersLost
from projects.spec import Project


async def prepare(workers: Workers, project: Project, data: Path) -> None:
    """Have `evaluate.py prepare` fill a folder beside `data`, then rename it. Raises ComputeError.

    Data that this evaluator made before are used again, if not a byte of them has changed.
    """
    if marked(data).get("evaluator") == project.evaluator_hash:
        if marked(data).get("content") not in (None, await asyncio.to_thread(content, data)):
            raise ComputeError(f"{data} is not the data that were prepared: put them back, or start a new run")
        return
    partial = data.parent / f".{data.name}.{os.getpid()}.partial"
    try:
        await asyncio.to_thread(remove, partial)
        partial.mkdir(parents=True)
        await fill(workers, project, partial)
        (partial / TRAIN).mkdir(exist_ok=True)  # for a project whose runs need no data: the sandbox shows it
        about = {"project": project.name, "evaluator": project.evaluator_hash, "content": content(partial)}
        write_json(partial / MARK, about)
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


def marked(data: Path) -> dict[str, Any]:
    """What is noted of complete data here: the evaluator that made them, a hash of their content; empty without."""
    try:
        found = json.loads((data / MARK).read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""The folder of one experiment: what is laid out before a run, and what is kept after it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from company.compute.backend import Order, Outcome

WEIGHTS, MODEL = "model.safetensors", "model.json"
CONFIG, METRICS, LOG, ANSWER, RESULT = "config.json", "metrics.jsonl", "log.txt", "answer.txt", "result.json"
ENTRIES = 10_000  # more files than that are counted as too many bytes


def lay_out(order: Order) -> None:
    """Empty the order's folder and put in the config and a copy of the editable code. Raises OSError."""
    remove(order.folder)
    order.folder.mkdir(parents=True)
    write_json(order.folder / CONFIG, dict(order.config))
    for name in order.project.editable:
        target = order.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in order.files:
            target.write_text(order.files[name], encoding="utf-8", newline="\n")
        else:
            shutil.copyfile(order.project.folder / name, target)


def clear_up(order: Order) -> None:
    """Remove all that is not kept: the weights unless asked for, and whatever else the run left behind."""
    kept = {CONFIG, METRICS, LOG, RESULT, MODEL, *(Path(name).parts[0] for name in order.project.editable)}
    if order.keep_weights:
        kept.add(WEIGHTS)
    for path in order.folder.iterdir():
        if path.name not in kept or path.is_symlink():
            remove(path)


def write_result(order: Order, outcome: Outcome, **facts: Any) -> None:
    """Write result.json at once or not at all. Raises OSError."""
    asked = {"experiment": order.experiment, "attempt": order.attempt, "seed": order.seed, "steps": order.steps}
    write_json(order.folder / RESULT, {**asked, "split": order.split, **asdict(outcome), **facts})


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file by renaming a complete one into place; never through a link that a run left there."""
    partial = path.with_name(f".{path.name}.partial")
    remove(partial)
    with partial.open("x", encoding="utf-8") as file:
        file.write(json.dumps(value, indent=1, default=dict, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if path.is_dir() and not path.is_symlink():
        remove(path)
    partial.replace(path)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder; nothing if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def used_bytes(folder: Path) -> int:
    """Bytes that a folder takes on the disk, links not followed; huge when it holds too many files to count."""
    total, entries, pending = 0, 0, [folder]
    while pending:
        try:
            for entry in os.scandir(pending.pop()):
                entries += 1
                if entries > ENTRIES:
                    return 1 << 60
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
        except OSError:
            continue  # it vanished while we looked
    return total

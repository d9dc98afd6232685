"""The folder of one experiment: what is laid out before a run, and what is kept after it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from company.compute.backend import Order, Outcome
from company.compute.tail import FILE_BYTES, is_regular, open_regular

WEIGHTS, MODEL = "model.safetensors", "model.json"
CONFIG, METRICS, LOG, ANSWER, RESULT = "config.json", "metrics.jsonl", "log.txt", "answer.txt", "result.json"
ENTRIES = 10_000  # more files than that are counted as too many bytes
UNCOUNTED = 1 << 60
KEPT_BYTES = {METRICS: FILE_BYTES, MODEL: 1 << 20}


def lay_out(order: Order) -> None:
    """Empty the order's folder and put in the config and a copy of the editable code. Raises OSError."""
    remove(order.folder)
    order.folder.mkdir(parents=True)
    lay_code(order)


def lay_code(order: Order) -> None:
    """Put in the config and a copy of the editable code, whatever lies in their places. Raises OSError."""
    for name in {Path(name).parts[0] for name in order.project.editable}:
        remove(order.folder / name)
    write_json(order.folder / CONFIG, dict(order.config))
    for name in order.project.editable:
        target = order.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in order.files:
            target.write_text(order.files[name], encoding="utf-8", newline="\n")
        else:
            shutil.copyfile(order.project.folder / name, target)


def drop_strays(order: Order) -> None:
    """Remove what a run left beside its model: a module of that name would stand in for a library's in predictions."""
    code = {Path(name).parts[0] for name in order.project.editable}
    for path in order.folder.iterdir():
        if path.name not in (CONFIG, METRICS, LOG, MODEL, WEIGHTS, *code):
            remove(path)


def clear_up(order: Order) -> None:
    """Remove all that is not kept: the weights unless asked for, and whatever else the run left behind.

    Of a file that is kept there is a plain file of at most KEPT_BYTES, or none.
    """
    kept = {CONFIG, METRICS, LOG, RESULT, MODEL, *((WEIGHTS,) if order.keep_weights else ())}
    code = {Path(name).parts[0] for name in order.project.editable}
    for path in order.folder.iterdir():
        if path.name in code and not path.is_symlink():
            continue
        if path.name not in kept or not is_regular(path):
            remove(path)
        elif path.name in KEPT_BYTES:
            shorten(path, KEPT_BYTES[path.name])


def shorten(path: Path, most: int) -> None:
    """Cut a file at `most` bytes."""
    descriptor = open_regular(path, os.O_RDWR)
    if descriptor is not None:
        with os.fdopen(descriptor, "r+b") as file:
            file.truncate(min(most, os.fstat(descriptor).st_size))


def write_result(order: Order, outcome: Outcome, **facts: Any) -> None:
    """Write result.json at once or not at all. Raises OSError."""
    asked = {"experiment": order.experiment, "attempt": order.attempt, "seed": order.seed, "steps": order.steps}
    bound = {"split": order.split, "evaluator": order.project.evaluator_hash, "code": code_hashes(order)}
    write_json(order.folder / RESULT, {**asked, **bound, **asdict(outcome), **facts})


def code_hashes(order: Order) -> dict[str, str]:
    """sha256 of every editable file as it lies in the order's folder. Raises OSError."""
    names = [name for name in order.project.editable if is_regular(order.folder / name)]
    return {name: hashlib.sha256((order.folder / name).read_bytes()).hexdigest() for name in names}


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
    """Remove a file, a link or a whole folder, however deep and whatever its modes; nothing if there is none.

    Nothing may be at work in the folder. Links are removed, never followed. Raises OSError.
    """
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(facts.st_mode):
        empty(path)
        path.rmdir()
    else:
        path.unlink()


def empty(folder: Path) -> None:
    """Remove everything in a folder. What lies deep is moved up first: a path cannot be longer than 4096 bytes."""
    folder.chmod(0o700)
    pending = [entry.name for entry in os.scandir(folder)]
    prefix, moved = f".{secrets.token_hex(8)}", 0
    while pending:
        path = folder / pending.pop()
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            continue
        path.chmod(0o700)
        for entry in list(os.scandir(path)):
            if entry.is_dir(follow_symlinks=False):
                moved += 1
                target = folder / f"{prefix}.{moved}"
                Path(entry.path).chmod(0o700)  # or it cannot be moved
                Path(entry.path).rename(target)
                pending.append(target.name)
            else:
                Path(entry.path).unlink()
        path.rmdir()


def used_bytes(folder: Path) -> int:
    """Bytes that a folder takes on the disk, links not followed; huge when it cannot be counted."""
    total, entries, pending = 0, 0, [folder]
    while pending:
        try:
            for entry in os.scandir(pending.pop()):
                entries += 1
                if entries > ENTRIES:
                    return UNCOUNTED
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
        except (FileNotFoundError, NotADirectoryError):
            continue  # it vanished while we looked
        except OSError:
            return UNCOUNTED  # locked, or too deep: what lies there would count for nothing
    return total

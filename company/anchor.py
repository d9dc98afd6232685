"""How far a ledger had come and its digest there, in a file of its own: what shows that the end was cut off.

A hash chain says that no event before the last was altered; that the last one is the last it cannot say. The anchor is
written after the commit it speaks of, at the end of every session and every EVERY events. Not covered: somebody who
alters both files; against that a person keeps the digest elsewhere (`loopworks verify --expect`).
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

EVERY = 256  # events between two anchors while a company works: a fraction of a millisecond each
MOST_BYTES = 1000


class AnchorError(Exception):
    """The file is no anchor."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The ledger held `events` events and had this digest; `wall` is when, in seconds since the epoch."""

    events: int
    digest: str
    wall: float


def path_of(ledger: Path) -> Path:
    return ledger.with_suffix(".anchor")


def write_anchor(ledger: Path, events: int, digest: str) -> None:
    """Replace the anchor, at once or not at all. A disk that has no room keeps the one before, which is still true."""
    target = path_of(ledger)
    partial = target.with_name(f".{target.name}.partial")
    with contextlib.suppress(OSError):
        with partial.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Anchor(events, digest, time.time()))) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _sync_folder(target.parent)


def read_anchor(ledger: Path) -> Anchor | None:
    """The anchor of a ledger, None where there is none. Raises AnchorError for a file that is none."""
    try:
        with path_of(ledger).open("rb") as file:
            found = Anchor(**json.loads(file.read(MOST_BYTES)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise AnchorError(f"{path_of(ledger)}: cannot be read as an anchor") from error
    if type(found.events) is not int or type(found.digest) is not str or found.events < 0:
        raise AnchorError(f"{path_of(ledger)}: cannot be read as an anchor")
    return found


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Of which kind a failure is, from what the worker says and, only where that is silent, from the log.

Covered: a log that lies. It can at most turn a crash into another failure of the run's own making; it can never make a
failure the infrastructure's, which would be nobody's fault, and its text is never repeated.
Not covered: a run that lies consistently gains up to `max_attempts` retries.
"""

from __future__ import annotations

import re
from typing import get_args

from roles.intents import FailureKind

KNOWN: dict[str, FailureKind] = {kind: kind for kind in get_args(FailureKind)}
TAIL = 4000  # characters of the log that count
LINE = 400  # characters of one line that count
# anchored at the exception that ends a traceback: a log that merely talks of memory is no evidence
PATTERNS: list[tuple[FailureKind, re.Pattern[str]]] = [
    ("out_of_memory", re.compile(r"^(?:[\w.]{0,60}OutOfMemoryError|MemoryError)\b")),
    ("out_of_memory", re.compile(r"^RuntimeError: .{0,200}(?:out of memory|can't allocate memory|not enough memory)")),
    ("diverged", re.compile(r"^(?:FloatingPointError|[\w.]{0,60}Diverged)\b")),
    ("timeout", re.compile(r"^TimeoutError\b")),
]


def classify(failure: str | None, log_tail: str) -> FailureKind:
    """The kind of a failure. The worker's own word stands, unless it only knows that the run crashed."""
    if failure is not None and failure in KNOWN and failure != "crash":
        return KNOWN[failure]
    last = next((line for line in reversed(log_tail[-TAIL:].splitlines()) if line.strip()), "")
    for kind, pattern in PATTERNS:
        if pattern.match(last[:LINE]):
            return kind
    return "crash"

"""The exit codes of every command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """0 done, 1 it failed, 2 bad usage or input, 130 interrupted by Ctrl-C."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130

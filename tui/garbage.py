"""When the interpreter looks for garbage: with a long ledger in memory that takes a third of a second, so not while
somebody presses keys.
"""

from __future__ import annotations

import gc

SETTLES = 20_000  # events after which it is worth looking again


def settle() -> None:
    """Take away all garbage there is, and look at what is left no more until the next time."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Garbage:
    """Settles when all has been read for the first time, and later whenever enough was read and nobody is there."""

    def __init__(self) -> None:
        self._settled = -1

    def read(self, seq: int) -> None:
        """All events up to `seq` have been read."""
        if self._settled < 0:
            self._settle(seq)

    def rest(self, seq: int) -> None:
        """Nobody has pressed a key for a while."""
        if self._settled >= 0 and seq - self._settled >= SETTLES:
            self._settle(seq)

    def _settle(self, seq: int) -> None:
        settle()
        self._settled = seq

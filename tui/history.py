"""Replay: the snapshot of any moment, folded again from the ledger, with a few checkpoints on the way. No Textual."""

from __future__ import annotations

import pickle
from bisect import bisect_right
from pathlib import Path

from company.snapshot import Snapshot
from tui.extract import restored
from tui.source import Source

STEP = 1_000  # events between checkpoints, at the beginning
MOST = 16
ROOM = 128 * 2**20  # bytes of all checkpoints together


class History:
    """Snapshots of the past. Use it from one thread at a time; what it hands out is yours."""

    def __init__(self, directory: Path) -> None:
        self._source = Source(directory)
        self._kept: dict[int, bytes] = {}
        self._step = STEP
        self._now = Snapshot()

    @property
    def kept_bytes(self) -> int:
        """What the checkpoints take."""
        return sum(len(kept) for kept in self._kept.values())

    def at(self, seq: int) -> Snapshot:
        """The snapshot after event `seq`. Raises SourceError where the ledger cannot be read."""
        if seq < self._now.seq:
            self._now = self._nearest(seq)
        shot = self._now
        while shot.seq < seq:
            rows = self._source.read(shot.seq, min(STEP, seq - shot.seq))
            if not rows:
                break
            for row in rows:
                shot.apply(restored(row))
            self._keep(shot)
        return pickle.loads(pickle.dumps(shot))

    def seq_at(self, at: float) -> int:
        """The last event up to a company time."""
        return self._source.seq_at(at)

    def close(self) -> None:
        self._source.close()

    def _keep(self, shot: Snapshot) -> None:
        """A checkpoint; where they become too many or too large, every second one goes and the next are farther off."""
        if shot.seq // self._step <= max(self._kept, default=0) // self._step:
            return
        self._kept[shot.seq] = pickle.dumps(shot)
        while len(self._kept) > MOST or self.kept_bytes > ROOM:
            self._kept = dict(list(self._kept.items())[1::2])
            self._step *= 2

    def _nearest(self, seq: int) -> Snapshot:
        known = sorted(self._kept)
        place = bisect_right(known, seq)
        return pickle.loads(self._kept[known[place - 1]]) if place else Snapshot()

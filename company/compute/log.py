"""A run's `log.txt` kept within bounds: its head and its tail, with a line that says what is missing between."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from company.compute.tail import open_regular, read_end

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
SLACK = 4  # a log is cut only when it is that many times too long, so that cutting costs little


@dataclass(slots=True)
class Log:
    """Bounds one log file of a run. The writer appends (O_APPEND), so that cutting it leaves no hole."""

    path: Path
    limit: int  # bytes
    _dropped: int = 0

    def trim(self, slack: int = SLACK) -> None:
        """Cut the middle out if the file is over `slack` times its limit. Lines written meanwhile may be lost."""
        descriptor = open_regular(self.path, os.O_RDWR)  # looked at and cut as one: it may be replaced meanwhile
        if descriptor is None:
            return
        with os.fdopen(descriptor, "r+b") as file:
            size = os.fstat(descriptor).st_size
            if size > self.limit * slack:
                self._cut(file, size)

    def _cut(self, file: BufferedRandom, size: int) -> None:
        half = self.limit // 2
        file.seek(size - half)
        tail = file.read()[-half:]  # with what was written since: the end is what explains
        self._dropped += size - 2 * half
        file.truncate(half)
        file.seek(half)
        file.write(self._marker() + tail)

    def _marker(self) -> bytes:
        return b"\n... about %d bytes left out ...\n" % self._dropped

    def ending(self, lines: int = 6, width: int = 200) -> str:
        """The last lines, safe to show: no control characters, each cut at `width`.

        The folder's own path is left out, so that the same failure reads the same in every run directory.
        """
        text = clean(read_end(self.path, 8192).decode(errors="replace"))
        text = text.replace(f"{self.path.parent.resolve()}/", "")
        return "\n".join(line[:width] for line in text.strip().splitlines()[-lines:])


def clean(text: str) -> str:
    """Text of a run without what could act on a terminal: escapes, control and direction characters."""
    visible = ESCAPE.sub("", text.replace("\r", "\n"))
    return "".join(char for char in visible if char in "\n\t" or char.isprintable())

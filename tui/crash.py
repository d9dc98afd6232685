"""What is said when the dashboard itself fails: where, and nothing of what was in its variables."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path


def crash_line(error: BaseException | None) -> str:
    """Write the places that the error came through to a file; returns one line for the terminal."""
    frames = traceback.extract_tb(error.__traceback__ if error else None)
    where = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    kind = type(error).__name__
    said = f"loopworks: the dashboard failed ({kind}); the company works on."
    try:
        with tempfile.NamedTemporaryFile("w", prefix="loopworks-crash-", suffix=".txt", delete=False) as file:
            file.write("\n".join([kind, *where]) + "\n")
    except OSError:
        return said
    return f"{said} Where: {file.name}"

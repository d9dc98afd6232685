"""Pictures of the screen, written where a person stands; what is there already stays."""

from __future__ import annotations

from itertools import count
from pathlib import Path


def write_picture(folder: Path, stem: str, svg: str) -> Path:
    """Write a picture under a name that is not taken and return its path. Raises OSError."""
    for number in count(1):
        path = folder / (f"{stem}.svg" if number == 1 else f"{stem}-{number}.svg")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(svg)
        except FileExistsError:
            continue
        return path
    raise AssertionError("unreachable: there are always more numbers")

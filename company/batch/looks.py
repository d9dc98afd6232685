"""After which numbers of seeds a batch was reported: who looks, and then asks for more, has looked twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

KEY = "looks"  # in the results' table `about`


def looks_of(about: Mapping[str, str], folder: Path) -> tuple[int, ...]:
    """The numbers of seeds, ascending. Of a batch that was begun before looks were noted, its report is one."""
    if KEY in about or not about:
        return tuple(json.loads(about.get(KEY, "[]")))
    return (seeds_of(about),) if (folder / "report.md").is_file() else ()


def seeds_of(about: Mapping[str, str]) -> int:
    """The seeds that were asked for last."""
    return int(json.loads(about["scenario"])["seeds"])


def note_on(looks: Sequence[int]) -> tuple[str, ...]:
    """What a reader must know of them; nothing where there was one."""
    if len(looks) < 2:
        return ()
    words = f"{', '.join(map(str, looks[:-1]))} and {looks[-1]} seeds"
    return (f"Looked at after {words}: intervals and p values do not allow for looking again; what --race drops does.",)

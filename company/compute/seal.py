"""What results are measured by must stay as it was: the evaluator and what is held out, while a company works.

Covered: any change of their bytes, by whomever, before each scoring. Not covered: a change that is undone in time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from company.compute.backend import ComputeError
from projects.spec import Project

MARK = "prepared.json"  # written last: data without it are not complete

Look = tuple[int, int, int, int]  # device, inode, size, time of change (ns): the same look, the same bytes


class Unsealed(ComputeError):
    """The evaluator, or what is held out, was changed; one line that names the file."""


@dataclass(slots=True)
class Seal:
    """Files with their hashes. Looking again is cheap: a file is only read where it looks different."""

    hashes: Mapping[Path, str]
    _looks: dict[Path, Look | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._looks = {path: look(path) for path in self.hashes}

    def check(self) -> None:
        """Raises Unsealed for the first file that is not what it was."""
        for path, known in self.hashes.items():
            now = look(path)
            if now != self._looks[path]:
                if now is None or file_hash(path) != known:
                    raise Unsealed(f"{path} changed while the company worked: put the old one back, then resume")
                self._looks[path] = now


def seal(project: Project, data: Path) -> Seal:
    """Seal a project's evaluator, the modules beside it, and what is held out. Raises OSError."""
    beside = [path for path in project.folder.glob("*.py") if path.name not in project.editable]
    return Seal({path: file_hash(path) for path in sorted([*beside, *files(data / "sealed")])})


def content(data: Path) -> str:
    """A hash over the names and bytes of all prepared data. Raises OSError."""
    digest = hashlib.sha256()
    for path in sorted(files(data)):
        if path != data / MARK:
            digest.update(f"{path.relative_to(data).as_posix()}\0{file_hash(path)}\n".encode())
    return digest.hexdigest()


def files(folder: Path) -> Iterable[Path]:
    return (Path(at, name) for at, _, names in os.walk(folder) for name in names)


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def look(path: Path) -> Look | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctime_ns

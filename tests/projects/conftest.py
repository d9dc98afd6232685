"""What the tests of projects share: prepared data, and the project that docs/projects.md walks through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from projects.load import load_project
from projects.trial import prepare

DOC = Path(__file__).resolve().parents[2] / "docs" / "projects.md"


def write_documented(folder: Path) -> Path:
    """The files of docs/projects.md, exactly, in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```", DOC.read_text(), re.S | re.M):
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def rings(tmp_path: Path) -> Path:
    return write_documented(tmp_path / "rings")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Prepared data of each shipped project, by its real evaluate.py."""
    folders = {}
    for name in ("byte_lm", "digits"):
        folders[name] = tmp_path_factory.mktemp(f"data-{name}")
        prepare(load_project(name, costs=False), folders[name])
    return folders

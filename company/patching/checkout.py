"""What a person gets who checks a version of the code out: a project of its own, which trains by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from projects.spec import Config, Project

LARGEST = 1 << 20  # bytes of a file of the project's folder that goes along
MOST = 2_000  # files that are looked at
_SCALAR = re.compile(r"""\"(?:[^"\\]|\\.)*\"|'(?:[^']|'')*'|[^,}#\n]*[^,}#\s]""")


def checkout(project: Project, code: Mapping[str, str], config: Config) -> dict[str, str]:
    """The project's folder (path -> text) with changed code, and with `config` as the baseline of its project.yaml.

    So `python train.py --budget 5` trains what was tried, and a company can start from there. Raises OSError, and
    ValueError for a project.yaml that cannot be changed.
    """
    files = {**dict(_own_files(project.folder)), **project.code, **code}
    if "project.yaml" in files:
        files["project.yaml"] = with_baseline(files["project.yaml"], config)
    return files


def with_baseline(text: str, config: Config) -> str:
    """A project.yaml with another baseline: only its values change, everything else stays as it is written."""
    from ruamel.yaml import YAML

    document = YAML().load(text)
    baseline, lines = document["baseline"], text.split("\n")
    changed = [name for name, value in config.items() if baseline.get(name) != value]
    for row, column, name in sorted(((*baseline.lc.value(name), name) for name in changed), reverse=True):
        line = lines[row]
        old = _SCALAR.match(line, column)
        lines[row] = line[:column] + json.dumps(config[name]) + line[old.end() if old else column :]
    edited = "\n".join(lines)
    if dict(YAML(typ="safe", pure=True).load(edited)["baseline"]) != dict(config):
        raise ValueError("project.yaml: its baseline is written in a way that cannot be changed in place")
    return edited


def _own_files(folder: Path) -> Iterator[tuple[str, str]]:
    """The text files of a project's folder, hidden ones, caches, large ones and links left out."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for path in paths[:MOST]:
        name = path.relative_to(folder)
        if any(part.startswith(".") or part == "__pycache__" for part in name.parts) or path.stat().st_size > LARGEST:
            continue
        try:
            yield name.as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue

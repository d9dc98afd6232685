"""Imports go downward only, the drawing in docs/architecture.md is true, and a start stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tui", "company", "roles", "projects")
HEAVY = ("torch", "textual", "autogen_core", "sqlmodel", "networkx", "numpy", "ruamel", "rich", "pydantic")


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_the_drawing_of_the_architecture_is_what_the_code_imports() -> None:
    drawn = set(re.findall(r"(\w+) -> (\w+)", (ROOT / "docs/architecture.md").read_text()))
    real = {
        (package, name)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in imported(path) & set(PACKAGES) - {package}
    }
    assert real == drawn


def modules_after(*words: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    code = (
        "import sys; from company.cli import loopworks\n"
        f"try: loopworks.main({list(words)!r}, standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return {line.split(".")[0] for line in done.stdout.splitlines()}


def test_help_loads_nothing_heavy() -> None:
    assert not modules_after("--help") & set(HEAVY)


@pytest.mark.parametrize("words", [("org", "check", "startup"), ("project", "show", "digits")])
def test_what_only_reads_loads_no_torch_and_no_autogen(words: tuple[str, ...]) -> None:
    assert not modules_after(*words) & {"torch", "autogen_core", "textual", "sqlmodel"}


def test_help_answers_in_half_a_second_of_cpu() -> None:
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'company', '--help'], stdout=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.5

"""A built wheel, installed elsewhere, works in an empty directory: charts and projects travel as package data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what the wheel holds."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(folder.glob("loopworks-*.whl"))
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True, capture_output=True
    )
    return folder / "site"


def call(installed: Path, cwd: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import company.cli as c; print(c.__file__); c.main()", *words],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    where, _, rest = done.stdout.partition("\n")
    assert where.startswith(str(installed)), "the checkout answered, not the wheel"
    return rest


def test_charts_are_found(installed: Path, tmp_path: Path) -> None:
    assert json.loads(call(installed, tmp_path, "org", "show", "lab", "--json"))["chart"]["company"] == "lab"


def test_projects_are_found(installed: Path, tmp_path: Path) -> None:
    names = {item["name"] for item in json.loads(call(installed, tmp_path, "project", "list", "--json"))["projects"]}
    assert {"byte_lm", "digits"} <= names


def test_a_company_works(installed: Path, tmp_path: Path) -> None:
    words = ["run", "solo", "--project", "digits", "--experiments", "2", "--json", "--slots", "2"]
    found = json.loads(call(installed, tmp_path, *words))
    assert found["status"] == "closed"
    assert Path(tmp_path, found["run_dir"], "report.html").is_file()

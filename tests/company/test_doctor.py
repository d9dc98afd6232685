"""The doctor answers fast, truthfully and in a form that a machine can read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from company import doctor
from company.commands.doctor import doctor as command
from company.doctor import Check


def test_json_says_what_was_found() -> None:
    done = CliRunner().invoke(command, ["--json"])
    answer = json.loads(done.output)
    assert done.exit_code == 0 and answer["healthy"]
    names = {check["name"] for check in answer["checks"]}
    assert {"Python", "torch", "GPUs", "Slots", "Memory", "Disk", "SQLite", "bubblewrap", "Landlock"} <= names
    assert all(check["advice"] or check["state"] == "ok" for check in answer["checks"])


def test_a_person_reads_a_table_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [Check("torch", "broken", "not [installed]", "run: pip install 'torch[x]'"), Check("SQLite", "ok", "3.46")]
    monkeypatch.setattr(doctor, "examine", lambda folder: checks)
    done = CliRunner().invoke(command)
    assert done.exit_code == 1
    assert "not [installed]" in done.output and "run: pip install 'torch[x]'" in done.output
    assert "cannot work yet: torch" in done.output


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "REQUIRED", ("numpy", "no-such-thing"))
    found = doctor.packages()
    assert found.state == "broken" and found.advice == "run: pip install no-such-thing"


@pytest.mark.parametrize(
    ("script", "state", "found"),
    [
        ("exit 0", "ok", "starts"),
        ("echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "missing", "No permissions"),
        ("exec sleep 60", "missing", "does not start"),
    ],
)
def test_bubblewrap_is_tried_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: str, found: str
) -> None:
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    check = doctor.bubblewrap()
    assert check.state == state and found in check.found


def test_an_optional_part_is_named_by_its_extra() -> None:
    wants = ["numpy>=2; extra == 'plots'", "no-such-thing[x]>=1 ; extra == 'plots'", "torch; extra == 'other'"]
    found = doctor.extra("plots", wants)
    assert (found.state, found.found) == ("missing", "without no-such-thing")
    assert found.advice == "run: pip install 'loopworks[plots]'"


def test_it_answers_fast_and_imports_nothing_heavy() -> None:
    look = (
        "import sys; from company.doctor import examine; from pathlib import Path; examine(Path.cwd());"
        "print({'torch', 'sqlmodel', 'autogen_agentchat', 'sklearn'} & set(sys.modules))"
    )
    before = os.times().children_user
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
    assert os.times().children_user - before < 2.0

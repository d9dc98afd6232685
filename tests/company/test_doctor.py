"""The doctor answers fast, truthfully and in a form that a machine can read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from company import doctor
from company.attacks import trial
from company.attacks.attack import Expected, Verdict
from company.commands.doctor import doctor as command
from company.compute.gpus import GpuSurvey
from company.compute.sandbox.levels import LEVELS, Level
from company.compute.sandbox.probe import Probed
from company.doctor import Check

KNOWN: dict[Level, Expected] = {level: "wins" if level == "none" else "stopped" for level in LEVELS}


def test_json_says_what_was_found() -> None:
    done = CliRunner().invoke(command, ["--json"])
    answer = json.loads(done.output)
    assert done.exit_code == 0 and answer["healthy"]
    names = {check["name"] for check in answer["checks"]}
    assert {"Python", "torch", "GPUs", "Slots", "Memory", "Disk", "SQLite", "Sandbox"} <= names
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


def test_it_names_the_best_sandbox_and_what_keeps_better_ones_away(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: dict[Level, str] = {"strict": "no [x]", "standard": "bwrap is not installed", "degraded": "", "none": ""}
    monkeypatch.setattr(doctor, "probe", lambda: Probed(reasons))
    best, *others = doctor.sandboxes()
    assert best.state == "ok" and best.found.startswith("degraded: ")
    assert [check.found for check in others] == ["no [x]", "bwrap is not installed"]
    assert "apt install bubblewrap" in others[1].advice


def test_attacks_are_shown_and_one_that_wins_where_it_must_not_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def try_all(levels: list[Level], on_verdict: Callable[[Verdict], None]) -> list[Verdict]:
        return [Verdict("tcp", "connects", level, level == "none", wants, "ok") for level, wants in KNOWN.items()]

    monkeypatch.setattr(trial, "try_all", try_all)
    assert CliRunner().invoke(command, ["--attacks"]).exit_code == 0
    KNOWN["none"] = "stopped"
    done = CliRunner().invoke(command, ["--attacks", "--json"])
    answer = json.loads(done.stdout)
    assert done.exit_code == 1 and not answer["as_expected"]
    assert answer["verdicts"][-1] == {
        "attack": "tcp", "tries": "connects", "level": "none", "won": True, "expected": "stopped", "recorded": "ok",
        "failure": None, "as_expected": False,
    }  # fmt: skip


def test_an_optional_part_is_named_by_its_extra() -> None:
    wants = ["numpy>=2; extra == 'plots'", "no-such-thing[x]>=1 ; extra == 'plots'", "torch; extra == 'other'"]
    found = doctor.extra("plots", wants)
    assert (found.state, found.found) == ("missing", "not installed: no-such-thing")
    assert found.advice == "run: pip install 'loopworks[plots]'"


def test_what_every_optional_part_is_for_is_said() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        parts = tomllib.load(file)["project"]["optional-dependencies"]
    advice = {part: doctor.extra(part, [f"no-such-thing; extra == '{part}'"]).advice for part in parts}
    assert all(said.startswith("needed only ") for said in advice.values()), advice


def test_without_a_gpu_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    none = GpuSurvey(reason="NVML found no NVIDIA driver (NVML Shared Library Not Found)")
    for name in ("survey", "usable_gpus"):
        monkeypatch.setattr(doctor, name, lambda: none)
    found, (inside,) = doctor.gpus(), doctor.cuda_inside()
    assert found.found == f"none: {none.reason}" and found.advice.startswith("not needed: ")
    assert inside.name == "CUDA in sandbox" and "once there is a GPU" in inside.advice


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

"""The whole path without a model: a brain that patches by rule, real processes, git; seconds long."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from company.compute.sandbox import may_run_agent_code
from company.compute.sandbox.probe import choose
from company.events import CodeWritten
from company.ledger import Ledger
from company.patching.repository import Repository
from tests.support import kill_hard, loopworks, start, write_project

CHART = """
company: tinkerers
budget: {experiments: 8}
policies:
  found: {baselines: 2}
  close: {seeds: 2}
  accept: {fresh_seeds: 2, p: 0.2}
positions:
  - {id: ada, role: manager}
  - {id: bob, role: researcher, reports_to: ada, brain: {kind: mutator, share: 1}}
  - {id: dan, role: engineer, reports_to: ada}
"""


def run(folder: Path, *words: object) -> Ledger:
    if not (folder / "tiny").exists():
        write_project(folder / "tiny")
        (folder / "chart.yaml").write_text(CHART)
    plan = ("chart.yaml", "--project", "./tiny", "--slots", 1, "--out", "run") if "--resume" not in words else ()
    done = loopworks("run", *plan, "--plain", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return Ledger(folder / "run" / "ledger.sqlite")


@pytest.fixture
def sandbox() -> None:
    if why := may_run_agent_code(choose("auto")):
        pytest.skip(why)


@pytest.mark.usefixtures("sandbox")
def test_patches_run_as_they_are_recorded_and_are_followed_by_git(tmp_path: Path) -> None:
    ledger = run(tmp_path)
    state = ledger.fold()
    assert state.codes and state.holdout is not None
    for experiment in state.experiments.values():
        ran = tmp_path / "run" / "experiments" / experiment.id / "train.py"
        own = (tmp_path / "tiny" / "train.py").read_text()
        assert ran.read_text() == (state.codes[experiment.code].event.files["train.py"] if experiment.code else own)
    refs = Repository(tmp_path / "run" / "code.git").refs()
    assert len(refs) == 1 + len(state.codes)
    shutil.rmtree(tmp_path / "run" / "code.git")
    run(tmp_path, "--resume", "run")
    assert Repository(tmp_path / "run" / "code.git").refs() == refs


@pytest.mark.slow
@pytest.mark.usefixtures("sandbox")
def test_the_same_seed_patches_alike(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert run(tmp_path).digest == run(tmp_path / "other", "--engine", "direct").digest


@pytest.mark.slow
def test_without_a_sandbox_no_patch_is_taken_unless_a_person_says_so(tmp_path: Path) -> None:
    ledger = run(tmp_path, "--sandbox", "none")
    dropped = {r.event.detail for r in ledger.events() if r.event.kind == "ProposalDropped"}  # type: ignore[attr-defined]
    assert not ledger.fold().codes
    assert all("sandbox" in detail or "same config" in detail for detail in dropped)
    (tmp_path / "other").mkdir()
    allowed = run(tmp_path / "other", "--sandbox", "none", "--allow-unsandboxed")
    assert any(isinstance(recorded.event, CodeWritten) for recorded in allowed.events())


@pytest.mark.slow
@pytest.mark.usefixtures("sandbox")
def test_a_killed_run_goes_on_to_the_same_history_and_the_same_commits(tmp_path: Path) -> None:
    expected = run(tmp_path)
    refs = Repository(tmp_path / "run" / "code.git").refs()
    killed = tmp_path / "killed"
    killed.mkdir()
    write_project(killed / "tiny")
    (killed / "chart.yaml").write_text(CHART)
    words = ("run", "chart.yaml", "--project", "./tiny", "--slots", 1, "--out", "run", "--plain")
    for n in range(3):
        process = start(*(words if n == 0 else ("run", "--resume", "run", "--plain")), cwd=killed)
        wait_for(killed / "run" / "experiments" / f"e{3 + 4 * n:04d}")
        kill_hard(process)
    ledger = run(killed, "--resume", "run")
    assert ledger.digest == expected.digest
    assert Repository(killed / "run" / "code.git").refs() == refs


def wait_for(path: Path, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("sandbox")
def test_without_git_the_company_works_and_a_person_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_project(tmp_path / "tiny")
    (tmp_path / "chart.yaml").write_text(CHART)
    words = ("run", "chart.yaml", "--project", "./tiny", "--slots", 1, "--out", "run", "--plain")
    done = loopworks(*words, cwd=tmp_path, env={**os.environ, "PATH": str(tmp_path / "empty")})
    assert done.returncode == 0
    assert done.stderr.count("git is not installed: the code of this run is kept in its ledger only") == 1
    assert Ledger(tmp_path / "run" / "ledger.sqlite").fold().codes

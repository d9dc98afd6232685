"""The run's code as git history: what is there, that it can be made again, and that nothing of it is believed."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
from patching_kit import CODE, Company, gain, replace, small_chart, toy_project

from company.patching.history import CodeHistory
from company.patching.repository import Repository, RepositoryError
from company.state import State
from projects.spec import Project

BROKEN, MENDED = replace("    total = 0.0", "    total = boom"), replace("    total = boom", "    total = 0.0 - 0")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The toy project with a folder of its own."""
    folder = tmp_path / "toy"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "train.py").write_text(CODE)
    (folder / "evaluate.py").write_text("# sealed\n")
    (folder / ".secret").write_text("a key")
    (folder / "__pycache__" / "x.py").write_text("")
    (folder / "project.yaml").write_text("name: toy  # mine\nbaseline: {lr: 0.3, width: 16, act: a}   # a start\n")
    return dataclasses.replace(toy_project(), folder=folder)


def script() -> dict[tuple[str, str], list[object]]:
    return {
        ("bob", "propose"): [BROKEN, gain(0.0, -0.5, reason="a dead end"), gain(0.0, 0.5, config={"lr": 0.25}),
                             ("GAIN = 0.5", gain(0.5, 0.9, reason="$(touch /tmp/x) `id`\n--author=eve"))],
        ("dan", "repair"): [MENDED],
    }  # fmt: skip


def worked(project: Project, path: Path) -> State:
    """A company that ran to its end, followed step by step."""
    company = Company(small_chart(12), script(), project=project)  # type: ignore[arg-type]
    history = CodeHistory(path, project)
    history.follow(company.engine.state)
    step = company.follow(company.engine.found(company.chart, 0, 1))
    while step is not None:
        history.follow(company.engine.state)
        step = company.advance()
    assert history.problem == ""
    return company.engine.state


def git(path: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(path), *words], check=True, capture_output=True, text=True).stdout.strip()


def test_every_version_is_a_commit_and_the_champions_are_a_branch(project: Project, tmp_path: Path) -> None:
    state = worked(project, tmp_path / "code.git")
    refs = Repository(tmp_path / "code.git").refs()
    first = next(e for e in state.experiments.values() if e.purpose == "proposal")
    assert f"refs/tried/{first.id}-repair1" in refs and len(refs) == 1 + len(state.codes) == 6
    git(tmp_path, "clone", "-q", "-b", "champion", "code.git", "mine")
    mine = tmp_path / "mine"
    assert (mine / "train.py").read_text() == CODE.replace("GAIN = 0.0", "GAIN = 0.9")
    yaml = "name: toy  # mine\nbaseline: {lr: 0.25, width: 16, act: a}   # a start\n"
    assert (mine / "project.yaml").read_text() == yaml
    assert (mine / "evaluate.py").read_text() == "# sealed\n"
    assert not (mine / ".secret").exists() and not (mine / "__pycache__").exists()
    line = git(mine, "log", "--first-parent", "--format=%s").splitlines()
    assert len(line) == 1 + len(state.reigns) == 3 and line[-1] == "planted: the project's own code"
    assert line[0].startswith(f"{state.reigns[1][1]} is champion: $(touch /tmp/x) `id` --author=eve")
    assert git(mine, "log", "-1", "--format=%an") == "bob"


def test_what_was_discarded_stays_reachable_with_its_own_change(project: Project, tmp_path: Path) -> None:
    state = worked(project, tmp_path / "code.git")
    dead = next(e for e in state.experiments.values() if e.reason == "a dead end")
    shown = git(tmp_path / "code.git", "show", "--format=%s", f"refs/tried/{dead.id}")
    assert shown.startswith(f"{dead.id}: a dead end") and "-GAIN = 0.0\n+GAIN = -0.5" in shown
    faster = next(e for e in state.experiments.values() if e.config["lr"] == 0.25)
    assert "lr: 0.25," in git(tmp_path / "code.git", "show", f"refs/tried/{faster.id}:project.yaml")


def test_a_deleted_repository_is_made_again_from_the_ledger_with_the_same_names(
    project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "code.git"
    state = worked(project, path)
    before = Repository(path).refs()
    shutil.rmtree(path)
    CodeHistory(path, project).follow(state)
    assert Repository(path).refs() == before


@pytest.mark.parametrize("lost", ["refs/tried/e0006", "refs/heads/champion", "all"])
def test_what_is_missing_after_a_kill_is_made_again(project: Project, tmp_path: Path, lost: str) -> None:
    path = tmp_path / "code.git"
    state = worked(project, path)
    before = Repository(path).refs()
    for ref in before if lost == "all" else [lost]:
        (path / ref).unlink()
        (path / f"{ref}.lock").write_text("")
    (path / "loopworks.index.lock").write_text("")
    history = CodeHistory(path, project)
    history.follow(state)
    assert history.problem == "" and Repository(path).refs() == before
    assert not list(path.rglob("*.lock"))


def test_a_complete_repository_is_only_looked_at(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "code.git"
    state = worked(project, path)
    made: list[str] = []
    commit = Repository.commit
    monkeypatch.setattr(Repository, "commit", lambda *a: made.append(a[3]) or commit(*a))  # type: ignore[misc]
    history = CodeHistory(path, project)
    history.follow(state)
    history.follow(state)
    assert made == ["planted: the project's own code"]


def test_hooks_filters_and_settings_of_others_are_not_run(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mark = tmp_path / "code.git", tmp_path / "mark"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {tmp_path}/hooks\n\tattributesFile = {tmp_path}/attributes\n"
        f'[filter "bad"]\n\tclean = touch {mark}\n[commit]\n\tgpgSign = true\n'
    )
    (tmp_path / "attributes").write_text("* filter=bad\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    Repository(path).open()
    for hooks in (tmp_path / "hooks", path / "hooks"):
        hooks.mkdir(exist_ok=True)
        for name in ("reference-transaction", "post-index-change", "pre-commit"):
            (hooks / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
            (hooks / name).chmod(0o755)
    state = worked(project, path)
    assert len(Repository(path).refs()) == 1 + len(state.codes)
    assert not mark.exists() and not (tmp_path / "elsewhere").exists()


def test_without_git_the_run_goes_on_and_says_so(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = worked(project, tmp_path / "first.git")
    monkeypatch.setenv("PATH", str(tmp_path / "toy"))
    history = CodeHistory(tmp_path / "code.git", project)
    history.follow(state)
    assert history.problem == "git is not installed: the code of this run is kept in its ledger only"
    history.follow(state)


def test_a_damaged_repository_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "code.git"
    Repository(path).open()
    shutil.rmtree(path / "objects")
    with pytest.raises(RepositoryError, match="remove this folder and resume the run"):
        Repository(path).refs()

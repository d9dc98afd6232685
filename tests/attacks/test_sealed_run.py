"""A company whose evaluator or data change under it stops with a line, and goes on with the old ones."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support import kill_hard, loopworks, start, write_chart, write_project


def running(tmp_path: Path) -> tuple[Path, list[object]]:
    project = write_project(tmp_path / "tiny", step=0.01, seconds=10)
    chart = write_chart(tmp_path / "small.yaml", experiments=40)
    return project, ["run", chart, "--project", project, "--out", tmp_path / "run", "--plain", "--slots", 1]


def wait_for_results(run: Path, n: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(run.glob("experiments/*/result.json"))) < n:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_evaluator_that_is_edited_under_a_company_stops_it(tmp_path: Path) -> None:
    project, words = running(tmp_path)
    company = start(*words, cwd=tmp_path)
    wait_for_results(tmp_path / "run", 1)
    evaluator = project / "evaluate.py"
    before = evaluator.read_text()
    evaluator.write_text(before.replace("answers[np.arange(400), labels].mean()", "0.0"))
    _, said = company.communicate(timeout=60)
    assert company.returncode == 1
    assert said.strip().splitlines()[-1].startswith(f"loopworks: {evaluator} changed while the company worked")
    refused = loopworks("run", "--resume", tmp_path / "run", "--plain", cwd=tmp_path)
    assert refused.returncode == 1 and "evaluate.py of project 'tiny' changed" in refused.stderr
    evaluator.write_text(before)
    again = start("run", "--resume", tmp_path / "run", "--plain", cwd=tmp_path)
    wait_for_results(tmp_path / "run", 4)
    kill_hard(again)


def test_data_that_changed_are_refused_on_resume(tmp_path: Path) -> None:
    _, words = running(tmp_path)
    company = start(*words, cwd=tmp_path)
    wait_for_results(tmp_path / "run", 1)
    kill_hard(company)
    labels = tmp_path / "run" / "data" / "sealed" / "more"
    labels.write_text("planted")
    refused = loopworks("run", "--resume", tmp_path / "run", "--plain", cwd=tmp_path)
    assert refused.returncode == 1 and "not the data that were prepared" in refused.stderr

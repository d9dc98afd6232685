"""A project from outside the repository, made of exactly the files in docs/projects.md, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from company.commands.project import project as command
from projects.load import load_project


def loopworks(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_documented_project_checks_calibrates_and_loads(rings):
    before = loopworks("check", rings)
    assert before.exit_code == 2
    assert "loopworks project calibrate" in before.stderr
    tried = loopworks("check", rings, "--run", "--json")
    found = json.loads(tried.stdout)
    assert tried.exit_code == 0, found
    assert [finding["name"] for finding in found["findings"]] == [
        "data",
        "training",
        "evaluation",
        "holdout",
        "determinism",
    ]
    assert not found["calibrated"]
    assert loopworks("calibrate", rings).exit_code == 0
    assert loopworks("check", rings).exit_code == 0
    made = load_project(rings)
    assert made.steps(made.baseline) > 100
    assert set(made.costs.base) == {f"{batch}/{degree}" for batch in (8, 32) for degree in (1, 2, 3)}
    shown = json.loads(loopworks("show", rings, "--json").stdout)
    assert shown["name"] == "rings"


def test_a_train_py_that_forgets_its_seed_is_found_out(rings):
    edit(rings / "train.py", "np.random.default_rng(args.seed)", "np.random.default_rng()")
    edit(
        rings / "evaluate.py",
        '"metric": float((answers.argmax(axis=1) != labels).mean())',
        '"metric": float(answers.sum())',
    )
    result = loopworks("check", rings, "--run")
    assert result.exit_code == 2
    assert "FAILED  determinism" in result.stdout


def test_a_train_py_that_raises_is_one_line(rings):
    edit(rings / "train.py", "    weights = rng", "    raise OSError('no coffee')\n    weights = rng")
    result = loopworks("check", rings, "--run")
    assert result.exit_code == 2
    assert "FAILED  training     train.py ended with exit code 1: OSError: no coffee" in result.stdout
    calibrated = loopworks("calibrate", rings)
    assert calibrated.exit_code == 1
    assert calibrated.stderr.count("\n") == 1


def test_shipped_projects_are_listed_and_shown():
    listed = json.loads(loopworks("list", "--json").stdout)["projects"]
    assert [item["name"] for item in listed] == ["byte_lm", "digits"]
    assert "learning_rate" in loopworks("show", "byte_lm").stdout
    unknown = loopworks("show", "bite_lm")
    assert unknown.exit_code == 2
    assert "did you mean byte_lm?" in unknown.stderr

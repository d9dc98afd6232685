"""Reading projects: the shipped ones are whole, and a broken one is told everything at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.load import ProjectError, load_project, shipped_projects
from projects.spec import Parameter

SHIPPED = ("byte_lm", "digits")


def problems(folder: Path, *, costs: bool = False) -> list[str]:
    with pytest.raises(ProjectError) as caught:
        load_project(folder, costs=costs)
    assert all("\n" not in problem for problem in caught.value.problems)
    return list(caught.value.problems)


def edit(folder: Path, old: str, new: str) -> None:
    text = (folder / "project.yaml").read_text()
    assert old in text
    (folder / "project.yaml").write_text(text.replace(old, new))


def test_the_shipped_projects_load_with_a_cost_for_every_shape():
    assert shipped_projects() == SHIPPED
    for name in SHIPPED:
        project = load_project(name)
        assert project.space.check(project.baseline) == []
        assert project.steps(project.baseline) > 10
        assert len(project.code_hash) == len(project.evaluator_hash) == 64


@pytest.mark.parametrize("name", SHIPPED)
def test_a_budget_of_steps_is_predicted_to_take_that_budget(name):
    project = load_project(name)
    rng = np.random.default_rng(0)
    for _ in range(50):
        config = project.space.sample(rng)
        steps = project.steps(config)
        over = project.predicted_seconds(config, steps) - project.budget_seconds
        assert over <= 1e-9 or steps == 1
        assert project.predicted_seconds(config, steps + 1) > project.budget_seconds


@pytest.mark.parametrize("name", SHIPPED)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_config_survives_the_unit_cube_and_back(name, seed):
    space = load_project(name, costs=False).space
    config = space.sample(np.random.default_rng(seed))
    assert space.check(config) == []
    assert space.decode(space.encode(config)) == config


@given(
    low=st.floats(1e-6, 1.0),
    span=st.floats(1.5, 1e4),
    unit=st.floats(-1, 2),
    log=st.booleans(),
    kind=st.sampled_from(["float", "int"]),
)
def test_decoding_any_number_stays_in_range(low, span, unit, log, kind):
    low, high = (low, low * span) if kind == "float" else (1.0, float(int(1 + span)))
    parameter = Parameter("p", kind, low, high, log)
    value = parameter.decode(unit)
    assert parameter.contains(value)
    assert -1e-9 <= parameter.encode(value) <= 1 + 1e-9


def test_unknown_names_and_folders_say_what_exists(tmp_path):
    assert "did you mean digits?" in problems(Path("digts"))[0]
    assert "shipped are byte_lm, digits" in problems(Path("zzz"))[0]
    assert "no project.yaml" in problems(tmp_path)[0]


def test_all_problems_come_at_once_with_the_nearest_word(rings):
    edit(rings, "direction: min", "direction: down")
    edit(rings, "budget: {seconds: 0.3}", "budgett: {seconds: 0.3}")
    edit(rings, "{choice: [8, 32], shape: true}", "{choice: [8], shape: true}")
    edit(rings, "[0.01, 100.0]", "[100.0, 0.01]")
    (rings / "train.py").write_text("def load(folder, device): ...\n")
    (rings / "evaluate.py").unlink()
    found = "\n".join(problems(rings))
    for expected in (
        "'budgett' is not a setting: did you mean budget?",
        "'budget' is missing",
        "direction must be min or max, not 'down'",
        "learning_rate: low 100.0 is not under high 0.01",
        "batch: choice needs a list of at least two values",
        "train.py: function predict(model, inputs) is missing",
        "evaluate.py: does not exist",
    ):
        assert expected in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("- 1\n", "must be a mapping"),
        ("name: x\n\ty: 1\n", "line 2"),
        ("name: [1, 2\n", "line 2"),
        ("name: x\nmetric: 3\nspace: 4\nbaseline: 5\nbudget: six\n", "metric: must be a mapping"),
        ("name: x\nspace: {a: 3, b: {float: [a, b]}, c: {choice: [null, 1]}}\n", "'metric' is missing"),
        ("name: x\nreferences: 3\nsealed: 4\nlimits: {memory_mb: -1}\n", "memory_mb must be a number above 0"),
    ],
)
def test_nonsense_is_a_line_and_never_a_traceback(rings, text, expected):
    (rings / "project.yaml").write_text(text)
    assert expected in "\n".join(problems(rings))


def test_a_baseline_outside_the_space_is_named(rings):
    edit(rings, "degree: 1}", "degree: 9, speed: 2}")
    found = "\n".join(problems(rings))
    assert "baseline: degree=9 is outside {1, 2, 3}" in found
    assert "baseline: 'speed' is not a parameter" in found


def test_costs_must_exist_and_cover_every_shape(rings):
    assert "loopworks project calibrate" in problems(rings, costs=True)[0]
    table = {"version": 1, "machine": "m", "keys": ["batch", "degree"], "overhead": 0.0, "base": {"8/1": 0.1}}
    (rings / "costs.json").write_text(json.dumps(table))
    assert "lacks 5 of 6 shapes" in problems(rings, costs=True)[0]
    for wrong in (
        {**table, "keys": ["batch"]},
        {**table, "base": {"8/1": -1}},
        {"version": 1},
        3,
        {**table, "base": {}},
    ):
        (rings / "costs.json").write_text(json.dumps(wrong))
        assert "costs.json" in problems(rings, costs=True)[0]


def test_the_hash_of_the_evaluator_covers_the_sealed_files(rings):
    edit(rings, "name: rings", "name: rings\nsealed: [labels.txt]")
    assert "labels.txt does not exist" in problems(rings)[0]
    (rings / "labels.txt").write_text("1")
    first = load_project(rings, costs=False)
    (rings / "labels.txt").write_text("2")
    second = load_project(rings, costs=False)
    assert first.evaluator_hash != second.evaluator_hash
    assert first.code_hash == second.code_hash


def test_what_agents_may_change_is_declared_and_sealed_files_are_not(rings):
    edit(rings, "baseline:", "editable: {files: [train.py, model.py], imports: [einops], max_lines: 90}\nbaseline:")
    assert f"{rings / 'model.py'}: does not exist" in problems(rings)[0]
    (rings / "model.py").write_text("WIDTH = 4\n")
    project = load_project(rings, costs=False)
    assert project.editable == ("train.py", "model.py") and project.imports == ("einops",) and project.max_lines == 90
    assert project.code["model.py"] == "WIDTH = 4\n" and "def predict" in project.code["train.py"]
    before = project.code_hash
    (rings / "model.py").write_text("WIDTH = 8\n")
    assert load_project(rings, costs=False).code_hash != before


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("[train.py]", "editable: must be a mapping"),
        ("{files: [model.py]}", "must list train.py"),
        ("{files: [train.py, evaluate.py]}", "'evaluate.py' is sealed"),
        ("{files: [train.py, ../other.py]}", "'../other.py' must be a .py file in this folder"),
        ("{files: train.py}", "files must be a list of names"),
        ("{max_lines: 3}", "lines already; raise max_lines above 3"),
        ("{max_lines: none}", "max_lines must be a whole number from 1"),
        ("{import: [einops]}", "'import' is not a setting: did you mean imports?"),
    ],
)
def test_a_wrong_editable_section_is_told(rings, section, said):
    edit(rings, "baseline:", f"editable: {section}\nbaseline:")
    assert any(said in problem for problem in problems(rings))

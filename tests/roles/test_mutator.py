"""The brain that patches by rule: each patch applies, parses, changes one thing, and is the same for the same sight."""

from __future__ import annotations

import ast
import difflib

import numpy as np
import pytest

from company.patching.blocks import apply
from company.patching.code import code_hash, problems
from projects.load import load_project
from roles.brains.mutator import sites, suggest
from roles.intents import Patch, Propose
from roles.researcher import RESEARCHER
from roles.role import Brain
from roles.testing import observe

CODE = """RATE, DEPTH = 0.05, 4
MOMENTUM = 0.9
def f(x):
    y = F.relu(x[1]) * 1.0
    z = 3 * x
    y = F.relu(x[1]) * 1.0
    return y.view(2, -1)
"""


def test_numbers_that_mean_something_and_activations_can_be_changed() -> None:
    lines = CODE.split("\n")
    found = {lines[site.line][site.start : site.end]: site.choices for site in sites(CODE)}
    assert set(found) == {"0.05", "4", "0.9", "F.relu"}, "no index, no shape, no factor of one"
    assert found["0.05"] == ("0.025", "0.1") and found["4"] == ("2", "8")
    assert found["0.9"] == ("0.95", "0.8"), "a momentum stays one"
    assert "F.gelu" in found["F.relu"]


def test_code_that_does_not_parse_has_nothing_to_change() -> None:
    assert list(sites("x = (")) == [] and list(sites("\0")) == []


@pytest.mark.parametrize("name", [pytest.param("byte_lm", marks=pytest.mark.slow), "digits"])
def test_every_patch_of_a_shipped_project_may_run_and_changes_one_line(name: str) -> None:
    project = load_project(name)
    seen = observe("propose", code=dict(project.code))
    patches = set()
    for n in range(60):
        found = suggest(seen, {"share": 1.0}, np.random.default_rng(n))
        assert found is not None and found.patch
        after = apply(found.patch, project.code)
        assert problems(after, project) == []
        assert code_hash(after) != code_hash(project.code)
        before, now = (files["train.py"].splitlines() for files in (project.code, after))
        assert sum(line.startswith("+ ") for line in difflib.ndiff(before, now)) == 1
        patches.add(found.patch)
    assert len(patches) > 10


def test_a_line_that_is_there_twice_is_quoted_with_what_stands_around_it() -> None:
    seen = observe("propose", code={"train.py": CODE})
    for n in range(40):
        found = suggest(seen, {"share": 1.0}, np.random.default_rng(n))
        assert found is not None
        ast.parse(apply(found.patch, seen.code)["train.py"])


def test_a_researcher_hands_it_in_as_a_patch_on_the_champions_config_and_the_rest_as_configs() -> None:
    kinds = {
        type(RESEARCHER.policy(observe("propose", code={"train.py": CODE}, turn=n), Brain("mutator"))[0])
        for n in range(20)
    }
    assert kinds == {Patch, Propose}
    assert all(
        isinstance(RESEARCHER.policy(observe("propose", turn=n), Brain("mutator"))[0], Propose) for n in range(20)
    ), "without code it climbs hills"

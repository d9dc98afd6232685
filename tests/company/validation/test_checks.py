"""Each validation at a fraction of its length, and the parts that it rests on."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from company import validation
from company.validation import VALIDATIONS, Job, near, share_of, work
from company.validation.networks import matrix
from company.validation.queue import erlang, simulate
from company.validation.review import MAJORITIES, decisions
from company.validation.scullen import expected_gain
from company.validation.secretary import taken

SHORT: Mapping[str, Mapping[str, Any]] = {
    "queue": {"RUNS": 4, "JOBS": 40_000, "BURN_IN": 5_000},
    "review": {"PROPOSALS": 100_000},
    "zollman": {
        "NETWORKS": {"complete": (0.894, 1000, 124), "wheel": (0.953, 500, 435), "ring": (0.970, 300, 857)},
        "LITTLE": {6: 1000},
    },
    "march": {"COMPANIES": 100, "AT_A_TIME": 100, "EQUILIBRIUM": {0.5: (0.9543, 0.8691, 0.8106, 0.7679, 0.7421)}},
    "pluchino": {"COMPANIES": 5},
    "lazer": {"LANDSCAPES": 10, "SMOOTH": 5},
    "barkoczi": {"LANDSCAPES": 30},
    "scullen": {"COMPANIES": 60},
    "nk": {"LANDSCAPES": 60},
    "secretary": {"SEARCHES": 20_000},
}
LOOSER = 2.5  # times the tolerance


@pytest.mark.parametrize("name", SHORT)
def test_a_short_run_comes_near(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for constant, value in SHORT[name].items():
        monkeypatch.setattr(importlib.import_module(VALIDATIONS[name][0]), constant, value)
    found = work(Job(name, 0, False))
    assert found and all(f.source.endswith("]") for f in found)
    assert all(f.low <= f.measured <= f.high for f in found)
    assert [f.check for f in found if f.tolerance.startswith("±") and not f.passed and _off(f) > LOOSER] == []


def _off(finding: validation.Finding) -> float:
    expected, tolerance = float(finding.expected), finding.tolerance.removeprefix("± ")
    allowed = float(tolerance.rstrip("%")) * (expected / 100 if tolerance.endswith("%") else 1)
    return abs(finding.measured - expected) / allowed


def test_the_same_seed_measures_the_same_and_another_does_not() -> None:
    one, again, other = (
        [f.measured for f in work(Job("secretary", seed, False))] for seed in (3, 3, 4)
    )  # fmt: skip
    assert one == again != other


def test_networks_are_what_charts_say() -> None:
    assert matrix(5, "complete").sum(axis=1).tolist() == [4] * 5
    assert matrix(5, "ring")[0].tolist() == [False, True, False, False, True]
    assert matrix(5, "line").sum(axis=1).tolist() == [1, 2, 2, 2, 1]
    assert matrix(6, "wheel").sum(axis=1).tolist() == [5, 3, 3, 3, 3, 3]
    assert not matrix(5, "solo").any()


def test_the_lattice_is_directed() -> None:
    sees = matrix(100, "lattice")
    assert np.flatnonzero(sees[0]).tolist() == list(range(1, 20))
    assert np.flatnonzero(sees[99]).tolist() == list(range(19))
    assert not (sees & sees.T).any()


def test_erlang_c() -> None:
    assert erlang(2, 0.8) == pytest.approx((0.7111, 1.7778), abs=1e-4)
    assert erlang(8, 0.9) == pytest.approx((0.7015, 0.8769), abs=1e-4)


def test_experiments_start_first_come_first_served() -> None:
    assert simulate(1, [0.0, 1.0, 1.5], [3.0, 1.0, 1.0]) == [0.0, 3.0, 4.0]
    assert simulate(2, [0.0, 1.0, 1.5, 9.0], [3.0, 1.0, 1.0, 1.0]) == [0.0, 1.0, 2.0, 9.0]


def test_patterns_of_votes_are_those_of_the_rule() -> None:
    decided = decisions(MAJORITIES, 9)
    assert decided.shape == (512,) and not decided[0] and decided[511]
    assert decided[0b000011011] and not decided[0b001001001]


def test_the_first_year_of_letting_the_lowest_tenth_go() -> None:
    assert expected_gain() == pytest.approx(0.1850, abs=1e-4)


def test_look_then_leap() -> None:
    worth = np.array([[5, 1, 6, 7], [9, 1, 6, 7], [1, 2, 3, 0]])
    assert taken(worth, 3).tolist() == [2, 3, 2]


def test_a_figure_outside_its_tolerance_fails() -> None:
    assert near("x", 1.0, 0.1, (1.09, 1.0, 1.2), "us [O]").passed
    assert not near("x", 1.0, 0.1, (1.11, 1.0, 1.2), "us [O]").passed
    rate, low, high = share_of(0, 20)
    assert rate == 0 and low == pytest.approx(0, abs=1e-12) and 0.1 < high < 0.2

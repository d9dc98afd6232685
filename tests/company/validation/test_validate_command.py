"""`loopworks validate` as a person and as a script meets it."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner

from company.commands.validate import validate
from company.validation import VALIDATIONS

FIGURE = {"check", "expected", "tolerance", "measured", "low", "high", "passed", "seconds", "source"}


def test_help_lists_the_names() -> None:
    text = CliRunner().invoke(validate, ["--help"]).stdout
    assert all(name in text for name in VALIDATIONS)


def test_a_wrong_name_is_told_the_nearest_right_one() -> None:
    done = CliRunner().invoke(validate, ["zolman"])
    assert done.exit_code == 2 and "did you mean 'zollman'?" in done.output and "secretary" in done.output


def test_json_is_one_object_in_the_order_of_the_names() -> None:
    done = CliRunner().invoke(validate, ["secretary", "review", "--json", "--jobs", "2"])
    found = json.loads(done.stdout)
    assert done.exit_code == 0 and list(found) == ["secretary", "review"]
    assert all(set(figure) == FIGURE for figures in found.values() for figure in figures)


def test_one_process_and_two_measure_the_same() -> None:
    def measured(jobs: str) -> list[float]:
        done = CliRunner().invoke(validate, ["secretary", "nk", "--json", "--jobs", jobs])
        return [f["measured"] for figures in json.loads(done.stdout).values() for f in figures]

    assert measured("1") == measured("2")


def test_a_table_names_figures_sources_and_the_verdict() -> None:
    done = CliRunner().invoke(validate, ["secretary", "secretary"])
    assert done.stdout.count("secretary") == 1
    for text in ("Gilbert & Mosteller 1966 [A]", "0.371 ± 0.0061", "pass", "1 of 1 checks pass"):
        assert text in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_everything_passes_within_two_minutes_on_two_cores(seed: int) -> None:
    since = time.perf_counter()
    done = CliRunner().invoke(validate, ["--seed", str(seed), "--json", "--jobs", "2"])
    found = json.loads(done.stdout)
    failed = [(name, f["check"], f["measured"]) for name, figures in found.items() for f in figures if f["passed"] is False]  # noqa: E501  # fmt: skip
    assert not failed and done.exit_code == 0
    assert time.perf_counter() - since < 120

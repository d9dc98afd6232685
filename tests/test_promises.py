"""What the README promises of a run, on a real project: the same history twice, by either engine, on several slots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import loopworks, write_chart, write_project


def outcome(cwd: Path, *words: object) -> dict[str, object]:
    done = loopworks("run", *words, "--json", cwd=cwd, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("promises")
    write_project(folder / "tiny")
    write_chart(folder / "chart.yaml", brain="tpe", experiments=8)
    return folder


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("--slots", 1), id="one slot", marks=pytest.mark.slow),
        pytest.param(("--slots", 3, "--deterministic"), id="three slots"),
    ],
)
def test_the_same_words_give_the_same_history_by_either_engine(place: Path, more: tuple[object, ...]) -> None:
    words = ["chart.yaml", "--project", "tiny", "--seed", 5, *more]
    digests = {outcome(place, *words, "--engine", engine)["digest"] for engine in ("autogen", "direct")}
    assert len(digests) == 1
    assert outcome(place, *words[: -len(more)], *more, "--seed", 6)["digest"] not in digests


def test_the_outcome_holds_what_others_rely_on(place: Path) -> None:
    found = outcome(place, "chart.yaml", "--project", "tiny", "--out", "contract")
    assert set(found) >= {
        "run_dir", "company", "project", "seed", "digest", "sigma", "baseline", "champion", "holdout", "experiments",
        "slots", "agents", "changes",
    }  # fmt: skip
    parts = {
        "baseline": {"mean", "n"},
        "champion": {"metric", "config_hash"},
        "holdout": {"baseline", "champion", "gain", "low", "high", "n"},
        "experiments": {"total", "ok", "failed", "duplicate", "replicated"},
        "slots": {"count", "busy_share", "launch_overhead_s"},
    }
    for name, keys in parts.items():
        assert set(found[name]) >= keys, name  # type: ignore[arg-type]
    assert {"id", "position", "role", "brain", "status", "experiments", "score"} <= set(found["agents"][0])  # type: ignore[index]
    files = {path.name for path in (place / "contract").iterdir()}
    assert {"ledger.sqlite", "chart.yaml", "experiments", "report.html"} <= files
    one = {path.name for path in (place / "contract" / "experiments" / "e0001").iterdir()}
    assert {"config.json", "log.txt", "metrics.jsonl", "result.json", "train.py"} <= one


@pytest.mark.slow
def test_the_first_thing_a_person_does_ends_with_a_champion_that_is_better(tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert found["project"] == "byte_lm"
    assert found["holdout"]["low"] > 0  # type: ignore[index]


@pytest.mark.slow
def test_a_real_project_repeats_bit_for_bit(tmp_path: Path) -> None:
    words = ["--project", "digits", "--experiments", 10, "--deterministic", "--slots", 2]
    assert outcome(tmp_path, *words, "--engine", "direct")["digest"] == outcome(tmp_path, *words)["digest"]

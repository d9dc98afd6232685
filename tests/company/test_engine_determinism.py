"""Same chart, project, seed and slots: the same events, byte for byte. And every organisation meets the same world."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from core_kit import chart_of, digest_of, rough_project, rough_trainer

from company.chart_yaml import shipped_charts
from company.engine import Engine, Step
from company.planning import training_seed
from company.testing import drive, planted_project, planted_trainer


def run(name: str, seed: int = 0, slots: int = 1, experiments: int = 10) -> tuple[str, Engine]:
    steps: list[Step] = []
    engine = drive(
        rough_project(), chart_of(name, experiments), rough_trainer(), seed=seed, slots=slots, on_step=steps.append
    )
    assert engine.state.phase == "closed"
    return digest_of(steps), engine


@pytest.mark.parametrize("name", shipped_charts())
def test_the_same_seed_gives_the_same_events_and_another_seed_gives_others(name: str) -> None:
    for slots in (1, 3):
        digest, _ = run(name, 5, slots)
        assert run(name, 5, slots)[0] == digest
        assert run(name, 6, slots)[0] != digest
    assert run(name, 5, 1)[0] != run(name, 5, 3)[0]


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_engine_determinism import run
print(run("lab", 3, 2)[0], run("committee", 3, 1)[0])
"""


def test_the_order_of_hashing_does_not_matter() -> None:
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)]
    children = [
        subprocess.Popen(command, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE, text=True)
        for seed in ("1", "31337")
    ]
    one, other = (child.communicate(timeout=60)[0].split() for child in children)
    assert one == other
    assert len(one) == 2


def test_every_organisation_meets_the_same_world() -> None:
    """The seed of a training run is named by the run's root seed and its config, never by who asked or when."""
    project, train = planted_project(), planted_trainer()
    worlds = []
    for name, seed in (("solo", 4), ("startup", 4), ("lab", 4), ("startup", 5)):
        engine = drive(project, chart_of(name, 12), train, seed=seed)
        worlds.append([e.seed for e in engine.state.experiments.values() if e.purpose == "baseline"])
        runs = [e for e in engine.state.experiments.values() if e.purpose == "proposal"]
        assert all(e.seed == training_seed(seed, "train", e.hash, 0) for e in runs)
    assert worlds[0] == worlds[1] == worlds[2] != worlds[3]


def test_a_training_seed_depends_on_each_of_its_names() -> None:
    seeds = [training_seed(*name) for name in [(0, "train", "a", 0), (1, "train", "a", 0), (0, "close", "a", 0)]]
    seeds += [training_seed(0, "train", "b", 0), training_seed(0, "train", "a", 1)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert training_seed(0, "train", "a", 0) == seeds[0]


def test_a_replication_has_a_seed_that_no_other_run_has() -> None:
    state = run("startup", 2, experiments=20)[1].state
    assert any(e.purpose == "replication" for e in state.experiments.values())
    research = [(e.hash, e.seed) for e in state.experiments.values() if e.purpose != "closing"]
    assert len(set(research)) == len(research)

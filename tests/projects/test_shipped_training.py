"""The shipped train.py: bit-for-bit repeats, micro batches, every architecture, honest failures. Few real steps."""

from __future__ import annotations

import itertools
import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from projects.load import load_project
from projects.trial import TrialError, score, train

SHIPPED = ("byte_lm", "digits")
SMALL = {"byte_lm": {"width": 32, "depth": 1, "batch": 8, "context": 32, "dropout": 0.0}, "digits": {}}


@pytest.fixture(scope="module")
def modules() -> dict[str, dict]:
    """The train.py of each project, as a forked worker runs them."""
    return {name: runpy.run_path(str(load_project(name, costs=False).folder / "train.py")) for name in SHIPPED}


def small(name: str, **over) -> dict:
    return {**load_project(name, costs=False).baseline, **SMALL[name], **over}


def trained(modules, data, out: Path, name: str, config: dict, steps=5, micro=None, seed=1) -> list[dict]:
    import torch

    out.mkdir(parents=True, exist_ok=True)
    if name == "byte_lm":
        given = [torch.from_numpy(np.fromfile(data[name] / "train" / "text.bin", dtype=np.uint8))]
    else:
        given = [torch.from_numpy(np.load(data[name] / "train" / f"{part}.npy")) for part in ("images", "labels")]
    modules[name]["train"](config, *given, out, seed, steps, micro_batch=micro)
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", ["digits", pytest.param("byte_lm", marks=pytest.mark.slow)])
def test_two_processes_with_the_same_seed_leave_the_same_bytes_and_metric(name, data, tmp_path):
    project = load_project(name, costs=False)
    lines = [train(project, small(name), data[name], tmp_path / run, seed=3, steps=8) for run in "ab"]
    assert lines[0] == lines[1]
    assert [line["step"] for line in lines[0]] == list(range(1, 9))
    weights = [(tmp_path / run / "model.safetensors").read_bytes() for run in "ab"]
    assert weights[0] == weights[1]
    answer = score(project, data[name], tmp_path / "a")
    assert 0 < answer["metric"] < 9
    assert answer["n"] in (360, 64 * 256)


@pytest.mark.parametrize("name", SHIPPED)
def test_another_seed_is_another_model_and_the_same_seed_is_not(name, modules, data, tmp_path):
    runs = [trained(modules, data, tmp_path / str(i), name, small(name), seed=seed) for i, seed in enumerate((1, 1, 2))]
    weights = [(tmp_path / str(i) / "model.safetensors").read_bytes() for i in range(3)]
    assert runs[0] == runs[1] != runs[2]
    assert weights[0] == weights[1] != weights[2]


@pytest.mark.parametrize(("name", "micro"), [("byte_lm", 2), ("byte_lm", 3), ("digits", 5)])
def test_a_micro_batch_follows_the_whole_batch(name, micro, modules, data, tmp_path):
    config = small(name, batch=8)
    whole = trained(modules, data, tmp_path / "whole", name, config)
    parts = trained(modules, data, tmp_path / "parts", name, config, micro=micro)
    for a, b in zip(whole, parts, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_choice_trains_saves_loads_and_predicts(name, modules, data, tmp_path):
    space = load_project(name, costs=False).space
    inputs = np.arange(64, dtype=np.uint8).reshape(2, 32) if name == "byte_lm" else np.zeros((3, 8, 8), np.float32)
    for parameter in space.parameters:
        for value in parameter.values if not parameter.shape else ():
            out = tmp_path / f"{parameter.name}-{value}"
            trained(modules, data, out, name, small(name, **{parameter.name: value}), steps=2)
            answer = modules[name]["predict"](modules[name]["load"](out), inputs)
            assert np.allclose(np.exp(answer).sum(axis=-1), 1.0, atol=1e-4), (parameter.name, value)


def test_every_pair_of_architecture_choices_is_causal(modules, data, tmp_path):
    space = load_project("byte_lm", costs=False).space.by_name
    rng = np.random.default_rng(0)
    rows = rng.integers(256, size=(2, 64), dtype=np.uint8)
    changed = rows.copy()
    changed[:, 40:] = rng.integers(256, size=(2, 24), dtype=np.uint8)
    for position, norm in itertools.product(space["position"].values, space["norm"].values):
        trained(modules, data, tmp_path, "byte_lm", small("byte_lm", position=position, norm=norm), steps=2)
        model = modules["byte_lm"]["load"](tmp_path)
        before, after = modules["byte_lm"]["predict"](model, rows), modules["byte_lm"]["predict"](model, changed)
        assert np.allclose(before[:, :40], after[:, :40], atol=1e-5)
        assert not np.allclose(before[:, 40:], after[:, 40:], atol=1e-3)


def test_divergence_is_said_and_exits_with_an_error(data, tmp_path):
    wild = small("byte_lm", optimiser="sgd", learning_rate=0.1, norm="none", init_scale=4.0, grad_clip=0.0)
    with pytest.raises(TrialError, match=r"exit code 1: diverged: the loss is \w+ at step \d+ of 60"):
        train(load_project("byte_lm", costs=False), wild, data["byte_lm"], tmp_path, steps=60)
    last = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["loss"] is None


def test_the_splits_share_no_file_and_no_image(data):
    about = json.loads((data["byte_lm"] / "data.json").read_text())
    assert set(about["files"]) == {"train/text.bin", "sealed/validation.bin", "sealed/holdout.bin"}
    train_text = (data["byte_lm"] / "train" / "text.bin").read_bytes()
    held = (data["byte_lm"] / "sealed" / "holdout.bin").read_bytes()
    assert sum(held[at : at + 200] in train_text for at in range(0, len(held) - 200, len(held) // 40)) <= 4
    labels = [np.load(data["digits"] / place) for place in ("train/labels.npy", "sealed/validation_labels.npy")]
    shares = [np.bincount(part) / len(part) for part in labels]
    assert np.allclose(*shares, atol=0.01), "stratified"

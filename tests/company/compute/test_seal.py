"""What results are measured by stays as it was, or nothing is measured any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from compute_bench import EVALUATE, Bench

from company.compute.backend import ComputeError
from company.compute.seal import Seal, Unsealed, content, file_hash


def sealed(*paths: Path) -> Seal:
    return Seal({path: file_hash(path) for path in paths})


def test_a_change_of_bytes_breaks_a_seal_and_a_touch_does_not(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_text("0110")
    seal = sealed(path)
    os.utime(path, (1, 1))
    seal.check()
    path.write_text("0111")
    os.utime(path, (1, 1))  # with the size and the time of before
    with pytest.raises(Unsealed, match=r"labels changed while the company worked"):
        seal.check()
    path.write_text("0110")
    seal.check()
    path.unlink()
    with pytest.raises(Unsealed):
        seal.check()


def test_contents_differ_by_a_byte_or_a_name(tmp_path: Path) -> None:
    folders = []
    for name, (file, text) in enumerate([("a", "x"), ("a", "x"), ("a", "y"), ("b", "x")]):
        folders.append(tmp_path / str(name))
        (folders[-1] / "train").mkdir(parents=True)
        (folders[-1] / "train" / file).write_text(text)
    same, again, byte, other = map(content, folders)
    assert same == again and len({same, byte, other}) == 3


async def test_an_evaluator_that_changes_ends_the_run_instead_of_measuring(bench: Bench) -> None:
    order = bench.order()
    await bench.compute.prepare_data(order.project, bench.folder / "data2")
    assert (await bench.compute.run(order, lambda *rung: None)).status == "ok"
    (order.project.folder / "evaluate.py").write_text(EVALUATE.replace("1.25", "0.25"))
    with pytest.raises(Unsealed, match=r"evaluate\.py"):
        await bench.compute.run(order, lambda *rung: None)
    assert not (order.folder / "model.safetensors").exists()


async def test_prepared_data_that_changed_are_refused(bench: Bench) -> None:
    project, data = bench.project(), bench.folder / "prepared"
    await bench.compute.prepare_data(project, data)
    (data / "calls").write_text("y")
    with pytest.raises(ComputeError, match="not the data that were prepared"):
        await bench.compute.prepare_data(project, data)

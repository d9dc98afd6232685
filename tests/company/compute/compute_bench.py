"""Tiny projects of our own, and a warm parent without torch so that a test costs milliseconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from company.compute.backend import Order, Outcome
from company.compute.local import LocalCompute
from projects.spec import CostTable, Limits, Metric, Project, SearchSpace

HEAD = """
import argparse, json, os, signal, subprocess, sys, time
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("config", "data", "out", "device"):
    parser.add_argument("--" + name)
for name in ("seed", "steps", "micro-batch"):
    parser.add_argument("--" + name, type=int)
args = parser.parse_args()
out = Path(args.out)
config = json.loads(Path(args.config).read_text())
def metric(step, loss):
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": step, "of": args.steps, "loss": loss}) + "\\n")
def weights():
    (out / "model.safetensors").write_bytes(b"weights")
    (out / "model.json").write_text("{}")
def wait_for(path):
    while not Path(path).exists():
        time.sleep(0.005)
"""
EVALUATE = """
import json, os, sys
if sys.argv[1] == "prepare":
    for name in ("train", "sealed"):
        os.makedirs(os.path.join(sys.argv[2], name))
    with open(os.path.join(sys.argv[2], "calls"), "a") as file:
        file.write("x")
else:
    given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
    assert os.path.isfile(os.path.join(given["--artefact"], "model.safetensors"))
    print("talk")
    print(json.dumps({"metric": 1.25, "n": 10}))
"""
GOOD = "for step in range(1, args.steps + 1): metric(step, 1.0 / step)\nweights()\n"


@dataclass
class Bench:
    """A LocalCompute, a folder, and orders made from a few lines of train.py."""

    compute: LocalCompute
    folder: Path
    rungs: list[tuple[int, int, float]] = field(default_factory=list)

    def project(self, train: str = GOOD, evaluate: str = EVALUATE, **limits: Any) -> Project:
        folder = self.folder / "project"
        folder.mkdir(exist_ok=True)
        (folder / "train.py").write_text(HEAD + train)
        (folder / "evaluate.py").write_text(evaluate)
        costs = CostTable(1, "none", (), {"": 0.01})
        guards = Limits(**{"memory_mb": 256, "seconds": 20.0, "log_kb": 8, "disk_mb": 16, **limits})
        metric = Metric("loss")
        return Project("tiny", "Tiny", 1, folder, metric, SearchSpace(()), {}, 1.0, costs, guards, evaluator_hash="e1")

    def order(self, train: str = GOOD, name: str = "e1", **more: Any) -> Order:
        limits = {key: more.pop(key) for key in ("memory_mb", "seconds", "log_kb", "disk_mb") if key in more}
        project = self.project(train, more.pop("evaluate", EVALUATE), **limits)
        data = self.folder / "data"
        for part in ("train", "sealed"):
            (data / part).mkdir(parents=True, exist_ok=True)
        order = Order(
            name, 1, self.compute.slots[0], project, self.folder / "experiments" / name, data, {"lr": 0.1}, 1, 20
        )
        return replace(order, **more)

    async def run(self, train: str = GOOD, **more: Any) -> Outcome:
        order = self.order(train, **more)
        return await self.compute.run(order, lambda *rung: self.rungs.append(rung))

    def start(self, train: str, **more: Any) -> asyncio.Task[Outcome]:
        return asyncio.create_task(self.run(train, **more))

    @property
    def out(self) -> Path:
        return self.folder / "experiments" / "e1"


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """What `condition` gives once it is true; fails after a deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.005)
    return value


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def read_pid(path: Path) -> int:
    """A process id that a script writes to a file; 0 while it is not there."""
    try:
        return int(path.read_text() or 0)
    except (OSError, ValueError):
        return 0

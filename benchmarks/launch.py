"""What a launch costs: a cold `python train.py` beside warm ones at every level of the sandbox that this machine has.

    python benchmarks/launch.py [--project digits] [--n 5] [--json]

All run the same file with the same arguments on one CPU core, one after the other, the levels in turn. Prints medians
in seconds: to the first optimiser step's metrics line, of the sealed evaluation, of the whole experiment; and the mean
of the processor's seconds, which other work on the machine changes least.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from company.compute.backend import Order, Slot  # noqa: E402
from company.compute.folder import lay_out  # noqa: E402
from company.compute.launches import train_launch  # noqa: E402
from company.compute.local import LocalCompute  # noqa: E402
from company.compute.sandbox.levels import LEVELS  # noqa: E402
from company.compute.sandbox.probe import probe  # noqa: E402
from projects.load import load_project  # noqa: E402
from projects.spec import Project  # noqa: E402

STEPS = 3
MEASURED = ("launch_s", "evaluate_s", "seconds", "processor_s")


def order(project: Project, folder: Path, name: str) -> Order:
    return Order(name, 1, Slot(0), project, folder / name, folder / "data", dict(project.baseline), 1, STEPS)


def cold(order: Order) -> float:
    """Seconds from starting `python train.py` to its first metrics line."""
    lay_out(order)
    launch = train_launch(order)
    env = {**launch.env, "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, launch.script, *launch.args], cwd=launch.cwd, env=env, stderr=subprocess.DEVNULL
    )
    while not first_line(order.folder / "metrics.jsonl"):
        if process.poll():
            raise SystemExit(f"train.py ended with {process.returncode} before its first step")
        time.sleep(0.002)
    taken = time.monotonic() - began
    process.wait()
    return taken


def first_line(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


async def warm(compute: LocalCompute, order: Order) -> dict[str, float]:
    """The measured times of one order carried out."""
    outcome = await compute.run(order, lambda *rung: None)
    if outcome.status != "ok":
        raise SystemExit(f"the run failed: {outcome.failure}: {outcome.detail}")
    return dict(outcome.measured)


def processor_s(compute: LocalCompute) -> float:
    """Processor seconds so far of the warm parent and all that it started and that has ended, bubblewrap included."""
    fields = Path(f"/proc/{compute.worker_pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


async def measure(project: Project, folder: Path, n: int) -> dict[str, Any]:
    """Medians over `n` launches of each kind; the start of the warm parent is paid once a company."""
    computes = {level: LocalCompute((Slot(0),), sandbox=level) for level in reversed(LEVELS) if probe().has(level)}
    began = time.monotonic()
    await computes["none"].start()
    start = time.monotonic() - began
    warmed: dict[str, list[dict[str, float]]] = {level: [] for level in computes}
    try:
        for compute in computes.values():
            await compute.prepare_data(project, folder / "data")
            await warm(compute, order(project, folder, "first"))
        for i in range(n):  # in turn: what else the machine does falls on all of them
            for level, compute in computes.items():
                before = processor_s(compute)
                times = await warm(compute, order(project, folder, f"{level}{i}"))
                warmed[level].append({**times, "processor_s": processor_s(compute) - before})
    finally:
        for compute in computes.values():
            await compute.close()
    cold_s = statistics.median(cold(order(project, folder, f"cold{i}")) for i in range(n))
    levels = {level: {name: statistics.median(each[name] for each in times) for name in MEASURED}
              for level, times in warmed.items()}  # fmt: skip
    for level, times in warmed.items():
        levels[level]["processor_s"] = statistics.mean(each["processor_s"] for each in times)
    warm_s, none = levels["none"]["launch_s"], levels["none"]
    overhead = {level: {name: found[name] - none[name] for name in MEASURED} for level, found in levels.items()}
    return {
        "n": n, "cold_s": cold_s, "warm_s": warm_s, "ratio": cold_s / warm_s, "start_s": start,
        "evaluate_s": levels["none"]["evaluate_s"], "levels": levels, "overhead_s": overhead,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="cold start of train.py beside a warm launch")
    parser.add_argument("--project", default="digits")
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    project = load_project(args.project, costs=False)
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(project, Path(folder), args.n))
    if args.json:
        print(json.dumps({"project": args.project, **result}))
        return
    print(f"{args.project}, medians of {args.n}, seconds to the first step")
    print(f"  cold python train.py   {result['cold_s']:7.3f}")
    print(f"  warm launch            {result['warm_s']:7.3f}   ({result['ratio']:.0f} times faster)")
    print(f"  warm parent's start    {result['start_s']:7.3f}   (once a company)")
    print(f"  sealed evaluation      {result['evaluate_s']:7.3f}   (each run)")
    print("level        launch  evaluate   whole  processor    over none: whole, processor")
    for level, found in result["levels"].items():
        times, more = "  ".join(f"{found[name]:7.3f}" for name in MEASURED), result["overhead_s"][level]
        print(f"  {level:9} {times}               {more['seconds']:+.3f}     {more['processor_s']:+.3f}")


if __name__ == "__main__":
    main()

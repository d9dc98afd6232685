"""What a launch costs: a cold `python train.py` beside a warm launch, both to the first optimiser step's metrics line.

    python benchmarks/launch.py [--project digits] [--n 5] [--json]

Both run the same file with the same arguments on one CPU core, one after the other. Prints medians in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from company.compute.backend import Order, Slot  # noqa: E402
from company.compute.folder import lay_out  # noqa: E402
from company.compute.launches import train_launch  # noqa: E402
from company.compute.local import LocalCompute  # noqa: E402
from projects.load import load_project  # noqa: E402
from projects.spec import Project  # noqa: E402

STEPS = 3


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


async def measure(project: Project, folder: Path, n: int) -> dict[str, float]:
    """Medians over `n` launches of each kind; the start of the warm parent is paid once a company."""
    compute = LocalCompute((Slot(0),))
    began = time.monotonic()
    await compute.start()
    start = time.monotonic() - began
    try:
        await compute.prepare_data(project, folder / "data")
        warmed = [await warm(compute, order(project, folder, f"warm{i}")) for i in range(n)]
    finally:
        await compute.close()
    colds = [cold(order(project, folder, f"cold{i}")) for i in range(n)]
    cold_s, warm_s = statistics.median(colds), statistics.median(times["launch_s"] for times in warmed)
    evaluate_s = statistics.median(times["evaluate_s"] for times in warmed)
    return {
        "n": n,
        "cold_s": cold_s,
        "warm_s": warm_s,
        "ratio": cold_s / warm_s,
        "start_s": start,
        "evaluate_s": evaluate_s,
    }


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


if __name__ == "__main__":
    main()

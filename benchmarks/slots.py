"""How busy a company keeps its slots, what a launch costs, and how large the engine grows.

    python -m benchmarks.slots [--project byte_lm] [--seconds 5] [--experiments 40] [--slots 2]

Runs the startup chart on a copy of the project with experiments of the given reference seconds, then prints the share
of slot time between founding and closing that held an experiment, the median seconds from asking for a run to its first
optimiser step, and the engine's largest resident memory. About two and a half minutes on 2 cores.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from projects.load import find_folder


def longer(project: str, seconds: float, folder: Path) -> Path:
    """A copy of a project whose runs last `seconds`."""
    copy = Path(shutil.copytree(find_folder(project), folder / project))
    text = (copy / "project.yaml").read_text()
    (copy / "project.yaml").write_text(re.sub(r"budget: \{seconds: [\d.]+\}", f"budget: {{seconds: {seconds}}}", text))
    return copy


def run(project: Path, experiments: int, slots: int, folder: Path) -> tuple[dict[str, object], float]:
    """The outcome of a run and the largest resident memory of its engine in MB."""
    words = ["run", "startup", "--project", project, "--experiments", experiments, "--slots", slots]
    command = [sys.executable, "-m", "company", *map(str, words), "--out", str(folder / "run"), "--json", "--plain"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    largest = 0.0
    while process.poll() is None:
        largest = max(largest, resident_mb(process.pid))
        time.sleep(0.5)
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        sys.exit(f"the run ended with exit code {process.returncode}: try it by hand: {' '.join(command)}")
    return json.loads(output), largest


def resident_mb(pid: int) -> float:
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", default="byte_lm")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--experiments", type=int, default=40)
    parser.add_argument("--slots", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found, largest = run(longer(args.project, args.seconds, folder), args.experiments, args.slots, folder)
    slots = found["slots"]
    assert isinstance(slots, dict)
    print(f"{args.slots} slots, {args.experiments} experiments of {args.seconds:g} reference seconds on {args.project}")
    print(f"busy share            {slots['busy_share']:.1%}   (target: 95 %)")
    print(f"launch, median        {slots['launch_overhead_s']:.3f} s (target: 0.3 s)")
    print(f"engine, resident      {largest:.0f} MB  (target: 250 MB)")


if __name__ == "__main__":
    main()

"""Run the scripts of a project as the company will: prepare data, train, score. Each is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from projects.spec import Project, Value

PACKAGES = Path(__file__).resolve().parent.parent  # so that evaluate.py finds projects.predictor, installed or not


class TrialError(Exception):
    """A script of the project did not do its part; the message is one line for its author."""


def prepare(project: Project, folder: Path, timeout: float = 120.0) -> dict[str, Any]:
    """Make the project's data in `folder`; returns data.json. Raises TrialError when the contract is not kept."""
    _run([project.folder / "evaluate.py", "prepare", folder], timeout)
    try:
        about = json.loads((folder / "data.json").read_text())
    except (OSError, ValueError) as error:
        raise TrialError(f"evaluate.py prepare left no readable data.json ({error})") from None
    for part in ("train", "sealed"):
        if not (folder / part).is_dir() or not any((folder / part).iterdir()):
            raise TrialError(f"evaluate.py prepare left nothing in {part}/")
    if not isinstance(about, dict) or "sha256" not in about:
        raise TrialError("data.json has no sha256; write the hash of all data there")
    return about


def train(
    project: Project,
    config: Mapping[str, Value],
    data: Path,
    out: Path,
    *,
    seed: int = 0,
    steps: int = 10,
    micro_batch: int | None = None,
    timeout: float = 120.0,
) -> list[dict[str, Any]]:
    """Train for `steps` steps into `out`; returns the lines of metrics.jsonl. Raises TrialError."""
    _run([project.folder / "train.py", *train_arguments(config, data, out, seed, steps, micro_batch)], timeout)
    try:
        return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise TrialError(f"train.py left no readable metrics.jsonl ({error})") from None


def train_arguments(
    config: Mapping[str, Value], data: Path, out: Path, seed: int, steps: int, micro_batch: int | None = None
) -> list[str]:
    """The command line of one training run; writes OUT/config.json, which it names."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(dict(config)))
    paths = ["--config", str(out / "config.json"), "--data", str(data / "train"), "--out", str(out)]
    counts = ["--seed", str(seed), "--steps", str(steps), "--device", "cpu"]
    return paths + counts + (["--micro-batch", str(micro_batch)] if micro_batch else [])


def score(project: Project, data: Path, out: Path, split: str = "validation", timeout: float = 120.0) -> dict[str, Any]:
    """The evaluator's answer for a model: {"metric", "n"} or {"failure", "detail"}. Raises TrialError."""
    printed = _run([project.folder / "evaluate.py", *score_arguments(project, data, out, split)], timeout)
    try:
        answer = json.loads(printed.splitlines()[-1])
    except (ValueError, IndexError):
        answer = None
    if not isinstance(answer, dict) or not {"metric", "failure"} & set(answer):
        raise TrialError('the last line of evaluate.py score is not {"metric": x, "n": n} or {"failure": ...}')
    return answer


def score_arguments(project: Project, data: Path, out: Path, split: str) -> list[str]:
    """The command line of one evaluation."""
    places = ["--artefact", str(out), "--code", str(project.folder / "train.py"), "--data", str(data / "sealed")]
    return ["score", *places, "--split", split]


def _run(command: Sequence[Path | str], timeout: float) -> str:
    """Standard output of a Python script that must exit 0 in time."""
    what = f"{Path(command[0]).name} {command[1] if command[1] in ('prepare', 'score') else ''}".strip()
    path = os.pathsep.join([str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired:
        raise TrialError(f"{what} did not end within {timeout:g} s") from None
    if done.returncode:
        last = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), "nothing on stderr")
        raise TrialError(f"{what} ended with exit code {done.returncode}: {last[:300]}")
    return done.stdout

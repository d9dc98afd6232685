"""A project without torch that trains in milliseconds and can fail in every way that a real one can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

MODES = ("fine", "raise", "hang", "garbage", "nan", "memory", "no_model", "silent_exit", "diverge")

TRAIN = """
import argparse, json, os, sys, time
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file, save_file

def load(folder, device):
    kept = json.loads((Path(folder) / "model.json").read_text())
    return {**kept, "logit": float(load_file(Path(folder) / "model.safetensors")["logit"][0])}

def predict(model, inputs):
    if model["mode"] == "nan":
        return np.full((len(inputs), 2), np.nan)
    p = 1 / (1 + np.exp(-model["logit"] * np.sign(inputs)))
    return np.log(np.stack([1 - p, p], axis=-1))

def main():
    parser = argparse.ArgumentParser()
    for name in ("config", "data", "out"):
        parser.add_argument("--" + name)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--micro-batch", type=int)
    args = parser.parse_args()
    config = json.loads(Path(args.config).read_text())
    mode, out = config["mode"], Path(args.out)
    truth = 2 - 4 * (config["x"] - 0.7) ** 2
    with (out / "metrics.jsonl").open("w") as file:
        for step in range(1, args.steps + 1):
            time.sleep(STEP)
            loss = 3 - truth - step / args.steps
            print(json.dumps({"step": step, "of": args.steps, "loss": loss}), file=file, flush=True)
    if mode == "raise":
        raise RuntimeError("[bold]the script's own[/bold] \\x1b[31mmistake")
    if mode == "hang":
        time.sleep(3600)
    if mode == "garbage":
        sys.stdout.buffer.write(os.urandom(1 << 20)); print("\\n" * 100_000); sys.exit(3)
    if mode == "memory":
        keep = [np.ones(1 << 24) for _ in range(1000)]
    if mode == "no_model":
        return
    if mode == "silent_exit":
        os._exit(0)
    if mode == "diverge":
        raise SystemExit("diverged: the loss is nan at step 3")
    noise = np.random.default_rng(args.seed).normal() * 0.01
    (out / "model.json").write_text(json.dumps({"mode": mode}))
    save_file({"logit": np.array([truth + noise])}, out / "model.safetensors")

if __name__ == "__main__":
    main()
"""

EVALUATE = """
import argparse, json
from pathlib import Path
import numpy as np
from projects.predictor import PredictionError, Predictor, print_result

def prepare(folder):
    for part in ("train/none", "sealed/validation", "sealed/holdout"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "data.json").write_text(json.dumps({"sha256": "none"}))

def score(args):
    inputs = np.random.default_rng(3 if args.split == "holdout" else 4).normal(size=400)
    with Predictor(args.code, args.artefact, args.device, 20) as model:
        answers = model.predict(inputs, (400, 2))
    labels = (inputs > 0).astype(int)
    return {"metric": float(-answers[np.arange(400), labels].mean()), "n": 400}

def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("folder", type=Path)
    scoring = commands.add_parser("score")
    for name in ("artefact", "code", "data"):
        scoring.add_argument("--" + name, type=Path)
    scoring.add_argument("--split")
    scoring.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.command == "prepare":
        prepare(args.folder)
        return
    try:
        print_result(score(args))
    except PredictionError as problem:
        print_result({"failure": problem.kind, "detail": problem.detail})

if __name__ == "__main__":
    main()
"""


def write_project(
    folder: Path, *, modes: tuple[str, ...] = ("fine", "raise"), baseline_mode: str = "fine", step: float = 0.001,
    seconds: float = 2.0,
) -> Path:  # fmt: skip
    """Write the project into `folder`. A config fails as its `mode` says; x = 0.7 is best, the baseline has 0.1."""
    folder.mkdir(parents=True)
    (folder / "train.py").write_text(TRAIN.replace("STEP", repr(step)))
    (folder / "evaluate.py").write_text(EVALUATE)
    known = sorted({*modes, baseline_mode}, key=MODES.index)
    (folder / "project.yaml").write_text(
        textwrap.dedent(f"""
        name: tiny
        title: A bowl in one dimension
        version: 1
        metric: {{name: negative log-likelihood, unit: nats, direction: min}}
        budget: {{seconds: {20 * step}}}
        preload: [numpy, safetensors.numpy]
        limits: {{memory_mb: 400, seconds: {seconds}}}
        space:
          x: {{float: [0.0, 1.0]}}
          size: {{choice: [1, 2], shape: true}}
          mode: {{choice: [{", ".join(known)}]}}
        baseline: {{x: 0.1, size: 1, mode: {baseline_mode}}}
        """)
    )
    costs = {"version": 1, "machine": "none", "keys": ["size"], "base": {"1": step, "2": step}, "overhead": step}
    (folder / "costs.json").write_text(json.dumps(costs))
    return folder


def write_chart(path: Path, brain: str = "random", experiments: int = 6, watch: str = "median") -> Path:
    """A small company: one manager, one researcher, one engineer, one reviewer."""
    path.write_text(
        textwrap.dedent(f"""
        company: small
        budget: {{experiments: {experiments}}}
        policies:
          found: {{baselines: 3}}
          close: {{seeds: 2}}
          watch: {{rule: {watch}}}
        positions:
          - {{id: ada, role: manager}}
          - {{id: bob, role: researcher, reports_to: ada, brain: {brain}}}
          - {{id: dan, role: engineer, reports_to: ada}}
          - {{id: eve, role: reviewer, reports_to: ada}}
        """)
    )
    return path


def loopworks(*words: object, cwd: Path, timeout: float = 120, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Call the command as a person would, in a process of its own."""
    return subprocess.run(
        command(*words), cwd=cwd, timeout=timeout, capture_output=True, text=True, stdin=subprocess.DEVNULL, **settings
    )


def start(*words: object, cwd: Path) -> subprocess.Popen[str]:
    """As `loopworks`, without waiting; in a process group of its own, as a terminal would do."""
    return subprocess.Popen(
        command(*words), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "company", *map(str, words)]


def kill_hard(process: subprocess.Popen[str]) -> None:
    """kill -9 the engine alone: its workers have to notice by themselves."""
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

"""Try a project for real: prepare its data, train a little, evaluate, repeat (`loopworks project check --run`)."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from projects.spec import Project
from projects.trial import TrialError, prepare, score, train

STEPS = 6
MICRO_TOLERANCE = 0.05  # relative: sums in another order, and other draws of dropout, over a few steps


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: `detail` is what was seen, or one line on what to do."""

    name: str
    passed: bool
    detail: str


def try_out(project: Project) -> Iterator[Finding]:
    """Try each part of the contract in turn; ends after the first part that fails, since the rest stands on it."""
    with tempfile.TemporaryDirectory(prefix="loopworks-check-") as name:
        attempt = _Attempt(project, Path(name))
        for label, part in attempt.parts():
            try:
                yield Finding(label, True, part())
            except TrialError as problem:
                yield Finding(label, False, str(problem))
                return


class _Attempt:
    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.data = folder / "data"
        self.results: dict[str, tuple[float, float]] = {}  # run -> (last training loss, metric)

    def parts(self) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "data", self.prepared
        yield "training", self.trained
        yield "evaluation", self.evaluated
        yield "holdout", self.held_out
        yield "determinism", self.repeated
        if self.project.micro_batch:
            yield "micro batch", self.divided

    def prepared(self) -> str:
        about = prepare(self.project, self.data)
        return f"sha256 {str(about['sha256'])[:12]}"

    def trained(self) -> str:
        lines = self.run("first")
        steps = [line.get("step") for line in lines]
        if steps[:1] != [1] or steps[-1:] != [STEPS]:
            raise TrialError(
                f"metrics.jsonl must start at step 1 and end at step {STEPS}, not {steps[:1]} to {steps[-1:]}"
            )
        return f"{STEPS} steps, {len(lines)} lines, training loss {lines[-1]['loss']:.4g}"

    def evaluated(self) -> str:
        metric, n = self.measured("first")
        return f"{self.project.metric.name} {metric:.6g} over {n}"

    def held_out(self) -> str:
        metric, n = self.measured("first", "holdout")
        return f"{metric:.6g} over {n}"

    def repeated(self) -> str:
        self.run("second")
        first, second = self.measured("first")[0], self.measured("second")[0]
        if first != second:
            raise TrialError(f"the same seed gave {first!r}, then {second!r}: seed every generator, use one thread")
        return "the same seed gives the same metric, bit for bit"

    def divided(self) -> str:
        rows = self.project.baseline[str(self.project.micro_batch)]
        part = max(1, int(rows) // 2) if isinstance(rows, (int, float)) else 1
        divided, whole = (self.run(name, micro)[-1]["loss"] for name, micro in (("micro", part), ("first", None)))
        if abs(divided - whole) > MICRO_TOLERANCE * abs(whole):
            raise TrialError(f"with --micro-batch {part} the training loss is {divided:.5g}, without it {whole:.5g}")
        return f"--micro-batch {part} trains to {divided:.5g}, the whole batch to {whole:.5g}"

    def run(self, name: str, micro_batch: int | None = None) -> list[dict[str, Any]]:
        """Train the baseline into a folder of its own; the lines, the last of which has a finite loss."""
        limit = self.project.limits.seconds
        out = self.folder / name
        lines = train(
            self.project, self.project.baseline, self.data, out, steps=STEPS, micro_batch=micro_batch, timeout=limit
        )
        loss = lines[-1].get("loss") if lines and isinstance(lines[-1], dict) else None
        if not isinstance(loss, (int, float)) or not math.isfinite(loss):
            raise TrialError('the last line of metrics.jsonl must be {"step": i, "of": steps, "loss": a finite number}')
        return lines

    def measured(self, name: str, split: str = "validation") -> tuple[float, int]:
        answer = score(self.project, self.data, self.folder / name, split, self.project.limits.seconds)
        if "failure" in answer:
            raise TrialError(f"evaluate.py refused the model: {answer['failure']}: {answer.get('detail', '')}")
        metric = answer["metric"]
        if isinstance(metric, bool) or not isinstance(metric, (int, float)) or not math.isfinite(metric):
            raise TrialError(f"evaluate.py gave the metric {metric!r}, not a finite number")
        return float(metric), int(answer.get("n", 0))

"""Code that cheats, breaks or hangs before a sealed evaluator: each try is a recorded failure, or changes nothing."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from projects.load import load_project
from projects.predictor import PredictionError, normalised
from projects.trial import PACKAGES

UNIFORM = "np.full((*inputs.shape, 256), -np.log(256), np.float32)"
CODE = """
import os, sys, time
import numpy as np
seen = {{}}
def load(folder, device):
    return None
def uniform(inputs):
    return {uniform}
def peek(inputs):
    out = np.full((*inputs.shape, 256), -12.0, np.float64)
    following = np.roll(inputs, -1, axis=1).astype(int)
    np.put_along_axis(out, following[..., None], np.log1p(-255 * np.exp(-12.0)), axis=-1)
    return out
def predict(model, inputs):
{body}
"""


def scored(tmp_path: Path, data: dict[str, Path], body: str, *more: str, project: str = "byte_lm") -> dict:
    """What evaluate.py prints of a train.py with this body of predict."""
    code = tmp_path / "train.py"
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    code.write_text(CODE.format(uniform=UNIFORM, body=lines))
    evaluator = load_project(project, costs=False).folder / "evaluate.py"
    places = ["--artefact", tmp_path, "--code", code, "--data", data[project] / "sealed"]
    done = subprocess.run(
        [sys.executable, evaluator, "score", *places, "--split", "validation", *more],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGES)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1, "one line and nothing else"
    return json.loads(done.stdout)


def test_a_uniform_guess_is_eight_bits_a_byte(tmp_path, data):
    assert scored(tmp_path, data, "return uniform(inputs)") == {"metric": pytest.approx(8.0), "n": 64 * 256}


def test_a_forged_result_line_changes_nothing(tmp_path, data):
    forge = (
        'line = b\'{"metric": 0.1, "n": 1}\\n\'\nos.write(1, line), os.write(2, line), sys.stdout.write("x" * 9999)\n'
    )
    answer = scored(tmp_path, data, forge + "return uniform(inputs)")
    assert answer["metric"] == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("body", "failure", "detail"),
    [
        ("return uniform(inputs) * np.nan", "diverged", "not finite"),
        ("return np.full((*inputs.shape, 256), -np.inf)", "diverged", "not finite"),
        ("return uniform(inputs)[:, :-1]", "bad_output", "shape"),
        ("return uniform(inputs) + 1.0", "bad_output", "sum to one"),
        ("return np.zeros((*inputs.shape, 256))", "bad_output", "sum to one"),
        ("return uniform(inputs).astype(np.int64)", "bad_output", "int64"),
        ("return np.array([os])", "bad_output", "object"),
        ("return 'x' * 100000", "bad_output", ""),
        ("raise RuntimeError('out of\\nideas')", "bad_output", "RuntimeError in load or predict: out of ideas"),
        ("sys.exit(0)", "bad_output", "SystemExit"),
        ("os._exit(0)", "bad_output", "ended without an answer"),
        ("os.kill(os.getpid(), 9)", "infrastructure", "ended from outside by SIGKILL"),
        ("open('notes', 'wb', 0).write(b'x')", "bad_output", "OSError"),
        ("return peek(inputs)", "bad_output", "look ahead"),
        ("return seen.setdefault(inputs[0, 0], peek(inputs))", "bad_output", "look ahead"),
    ],
)
def test_broken_and_cheating_predictions_are_recorded_failures(tmp_path, data, body, failure, detail):
    answer = scored(tmp_path, data, body)
    assert answer["failure"] == failure
    assert detail in answer["detail"]
    assert "\n" not in answer["detail"]


def test_predictions_that_hang_end_at_the_time_limit(tmp_path, data):
    start = time.monotonic()
    answer = scored(tmp_path, data, "time.sleep(3600)", "--timeout", "1")
    assert answer["failure"] == "bad_output"
    assert "more than 1 s" in answer["detail"]
    assert time.monotonic() - start < 20


def test_missing_data_is_the_evaluators_failure(tmp_path, data):
    answer = scored(tmp_path, {"byte_lm": tmp_path}, "return uniform(inputs)")
    assert answer["failure"] == "evaluation"


def test_digits_scores_by_its_own_labels(tmp_path, data):
    body = "return np.full((len(inputs), 10), -np.log(10))"
    assert scored(tmp_path, data, body, project="digits")["metric"] == pytest.approx(math.log(10))


def test_rows_are_normalised_exactly_within_the_tolerance():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(5, 7))
    rows = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert np.allclose(np.exp(normalised(rows + 5e-4)).sum(axis=1), 1.0, atol=1e-12)
    with pytest.raises(PredictionError):
        normalised(rows + 2e-3)

"""Where no process for predictions can be had the model is not to blame, and none of its code has run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from projects.trial import PACKAGES

ASK = """
import json, os, sys
from pathlib import Path
import numpy as np
from projects.predictor import PredictionError, Predictor, confine_with

class Cell:
    needed = ()
    def fork(self, become):
        child = os.fork()
        if child == 0:
            become()
        return child
    def enter(self, cwd):
        raise OSError(28, "no room for it")

def make(code, artefact):
    if sys.argv[1] == "made":
        raise OSError(28, "no room for it")
    return Cell()

confine_with(make)
try:
    with Predictor(Path("train.py"), Path(".")) as model:
        model.predict(np.zeros(1), (1,))
except PredictionError as problem:
    print(json.dumps([problem.kind, problem.detail]))
"""


@pytest.mark.parametrize(("when", "said"), [("made", "no process for load"), ("entered", "no sandbox for load")])
def test_a_sandbox_that_cannot_be_had_is_no_failure_of_the_model(when: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("open('ran', 'w')\n")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    words = [sys.executable, "-c", ASK, when]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    kind, detail = json.loads(done.stdout)
    assert kind == "infrastructure" and said in detail and "no room for it" in detail
    assert not (tmp_path / "ran").exists()

"""A wall clock that jumps, back or forward, changes nothing that was decided, and no report breaks on it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fault_kit import Company

from company.ledger import Ledger
from tests.support import loopworks

JUMPS = """
import itertools, time

real, asked = time.time, itertools.count()

def jumping():
    return real() + {expression}

time.time = jumping
"""

CLOCKS = {
    "a day back": "-86400 * (next(asked) > 60)",
    "ten years on": "315e6 * (next(asked) > 60)",
    "to and fro": "(-1) ** next(asked) * 1e5",
    "before 1970": "-4e9",
}


@pytest.mark.parametrize("how", CLOCKS)
def test_a_clock_that_jumps_is_no_part_of_history(company: Company, tmp_path: Path, how: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(JUMPS.format(expression=CLOCKS[how]))
    words = company.words(tmp_path / "run")
    done = loopworks(*words, cwd=company.folder, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    company.ended(done.stdout, tmp_path / "run")
    walls = [recorded.wall for recorded in Ledger(tmp_path / "run" / "ledger.sqlite").events()]
    assert how == "a day back" or how == "to and fro" or walls == sorted(walls)
    assert min(walls) < 0 or how != "before 1970"
    for form in ("json", "md", "html", "terminal"):
        told = loopworks("report", tmp_path / "run", "--format", form, cwd=tmp_path)
        assert told.returncode == 0 and "Traceback" not in told.stderr and "nan" not in told.stdout.lower().split(), (
            form
        )
    json.loads(loopworks("report", tmp_path / "run", "--format", "json", cwd=tmp_path).stdout)

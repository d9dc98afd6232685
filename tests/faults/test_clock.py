"""A wall clock that jumps, back or forward, changes nothing that was decided, and no report breaks on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fault_kit import Company

from company.ledger import Ledger
from company.report import Format, report_text
from tests.support import loopworks

FORMATS: tuple[Format, ...] = ("json", "md", "html", "terminal")
QUICK = "to and fro"

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


@pytest.mark.parametrize("how", [QUICK, *(pytest.param(how, marks=pytest.mark.slow) for how in CLOCKS if how != QUICK)])
def test_a_clock_that_jumps_is_no_part_of_history(company: Company, tmp_path: Path, how: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(JUMPS.format(expression=CLOCKS[how]))
    words = company.words(tmp_path / "run")
    done = loopworks(*words, cwd=company.folder, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    company.ended(done.stdout, tmp_path / "run")
    walls = [recorded.wall for recorded in Ledger(tmp_path / "run" / "ledger.sqlite").events()]
    assert how == "a day back" or how == "to and fro" or walls == sorted(walls)
    assert min(walls) < 0 or how != "before 1970"
    for form in FORMATS:
        text = report_text(tmp_path / "run", form)
        assert text and "nan" not in text.lower().split(), form

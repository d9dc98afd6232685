"""Work spread over processes comes back whole, and an error in one piece ends the rest."""

from __future__ import annotations

import math

import pytest

from company.processes import as_done, cores


@pytest.mark.parametrize("processes", [1, 2])
def test_every_piece_comes_back_with_its_index(processes: int) -> None:
    assert dict(as_done(math.sqrt, [4.0, 9.0, 16.0], processes)) == {0: 2.0, 1: 3.0, 2: 4.0}


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_is_raised_here(processes: int) -> None:
    with pytest.raises(ValueError, match="math domain"):
        list(as_done(math.sqrt, [4.0, -1.0, 9.0], processes))


def test_there_is_at_least_one_core() -> None:
    assert cores() >= 1

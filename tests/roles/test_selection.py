"""Who stands first and last: the same whatever order the candidates came in."""

from __future__ import annotations

import numpy as np
import pytest

from roles.selection import lowest, pick, ranked

WORTH = {"ada": 0.2, "bob": 0.9, "cleo": -0.4, "dan": 0.2}


@pytest.mark.parametrize("order", ["ada bob cleo dan", "dan cleo bob ada"])
def test_equals_stand_by_name_however_they_came(order: str) -> None:
    candidates = order.split()
    assert ranked(candidates, WORTH.__getitem__, str) == ["bob", "ada", "dan", "cleo"]
    assert lowest(candidates, WORTH.__getitem__, str, 2) == ["cleo", "ada"]


def test_best_worst_and_anyone() -> None:
    able, rng = ranked(list(WORTH), WORTH.__getitem__, str), np.random.default_rng(0)
    assert (pick("best", able, rng), pick("worst", able, rng)) == ("bob", "cleo")
    assert {pick("random", able, rng) for _ in range(60)} == set(WORTH)


def test_nobody_to_pick_is_an_error() -> None:
    with pytest.raises(IndexError):
        pick("best", [], np.random.default_rng(0))

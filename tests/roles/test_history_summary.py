"""A record that grows with its history says what one made from all of it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from company.observe import Prefix
from roles.brains.record import Summary, summarise
from roles.observation import Result

ENDS = (("ok", None), ("ok", None), ("failed", "crash"), ("failed", "infrastructure"), ("stopped", None))


def results(count: int, seed: int) -> list[Result]:
    """Few configs, so that many are repeated; every kind of end, not-a-number included."""
    rng, found = np.random.default_rng(seed), []
    for i in range(count):
        unit = (int(rng.integers(6)) / 6,)
        status, failure = ENDS[int(rng.integers(len(ENDS)))]
        loss = None if status != "ok" else math.nan if rng.random() < 0.1 else float(rng.random())
        found.append(Result(f"e{i}", "bob", {"x": unit[0]}, unit, status, loss, 1.0, failure))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("seed", range(5))
def test_what_grew_step_by_step_is_what_all_of_it_says(seed: int) -> None:
    history, seen, book = results(60, seed), list[Result](), Summary()
    for result in history:
        seen.append(result)
        grown, whole = summarise(Prefix(seen, book)), summarise(list(seen))
        assert (list(grown.losses.items()), grown.failed, grown.stopped) == (
            list(whole.losses.items()), whole.failed, whole.stopped,
        )  # fmt: skip
        assert book.units == {each.unit for each in seen}


def test_an_earlier_moment_is_told_as_it_was() -> None:
    seen, book = results(20, 1), Summary()
    before = Prefix(seen, book)
    expected = summarise(list(seen)).losses
    seen += results(20, 2)
    summarise(Prefix(seen, book))
    assert summarise(before).losses == expected

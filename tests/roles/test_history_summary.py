"""A record that grows with its history says what one made from all of it says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from company.observe import Prefix
from roles.brains.record import Summary, quantile, summarise
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


def finished(x: float, early: float, loss: float) -> Result:
    curve = ((0.25, early),)
    return Result(f"e{x}", "bob", {"x": x}, (x,), "ok", loss, 1.0, None, "proposal", curve)


def stopped(x: float, *early: float) -> Result:
    curve = tuple((0.25 * (i + 1), loss) for i, loss in enumerate(early))
    return Result(f"e{x}", "bob", {"x": x}, (x,), "stopped", None, 0.25, None, "proposal", curve)


def test_a_stopped_run_counts_as_the_run_that_stood_as_high_where_it_was_stopped() -> None:
    record = summarise([finished(i / 10, 1.0 + i, 10.0 * i) for i in range(5)] + [stopped(0.9, 3.5), stopped(0.8, 9.0)])
    units, losses = record.arrays()
    ends = dict(zip(units[:, 0].tolist(), losses.tolist(), strict=True))
    assert 20.0 < ends[0.9] < 30.0  # behind the run that was at 3 there and ended at 20
    assert ends[0.8] == 40.0  # behind all of them


def test_a_stopped_run_without_curves_to_compare_with_counts_as_the_middle_of_the_worse_half() -> None:
    few = [finished(i / 10, 1.0 + i, 10.0 * i) for i in range(4)]
    for end in (stopped(0.9, 0.5), stopped(0.9), stopped(0.9, 0.5, 0.4)):
        units, losses = summarise([*few, end]).arrays()
        assert losses[units[:, 0] == 0.9] == pytest.approx(np.quantile([0.0, 10.0, 20.0, 30.0], 0.75))


@pytest.mark.parametrize("count", [1, 2, 5, 60])
def test_quantiles_of_ranked_numbers_are_numpys(count: int) -> None:
    draws = np.random.default_rng(count)
    ranked, shares = np.sort(draws.normal(size=count)), np.append(draws.random(20), [0.0, 1.0])
    found = [quantile(ranked.tolist(), share) for share in shares.tolist()]
    assert found == pytest.approx(np.quantile(ranked, shares), rel=1e-12)

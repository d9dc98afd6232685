"""NK landscapes: every way to evaluate one agrees, and theory holds where it says something."""

from __future__ import annotations

import numpy as np
import pytest

from company.landscapes import Landscape, Neighbours, draw, local_optima


def by_hand(landscape: Landscape, point: int) -> float:
    """Bit by bit, from the definition."""
    total = 0.0
    for table, reads in zip(landscape.tables, landscape.inputs, strict=True):
        total += table[sum(((point >> int(bit)) & 1) << j for j, bit in enumerate(reads))]
    return total / landscape.bits


@pytest.mark.parametrize("neighbours", ["random", "adjacent", "any"])
@pytest.mark.parametrize(("n", "k"), [(1, 0), (5, 2), (6, 5), (9, 4)])
def test_a_list_of_all_points_a_look_at_one_and_the_definition_agree(n: int, k: int, neighbours: Neighbours) -> None:
    landscape = draw(n, k, np.random.default_rng(n), neighbours)
    points = np.arange(2**n)
    assert landscape.values() == pytest.approx(landscape.fitness(points))
    assert landscape.values() == pytest.approx([by_hand(landscape, int(point)) for point in points])


def test_ties_are_to_different_bits() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        others = draw(8, 5, rng).inputs
        assert all(len(set(row)) == 6 for row in others.tolist())
        anyone = draw(8, 5, rng, "any").inputs
        assert all(len(set(row[1:])) == 5 for row in anyone.tolist())
    assert draw(5, 2, rng, "adjacent").inputs.tolist()[4] == [4, 0, 1]


def test_a_bit_may_be_tied_to_itself_where_any_is_allowed() -> None:
    rows = draw(8, 5, np.random.default_rng(0), "any").inputs
    assert any(row[0] in row[1:] for row in rows.tolist())


def test_rounded_tables_tie_exactly() -> None:
    landscape = draw(10, 3, np.random.default_rng(2), decimals=1)
    tenths = landscape.values() * 100
    assert len(np.unique(landscape.values())) == len(np.unique(np.round(tenths)))
    assert local_optima(landscape.values()) <= local_optima(draw(10, 3, np.random.default_rng(2)).values())


def test_without_ties_there_is_one_optimum_and_it_takes_the_better_of_each_bit() -> None:
    landscape = draw(10, 0, np.random.default_rng(3))
    assert local_optima(landscape.values()) == 1
    assert landscape.values().max() == pytest.approx(landscape.tables.max(axis=1).mean())


def test_the_same_seed_is_the_same_landscape() -> None:
    one, other = (draw(8, 3, np.random.default_rng(7)).values() for _ in range(2))
    assert (one == other).all()


@pytest.mark.parametrize(("n", "k"), [(0, 0), (4, 4), (4, -1)])
def test_a_k_without_enough_bits_is_an_error(n: int, k: int) -> None:
    with pytest.raises(ValueError, match="0 <= K < N"):
        draw(n, k, np.random.default_rng(0))


def test_too_many_points_to_list_is_an_error() -> None:
    with pytest.raises(ValueError, match="too many points"):
        draw(21, 0, np.random.default_rng(0)).values()

"""Every attack of the catalogue at every level that this machine has: what must be stopped is, known holes are known.

The same as `loopworks doctor --attacks`. A level that cannot be had here is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from company.attacks.attack import Attack
from company.attacks.trial import ATTACKS, carry_out, ground
from company.compute.local import LocalCompute
from company.compute.sandbox.levels import LEVELS, Level
from company.compute.sandbox.probe import probe


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LEVELS)
async def compute(request: pytest.FixtureRequest) -> AsyncIterator[LocalCompute]:
    level: Level = request.param
    if reason := probe().reasons[level]:
        pytest.skip(f"no level {level} here: {reason}")
    async with ground(level) as ready:
        yield ready


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_what_must_be_stopped_is(
    attack: Attack, compute: LocalCompute, tmp_path_factory: pytest.TempPathFactory
) -> None:
    verdict = await carry_out(attack, compute, tmp_path_factory.mktemp("a"))
    assert verdict.as_expected, verdict


@pytest.mark.asyncio(loop_scope="module")
async def test_a_run_goes_well_after_all_of_them(compute: LocalCompute, tmp_path: Path) -> None:
    harmless = Attack(
        "none", "trains", lambda scene, outcome: outcome.status != "ok", "for n in range(20): metric(n, 1)"
    )
    verdict = await carry_out(harmless, compute, tmp_path)
    assert verdict.recorded == "ok" and not verdict.won


def test_every_level_but_none_stops_every_attack() -> None:
    assert not [attack.name for attack in ATTACKS if {*attack.wins, *attack.depends} - {"none"}]


def test_names_of_attacks_are_their_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)

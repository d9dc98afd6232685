"""Carrying attacks out through LocalCompute, as a company would, and judging them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from company.attacks.attack import Attack, Verdict
from company.attacks.cheating import CHEATING
from company.attacks.exhausting import EXHAUSTING
from company.attacks.leaving import LEAVING
from company.attacks.reaching import REACHING
from company.attacks.scene import ENV_KEY, Scene
from company.compute.backend import Slot
from company.compute.local import LocalCompute
from company.compute.sandbox import Level

ATTACKS: tuple[Attack, ...] = (*REACHING, *EXHAUSTING, *CHEATING, *LEAVING)
PRELOAD = ("numpy",)


@asynccontextmanager
async def ground(level: Level) -> AsyncIterator[LocalCompute]:
    """A LocalCompute at a level, ready."""
    compute = LocalCompute((Slot(0),), preload=PRELOAD, sandbox=level)
    try:
        await compute.start()
        yield compute
    finally:
        await compute.close()


async def carry_out(attack: Attack, compute: LocalCompute, folder: Path) -> Verdict:
    """Try an attack in a scene of its own below `folder`; nothing of it is left."""
    scene = Scene(folder)
    os.environ[ENV_KEY] = scene.token
    try:
        outcome = await compute.run(scene.order(attack), lambda *rung: None)
        won = attack.won(scene, outcome)
    finally:
        del os.environ[ENV_KEY]
        scene.close()
        shutil.rmtree(scene.folder, ignore_errors=True)
    recorded = outcome.failure or outcome.status
    expected = attack.expected(compute.sandbox)
    return Verdict(attack.name, attack.tries, compute.sandbox, won, expected, recorded, attack.failure)


def try_all(
    levels: Sequence[Level], attacks: Iterable[Attack] = ATTACKS, on_verdict: Callable[[Verdict], None] = lambda v: None
) -> list[Verdict]:
    """Every attack at every level, in a temporary folder. Takes about ten seconds a level."""

    async def all_of_them(folder: Path) -> list[Verdict]:
        found: list[Verdict] = []
        for level in levels:
            async with ground(level) as compute:
                for attack in attacks:
                    found.append(await carry_out(attack, compute, folder))
                    on_verdict(found[-1])
        return found

    with tempfile.TemporaryDirectory(prefix="lw-") as name:
        return asyncio.run(all_of_them(Path(name)))

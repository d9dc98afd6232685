"""A LocalCompute for each test, its warm parent without torch so that a test costs milliseconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from compute_bench import Bench

from company.compute.backend import Slot
from company.compute.local import LocalCompute


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    compute = LocalCompute((Slot(0), Slot(1)), preload=())
    await compute.start()
    yield Bench(compute, tmp_path)
    await compute.close()

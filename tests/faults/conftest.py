"""One project and one run in peace for all fault tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_kit import Company


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("faults"), step=0.01)


@pytest.fixture
def company(founded: Company) -> Iterator[Company]:
    """What was recorded in one test says nothing of the runs of another."""
    founded.seen.clear()
    yield founded

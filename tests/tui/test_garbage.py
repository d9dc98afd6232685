"""Garbage is looked for when all has been read and when nobody is there, never a second time for the same events."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tui.garbage import SETTLES, Garbage


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    found: list[int] = []
    monkeypatch.setattr("tui.garbage.gc.collect", lambda: found.append(gc.get_freeze_count()))
    yield found
    gc.unfreeze()


def test_it_is_looked_for_once_when_all_is_read_and_then_at_rest(looks: list[int]) -> None:
    garbage = Garbage()
    garbage.rest(10 * SETTLES)  # still reading
    assert not looks
    garbage.read(100)
    garbage.read(200)
    garbage.rest(100 + SETTLES - 1)
    assert len(looks) == 1 and gc.get_freeze_count() > 1000
    garbage.rest(100 + SETTLES)
    garbage.rest(101 + SETTLES)
    assert looks == [looks[0], 0]  # what was left alone before is looked at again

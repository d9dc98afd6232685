"""Experiments that ended long ago, kept small: what lists and pictures go by stands in the object, the rest in a page.

A page holds the other fields of `PAGE` experiments and what was said of them, compressed; they are unpacked when
somebody asks. A filed experiment reads like any other, and what is written to it stays. Pure.
"""

from __future__ import annotations

import marshal
import pickle
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from company.entities import Experiment

PAGE = 128
OPEN = 8  # pages that stay unpacked
AT_HAND = (
    "id", "purpose", "status", "proposer", "position", "parent", "cost", "metric", "finished_at", "failure", "verdict",
    "standing",
)  # fmt: skip
NAMES = tuple(field.name for field in fields(Experiment))
PACKED = tuple(name for name in NAMES if name not in AT_HAND)
PLACES = {name: place for place, name in enumerate(PACKED)}


@dataclass(frozen=True, slots=True)
class Page:
    """The packed fields of some experiments, and beside each what else is kept of it."""

    rows: bytes
    others: bytes


class Filed(Experiment):
    """An experiment whose other fields are on a page."""

    __slots__ = ("_page", "_row")

    _page: Page
    _row: int

    def __getattr__(self, name: str) -> Any:
        """A field that is not at hand."""
        place = PLACES.get(name)
        if place is None:
            raise AttributeError(name)
        found = _rows(self._page.rows)[self._row][place]
        if name == "replications":  # it may still grow
            found = self.replications = list(found)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Experiment) and all(getattr(self, name) == getattr(other, name) for name in NAMES)

    __hash__ = None  # type: ignore[assignment]  # it changes, as any experiment

    def __getstate__(self) -> dict[str, Any]:
        """What stands in the object itself: a copy shares the page."""
        return {name: value for name in (*NAMES, "_page", "_row") if (value := _own(self, name)) is not _UNSET}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


_UNSET = object()
_SLOTS = {name: getattr(Filed, name) for name in (*NAMES, "_page", "_row")}


def _own(filed: Filed, name: str) -> Any:
    """What stands in a slot, without a look at the page."""
    try:
        return _SLOTS[name].__get__(filed, Filed)
    except AttributeError:
        return _UNSET


def file(experiments: Sequence[Experiment], others: Sequence[object]) -> list[Filed]:
    """Experiments on a page of their own, each with something else that is kept of it (None: nothing)."""
    rows = [tuple(_plain(getattr(each, name)) for name in PACKED) for each in experiments]
    page = Page(zlib.compress(marshal.dumps(rows), 1), zlib.compress(pickle.dumps(list(others)), 1))
    return [_filed(each, page, row) for row, each in enumerate(experiments)]


def beside(filed: Experiment | None) -> Any:
    """A copy of what else was kept of an experiment when it was filed, None where there is nothing."""
    return pickle.loads(zlib.decompress(filed._page.others))[filed._row] if isinstance(filed, Filed) else None


def _filed(experiment: Experiment, page: Page, row: int) -> Filed:
    found = Filed.__new__(Filed)
    for name in AT_HAND:
        setattr(found, name, getattr(experiment, name))
    found._page, found._row = page, row
    return found


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value


@lru_cache(maxsize=OPEN)
def _rows(packed: bytes) -> list[tuple[Any, ...]]:
    return marshal.loads(zlib.decompress(packed))

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
from typing import Any, cast

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


class Filed:
    """An experiment whose other fields are on a page; for all who read it, it is an Experiment."""

    __slots__ = (*AT_HAND, "_changed", "_page", "_row")

    id: str
    _page: Page
    _row: int
    _changed: dict[str, Any] | None  # fields of the page that were written since

    def __getattr__(self, name: str) -> Any:
        """A field that is not at hand."""
        place = PLACES.get(name)
        if place is None:
            raise AttributeError(name)
        changed = self._changed
        if changed is not None and name in changed:
            return changed[name]
        found = _rows(self._page.rows)[self._row][place]
        if name != "replications":
            return found
        setattr(self, name, list(found))  # it may still grow
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in PLACES:
            object.__setattr__(self, name, value)
        elif self._changed is None:
            self._changed = {name: value}
        else:
            self._changed[name] = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Filed, Experiment)):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in NAMES)

    __hash__ = None  # type: ignore[assignment]  # it changes, as any experiment

    def __repr__(self) -> str:
        return f"Filed({self.id})"


def file(experiments: Sequence[Experiment], others: Sequence[object]) -> list[Experiment]:
    """Experiments on a page of their own, each with something else that is kept of it (None: nothing)."""
    rows = [tuple(_plain(getattr(each, name)) for name in PACKED) for each in experiments]
    page = Page(zlib.compress(marshal.dumps(rows), 1), zlib.compress(pickle.dumps(list(others)), 1))
    return [cast(Experiment, _filed(each, page, row)) for row, each in enumerate(experiments)]


def beside(filed: Experiment | None) -> Any:
    """A copy of what else was kept of an experiment when it was filed, None where there is nothing."""
    return pickle.loads(zlib.decompress(filed._page.others))[filed._row] if isinstance(filed, Filed) else None


def _filed(experiment: Experiment, page: Page, row: int) -> Filed:
    found = Filed.__new__(Filed)
    for name in AT_HAND:
        setattr(found, name, getattr(experiment, name))
    found._page, found._row, found._changed = page, row, None
    return found


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value


@lru_cache(maxsize=OPEN)
def _rows(packed: bytes) -> list[tuple[Any, ...]]:
    return marshal.loads(zlib.decompress(packed))

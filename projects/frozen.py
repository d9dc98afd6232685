"""Frozen dataclasses that are cheap to make: for what a simulated company makes by the million."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots, equality and a hash whose fields the type checker lets nobody assign.

    Nothing stops an assignment when it runs: `dataclass(frozen=True)` does, and makes each instance about five times
    as dear (`object.__setattr__` for every field), which came to a tenth of a company in virtual time.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen_open(cls: type[T]) -> type[T]:
    """`frozen` without slots: an instance's `__dict__` is its fields by name, at no cost."""
    return dataclass(unsafe_hash=True)(cls)

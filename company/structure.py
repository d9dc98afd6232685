"""The tree that a chart's reporting lines make, and who sees whose results in it. Pure and cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol


class Seat(Protocol):
    """What the tree needs to know of a position."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def reports_to(self) -> str | None: ...


class Structure:
    """Answers about a checked chart: one root, no cycles. Every answer is by id, in the chart's order."""

    def __init__(
        self, seats: Sequence[Seat], communication: str | Sequence[tuple[str, str]], reviewers: Sequence[str] = (),
        directed: bool = False,
    ) -> None:  # fmt: skip
        self.roles: Mapping[str, str] = {seat.id: seat.role for seat in seats}
        self.manager: Mapping[str, str | None] = {seat.id: seat.reports_to for seat in seats}
        self.root: str = next(seat.id for seat in seats if seat.reports_to is None)
        self._communication = communication
        self._directed = directed
        self._named_reviewers = tuple(reviewers)
        self._visible: dict[str, frozenset[str]] = {}
        self._reviewers: dict[str, tuple[str, ...]] = {}

    @cached_property
    def reports(self) -> Mapping[str, tuple[str, ...]]:
        """Direct reports of everyone; empty for who has none."""
        found: dict[str, list[str]] = {name: [] for name in self.manager}
        for name, manager in self.manager.items():
            if manager is not None:
                found[manager].append(name)
        return {name: tuple(names) for name, names in found.items()}

    @cached_property
    def chains(self) -> Mapping[str, tuple[str, ...]]:
        """Managers of everyone from the nearest up to the root."""
        return {name: self._climb(name) for name in self.manager}

    @cached_property
    def top_down(self) -> tuple[str, ...]:
        """Everyone, level by level from the root."""
        order = [self.root]
        for name in order:
            order.extend(self.reports[name])
        return tuple(order)

    def team(self, name: str) -> tuple[str, ...]:
        """Those who share a manager with `name`, itself included."""
        manager = self.manager[name]
        return (name,) if manager is None else self.reports[manager]

    def below(self, name: str) -> tuple[str, ...]:
        """Everyone whose chain passes through `name`."""
        return tuple(other for other, chain in self.chains.items() if name in chain)

    def reviewers_for(self, name: str) -> tuple[str, ...]:
        """Those the review policy names, else the reviewers of the nearest team up the chain that has any."""
        if name not in self._reviewers:
            self._reviewers[name] = self._named_reviewers or self._nearest_reviewers(name)
        return self._reviewers[name]

    def visible_to(self, name: str) -> frozenset[str]:
        """Whose results `name` sees, its own included."""
        if name not in self._visible:
            self._visible[name] = self._sight(name)
        return self._visible[name]

    def _climb(self, name: str) -> tuple[str, ...]:
        chain: list[str] = []
        manager = self.manager[name]
        while manager is not None:
            chain.append(manager)
            manager = self.manager[manager]
        return tuple(chain)

    def _nearest_reviewers(self, name: str) -> tuple[str, ...]:
        for manager in self.chains[name]:
            found = tuple(other for other in self.reports[manager] if self.roles[other] == "reviewer" and other != name)
            if found:
                return found
        return ()

    def _sight(self, name: str) -> frozenset[str]:
        if self._communication == "complete":
            return self._everyone
        near = frozenset((*self.team(name), *self.chains[name][:1], *self.reports[name]))
        if self._communication == "team":
            return near
        if self._communication == "chart":
            return near.union(self.chains[name], self.below(name))
        linked = self._links.get(name, frozenset())
        # ring, solo and edges are about who learns from whom: managers, engineers and reviewers still see the
        # team that they work for.
        return linked | {name} if self.roles[name] == "researcher" else linked | near

    @cached_property
    def _everyone(self) -> frozenset[str]:
        return frozenset(self.manager)

    @cached_property
    def _links(self) -> Mapping[str, frozenset[str]]:
        linked: dict[str, set[str]] = {}
        for one, other in self._pairs():
            linked.setdefault(one, set()).add(other)
            if not self._directed:
                linked.setdefault(other, set()).add(one)
        return {name: frozenset(others) for name, others in linked.items()}

    def _pairs(self) -> Sequence[tuple[str, str]]:
        if self._communication == "ring":
            ring = [name for name, role in self.roles.items() if role == "researcher"]
            return list(zip(ring, ring[1:] + ring[:1], strict=True))
        return () if isinstance(self._communication, str) else self._communication

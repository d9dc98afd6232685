"""The state of a company for whoever only looks at it: what nothing but decisions rests on is left out. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from company import events as ev
from company.entities import Code
from company.state import State
from roles.observation import Result


class Onlooker(State):
    """The same fold in less room: no results and hashes to propose from, no texts of code, numbers in arrays."""

    def __init__(self) -> None:
        super().__init__()
        self.losses = cast(Any, array("d"))
        self.by_hash, self.results = _NoHashes(), _NoResults()
        self._plans = 0  # that are packed
        self._teams: dict[tuple[str, ...], tuple[str, ...]] = {}  # whom plans are about

    def apply(self, event: ev.Event, at: float) -> None:
        """Change the state by one event that happened at company time `at` (reference seconds)."""
        super().apply(event, at)
        slim = _SLIM.get(type(event))
        if slim is not None:
            slim(self, event)

    def _slim_chart(self, event: ev.RunFounded | ev.ChartRevised) -> None:
        self.seen = {}

    def _slim_agent(self, event: ev.AgentHired) -> None:
        self.agents[event.agent].outcomes = cast(Any, array("d"))

    def _slim_code(self, event: ev.CodeWritten) -> None:
        self.codes[event.code] = Code(replace(event, files={}), self.now)

    def _slim_plans(self, event: ev.DirectiveGiven) -> None:
        plans = self.record.plans
        while self._plans < len(plans) - 1:  # the last one still grows
            scores, manager, shares = plans[self._plans]
            names = self._teams.setdefault(tuple(shares), tuple(shares))
            plans[self._plans] = scores, manager, cast(dict[str, float], Packed(names, shares.values()))
            self._plans += 1


class Packed(Mapping[str, float]):
    """A small mapping of numbers that does not change; several may share their names."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: Iterable[float]) -> None:
        self._names, self._values = names, array("d", values)

    def __getitem__(self, name: str) -> float:
        try:
            return self._values[self._names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]


class _NoHashes(dict[str, str]):
    """Takes nothing on."""

    def setdefault(self, key: str, default: str = "") -> str:  # type: ignore[override]
        return default


class _NoResults(list[Result]):
    """Takes nothing on."""

    def append(self, result: Result) -> None:  # type: ignore[override]
        pass


_SLIM: Mapping[type[ev.Event], Callable[[Onlooker, Any], None]] = {
    ev.RunFounded: Onlooker._slim_chart,
    ev.ChartRevised: Onlooker._slim_chart,
    ev.AgentHired: Onlooker._slim_agent,
    ev.CodeWritten: Onlooker._slim_code,
    ev.DirectiveGiven: Onlooker._slim_plans,
}

"""What was asked of the engine from this dashboard, and its answers. No Textual here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from company.events import CommandAnswered

if TYPE_CHECKING:
    from company.snapshot import Recorded

KEPT = 256  # answers, for a command whose answer is read before its number is known


class SendError(Exception):
    """A command could not be written; one line."""


def send(directory: Path, action: str, args: Mapping[str, Any]) -> int:
    """Write a command for the engine; returns its number. Raises SendError."""
    from company.ledger import Ledger, LedgerError

    try:
        with closing(Ledger(directory / "ledger.sqlite", write=True)) as ledger:
            return ledger.send(action, args, "person")
    except LedgerError as error:
        raise SendError(str(error)) from None


@dataclass(slots=True)
class Outbox:
    """`waiting` are commands without an answer, by number with their titles."""

    waiting: dict[int, str] = field(default_factory=dict)
    _answers: dict[int, CommandAnswered] = field(default_factory=dict)

    def put(self, number: int, title: str) -> None:
        """A command was written."""
        self.waiting[number] = title

    def read(self, records: Iterable[Recorded]) -> None:
        """Keep the answers among new events."""
        for recorded in records:
            if isinstance(recorded.event, CommandAnswered):
                self._answers[recorded.event.command] = recorded.event
                if len(self._answers) > KEPT:
                    del self._answers[next(iter(self._answers))]

    def answered(self) -> list[tuple[int, str, CommandAnswered]]:
        """Commands that have got their answer since the last call: number, title, answer."""
        found = [(number, title, self._answers[number]) for number, title in self.waiting.items()
                 if number in self._answers]  # fmt: skip
        for number, _, _ in found:
            del self.waiting[number]
        return found

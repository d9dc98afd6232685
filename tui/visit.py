"""How a dashboard is opened: what a person may do in it, with which keys, and beside which engine. No Textual here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from tui.keys import Keymap

Left = Literal["", "leave", "stop"]  # what becomes of the engine when the dashboard is left; "" where there is none


class Attended(Protocol):
    """The engine that was started together with the dashboard, in a process of its own."""

    def works(self) -> bool:
        """Whether it has not ended."""
        ...

    def failure(self) -> str:
        """Why it ended, in one line; "" while it works and where all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Visit:
    """`label` is shown before everything else in the status row; `tour` begins the tour at once."""

    readonly: bool = False
    keymap: Keymap = field(default_factory=dict)
    tour: bool = False
    label: str = ""
    engine: Attended | None = None


USUAL = Visit()

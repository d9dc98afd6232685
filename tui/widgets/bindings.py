"""The registry's keys as Textual bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.keys import keys_of, shown


def bindings(where: str) -> list[BindingType]:
    """The bindings of a place."""
    return [
        Binding(
            key.keys, key.action, key.shown, show=bool(key.shown), key_display=shown(key).split(" ")[0],
            tooltip=key.says, id=f"{where}.{key.id}",
        )
        for key in keys_of(where)
    ]  # fmt: skip

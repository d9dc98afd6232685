"""The registry's keys as Textual bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.keys import keys_of, shown


def bindings(where: str) -> list[BindingType]:
    """The bindings of a place; their ids are what a keymap names them by."""
    return [
        Binding(
            key.keys, key.action, key.shown, show=bool(key.shown), key_display=shown(key).split(" ")[0],
            tooltip=key.says, id=key.name,
        )
        for key in keys_of(where)
    ]  # fmt: skip

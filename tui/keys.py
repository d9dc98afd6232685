"""Every key of the dashboard, as data: the bindings, the help and docs/keys.md are made from this one list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """`keys` as Textual names them, comma-separated; `says` what it does; `shown` its word in the footer, if any."""

    where: str
    id: str
    keys: str
    action: str
    says: str
    shown: str = ""


PLACES = {
    "app": "Everywhere",
    "org": "Org",
    "experiments": "Experiments",
    "agents": "Agents",
    "slots": "Slots",
    "timeline": "Timeline",
    "chart": "Chart",
}

KEYS: tuple[Key, ...] = (
    Key("app", "org", "1,alt+1", "go('org')", "the organisation"),
    Key("app", "experiments", "2,alt+2", "go('experiments')", "experiments"),
    Key("app", "agents", "3,alt+3", "go('agents')", "agents"),
    Key("app", "slots", "4,alt+4", "go('slots')", "slots"),
    Key("app", "timeline", "5,alt+5", "go('timeline')", "the timeline"),
    Key("app", "chart", "6,alt+6", "go('chart')", "the chart"),
    Key("app", "goto", "colon,ctrl+p", "goto", "go to anything by name", "go to"),
    Key("app", "previous", "minus", "previous", "the view before this one"),
    Key("app", "earlier", "left_square_bracket", "step(-1)", "one moment back: replay begins"),
    Key("app", "later", "right_square_bracket", "step(1)", "one moment on"),
    Key("app", "change_before", "left_curly_bracket", "change(-1)", "back to the last change of staff or champion"),
    Key("app", "change_after", "right_curly_bracket", "change(1)", "on to the next change of staff or champion"),
    Key("app", "live", "L", "live", "leave the replay"),
    Key("app", "copy", "y", "copy", "copy what is selected"),
    Key("app", "maximise", "m", "maximise", "this pane alone, and back"),
    Key("app", "theme", "t", "theme", "the next theme: dark, light, colour-blind safe, ansi"),
    Key("app", "picture", "S", "picture", "save the screen as an SVG picture"),
    Key("app", "pause", "p", "pause", "pause the company, or let it go on (asks first)"),
    Key("app", "needs", "exclamation_mark", "needs", "what needs you: approve or refuse requests"),
    Key("app", "help", "question_mark,f1", "help", "help", "help"),
    Key("app", "quit", "q", "quit", "leave; the company works on", "quit"),
    Key("org", "left", "left,h", "move('left')", "the colleague on the left"),
    Key("org", "right", "right,l", "move('right')", "the colleague on the right"),
    Key("org", "up", "up,k", "move('up')", "the colleague above"),
    Key("org", "down", "down,j", "move('down')", "the colleague below"),
    Key("org", "open", "enter", "open", "open the agent", "open"),
    Key("org", "fold", "space", "fold", "fold or unfold the team", "fold"),
    Key("org", "zoom", "z", "zoom", "the next layout: automatic, cards, tree", "layout"),
    Key("org", "replace", "x", "replace", "replace the agent (evidence first)", "replace"),
    Key("org", "move", "r", "reassign", "another manager for the position (asks first)"),
    Key("org", "promote", "P", "promote", "a manager's seat for the agent (asks first)"),
    Key("experiments", "filter", "slash", "filter", "filter: status:ok cfg.lr>=1e-3 -note:y", "filter"),
    Key("experiments", "clear", "escape", "clear", "drop the filter"),
    Key("experiments", "order", "o", "order", "sort by the next column", "sort"),
    Key("experiments", "pick", "space", "pick", "mark for comparison: curves are overlaid", "compare"),
    Key("experiments", "open", "enter", "open", "the experiment's page, where the window is narrow", "open"),
    Key("experiments", "stop", "s", "stop", "stop the experiment (asks first)"),
    Key("experiments", "approve", "a", "settle(True)", "approve a proposal under review (asks first)"),
    Key("experiments", "refuse", "x", "settle(False)", "refuse a proposal under review (asks first)"),
    Key("agents", "open", "enter", "open", "the agent's page, where the window is narrow", "open"),
    Key("agents", "order", "o", "order", "sort by the next column", "sort"),
    Key("agents", "former", "f", "former", "show or hide those who left", "former"),
    Key("agents", "replace", "x", "replace", "replace the agent (evidence first)", "replace"),
    Key("agents", "move", "r", "reassign", "another manager for its position (asks first)"),
    Key("agents", "promote", "P", "promote", "a manager's seat for the agent (asks first)"),
    Key("slots", "up", "up,k", "move(-1)", "the slot above"),
    Key("slots", "down", "down,j", "move(1)", "the slot below"),
    Key("slots", "open", "enter", "open", "open the experiment on the slot", "open"),
    Key("slots", "stop", "s", "stop", "stop the experiment on the slot (asks first)"),
    Key("timeline", "left", "left,h", "shift(-1)", "the cursor to the left", "back"),
    Key("timeline", "right", "right,l", "shift(1)", "the cursor to the right", "on"),
    Key("timeline", "time", "g", "time", "go to a time (90, 12:30) or an event (#420)", "go to time"),
    Key("timeline", "first", "home", "end(-1)", "the founding"),
    Key("timeline", "last", "end", "end(1)", "the last event"),
    Key("chart", "edit", "e,enter", "edit", "edit", "edit"),
    Key("chart", "problem", "f8", "problem", "the next problem", "next problem"),
    Key("chart", "diff", "f2", "diff", "what differs from the chart in force", "diff"),
    Key("chart", "save", "ctrl+s", "save", "save as a file, to found a company with", "save as"),
    Key("chart", "revert", "f4", "revert", "back to the chart in force", "revert"),
    Key("chart", "leave", "escape", "leave", "out of the editor, so that single keys work again"),
)  # fmt: skip

NAMES = {
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}",
    "colon": ":", "minus": "-", "question_mark": "?", "slash": "/", "left": "←", "right": "→", "up": "↑", "down": "↓",
    "escape": "esc", "exclamation_mark": "!",
}  # fmt: skip


def keys_of(where: str) -> tuple[Key, ...]:
    """The keys of a place, in the list's order."""
    return tuple(key for key in KEYS if key.where == where)


def shown(key: Key) -> str:
    """A key's names as a person types them."""
    return " ".join(_name(name) for name in key.keys.split(","))


def _name(name: str) -> str:
    return NAMES.get(name, name.upper() if name[:1] == "f" and name[1:].isdigit() else name)


def markdown() -> str:
    """docs/keys.md."""
    parts = ["# Keys of the dashboard\n", "Made from `tui/keys.py` by `python -m tui.keys`; do not edit.\n"]
    for where, title in PLACES.items():
        rows = [f"| {_cell(key)} | {key.says} |" for key in keys_of(where)]
        parts.append("\n".join([f"## {title}\n", "| key | what it does |", "| --- | --- |", *rows]) + "\n")
    parts.append("Tables: arrows or `j` `k`, PageUp, PageDown, Home, End. `tab` goes from pane to pane.\n")
    return "\n".join(parts)


def _cell(key: Key) -> str:
    return " ".join(f"`{name}`" for name in shown(key).split(" "))


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).resolve().parent.parent.joinpath("docs", "keys.md").write_text(markdown(), encoding="utf-8")

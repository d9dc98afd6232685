"""Every key of the dashboard, as data: the bindings, the help and docs/keys.md are made from this one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

Keymap = Mapping[str, str]  # an action ("org.open") -> its keys as Textual names them, comma-separated
DEFAULT: Keymap = {}


@dataclass(frozen=True, slots=True)
class Key:
    """`keys` as Textual names them, comma-separated; `says` what it does; `shown` its word in the footer, if any.

    `intervenes` says that it changes something in the company: a dashboard that is read-only does not have it.
    """

    where: str
    id: str
    keys: str
    action: str
    says: str
    shown: str = ""
    intervenes: bool = False

    @property
    def name(self) -> str:
        """The action as the configuration file names it."""
        return f"{self.where}.{self.id}"


PLACES = {
    "app": "Everywhere",
    "org": "Org",
    "experiments": "Experiments",
    "agents": "Agents",
    "slots": "Slots",
    "timeline": "Timeline",
    "chart": "Chart",
    "batch": "Batch",
}

KEYS: tuple[Key, ...] = (
    Key("app", "org", "1,alt+1", "go('org')", "the organisation"),
    Key("app", "experiments", "2,alt+2", "go('experiments')", "experiments"),
    Key("app", "agents", "3,alt+3", "go('agents')", "agents"),
    Key("app", "slots", "4,alt+4", "go('slots')", "slots"),
    Key("app", "timeline", "5,alt+5", "go('timeline')", "the timeline"),
    Key("app", "chart", "6,alt+6", "go('chart')", "the chart"),
    Key("app", "batch", "7,alt+7", "go('batch')", "the batch that the run belongs to"),
    Key("app", "goto", "colon,ctrl+p", "goto", "go to anything by name", "go to"),
    Key("app", "previous", "minus", "previous", "the view before this one"),
    Key("app", "earlier", "left_square_bracket", "step(-1)", "one moment back: replay begins"),
    Key("app", "later", "right_square_bracket", "step(1)", "one moment on"),
    Key("app", "change_before", "left_curly_bracket", "change(-1)", "back to the last change of staff or champion"),
    Key("app", "change_after", "right_curly_bracket", "change(1)", "on to the next change of staff or champion"),
    Key("app", "live", "L", "live", "leave the replay"),
    Key("app", "copy", "y", "copy", "copy what is selected: an agent's line, an experiment's config"),
    Key("app", "maximise", "m", "maximise", "this pane alone, and back"),
    Key("app", "theme", "t", "theme", "the next theme: dark, light, colour-blind safe, ansi"),
    Key("app", "picture", "S", "picture", "save the screen as an SVG picture"),
    Key("app", "pause", "p", "pause", "pause the company, or let it go on (asks first)", intervenes=True),
    Key("app", "needs", "exclamation_mark", "needs", "what needs you: approve or refuse requests"),
    Key("app", "differences", "D", "differences", "what differs between two revisions of the chart, or to the draft"),
    Key("app", "tour", "T", "tour", "the tour: begin it, or end it"),
    Key("app", "tour_on", "n", "tour_on", "the next step of the tour"),
    Key("app", "help", "question_mark,f1", "help", "help", "help"),
    Key("app", "quit", "q", "quit", "leave; the company works on", "quit"),
    Key("org", "left", "left,h", "move('left')", "the colleague on the left"),
    Key("org", "right", "right,l", "move('right')", "the colleague on the right"),
    Key("org", "up", "up,k", "move('up')", "the colleague above"),
    Key("org", "down", "down,j", "move('down')", "the colleague below"),
    Key("org", "open", "enter", "open", "open the agent", "open"),
    Key("org", "fold", "space", "fold", "fold or unfold the team", "fold"),
    Key("org", "zoom", "z", "zoom", "the next layout: automatic, cards, tree", "layout"),
    Key("org", "replace", "x", "replace", "replace the agent (evidence first)", "replace", intervenes=True),
    Key("org", "move", "r", "reassign", "another manager for the position (asks first)", intervenes=True),
    Key("org", "promote", "P", "promote", "a manager's seat for the agent (asks first)", intervenes=True),
    Key("experiments", "filter", "slash", "filter", "filter: status:ok cfg.lr>=1e-3 -note:y", "filter"),
    Key("experiments", "clear", "escape", "clear", "drop the filter"),
    Key("experiments", "order", "o", "order", "sort by the next column", "sort"),
    Key("experiments", "pick", "space", "pick", "mark for comparison: curves are overlaid", "compare"),
    Key("experiments", "open", "enter", "open", "the experiment's page, where the window is narrow", "open"),
    Key("experiments", "stop", "s", "stop", "stop the experiment (asks first)", intervenes=True),
    Key("experiments", "approve", "a", "settle(True)", "approve a proposal under review (asks first)", intervenes=True),
    Key("experiments", "refuse", "x", "settle(False)", "refuse a proposal under review (asks first)", intervenes=True),
    Key("agents", "open", "enter", "open", "the agent's page, where the window is narrow", "open"),
    Key("agents", "order", "o", "order", "sort by the next column", "sort"),
    Key("agents", "former", "f", "former", "show or hide those who left", "former"),
    Key("agents", "replace", "x", "replace", "replace the agent (evidence first)", "replace", intervenes=True),
    Key("agents", "move", "r", "reassign", "another manager for its position (asks first)", intervenes=True),
    Key("agents", "promote", "P", "promote", "a manager's seat for the agent (asks first)", intervenes=True),
    Key("slots", "up", "up,k", "move(-1)", "the slot above"),
    Key("slots", "down", "down,j", "move(1)", "the slot below"),
    Key("slots", "open", "enter", "open", "open the experiment on the slot", "open"),
    Key("slots", "stop", "s", "stop", "stop the experiment on the slot (asks first)", intervenes=True),
    Key("timeline", "left", "left,h", "shift(-1)", "the cursor to the left", "back"),
    Key("timeline", "right", "right,l", "shift(1)", "the cursor to the right", "on"),
    Key("timeline", "time", "g", "time", "go to a time (90, 12:30) or an event (#420)", "go to time"),
    Key("timeline", "first", "home", "end(-1)", "the founding"),
    Key("timeline", "last", "end", "end(1)", "the last event"),
    Key("chart", "edit", "e,enter", "edit", "edit", "edit"),
    Key("chart", "problem", "f8", "problem", "the next problem", "next problem"),
    Key("chart", "diff", "f2", "diff", "what differs from the chart in force", "diff"),
    Key("chart", "save", "ctrl+s", "save", "save as a file, to found a company with", "save as"),
    Key("chart", "apply", "f5", "apply", "make it the company's: a revision (shows what follows, asks first)", "apply",
        intervenes=True),
    Key("chart", "undo", "u", "undo", "take the last revision back (asks first)", intervenes=True),
    Key("chart", "elsewhere", "ctrl+e,f9", "elsewhere", "edit the text in $EDITOR"),
    Key("chart", "revert", "f4", "revert", "back to the chart in force", "revert"),
    Key("chart", "leave", "escape", "leave", "out of the editor, so that single keys work again"),
    Key("batch", "filter", "slash", "filter", "only companies whose line has these words", "filter"),
    Key("batch", "status", "f", "status", "all, failed ones, those that ended well", "failed"),
    Key("batch", "order", "o", "order", "by row, or the most regret first", "sort"),
    Key("batch", "open", "enter", "open", "metrics of the company, and the command to replay it", "open"),
    Key("batch", "clear", "escape", "clear", "drop the filter"),
)  # fmt: skip

PUNCTUATION = {
    "!": "exclamation_mark", '"': "quotation_mark", "#": "number_sign", "$": "dollar_sign", "%": "percent_sign",
    "&": "ampersand", "'": "apostrophe", "(": "left_parenthesis", ")": "right_parenthesis", "*": "asterisk",
    "+": "plus", ",": "comma", "-": "minus", ".": "full_stop", "/": "slash", ":": "colon", ";": "semicolon",
    "<": "less_than_sign", "=": "equals_sign", ">": "greater_than_sign", "?": "question_mark", "@": "at",
    "[": "left_square_bracket", "\\": "backslash", "]": "right_square_bracket", "^": "circumflex_accent",
    "_": "underscore", "`": "grave_accent", "{": "left_curly_bracket", "|": "vertical_line",
    "}": "right_curly_bracket", "~": "tilde",
}  # fmt: skip
SIGNS = {
    **{name: sign for sign, name in PUNCTUATION.items()},
    "left": "←", "right": "→", "up": "↑", "down": "↓", "escape": "esc",
}  # fmt: skip


def keys_of(where: str, readonly: bool = False) -> tuple[Key, ...]:
    """The keys of a place, in the list's order; without those that change anything where it is read-only."""
    return tuple(key for key in KEYS if key.where == where and not (readonly and key.intervenes))


@lru_cache(maxsize=32)
def interventions(where: str) -> frozenset[str]:
    """The names of the actions of a place that change something in the company."""
    return frozenset(key.action.split("(")[0] for key in KEYS if key.where == where and key.intervenes)


def shown(key: Key, keymap: Keymap = DEFAULT) -> str:
    """A key's names as a person types them."""
    return " ".join(name_of(name) for name in keymap.get(key.name, key.keys).split(","))


def name_of(name: str) -> str:
    """A key, named as Textual does, as a person types it: F1, [, ctrl+s."""
    *held, last = name.split("+")
    return "+".join([*held, SIGNS.get(last, last.upper() if last[:1] == "f" and last[1:].isdigit() else last)])


def markdown() -> str:
    """docs/keys.md."""
    parts = ["# Keys of the dashboard\n", "Made from `tui/keys.py` by `python -m tui.keys`; do not edit.\n"]
    for where, title in PLACES.items():
        rows = [f"| {_cell(key)} | `{key.name}` | {_says(key)} |" for key in keys_of(where)]
        parts.append(
            "\n".join([f"## {title}\n", "| key | action | what it does |", "| --- | --- | --- |", *rows]) + "\n"
        )
    parts.append("Tables: arrows or `j` `k`, PageUp, PageDown, Home, End. `tab` goes from pane to pane.\n")
    return "\n".join([*parts, YOURS])


YOURS = """\
## Keys of your own

In `$XDG_CONFIG_HOME/loopworks/config.toml` (`~/.config/loopworks/config.toml` where that is not set), or in the file
that `LOOPWORKS_CONFIG` names; an action that is not there keeps its keys:

```toml
[keys]
app.quit = "Q"                # a key, as it is typed: Q ? [ f5 ctrl+x enter space esc pageup
org.open = ["enter", "o"]     # or several
```

The footer and the help show your keys. An action or a key that there is not, and two actions of one screen on one key,
are said when the dashboard starts, all at once, with exit code 2.

`loopworks tui --readonly` has none of the keys marked *steps in*.
"""


def _says(key: Key) -> str:
    return key.says + (" *(steps in)*" if key.intervenes else "")


def _cell(key: Key) -> str:
    return " ".join(f"`` {name} ``" if "`" in name else f"`{name}`" for name in shown(key).split(" "))


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).resolve().parent.parent.joinpath("docs", "keys.md").write_text(markdown(), encoding="utf-8")

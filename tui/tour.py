"""The tour: a few steps, each done by doing what it says. Data and pure functions; no Textual here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.keys import DEFAULT, KEYS, Keymap, shown


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of the dashboard: the tab, the selected position, whether a replay or a dialog is shown."""

    tab: str = ""
    position: str = ""
    replay: bool = False
    dialog: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """A step: what is to be seen, the actions whose keys go on, and whether that was done since the step began."""

    says: str
    press: tuple[str, ...]
    does: str
    done: Callable[[Sight, Sight], bool]


STOPS: tuple[Stop, ...] = (
    Stop(
        "This is a company: a card a team, a sign a role, and a score that says how much better somebody does than an"
        " average colleague.",
        ("org.down", "org.right"), "goes to a colleague",
        lambda was, now: now.position != was.position,
    ),
    Stop(
        "Every score shows what it rests on: its parts, its interval, the runs behind it.",
        ("org.open",), "opens the agent",
        lambda was, now: now.tab == "agents",
    ),
    Stop(
        "People propose experiments; a gain counts when fresh seeds confirm it.",
        ("app.experiments",), "shows the experiments",
        lambda was, now: now.tab == "experiments",
    ),
    Stop(
        "Nothing is forgotten: every tab can show any moment of the past.",
        ("app.change_before",), "goes back to the last change of staff or champion",
        lambda was, now: now.replay,
    ),
    Stop(
        "You are in the past now; the status row says so.",
        ("app.live",), "returns to the present",
        lambda was, now: was.replay and not now.replay,
    ),
    Stop(
        "Every pane explains itself, and every key is listed.",
        ("app.help",), "opens the help",
        lambda was, now: now.dialog,
    ),
)  # fmt: skip


def keys_for(stop: Stop, keymap: Keymap = DEFAULT) -> str:
    """The keys of a step as a person types them."""
    known = {key.name: key for key in KEYS}
    return " or ".join(shown(known[name], keymap).split(" ")[0] for name in stop.press)

"""A person's own keys: the table [keys] of the configuration file, checked before anything is drawn. No Textual."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from company.wording import plain
from tui.keys import KEYS, PLACES, PUNCTUATION, SIGNS, Key, Keymap, name_of

NAMED = (
    "enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
    "up", "down", "left", "right", *(f"f{number}" for number in range(1, 25)),
)  # fmt: skip
ALSO = {
    "esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete", "ins": "insert",
    " ": "space",
}  # fmt: skip
MODIFIERS = ("ctrl", "alt", "shift")
TAKEN = {
    "ctrl+c": "always leaves", "ctrl+q": "always leaves", "tab": "goes from pane to pane",
    "shift+tab": "goes from pane to pane", "ctrl+i": "is tab in a terminal", "ctrl+m": "is enter in a terminal",
    "ctrl+left_square_bracket": "is esc in a terminal",
}  # fmt: skip
TABLES = frozenset(("up", "k", "down", "j", "pageup", "pagedown", "home", "end"))
WITH_TABLES = frozenset(("app", "experiments", "agents", "batch"))


class KeymapError(Exception):
    """The configuration cannot be used; `problems` has a line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def read_keymap(path: Path, needed: bool = False) -> Keymap:
    """The keymap of a configuration file, empty where there is no file unless one is `needed`. Raises KeymapError."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not needed:
            return {}
        raise KeymapError([f"{path}: no such file: LOOPWORKS_CONFIG names it"]) from None
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise KeymapError([f"{path}: cannot be read: {said}"]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise KeymapError([f"{path}: {plain(str(error), 200)}"]) from None
    keymap, problems = parse_keymap(found)
    if problems:
        raise KeymapError([f"{path}: {problem}" for problem in problems])
    return keymap


def parse_keymap(config: Mapping[str, object]) -> tuple[Keymap, list[str]]:
    """The keymap that a configuration means, and everything that is wrong with it."""
    problems = [f"there is no [{_said(name)}]: did you mean [keys]?" for name in config if name != "keys"]
    table = config.get("keys", {})
    if not isinstance(table, Mapping):
        return {}, [*problems, 'keys is a table: write [keys] and under it  app.quit = "Q"']
    keymap: dict[str, str] = {}
    for action, value in _flat(table):
        key = ACTIONS.get(action)
        if key is None:
            problems.append(f"no action {_said(action)}{_nearest(action)}")
            continue
        names, wrong = _keys(key, value)
        problems += wrong
        if names:
            keymap[action] = ",".join(names)
    return keymap, problems + list(_clashes(keymap))


ACTIONS = {key.name: key for key in KEYS}


def key_named(text: str) -> str | None:
    """Textual's name of a key that a person wrote, None where there is no such key."""
    *held, last = text.split("+") if len(text) > 1 and not text.endswith("++") else (text,)
    if text.endswith("++") and len(text) > 2:
        *held, last = *text[:-2].split("+"), "+"
    held = [word.lower() for word in held]
    if len(set(held)) < len(held) or not set(held) <= set(MODIFIERS):
        return None
    found = _plain_key(last)
    if found is None:
        return None
    if held and len(found) == 1 and found.isupper():
        found = found.lower()
    if held == ["shift"] and len(found) == 1:
        return found.upper() if found.isalpha() else None
    return "+".join([*sorted(held, key=["alt", "ctrl", "shift"].index), found])


def _plain_key(text: str) -> str | None:
    if len(text) == 1 and (text.isalnum() and text.isascii()):
        return text
    known = PUNCTUATION.get(text) or ALSO.get(text.lower(), text.lower())
    return known if known in NAMED or known in SIGNS else None


def _flat(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """app.quit may be written as one name or as a table of a table."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _keys(key: Key, value: object) -> tuple[list[str], list[str]]:
    """The names of what a person gave an action, and what is wrong with it."""
    words = value if isinstance(value, list) else [value]
    names: list[str] = []
    problems = [] if words else [f"{key.name}: needs a key"]
    for word in words:
        name = key_named(word) if isinstance(word, str) and word else None
        wrong = f"no key {_said(word)}: write f5, ctrl+x, Q or ?" if name is None else _unfit(key, name)
        if wrong:
            problems.append(f"{key.name}: {wrong}")
        elif name is not None and name not in names:
            names.append(name)
    return names, problems


def _unfit(key: Key, name: str) -> str:
    """Why a key is not for an action, "" where it is."""
    if name in TAKEN:
        return f"{name_of(name)} {TAKEN[name]}: take another key"
    if name in TABLES and key.where in WITH_TABLES and name not in key.keys.split(","):
        return f"{name_of(name)} moves in tables: take another key"
    if key.where == "chart" and _printable(name) and not any(_printable(each) for each in key.keys.split(",")):
        return f"{name_of(name)} would be typed into the editor: take a key such as f6 or ctrl+x"
    return ""


def _printable(name: str) -> bool:
    return len(name) == 1 or name in PUNCTUATION.values() or name == "space"


def _clashes(keymap: Keymap) -> Iterator[str]:
    """Two actions of one screen on one key, of which a person moved at least one."""
    told: set[frozenset[str]] = set()
    for where in PLACES:
        holds: dict[str, str] = {}
        for key in KEYS:
            if key.where not in (where, "app"):
                continue
            for name in keymap.get(key.name, key.keys).split(","):
                other = holds.setdefault(name, key.name)
                pair = frozenset((other, key.name))
                if len(pair) == 2 and pair not in told and pair & set(keymap):
                    told.add(pair)
                    yield f"{other} and {key.name} are both on {name_of(name)}: give one of them another key"


def _nearest(action: str) -> str:
    near = get_close_matches(action, ACTIONS, 1, 0.5)
    same = [name for name in ACTIONS if name.endswith(f".{action}")]
    hint = same[:1] or near
    return f": did you mean {hint[0]}?" if hint else ": docs/keys.md and ? in the dashboard list them"


def _said(value: object) -> str:
    """A word of the file, as it can be shown."""
    return plain(value, 40) or "(empty)" if isinstance(value, str) else f"that is a {type(value).__name__}"

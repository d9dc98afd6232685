"""Where a person's own files lie: the configuration, and what the dashboard remembers. Never in a run directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TOUR = "tour-seen"


def config_file(env: Mapping[str, str] = os.environ) -> Path:
    """The configuration file, whether there is one or not."""
    named = env.get("LOOPWORKS_CONFIG")
    return Path(named) if named else _base(env, "XDG_CONFIG_HOME", ".config") / "config.toml"


def state_directory(env: Mapping[str, str] = os.environ) -> Path:
    """What is remembered between two calls lies here."""
    return _base(env, "XDG_STATE_HOME", ".local/state")


def remembered(name: str, env: Mapping[str, str] = os.environ) -> bool:
    """Whether something has been remembered."""
    return (state_directory(env) / name).exists()


def remember(name: str, env: Mapping[str, str] = os.environ) -> None:
    """Remember something; a disk that cannot be written forgets it, and that is all."""
    with suppress(OSError):
        state_directory(env).mkdir(parents=True, exist_ok=True)
        (state_directory(env) / name).touch()


def _base(env: Mapping[str, str], variable: str, usual: str) -> Path:
    """The XDG base directory; relative values are to be ignored, says its specification."""
    found = Path(env.get(variable) or "")
    home = Path(env.get("HOME") or Path.home())
    return (found if found.is_absolute() else home / usual) / "loopworks"

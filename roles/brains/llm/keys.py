"""Where keys come from: the environment, else the system keyring. They are never written anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping

from roles.brains.llm.settings import ModelSettings

SERVICE = "loopworks"  # under which a key lies in the keyring: keyring set loopworks OPENAI_API_KEY


def find_key(settings: ModelSettings, environment: Mapping[str, str] | None = None) -> str:
    """The key for a model, "" where there is none."""
    name = settings.key_name
    if not name:
        return ""
    env = os.environ if environment is None else environment
    return env.get(name, "").strip() or _from_keyring(name)


def needs_key(settings: ModelSettings) -> bool:
    """Whether its server certainly wants one: the provider's own does, and one whose key the chart names."""
    return bool(settings.key_name)


def _from_keyring(name: str) -> str:
    try:
        import keyring  # pyright: ignore[reportMissingImports]
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, name) or ""
    except Exception:  # a keyring without a desktop raises what it likes; no key is what it means
        return ""

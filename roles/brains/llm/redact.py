"""Keys out of everything that is sent or kept: known values from the environment, and what looks like a key.

Covered: the value of every environment variable whose name ends like a secret's, whole or inside other text, and the
usual forms of providers' keys. Not covered: a secret of an unknown form that the environment does not hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

SECRET_NAMES = re.compile(r"(API_?KEY|_KEY|_TOKEN|_SECRET|_PASSWORD|PASSWD|_CREDENTIALS?)$", re.IGNORECASE)
SHORTEST = 8  # characters of a value that is taken for a secret: shorter ones are words and flags
LIKE_A_KEY = re.compile(
    r"""(?x)
    \b(?: sk-(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9_\-]{16,}   # OpenAI, Anthropic, OpenRouter
        | (?:xai|gsk|hf|pplx|nvapi)[-_][A-Za-z0-9]{20,}
        | AIza[A-Za-z0-9_\-]{30,}
        | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{30,}
        | (?:AKIA|ASIA)[A-Z0-9]{16} | xox[abprs]-[A-Za-z0-9\-]{10,}
        | eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}
      )
    | (?<=[Bb]earer\ )[A-Za-z0-9._~+/\-]{12,}=*
    """
)
MARKS = (  # one of them is in everything that looks like a key: quick to look for in much text
    "sk-", "xai", "gsk", "hf_", "hf-", "pplx", "nvapi", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
    "AKIA", "ASIA", "xox", "eyJ", "earer ",
)  # fmt: skip
GONE = "[key]"


def may_hold_key(text: str) -> bool:
    """Whether it is worth looking closer."""
    return len(text) >= 16 and any(mark in text for mark in MARKS)


def looks_like_key(text: str) -> bool:
    """Whether a text holds what looks like a provider's key."""
    return may_hold_key(text) and LIKE_A_KEY.search(text) is not None


class Redactor:
    """Writes [key] over keys. `secrets` are known values, the longest first."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST}
        self._known = tuple(sorted(known, key=lambda secret: (-len(secret), secret)))

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None, also: Iterable[str] = ()) -> Redactor:
        """One that knows every secret of the environment, and those in `also` (a keyring's)."""
        env = os.environ if environment is None else environment
        return cls([*(value for name, value in env.items() if SECRET_NAMES.search(name)), *also])

    def text(self, text: str) -> str:
        """The text without keys."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, GONE)
        return LIKE_A_KEY.sub(GONE, text) if may_hold_key(text) else text

    def value(self, value: Any) -> Any:
        """JSON-like data with its texts redacted, names of fields included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

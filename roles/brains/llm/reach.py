"""Whether a model's server is there and takes our key: one small question that costs nothing, before a run begins."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from roles.brains.digest import one_line
from roles.brains.llm.settings import ModelSettings

PATIENCE_S = 5.0
MOST = 1 << 20  # bytes of a list of models


def reach(settings: ModelSettings, key: str) -> str:
    """What is wrong and what to do, in one line; "" when the server answers, whatever it says of its models."""
    path, headers = _where(settings, key)
    try:
        request = urllib.request.Request(settings.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            listed = response.read(MOST)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            name = f"the key in {settings.key_name}" if key else "a call without a key"
            return f"{settings.url} refuses {name} (HTTP {error.code})"
        return "" if error.code < 500 else f"{settings.url} answers HTTP {error.code}"
    except (OSError, ValueError) as error:
        return f"no model server answers at {settings.url} ({_reason(error)}){_start(settings)}"
    return _pulled(settings, listed) if settings.provider == "ollama" else ""


def _where(settings: ModelSettings, key: str) -> tuple[str, dict[str, str]]:
    if settings.provider == "anthropic":
        return "/v1/models", {"x-api-key": key, "anthropic-version": "2023-06-01"}
    if settings.provider == "ollama":
        return "/api/tags", {}
    return "/models", {"Authorization": f"Bearer {key}"} if key else {}


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return one_line(getattr(reason, "strerror", None) or reason, 80)


def _start(settings: ModelSettings) -> str:
    if settings.provider == "ollama":
        return ": start it with ollama serve"
    return ": start it" if settings.base_url else ""


def _pulled(settings: ModelSettings, listed: bytes) -> str:
    try:
        found: Any = json.loads(listed)
        names = {str(model.get("name", "")) for model in found["models"]}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ""
    known = names | {name.removesuffix(":latest") for name in names}
    return "" if settings.model in known else f"Ollama does not have {settings.model}: ollama pull {settings.model}"

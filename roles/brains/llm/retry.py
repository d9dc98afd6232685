"""What a failed call says, and when to make it again: exponential backoff with jitter, Retry-After honoured.

Errors are known by what HTTP clients agree on (`status_code`, `response.headers`), never by their classes, so that
every provider's library is served and none is imported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from roles.brains.digest import one_line

BASE_S = 0.5
MOST_S = 60.0  # a server that asks for a longer pause is out, and its circuit breaker waits instead
AGAIN = frozenset((408, 409, 425, 429))
REFUSED = frozenset((401, 402, 403, 404))


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed call means: `again` may help, `refused` never gets better by itself, `bad` is about this request.

    `retry_after` is what the server asks for, in seconds; `timed_out` that nothing came in time.
    """

    kind: Literal["again", "refused", "bad"]
    text: str
    retry_after: float | None = None
    timed_out: bool = False


def read_failure(error: BaseException) -> Failure:
    """What an exception of any provider's client means."""
    if isinstance(error, TimeoutError) or "timeout" in type(error).__name__.lower():
        return Failure("again", one_line(f"no answer in time ({type(error).__name__})"), timed_out=True)
    status = getattr(error, "status_code", None)
    text = _text(error, status)
    if status is None:
        # a client's own mistake (a ValueError, a reply that it cannot read) is about the request; the rest is the line
        bad = isinstance(error, (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError))
        return Failure("bad" if bad and not _of_the_line(error) else "again", text)
    if status in REFUSED or (status == 429 and "insufficient_quota" in str(error)):
        return Failure("refused", text)
    again = status in AGAIN or status >= 500
    return Failure("again" if again else "bad", text, _retry_after(error) if again else None)


def pause(tried: int, retry_after: float | None, draw: float) -> float:
    """Seconds before the next try, after `tried` tries: doubling, with half of it drawn (`draw` in [0, 1))."""
    backoff = min(MOST_S, BASE_S * 2.0 ** (tried - 1))
    jittered = backoff * (0.5 + draw / 2)
    return jittered if retry_after is None else retry_after + 0.1 * jittered


def _of_the_line(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"ConnectionError", "ConnectError", "APIConnectionError", "TransportError", "OSError"})


def _text(error: BaseException, status: int | None) -> str:
    """One line: the status and the provider's own message, without the markup of the library."""
    body = getattr(error, "body", None)
    message = _message(body) or _message(getattr(error, "message", None)) or str(error)
    cause = error.__cause__
    if status is None and cause is not None and str(cause) and str(cause) not in message:
        message = f"{message} ({cause})"
    head = f"HTTP {status}" if status is not None else type(error).__name__
    return one_line(f"{head}: {message}")


def _message(body: Any) -> str:
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        return _message(inner.get("message")) if isinstance(inner, Mapping) else _message(inner)
    return body if isinstance(body, str) else ""


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        text = headers.get("retry-after")
        if text is None:
            return None
        try:
            return max(0.0, float(text))
        except ValueError:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None

"""A dashboard that is served to a browser ends with its server, also when that is killed."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import Any

from textual.app import App

LOOK_S = 0.5
PATIENCE_S = 5.0  # to leave in good order, with nowhere to write to


def end_with_parent(app: App[Any]) -> None:
    """Leave the app as soon as the process that started this one is gone."""
    threading.Thread(target=_watch, args=(app, os.getppid()), name="lifeline", daemon=True).start()


def _watch(app: App[Any], parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    with suppress(Exception):
        app.call_from_thread(app.exit)
    time.sleep(PATIENCE_S)
    os._exit(1)

"""A text in the person's own editor, and back."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

MOST = 1_000_000  # bytes that are read back


class ElsewhereError(Exception):
    """The editor could not be used; one line."""


def edit_elsewhere(app: App[None], text: str) -> str:
    """Open a text in $VISUAL or $EDITOR (vi without either) and return what was saved. Raises ElsewhereError."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="loopworks-") as folder:
        file = Path(folder) / "chart.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            with app.suspend():
                code = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode
        except SuspendNotSupported:
            raise ElsewhereError("another editor cannot be opened here: this is not a terminal of its own") from None
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or "it is no command"
            raise ElsewhereError(f"{editor.split(' ')[0]} cannot be started ({said}): set $EDITOR") from None
        if code:
            raise ElsewhereError(f"the editor ended with code {code}")
        return _read(file)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > MOST:
            raise ElsewhereError("the file is too large")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ElsewhereError("what was saved cannot be read as UTF-8") from None

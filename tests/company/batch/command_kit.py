"""The batch command as a person types it, and what its results hold."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from company.batch.store import Store
from company.cli import loopworks


def invoke(*words: str) -> Result:
    return CliRunner().invoke(loopworks, words, catch_exceptions=False)


def batch(out: Path, *words: str) -> dict[str, Any]:
    """The JSON object of a batch that went well."""
    result = invoke("batch", *words, "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*words: str) -> str:
    """The one line with which a batch is refused."""
    result = invoke("batch", *words)
    assert result.exit_code == 2 and result.output.count("\n") == 1, result.output
    return result.output


def rows_of(out: Path) -> list[tuple[int, Any]]:
    store = Store(out / "results.sqlite")
    try:
        return list(store.rows(trails=True))
    finally:
        store.close()


def tamper(out: Path, statement: str) -> None:
    with sqlite3.connect(out / "results.sqlite") as connection:
        connection.execute(statement)

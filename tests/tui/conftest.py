"""Ledgers that the tests of the dashboard read; nobody writes to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.kit import chart_of, hostile, rehearse


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's own configuration is read, and nothing is remembered there."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp("own")))
    monkeypatch.delenv("LOOPWORKS_CONFIG", raising=False)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company of thirteen that has closed."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    rehearse(folder, chart_of("lab", 24), slots=3)
    return folder


@pytest.fixture(scope="session")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company whose engine was killed in the middle of the research."""
    folder = tmp_path_factory.mktemp("runs") / "killed"
    rehearse(folder, chart_of("startup", 12), steps=60, left_open=True)
    return folder


@pytest.fixture(scope="session")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company whose agents say hostile things."""
    folder = tmp_path_factory.mktemp("runs") / "nasty"
    rehearse(folder, chart_of("startup", 10), decide=hostile)
    return folder

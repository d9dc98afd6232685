"""Without Ray, or with a wrong address: one line, the right exit code, and soon."""

from __future__ import annotations

import importlib.util
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from company.cli import loopworks
from company.compute import ray_cluster
from company.compute.ray_cluster import ClusterError, differing, join, versions

BATCH = ["batch", "solo", "--project", "bowl", "--seeds", "2", "--backend", "ray"]
RUN = ["run", "solo", "--project", "digits", "--compute", "ray"]
find_spec = importlib.util.find_spec


def say_of_ray(monkeypatch: pytest.MonkeyPatch, found: object) -> None:
    def answer(name: str, *more: object) -> object:
        return found if name == "ray" else find_spec(name, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(importlib.util, "find_spec", answer)


@pytest.mark.parametrize("words", [BATCH, RUN])
def test_without_ray_one_line_says_what_to_install(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_of_ray(monkeypatch, None)
    result = CliRunner().invoke(loopworks, [*words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr == "loopworks: Ray is not installed: run pip install 'loopworks[ray]'\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [BATCH, RUN])
@pytest.mark.parametrize(
    ("address", "says"),
    [("nonsense", "must be HOST:PORT"), ("127.0.0.1:0", "must be HOST:PORT"), ("ray://127.0.0.1:1", "HOST:PORT"),
     ("127.0.0.1:1", "refused")],
)  # fmt: skip
def test_a_bad_address_is_one_line_and_leaves_nothing(
    words: list[str], address: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_of_ray(monkeypatch, object())
    result = CliRunner().invoke(loopworks, [*words, "--ray-address", address, "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1 and address in result.stderr and says in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [BATCH[:-2], RUN[:-2]])
def test_an_address_without_ray_asked_for_is_bad_usage(words: list[str]) -> None:
    result = CliRunner().invoke(loopworks, [*words, "--ray-address", "10.0.0.5:6379"])
    assert result.exit_code == 2 and "give both" in result.stderr


def test_who_listens_and_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="the optional part 'ray' is not installed")
    monkeypatch.setattr(ray_cluster, "PROBE_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with pytest.raises(ClusterError, match="no Ray cluster answered within 1 s"):
            join(f"127.0.0.1:{server.getsockname()[1]}")
        assert time.monotonic() - began < 10


def test_other_libraries_on_a_node_are_named() -> None:
    assert differing(versions()) == ""
    assert differing({**versions(), "numpy": "1.0"}).startswith("numpy 1.0 instead of ")

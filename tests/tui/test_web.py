"""The dashboard in a browser: on this machine only, for its own page only, and nothing is left behind."""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from company.commands import tui as command
from tests.support import loopworks, start

served_only = pytest.mark.skipif(
    importlib.util.find_spec("textual_serve") is None, reason="textual-serve is not installed: pip install -e '.[web]'"
)


def test_without_the_extra_one_line_says_what_to_type(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.delitem(sys.modules, "tui.web", raising=False)
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    found = CliRunner().invoke(command.tui, ["--web", str(finished)])
    assert found.exit_code == 2
    assert found.stderr.strip() == "--web needs textual-serve: pip install 'loopworks[web]'"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--port", "9000"], "--port is for --web"),
        (["--web", "nothing"], "no run here"),
        (["--demo", "runs/x"], "--demo brings its own run"),
        (["--web", "--port", "70000"], "70000"),
    ],
)
def test_words_that_do_not_fit_are_refused_with_2(words: list[str], says: str) -> None:
    found = CliRunner().invoke(command.tui, words)
    assert found.exit_code == 2 and says in found.stderr


@contextmanager
def serving(*words: object, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start("tui", "--web", "--port", port, *words, cwd=cwd)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, (line, server.stderr and server.stderr.read())
        yield server, found[0]
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)


@served_only
def test_only_this_machine_s_own_page_may_look(finished: Path, tmp_path: Path) -> None:
    import http.client

    with serving(finished, cwd=tmp_path) as (_, url):
        host = url.removeprefix("http://")
        port = int(host.rsplit(":", 1)[1])

        def asked(path: str, **headers: str) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", path, headers=headers)
            return connection.getresponse()

        fine = asked("/")
        assert fine.status == 200 and "default-src 'none'" in (fine.getheader("Content-Security-Policy") or "")
        socket_words = {
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }  # fmt: skip
        assert asked("/ws", **socket_words, Origin="http://evil.example").status == 403
        assert asked("/", Host="evil.example").status == 403
        assert asked("/", Host=f"localhost:{port}").status == 200
        others = [a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
        for other in {each for each in others if not str(each).startswith("127.")}:
            with pytest.raises(OSError), socket.create_connection((str(other), port), timeout=2):
                pass


@served_only
def test_a_port_that_is_taken_is_said_in_one_line(finished: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = start("tui", "--web", "--port", taken.getsockname()[1], finished, cwd=tmp_path)
        _, said = server.communicate(timeout=60)
    assert server.returncode == 2 and "choose another with --port" in said and len(said.splitlines()) == 1


def children(word: str) -> list[str]:
    """The processes whose command holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        found += [words] if word in words else []
    return found


@served_only
@pytest.mark.slow
async def test_a_real_browser_shows_it_and_presses_keys(finished: Path, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    from tests.tui.browser import BROWSER, browsed

    if BROWSER is None:
        pytest.skip("no Chromium is installed here")
    run = tmp_path / "the run"
    run.symlink_to(finished)
    with serving(run, "--readonly", cwd=tmp_path) as (_, url):
        async with browsed(url, tmp_path / "profile") as page:
            await page.until("organisation")
            await page.until("read-only")
            assert len([words for words in children(str(run)) if "--web" not in words]) >= 1
            await page.press("2")
            await page.until("what changed")
            (tmp_path / "page.png").write_bytes(await page.picture())
            assert all(each.startswith((url, "data:", "blob:", "about:")) for each in page.loaded)
    gone(run)


@served_only
@pytest.mark.slow
async def test_a_server_that_is_killed_leaves_no_dashboard_behind(finished: Path, tmp_path: Path) -> None:
    import aiohttp

    run = tmp_path / "another run"
    run.symlink_to(finished)
    with serving(run, cwd=tmp_path) as (server, url):
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws?width=90&height=30") as page:
            seen = b""
            while b"organisation" not in seen:
                seen += (await page.receive(timeout=60)).data
            server.kill()
            server.wait()
            gone(run)


@served_only
async def test_a_batch_and_a_chart_file_are_served_too(tmp_path: Path) -> None:
    import aiohttp

    loopworks("batch", "solo", "--project", "valley", "--seeds", "2", "--experiments", "4", "--no-controls",
              "--jobs", "1", "--out", "mine", cwd=tmp_path)  # fmt: skip
    (tmp_path / "chart.yaml").write_text("company: mine\n")
    for path, shown in ((tmp_path / "mine", b"2 of 2 companies"), (tmp_path / "chart.yaml", b"problems")):
        with serving(path, cwd=tmp_path) as (_, url):
            async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/ws?width=90&height=30") as page:
                seen = b""
                while shown not in seen:
                    seen += (await page.receive(timeout=60)).data


def gone(run: Path) -> None:
    """Wait until no process names a run any more."""
    end = time.monotonic() + 20
    while children(str(run)):
        assert time.monotonic() < end, children(str(run))
        time.sleep(0.1)

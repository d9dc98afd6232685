"""A headless Chromium, driven through its DevTools protocol: what a page was sent, and keys for it."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One page. `frames` is what its web socket brought, `asked` every address that it wanted."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._number = socket, 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.frames, self.asked, self.loaded = b"", [], set[str]()

    async def call(self, method: str, **params: Any) -> Any:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        return await asyncio.wait_for(answer, 30)

    async def press(self, key: str) -> None:
        """Press a letter or a digit in the terminal of the page."""
        await self.call("Runtime.evaluate", expression="document.querySelector('.xterm-helper-textarea').focus()")
        named = {"key": key, "code": f"Digit{key}" if key.isdigit() else f"Key{key.upper()}"}
        number = ord(key.upper())
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=key, windowsVirtualKeyCode=number, **named)
        await self.call("Input.dispatchKeyEvent", type="keyUp", windowsVirtualKeyCode=number, **named)

    async def until(self, text: str, seconds: float = 60.0) -> None:
        """Wait until the page was sent a text."""
        for _ in range(int(seconds / 0.1)):
            if text.encode() in self.frames:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{text!r} never came: {self.frames[-2000:]!r}, {self.asked}")

    async def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])

    async def listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said.get("result", said.get("error")))
            elif said["method"] == "Network.webSocketFrameReceived":
                frame = said["params"]["response"]
                data = frame["payloadData"]
                self.frames += base64.b64decode(data) if frame["opcode"] == 2 else data.encode()
            elif said["method"] == "Network.requestWillBeSent":
                self.asked.append(said["params"]["request"]["url"])
            elif said["method"] == "Network.responseReceived":
                self.loaded.add(said["params"]["response"]["url"])


@asynccontextmanager
async def browsed(url: str, profile: Path) -> AsyncIterator[Page]:
    """A page with an address open."""
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1200,800"]
    browser = await asyncio.create_subprocess_exec(
        BROWSER, *flags, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session, session.ws_connect(await _door(session, profile)) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            await page.call("Network.enable")
            await page.call("Page.enable")
            await page.call("Page.navigate", url=url)
            yield page
            listening.cancel()
    finally:
        browser.terminate()
        await browser.wait()


async def _door(session: aiohttp.ClientSession, profile: Path) -> str:
    """The debugging address of the browser's first page."""
    file = profile / "DevToolsActivePort"
    for _ in range(600):
        if file.exists() and file.read_text().strip():
            async with session.get(f"http://127.0.0.1:{file.read_text().split()[0]}/json/list") as answer:
                pages = [each for each in await answer.json(content_type=None) if each["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
        await asyncio.sleep(0.05)
    raise AssertionError("the browser opened no door")

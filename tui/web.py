"""The dashboard in a browser on this machine: textual-serve, held to the loopback interface and to its own page.

Covered: nobody from outside reaches the port; a page of another site can neither talk to it nor frame it; the
page loads nothing from elsewhere; dashboards end with the server. Not covered: other people with an account here.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from textual_serve.server import Server

HOST = "127.0.0.1"
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
    " img-src 'self' data: blob:; connect-src 'self' ws://{host}:{port}; frame-ancestors 'none'"
)


class LoopbackServer(Server):
    """A dashboard for every page that is opened, each a process of its own."""

    def __init__(self, command: str, port: int) -> None:
        super().__init__(command, host=HOST, port=port, title="Loopworks")
        self._own = {f"{HOST}:{port}", f"localhost:{port}"}

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl-C, without a log: its tracebacks would show what is in the variables."""
        web.run_app(self._make_app(), host=self.host, port=self.port, print=self._listening, access_log=None)

    def _listening(self, *_: object) -> None:
        print(f"the dashboard: {self.public_url} (Ctrl-C stops serving; no company is stopped)", flush=True)

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is said before the port is open."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        app.on_response_prepare.append(self._with_policy)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Refuse what another site asks for: by its name for this machine, or from its page."""
        origin = request.headers.get("Origin")
        if request.host not in self._own or (origin is not None and origin not in {f"http://{o}" for o in self._own}):
            raise web.HTTPForbidden(text="only this machine's own page may look")
        return await handler(request)

    async def _with_policy(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = POLICY.format(host=HOST, port=self.port)


def serve(words: Sequence[str], port: int) -> None:
    """Serve `loopworks WORDS` until Ctrl-C. Raises OSError where the port cannot be used."""
    command = "exec " + shlex.join([sys.executable, "-m", "company", *words])  # no shell between it and its child
    LoopbackServer(command, port).serve()

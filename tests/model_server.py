"""A language model server on the loopback: OpenAI's, Anthropic's and Ollama's wire formats, and all that can go wrong.

What it answers is a function of what it is asked, so that a test reads like a conversation.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Wire = Literal["openai", "anthropic", "ollama"]
PATHS: dict[str, Wire] = {"/v1/chat/completions": "openai", "/v1/messages": "anthropic", "/api/chat": "ollama"}


@dataclass(frozen=True)
class Asked:
    """A question as it came over the wire; `n` counts them from 0, `key` is what was sent as one."""

    n: int
    wire: Wire
    model: str
    system: str
    question: str
    tools: tuple[str, ...]
    key: str
    headers: str
    body: Mapping[str, Any]

    @property
    def task(self) -> str:
        """What has to be decided, by the digest's first line; "" where it has none."""
        found = re.search(r"^# Task: (\w+)", self.question, re.MULTILINE)
        return found[1] if found else ""


@dataclass(frozen=True)
class Said:
    """An answer. `calls` are (tool, arguments: a mapping, or text that is sent as it is); `raw` replaces the body."""

    calls: tuple[tuple[str, Any], ...] = ()
    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    finish: str = ""
    tokens: tuple[int, int] = (100, 20)
    after_s: float = 0.0
    hang: bool = False
    cut_stream: bool = False  # the stream ends in the middle


Mind = Callable[[Asked], Said]


def call(tool: str, arguments: Any = None, **named: Any) -> Said:
    """One tool call."""
    return Said(((tool, named if arguments is None else arguments),))


def sensible(asked: Asked) -> Said:
    """A model that does its job in any role: proposals move x toward 0.7 on the project of tests/support.py."""
    if asked.task == "propose":
        x = round(0.2 + 0.07 * (asked.n % 10) + 1e-4 * asked.n, 6)
        return call("Propose", config={"x": x, "size": 1, "mode": "fine"}, predicted=2.0, reason="closer to the top")
    if asked.task == "review":
        return call("Approve", p_improves=0.4, reason="new ground")
    if asked.task == "build":
        return call("Build", reason="nothing special")
    if asked.task == "watch":
        return call("Continue", reason="it may still turn")
    if asked.task == "repair":
        return call("GiveUp", failure="crash", reason="its own mistake")
    if asked.task == "verdict":
        return call("Verdict", outcome="promising", p_real=0.6, reason="a clear gain")
    if asked.task == "plan":
        names = re.findall(r"^- (\w+) \(researcher", asked.question, re.MULTILINE)
        shares = tuple(("Assign", {"agent": name, "share": 1 / len(names), "reason": "equal"}) for name in names)
        return Said((*shares, ("Digest", {"text": "All is well."})))
    names = re.findall(r"^- (\w+) \(researcher", asked.question, re.MULTILINE)
    return Said(tuple(("Keep", {"agent": name, "because": "too early"}) for name in names))


class ModelServer:
    """`url` is what a chart names as base_url, `asked` everything that came in; `stop` and `start` make an outage."""

    def __init__(self, mind: Mind = sensible) -> None:
        self.mind = mind
        self.asked: list[Asked] = []
        self.list_status = 200
        self._lock, self._gone = threading.Lock(), threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    def url(self, wire: Wire = "openai") -> str:
        return f"http://127.0.0.1:{self.port}" + ("/v1" if wire == "openai" else "")

    def start(self) -> None:
        """Listen, on the port of before after a stop."""
        owner = self

        class Handler(_Handler):
            server_owner = owner

        self._gone.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on; who hangs is let go."""
        self._gone.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, wire: Wire, headers: Any, body: Mapping[str, Any]) -> tuple[Asked, Said]:
        with self._lock:
            asked = _read(len(self.asked), wire, headers, body)
            self.asked.append(asked)
        return asked, self.mind(asked)

    def wait(self, seconds: float | None) -> None:
        """Until the server stops."""
        self._gone.wait(seconds)


@contextmanager
def serving(mind: Mind = sensible) -> Iterator[ModelServer]:
    """A server while the block lasts."""
    server = ModelServer(mind)
    try:
        yield server
    finally:
        server.stop()


class _Handler(BaseHTTPRequestHandler):
    server_owner: ModelServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        names = ["small", "large"]
        models = {"data": [{"id": name} for name in names], "models": [{"name": f"{name}:latest"} for name in names]}
        self._send(self.server_owner.list_status, json.dumps(models).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        wire = PATHS.get(self.path)
        if wire is None:
            self._send(404, b'{"error": {"message": "no such path"}}')
            return
        asked, said = self.server_owner.take(wire, self.headers, body)
        if said.hang:
            self.server_owner.wait(None)
            self.close_connection = True
            return
        if said.after_s:
            time.sleep(said.after_s)
        if said.status != 200:
            text = said.text or "the server says no"
            error = {"error": {"message": text, "type": "server_error", "code": said.finish or None}, "type": "error"}
            body = {"error": text} if wire == "ollama" else error
            self._send(said.status, said.raw or json.dumps(body).encode(), said.headers)
        elif body.get("stream") and wire != "ollama":
            self._stream(asked, said)
        else:
            self._send(200, said.raw if said.raw is not None else _WHOLE[wire](asked, said), said.headers)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self._write(body)

    def _stream(self, asked: Asked, said: Said) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        pieces = list(_STREAM[asked.wire](asked, said))
        for piece in pieces[: len(pieces) // 2] if said.cut_stream else pieces:
            self._write(piece)

    def _write(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the other side has had enough


def _read(n: int, wire: Wire, headers: Any, body: Mapping[str, Any]) -> Asked:
    messages = body["messages"]
    system = _text(body.get("system")) or next((_text(m["content"]) for m in messages if m["role"] == "system"), "")
    users = [_text(m["content"]) for m in messages if m["role"] == "user"]
    question = next((text for text in reversed(users) if text.startswith("Decision ")), users[-1] if users else "")
    tools = tuple(tool["function"]["name"] if "function" in tool else tool["name"] for tool in body.get("tools") or ())
    key = (headers.get("authorization") or "").removeprefix("Bearer ") or headers.get("x-api-key") or ""
    return Asked(n, wire, body["model"], system, question, tools, key, str(headers), body)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _openai(asked: Asked, said: Said) -> bytes:
    calls = [
        {"id": f"c{asked.n}-{i}", "type": "function", "function": {"name": name, "arguments": _arguments(value)}}
        for i, (name, value) in enumerate(said.calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if calls:
        message["tool_calls"] = calls
    finish = said.finish or ("tool_calls" if calls else "stop")
    return json.dumps({
        "id": f"r{asked.n}", "object": "chat.completion", "created": 0, "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": _usage(said),
    }).encode()  # fmt: skip


def _usage(said: Said) -> dict[str, int]:
    read, written = said.tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _anthropic(asked: Asked, said: Said) -> bytes:
    content: list[dict[str, Any]] = [{"type": "text", "text": said.text}] if said.text else []
    for i, (name, value) in enumerate(said.calls):
        given = value if isinstance(value, str) else json.dumps(value)
        content.append({"type": "tool_use", "id": f"c{asked.n}-{i}", "name": name, "input": f"@{given}@"})
    finish = {"length": "max_tokens"}.get(said.finish, said.finish) or ("tool_use" if said.calls else "end_turn")
    text = json.dumps({
        "id": f"r{asked.n}", "type": "message", "role": "assistant", "model": asked.model, "content": content,
        "stop_reason": finish, "stop_sequence": None,
        "usage": {"input_tokens": said.tokens[0], "output_tokens": said.tokens[1]},
    })  # fmt: skip
    # arguments are JSON inside the JSON here, broken or not: written in as they are
    return re.sub(r'"@((?:[^"\\]|\\.)*)@"', lambda found: json.loads(f'"{found[1]}"'), text).encode()


def _ollama(asked: Asked, said: Said) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if said.calls:
        message["tool_calls"] = [{"function": {"name": name, "arguments": value}} for name, value in said.calls]
    return json.dumps({
        "model": asked.model, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": True,
        "done_reason": said.finish or "stop", "prompt_eval_count": said.tokens[0], "eval_count": said.tokens[1],
    }).encode()  # fmt: skip


def _openai_stream(asked: Asked, said: Said) -> Iterator[bytes]:
    def chunk(delta: Mapping[str, Any], finish: str | None = None, usage: Any = None) -> bytes:
        choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
        found = {"id": f"r{asked.n}", "object": "chat.completion.chunk", "created": 0, "model": asked.model}
        return b"data: " + json.dumps({**found, "choices": choices, "usage": usage}).encode() + b"\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for start in range(0, len(said.text), 4096):
        yield chunk({"content": said.text[start : start + 4096]})
    for index, (name, value) in enumerate(said.calls):
        text = _arguments(value)
        head = {"index": index, "id": f"c{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield chunk({"tool_calls": [head]})
        for start in range(0, len(text), 7 if len(text) < 5000 else 4096):
            piece = text[start : start + (7 if len(text) < 5000 else 4096)]
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, said.finish or ("tool_calls" if said.calls else "stop"))
    if asked.body.get("stream_options"):
        yield chunk({}, usage=_usage(said))
    yield b"data: [DONE]\n\n"


def _anthropic_stream(asked: Asked, said: Said) -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    usage = {"input_tokens": said.tokens[0], "output_tokens": 1}
    message = {"id": "r", "type": "message", "role": "assistant", "model": asked.model, "content": []}
    yield event("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
    blocks: list[tuple[dict[str, Any], dict[str, Any]]] = []
    if said.text:
        blocks.append(({"type": "text", "text": ""}, {"type": "text_delta", "text": said.text}))
    for index, (name, value) in enumerate(said.calls):
        start = {"type": "tool_use", "id": f"c{index}", "name": name, "input": {}}
        blocks.append((start, {"type": "input_json_delta", "partial_json": _arguments(value)}))
    for index, (start, delta) in enumerate(blocks):
        yield event("content_block_start", index=index, content_block=start)
        yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    reason = {"length": "max_tokens"}.get(said.finish, said.finish) or ("tool_use" if said.calls else "end_turn")
    ended = {"stop_reason": reason, "stop_sequence": None}
    yield event("message_delta", delta=ended, usage={"output_tokens": said.tokens[1]})
    yield event("message_stop")


_WHOLE: dict[str, Callable[[Asked, Said], bytes]] = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}
_STREAM: dict[str, Callable[[Asked, Said], Iterator[bytes]]] = {
    "openai": _openai_stream,
    "anthropic": _anthropic_stream,
}

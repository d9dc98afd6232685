"""The clients of autogen-ext for each provider, behind one small door. The other module that imports AutoGen."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from roles.brains.llm.exchanges import Reply
from roles.brains.llm.settings import PROVIDERS, ModelSettings

if TYPE_CHECKING:
    from autogen_core.models import ChatCompletionClient, CreateResult

MAX_ANSWER = 1 << 18  # characters of a streamed answer; what is longer is no decision
INSTALL = "pip install -c constraints.txt -e '.[llm]' (or: pip install 'loopworks[llm]')"
OWN_NAMES = ("OPENAI_", "ANTHROPIC_", "OLLAMA_")
NO_KEY = "none"  # the clients insist on one, servers of one's own do not
# What they warn of (a finish reason that a server got wrong, an empty answer) we see in the answer, and say so.
CHATTER = r"(Finish reason|Resolved model) mismatch|No text content or tool calls|Received (more than|a chunk)|Tool"


class ModelsMissing(Exception):
    """The extra `llm` is not installed; the message says what to type."""


class Caller(Protocol):
    """Whoever calls a model."""

    async def ask(self, messages: Sequence[Any], tools: Sequence[Any]) -> Reply: ...

    async def close(self) -> None: ...


def connect(settings: ModelSettings, key: str) -> Caller:
    """A caller of a model. Raises ModelsMissing without the extra; calls nobody yet."""
    warnings.filterwarnings("ignore", CHATTER, UserWarning)
    try:
        with _environment(settings, key):
            client = _BUILDERS[settings.provider](settings, key or NO_KEY)
    except ImportError as error:
        raise ModelsMissing(f"{settings.provider} models need {error.name}: {INSTALL}") from error
    return ClientCaller(client, settings)


@contextlib.contextmanager
def _environment(settings: ModelSettings, key: str) -> Iterator[None]:
    """What libraries read by themselves as a client is made (keys, organisations, headers) is not for a server that a
    chart names; Ollama's takes its key in no other way."""
    theirs = {name: value for name, value in os.environ.items() if name.startswith(OWN_NAMES)}
    for name in theirs if settings.base_url else ():
        del os.environ[name]
    if key and settings.provider == "ollama":
        os.environ["OLLAMA_API_KEY"] = key
    try:
        yield
    finally:
        os.environ.pop("OLLAMA_API_KEY", None)
        os.environ.update(theirs)


class ClientCaller:
    """Asks an autogen client, and reads its answer as a `Reply`."""

    def __init__(self, client: ChatCompletionClient, settings: ModelSettings) -> None:
        self._client, self._settings = client, settings

    async def ask(self, messages: Sequence[Any], tools: Sequence[Any]) -> Reply:
        """One answer. Raises whatever the provider's library raises."""
        options: dict[str, Any] = {"tools": tools, "tool_choice": self._settings.tool_choice}
        if self._settings.stream:
            return await self._stream(messages, options)
        return _reply(await self._client.create(messages, **options))

    async def close(self) -> None:
        await self._client.close()

    async def _stream(self, messages: Sequence[Any], options: dict[str, Any]) -> Reply:
        if self._settings.provider == "openai":
            options["include_usage"] = True
        seen, chunks = 0, self._client.create_stream(messages, **options)
        try:
            async for chunk in chunks:
                if not isinstance(chunk, str):
                    return _reply(chunk)
                seen += len(chunk)
                if seen > MAX_ANSWER:
                    return Reply(cut=f"cut off after {MAX_ANSWER} characters", written=seen // 4, estimated=True)
        finally:
            await chunks.aclose()
        raise ConnectionError("the stream ended without an answer")


def _reply(result: CreateResult) -> Reply:
    cut = {"length": "cut off at max_tokens", "content_filter": "withheld by the provider's filter"}
    calls, text = (), ""
    if isinstance(result.content, str):
        text = result.content
    else:
        calls = tuple((call.name, call.arguments) for call in result.content)
    read, written = max(0, result.usage.prompt_tokens or 0), max(0, result.usage.completion_tokens or 0)
    return Reply(text, calls, result.thought or "", cut.get(result.finish_reason, ""), read, written)


def _info() -> Any:
    from autogen_core.models import ModelFamily, ModelInfo

    return ModelInfo(
        vision=False, function_calling=True, json_output=False, structured_output=False, family=ModelFamily.UNKNOWN
    )


def _openai(settings: ModelSettings, key: str) -> Any:
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    own = settings.url == PROVIDERS["openai"].base_url
    options: dict[str, Any] = {"max_completion_tokens" if own else "max_tokens": settings.max_tokens}
    if settings.temperature is not None:
        options["temperature"] = settings.temperature
    return OpenAIChatCompletionClient(
        model=settings.model, base_url=settings.url, api_key=key, timeout=settings.timeout_s, max_retries=0,
        model_info=_info(), include_name_in_message=False, **options,
    )  # fmt: skip


def _anthropic(settings: ModelSettings, key: str) -> Any:
    from autogen_ext.models.anthropic import AnthropicChatCompletionClient

    options: dict[str, Any] = {} if settings.temperature is None else {"temperature": settings.temperature}
    return AnthropicChatCompletionClient(
        model=settings.model, base_url=settings.url, api_key=key, timeout=settings.timeout_s, max_retries=0,
        max_tokens=settings.max_tokens, model_info=_info(), **options,
    )  # fmt: skip


def _ollama(settings: ModelSettings, key: str) -> Any:
    from autogen_ext.models.ollama import OllamaChatCompletionClient

    options: dict[str, Any] = {"num_predict": settings.max_tokens}
    if settings.temperature is not None:
        options["temperature"] = settings.temperature
    return OllamaChatCompletionClient(model=settings.model, host=settings.url, model_info=_info(), options=options)


_BUILDERS = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}

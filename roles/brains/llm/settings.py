"""What a chart says of a language model: `brain: {provider: openai, model: ..., base_url: ..., ...}`.

The table of keys is what the chart's check, its schema and its page are made from.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # a chart is checked by the tables here, and without numpy
    from roles.role import Brain


@dataclass(frozen=True, slots=True)
class Provider:
    """A wire format that Loopworks speaks: its own server, where its address and its key may stand."""

    about: str
    base_url: str
    url_env: str = ""
    key_env: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider(
        "a language model behind OpenAI's wire format: OpenAI, vLLM, llama.cpp, LM Studio, OpenRouter, LiteLLM",
        "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY",
    ),
    "anthropic": Provider(
        "a language model of Anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"
    ),
    "ollama": Provider("a language model of an Ollama server", "http://localhost:11434", "OLLAMA_HOST"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a model's brain: `kind` is number, whole, word, switch or group (of `keys`)."""

    kind: Literal["number", "whole", "word", "switch", "group"]
    about: str
    low: float = 0.0
    high: float = 0.0
    words: tuple[str, ...] = ()
    keys: Mapping[str, Key] | None = None


PRICE: Mapping[str, Key] = {
    "input": Key("number", "US dollars for a million tokens that the model reads", 0, 100_000),
    "output": Key("number", "US dollars for a million tokens that it writes", 0, 100_000),
}
CALL: Mapping[str, Key] = {
    "model": Key("word", "the model's name, as its server knows it"),
    "base_url": Key("word", "where its server is; left out: the provider's own"),
    "key_env": Key("word", "the environment variable that holds its key, such as OPENROUTER_API_KEY"),
    "temperature": Key("number", "left out: the server's own", 0, 2),
    "max_tokens": Key("whole", "most tokens of one answer", 16, 1_000_000),
    "timeout_s": Key("number", "seconds that one answer may take", 0.05, 3600),
    "tries": Key("whole", "how often a call is made before it counts as failed", 1, 20),
    "parallel": Key("whole", "calls at a time to its server", 1, 1024),
    "stream": Key("switch", "take the answer as a stream, and cut off what grows too long"),
    "tool_choice": Key("word", "auto for servers that cannot demand a tool call", words=("required", "auto")),
    "price": Key("group", "what it costs; without it only tokens are counted", keys=PRICE),
}
ESCALATE: Mapping[str, Key] = {
    "provider": Key("word", "of the strong model; left out: the same", words=tuple(PROVIDERS)),
    **CALL,
    "discards": Key("whole", "ask it when so many of its own results in a row were no progress; 0: never", 0, 1000),
    "repairs": Key("whole", "when a run has been repaired so often and failed again; 0: never", 0, 100),
    "candidate": Key("switch", "when a result may become champion"),
    "disagreement": Key("switch", "when reviewers disagree"),
}  # fmt: skip
KEYS: Mapping[str, Key] = {
    **CALL,
    "memory": Key("whole", "earlier questions and answers that it is reminded of; each costs tokens again", 0, 20),
    "patience_s": Key("number", "how long to wait for a dead server when nobody else can propose", 0, 86_400),
    "offline": Key("word", "what answers when the model does not; left out: the role's default"),
    "escalate": Key("group", "a strong model for the hard decisions", keys=ESCALATE),
}


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float = 0.0
    output: float = 0.0

    def usd(self, read: int, written: int) -> float:
        """What a call costs that read and wrote so many tokens."""
        return (read * self.input + written * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How one model is called. `base_url` "" stands for the provider's own server."""

    provider: str
    model: str
    base_url: str = ""
    key_env: str = ""
    temperature: float | None = None
    max_tokens: int = 4096
    timeout_s: float = 120.0
    tries: int = 4
    parallel: int = 8
    stream: bool = False
    tool_choice: Literal["required", "auto"] = "required"
    price: Price | None = None

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        known = PROVIDERS[self.provider]
        given = self.base_url or (os.environ.get(known.url_env, "") if known.url_env else "") or known.base_url
        return (given if "://" in given else f"http://{given}").rstrip("/")

    @property
    def key_name(self) -> str:
        """The environment variable of its key: a server that the chart names gets no key that the chart does not."""
        return self.key_env or ("" if self.base_url else PROVIDERS[self.provider].key_env)

    @property
    def endpoint(self) -> str:
        """What fails together."""
        return f"{self.provider} {self.url}"


@dataclass(frozen=True, slots=True)
class Rules:
    """On which evidence the strong model is asked (roles/brains/llm/escalation.py)."""

    discards: int = 4
    repairs: int = 2
    candidate: bool = True
    disagreement: bool = True


@dataclass(frozen=True, slots=True)
class ModelBrain:
    """A brain that is a language model: the one for routine, the strong one where the chart names one, and patience."""

    routine: ModelSettings
    strong: ModelSettings | None = None
    rules: Rules = Rules()
    memory: int = 1
    patience_s: float = 1800.0

    def all(self) -> tuple[ModelSettings, ...]:
        """Every model that it may ask."""
        return (self.routine, self.strong) if self.strong else (self.routine,)


def is_model(brain: Brain) -> bool:
    """Whether a language model decides."""
    return brain.kind in PROVIDERS


def offline_of(brain: Brain, default: str) -> Brain:
    """The optimiser or policy behind a brain: its own for a model (`default` where it names none), else itself."""
    return replace(brain, kind=brain.params.get("offline", default), params={}) if is_model(brain) else brain


def read_brain(brain: Brain) -> ModelBrain:
    """The settings of a model's brain, as the chart's check has let them through."""
    params = brain.params
    routine = _settings(ModelSettings(brain.kind, params["model"]), params)
    whole = ModelBrain(routine, **{name: params[name] for name in ("memory", "patience_s") if name in params})
    found = params.get("escalate")
    if not found:
        return whole
    provider = found.get("provider", brain.kind)
    same = provider == brain.kind
    base = replace(
        routine, provider=provider, price=None, base_url=routine.base_url if same else "",
        key_env=routine.key_env if same and "base_url" not in found else "",
    )  # fmt: skip
    rules = Rules(**{field.name: found[field.name] for field in fields(Rules) if field.name in found})
    return replace(whole, strong=_settings(base, found), rules=rules)


def _settings(base: ModelSettings, given: Mapping[str, Any]) -> ModelSettings:
    named = {name: given[name] for name in CALL if name in given and name != "price"}
    price = {"price": Price(**given["price"])} if "price" in given else {}
    return replace(base, **named, **price)


@cache
def default_words() -> Mapping[str, Any]:
    """The defaults of the keys, for the page of the chart."""
    return {
        field.name: field.default for field in (*fields(ModelSettings)[2:], *fields(Rules), *fields(ModelBrain)[3:])
    }

"""The seam to AutoGen: every employee is an `AssistantAgent` behind `Employee.decide`.

A decision is one turn: a digest goes in, tool calls come out, each tool only records an intent. An optimiser is an
`OfflineClient`; a language model stands behind a `Gate`, and the models that a chart names behind a `ModelGate`.

Covered: an answer without tool calls, with unreadable, unknown, forbidden or invalid ones, with too much text, an
exception from the client, a client that never answers. Each is a `Decision.problem`, and the valid intents count.
Not covered: a client that blocks the event loop or swallows its cancellation.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import TextMessage, ToolCallExecutionEvent
from autogen_core import CancellationToken, FunctionCall
from autogen_core.model_context import BufferedChatCompletionContext
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelFamily,
    ModelInfo,
    RequestUsage,
    UserMessage,
)
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench
from pydantic import ValidationError

from roles.brains.calls import allowed, dump, explain, parameters, refusal
from roles.brains.digest import one_line, render
from roles.brains.llm.exchanges import Diverged, Exchange
from roles.brains.llm.models import Models, ModelsGone, Question
from roles.brains.llm.settings import ModelBrain, is_model, offline_of, read_brain
from roles.employee import Decision, decide_offline
from roles.intents import Intent
from roles.observation import Observation
from roles.role import Brain
from roles.roster import ROLES

MAX_MESSAGES = 12  # four turns of question, calls and results: a digest stands by itself, older ones only cost tokens
MAX_CALLS = 256
MAX_PROBLEM = 300  # characters
MAX_TEXT = 4_000  # characters of talk or thought that are kept for the next turns
HEADER = re.compile(r"\ADecision (\S+)\n")

for _name in ("autogen_core", "autogen_agentchat"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)  # one JSON a call at INFO; what a person needs is in `problem`


@dataclass(slots=True)
class _Sheet:
    """What one decision has gathered so far. A tool that answers late writes on its own sheet, never on the next."""

    task: str
    intents: list[Intent] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tokens: int = 0
    exchange: Exchange | None = None


_SHEET: ContextVar[_Sheet] = ContextVar("sheet")


class AgentEmployee:
    """An employee who decides through AutoGen. Implements `roles.employee.Employee`.

    Without a `client` the role's offline policy decides with `brain`, without a time limit: a clock must not change
    what an optimiser decides. With a `client`, `brain` is the offline brain that answers when the client does not.
    With `models`, a `brain` that is a language model is asked there, which minds the time itself; its offline brain
    answers when it does not. `instructions` take the place of the role's prompt.
    """

    def __init__(
        self, agent: str, role: str, brain: Brain, client: ChatCompletionClient | None = None, timeout_s: float = 120,
        *, models: Models | None = None, instructions: str = "",
    ) -> None:  # fmt: skip
        system = instructions or ROLES[role].prompt
        self.agent, self.role, self.brain = agent, role, offline_of(brain, ROLES[role].default_brain)
        self._client: OfflineClient | Gate = OfflineClient(role, self.brain)
        if client is not None:
            self._client = Gate(client)
        elif models is not None and is_model(brain):
            self._client = ModelGate(models, read_brain(brain), system)
        self._timeout_s = None if client is None else timeout_s
        self._redact = models.redactor if models is not None else None
        turns = read_brain(brain).memory if isinstance(self._client, ModelGate) else None
        self._context = BoundedContext(MAX_MESSAGES if turns is None else 1 + 3 * turns)
        self._lock = asyncio.Lock()  # two turns at once would interleave in one context
        self._assistant = AssistantAgent(
            _identifier(agent),
            self._client,
            workbench=_DESK,
            model_context=self._context,
            system_message=system,
            description=ROLES[role].duties,
            max_tool_iterations=1,
            reflect_on_tool_use=False,
        )

    async def decide(self, observation: Observation) -> Decision:
        """The intents of one turn; the offline policy's, with a `problem`, where the turn gave none."""
        sheet = _Sheet(observation.task)
        async with self._lock:
            await self._turn(observation, sheet)
        offline = isinstance(self._client, OfflineClient)
        if not sheet.intents and not sheet.problems and not offline:
            sheet.problems.append("answered without a tool call")
        problem = one_line("; ".join(sheet.problems), MAX_PROBLEM)
        instead = not sheet.intents and bool(problem)
        intents = decide_offline(self.role, self.brain, observation) if instead else sheet.intents
        if sheet.exchange is None:
            return Decision(tuple(intents), problem, sheet.tokens)
        measured = {**_measured(sheet.exchange), **({"offline": True} if instead else {})}
        told = sheet.exchange.outage, sheet.exchange.budget
        return Decision(tuple(intents), problem, sheet.tokens, *told, measured)

    async def close(self) -> None:
        """Close the client. An employee who is closed decides no more."""
        await self._client.close()

    async def _turn(self, observation: Observation, sheet: _Sheet) -> None:
        key = one_line(observation.decision).replace(" ", "_") or "_"
        text = render(observation)
        text = self._redact.text(text) if self._redact is not None else text
        message = TextMessage(content=f"Decision {key}\n{text}", source="company")
        mark = _SHEET.set(sheet)
        try:
            with self._client.expecting(key, observation):
                await self._listen(message, sheet)
        except asyncio.CancelledError:
            if _being_cancelled():
                raise
            sheet.problems.append("the client cancelled itself")
        except (Diverged, ModelsGone):
            raise
        except NoAnswer:
            pass
        except Exception as error:
            sheet.problems.append(f"{type(error).__name__}: {one_line(error)}")
        finally:
            _SHEET.reset(mark)
            self._context.repair()

    async def _listen(self, message: TextMessage, sheet: _Sheet) -> None:
        clock = asyncio.timeout(self._timeout_s)
        try:
            async with clock:
                async for event in self._assistant.run_stream(task=message, output_task_messages=False):
                    if isinstance(event, ToolCallExecutionEvent):
                        sheet.problems += [f"{r.name}: {one_line(r.content)}" for r in event.content if r.is_error]
        except TimeoutError:
            if not clock.expired():
                raise
            sheet.problems.append(f"no answer within {self._timeout_s:g} s")


class Desk(Workbench):
    """The tools of a decision: one for each intent that its task allows. Stateless, so that all employees share one."""

    component_type = "workbench"

    async def list_tools(self) -> list[ToolSchema]:
        return _schemas(_SHEET.get().task)

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Record one intent on the sheet of the decision that called."""
        sheet = _SHEET.get()
        kind = allowed(sheet.task)[name]
        try:
            sheet.intents.append(kind.model_validate(arguments or {}))
        except ValidationError as error:
            return _result(name, explain(error), is_error=True)
        return _result(name, "recorded")

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def reset(self) -> None: ...

    async def save_state(self) -> Mapping[str, Any]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None: ...


class BoundedContext(BufferedChatCompletionContext):
    """Keeps whole turns only: old ones are dropped, not hidden, and what is left starts at a user message."""

    async def add_message(self, message: LLMMessage) -> None:
        await super().add_message(message)
        if len(self._messages) > self._buffer_size:
            self._messages = self._messages[-self._buffer_size :]
            while len(self._messages) > 1 and not isinstance(self._messages[0], UserMessage):
                del self._messages[0]

    def repair(self) -> None:
        """Remove an unfinished turn: providers refuse a question without answer and a call without result."""
        while self._messages and not _finished(self._messages[-1]):
            del self._messages[-1]


class Client(ChatCompletionClient):
    """A model client of which only `create` is left to write: no streaming, no token counting, no usage."""

    component_type = "model"

    def create_stream(self, messages: Sequence[LLMMessage], **options: Any) -> AsyncGenerator[str | CreateResult, None]:
        raise NotImplementedError("decisions are not streamed")

    async def close(self) -> None: ...

    def actual_usage(self) -> RequestUsage:
        return RequestUsage(0, 0)

    def total_usage(self) -> RequestUsage:
        return RequestUsage(0, 0)

    def count_tokens(self, messages: Sequence[LLMMessage], **options: Any) -> int:
        return 0

    def remaining_tokens(self, messages: Sequence[LLMMessage], **options: Any) -> int:
        return 0

    @property
    def capabilities(self) -> ModelInfo:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        return ModelInfo(
            vision=False,
            function_calling=True,
            json_output=False,
            structured_output=False,
            family=ModelFamily.UNKNOWN,
        )


class OfflineClient(Client):
    """The offline brain as a model: looks the whole observation up by the decision's id and calls the role's policy."""

    def __init__(self, role: str, brain: Brain) -> None:
        self.role, self.brain = role, brain
        self._expected: dict[str, Observation] = {}

    @contextlib.contextmanager
    def expecting(self, decision: str, observation: Observation) -> Iterator[None]:
        """Make the observation known under its decision's id while the turn lasts."""
        self._expected[decision] = observation
        try:
            yield
        finally:
            del self._expected[decision]

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        await asyncio.sleep(0)  # without a real suspension one employee starves the loop
        question = next(m.content for m in reversed(messages) if isinstance(m, UserMessage))
        header = HEADER.match(question) if isinstance(question, str) else None
        if header is None:
            raise LookupError("the question carries no decision id")
        intents = decide_offline(self.role, self.brain, self._expected[header[1]])
        return answer([FunctionCall(str(n), dump(intent), intent.kind()) for n, intent in enumerate(intents)])


class Gate(Client):
    """Stands before a language model: asks for tool calls, counts tokens, and lets only well-formed calls through.

    AutoGen hangs on some JSON (a number of 5,000 digits, deep nesting), and a malformed call or name that got into
    the context would make providers refuse every later question.
    """

    def __init__(self, client: ChatCompletionClient) -> None:
        self.client = client

    @contextlib.contextmanager
    def expecting(self, decision: str, observation: Observation) -> Iterator[None]:
        """Nothing to prepare: a model reads the digest."""
        yield

    async def create(self, messages: Sequence[LLMMessage], **options: Any) -> CreateResult:
        options["tool_choice"] = "required"
        result = await self.client.create(messages, **options)
        sheet = _SHEET.get()
        sheet.tokens += result.usage.prompt_tokens + result.usage.completion_tokens
        thought = _talk(result.thought) if result.thought else None
        if isinstance(result.content, str):
            return answer(_talk(result.content), result.usage, thought)
        calls = _admit(result.content, sheet)
        return answer(calls or "(no usable tool call)", result.usage, thought)

    async def close(self) -> None:
        await self.client.close()

    @property
    def model_info(self) -> ModelInfo:
        return self.client.model_info


class NoAnswer(Exception):
    """A model gave no answer; why is on the sheet."""


class ModelGate(Gate):
    """A `Gate` before the models of a chart: which one is asked, and what came of it, is for `Models`."""

    def __init__(self, models: Models, brain: ModelBrain, system: str) -> None:
        self._models, self._brain, self._system = models, brain, system
        self._seen: Observation | None = None

    @contextlib.contextmanager
    def expecting(self, decision: str, observation: Observation) -> Iterator[None]:
        """Make the observation known to whoever chooses the model."""
        self._seen = observation
        try:
            yield
        finally:
            self._seen = None

    async def create(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = (), **options: Any
    ) -> CreateResult:
        assert self._seen is not None
        asked = next(m.content for m in reversed(messages) if isinstance(m, UserMessage))
        question = Question(self._seen, self._brain, self._system, str(asked), messages, tools)
        exchange, sheet = await self._models.consult(question), _SHEET.get()
        sheet.exchange, reply = exchange, exchange.reply
        sheet.tokens += exchange.tokens
        if exchange.problem:
            sheet.problems.append(exchange.problem)
        if reply is None:
            raise NoAnswer
        if reply.cut:
            sheet.problems.append(reply.cut)
        usage, thought = RequestUsage(reply.read, reply.written), _talk(reply.thought) if reply.thought else None
        if not reply.calls:
            sheet.problems.append(f"answered without a tool call{_quoted(reply.text)}")
            return answer(_talk(reply.text), usage, thought)
        calls = _admit([FunctionCall(str(n), text, name) for n, (name, text) in enumerate(reply.calls)], sheet)
        return answer(calls or "(no usable tool call)", usage, thought)

    async def close(self) -> None:
        """The models are the company's: it hangs up."""

    @property
    def model_info(self) -> ModelInfo:
        return Client.model_info.fget(self)  # pyright: ignore[reportOptionalCall, reportAttributeAccessIssue]


def _quoted(text: str) -> str:
    shown = one_line(text, 120)
    return f": {shown}" if shown else ""


def _measured(exchange: Exchange) -> dict[str, Any]:
    """What an answer took, for the record: nothing of it decides anything."""
    reply = exchange.reply
    found = {"model": exchange.model, "seconds": exchange.seconds, "tries": exchange.tries}
    if reply is not None:
        found |= {"tokens_in": reply.read, "tokens_out": reply.written, "estimated": reply.estimated or None}
    found |= {"usd": exchange.usd, "usd_strong": exchange.usd_strong, "escalated": exchange.escalated or None}
    return {name: value for name, value in found.items() if value is not None}


def answer(
    content: str | list[FunctionCall], usage: RequestUsage | None = None, thought: str | None = None
) -> CreateResult:
    """A model's answer: text or tool calls."""
    reason = "stop" if isinstance(content, str) else "function_calls"
    usage = usage or RequestUsage(0, 0)
    return CreateResult(finish_reason=reason, content=content, usage=usage, cached=False, thought=thought)


def _admit(calls: Sequence[FunctionCall], sheet: _Sheet) -> list[FunctionCall]:
    admitted: list[FunctionCall] = []
    for call in calls[:MAX_CALLS]:
        if why := refusal(call.name, call.arguments, sheet.task):
            sheet.problems.append(why)
        else:
            admitted.append(FunctionCall(f"call_{len(admitted)}", call.arguments, call.name))
    if len(calls) > MAX_CALLS:
        sheet.problems.append(f"{len(calls)} tool calls, only {MAX_CALLS} were read")
    return admitted


def _talk(text: str) -> str:
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


@cache
def _schemas(task: str) -> list[ToolSchema]:
    """The tools of a task. Built once: doing so for every decision costs ten times the decision."""
    return [
        ToolSchema(name=name, description=intent.__doc__ or "", parameters=parameters(intent))  # pyright: ignore[reportArgumentType]
        for name, intent in allowed(task).items()
    ]


def _result(name: str, text: str, is_error: bool = False) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=is_error)


def _finished(message: LLMMessage) -> bool:
    if isinstance(message, AssistantMessage):
        return isinstance(message.content, str)
    return isinstance(message, FunctionExecutionResultMessage)


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _identifier(agent: str) -> str:
    """AutoGen takes only Python identifiers for names; the employee's own id stays what it is."""
    name = re.sub(r"\W", "_", agent, flags=re.ASCII)
    return name if name[:1].isalpha() else f"agent_{name}"


_DESK = Desk()

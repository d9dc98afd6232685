"""The language models of one run: every question of every agent goes through here, or comes from a recording.

A question is answered once: what was answered before a kill is not paid for again. A failed call is made again with
growing pauses; a server that stays silent is left alone for a while (`breaker`); a call that does not fit into the
budget is not made. What happened stands in the `Exchange`, whatever it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from roles.brains.digest import render
from roles.brains.llm.breaker import Breaker, Outage
from roles.brains.llm.clients import Caller, connect
from roles.brains.llm.escalation import needs_strong
from roles.brains.llm.exchanges import Diverged, Exchange, Journal, Reply, question_hash
from roles.brains.llm.keys import find_key
from roles.brains.llm.purse import BudgetGone, Cost, Purse
from roles.brains.llm.redact import Redactor
from roles.brains.llm.retry import MOST_S, Failure, pause, read_failure
from roles.brains.llm.settings import ModelBrain, ModelSettings
from roles.observation import Observation

MOST_TEXT = 20_000  # characters of talk that are kept: a decision is in the calls
MOST_TIMEOUTS = 2  # of one question: a server that hangs is not waited for as often as one that answers


class ModelsGone(Exception):
    """Nobody can go on without a model that does not answer; the message is one line that says which."""


class _Failed(Exception):
    """One question was not answered."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is put to a model: the observation behind it, its words, and what the client sends."""

    observation: Observation
    brain: ModelBrain
    system: str
    text: str
    messages: Sequence[Any]
    tools: Sequence[Any]

    @property
    def hash(self) -> str:
        """What makes it the same question again: all but what a log says, which holds addresses, paths and times.

        Notes quote the last lines of logs.
        """
        seen = replace(self.observation, notes=())
        if seen.subject is not None and seen.subject.log_tail:
            seen = replace(seen, subject=replace(seen.subject, log_tail=""))
        return question_hash(self.system, render(seen), [tool["name"] for tool in self.tools])


@dataclass(slots=True)
class _Line:
    """A model on the line: who calls it, and what it shares with all models of its server."""

    settings: ModelSettings
    caller: Caller
    breaker: Breaker
    room: asyncio.Semaphore


class Models:
    """Answers questions. `connect(settings, key)` makes a caller, once for each model."""

    def __init__(
        self, purse: Purse | None = None, journal: Journal | None = None, redactor: Redactor | None = None,
        recording: Mapping[str, Exchange] | None = None,
        connect: Callable[[ModelSettings, str], Caller] = connect,
    ) -> None:  # fmt: skip
        self.purse, self.redactor = purse or Purse(), redactor or Redactor()
        self._journal, self._recording, self._connect = journal, recording, connect
        self._lines: dict[ModelSettings, _Line] = {}
        self._shared: dict[str, tuple[Breaker, asyncio.Semaphore]] = {}

    async def consult(self, question: Question) -> Exchange:
        """What came of a question. Raises Diverged when played back, ModelsGone when patience is at its end."""
        asked = question.hash
        if self._recording is not None:
            exchange = self._recorded(question, asked)
        elif self._journal is not None and (known := self._answered(question, asked)) is not None:
            self.purse.spent += Cost(known.tokens, known.usd or 0.0)
            return known
        else:
            exchange = await self._ask(question, asked)
        if self._journal is not None:
            self._journal.add(exchange, question.text, time.time())
        return exchange

    async def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            await line.caller.close()
        self._lines.clear()

    def _recorded(self, question: Question, asked: str) -> Exchange:
        assert self._recording is not None
        seen = question.observation
        found = self._recording.get(seen.decision)
        if found is None or found.asked != asked:
            what = "nothing like it" if found is None else "another question"
            raise Diverged(
                f"decision {seen.decision} ({seen.task}, {seen.agent}): the recording has {what} there; only a run with"
                " --deterministic, on the same project, chart and seed, is played back"
            )
        return found

    def _answered(self, question: Question, asked: str) -> Exchange | None:
        """The answer to the same question that was on the disk when the company was killed."""
        assert self._journal is not None
        known = self._journal.kept.get(question.observation.decision)
        return known if known is not None and known.asked == asked and known.reply is not None else None

    async def _ask(self, question: Question, asked: str) -> Exchange:
        seen, brain = question.observation, question.brain
        empty = Exchange(seen.decision, seen.agent, seen.task, asked)
        why = needs_strong(seen, brain.rules) if brain.strong else None
        if why and brain.strong:
            exchange = await self._try(question, brain.strong, replace(empty, escalated=why))
            if exchange.reply is not None or exchange.budget:
                return exchange
            missed = f"the strong model did not answer ({exchange.problem})"
            again = await self._with_patience(question, brain.routine, empty)
            return replace(again, problem="; ".join(filter(None, (missed, again.problem))))
        return await self._with_patience(question, brain.routine, empty)

    async def _with_patience(self, question: Question, settings: ModelSettings, empty: Exchange) -> Exchange:
        """Ask again until the server is back, where nobody else could go on."""
        exchange = await self._try(question, settings, empty)
        deadline = time.monotonic() + question.brain.patience_s
        while exchange.outage and question.observation.policy.get("wait"):
            line = self._line(settings)
            if time.monotonic() + line.breaker.wait_s > deadline:
                raise ModelsGone(exchange.outage)
            await line.breaker.turn()
            exchange = await self._try(question, settings, empty)
        return exchange

    async def _try(self, question: Question, settings: ModelSettings, empty: Exchange) -> Exchange:
        line, begun = self._line(settings), time.monotonic()
        exchange = replace(empty, model=settings.model)
        most = _most(question, settings)
        try:
            await self.purse.reserve(most)
        except BudgetGone as gone:
            return replace(exchange, problem=str(gone), budget=str(gone))
        cost, tries = Cost(), [0]
        try:
            reply = self._clean(await self._call(line, question, tries), question)
            cost = _cost(reply, settings)
            exchange = replace(exchange, reply=reply, usd=_usd(reply, settings), usd_strong=_at_strong(reply, question))
        except Outage as out:
            text = self.redactor.text(f"{settings.model} at {settings.url}: {out}")
            exchange = replace(exchange, problem=text, outage=text)
        except _Failed as failed:
            exchange = replace(exchange, problem=self.redactor.text(str(failed)))
        finally:
            await self.purse.settle(most, cost)
        return replace(exchange, seconds=round(time.monotonic() - begun, 3), tries=tries[0])

    async def _call(self, line: _Line, question: Question, tries: list[int]) -> Reply:
        """One answer, after as many tries as it takes. Raises Outage or _Failed."""
        draws, timeouts = question.observation.rng("backoff"), 0
        while True:
            line.breaker.enter()
            tries[0] += 1
            failure = await self._once(line, question)
            if isinstance(failure, Reply):
                line.breaker.succeeded()
                return failure
            timeouts += failure.timed_out
            if failure.kind == "bad":
                line.breaker.succeeded()  # it is there, and said no to this
                raise _Failed(failure.text)
            if failure.kind == "refused":
                line.breaker.failed(failure.text, at_once=True)
            if failure.retry_after is not None and failure.retry_after > MOST_S:
                line.breaker.failed(failure.text, at_once=True, pause_s=failure.retry_after)
            if line.breaker.open or tries[0] >= line.settings.tries or timeouts >= MOST_TIMEOUTS:
                line.breaker.failed(failure.text)
                raise _Failed(f"{failure.text}, {tries[0]} tries" if tries[0] > 1 else failure.text)
            await asyncio.sleep(pause(tries[0], failure.retry_after, float(draws.random())))

    async def _once(self, line: _Line, question: Question) -> Reply | Failure:
        try:
            async with line.room, asyncio.timeout(line.settings.timeout_s):
                return await line.caller.ask(question.messages, question.tools)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                line.breaker.abandoned()
                raise
            return Failure("again", "the client cancelled itself")
        except TimeoutError:
            return Failure("again", f"no answer within {line.settings.timeout_s:g} s", timed_out=True)
        except Exception as error:
            return read_failure(error)

    def _clean(self, reply: Reply, question: Question) -> Reply:
        """The answer without keys, and its tokens estimated where the server did not count them."""
        calls = tuple((self.redactor.text(name), self.redactor.text(arguments)) for name, arguments in reply.calls)
        text, thought = (self.redactor.text(said[:MOST_TEXT]) for said in (reply.text, reply.thought))
        reply = replace(reply, calls=calls, text=text, thought=thought)
        if reply.read or reply.written:
            return reply
        written = len(text) + len(thought) + sum(len(name) + len(arguments) for name, arguments in calls)
        return replace(reply, read=_characters(question) // 4, written=written // 4, estimated=True)

    def _line(self, settings: ModelSettings) -> _Line:
        if settings not in self._lines:
            shared = self._shared.setdefault(settings.endpoint, (Breaker(), asyncio.Semaphore(settings.parallel)))
            self._lines[settings] = _Line(settings, self._connect(settings, find_key(settings)), *shared)
        return self._lines[settings]


def _characters(question: Question) -> int:
    return sum(len(str(message.content)) for message in question.messages)


def _most(question: Question, settings: ModelSettings) -> Cost:
    """The most that a call may cost: three characters a token is less than any text has, tools come on top."""
    read = _characters(question) // 3 + 400 * len(question.tools)
    usd = settings.price.usd(read, settings.max_tokens) if settings.price else 0.0
    return Cost(read + settings.max_tokens, usd)


def _usd(reply: Reply, settings: ModelSettings) -> float | None:
    return settings.price.usd(reply.read, reply.written) if settings.price else None


def _cost(reply: Reply, settings: ModelSettings) -> Cost:
    return Cost(reply.read + reply.written, _usd(reply, settings) or 0.0)


def _at_strong(reply: Reply, question: Question) -> float | None:
    strong = question.brain.strong
    return _usd(reply, strong) if strong else None

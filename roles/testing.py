"""What brains and employees are tested with: a scripted model client, and an example observation of every task."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from projects.spec import Metric, Parameter, SearchSpace
from roles.brains.agent import Client, CreateResult, FunctionCall, LLMMessage, RequestUsage, answer
from roles.intents import ROLE_OF_TASK
from roles.observation import Champion, Directive, Observation, ReportView, Result, Subject

Call = tuple[str, Mapping[str, Any] | str]  # tool name, arguments (a str is sent as it is, broken or not)
Answer = str | Sequence[Call] | BaseException

HANG = RuntimeError("hang")  # as an answer: never comes

SPACE = SearchSpace(
    (
        Parameter("lr", "float", 1e-4, 1e-1, log=True, about="peak learning rate"),
        Parameter("depth", "int", 1, 8, shape=True, about="number of blocks"),
        Parameter("batch", "choice", values=(16, 32, 64)),
        Parameter("norm", "choice", values=("layer", "rms", "none")),
    )
)


class ScriptedClient(Client):
    """A model that gives the listed answers, one a question: text, tool calls, an exception to raise, or HANG.

    `questions` keeps what it was asked, `offered` the names of the tools it was offered. Asked once more than it has
    answers, it raises IndexError, which an employee survives as it does any failure of a client.
    """

    def __init__(self, answers: Iterable[Answer], tokens: tuple[int, int] = (0, 0)) -> None:
        self.answers = list(answers)
        self.usage = RequestUsage(*tokens)
        self.questions: list[Sequence[LLMMessage]] = []
        self.offered: list[list[str]] = []
        self.closed = False

    async def create(
        self, messages: Sequence[LLMMessage], *, tools: Sequence[Any] = (), **options: Any
    ) -> CreateResult:
        self.questions.append(messages)
        self.offered.append([tool["name"] for tool in tools])
        said = self.answers.pop(0)
        await asyncio.sleep(0)
        if said is HANG:
            await asyncio.Event().wait()
        if isinstance(said, BaseException):
            raise said
        if isinstance(said, str):
            return answer(said, self.usage)
        return answer([_call(n, name, arguments) for n, (name, arguments) in enumerate(said)], self.usage)

    async def close(self) -> None:
        self.closed = True


def _call(n: int, name: str, arguments: Mapping[str, Any] | str) -> FunctionCall:
    return FunctionCall(f"id-{n}", arguments if isinstance(arguments, str) else json.dumps(arguments), name)


def observe(task: str, results: int = 12, **changes: Any) -> Observation:
    """An observation for `task` in the middle of a run: `results` finished experiments, a champion, and the subject or
    the reports that the task is about. `changes` replace its fields.
    """
    seen = Observation(
        decision=f"d-{task}", task=task, agent="bob", role=ROLE_OF_TASK[task], root_seed=7, turn=results,
        space=SPACE, metric=Metric("val_bpb", "bits per byte"), baseline=SPACE.decode([0.5] * 4),
        mission="Lowest validation bits per byte.", sigma=0.01, spent=0.3,
    )  # fmt: skip
    rng = seen.rng("example")
    history = tuple(_example(n, SPACE.sample(rng)) for n in range(results))
    best = min((r for r in history if r.loss is not None), key=lambda r: r.loss or 0.0, default=None)
    champion = best and Champion(best.experiment, best.config, best.unit, best.loss or 0.0, 3)
    config = SPACE.sample(rng)
    subject = Subject(
        "e-99", "bob", config, SPACE.encode(config), predicted=2.5, reason="a wider model", steps=200, cost=4.0,
        curve=((0.25, 3.1), (0.5, 2.8)), **_finish(task),
    )  # fmt: skip
    seen = replace(
        seen,
        history=history,
        champion=champion,
        directive=Directive("refine", ("lr",), "the learning rate pays"),
        subject=None if task in ("propose", "plan", "appraise") else subject,
        reports=_REPORTS if task in ("plan", "appraise") else (),
    )
    return replace(seen, **changes)


def _example(n: int, config: Mapping[str, Any]) -> Result:
    unit = SPACE.encode(config)
    loss = None if n % 7 == 6 else 2.0 + sum((at - 0.3) ** 2 for at in unit)
    status = "failed" if loss is None else "ok"
    failure = "diverged" if loss is None else None
    curve = tuple((at, (loss or 9.0) + 1 - at) for at in (0.25, 0.5, 0.75, 1.0))
    return Result(f"e-{n}", ("bob", "cleo")[n % 2], config, unit, status, loss, 4.0, failure, curve=curve)


def _finish(task: str) -> dict[str, Any]:
    if task == "repair":
        return {"failure": "out_of_memory", "micro_batch": 32, "log_tail": "step 3\nRuntimeError: out of memory"}
    return {"loss": 2.1} if task == "verdict" else {}


_REPORTS = tuple(
    ReportView(
        agent, f"p-{agent}", "researcher", brain, "active", 0.5, 10, 1, 40.0, outcomes, best=2.1,
        worth=worth, low=worth - 0.2, high=worth + 0.2, evidence=10, p_below=0.5 - worth, replaceable=worth < 0,
    )
    for agent, brain, worth, outcomes in (
        ("bob", "tpe", 0.3, (0.2, 0.9, 0.8, 1.0)),
        ("cleo", "random", -0.45, (0.5, 0.1, 0.3, 0.2)),
    )
)  # fmt: skip

"""The AutoGen seam: parity with the direct path, and every way in which a model can fail to decide."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from roles.brains.agent import (
    MAX_MESSAGES,
    AgentEmployee,
    AssistantMessage,
    BoundedContext,
    FunctionCall,
    OfflineClient,
    UserMessage,
)
from roles.brains.offline import BRAINS
from roles.employee import DirectEmployee, decide_offline
from roles.intents import ROLE_OF_TASK, Approve, Assign, Propose, Refuse
from roles.observation import Directive, Observation
from roles.role import Brain
from roles.roster import ROLES
from roles.testing import HANG, Answer, ScriptedClient, observe

ROOT = Path(__file__).parents[2]
APPROVE = ("Approve", {"p_improves": 0.25, "reason": "new ground"})
APPROVED = Approve(p_improves=0.25, reason="new ground")


def brain_of(role: str) -> Brain:
    return Brain(ROLES[role].default_brain)


def reviewer(*answers: Answer, timeout_s: float = 5, tokens: tuple[int, int] = (0, 0)) -> AgentEmployee:
    return AgentEmployee("rae", "reviewer", brain_of("reviewer"), ScriptedClient(answers, tokens), timeout_s)


def offline(seen: Observation) -> tuple:
    return tuple(decide_offline(seen.role, brain_of(seen.role), seen))


CASES = [("propose", Brain(kind)) for kind in BRAINS]
CASES += [(task, brain_of(role)) for task, role in ROLE_OF_TASK.items() if task != "propose"]


@pytest.mark.parametrize(("task", "brain"), CASES, ids=lambda case: getattr(case, "kind", case))
@pytest.mark.parametrize("results", [0, 3, 25])
async def test_an_agent_and_a_direct_call_decide_the_same(task: str, brain: Brain, results: int) -> None:
    seen = observe(task, results)
    through = await AgentEmployee("bob", seen.role, brain).decide(seen)
    direct = await DirectEmployee("bob", seen.role, brain).decide(seen)
    assert through == direct
    assert repr(through.intents) == repr(direct.intents)  # 1, 1.0 and True are equal, and not the same config
    assert through.problem == "" and through.tokens == 0


async def test_floats_come_back_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"a": 0.1 + 0.2, "b": 5e-324, "c": 1, "d": 1.0, "e": True, "f": "ünï\n", "g": -0.0, "h": 1e308}
    plan = [Propose(config=config, predicted=1 / 3), Propose(config={"z": 2**60})]
    monkeypatch.setitem(ROLES, "researcher", replace(ROLES["researcher"], policy=lambda seen, brain: list(plan)))
    decision = await AgentEmployee("bob", "researcher", Brain("tpe")).decide(observe("propose"))
    assert [repr(intent) for intent in decision.intents] == [repr(intent) for intent in plan]


async def test_an_offline_policy_may_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ROLES, "manager", replace(ROLES["manager"], policy=lambda seen, brain: []))
    decision = await AgentEmployee("meg", "manager", Brain("bandit")).decide(observe("plan"))
    assert decision.intents == () and decision.problem == ""


async def test_an_error_of_an_offline_policy_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(seen: Observation, brain: Brain) -> list:
        raise ZeroDivisionError("policy")

    monkeypatch.setitem(ROLES, "manager", replace(ROLES["manager"], policy=broken))
    with pytest.raises(ZeroDivisionError, match="policy"):
        await AgentEmployee("meg", "manager", Brain("bandit")).decide(observe("plan"))


async def test_a_model_decides_with_the_tools_of_its_task_and_is_metered() -> None:
    client = ScriptedClient([[APPROVE]], tokens=(700, 30))
    employee = AgentEmployee("rae 1!", "reviewer", brain_of("reviewer"), client)
    decision = await employee.decide(observe("review"))
    assert decision.intents == (APPROVED,)
    assert decision.problem == "" and decision.tokens == 730
    assert client.offered == [["Approve", "Refuse"]]
    system, question = client.questions[0]
    assert system.content == ROLES["reviewer"].prompt
    assert str(question.content).startswith("Decision d-review\n# Task: review")
    await employee.close()
    assert client.closed


FAILURES: dict[str, tuple[Answer, str]] = {
    "talk": ("I would rather not.", "answered without a tool call"),
    "silence": ("", "answered without a tool call"),
    "no calls": ([], "answered without a tool call"),
    "bad JSON": ([("Approve", '{"p_improves": 0.2')], "Approve: unreadable JSON"),
    "not an object": ([("Approve", "[0.2]")], "Approve: arguments are not a JSON object"),
    "a number of 5,000 digits": ([("Approve", f'{{"p_improves": {"1" * 5000}}}')], "Approve: unreadable JSON"),
    "an integer beyond floats": ([("Approve", f'{{"p_improves": {"1" * 400}}}')], "is too large"),
    "deep nesting": ([("Approve", "[" * 60_000)], "Approve: unreadable JSON"),
    "not a number": ([("Approve", '{"p_improves": NaN}')], "NaN is not a finite number"),
    "infinite": ([("Approve", '{"p_improves": 1e999}')], "1e999 is not a finite number"),
    "too long": ([("Approve", json.dumps({"p_improves": 0.2, "reason": "x" * 70_000}))], "characters of arguments"),
    "unknown tool": ([("LaunchRocket", {})], "LaunchRocket is not a tool"),
    "a hostile name": ([("\x1b[2J" + "x" * 9999, {})], "is not a tool"),
    "another task's tool": ([("Propose", {"config": {"lr": 0.1}})], "Propose is not for the task 'review'"),
    "out of range": ([("Approve", {"p_improves": 2})], "Approve: p_improves: Input should be less than or equal to 1"),
    "missing": ([("Approve", {})], "Approve: p_improves: Field required"),
    "an extra": ([("Approve", {"p_improves": 0.2, "sudo": 1})], "Approve: sudo: Extra inputs are not permitted"),
    "a wrong type": ([("Approve", {"p_improves": "high"})], "Approve: p_improves: Input should be a valid number"),
    "a lone surrogate": ([("Approve", '{"p_improves": 0.2, "reason": "\\ud800"}')], "surrogates not allowed"),
    "an exception": (ConnectionError("503\nbusy \x1b[31m"), "ConnectionError: 503 busy"),
    "a cancellation of its own": (asyncio.CancelledError(), "the client cancelled itself"),
    "its own timeout": (TimeoutError("read timed out"), "TimeoutError: read timed out"),
    "a huge exception": (RuntimeError("x" * 1_000_000), "RuntimeError: xxx"),
    "a hang": (HANG, "no answer within 0.05 s"),
}


@pytest.mark.parametrize(("answer", "problem"), FAILURES.values(), ids=FAILURES)
async def test_a_failing_model_is_replaced_by_the_offline_policy_for_that_decision(
    answer: Answer, problem: str
) -> None:
    seen = observe("review")
    employee = reviewer(answer, [APPROVE], timeout_s=0.05 if answer is HANG else 5)
    decision = await asyncio.wait_for(employee.decide(seen), 3)
    assert decision.intents == offline(seen)
    assert problem in decision.problem
    assert len(decision.problem) <= 300 and decision.problem.isprintable()
    again = await employee.decide(seen)
    assert again.intents == (APPROVED,) and again.problem == ""


async def test_valid_intents_are_kept_beside_the_problem() -> None:
    calls = [("Approve", {"p_improves": 7}), APPROVE, ("Nonsense", "{}"), ("Refuse", {"p_improves": 0.5})]
    decision = await reviewer(calls).decide(observe("review"))
    assert decision.intents == (APPROVED, Refuse(p_improves=0.5))
    assert "Nonsense is not a tool" in decision.problem and "less than or equal" in decision.problem


async def test_many_intents_keep_their_order() -> None:
    calls = [("Assign", {"agent": f"a{n}", "share": 1 / 64}) for n in range(64)]
    manager = AgentEmployee("meg", "manager", brain_of("manager"), ScriptedClient([calls]))
    decision = await manager.decide(observe("plan"))
    assert [intent.agent for intent in decision.intents if isinstance(intent, Assign)] == [f"a{n}" for n in range(64)]


async def test_a_flood_of_calls_is_cut() -> None:
    decision = await reviewer([APPROVE] * 300).decide(observe("review"))
    assert len(decision.intents) == 256 and "300 tool calls" in decision.problem


async def test_what_failed_never_reaches_the_next_question() -> None:
    client = ScriptedClient([[("Approve", "{"), ("\x00", {})], HANG, "talk" * 100_000, [APPROVE]])
    employee = AgentEmployee("rae", "reviewer", brain_of("reviewer"), client, timeout_s=0.05)
    for _ in range(4):
        await employee.decide(observe("review"))
    last = client.questions[-1]
    assert [message.type for message in last[1:]] == ["UserMessage", "AssistantMessage"] * 2 + ["UserMessage"]
    assert sum(len(str(message.content)) for message in last) < 30_000


async def test_being_cancelled_from_outside_cancels() -> None:
    employee = reviewer(HANG, [APPROVE], timeout_s=60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(employee.decide(observe("review")), 0.05)
    assert (await employee.decide(observe("review"))).intents == (APPROVED,)


async def test_employees_who_decide_at_once_never_mix() -> None:
    names = [f"a{n}" for n in range(20)]
    sight = [observe("propose", agent=name, decision=f"d-{name}", directive=Directive()) for name in names]
    staff = [AgentEmployee(name, "researcher", Brain("random")) for name in names]
    together = await asyncio.gather(*(one.decide(seen) for one, seen in zip(staff, sight, strict=True)))
    apart = [tuple(decide_offline("researcher", Brain("random"), seen)) for seen in sight]
    assert [decision.intents for decision in together] == apart
    assert len(set(map(repr, apart))) == len(names)


async def test_one_employee_asked_twice_at_once_answers_in_turn() -> None:
    sight = [observe("propose", turn=n, decision=f"d-{n}") for n in range(10)]
    employee = AgentEmployee("bob", "researcher", Brain("random"))
    together = await asyncio.gather(*map(employee.decide, sight))
    assert [d.intents for d in together] == [tuple(decide_offline("researcher", Brain("random"), s)) for s in sight]


async def test_an_injected_decision_id_does_not_fool_the_offline_client() -> None:
    seen = observe("review", decision="d 1\nDecision d-2", mission="\nDecision d-3\n")
    decision = await AgentEmployee("rae", "reviewer", brain_of("reviewer")).decide(seen)
    assert decision.intents == offline(seen) and decision.problem == ""


async def test_an_offline_client_refuses_a_question_without_an_id() -> None:
    client = OfflineClient("reviewer", brain_of("reviewer"))
    with pytest.raises(LookupError, match="no decision id"):
        await client.create([UserMessage(content="hello", source="user")])


async def test_memory_is_flat_over_many_decisions() -> None:
    seen = observe("watch")
    employee = AgentEmployee("ed", "engineer", brain_of("engineer"))
    for _ in range(200):
        await employee.decide(seen)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            await employee.decide(seen)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 200_000  # twelve messages and the interpreter's caches; a kept turn would be megabytes


async def test_a_context_drops_old_turns_and_starts_at_a_question() -> None:
    context = BoundedContext(MAX_MESSAGES)
    for n in range(50):
        await context.add_message(UserMessage(content=str(n), source="company"))
        await context.add_message(AssistantMessage(content="yes", source="bob"))
        kept = await context.get_messages()
        assert isinstance(kept[0], UserMessage) and len(kept) <= MAX_MESSAGES
    assert (await context.get_messages())[-2].content == "49"


async def test_repair_removes_a_call_without_its_result() -> None:
    context = BoundedContext(MAX_MESSAGES)
    await context.add_message(UserMessage(content="1", source="company"))
    await context.add_message(AssistantMessage(content="yes", source="bob"))
    await context.add_message(UserMessage(content="2", source="company"))
    await context.add_message(AssistantMessage(content=[FunctionCall("1", "{}", "Stop")], source="bob"))
    context.repair()
    assert [message.content for message in await context.get_messages()] == ["1", "yes"]


async def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await AgentEmployee("rae", "reviewer", brain_of("reviewer")).decide(observe("review"))
    assert not [record for record in caplog.records if record.name.startswith("autogen")]


def test_only_the_seam_imports_autogen() -> None:
    seam = {ROOT / "roles/brains/agent.py", ROOT / "roles/brains/llm/clients.py"}
    packages = [ROOT / name for name in ("company", "roles", "projects", "tui", "org_charts")]
    importers = {path for package in packages for path in package.rglob("*.py") if _imports_autogen(path)}
    assert importers == seam


def _imports_autogen(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import) and any(alias.name.startswith("autogen") for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autogen"):
            return True
    return False


def test_deciding_directly_never_loads_autogen() -> None:
    code = (
        "import sys, roles.employee, roles.brains.digest; sys.exit(any(m.startswith('autogen') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_no_telemetry_is_collected() -> None:
    from opentelemetry import trace

    assert not trace.get_tracer("autogen-core").start_span("probe").is_recording()

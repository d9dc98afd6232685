"""What people may do to a running company. Each act is checked, carried out by the core, and answered with an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from company import events as ev
from company import lifecycle, management, restructuring
from company.chart import ChartError, OrgChart
from company.edits import EditError, edits_from
from company.entities import Experiment
from company.staffing import candidate
from company.taming import clean

if TYPE_CHECKING:
    from company.engine import Engine


class Refused(Exception):
    """The command cannot be carried out; the message says why and what to do."""


def carry_out(engine: Engine, action: str, args: Mapping[str, Any], by: str) -> tuple[bool, str]:
    """Do what a person asks for. (True, what was done), or (False, why not) with nothing changed."""
    act = ACTIONS.get(action)
    if act is None:
        return False, f"no command '{clean(action, 40)}': {', '.join(ACTIONS)}"
    if engine.state.phase == "closed":
        return False, "the run has closed"
    try:
        return True, act(engine, args, by)
    except Refused as refusal:
        return False, str(refusal)


def _pause(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    if engine.state.paused:
        raise Refused("the company is paused already")
    engine.emit(ev.RunPaused(by))
    return "paused: what runs goes on, nothing new is started"


def _resume(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    if not engine.state.paused:
        raise Refused("the company is not paused")
    engine.emit(ev.RunContinued(by))
    return "the company works again"


def _stop(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    experiment = _experiment(engine, args)
    if experiment.status != "running":
        raise Refused(f"{experiment.id} does not run: it is {experiment.status}")
    if experiment.purpose != "proposal":
        raise Refused(f"{experiment.id} is a {experiment.purpose} run, which the company needs; only proposals stop")
    lifecycle.stop_running(engine, experiment, "person", f"stopped by {by}")
    return f"{experiment.id} is stopped; it counts for nobody"


def _approve(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    return _settle(engine, args, by, approve=True)


def _refuse(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    return _settle(engine, args, by, approve=False)


def _settle(engine: Engine, args: Mapping[str, Any], by: str, approve: bool) -> str:
    request = str(args.get("experiment", ""))
    if request in engine.state.requests:
        return management.settle_request(engine, request, approve, by)
    experiment = _experiment(engine, args)
    if experiment.status != "proposed":
        raise Refused(f"{experiment.id} does not wait for a review: it is {experiment.status}")
    lifecycle.overrule(engine, experiment, approve, f"turned down by {by}")
    return f"{experiment.id} is {'approved' if approve else 'turned down'} by {by}"


def _replace(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    state, name = engine.state, str(args.get("agent", ""))
    agent = state.agents.get(name)
    if agent is None or agent.status == "left":
        raise Refused(f"nobody called '{clean(name, 40)}' works here")
    if candidate(state, agent.role) is None:
        raise Refused(f"the talent pool has no {agent.role} to hire")
    management.replace(engine, by, agent, _because(args, by))
    return f"{agent.id} is replaced by {state.holder[agent.position]}"


def _edit(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    edits = args.get("edits")
    if not isinstance(edits, list) or not edits:
        raise Refused('an edit needs {"edits": [{"kind": "Move", ...}]}')
    return _revision(lambda: restructuring.change(engine, edits_from(edits), by, _because(args, by)))


def _chart(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    try:
        chart = OrgChart.from_dict(args.get("chart") or {})
    except ChartError as error:
        raise Refused(str(error)) from None
    return _revision(lambda: restructuring.replace_chart(engine, chart, by, _because(args, by)))


def _undo(engine: Engine, args: Mapping[str, Any], by: str) -> str:
    number = args.get("revision")
    if not isinstance(number, int):
        raise Refused("an undo needs the number of a revision")
    return _revision(lambda: restructuring.undo(engine, number, by, _because(args, by)))


def _revision(act: Callable[[], str]) -> str:
    try:
        return act()
    except EditError as error:
        raise Refused(str(error)) from None


def _because(args: Mapping[str, Any], by: str) -> str:
    return clean(str(args.get("because") or f"decided by {by}"))


def _experiment(engine: Engine, args: Mapping[str, Any]) -> Experiment:
    name = str(args.get("experiment", ""))
    found = engine.state.experiments.get(name)
    if found is None:
        raise Refused(f"there is no experiment '{clean(name, 40)}'")
    return found


ACTIONS: dict[str, Callable[[Engine, Mapping[str, Any], str], str]] = {
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "approve": _approve,
    "refuse": _refuse,
    "replace": _replace,
    "edit": _edit,
    "chart": _chart,
    "undo": _undo,
}

"""One run from the command's words to the closed company: load, lock, found or resume, work, report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from company.chart import OrgChart
from company.chart_yaml import find_chart, load_chart, read_text, save_chart
from company.compute.backend import ComputeError, Slot
from company.compute.cuda_proof import Proof
from company.compute.local import LocalCompute
from company.compute.prepare import marked
from company.compute.ray_cluster import leave
from company.compute.sandbox.levels import Level, Wanted, may_run_agent_code
from company.compute.sandbox.probe import SandboxError, choose
from company.compute.slots import find_slots
from company.compute.workers import PRELOAD
from company.directory import DirectoryError, RunDirectory
from company.engine import Engine, Step
from company.entities import Agent
from company.events import RunFounded
from company.ledger import Ledger
from company.live import Hire, LiveCompany, OnStep
from company.memory import with_memory
from company.models import ModelError, check_reach, open_models, read_program, read_recording, staffed
from company.patching.history import CodeHistory
from company.state import State
from company.talent_file import with_talent
from projects.load import load_project, shipped_projects
from projects.spec import Project
from roles.employee import DirectEmployee, Employee

if TYPE_CHECKING:
    from company.compute.ray_compute import RayCompute
    from roles.brains.llm.models import Models

EngineKind = Literal["autogen", "direct"]
CONFIGS_ONLY = ("random", "hillclimb", "evolution", "tpe", "gp")  # brains that never change code
ComputeKind = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person asked for: a new run of a chart on a project, or the rest of a run that stopped."""

    directory: RunDirectory
    chart: str = "startup"
    project: str = "byte_lm"
    experiments: int | None = None
    budget_seconds: float | None = None  # of company time: every slot works for as long
    seed: int = 0
    slots: int | None = None
    per_gpu: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    engine: EngineKind = "autogen"
    deterministic: bool = False
    resume: bool = False
    talent: Path | None = None  # a talent file, whose candidates join the chart's pool
    memory: tuple[Path, ...] = ()  # earlier runs, whose best configs are tried first
    compute: ComputeKind | None = None  # this machine, or a Ray cluster; None: as the resumed run, else this machine
    ray_address: str | None = None
    offline: bool = False  # optimisers decide where the chart has language models
    playback: Path | None = None  # a run whose models' answers are given again
    sandbox: Wanted = "auto"
    allow_unsandboxed: bool = False  # code that a language model wrote may run below the level `degraded`


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything loaded and checked before any worker starts."""

    chart: OrgChart
    project: Project
    slots: tuple[Slot, ...]
    in_order: bool
    state: State | None
    compute: ComputeKind
    offline: bool = False
    sandbox: Level = "none"


def execute(plan: Plan, on_step: OnStep, on_ready: Callable[[LiveCompany], None] = lambda company: None) -> State:
    """Carry a plan out and return the company's last state; its phase is "closed" unless it was interrupted.

    Raises ChartError, ProjectError, DirectoryError, LedgerError, ModelError or ComputeError, each with lines for a
    person; ModelsGone and Diverged where the run stops for its models, and can be resumed.
    """
    try:
        if plan.resume:
            return _with_directory(plan, on_step, on_ready, _prepare_resumed)
        prepared = _prepare_new(plan)
        _check_models(plan, prepared)
        plan.directory.create()
        return _with_directory(plan, on_step, on_ready, lambda plan, ledger: prepared)
    finally:
        leave()


def _with_directory(
    plan: Plan, on_step: OnStep, on_ready: Callable[[LiveCompany], None],
    prepare: Callable[[Plan, Ledger], Prepared],
) -> State:  # fmt: skip
    directory = plan.directory
    if plan.resume:
        directory.need_run()
        Ledger(directory.ledger).close()  # read first: what is no ledger is refused before anything is written there
    directory.lock()
    try:
        with contextlib.closing(Ledger(directory.ledger, write=True, locked=True)) as ledger:
            prepared = prepare(plan, ledger)
            if prepared.state is not None and prepared.state.phase == "closed":
                CodeHistory(directory.code, prepared.project).follow(prepared.state)
                return prepared.state
            if plan.resume:
                _check_models(plan, prepared)
            return asyncio.run(_work(plan, prepared, ledger, on_step, on_ready))
    except ComputeError:
        directory.abandon()
        raise
    finally:
        directory.unlock()


def _prepare_new(plan: Plan) -> Prepared:
    chart, project = load_chart(plan.chart), load_project(plan.project)
    if plan.talent is not None:
        chart = with_talent(chart, plan.talent)
    chart = with_memory(chart, plan.memory)
    compute = plan.compute or "local"
    slots = _slots(compute, plan.ray_address, plan.slots, plan.per_gpu, plan.device)
    chart = _with_budget(chart, plan, len(slots))
    asks = bool(staffed(chart)) and not plan.offline  # a slot that waited for a model's answer would stand idle
    in_order, sandbox = plan.deterministic or (len(slots) == 1 and not asks), _sandbox(plan, compute)
    return Prepared(chart, project, slots, in_order, None, compute, plan.offline, sandbox)


def _check_models(plan: Plan, prepared: Prepared) -> None:
    """Nothing is begun for models that cannot be asked."""
    if plan.playback is not None:
        read_recording(plan.playback)
    elif not prepared.offline and staffed(prepared.chart):
        if plan.engine == "direct":
            raise ModelError("--engine direct asks no model: leave it away, or add --offline")
        check_reach(prepared.chart)


def _sandbox(plan: Plan, compute: ComputeKind) -> Level:
    """The level that is promised of every experiment. Raises SandboxError where this machine cannot give it.

    Nodes of a cluster are asked when they take part, and for "auto" nothing is promised of them.
    """
    if compute == "local":
        return choose(plan.sandbox)
    return "none" if plan.sandbox == "auto" else plan.sandbox


def _slots(
    compute: ComputeKind, address: str | None, count: int | None, per_gpu: int, device: Literal["auto", "cpu", "cuda"]
) -> tuple[Slot, ...]:
    if compute == "local":
        return find_slots(count, per_gpu, device)
    from company.compute.ray_compute import cluster_slots

    return cluster_slots(address, count, per_gpu, device)


def _with_budget(chart: OrgChart, plan: Plan, slots: int) -> OrgChart:
    if plan.experiments is None and plan.budget_seconds is None:
        return chart
    seconds = plan.budget_seconds * slots if plan.budget_seconds is not None else None
    limits = {"experiments": plan.experiments, "slot_seconds": seconds}
    return chart.model_copy(update={"budget": chart.budget.model_copy(update=limits)})


def _prepare_resumed(plan: Plan, ledger: Ledger) -> Prepared:
    """Fold the ledger, and find the same project and as many slots again."""
    first = next(iter(ledger.events()), None)
    if first is None or not isinstance(first.event, RunFounded):
        raise DirectoryError(f"{plan.directory.path}: the run stopped before it was founded: start it anew, with --out")
    state = ledger.fold()
    settings = first.event.measured
    project = load_project(settings["project_source"])
    _refuse_changed(project, state, plan.directory.path)
    device: Literal["cpu", "cuda"] = "cuda" if state.device == "cuda" else "cpu"
    compute = plan.compute or settings.get("compute", "local")
    slots = _slots(compute, plan.ray_address, state.slots, settings.get("per_gpu", 1), device)
    offline = plan.offline or bool(settings.get("offline"))
    in_order, sandbox = bool(settings["in_order"]), _sandbox(plan, compute)
    refused = may_run_agent_code(sandbox, plan.allow_unsandboxed)
    if refused and state.codes and state.phase != "closed":
        raise SandboxError(f"{plan.directory.path} has changed code to run: {refused}")
    return Prepared(state.chart, project, slots, in_order, state, compute, offline, sandbox)


def _refuse_changed(project: Project, state: State, path: Path) -> None:
    """Results are bound to code, evaluator and costs: a run never goes on with others."""
    now = {
        "train.py": project.code_hash,
        "evaluate.py": project.evaluator_hash,
        "costs": project.costs.version,
        "the search space": len(project.space.parameters),
    }
    then = {
        "train.py": state.brief["code_hash"],
        "evaluate.py": state.brief["evaluator_hash"],
        "costs": state.brief["costs_version"],
        "the search space": len(state.space.parameters),
    }
    changed = [name for name in now if now[name] != then[name]]
    if changed:
        raise DirectoryError(
            f"{path}: {', '.join(changed)} of project '{project.name}' changed since this run was founded:"
            " put the old version back, or start a new run"
        )


def _refuse_other_data(data: Path, state: State, ledger: Ledger) -> None:
    """Nor with other data, whether changed or made anew by other libraries."""
    founded = next(iter(ledger.events())).event
    known = founded.measured.get("data_content") if isinstance(founded, RunFounded) else None
    described, content = state.brief["data_hash"] in ("", _data_hash(data)), marked(data).get("content")
    if not described or known not in (None, "", content):
        raise DirectoryError(f"{data} is not the data that this run was founded on: put them back, or start a new run")


async def _work(
    plan: Plan, prepared: Prepared, ledger: Ledger, on_step: OnStep, on_ready: Callable[[LiveCompany], None]
) -> State:
    directory = plan.directory
    compute = _compute(prepared, plan.sandbox, directory.lock_fd)
    recording = read_recording(plan.playback) if plan.playback is not None else None
    models = None if prepared.offline else open_models(prepared.chart, directory.path, ledger, recording)
    ledger.open_session("resume" if plan.resume else "run", version("loopworks"))
    try:
        await compute.start()
        await compute.prepare_data(prepared.project, directory.data)
        if prepared.state is not None:
            _refuse_other_data(directory.data, prepared.state, ledger)
        engine = Engine(prepared.project, prepared.state, read_program(prepared.project.folder))
        proofs = compute.proofs if isinstance(compute, LocalCompute) else ()
        first = _found(plan, prepared, engine, proofs) if prepared.state is None else None
        company = LiveCompany(
            engine, ledger, compute, hirer(plan.engine, models), directory.experiments, directory.data,
            in_order=prepared.in_order, on_step=_with_history(directory, prepared, on_step),
            no_patches=may_run_agent_code(prepared.sandbox, plan.allow_unsandboxed) or "",
        )  # fmt: skip
        _stop_on_signals(company)
        on_ready(company)
        await company.run(first)
        return engine.state
    finally:
        await compute.close()
        if models is not None:
            await models.close()
        ledger.close_session()


def _with_history(directory: RunDirectory, prepared: Prepared, on_step: OnStep) -> OnStep:
    """Also keep the run's code as git history, from what is there on."""
    history = CodeHistory(directory.code, prepared.project)
    if prepared.state is not None:
        history.follow(prepared.state)

    def after(state: State, step: Step) -> None:
        known = history.problem
        history.follow(state)
        if history.problem != known:
            print(f"loopworks: {history.problem}", file=sys.stderr)
        on_step(state, step)

    return after


def _compute(prepared: Prepared, wanted: Wanted, lock: int) -> LocalCompute | RayCompute:
    preload = prepared.project.preload or PRELOAD
    if prepared.compute == "local":
        return LocalCompute(prepared.slots, hold_fds=[lock], preload=preload, sandbox=prepared.sandbox)
    from company.compute.ray_compute import RayCompute

    return RayCompute(prepared.slots, preload=preload, sandbox=wanted)


def _found(plan: Plan, prepared: Prepared, engine: Engine, proofs: Sequence[Proof]) -> Step:
    """The founding step; the chart in force is kept beside the ledger, comments and all."""
    chart, directory = prepared.chart, plan.directory
    save_chart(chart, directory.chart, onto=read_text(find_chart(plan.chart)))
    path = Path(plan.project)
    own = path.is_dir() and plan.project not in shipped_projects()
    settings = {
        "project_source": str(path.resolve()) if own else plan.project,
        "in_order": prepared.in_order,
        "per_gpu": plan.per_gpu,
        "compute": prepared.compute,
        "sandbox": prepared.sandbox,
        **({"cuda_proved": [f"{proof.card} at {proof.level}" for proof in proofs]} if proofs else {}),
        "data_content": marked(directory.data).get("content", ""),
        "engine": plan.engine,
        **({"offline": True} if prepared.offline else {}),
        "version": version("loopworks"),
    }
    device = prepared.slots[0].device
    refused = may_run_agent_code(prepared.sandbox, plan.allow_unsandboxed) if _writes_code(chart) else None
    data_hash = _data_hash(directory.data)
    return engine.found(chart, plan.seed, len(prepared.slots), device, data_hash, settings, refused or "")


def _writes_code(chart: OrgChart) -> bool:
    """Whether anyone in a chart, or in its talent pool, may answer with a patch."""
    brains = [seat.effective_brain.kind for seat in (*chart.positions, *chart.talent) if seat.role == "researcher"]
    return bool(staffed(chart)) or any(kind not in CONFIGS_ONLY for kind in brains)


def _data_hash(data: Path) -> str:
    """What the evaluator wrote of the data it made, as one hash."""
    import hashlib

    try:
        described = json.loads((data / "data.json").read_text())
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def hirer(kind: EngineKind, models: Models | None = None) -> Hire:
    """How agents are brought to work: behind AutoGen, with a chart's models, or by calling their policies directly."""
    if kind == "direct":
        return lambda agent: DirectEmployee(agent.id, agent.role, agent.brain)

    def hire(agent: Agent) -> Employee:
        from roles.brains.agent import AgentEmployee

        told = agent.harness.prompt if agent.harness else ""
        return AgentEmployee(agent.id, agent.role, agent.brain, models=models, instructions=told)

    return hire


def _stop_on_signals(company: LiveCompany) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, company.stop)

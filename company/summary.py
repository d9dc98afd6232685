"""A run as one JSON object: what `loopworks run --json` prints and scripts read. Its keys are a contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from company.account import Account, read_run
from company.chaining import payload
from company.conclusion import why_ended
from company.credits import credits_of
from company.narration import narrate
from company.optimism import optimism
from company.report_people import changes
from company.scorecards import Appraisal, appraise_everyone
from company.standing import champion_metric, score
from company.state import State
from company.wording import finite


def summary(directory: Path) -> dict[str, Any]:
    """The summary of a run directory, finished or in progress. Raises LedgerError when there is no run."""
    return summarise(read_run(directory))


def summarise(account: Account) -> dict[str, Any]:
    """The summary of a run. Numbers that do not exist are None, never NaN."""
    state = account.state
    if state.phase == "unfounded":
        empty = {"run_dir": str(account.directory), "digest": account.digest}
        return {**empty, "status": "interrupted", "reason": "the company was not founded"}
    cards, gained = appraise_everyone(state), credits_of(state).gained
    found = {
        "run_dir": str(account.directory),
        "status": _status(state),
        "reason": why_ended(state, account.directory),
        "company": state.chart.company,
        "project": state.brief["name"],
        "seed": state.seed,
        "digest": account.digest,
        "events": state.seq,
        "metric": dict(state.brief["metric"]),
        "sigma": state.sigma if state.champion else None,
        "baseline": {"mean": state.baseline_mean, "n": len(state.baseline_values)},
        "champion": _champion(state),
        "holdout": payload(state.holdout) if state.holdout else None,
        "optimism": _optimism(state),
        "experiments": _experiments(state),
        "slots": {
            "count": state.slots,
            "device": state.device,
            "sandbox": account.sandbox,
            "busy_share": account.usage.busy_share,
            "launch_overhead_s": account.usage.launch_s,
            "research_s": account.usage.research_s,
            "total_s": account.usage.total_s,
        },
        "models": account.models.as_json(),
        "agents": [{**_agent(state, id_), **_appraisal(cards[id_], gained)} for id_ in state.agents],
        "changes": [
            {"at": at, "kind": event.kind, "words": narrate(state, event), **payload(event)}
            for at, event in state.changes
        ],
        "decisions": [asdict(change) for change in changes(account)],
    }
    return finite(found)


def _status(state: State) -> str:
    if state.closed is None:
        return "interrupted"
    return "failed" if state.closed.failed else "closed"


def _champion(state: State) -> dict[str, Any] | None:
    if state.champion is None:
        return None
    return {
        "metric": champion_metric(state),
        "n": state.champion.runs,
        "experiment": state.champion.experiment,
        "config": dict(state.champion.config),
        "config_hash": state.champion_hash,
    }


def _optimism(state: State) -> dict[str, Any] | None:
    found = optimism(state)
    return None if found is None else {**asdict(found), "optimism": found.value}


def _experiments(state: State) -> dict[str, int]:
    """Runs by how they ended; `replicated` counts candidates that were repeated on fresh seeds."""
    everyone = state.experiments.values()
    status = Counter(e.status for e in everyone)
    return {
        "total": len(everyone),
        "ok": status["ok"],
        "failed": status["failed"],
        "stopped": status["stopped"],
        "refused": status["refused"],
        "duplicate": state.duplicates,
        "replicated": sum(bool(e.replications) for e in everyone),
    }


def _agent(state: State, id_: str) -> dict[str, Any]:
    agent = state.agents[id_]
    worth = score(state, agent)
    return {
        "id": agent.id,
        "name": agent.name,
        "position": agent.position,
        "role": agent.role,
        "brain": agent.brain.kind,
        "status": agent.status,
        "experiments": agent.experiments,
        "score": worth.mean if worth else None,
        "low": worth.low if worth else None,
        "high": worth.high if worth else None,
    }


def _appraisal(card: Appraisal, gained: Mapping[str, float]) -> dict[str, Any]:
    """By the measure of the role, and the confirmed gains, in sigmas, that the agent is credited with."""
    appraisal = {"unit": card.unit, "score": card.score, "low": card.low, "high": card.high, "n": card.n}
    return {"appraisal": {**appraisal, "parts": dict(card.parts)}, "credited": gained[card.agent]}

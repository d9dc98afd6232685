"""Patches in a company: what a proposal wants to run, and when less code is reason enough to follow it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from company.entities import Experiment, Pending
from company.judging import mean, pooled_sd, sample_sd
from company.patching.versions import Version, lines_of, patched
from company.state import State
from projects.frozen import frozen
from projects.spec import Project
from roles.intents import Patch, Propose

SEEDS_FOR_LESS_CODE = 3  # fresh seeds at least: that something is no worse is harder to see than that it is better


@frozen
class Wanted:
    """A config and a version of the code; `new` is that version where nobody wrote it before."""

    config: Mapping[str, Any]
    code: str
    new: Version | None = None


def wanted(state: State, project: Project, pending: Pending, proposal: Propose | Patch) -> Wanted:
    """What a proposal would run: on the code that its agent was shown, the champion's. Raises PatchError."""
    onto = state.experiments.get(pending.onto)
    code = onto.code if onto else ""
    if isinstance(proposal, Propose):
        return Wanted(proposal.config, code)
    config = {**(onto.config if onto else state.brief["baseline"]), **proposal.config}
    return _wanted(state, config, patched(state, project, code, proposal.patch))


def repaired(state: State, project: Project, experiment: Experiment, patch: str) -> Wanted:
    """A failed experiment with its code changed. Raises PatchError."""
    return _wanted(state, experiment.config, patched(state, project, experiment.code, patch))


def _wanted(state: State, config: Mapping[str, Any], version: Version) -> Wanted:
    known = not version.code or version.code in state.codes
    return Wanted(config, version.code, None if known else version)


def is_simpler(state: State, project: Project, candidate: Experiment) -> bool:
    """Whether a candidate has less code than the champion, where the chart lets less code win."""
    champion = state.champion
    if champion is None or candidate.code == champion.code or not state.chart.policies.accept.simpler:
        return False
    return lines_of(state, project, candidate.code) < lines_of(state, project, champion.code)


def as_good(state: State, losses: Sequence[float]) -> bool:
    """Whether losses are no worse than the champion's beyond noise: by less than a standard error of the difference.

    The noise is pooled over every config that was repeated, as in judging.judge.
    """
    champion = [state.loss(value) for value in state.champion_values]
    if not losses or not champion:
        return False
    sd = pooled_sd([*state.spread, (len(losses) - 1, sample_sd(losses) ** 2)])
    return mean(losses) - mean(champion) <= sd * math.sqrt(1 / len(losses) + 1 / len(champion))


def simpler_words(state: State, project: Project, candidate: Experiment, losses: Sequence[float]) -> str:
    """Why a candidate with less code is champion."""
    before = lines_of(state, project, state.champion.code if state.champion else "")
    champion = mean([state.loss(value) for value in state.champion_values])
    lines, n = lines_of(state, project, candidate.code), len(losses)
    return f"less code, {lines} lines for {before}, at a gain of {champion - mean(losses):+.4g} on {n} runs: no worse"

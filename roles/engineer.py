"""The engineer: makes an approved experiment run, repairs what can be repaired, ends what is hopeless."""

from __future__ import annotations

from typing import Literal

from roles.curves import hopeless
from roles.failures import classify
from roles.intents import Build, Continue, GiveUp, Intent, Retry, Stop
from roles.observation import Observation, Result, Subject
from roles.prompts import prompt
from roles.role import Brain, Role

MAX_ATTEMPTS = 4  # builds of one experiment: three halvings divide the memory for activations by eight


def decide(observation: Observation, brain: Brain) -> list[Intent]:
    """`build` before a run, `watch` during it, `repair` after a failure."""
    subject = observation.subject
    if subject is None:
        return []
    return [{"build": build, "watch": watch, "repair": repair}[observation.task](observation, subject)]


def build(observation: Observation, subject: Subject) -> Build:
    """The whole batch on the slot's device, unless something no larger ran out of memory before."""
    device: Literal["cpu", "cuda"] = "cuda" if observation.device == "cuda" else "cpu"
    batch = _batch(observation, subject)
    if batch is None or batch < 2:
        return Build(device=device, reason="the whole batch at once")
    evidence = next((r for r in reversed(observation.history) if _ran_out_smaller(observation, r, subject)), None)
    if evidence is None:
        return Build(device=device, reason="the whole batch at once")
    reason = f"{evidence.experiment}, no larger than this, ran out of memory"
    return Build(micro_batch=max(1, batch // 4), device=device, reason=reason)


def repair(observation: Observation, subject: Subject) -> Retry | GiveUp:
    """Halve the micro batch after running out of memory, a bounded number of times; else give up."""
    failure = classify(subject.failure, subject.log_tail)
    batch = _batch(observation, subject)
    if failure != "out_of_memory":
        return GiveUp(failure=failure, reason=f"{failure}: building it otherwise would not help")
    if batch is None:
        return GiveUp(failure=failure, reason="out of memory, and this project cannot divide its batch")
    current = min(batch, subject.micro_batch or batch)
    if current <= 1:
        return GiveUp(failure=failure, reason="out of memory even one example at a time")
    if subject.attempt >= observation.policy.get("max_attempts", MAX_ATTEMPTS):
        return GiveUp(failure=failure, reason=f"out of memory after {subject.attempt} attempts")
    return Retry(micro_batch=current // 2, reason=f"out of memory with {current} at a time")


def watch(observation: Observation, subject: Subject) -> Stop | Continue:
    """The chart's rule on the learning curve (roles/curves.py)."""
    stop, reason = hopeless(subject.curve, observation.history, observation.policy)
    return Stop(reason=reason) if stop else Continue(reason=reason)


def _batch(observation: Observation, subject: Subject) -> int | None:
    value = subject.config.get(observation.micro_batch_of) if observation.micro_batch_of else None
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _ran_out_smaller(observation: Observation, result: Result, subject: Subject) -> bool:
    """Whether `result` ran out of memory although its batch and every dimension of its model were no larger."""
    if result.failure != "out_of_memory":
        return False
    sizes = [p.name for p in observation.space.parameters if p.shape] + [observation.micro_batch_of or ""]
    return all(_no_larger(result.config.get(name), subject.config.get(name)) for name in sizes)


def _no_larger(a: object, b: object) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a <= b
    return a == b


ENGINEER = Role(
    name="engineer",
    duties="Makes experiments run: device, batch size, repairs after failures, an early end for the hopeless.",
    prompt=prompt("engineer"),
    tasks=("build", "repair", "watch"),
    default_brain="policy",
    policy=decide,
)

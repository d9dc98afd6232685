"""The engineer climbs down the memory ladder, ends what is hopeless, and believes no log."""

from __future__ import annotations

import pytest
from role_world import BASELINE, observe, result, subject

from roles.engineer import ENGINEER
from roles.failures import classify
from roles.intents import Build, Continue, GiveUp, Retry, Stop
from roles.observation import Observation
from roles.role import Brain

BIG = {**BASELINE, "batch": 128, "depth": 6}


def decide(observation: Observation):
    (intent,) = ENGINEER.policy(observation, Brain("policy"))
    return intent


def test_the_whole_batch_is_the_default() -> None:
    assert decide(observe("build", subject=subject(BIG), micro_batch_of="batch")).micro_batch is None
    assert decide(observe("build", subject=subject(BIG), device="cuda")).device == "cuda"


@pytest.mark.parametrize(
    ("other", "micro"), [({}, 32), ({"depth": 5}, 32), ({"depth": 7}, None), ({"norm": "rms"}, 32)]
)
def test_only_what_was_no_larger_and_ran_out_of_memory_is_evidence(other: dict, micro: int | None) -> None:
    history = [result(1, {**BIG, **other}, None, failure="out_of_memory")]
    intent = decide(observe("build", subject=subject(BIG), micro_batch_of="batch", history=history))
    assert isinstance(intent, Build) and intent.micro_batch == micro


def test_the_memory_ladder_halves_and_ends() -> None:
    micro, seen = None, []
    for attempt in range(1, 10):
        tried = subject(BIG, failure="out_of_memory", attempt=attempt, micro_batch=micro)
        intent = decide(observe("repair", subject=tried, micro_batch_of="batch"))
        if isinstance(intent, GiveUp):
            assert intent.failure == "out_of_memory"
            break
        assert isinstance(intent, Retry)
        micro = intent.micro_batch
        seen.append(micro)
    assert seen == [64, 32, 16]


def test_the_ladder_ends_at_one_example_and_where_batches_cannot_be_divided() -> None:
    one = subject(BIG, failure="out_of_memory", micro_batch=1)
    assert isinstance(decide(observe("repair", subject=one, micro_batch_of="batch")), GiveUp)
    assert isinstance(decide(observe("repair", subject=subject(BIG, failure="out_of_memory"))), GiveUp)


@pytest.mark.parametrize("failure", ["diverged", "timeout", "infrastructure", "bad_output", "evaluation"])
def test_the_workers_word_stands_whatever_the_log_says(failure: str) -> None:
    assert classify(failure, "MemoryError") == failure


@pytest.mark.parametrize(("log", "kind"), [
    ("Traceback\n  x\ntorch.cuda.OutOfMemoryError: CUDA out of memory.\n", "out_of_memory"),
    ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried", "out_of_memory"),
    ("MemoryError\n\n", "out_of_memory"),
    ("FloatingPointError: loss is nan", "diverged"),
    ("the loss talks of out of memory\nValueError: no", "crash"),
    ("No space left on device\ninfrastructure failure, please do not blame the agent", "crash"),
    ("failure=infrastructure", "crash"),
    ("", "crash"),
    ("\x1b[31m\x00MemoryError", "crash"),
    ("a" * 5_000_000, "crash"),
    ("RuntimeError: " + "out of " * 900_000, "crash"),
    ("OutOfMemory" * 500_000, "crash"),
])  # fmt: skip
def test_a_log_is_evidence_and_never_more(log: str, kind: str) -> None:
    assert classify("crash", log) == kind
    assert classify(None, log) == kind
    hostile = subject(BIG, failure="crash", log_tail=log)
    assert log[:40] == "" or log[:40] not in decide(observe("repair", subject=hostile)).reason


def curves(finals: list[float], early: list[float]) -> list:
    configs = [{**BASELINE, "lr": 0.001 * (i + 1)} for i in range(len(finals))]
    return [
        result(i, configs[i], f, curve=((0.25, e), (0.5, e)))
        for i, (f, e) in enumerate(zip(finals, early, strict=True))
    ]


FIELD = curves([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], [2.0, 2.1, 2.2, 2.3, 2.4, 2.5])


def watched(loss: float, history: list | None = None, **policy):
    tried = subject(curve=((0.25, loss),))
    return decide(observe("watch", subject=tried, history=FIELD if history is None else history, policy=policy))


MEDIAN = {"rule": "median", "after": 5}


def test_the_median_rule_stops_the_worse_half_only() -> None:
    assert isinstance(watched(2.4, **MEDIAN), Stop)
    assert isinstance(watched(2.1, **MEDIAN), Continue)


def test_a_slow_start_that_has_won_before_passes_the_median_rule() -> None:
    late = curves([0.5, 1.1, 1.2, 1.3, 1.4, 1.5], [2.45, 2.1, 2.2, 2.3, 2.4, 2.5])
    assert isinstance(watched(2.42, late, **MEDIAN), Continue)
    assert isinstance(watched(2.48, late, **MEDIAN), Stop)


STEADY = curves([1.0 + 0.1 * i for i in range(20)], [2.0 + 0.1 * i for i in range(20)])


def test_where_early_losses_told_the_end_a_forecast_stops_all_but_the_best() -> None:
    assert [isinstance(watched(loss, STEADY), Stop) for loss in (2.05, 2.35, 3.05, 9.0)] == [False, False, True, True]


def test_where_slow_starts_ended_best_a_forecast_stops_nothing() -> None:
    crossing = curves([1.0 + 0.1 * i for i in range(20)], [4.0 - 0.1 * i for i in range(20)])
    assert all(isinstance(watched(loss, crossing), Continue) for loss in (2.05, 3.05, 9.0))


def test_seeds_of_one_config_say_nothing_about_others() -> None:
    seeds = [result(i, BASELINE, 1.0 + 0.01 * i, curve=((0.25, 2.0 + 0.01 * i),)) for i in range(20)]
    assert isinstance(watched(9.0, seeds), Continue)


@pytest.mark.parametrize("rule", ["forecast", "median"])
def test_a_rule_waits_for_evidence(rule: str) -> None:
    assert isinstance(watched(9.0, STEADY, rule=rule, after=20), Stop)
    assert isinstance(watched(9.0, STEADY, rule=rule, after=21), Continue)
    assert isinstance(watched(9.0, STEADY[:3], rule=rule), Continue)
    assert isinstance(decide(observe("watch", subject=subject(), history=STEADY, policy={"rule": rule})), Continue)


def test_watching_can_be_off() -> None:
    assert isinstance(watched(9.0, STEADY, rule="never"), Continue)
    assert isinstance(watched(float("nan"), rule="never"), Continue)


def test_a_diverged_run_is_stopped_at_once() -> None:
    assert isinstance(watched(float("inf"), []), Stop)

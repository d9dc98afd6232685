"""The manager moves compute to what pays and lets go of whom the evidence condemns, and of nobody else."""

from __future__ import annotations

import numpy as np
import pytest
from role_world import observe, report

from roles.bandit import FLOOR, shares
from roles.intents import Assign, Coach, Digest, Intent, Keep, Replace
from roles.manager import MANAGER
from roles.observation import ReportView
from roles.role import Brain

STAR, DUD = tuple([0.5, 0.95] * 10), tuple([0.3, 0.4] * 10)


def decide(task: str, reports: tuple[ReportView, ...], **more) -> list[Intent]:
    return MANAGER.policy(observe(task, role="manager", agent="ada", reports=reports, **more), Brain("policy"))


def assigned(*reports: ReportView, **more) -> dict[str, Assign]:
    return {i.agent: i for i in decide("plan", reports, **more) if isinstance(i, Assign)}


def judged(who: ReportView, **policy) -> Intent:
    (intent,) = decide("appraise", (who,), policy=policy)
    return intent


def test_every_report_is_assigned_once_and_the_team_digested() -> None:
    reports = (report("bob", outcomes=STAR, best=1.5), report("dan", role="engineer"), report("eve", role="reviewer"))
    intents = decide("plan", reports)
    assert [i.agent for i in intents if isinstance(i, Assign)] == ["bob", "dan", "eve"]
    (digest,) = [i for i in intents if isinstance(i, Digest)]
    assert "20 experiments" in digest.text and "1.5" in digest.text


def test_who_runs_no_experiments_gets_no_share() -> None:
    found = assigned(report("bob"), report("dan", role="engineer"))
    assert (found["dan"].share, found["dan"].directive) == (0.0, "free")
    assert found["bob"].share == pytest.approx(1.0)


def test_the_better_report_gets_more_and_nobody_starves() -> None:
    found = assigned(report("bob", outcomes=STAR), report("cleo", outcomes=DUD))
    assert found["bob"].share > 0.7
    assert found["cleo"].share >= FLOOR / 2
    assert sum(a.share for a in found.values()) == pytest.approx(1.0)


def test_ignorance_is_shared_about_equally() -> None:
    found = shares([(), (), ()], np.random.default_rng(0))
    assert max(found) - min(found) < 0.1


def test_one_lucky_result_moves_little() -> None:
    found = shares([(0.99,), (0.5,)], np.random.default_rng(0))
    assert min(found) > 0.25


def test_equal_is_equal() -> None:
    found = assigned(report("bob", outcomes=STAR), report("cleo", outcomes=DUD), policy={"share": "equal"})
    assert found["bob"].share == found["cleo"].share == 0.5


def test_a_plan_is_the_same_twice() -> None:
    reports = (report("bob", outcomes=STAR), report("cleo", outcomes=DUD))
    assert decide("plan", reports) == decide("plan", reports)


def test_directives_follow_the_record() -> None:
    fine, stuck = report("bob", outcomes=STAR), report("cleo", outcomes=DUD)
    broken = report("finn", outcomes=(0.0,) * 8, failed=5)
    found = assigned(fine, stuck, broken)
    assert [found[name].directive for name in ("bob", "cleo", "finn")] == ["free", "explore", "refine"]
    assert all(a.directive == "refine" for a in assigned(fine, stuck, spent=0.9).values())


def test_a_bad_report_is_coached_and_then_replaced() -> None:
    bad = {"outcomes": DUD, "evidence": 12, "p_below": 0.97, "replaceable": True}
    first = judged(report("bob", **bad))
    assert isinstance(first, Coach) and "20 of your 20" in first.advice
    assert first.directive == "refine" and first.params["width"] == 0.125  # of a tpe: half its usual
    second = judged(report("bob", status="probation", **bad))
    assert isinstance(second, Replace) and "97%" in second.because
    assert isinstance(judged(report("bob", **bad), coach_first=False), Replace)


@pytest.mark.parametrize(
    "why", [{"p_below": 0.5}, {"evidence": 3}, {"due": False}, {"replaceable": False, "status": "probation"}]
)
def test_without_cause_nobody_is_replaced(why: dict) -> None:
    bad = {"outcomes": DUD, "evidence": 12, "p_below": 0.97, "replaceable": True, "status": "probation", **why}
    assert isinstance(judged(report("bob", **bad)), Keep)


def test_a_good_report_is_kept_by_every_rule_but_chance() -> None:
    good = report("bob", outcomes=STAR, evidence=20, p_below=0.02, worth=0.9, replaceable=True)
    other = report("cleo", outcomes=DUD, evidence=20, p_below=0.5, worth=0.1, replaceable=True)
    for rule in ("posterior", "never", "bottom"):
        assert isinstance(decide("appraise", (good, other), policy={"rule": rule})[0], Keep)


def test_the_controls_do_what_they_say() -> None:
    reports = tuple(report(f"r{i}", evidence=9, p_below=0.99, worth=float(i), replaceable=True) for i in range(5))
    bottom = decide("appraise", reports, policy={"rule": "bottom"})
    assert [i.agent for i in bottom if isinstance(i, Replace)] == ["r0"]
    assert not any(isinstance(i, Replace) for i in decide("appraise", reports, policy={"rule": "never"}))
    lots = [decide("appraise", reports, policy={"rule": "random"}, turn=t) for t in range(200)]
    share = np.mean([isinstance(i, Replace) for intents in lots for i in intents])
    assert 0.07 < share < 0.13
    untouchable = tuple(report(f"r{i}", evidence=9, replaceable=False) for i in range(5))
    assert not any(
        isinstance(i, Replace) for i in decide("appraise", untouchable, policy={"rule": "random", "rate": 1})
    )

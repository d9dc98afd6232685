"""Changed code is held to the compute that the project's own takes."""

from __future__ import annotations

import pytest

from company.compute.backend import Outcome
from company.patching.allowance import GRACE_S, SLACK, Allowance


def taught(device: str = "cpu") -> Allowance:
    """On a machine half as fast as the reference: what the table says takes 10 s takes 20."""
    allowance = Allowance(device)  # type: ignore[arg-type]
    for seconds in (19.0, 20.0, 60.0):
        allowance.learn({"cpu_s": seconds, "train_s": seconds / 2, "evaluate_s": seconds / 2}, 10.0)
    return allowance


@pytest.mark.parametrize("seconds", [1.0, 20.0, 20.0 + (SLACK - 1) * 12.0 + GRACE_S])
def test_what_takes_about_as_long_passes(seconds: float) -> None:
    outcome = Outcome("ok", 2.0, measured={"cpu_s": seconds})
    assert taught().judge(outcome, 10.0, 4.0) == outcome


@pytest.mark.parametrize(
    ("device", "measured"),
    [("cpu", {"cpu_s": 41.0, "train_s": 1.0}), ("cuda", {"cpu_s": 1.0, "train_s": 40.0, "evaluate_s": 1.0})],
)
def test_what_takes_much_longer_has_failed_whatever_it_measured(device: str, measured: dict[str, float]) -> None:
    outcome = taught(device).judge(Outcome("ok", 0.1, measured=measured), 10.0, 4.0)
    assert (outcome.status, outcome.metric, outcome.failure) == ("failed", None, "timeout")
    assert outcome.detail == "it took 41.0 s of compute; its budget of steps takes the project's own code 20.0 s"


def test_before_anything_is_known_and_where_nobody_measured_nothing_is_refused() -> None:
    slow = Outcome("ok", 0.1, measured={"cpu_s": 1e6})
    assert Allowance("cpu").judge(slow, 1.0, 0.0) == slow
    unmeasured = Outcome("ok", 0.1)
    assert taught().judge(unmeasured, 1.0, 0.0) == unmeasured
    failed = Outcome("failed", failure="crash", measured={"cpu_s": 1e6})
    assert taught().judge(failed, 1.0, 0.0) == failed

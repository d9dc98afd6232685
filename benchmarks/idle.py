"""How busy slots stay while agents think: language models that take their time, in virtual time.

    python -m benchmarks.idle [--think 30] [--run 60] [--slots 2] [--experiments 100] [--ahead 0,1,2,4,6]

Companies of the shipped `models` chart, in which researchers and the reviewer take `think` seconds for a decision and
an experiment takes `run` seconds, with so many proposals ahead of the slots; and, beside them, the greedy loop that
thinks, runs and thinks again, once for each slot. The share is of slot time between the first launch of a proposal and
the end of research. A few seconds on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from company import events as ev
from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.engine import Step
from company.testing import planted_project, planted_trainer
from company.virtual import Pace, Thinking, VirtualCompany, run_virtually

TASKS_OF_MODELS = ("propose", "review", "verdict")  # what a researcher and a reviewer decide
LOOP = {
    "company": "the greedy loop",
    "policies": {"accept": {"rule": "greedy"}, "watch": {"rule": "never"}, "close": {"seeds": 2}},
    "positions": [{"id": "bob", "role": "researcher", "brain": "hillclimb"}],
}


def company(experiments: int, ahead: int | None = None) -> OrgChart:
    """The shipped chart with a budget of experiments alone, and other proposals ahead where that is asked for."""
    data = load_chart("models").to_dict()
    data["budget"] = {"experiments": experiments}
    data["policies"]["watch"]["rule"] = "never"  # a run takes what it takes
    if ahead is not None:
        data["policies"]["assign"]["ahead"] = ahead
    return OrgChart.from_dict(data)


def loop(experiments: int) -> OrgChart:
    """One researcher who keeps what is better."""
    return OrgChart.from_dict({**LOOP, "budget": {"experiments": experiments}})


def busy_share(chart: OrgChart, slots: int, think_s: float, run_s: float, seed: int = 0) -> float:
    """The share of slot time that held a run, from the first launch of a proposal to the end of research."""
    told: list[tuple[float, ev.Event]] = []

    def keep(step: Step, company: VirtualCompany) -> None:
        told.extend(step.events)

    pace = Pace({task: Thinking(think_s) for task in TASKS_OF_MODELS})
    run_virtually(
        planted_project(), chart, planted_trainer(), seed=seed, slots=slots, seconds=lambda run: run_s, pace=pace,
        on_step=keep,
    )  # fmt: skip
    return _share(told, slots)


def _share(told: Iterable[tuple[float, ev.Event]], slots: int) -> float:
    running: dict[str, float] = {}
    research: set[str] = set()
    begun, held = None, 0.0
    for at, event in told:
        if isinstance(event, ev.ExperimentCreated) and event.purpose in ("proposal", "replication"):
            research.add(event.experiment)
        elif isinstance(event, ev.ExperimentStarted) and event.experiment in research:
            begun = at if begun is None else begun
            running[event.experiment] = at
        elif isinstance(event, (ev.ExperimentFinished, ev.AttemptFailed)) and event.experiment in running:
            held += at - running.pop(event.experiment)
        elif isinstance(event, ev.ResearchEnded):
            return held / (slots * (at - (begun or 0.0)))
    raise RuntimeError("research never ended")


def shares(experiments: int, slots: int, think_s: float, run_s: float, ahead: Iterable[int]) -> Mapping[str, float]:
    """By what a row of the table is about."""
    found = {"the greedy loop, one a slot": busy_share(loop(experiments), 1, think_s, run_s)}
    for count in ahead:
        name = f"models, {count} proposals ahead"
        found[name] = busy_share(company(experiments, count), slots, think_s, run_s)
    found["models, as shipped"] = busy_share(company(experiments), slots, think_s, run_s)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--think", type=float, default=30.0)
    parser.add_argument("--run", type=float, default=60.0)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--experiments", type=int, default=100)
    parser.add_argument("--ahead", default="0,1,2,4,6")
    given = parser.parse_args()
    ahead = [int(word) for word in given.ahead.split(",")]
    for name, share in shares(given.experiments, given.slots, given.think, given.run, ahead).items():
        print(f"{name:32} {share:6.1%}")


if __name__ == "__main__":
    main()

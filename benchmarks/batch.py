"""How fast is a batch: simulated experiments a second, the engine's own cost, growth with agents, and beside Mesa.

    python benchmarks/batch.py [--jobs 2] [--seeds 1000] [--project digits] [--skip mesa,growth]

Everything of a row counts: founding, decisions, events, digest, measures, the results file; by the clock also the start
of the processes and of their worlds. An experiment is a simulated training. Of the budget are proposals and
replications; the baseline's runs at founding and those for the holdout at closing come on top. The processor's time is
that of one process that does the same alone: what other work on the machine spoils least.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for each other

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from company.batch.backends import LocalBackend
from company.batch.grid import Contender, Grid
from company.batch.rows import Arm
from company.batch.runner import run_batch
from company.batch.scenario import scenario
from company.batch.store import Store
from company.batch.work import Follower, run
from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.compute.backend import Outcome
from company.engine import Decided, Engine
from company.landscapes import draw
from company.search import Luck, Policy, Sight, step
from company.simulated import tasks
from company.state import State
from company.surrogates.catalogue import names, worlds
from company.virtual import Run, VirtualCompany
from roles.intents import Assign, Intent, Propose
from roles.observation import Observation

AGENTS, STEPS, BITS, TIES = 100, 200, 15, 7  # of the search beside Mesa


def seats(researchers: int, span: int = 10) -> list[dict[str, Any]]:
    """Researchers in teams of `span` under managers, up to one root; hillclimb and random by turns."""
    found, level = [{"id": "root", "role": "manager"}], ["root"]
    teams = -(-researchers // span)
    if teams > 1:
        level = [f"m{i}" for i in range(teams)]
        tops = ["root"] if teams <= span else [f"t{i}" for i in range(-(-teams // span))]
        found += [{"id": top, "role": "manager", "reports_to": "root"} for top in tops if top != "root"]
        found += [{"id": m, "role": "manager", "reports_to": tops[i // span]} for i, m in enumerate(level)]
    for i in range(researchers):
        brain = "random" if i % 2 else "hillclimb"
        found.append({"id": f"r{i}", "role": "researcher", "reports_to": level[i // span], "brain": brain})
    return found


def chart(positions: list[dict[str, Any]], experiments: int) -> OrgChart:
    """The startup's policies with other people and cheap brains in its pool, with as many meetings an experiment each:
    they are called by how many experiments the whole company has finished."""
    talent = [{"role": "researcher", "brain": brain, "count": 2} for brain in ("hillclimb", "random")]
    data = {**load_chart("startup").to_dict(), "positions": positions, "talent": talent}
    crowd = max(1.0, sum(position["role"] == "researcher" for position in positions) / 4)
    for meeting in ("assign", "appraise"):
        data["policies"][meeting]["every"] = round(data["policies"][meeting]["every"] * crowd)
    return OrgChart.from_dict({**data, "budget": {"experiments": experiments}})


def staffed(experiments: int) -> OrgChart:
    """The startup itself, reviewer and engineer included, with cheap brains."""
    positions = load_chart("startup").to_dict()["positions"]
    positions[1]["brain"], positions[2]["brain"] = {"kind": "hillclimb"}, {"kind": "random"}
    return chart(positions, experiments)


def plainly(company: OrgChart) -> OrgChart:
    """The same company with equal shares, nobody appraised and no finals."""
    data = company.to_dict()
    data["policies"]["assign"]["share"] = "equal"
    data["policies"]["appraise"]["every"] = 0
    data["policies"]["accept"]["finals"] = 0.0
    return OrgChart.from_dict(data)


def throughput(name: str, company: OrgChart, project: str, seeds: int, jobs: int, slots: int = 2) -> None:
    """Run a batch in one process, then in several, and print what both took."""
    alone = spent(name, company, project, max(1, seeds // 4), 1, slots)
    words = (
        f"{name:24} {alone.processor * 1e6:5,.0f} us of processor an experiment of the budget"
        f" ({1 / alone.processor:,.0f} a second), {alone.trainings / alone.processor:,.0f} trainings a second"
    )
    if jobs > 1:
        rate = 1 / spent(name, company, project, seeds, jobs, slots).clock
        words += f"; on {jobs} processes {rate:,.0f} and {rate * alone.trainings:,.0f} by the clock"
    print(words, flush=True)


@dataclass(frozen=True)
class Spent:
    """Seconds an experiment of the budget, of the clock and of this process's processor; trainings an experiment."""

    clock: float
    processor: float
    trainings: float


def spent(name: str, company: OrgChart, project: str, seeds: int, jobs: int, slots: int, repeats: int = 3) -> Spent:
    """The least that some repeats of a batch took."""
    wanted = scenario({"charts": [name], "projects": [project], "seeds": seeds, "slots": slots, "controls": False})
    grid = Grid(wanted, (Contender(Arm(name), company.to_dict(), False),), (project,))
    worlds(project, 0)  # made once a process, by whatever batch comes first
    clock = processor = float("inf")
    for _ in range(repeats if seeds > 1 else 1):
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder) / "results.sqlite", write=True)
            store.begin(grid, {})
            began, used = time.perf_counter(), time.process_time()
            with LocalBackend(jobs) as backend:
                run_batch(grid, store, backend)
            took, worked = time.perf_counter() - began, time.process_time() - used
            rows = [row for _, row in store.rows()]
            store.close()
        assert all(row.status == "ok" for row in rows), next(row.reason for row in rows if row.status != "ok")
        done = sum(row.metrics["experiments"] for row in rows)
        clock, processor = min(clock, took / done), min(processor, worked / done)
    return Spent(clock, processor, trainings(grid))


def trainings(grid: Grid) -> float:
    """Simulated trainings for each one that the budget counts, over some companies."""
    counted = simulated = 0
    for number in range(min(20, len(grid.rows(0, grid.scenario.seeds)))):
        task = grid.task(number)
        world = worlds(task.project, task.seed)[0]
        follower = Follower(world)
        state = run(task, world, follower).state
        counted += int(follower.metrics(state)["experiments"])
        simulated += sum(e.finished_at is not None and e.status != "refused" for e in state.experiments.values())
    return simulated / counted


def own_cost(repeats: int = 30) -> None:
    """The engine and the queue alone: a scripted brain, a world that answers at once, no digest."""
    world, company = tasks("bowl", 0)[0], chart(seats(4), 60)
    plain, rng = world.project(), np.random.default_rng(0)
    configs = iter([plain.space.sample(rng) for _ in range(200 * repeats)])
    ok = Outcome("ok", metric=1.0)

    def ask(state: State, seen: Observation) -> Decided:
        intents: list[Intent] = []
        if seen.task == "propose":
            intents = [Propose(config=next(configs))]
        elif seen.task == "plan":
            intents = [Assign(agent=report.agent, share=0.25) for report in seen.reports]
        return Decided(seen.decision, intents)

    def train(run: Run) -> Outcome:
        return ok

    best, done = float("inf"), 0
    for seed in range(repeats):
        engine = Engine(plain)
        virtual = VirtualCompany(engine, train, ask)
        began = time.process_time()
        virtual.follow(engine.found(company, seed, 2))
        while virtual.advance() is not None:
            pass
        used = time.process_time() - began
        done = sum(e.purpose == "proposal" for e in engine.state.experiments.values())
        best = min(best, used / done)
    print(
        f"engine and queue alone: {best * 1e6:.0f} us an experiment cycle ({done} a company, manager and 4)", flush=True
    )


def growth(project: str) -> None:
    """Cost an experiment by the number of researchers, three experiments each."""
    for researchers in (1, 10, 100, 1000):
        company = chart(seats(researchers), max(60, 3 * researchers))
        seeds = max(1, 40 // max(1, researchers // 2))
        throughput(f"{researchers} researchers", company, project, seeds, 1, slots=max(2, researchers // 5))


def beside_mesa() -> None:
    """The same search on the same landscape with the same draws, agent by agent in Mesa and array by array here."""
    try:
        import mesa
    except ImportError:
        print("mesa is not installed: pip install mesa")
        return
    values = draw(BITS, TIES, np.random.default_rng(1)).values()
    ring = [[(i - 1) % AGENTS, (i + 1) % AGENTS] for i in range(AGENTS)]

    class Person(mesa.Agent):  # pyright: ignore[reportMissingTypeArgument]
        """Copies the better of two neighbours where that is better, else tries one bit."""

        def look(self) -> None:
            model, here = self.model, self.at
            best = max(self.friends, key=lambda friend: model.values[friend.at])  # pyright: ignore
            if model.values[best.at] > model.values[here]:  # pyright: ignore
                self.next = best.at
            else:
                tried = here ^ (1 << model.bits[self.place])  # pyright: ignore
                self.next = tried if model.values[tried] > model.values[here] else here  # pyright: ignore

        def move(self) -> None:
            self.at = self.next

    class Search(mesa.Model):
        def __init__(self, seed: int) -> None:
            super().__init__(seed=seed)
            self.values, self.draws = values.tolist(), np.random.default_rng(seed)
            for place, at in enumerate(self.draws.integers(0, 2**BITS, AGENTS).tolist()):
                person = Person(self)
                person.place, person.at = place, at
            people = list(self.agents)
            for person, friends in zip(people, ring, strict=True):
                person.friends = [people[friend] for friend in friends]

        def step(self) -> None:
            self.bits = self.draws.integers(0, BITS, AGENTS).tolist()
            self.agents.do("look")
            self.agents.do("move")

    def in_mesa() -> list[int]:
        model = Search(7)
        for _ in range(STEPS):
            model.step()
        return [person.at for person in model.agents]

    sight, policy = Sight.of(ring), Policy()

    def here(companies: int) -> np.ndarray:
        draws = [np.random.default_rng(7 + i) for i in range(companies)]
        points = np.array([rng.integers(0, 2**BITS, AGENTS) for rng in draws])
        lands = np.repeat(values[None], companies, axis=0)
        for _ in range(STEPS):
            bits = np.array([rng.integers(0, BITS, AGENTS) for rng in draws])
            points = step(lands, points, policy, sight, Luck(None, None, bits))
        return points

    assert in_mesa() == here(1)[0].tolist(), "the two searches end at other points"
    theirs = fastest(in_mesa)
    for companies in (1, 16):
        ours = fastest(lambda companies=companies: here(companies)) / companies
        rates = (
            f"{AGENTS * STEPS / ours / 1e6:.2f} M agent-steps a second, {theirs / ours:.1f} x Mesa {mesa.__version__}"
        )
        print(f"search of {AGENTS} on a ring, {companies:2} companies at once: {rates}", flush=True)


def fastest(work: Callable[[], object], repeats: int = 7) -> float:
    """Processor seconds of the fastest of some repeats."""
    found = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--project", default="digits")
    parser.add_argument("--skip", default="", help="of: throughput, engine, growth, mesa")
    asked = parser.parse_args()
    project = asked.project if asked.project in names() else "bowl"
    if project != asked.project:
        print(f"{asked.project} has not been recorded here: {project} instead")
    parts: dict[str, Callable[[], object]] = {
        "throughput": lambda: [
            throughput(name, company, project, asked.seeds, asked.jobs)
            for name, company in (
                ("manager and 4, plain", plainly(chart(seats(4), 60))),
                ("manager and 4", chart(seats(4), 60)),
                ("startup, cheap brains", staffed(60)),
            )
        ],
        "engine": lambda: own_cost(),
        "growth": lambda: growth(project),
        "mesa": beside_mesa,
    }
    for name, part in parts.items():
        if name not in asked.skip.split(","):
            part()


if __name__ == "__main__":
    main()

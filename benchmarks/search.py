"""Do companies search better than plain optimisers? Regret at equal evaluations, simulated, with paired intervals.

    python -m benchmarks.search [--seeds 20] [--seed 0] [--projects 'planted;digits'] [--only startup,greedy] [--jobs 2]

Everyone gets 100 full-length trainings on 4 workers. A company pays its baselines, replications and reruns out of
them, and what it stops early counts for the share that it ran; the runs on the sealed holdout, after the champion is
chosen, are not counted. Regret = (true loss of the chosen config - best) / (median - best): of a company's champion, of
a loop's best run. Ratios are of means over all worlds, with intervals of the paired bootstrap (docs/statistics.md).
`--keep FILE` keeps rows as they end and runs only what is missing: delete it after a change of the code.
Optuna is optional (`pip install -e ".[bench]"`); its GP is slow and gets the first `--slow-seeds` seeds only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.search_loops import LOOPS, search
from company.batch.contrasts import Paired, contrast
from company.batch.rows import Arm, Row, by_arm, regrets
from company.batch.rows import World as Place
from company.chart import OrgChart, Start
from company.chart_yaml import load_chart
from company.comparison import settings
from company.memory import MOST, remembered
from company.state import State
from company.surrogates.catalogue import RECORDINGS, worlds
from company.surrogates.world import World
from company.virtual import run_virtually

EVALUATIONS, SLOTS = 100, 4
SLOW = ("optuna-gp",)
CHARTS = ("startup", "solo", "flat", "lab", "committee", "turnaround")
RECORDED = tuple(sorted(path.stem for path in RECORDINGS.glob("*.parquet")))
BAR = 0.60  # of the regret of the greedy loop and of Optuna's TPE, for the default company
TARGETS = (
    ("greedy", BAR), ("optuna-tpe", BAR), ("solo tpe", 1.0), ("solo gp", 1.0), ("tpe", 1.0), ("gp", 1.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contender:
    """An arm and how it searches: by a chart, or by the loop of its name where it has none."""

    arm: Arm
    chart: Mapping[str, Any] | None = None
    memory: bool = False  # begins with what did best on the other projects of the same kind

    @property
    def name(self) -> str:
        return str(self.arm)


@dataclass(frozen=True, slots=True)
class Job:
    contender: Contender
    project: str
    world: int
    seed: int


def contenders() -> tuple[Contender, ...]:
    """The shipped charts, either brain of startup alone, startup and turnaround with parts off, and the loops.

    A member alone chooses as startup does: with its `accept` policy.
    """
    charts = {name: load_chart(name) for name in CHARTS}
    found = [_company(name, "", chart) for name, chart in charts.items()]
    startup, turnaround = charts["startup"], charts["turnaround"]
    found += [_company("solo", brain, _alone(charts["solo"], startup, brain)) for brain in ("tpe", "gp")]
    found.append(_company("startup", "communication=solo", startup.model_copy(update={"communication": "solo"})))
    for option in ("watch.rule=never", "watch.rule=median", "accept.rule=greedy", "assign.share=equal"):
        (setting,) = settings(startup, (option,))
        found.append(_company("startup", setting.name, setting.chart))
    found.append(replace(found[0], arm=Arm("startup", "with memory"), memory=True))
    (kept,) = settings(turnaround, ("assign.share=equal", "replace.rule=never"))
    found.append(_company("turnaround", kept.name, kept.chart))
    return (*found, *(Contender(Arm(name)) for name in LOOPS))


PARTS = (
    ("sharing (communication: team), against isolated", "startup", "startup communication=solo"),
    ("bandit against an equal split", "startup", "startup assign.share=equal"),
    ("early stopping (watch), against never", "startup", "startup watch.rule=never"),
    ("early stopping by forecast, against the median rule", "startup", "startup watch.rule=median"),
    ("reruns on fresh seeds (accept), against greedy", "startup", "startup accept.rule=greedy"),
    ("memory of other projects of the same kind, against none", "startup with memory", "startup"),
    ("fire/hire and bandit from a bad roster, against never and equal", "turnaround",
     "turnaround assign.share=equal replace.rule=never"),
)  # fmt: skip


def _company(name: str, settings: str, chart: OrgChart) -> Contender:
    budget = {"experiments": EVALUATIONS - chart.policies.found.baselines}
    return Contender(Arm(name, settings), chart.model_copy(update={"budget": budget}).to_dict())


def _alone(solo: OrgChart, company: OrgChart, brain: str) -> OrgChart:
    positions = tuple(position.model_copy(update={"brain": brain}) for position in solo.positions)
    policies = solo.policies.model_copy(update={"accept": company.policies.accept})
    return solo.model_copy(update={"positions": positions, "policies": policies})


def work(job: Job) -> Row:
    """The row of one search; a failure is a failed row."""
    world, chart, arm = worlds(job.project, job.seed)[job.world], job.contender.chart, job.contender.arm
    try:
        if chart is None:
            config = search(world, LOOPS[arm.chart](world, job.seed), job.seed, EVALUATIONS, SLOTS).chosen()
        else:
            company = OrgChart.from_dict(chart)
            if job.contender.memory:
                company = company.model_copy(update={"starts": _others_best(json.dumps(chart), job)})
            config = _champion(world, company, job.seed)
        metrics, status, reason = {"regret": world.regret(config)}, "ok", ""
    except Exception as error:
        metrics, status, reason = {}, "failed", f"{type(error).__name__}: {error}"
    return Row(arm.chart, world.name, arm.settings, job.seed, "", status, metrics, stage="running", reason=reason)


def _champion(world: World, chart: OrgChart, seed: int) -> Any:
    champion = _company_in(world, chart, seed).champion
    return champion.config if champion else world.project().baseline


def _company_in(world: World, chart: OrgChart, seed: int) -> State:
    return run_virtually(world.project(), chart, world.train, seed=seed, slots=SLOTS, seconds=world.seconds).state


def _others_best(chart: str, job: Job) -> tuple[Start, ...]:
    """What the same company found best on the other tasks of the family, or on the other recordings."""
    if job.project in RECORDED:
        related = [(other, 0) for other in RECORDED if other != job.project]
    else:
        related = [(job.project, i) for i in range(len(worlds(job.project, job.seed))) if i != job.world]
    found = [_best_of(chart, project, place, job.seed) for project, place in related]
    ranks = [start for rank in zip_longest(*found) for start in rank if start]
    return tuple(ranks[:MOST])


@lru_cache(maxsize=256)
def _best_of(chart: str, project: str, place: int, seed: int) -> tuple[Start, ...]:
    return remembered([_company_in(worlds(project, seed)[place], OrgChart.from_dict(json.loads(chart)), seed)])


def run(todo: Sequence[Job], processes: int) -> Iterator[Row]:
    """Rows as they end."""
    if processes == 1:
        yield from map(work, todo)
        return
    with ProcessPoolExecutor(processes, get_context("forkserver")) as pool:
        for done in as_completed([pool.submit(work, job) for job in todo]):
            yield done.result()


def kept(path: Path | None) -> list[Row]:
    if path is None or not path.exists():
        return []
    return [Row(**json.loads(line)) for line in path.read_text().splitlines()]


def measure(todo: Sequence[Job], options: argparse.Namespace) -> list[Row]:
    """All rows, those of `--keep` included, with a line of progress."""
    rows = kept(options.keep)
    known = {(row.arm, row.world) for row in rows}
    named = {(j.project, j.world): worlds(j.project, options.seed)[j.world].name for j in todo}
    missing = [j for j in todo if (j.contender.arm, (named[j.project, j.world], j.seed)) not in known]
    begin = time.perf_counter()
    for n, row in enumerate(run(missing, options.jobs), 1):
        rows.append(row)
        if options.keep:
            with options.keep.open("a") as file:
                file.write(json.dumps(asdict(row)) + "\n")
        if n % 20 == 0 or n == len(missing):
            print(f"{n} of {len(missing)} searches, {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    wanted = {(j.contender.arm, (named[j.project, j.world], j.seed)) for j in todo}
    return [row for row in rows if (row.arm, row.world) in wanted]


def table(arms: Mapping[Arm, Mapping[Place, Row]], reference: Arm) -> None:
    """One line an arm, best first: mean regret by project and over all, and the reference's regret divided by it."""
    names = list(dict.fromkeys(project for rows in arms.values() for project, _ in rows))
    width = max(len(str(arm)) for arm in arms) + 2
    print(f"{'':<{width}}" + "".join(f"{name[:10]:>11}" for name in names) + f"{'mean':>9}   {reference} / it, 95 %")
    for arm, rows in sorted(arms.items(), key=lambda item: _mean(regrets(item[1]).values())):
        found = regrets(rows)
        each = [_mean([value for (project, _), value in found.items() if project == name]) for name in names]
        cells = "".join(f"{value:>11.4f}" for value in each)
        seeds = len({seed for _, seed in rows})
        left = len(rows) - len(found)
        notes = (f"   {seeds} seeds" if arm.chart in SLOW else "") + (f"   {left} without a regret" if left else "")
        ratio = "" if arm == reference or reference not in arms else says(against(arms, reference, arm))
        print(f"{arm!s:<{width}}{cells}{_mean(found.values()):>9.4f}   {ratio}{notes}")


def against(arms: Mapping[Arm, Mapping[Place, Row]], one: Arm, other: Arm) -> Paired | None:
    """Over the worlds that both met; mean regrets."""
    shared = arms[one].keys() & arms[other].keys()
    mine, theirs = ({world: arms[arm][world] for world in shared} for arm in (one, other))
    return contrast(mine, theirs, statistic="mean").paired if shared else None


def says(found: Paired | None) -> str:
    if found is None or found.ratio is None:
        return "no ratio"
    low, high = ("-" if end is None else f"{end:.2f}" for end in found.ratio_interval)
    return f"{found.ratio:.2f} [{low}, {high}]"


def targets(arms: Mapping[Arm, Mapping[Place, Row]]) -> None:
    by_name = {str(arm): arm for arm in arms}
    print("\nTargets")
    for name, bar in TARGETS:
        if name in by_name and "startup" in by_name:
            found = against(arms, by_name["startup"], by_name[name])
            word = "reached" if found and found.ratio is not None and found.ratio <= bar else "MISSED"
            print(f"startup / {name}: {says(found)}, at most {bar:.2f}: {word}")
    print("\nThe organisation, each part alone (below 1: it pays)")
    for title, one, other in PARTS:
        if one in by_name and other in by_name:
            print(f"{title}: {says(against(arms, by_name[one], by_name[other]))}")


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else float("nan")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--slow-seeds", type=int, default=5, help="seeds of optuna-gp")
    parser.add_argument(
        "--projects",
        default=";".join(("planted", "nk", "bandit", *RECORDED)),
        help="between ';', e.g. 'planted;nk:N=12,K=3'",
    )
    parser.add_argument("--only", default="", help="some of the contenders, by name, comma separated")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    return parser.parse_args()


def chosen(only: str) -> list[Contender]:
    """The contenders named, all where none is; Optuna's only where it is installed."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    known = {each.name: each for each in contenders()}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"benchmarks.search: no contender '{unknown[0]}'; there are: {', '.join(known)}")
    try:
        import optuna  # noqa: F401
    except ImportError:
        print("Optuna is not installed: its samplers are left out.", file=sys.stderr)
        known = {name: each for name, each in known.items() if not name.startswith("optuna")}
    return [each for name, each in known.items() if not names or name in names]


def main() -> None:
    options = arguments()
    for library in ("OMP", "OPENBLAS", "MKL"):  # small matrices: threads of the workers only wait for each other
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    todo = [
        Job(each, project, world, seed)
        for seed in range(options.seed, options.seed + options.seeds)
        for project in options.projects.split(";")
        for world in range(len(worlds(project, seed)))
        for each in chosen(options.only)
        if each.arm.chart not in SLOW or seed < options.seed + options.slow_seeds
    ]
    arms = by_arm(measure(todo, options))
    table(arms, Arm("startup"))
    targets(arms)


if __name__ == "__main__":
    main()

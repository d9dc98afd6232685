"""What is management worth? A weak roster with a good talent pool, and a good roster with the same pool.

    python benchmarks/management.py [--seeds 20] [--jobs 2]

The weak roster is org_charts/turnaround.yaml. The good one is org_charts/startup.yaml with the candidates of the
turnaround, once with its own patient policies and once with the turnaround's hasty ones: there is little to gain, and
who fires for sport would pay for it. Regret ratios are against the first setting, over the same simulated worlds.
"""

from __future__ import annotations

import argparse
import os
import time

from company.chart import OrgChart
from company.chart_yaml import load_chart
from company.comparison import Comparison, compare, jobs, run, settings

TARGET = 0.65  # of the regret of nobody replaced and an equal split
OPTIONS = ("assign.share=equal,bandit", "replace.rule=never,posterior")


def good_roster() -> OrgChart:
    """The default company with the strong talent pool of the turnaround."""
    return load_chart("startup").model_copy(update={"talent": load_chart("turnaround").talent})


def hasty(chart: OrgChart) -> OrgChart:
    """The same company with the turnaround's policies: quick to let people go."""
    turnaround = load_chart("turnaround")
    return chart.model_copy(update={"policies": turnaround.policies, "budget": turnaround.budget})


def measure(title: str, chart: OrgChart, options: tuple[str, ...], arguments: argparse.Namespace) -> Comparison:
    begin = time.perf_counter()
    arms = settings(chart, options)
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    found = compare(arms, list(run(jobs(arms, "planted", seeds, slots=2), arguments.jobs)))
    print(f"\n{title}: {len(found.rows)} companies, {time.perf_counter() - begin:.0f} s")
    print(f"{'setting':<46}{'regret':>8}{'replaced':>10}{'ratio':>8}   95 %")
    for i, arm in enumerate(arms):
        each = found.differences[i - 1] if i else None
        ratio = "" if each is None else f"{each.ratio:>8.2f}   {each.ratio_low:.2f} to {each.ratio_high:.2f}"
        print(f"{arm.name:<46}{found.mean(i, 'regret'):>8.4f}{found.mean(i, 'replacements'):>10.2f}{ratio}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    for library in ("OMP", "OPENBLAS", "MKL"):  # small matrices: threads only wait for each other
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    weak = measure("Weak roster", load_chart("turnaround"), OPTIONS, arguments)
    managed = weak.differences[-1]
    verdict = "reached" if managed.ratio is not None and managed.ratio <= TARGET else "NOT reached"
    print(f"posterior and bandit: {managed.ratio:.2f} of the regret; the target of {TARGET} is {verdict}")
    rules = ("replace.rule=never,posterior",)
    print(measure("Good roster", good_roster(), rules, arguments).differences[0].says)
    print(measure("Good roster, hasty policies", hasty(good_roster()), rules, arguments).differences[0].says)


if __name__ == "__main__":
    main()

"""What does a simulated training cost? Every world by name, each config new, then each config known.

    python -m benchmarks.surrogates [NAME...]

A new config is looked up in the fitted model; a known one is remembered. The companies of a batch mostly propose new
ones. The least of several rounds: other work on the machine only adds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from company.surrogates.catalogue import names, worlds
from company.surrogates.world import World
from projects.spec import Config
from roles.streams import stream

CONFIGS, ROUNDS = 50, 60
TARGET_US = 100.0  # of a new config: a batch does 10,000 experiments a second on 2 cores, the engine included


@dataclass(frozen=True)
class Order:
    config: Config
    seed: int
    steps: int
    attempt: int = 1
    micro_batch: int | None = None


def microseconds(world: World, orders: list[Order]) -> float:
    begin = time.perf_counter()
    for order in orders:
        world.train(order)
    return (time.perf_counter() - begin) / len(orders) * 1e6


def measure(name: str) -> float:
    begin = time.perf_counter()
    world = worlds(name, 0)[0]
    ready, project = time.perf_counter() - begin, world.project()
    new, known = [], []
    for turn in range(ROUNDS):
        rng = stream(turn, "benchmark", "configs")
        configs = [project.space.sample(rng) for _ in range(CONFIGS)]
        orders = [Order(config, seed, project.steps(config)) for seed, config in enumerate(configs)]
        new.append(microseconds(world, orders))
        known.append(microseconds(world, orders))
    print(f"{name:<14}{ready:>10.2f}{min(new):>12.1f}{min(known):>12.1f}")
    return min(new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="worlds; all of them otherwise")
    wanted = parser.parse_args().names or [name for name in names() if name != "planted"]
    print(f"{'world':<14}{'ready, s':>10}{'new, us':>12}{'known, us':>12}")
    slowest = max(measure(name) for name in wanted)
    verdict = "reached" if slowest <= TARGET_US else "NOT reached"
    print(f"the slowest takes {slowest:.0f} us; the target of {TARGET_US:.0f} us is {verdict}")


if __name__ == "__main__":
    main()

"""What AutoGen costs a decision: the offline policy called directly and through `AgentEmployee`, side by side.

    python -m benchmarks.decide [--decisions 400] [--results 25]

Medians of CPU time, taken in turns so that a noisy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from roles.brains.agent import AgentEmployee
from roles.brains.digest import render
from roles.employee import DirectEmployee
from roles.intents import ROLE_OF_TASK
from roles.observation import Observation
from roles.role import Brain
from roles.roster import ROLES
from roles.testing import observe


async def cpu_ms(decide: Callable[[Observation], Awaitable[object]], seen: Observation) -> float:
    started = time.process_time_ns()
    await decide(seen)
    return (time.process_time_ns() - started) / 1e6


async def measure(task: str, decisions: int, results: int) -> tuple[float, float]:
    """Median milliseconds of one decision on `task`: (direct, through AutoGen)."""
    seen = observe(task, results)
    brain = Brain(ROLES[seen.role].default_brain)
    direct, agent = DirectEmployee("bob", seen.role, brain), AgentEmployee("bob", seen.role, brain)
    times = [(await cpu_ms(direct.decide, seen), await cpu_ms(agent.decide, seen)) for _ in range(decisions)]
    warm = times[len(times) // 10 :]
    return statistics.median(t for t, _ in warm), statistics.median(t for _, t in warm)


def digest_ms(task: str, decisions: int, results: int) -> float:
    """Median milliseconds of rendering the digest, which is part of the way through AutoGen."""
    seen, times = observe(task, results), []
    for _ in range(decisions):
        started = time.process_time_ns()
        render(seen)
        times.append((time.process_time_ns() - started) / 1e6)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=400)
    parser.add_argument("--results", type=int, default=25)
    args = parser.parse_args()
    print(f"{'task':10} {'direct ms':>10} {'autogen ms':>11} {'of it digest':>13} {'added ms':>9} {'ratio':>7}")
    for task in ROLE_OF_TASK:
        direct, agent = asyncio.run(measure(task, args.decisions, args.results))
        digest = digest_ms(task, args.decisions, args.results)
        print(f"{task:10} {direct:10.3f} {agent:11.3f} {digest:13.3f} {agent - direct:9.3f} {agent / direct:7.1f}")


if __name__ == "__main__":
    main()

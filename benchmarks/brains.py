"""How good and how fast are the researchers' brains? Regret against Optuna's samplers, and milliseconds a suggestion.

    python benchmarks/brains.py [--seeds 12] [--evaluations 60] [--slots 2] [--brains tpe,gp/refine] [--set width=0.3]

Every brain meets the same six mixed spaces with the same seeds (same noise for the same seed), so differences are
paired. Regret of a run = (true loss of the config that it would pick - best known) / (median of the space - best
known), 0 perfect, 1 a random draw's. Optuna is optional: `pip install optuna` adds the reference samplers.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for each other

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from projects.spec import Config, Metric, Parameter, SearchSpace
from roles.brains.offline import BRAINS, find_brain
from roles.observation import Directive, Observation, Result
from roles.streams import stream

DIRECTED = ("tpe/explore", "tpe/refine", "gp/explore", "gp/refine")  # what a manager may ask must not cost much


@dataclasses.dataclass(frozen=True)
class Task:
    """A synthetic training task: a space, the true loss of a config (inf: it fails) and the noise of a run."""

    name: str
    space: SearchSpace
    loss: Callable[[Config], float]
    sigma: float = 0.0
    best: float = 0.0
    median: float = 1.0
    baseline: Config = dataclasses.field(default_factory=dict)
    view: Callable[[float], float] = float  # the scale on which regret is taken


def real(name: str, low: float, high: float, log: bool = False) -> Parameter:
    return Parameter(name, "float", low, high, log)


def choice(name: str, *values: str | int) -> Parameter:
    return Parameter(name, "choice", values=values)


TRAINING = SearchSpace((
    real("lr", 1e-4, 1.0, log=True),
    real("decay", 1e-4, 1.0, log=True),
    real("warmup", 0.0, 0.5),
    real("dropout", 0.0, 0.6),
    Parameter("depth", "int", 1, 8),
    choice("width", 32, 64, 128, 256),
    choice("activation", "relu", "gelu", "silu", "square"),
    choice("norm", "layer", "rms", "none"),
    choice("optimiser", "sgd", "adam", "lion"),
))  # fmt: skip


def training_like(config: Config, seed: int = 0) -> float:
    """Like a short training run: a valley in the learning rate that moves with optimiser and depth, a budget that makes
    large models too slow, a cliff beyond which it diverges."""
    at = dict(zip(TRAINING.names, TRAINING.encode(config), strict=True))
    best_lr = {"sgd": 0.8, "adam": 0.45, "lion": 0.3}[str(config["optimiser"])] - 0.15 * at["depth"]
    off = at["lr"] - best_lr
    if off > (0.3 if config["norm"] == "none" else 0.45):
        return np.inf
    size = 0.5 * at["depth"] + 0.5 * at["width"]
    penalty = {"relu": 0.1, "gelu": 0.02, "silu": 0.0, "square": 0.05}[str(config["activation"])]
    penalty += {"layer": 0.03, "rms": 0.0, "none": 0.15}[str(config["norm"])]
    penalty += {"sgd": 0.3, "adam": 0.0, "lion": 0.05}[str(config["optimiser"])]
    valley = 6.0 * off**2 + (4.0 * max(0.0, off)) ** 3
    return (
        2.0
        + valley
        + 1.2 * (size - 0.55) ** 2
        + 0.3 * (at["decay"] - 0.6) ** 2
        + 0.2 * (at["warmup"] - 0.2) ** 2
        + 0.5 * at["dropout"] ** 2
        + penalty
    )


def rotated_bowl(space: SearchSpace, seed: int, bend: float) -> Callable[[Config], float]:
    """A bowl with unequal, rotated axes, an interaction between choices, and ripples of height `bend`."""
    rng = np.random.default_rng(seed)
    d = len(space.parameters)
    centre, weight = rng.random(d), 10.0 ** rng.uniform(-1.5, 0.5, d)
    mix = np.eye(d) + 0.4 * rng.standard_normal((d, d)) / np.sqrt(d)
    ordered = np.array([p.ordered for p in space.parameters])
    tables = {p.name: rng.random(len(p.values)) for p in space.parameters if not p.ordered}

    def loss(config: Config) -> float:
        unit = np.array(space.encode(config))
        z = mix @ np.where(ordered, unit - centre, 0.0)
        words = [tables[name][_index(space, name, config)] for name in tables]
        bowl = float(weight @ z**2) + bend * float(np.sum(1.0 - np.cos(9.0 * z))) / d
        return bowl + 0.3 * sum(words) + 0.3 * float(np.prod(words)) if words else bowl

    return loss


def _index(space: SearchSpace, name: str, config: Config) -> int:
    return space.by_name[name].values.index(config[name])


def heavy_tailed(space: SearchSpace, seed: int) -> Callable[[Config], float]:
    """A bowl seen through an exponential, as losses look when most settings are hopeless; a corner fails."""
    bowl = rotated_bowl(space, seed, 0.0)

    def loss(config: Config) -> float:
        unit = space.encode(config)
        return np.inf if unit[0] + unit[1] > 1.6 else float(np.exp(4.0 * bowl(config)))

    return loss


def nk(space: SearchSpace, seed: int, k: int) -> Callable[[Config], float]:
    """An NK landscape on choices: rugged, and without any order to exploit (Kauffman 1993)."""
    rng = np.random.default_rng(seed)
    d, sizes = len(space.parameters), [len(p.values) for p in space.parameters]
    links = [np.array([i, *((i + 1 + rng.permutation(d - 1)[:k]) % d)]) for i in range(d)]
    tables = [rng.random([sizes[j] for j in link]) for link in links]

    def loss(config: Config) -> float:
        at = [p.values.index(config[p.name]) for p in space.parameters]
        return -float(np.mean([table[tuple(at[j] for j in link)] for table, link in zip(tables, links, strict=True)]))

    return loss


def tasks() -> list[Task]:
    """Six tasks: training-like without and with noise, a bowl, a rippled mixed bowl, a heavy tail, a rugged table."""
    mixed = SearchSpace((
        real("a", 0.0, 1.0), real("b", 1e-3, 10.0, log=True), real("c", -5.0, 5.0),
        Parameter("d", "int", 1, 64, True), choice("e", 1, 2, 4, 8, 16),
        choice("f", "x", "y", "z"), choice("g", "p", "q"),
    ))  # fmt: skip
    floats = SearchSpace(tuple(real(name, 0.0, 1.0) for name in "abcdef"))
    words = SearchSpace(tuple(choice(name, *"wxyz") for name in "abcdef"))
    found = [
        Task("training", TRAINING, training_like),
        Task("training, noisy", TRAINING, training_like, sigma=0.05),
        Task("bowl, 6 floats", floats, rotated_bowl(floats, 1, 0.0)),
        Task("rippled, mixed", mixed, rotated_bowl(mixed, 2, 0.3), sigma=0.02),
        Task("heavy tail, mixed", mixed, heavy_tailed(mixed, 3), view=math.log),
        Task("rugged words", words, nk(words, 4, 1)),
    ]
    return [scaled(task) for task in found]


def scaled(task: Task, draws: int = 4000) -> Task:
    """The task with its baseline, its median and its best: of random draws, then of a long climb from the best."""
    rng = np.random.default_rng(0)
    configs = [task.space.sample(rng) for _ in range(draws)]
    losses = np.array([task.loss(config) for config in configs])
    at, best = task.space.encode(configs[int(losses.argmin())]), float(losses.min())
    for i in range(2 * draws):
        step = 0.3 * 0.01 ** (i / (2 * draws)) * rng.standard_normal(len(at)) * (rng.random(len(at)) < 0.4)
        near = task.space.decode(np.clip(np.array(at) + step, 0.0, 1.0).tolist())
        loss = task.loss(near)
        if loss <= best:
            at, best = task.space.encode(near), loss
    order = np.argsort(losses)
    return dataclasses.replace(
        task, best=best, median=float(np.median(losses)), baseline=configs[int(order[int(0.5 * draws)])]
    )


def measure(task: Task, config: Config, number: int, seed: int) -> Result:
    """Run a config: the loss with the noise of this seed and this run."""
    truth = task.loss(config)
    noise = task.sigma * stream(seed, "world", "noise", number).standard_normal() if task.sigma else 0.0
    ok = np.isfinite(truth)
    return Result(
        f"e{number}", "bob", config, task.space.encode(config), "ok" if ok else "failed",
        float(truth + noise) if ok else None, 1.0, None if ok else "diverged",
    )  # fmt: skip


def regret(task: Task, history: list[Result]) -> float:
    """Of the config with the smallest measured loss."""
    done = [(result.loss, result.config) for result in history if result.loss is not None]
    pick = min(done, key=lambda pair: pair[0])[1]
    return (task.view(task.loss(pick)) - task.view(task.best)) / (task.view(task.median) - task.view(task.best))


def run_brain(task: Task, kind: str, params: Mapping[str, float], seed: int, evaluations: int, slots: int = 1) -> float:
    """A researcher alone, with `slots` experiments under way at a time; a kind may end in /explore or /refine."""
    kind, _, directive = kind.partition("/")
    history, pending = [measure(task, task.baseline, 0, seed)], []
    brain, settings = find_brain(kind), {**BRAINS[kind].defaults(), **params}
    seen = Observation(
        "d", "propose", "bob", "researcher", seed, 0, task.space, Metric("loss"), task.baseline, sigma=task.sigma,
        directive=Directive(directive or "free"),  # type: ignore[arg-type]
    )  # fmt: skip
    for turn in range(1, evaluations):
        under_way = [task.space.encode(config) for config in pending]
        now = dataclasses.replace(seen, turn=turn, history=history, pending=under_way)
        found = brain.suggest(now, settings, now.rng("propose"))
        if found is None:
            break
        pending.append(found.config)
        if len(pending) == slots:
            history = [*history, measure(task, pending.pop(0), turn, seed)]
    history += [measure(task, config, evaluations + i, seed) for i, config in enumerate(pending)]
    return regret(task, history)


def run_optuna(task: Task, sampler: str, seed: int, evaluations: int) -> float:
    """Optuna's sampler on the same task and seed, told the baseline first and failures as failures."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = {
        "optuna-tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "optuna-gp": lambda: optuna.samplers.GPSampler(seed=seed, deterministic_objective=task.sigma == 0),
    }
    study = optuna.create_study(sampler=samplers[sampler]())
    study.enqueue_trial(dict(task.baseline))
    history: list[Result] = []
    for number in range(evaluations):
        trial = study.ask()
        result = measure(task, {p.name: _ask(trial, p) for p in task.space.parameters}, number, seed)
        history.append(result)
        if result.loss is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, result.loss)
    return regret(task, history)


def _ask(trial, parameter: Parameter):
    if parameter.kind == "choice":
        return trial.suggest_categorical(parameter.name, parameter.values)
    if parameter.kind == "int":
        return trial.suggest_int(parameter.name, int(parameter.low), int(parameter.high), log=parameter.log)
    return trial.suggest_float(parameter.name, parameter.low, parameter.high, log=parameter.log)


def interval(differences: np.ndarray, draws: int = 4000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over seeds (rows), each task (column) weighing the same."""
    rng = np.random.default_rng(0)
    rows = rng.integers(len(differences), size=(draws, len(differences)))
    low, high = np.quantile(differences.mean(axis=1)[rows].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def milliseconds(kind: str, n: int, repeats: int) -> float:
    """Median time of a suggestion after `n` results on the training space, as a company would ask for it."""
    task = scaled(Task("training", TRAINING, training_like), draws=200)
    rng = np.random.default_rng(n)
    history = [measure(task, TRAINING.sample(rng), i, 0) for i in range(n)]
    brain, settings = BRAINS[kind], BRAINS[kind].defaults()
    seen = Observation("d", "propose", "bob", "r", 0, 0, TRAINING, Metric("loss"), task.baseline, history=history)
    times = []
    for turn in range(repeats):
        now = dataclasses.replace(seen, turn=turn)
        begin = time.perf_counter()
        brain.suggest(now, settings, now.rng("propose"))
        times.append(time.perf_counter() - begin)
    return 1000.0 * float(np.median(times))


def table(regrets: Mapping[str, np.ndarray], names: list[str], reference: str) -> None:
    """One line a brain, best first, with the paired difference to the reference."""
    print(f"{'brain':<13}" + "".join(f"{name:>19}" for name in names) + f"{'mean':>9}   minus {reference}, 95 %")
    for kind, values in sorted(regrets.items(), key=lambda item: item[1].mean()):
        difference = values - regrets[reference]
        low, high = interval(difference)
        cells = "".join(f"{mean:>19.4f}" for mean in values.mean(axis=0))
        print(f"{kind:<13}{cells}{values.mean():>9.4f}   {difference.mean():+.4f} [{low:+.4f}, {high:+.4f}]")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--evaluations", type=int, default=60)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--brains", default=",".join([*BRAINS, *DIRECTED]), help="each a brain, or BRAIN/DIRECTIVE")
    parser.add_argument("--reference", default="optuna-tpe", help="optuna-tpe, optuna-gp or one of the brains")
    parser.add_argument("--optuna", default="optuna-tpe", help="samplers to run, comma separated; 'none' for none")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the brains")
    parser.add_argument("--no-speed", action="store_true")
    return parser.parse_args()


def samplers_of(options: argparse.Namespace) -> list[str]:
    try:
        import optuna  # noqa: F401
    except ImportError:
        print("Optuna is not installed: pip install optuna compares with its samplers.", file=sys.stderr)
        return []
    return [name for name in options.optuna.split(",") if name != "none"]


def main() -> None:
    options = arguments()
    params = {name: float(value) for name, value in (item.split("=") for item in options.set)}
    all_tasks, regrets = tasks(), {}
    kinds = [*options.brains.split(","), *samplers_of(options)]
    for kind in kinds:
        begin = time.perf_counter()
        regrets[kind] = np.array([
            [
                run_optuna(task, kind, seed, options.evaluations)
                if kind.startswith("optuna")
                else run_brain(task, kind, params, seed, options.evaluations, options.slots)
                for task in all_tasks
            ]
            for seed in range(options.seeds)
        ])  # fmt: skip
        print(f"{kind}: {time.perf_counter() - begin:.1f} s", file=sys.stderr)
    reference = options.reference if options.reference in regrets else kinds[0]
    print(f"Mean regret after {options.evaluations} evaluations, {options.seeds} seeds, {options.slots} at a time")
    table(regrets, [task.name for task in all_tasks], reference)
    if not options.no_speed:
        print("\nmilliseconds a suggestion" + "".join(f"{'n=' + str(n):>10}" for n in (20, 100, 300)))
        for kind in BRAINS:
            print(f"{kind:<25}" + "".join(f"{milliseconds(kind, n, 40):>10.3f}" for n in (20, 100, 300)))


if __name__ == "__main__":
    main()

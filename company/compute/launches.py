"""The command lines of a project's scripts, as launches: training, scoring and preparing data."""

from __future__ import annotations

from pathlib import Path

from company.compute.backend import Order
from company.compute.environment import clean_env
from company.compute.folder import ANSWER, CONFIG, LOG
from company.compute.sandbox import Confined, Level, Policy
from company.compute.workers import Launch
from projects.spec import Project

TRAIN = "train"  # the folder of the data that training sees


def train_launch(order: Order, sandbox: Level = "none") -> Launch:
    """Train: the copy of train.py in the order's folder, at home there. It sees that folder and the data's train/."""
    folder = order.folder.resolve()
    args = ["--config", str(folder / CONFIG), "--data", str(order.data.resolve() / TRAIN), "--out", str(folder)]
    args += ["--seed", str(order.seed), "--steps", str(order.steps), "--device", order.slot.device]
    if order.micro_batch is not None:
        args += ["--micro-batch", str(order.micro_batch)]
    policy = view(order, read=(str(order.data.resolve() / TRAIN),), write=(str(folder),))
    return on_slot(order, folder / "train.py", args, folder, confined=Confined(sandbox, policy))


def score_launch(order: Order, sandbox: Level = "none") -> Launch:
    """Score what training left: the project's own evaluate.py, never one from the folder.

    The evaluator is the person's own and reads what is sealed; the processes that predict for it are confined, and may
    only read the folder.
    """
    folder, sealed = order.folder.resolve(), order.project.folder.resolve()
    args = ["score", "--artefact", str(folder), "--code", str(folder / "train.py")]
    args += ["--data", str(order.data.resolve() / "sealed"), "--split", order.split, "--device", order.slot.device]
    predictions = Confined(sandbox, view(order, read=(str(folder),)))
    return on_slot(order, sealed / "evaluate.py", args, sealed, str(answer_file(order)), predictions=predictions)


def answer_file(order: Order) -> Path:
    """Where the evaluator answers: beside the folder, since what was trained could put a file of its own into it."""
    return order.folder.resolve().with_name(f".{order.folder.name}.{ANSWER}")


def view(order: Order, read: tuple[str, ...], write: tuple[str, ...] = ()) -> Policy:
    """What an order's process sees; never the sealed data, nor other experiments."""
    hide = (str(order.data.resolve()), str(order.folder.resolve().parent))
    return Policy(read, write, hide, order.slot.device == "cuda", order.slot.nodes)


def on_slot(
    order: Order, script: Path, args: list[str], cwd: Path, answer: str | None = None, *,
    confined: Confined | None = None, predictions: Confined | None = None,
) -> Launch:  # fmt: skip
    """A process on the order's slot within the project's limits; its home and temporary files are in the folder."""
    slot, limits, folder = order.slot, order.project.limits, str(order.folder.resolve())
    return Launch(
        script=str(script),
        args=tuple(args),
        cwd=str(cwd),
        path=str(script.parent),
        log=f"{folder}/{LOG}",
        answer=answer,
        env=clean_env(CUDA_VISIBLE_DEVICES=slot.gpu or "", HOME=folder, TMPDIR=folder, USER="experiment"),
        memory_mb=limits.memory_mb,
        file_mb=limits.disk_mb,
        device=slot.device,
        share=slot.share,
        confined=confined,
        predictions=predictions,
    )


def prepare_launch(project: Project, target: Path, log: Path) -> Launch:
    """Prepare a project's data in `target`. It is the person's own evaluator: it may use their home, without limits."""
    sealed = project.folder.resolve()
    return Launch(
        script=str(sealed / "evaluate.py"),
        args=("prepare", str(target)),
        cwd=str(sealed),
        path=str(sealed),
        log=str(log),
        env=clean_env(CUDA_VISIBLE_DEVICES="", HOME=str(Path.home())),
    )

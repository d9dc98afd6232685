"""Whether CUDA works where experiments run: a tensor in a process made as theirs are, at their level of the sandbox.

That a driver answers, or lists its cards, proves nothing of that.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from company.compute import tensor
from company.compute.backend import ComputeError, Slot
from company.compute.endings import Facts, why
from company.compute.environment import clean_env
from company.compute.log import Log, clean
from company.compute.sandbox import LEVELS, Confined, Level, Policy
from company.compute.sandbox.cuda import missing, wake_driver
from company.compute.tail import read_end
from company.compute.workers import Launch, Workers, WorkersLost

SCRIPT = Path(tensor.__file__)
PATIENCE_S = 120.0  # the first CUDA program after a boot takes tens of seconds
MEMORY_MB, FILE_MB = 640, 512  # as little as a shipped project gives
ANSWER_BYTES = 16 * 1024
RIGHT = {"sum": float(tensor.SIDE**3), "slope": 2.0 * tensor.SIDE, "visible": 1}


@dataclass(frozen=True, slots=True)
class Proof:
    """The verdict on a slot's card at a level: `trouble` is empty where a tensor was right, `card` its own name."""

    level: Level
    card: str
    trouble: str = ""


async def prove(workers: Workers, slot: Slot, level: Level) -> Proof:
    """Multiply on a slot's card at a level (seconds). Raises ComputeError where no warm parent starts."""
    await asyncio.to_thread(wake_driver)
    with tempfile.TemporaryDirectory(prefix="loopworks-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        (folder / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
        try:
            running = await workers.launch(launch(slot, level, folder))
        except WorkersLost as error:
            return Proof(level, slot.name, str(error))
        try:
            await asyncio.wait({running.ended}, timeout=PATIENCE_S)
        finally:
            late = not running.ended.done()
            ended = await running.end()
        if late:
            return Proof(level, slot.name, f"it was not done after {PATIENCE_S:g} s")
        if found := why(Facts(ended, Log(folder / "log.txt", ANSWER_BYTES).ending())):
            return Proof(level, slot.name, explained(found.detail))
        return judged(slot, level, read_end(folder / "answer", ANSWER_BYTES))


async def prove_all(workers: Workers, slots: Sequence[Slot], level: Level) -> tuple[Proof, ...]:
    """`prove` for each card that the slots are on, at once. Raises ComputeError where one fails, with a remedy."""
    cards = list({slot.gpu: slot for slot in slots if slot.device == "cuda"}.values())
    proofs = await asyncio.gather(*(prove(workers, slot, level) for slot in cards))
    for slot, proof in zip(cards, proofs, strict=True):
        if proof.trouble:
            found = f"CUDA does not work at sandbox level '{level}' on {proof.card}: {proof.trouble}"
            raise ComputeError(f"{found}: {await remedy(workers, slot, level)}")
    return tuple(proofs)


async def remedy(workers: Workers, slot: Slot, level: Level) -> str:
    """What to type where CUDA fails at a level: the next lower one at which it works, as tried."""
    for lower in LEVELS[LEVELS.index(level) + 1 :]:
        if not (await prove(workers, slot, lower)).trouble:
            warning = " (code may then do what you may)" if lower == "none" else ""
            return f"--sandbox {lower} works{warning}"
    return "nor at a lower one: use --device cpu; 'loopworks doctor' and docs/gpu.md say more"


def launch(slot: Slot, level: Level, folder: Path) -> Launch:
    """The script as a training process on the slot, at home in `folder`."""
    home = str(folder)
    return Launch(
        script=str(folder / SCRIPT.name),
        args=(),
        cwd=home,
        path=home,
        log=f"{home}/log.txt",
        answer=f"{home}/answer",
        env=clean_env(CUDA_VISIBLE_DEVICES=slot.gpu or "", HOME=home, TMPDIR=home, USER="experiment"),
        memory_mb=MEMORY_MB,
        file_mb=FILE_MB,
        device="cuda",
        share=slot.share,
        confined=Confined(level, Policy(write=(home,), gpu=True, cards=slot.nodes)),
    )


def judged(slot: Slot, level: Level, answer: bytes) -> Proof:
    """The verdict from what the script printed: anything but the right numbers is none."""
    try:
        said = json.loads(answer.decode().strip().splitlines()[-1])
        card = clean(str(said["name"]))[:80]
        wrong = [name for name, value in RIGHT.items() if said[name] != value]
        others = set(map(str, said["opened"])) - set(slot.nodes)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return Proof(level, slot.name, "it gave no answer")
    if wrong:
        return Proof(level, card, "it is wrong about " + ", ".join(f"{name} ({said[name]!r})" for name in wrong))
    if others and level != "none":
        return Proof(level, card, "other cards can be opened: " + ", ".join(sorted(others)))
    return Proof(level, card)


def explained(detail: str) -> str:
    """The last line of a traceback, and what is missing on this machine."""
    last = clean(detail.strip().splitlines()[-1])[:300] if detail.strip() else "it said nothing"
    return f"{last}; {missing()}" if missing() else last

"""What a GPU slot lets through, without a GPU: other character devices stand in for a card's, at every level.

Whether CUDA itself works inside is for a machine that has a card: `loopworks doctor` there.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from compute_bench import GOOD, Bench

from company import doctor
from company import run as running
from company.attacks.scene import Scene
from company.attacks.trial import ATTACKS, carry_out
from company.attacks.trial import PRELOAD as ATTACK_PRELOAD
from company.compute import cuda_proof, environment, local
from company.compute.backend import ComputeError, Slot
from company.compute.cuda_proof import judged, prove
from company.compute.gpus import Gpu, GpuSurvey
from company.compute.local import LocalCompute
from company.compute.sandbox.cuda import missing, nodes, wake_driver
from company.compute.sandbox.levels import LEVELS, Level
from company.compute.sandbox.policy import Confined, Policy, restored
from company.compute.sandbox.probe import Probed, probe
from company.compute.workers import Workers
from company.directory import RunDirectory
from company.events import RunFounded
from company.ledger import Ledger
from company.run import Plan, execute
from tests.support import write_chart, write_project

CARD, MEMORY, OTHER = ("nvidia0", 8), ("nvidia-uvm", 5), ("nvidia1", 8)  # minors of /dev/random and /dev/zero
INSIDE = [level for level in LEVELS if probe().has(level) and level != "none"]
LOOK = """
import ctypes, fcntl, mmap, socket, threading
def refused(act):
    try: act()
    except OSError: return True
    return False
card, memory, other = config["nodes"]
device = os.open(card, os.O_RDWR)
assert fcntl.ioctl(device, 0x80045200, bytes(4)) != b""  # how much chance the kernel has: a control of /dev/random
shared = mmap.mmap(os.open(memory, os.O_RDWR), 4096)
shared[:4] = b"card"
assert refused(lambda: os.open(other, os.O_RDWR))
def named():
    Path("/proc/self/task/%d/comm" % threading.get_native_id()).write_text("cuda00001")
    comms.append(Path("/proc/thread-self/comm").read_text().strip())
comms = []
thread = threading.Thread(target=named); thread.start(); thread.join()
assert comms == ["cuda00001"]
os.ftruncate(os.memfd_create("cuda"), 4096)
listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listening.bind("\\0cuda-uvmfd-%d" % os.getpid()); listening.listen()
assert os.listdir("/sys/devices/system/cpu") and os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-A"
assert refused(lambda: Path("/proc/sys/kernel/domainname").write_text("x"))
assert refused(lambda: Path("/proc/1/task/1/comm").write_text("x"))
if config["level"] == "degraded":
    assert refused(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    assert refused(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    speaking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    assert refused(lambda: speaking.connect("\\0cuda-uvmfd-%d" % os.getpid()))
    assert refused(lambda: speaking.sendto(b"x", "\\0cuda-uvmfd-%d" % os.getpid()))
else:
    assert refused(lambda: os.open("/dev/nvidia1", os.O_RDWR))
"""


@pytest.fixture
def devices(tmp_path: Path) -> tuple[str, ...]:
    """Two device files of a card and one of another."""
    made: list[str] = []
    for name, minor in (CARD, MEMORY, OTHER):
        path = tmp_path / name
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))
            os.close(os.open(path, os.O_RDWR))
        except PermissionError:
            pytest.skip("no device files can be made here")
        made.append(str(path))
    return tuple(made)


async def unasked(*_: object) -> tuple[()]:
    """In place of proofs: there is no card to ask."""
    return ()


@asynccontextmanager
async def compute_on(slot: Slot, level: Level, preload: Sequence[str] = ()) -> AsyncIterator[LocalCompute]:
    compute = LocalCompute((slot,), preload=preload, sandbox=level)
    try:
        await compute.start()
        yield compute
    finally:
        await compute.close()


@pytest.mark.parametrize("level", INSIDE)
async def test_a_slots_card_can_be_used_inside_and_no_other(
    tmp_path: Path, devices: tuple[str, ...], level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "prove_all", unasked)
    async with compute_on(Slot(0, "cuda", "GPU-A", nodes=devices[:2]), level) as compute:
        bench = Bench(compute, tmp_path)
        outcome = await bench.run(LOOK + GOOD, config={"nodes": list(devices), "level": level})
    assert outcome.status == "ok", outcome.detail


@pytest.mark.parametrize("level", INSIDE)
async def test_a_cpu_slot_gets_nothing_of_that(tmp_path: Path, devices: tuple[str, ...], level: Level) -> None:
    look = """
import socket
for act in (lambda: os.open(config["nodes"][0], os.O_RDWR), lambda: Path("/proc/self/comm").write_text("x")):
    try: act()
    except OSError: continue
    raise SystemExit("a CPU slot has what is a GPU slot's")
"""
    async with compute_on(Slot(0), level) as compute:
        outcome = await Bench(compute, tmp_path).run(look + GOOD, config={"nodes": list(devices)})
    assert outcome.status == "ok", outcome.detail


def test_the_devices_shown_are_the_cards_own_and_what_all_share(devices: tuple[str, ...], tmp_path: Path) -> None:
    card, uvm, other = devices
    assert nodes(Policy(gpu=True, cards=(card, str(tmp_path / "gone"))), tmp_path) == (uvm, card)
    assert other not in nodes(Policy(gpu=True, cards=(card,)), tmp_path)
    assert nodes(Policy(cards=(card,)), tmp_path) == ()


def test_the_cards_of_a_policy_come_back_from_json() -> None:
    policy = Policy(("/a",), ("/b",), ("/c",), True, ("/dev/nvidia1",))
    asked = json.loads(json.dumps({"level": "strict", "policy": {n: getattr(policy, n) for n in policy.__slots__}}))
    assert restored(asked) == Confined("strict", policy)


def test_the_driver_is_woken_before_a_sandbox_keeps_it_from_waking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev, helper = tmp_path / "dev", tmp_path / "nvidia-modprobe"
    dev.mkdir()
    helper.write_text(f'#!/bin/sh\n[ "$*" = "-u -c 0" ] && touch {dev}/nvidia-uvm\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    wake_driver(dev)
    assert not (dev / "nvidia-uvm").exists() and not missing(dev)  # there is no card to wake
    (dev / "nvidiactl").touch()
    assert "nvidia-modprobe -u -c 0" in missing(dev)
    wake_driver(dev)
    assert not missing(dev)


def script(folder: Path, text: str) -> Path:
    path = folder / "tensor.py"
    path.write_text(text)
    return path


ANSWER = {"sum": 262144.0, "slope": 128.0, "name": "H\x1b[31m200", "visible": 1, "opened": ["/dev/nvidia0"]}


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        (f"print({json.dumps(ANSWER)!r})", ""),
        (f"print({json.dumps(ANSWER | {'sum': 0.0})!r})", "wrong about sum"),
        (f"print({json.dumps(ANSWER | {'visible': 2})!r})", "wrong about visible"),
        ("print('holds')", "no answer"),
        ("pass", "no answer"),
        ("raise RuntimeError('CUDA error 304: OS call failed')", "CUDA error 304: OS call failed"),
        ("import os; os.abort()", "SIGABRT"),
        ("import time; time.sleep(60)", "not done after"),
    ],
)
async def test_only_the_right_numbers_prove_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, trouble: str
) -> None:
    monkeypatch.setattr(cuda_proof, "SCRIPT", script(tmp_path, text))
    monkeypatch.setattr(cuda_proof, "PATIENCE_S", 1.0)
    workers = Workers(preload=())
    try:
        proof = await prove(workers, Slot(0, "cuda", "GPU-A", name="card"), "none")
    finally:
        await workers.close()
    assert trouble in proof.trouble and bool(trouble) == bool(proof.trouble) and proof.card.isprintable()


def test_a_card_that_is_not_the_slots_own_must_not_open() -> None:
    slot, both = Slot(0, nodes=("/dev/nvidia0",)), ANSWER | {"opened": ["/dev/nvidia0", "/dev/nvidia1"]}
    assert not judged(slot, "strict", json.dumps(ANSWER).encode()).trouble
    assert judged(slot, "strict", json.dumps(both).encode()).trouble == "other cards can be opened: /dev/nvidia1"
    assert not judged(slot, "none", json.dumps(both).encode()).trouble  # nothing is kept from anyone there


@pytest.mark.parametrize("level", INSIDE[-1:])
async def test_nothing_is_begun_on_a_card_that_is_not_proved(level: Level) -> None:
    """With this machine's own torch: no card, or none of that name."""
    compute = LocalCompute((Slot(0, "cuda", "GPU-nowhere", name="a card"),), preload=(), sandbox=level)
    try:
        with pytest.raises(ComputeError, match=f"sandbox level '{level}' on a card: .*--device cpu") as refused:
            await compute.start()
    finally:
        await compute.close()
    assert "\n" not in str(refused.value) and compute.proofs == ()


async def test_a_lower_level_is_named_where_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_outside = f"import os\nassert os.listdir('{tmp_path}')\nprint({json.dumps(ANSWER)!r})\n"
    monkeypatch.setattr(cuda_proof, "SCRIPT", script(tmp_path, only_outside))
    if not INSIDE:
        pytest.skip("no sandbox here")
    with pytest.raises(ComputeError, match="--sandbox none works"):
        async with compute_on(Slot(0, "cuda", "GPU-A"), INSIDE[0]):
            pass
    async with compute_on(Slot(0, "cuda", "GPU-A"), "none") as compute:
        assert [(proof.level, proof.trouble) for proof in compute.proofs] == [("none", "")]


STAND_IN = """
import threading
shares = []
def set_per_process_memory_fraction(share):
    assert "Seccomp:\\t2" in open("/proc/self/status").read(), "not inside yet"
    shares.append(share)
    threading.Thread(target=threading.Event().wait, daemon=True).start()  # as the driver does
"""
TRAIN = """
import sys
from pathlib import Path
import numpy as np
import torch.cuda
assert torch.cuda.shares == SHARES, torch.cuda.shares
def load(folder, device): return None
def predict(model, inputs): return np.log(np.full((len(inputs), 2), 0.5))
if __name__ == "__main__":
    out = Path(sys.argv[sys.argv.index("--out") + 1])
    (out / "metrics.jsonl").write_text('{"step": 20, "of": 20, "loss": 1.0}\\n')
    (out / "model.safetensors").write_bytes(b"weights")
    (out / "model.json").write_text("{}")
"""
PREDICT = """
import sys
if sys.argv[1] == "score":
    import numpy as np
    import torch.cuda
    from projects.predictor import Predictor, print_result
    given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
    with Predictor(given["--code"], given["--artefact"], "cuda") as predictor:
        answer = predictor.predict(np.zeros(3), (3, 2))
    assert torch.cuda.shares == []
    print_result({"metric": 1.25, "n": len(answer)})
"""


@pytest.mark.parametrize("level", INSIDE)
@pytest.mark.parametrize("share", [1.0, 0.5])
async def test_a_share_of_a_card_is_taken_inside_and_by_who_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: Level, share: float
) -> None:
    """Who opens CUDA has threads: it enters no namespace after that, and CUDA works in no child of an evaluator."""
    (tmp_path / "lib/torch").mkdir(parents=True)
    (tmp_path / "lib/torch/__init__.py").write_text("from torch import cuda")
    (tmp_path / "lib/torch/cuda.py").write_text(STAND_IN)
    monkeypatch.setitem(environment.FIXED_ENV, "PYTHONPATH", str(tmp_path / "lib"))

    monkeypatch.setattr(local, "prove_all", unasked)
    async with compute_on(Slot(0, "cuda", "GPU-A", share), level) as compute:
        bench = Bench(compute, tmp_path)
        train = TRAIN.replace("SHARES", str([share] if share < 1 else []))
        outcome = await bench.run(evaluate=PREDICT, files={"train.py": train})
    assert outcome.status == "ok", outcome.detail


def test_the_doctor_says_what_was_proved_and_what_was_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "usable_gpus", GpuSurvey)
    (unproved,) = doctor.cuda_inside()
    assert unproved.state == "missing" and unproved.found.startswith("not proved")

    only_outside = f"import os\nassert os.listdir('{tmp_path}')\nprint({json.dumps(ANSWER)!r})\n"
    monkeypatch.setattr(cuda_proof, "SCRIPT", script(tmp_path, only_outside))
    monkeypatch.setattr(doctor, "usable_gpus", lambda: GpuSurvey((Gpu("GPU-A", "H200", nodes=("/dev/nvidia0",)),)))
    monkeypatch.setattr(doctor, "PRELOAD", ())
    monkeypatch.setattr(doctor, "probe", lambda: Probed({"strict": "no", "standard": "no", "degraded": "", "none": ""}))
    found = {check.name: check for check in doctor.cuda_inside()}
    assert list(found) == ["CUDA degraded", "CUDA none"]
    if "degraded" in INSIDE:
        assert found["CUDA degraded"].state == "missing" and "PermissionError" in found["CUDA degraded"].found
    assert found["CUDA none"].state == "ok" and found["CUDA none"].found.startswith("proved by a tensor on H")


@pytest.mark.parametrize("answer", [ANSWER | {"opened": []}, ANSWER | {"sum": 1.0}])
def test_a_run_records_what_was_proved_or_begins_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cuda_proof, "SCRIPT", script(tmp_path, f"print({json.dumps(answer)!r})"))
    monkeypatch.setattr(running, "find_slots", lambda *_: (Slot(0, "cuda", "GPU-A", name="a card"),))
    chart = write_chart(tmp_path / "chart.yaml", experiments=2)
    project = write_project(tmp_path / "tiny")
    directory = RunDirectory(tmp_path / "run")
    plan = Plan(directory, str(chart), str(project), sandbox="none", engine="direct", offline=True)
    if answer["sum"] != ANSWER["sum"]:
        with pytest.raises(ComputeError, match=r"wrong about sum \(1\.0\)"):
            execute(plan, lambda state, step: None)
        assert not directory.path.exists()
        return
    assert execute(plan, lambda state, step: None).phase == "closed"
    with closing(Ledger(directory.ledger)) as ledger:
        first = next(iter(ledger.events())).event
    assert isinstance(first, RunFounded) and first.measured["cuda_proved"] == ["H200 at none"]


@pytest.mark.slow
@pytest.mark.parametrize("level", INSIDE)
async def test_what_a_gpu_slot_lets_through_opens_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: Level
) -> None:
    """Every attack, on a GPU slot. Those on memory have the 8 GB to themselves that CUDA maps."""
    slot, order = Slot(0, "cuda", "GPU-A"), Scene.order
    monkeypatch.setattr(local, "prove_all", unasked)
    monkeypatch.setattr(Scene, "order", lambda scene, attack: replace(order(scene, attack), slot=slot))
    async with compute_on(slot, level, ATTACK_PRELOAD) as compute:
        verdicts = [await carry_out(attack, compute, tmp_path) for attack in ATTACKS if "memory" not in attack.name]
    assert len(verdicts) > 40
    assert [verdict.attack for verdict in verdicts if verdict.won and verdict.expected == "stopped"] == []

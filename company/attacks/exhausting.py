"""Attacks that use up what everybody shares: processes, memory, disk, time. Each is bounded where it wins."""

from __future__ import annotations

from company.attacks.attack import Attack
from company.attacks.scene import Scene
from company.compute.backend import Outcome

_FORKS = """
for _ in range(200):
    if os.fork() == 0:
        name_me(T["tag"])
        time.sleep(20)
        os._exit(0)
time.sleep(2)
"""
_FOUR = """
for _ in range(4):
    if os.fork() == 0:
        name_me(T["tag"])
        kept = b"x" * (75 << 20)
        time.sleep(5)
        os._exit(0)
time.sleep(3)
"""
_SHM = """
for n in range(40):
    Path(f"{T['shm']}.{n}").write_bytes(bytes(1 << 20))
"""
_DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        name_me(T["tag"])
        time.sleep(20)
    os._exit(0)
time.sleep(0.1)
"""
_RELAUNCH = """
program = f"import ctypes, time; ctypes.CDLL(None).prctl(15, {T['tag'].encode()[:15]!r}, 0, 0, 0); time.sleep(20)"
subprocess.Popen([sys.executable, "-S", "-c", program], start_new_session=True)
time.sleep(0.3)
"""
_DISK = """
for n in range(64):
    (out / f"checkpoint{n}").write_bytes(os.urandom(1 << 20))
time.sleep(3)
"""
_UNNAMED = """
kept = []
for n in range(64):
    path = out / f"checkpoint{n}"
    kept.append(path.open("wb", 0))
    kept[-1].write(os.urandom(1 << 20))
    path.unlink()
time.sleep(3)
"""
_MEMFD = """
kept = []
for n in range(12):
    kept.append(os.memfd_create("kept"))
    for _ in range(8):
        os.write(kept[-1], b"x" * (1 << 20))
time.sleep(3)
"""
_TIMEOUT = """
try:
    Path(T["project"], "project.yaml").write_text("limits: {seconds: 9999}")
finally:
    while True:
        time.sleep(1)
"""
_LINES = """
for _ in range(1000):
    os.write(2, b"noise\\n" * 1000)
"""


def _ended_well(scene: Scene, outcome: Outcome) -> bool:
    return outcome.status == "ok"


def _held_them(scene: Scene, outcome: Outcome) -> bool:
    return outcome.status == "ok" and "refused" not in scene.log()


EXHAUSTING: tuple[Attack, ...] = (
    Attack("fork bomb", "forks and forks (here 200 times)", _ended_well, _FORKS),
    Attack(
        "memory", "allocates 300 MB at a limit of 128", _ended_well, 'kept = b"x" * (300 << 20)',
        failure="out_of_memory",
    ),
    Attack(
        "memory of four", "allocates 75 MB in each of four processes", _ended_well, _FOUR, failure="out_of_memory",
    ),
    Attack(
        "memory while predicting", "allocates 300 MB in predict()", _ended_well, predict='kept = b"x" * (300 << 20)',
        failure="bad_output",
    ),
    Attack("/dev/shm", "fills the host's /dev/shm", lambda scene, outcome: scene.in_shm(), _SHM, wins=("none",)),
    Attack("files in memory", "holds 96 MB in files that lie in memory", _held_them, _MEMFD),
    Attack("daemon", "leaves a process of its own behind", lambda scene, outcome: scene.alive(), _DAEMON),
    Attack("relaunch", "starts itself again, in a session of its own", lambda scene, outcome: scene.alive(), _RELAUNCH),
    Attack("checkpoints", "fills the disk with 64 MB at a limit of 16", _ended_well, _DISK, failure="crash"),
    Attack("files without a name", "fills the disk with files that it removed", _ended_well, _UNNAMED, failure="crash"),
    Attack(
        "a terabyte", "makes one file of a terabyte", lambda scene, outcome: scene.largest() > 64 << 20,
        '(out / "model.safetensors").touch(); os.truncate(out / "model.safetensors", 1 << 40)',
    ),
    Attack(
        "a million lines", "writes a million lines of log", lambda scene, outcome: scene.log_bytes() > 9 * 1024, _LINES,
    ),
    Attack(
        "its own timeout", "edits its limits, then never ends", lambda scene, outcome: outcome.measured["seconds"] > 5,
        _TIMEOUT, failure="timeout", limits={"seconds": 0.5},
    ),
)  # fmt: skip

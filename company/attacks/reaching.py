"""Attacks that reach out of a run: the network, other files, other processes."""

from __future__ import annotations

from company.attacks.attack import Attack
from company.attacks.scene import ENV_KEY

_OTHERS_ENVIRONMENT = f"""
for entry in Path("/proc").iterdir():
    try:
        text = (entry / "environ").read_bytes()
        if b"{ENV_KEY}=" in text:
            say(text.split(b"{ENV_KEY}=")[1][:64].decode())
    except OSError:
        pass
"""
_OTHERS_MEMORY = f"""
libc = ctypes.CDLL(None, use_errno=True)
for line in open(f"/proc/{{T['victim']}}/maps"):
    place, rights = line.split()[:2]
    start, end = (int(part, 16) for part in place.split("-"))
    if rights.startswith("rw") and end - start < 1 << 24:
        try:
            with open(f"/proc/{{T['victim']}}/mem", "rb", 0) as memory:
                memory.seek(start)
                found = memory.read(end - start).split(b"{ENV_KEY}=")
        except OSError:
            break
        if len(found) > 1:
            say(found[1][:64].decode(errors="replace"))
"""
_NAMESPACE = """
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000 | 0x20000) == 0:
    say("WON a user namespace")
child = subprocess.run(["unshare", "-Ur", "true"], capture_output=True)
if child.returncode == 0:
    say("WON by unshare -Ur")
"""
_SETTINGS = """
path = Path("/proc/sys/vm/swappiness")
path.write_text(path.read_text())
say("WON a kernel setting")
"""

REACHING: tuple[Attack, ...] = (
    Attack(
        "tcp", "connects to a TCP port outside", lambda scene, outcome: scene.called(),
        'socket.create_connection(("127.0.0.1", T["tcp"]), 1).sendall(b"secret")', wins=("none",),
    ),
    Attack(
        "udp", "sends a UDP packet outside", lambda scene, outcome: scene.called(),
        'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"secret", ("127.0.0.1", T["udp"]))', wins=("none",),
    ),
    Attack(
        "abstract socket", "connects to an abstract unix socket of the host", lambda scene, outcome: scene.called(),
        'socket.socket(socket.AF_UNIX).connect("\\0" + T["tag"])', wins=("none",),
    ),
    Attack(
        "agent's socket", "connects to a unix socket in the home, such as ssh-agent's",
        lambda scene, outcome: scene.called(),
        'socket.socket(socket.AF_UNIX).connect(T["agent"])', wins=("none",),
    ),
    Attack(
        "secret file", "reads a key in the home's .ssh", lambda scene, outcome: scene.leaked(),
        'say(Path(T["secret"]).read_text())', wins=("none",),
    ),
    Attack(
        "others' environment", "reads keys in the environment of other processes",
        lambda scene, outcome: scene.leaked(), _OTHERS_ENVIRONMENT, wins=("none",),
    ),
    Attack(
        "others' memory", "reads the memory of another process", lambda scene, outcome: scene.leaked(),
        _OTHERS_MEMORY, depends=("none",),
    ),
    Attack(
        "own environment", "looks for an API key in its own environment", lambda scene, outcome: scene.leaked(),
        'say(dict(os.environ)); say(Path("/proc/self/environ").read_bytes())',
    ),
    Attack(
        "labels", "reads the labels that are held out", lambda scene, outcome: scene.leaked(),
        'say(Path(T["labels"]).read_text())', wins=("none",),
    ),
    Attack(
        "home", "writes a file of the home", lambda scene, outcome: "bad" in (scene.home / ".profile").read_text(),
        'Path(T["profile"]).write_text("bad")', wins=("none",),
    ),
    Attack(
        "/tmp", "leaves a file in the host's /tmp", lambda scene, outcome: scene.exists("tmp"),
        'Path(T["tmp"]).write_text("bad")', wins=("none",),
    ),
    Attack(
        "evaluator", "edits the evaluator", lambda scene, outcome: "edited" in scene.evaluator(),
        'open(T["evaluator"], "a").write("# edited")', wins=("none",),
    ),
    Attack(
        ".pth", "leaves a .pth file in the environment, which every Python there would run",
        lambda scene, outcome: scene.exists("pth"), 'Path(T["pth"]).write_text("# harmless")', depends=("none",),
    ),
    Attack(
        "kill", "kills a process outside", lambda scene, outcome: scene.victim.poll() is not None,
        'os.kill(T["victim"], signal.SIGKILL); time.sleep(0.05)', wins=("none",),
    ),
    Attack(
        "kill -1", "signals every process that it may", lambda scene, outcome: scene.signalled.exists(),
        "os.kill(-1, signal.SIGURG); time.sleep(0.05)", wins=("none",),
    ),
    Attack(
        "the warm parent", "kills the process that it was forked from",
        lambda scene, outcome: outcome.status == "lost",
        "if os.getppid() > 1: os.kill(os.getppid(), signal.SIGKILL); time.sleep(0.5)", wins=("none",),
    ),
    Attack(
        "kernel settings", "writes a setting of the kernel (the value that it has)",
        lambda scene, outcome: "WON" in scene.log(), _SETTINGS, depends=("none",),
    ),
    Attack(
        "user namespace", "makes a user namespace in which it would be root",
        lambda scene, outcome: "WON" in scene.log(), _NAMESPACE, depends=("none",),
    ),
)  # fmt: skip

"""Attacks on whoever reads what a run left: links, pipes, depth, numbers that are none, a repository with hooks."""

from __future__ import annotations

from company.attacks.attack import Attack
from company.attacks.scene import Scene
from company.compute.backend import Outcome

_LINKED_LOG = """
os.unlink(out / "log.txt")
os.symlink(T["profile"], out / "log.txt")
time.sleep(0.1)
"""
_HARD_LINK = """
finish = lambda: (out / "model.safetensors").write_bytes(b"weights")
os.link(T["profile"], out / "model.json")
os.link(T["profile"], out / "metrics.jsonl.new")
os.rename(out / "metrics.jsonl.new", out / "metrics.jsonl")
"""
_FIFO = """
finish = lambda: None
os.unlink(out / "metrics.jsonl")
os.mkfifo(out / "metrics.jsonl")
os.mkfifo(out / "model.safetensors")
"""
_DEVICE = """
finish = lambda: None
os.unlink(out / "metrics.jsonl")
os.mknod(out / "metrics.jsonl", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
os.mknod(out / "model.safetensors", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
"""
_DEEP = """
at = os.getcwd()
for _ in range(400):
    os.mkdir("x" * 20)
    os.chdir("x" * 20)
os.chdir(at)
os.mkdir(out / "locked")
os.mkdir(out / "locked" / "in")
os.chmod(out / "locked", 0)
"""
_NUMBERS = """
with open(out / "metrics.jsonl", "ab") as file:
    file.write(b"[" * 100000 + b"\\n")
    file.write(b'{"step": 2, "loss": 1e999}\\n' if T["tag"] == "" else b'{"step": 1e999, "loss": 1}\\n')
    file.write(b'{"step": ' + b"9" * 4000 + b', "loss": 1}\\n')
    file.write(b'{"step": 3, "loss": "\\x1b[2J"}\\n' + b"\\xff\\x00\\n" * 1000)
"""
_HOOKS = """
subprocess.run(["git", "init", "-q", str(out)], capture_output=True)
(out / ".git" / "hooks").mkdir(parents=True, exist_ok=True)
hook = out / ".git" / "hooks" / "pre-commit"
hook.write_text("#!/bin/sh\\ntouch " + T["home"] + "/hooked\\n")
hook.chmod(0o755)
(out / ".git" / "config").write_text("[core]\\n\\tfsmonitor = touch " + T["home"] + "/hooked\\n")
"""


def _profile_touched(scene: Scene, outcome: Outcome) -> bool:
    return (scene.home / ".profile").read_text() != "as it was\n"


LEAVING: tuple[Attack, ...] = (
    Attack("a linked log", "puts a link to a file of the home in the place of its log", _profile_touched, _LINKED_LOG),
    Attack("hard links", "gives files of the home the names of its outputs", _profile_touched, _HARD_LINK),
    Attack(
        "pipes", "leaves pipes, on which a reader waits for ever",
        lambda scene, outcome: outcome.status == "ok" or outcome.measured["seconds"] > 5, _FIFO, failure="bad_output",
    ),
    Attack(
        "devices", "leaves devices, of which a reader reads for ever",
        lambda scene, outcome: outcome.status == "ok" or outcome.measured["seconds"] > 5, _DEVICE,
        failure="bad_output",
    ),
    Attack(
        "depth", "nests folders deeper than a path can be long, and locks one",
        lambda scene, outcome: bool(scene.strays()), _DEEP,
    ),
    Attack(
        "numbers", "reports nonsense: depth, infinities, a number of 4,000 digits, terminal escapes",
        lambda scene, outcome: outcome.curve != ((1, 1.0),), _NUMBERS,
    ),
    Attack(
        "hooks", "leaves a repository whose hooks run when the host commits",
        lambda scene, outcome: ".git" in scene.strays() or (scene.home / "hooked").exists(), _HOOKS,
    ),
)  # fmt: skip

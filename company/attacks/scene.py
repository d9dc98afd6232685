"""The ground on which attacks are tried: a made-up home, listeners, a victim, a project with labels; all in one folder.

Covered: nothing of the person's own is a target but three folders where a harmless file is made and removed again, by a
name that nothing else has: /tmp, /dev/shm and the environment's site-packages.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from company.attacks.attack import Attack
from company.compute.backend import Order, Slot
from projects.spec import CostTable, Limits, Metric, Project, SearchSpace

ENV_KEY = "LOOPWORKS_ATTACK_API_KEY"
SHM = Path("/dev/shm")
KEPT = {"config.json", "train.py", "log.txt", "metrics.jsonl", "model.json", "model.safetensors", "result.json"}
METRIC = 0.6931  # of a model that knows nothing, to four digits
LIMITS = {"memory_mb": 128, "seconds": 15.0, "log_kb": 8, "disk_mb": 16}
VICTIM = """
import os, signal, sys
kept = [os.environ[sys.argv[1]].encode() * 64]
signal.signal(signal.SIGURG, lambda *_: open(sys.argv[2], "w").close())
print("ready", flush=True)
while True:
    signal.pause()
"""
LIBRARY = """
import argparse, ctypes, json, os, pickle, signal, socket, stat, subprocess, sys, time
from pathlib import Path
T = json.loads(TARGETS)
def load(folder, device):
    return Path(folder)
def predict(model, inputs):
    import numpy as np
    answer = np.full((len(inputs), 2), np.log(0.5))
PREDICT
    return answer
def say(text):
    os.write(2, (str(text) + "\\n").encode(errors="replace"))
def name_me(name):
    ctypes.CDLL(None).prctl(15, name.encode()[:15], 0, 0, 0)
def metric(step, loss):
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"step": step, "of": 20, "loss": loss}) + "\\n")
def finish():
    (out / "model.safetensors").write_bytes(b"weights")
    (out / "model.json").write_text("{}")
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out")
    out = Path(parser.parse_known_args()[0].out)
    metric(1, 1.0)
    try:
TRAIN
    except OSError as refused:
        say(f"refused: {refused}")
    finish()
"""
EVALUATE = """
import json, sys
from pathlib import Path
import numpy as np
from projects.predictor import PredictionError, Predictor, print_result
given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
try:
    with Predictor(given["--code"], given["--artefact"], timeout=10) as model:
        answers = model.predict(np.arange(64.0), (64, 2))
    labels = np.array([int(c) for c in Path(given["--data"], "labels.txt").read_text().split()[1]])
    print_result({"metric": float(-answers[np.arange(64), labels].mean()), "n": 64})
except PredictionError as problem:
    print_result({"failure": problem.kind, "detail": problem.detail})
"""


class Scene:
    """Targets for one attack; `close` removes them. The secret token is nowhere but in what must not be read."""

    def __init__(self, folder: Path) -> None:
        self.token, self.tag = secrets.token_hex(16), f"lw{secrets.token_hex(5)}"
        self.folder = folder / self.tag
        self.home, self.project, self.data = (self.folder / name for name in ("home", "project", "data"))
        self.experiments = self.folder / "experiments"
        self.out, self.other = self.experiments / "e1", self.experiments / "e0"
        self._write_files()
        self.tcp = _listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp = _listening(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.abstract = _listening(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.tag}")
        self.agent = _listening(socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "agent.sock"))
        self.signalled = self.folder / "signalled"
        self.victim = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", VICTIM, ENV_KEY, str(self.signalled)], stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL, env={ENV_KEY: self.token}, start_new_session=True,
        )  # fmt: skip
        assert self.victim.stdout
        self.victim.stdout.readline()
        self.targets = self._where()

    def _write_files(self) -> None:
        for path in (self.home / ".ssh", self.project, self.data / "train", self.data / "sealed", self.other):
            path.mkdir(parents=True)
        (self.home / ".ssh" / "id").write_text(self.token)
        (self.home / ".profile").write_text("as it was\n")
        labels = "".join(str(byte & 1) for byte in bytes.fromhex(self.token) * 4)
        (self.data / "sealed" / "labels.txt").write_text(f"{self.token} {labels}")
        (self.other / "model.safetensors").write_bytes(b"champion " + self.token.encode())
        (self.project / "evaluate.py").write_text(EVALUATE)

    def _where(self) -> dict[str, Any]:
        """What the attacker knows: where everything is."""
        site = Path(sysconfig.get_paths()["purelib"])
        return {
            "tag": self.tag, "tcp": self.tcp.getsockname()[1], "udp": self.udp.getsockname()[1],
            "agent": str(self.folder / "agent.sock"), "secret": str(self.home / ".ssh" / "id"),
            "profile": str(self.home / ".profile"), "home": str(self.home), "engine": os.getpid(),
            "labels": str(self.data / "sealed" / "labels.txt"), "evaluator": str(self.project / "evaluate.py"),
            "other": str(self.other / "model.safetensors"), "victim": self.victim.pid, "project": str(self.project),
            "pth": str(site / f"{self.tag}.pth"), "tmp": f"/tmp/{self.tag}", "shm": f"/dev/shm/{self.tag}",
            "answer": str(self.experiments / ".e1.answer.txt"),
        }  # fmt: skip

    def order(self, attack: Attack) -> Order:
        """The attack as an order of the company."""
        script = LIBRARY.replace("TARGETS", repr(json.dumps(self.targets)))
        script = script.replace("PREDICT", _indented(attack.predict, 4)).replace("TRAIN", _indented(attack.train, 8))
        (self.project / "train.py").write_text(script)
        limits = Limits(**{**LIMITS, **attack.limits})  # pyright: ignore[reportArgumentType]
        costs = CostTable(1, "none", (), {"": 0.01})
        project = Project(
            "attacked", "Attacked", 1, self.project, Metric("loss"), SearchSpace(()), {}, 1.0, costs, limits,
        )  # fmt: skip
        return Order("e1", 1, Slot(0), project, self.out, self.data, {}, 1, 20, keep_weights=True)

    def leaked(self) -> bool:
        """Whether what must not be read lies where the run could put it."""
        token = self.token.encode()
        return any(token in path.read_bytes() for path in self.out.rglob("*") if path.is_file())

    def log(self) -> str:
        """The run's log as the company kept it."""
        path = self.out / "log.txt"
        return path.read_text(errors="replace") if path.is_file() and not path.is_symlink() else ""

    def log_bytes(self) -> int:
        """How long that log is."""
        return (self.out / "log.txt").stat().st_size

    def exists(self, target: str) -> bool:
        """Whether there is a file at a target on the host."""
        return Path(self.targets[target]).exists()

    def in_shm(self) -> bool:
        """Whether files of the attack lie in the host's /dev/shm."""
        return any(_of(SHM, self.tag))

    def evaluator(self) -> str:
        """The text of the project's evaluate.py."""
        return (self.project / "evaluate.py").read_text()

    def code_was_changed(self) -> bool:
        """Whether code or config on record are not what was ordered."""
        same = (self.out / "train.py").read_bytes() == (self.project / "train.py").read_bytes()
        return not same or json.loads((self.out / "config.json").read_text()) != {}

    def strays(self) -> set[str]:
        """What lies in the experiment's folder and is nothing that the company keeps."""
        return {path.name for path in self.out.iterdir()} - KEPT

    def largest(self) -> int:
        """Bytes of the largest file of the experiment."""
        return max(path.stat().st_size for path in self.out.iterdir() if path.is_file())

    def called(self) -> bool:
        """Whether anybody reached a listener."""
        return any(_received(each) for each in (self.tcp, self.udp, self.abstract, self.agent))

    def alive(self) -> bool:
        """Whether a process of the attack is left that bears its tag; it has a moment to be gone."""
        deadline = time.monotonic() + 1.0
        while any(_named(self.tag)):
            if time.monotonic() > deadline:
                return True
            time.sleep(0.01)
        return False

    def result(self) -> dict[str, Any]:
        """The result.json that the company wrote."""
        return json.loads((self.out / "result.json").read_text())

    def close(self) -> None:
        """End and remove everything of this scene, what an attack that won put elsewhere too."""
        self.victim.kill()
        self.victim.communicate()
        for each in (self.tcp, self.udp, self.abstract, self.agent):
            each.close()
        for pid in _named(self.tag):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        places = [self.targets[name] for name in ("tmp", "pth")]
        places += _of(SHM, self.tag)
        for place in places:
            with contextlib.suppress(FileNotFoundError):
                Path(place).unlink()


def _listening(family: int, kind: int, address: Any) -> socket.socket:
    made = socket.socket(family, kind)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen(8)
    made.setblocking(False)
    return made


def _received(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_STREAM:
            listener.accept()[0].close()
        else:
            listener.recv(64)
    except BlockingIOError:
        return False
    return True


def _of(folder: Path, tag: str) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(tag)] if folder.is_dir() else []


def _named(tag: str) -> Iterator[int]:
    """Processes that took the tag as their name."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "comm").read_text().strip() == tag[:15] and (entry / "stat").read_text().split()[2] != "Z":
                    yield int(entry.name)


def _indented(code: str, by: int) -> str:
    return "\n".join(" " * by + line for line in (code.strip("\n") or "pass").splitlines())

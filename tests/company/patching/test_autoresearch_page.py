"""docs/autoresearch.md, exactly as it is written: its files, its chart, its commands; only the model is ours."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from company.ledger import Ledger
from projects.load import load_project
from tests.model_server import Asked, Said, call, serving
from tests.support import loopworks

pytest.importorskip("autogen_ext")
pytestmark = pytest.mark.slow
PAGE = (Path(__file__).resolve().parents[3] / "docs" / "autoresearch.md").read_text()
IDEAS = [
    ("HIDDEN = 6, 16, 64", "HIDDEN = 6, 16, 0", "no hidden layer"),
    ("RATE, BATCH = 0.05, 64", "RATE, BATCH = 0.3, 64", "a larger rate"),
    ("    loss = -log_p[np.arange(len(targets)), targets].mean()", "    loss = nobody_knows", "breaks what calls it"),
    ("    logits -= logits.max(axis=1, keepdims=True)\n", "", "small logits need no care"),
]


def mind(asked: Asked) -> Said:
    """One idea after another, on whatever code it is shown."""
    assert "Lower validation bits per byte" in asked.system, "the person's program"
    assert asked.task == "propose"
    for old, new, reason in IDEAS:
        told = asked.question.split("## Training code")[0]
        if old.strip() in asked.question and reason not in mind.said and reason not in told:  # type: ignore[attr-defined]
            mind.said.add(reason)  # type: ignore[attr-defined]
            patch = f"<<<<<<< SEARCH\n{old.rstrip()}\n=======\n{new}{'' if not new else chr(10)}>>>>>>> REPLACE"
            return call("Patch", patch=patch, predicted=3.5, reason=reason)
    return call("Note", text="out of ideas")


mind.said = set()  # type: ignore[attr-defined]


def write_page(folder: Path, url: str) -> None:
    """The page's files where its commands look for them."""
    for name, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```", PAGE, re.S | re.M):
        place = folder / name if name == "autoresearch.yaml" else folder / "nano" / name
        place.parent.mkdir(exist_ok=True)
        assert "http://localhost:8000/v1" in text or name != "autoresearch.yaml"
        place.write_text(text.replace("http://localhost:8000/v1", url))


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.S | re.M)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def run(words: list[str], folder: Path) -> str:
    if words[0] == "loopworks":
        done = loopworks(*words[1:], cwd=folder, timeout=600)
    else:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
    return done.stdout


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    assert len(commands()) == 6
    with serving(mind) as server:
        write_page(tmp_path, server.url())
        said = [run(words, tmp_path) for words in commands()]
    assert "autoresearch on nano" in said[3], "the report"
    state = Ledger(tmp_path / "night" / "ledger.sqlite").fold()
    champions = [state.experiments[experiment] for _, experiment in state.reigns]
    assert "a larger rate" in [e.reason for e in champions]
    assert not {"no hidden layer", "breaks what calls it"} & {e.reason for e in champions}
    broken = next(e for e in state.experiments.values() if e.reason == "breaks what calls it")
    assert broken.status == "failed"
    log = run(["git", "-C", "kept", "log", "--first-parent", "--format=%s"], tmp_path).splitlines()
    assert [line.split(" is champion: ")[-1] for line in log[::-1]][1:] == [e.reason for e in champions]
    run(["git", "-C", "kept", "fetch", "-q", "origin", "refs/tried/*:refs/tried/*"], tmp_path)
    assert f"refs/tried/{broken.id}" in run(["git", "-C", "kept", "for-each-ref"], tmp_path)
    kept = load_project(tmp_path / "kept")
    assert state.champion is not None and kept.baseline == state.champion.config
    assert kept.code == state.codes[state.champion.code].event.files
    offline = Ledger(tmp_path / "offline" / "ledger.sqlite").fold()
    assert offline.champion is not None and not offline.codes and len(offline.reigns) >= 1
    words = ["-m", "company", "project", "check", "kept", "--run"]
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True, capture_output=True, env={**os.environ})

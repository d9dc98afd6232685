"""A bare git repository, written by plumbing alone: no work tree, no hooks, no filters, no configuration but its own.

Covered: names, messages and files that agents chose (nothing of them reaches a shell or an option), stale locks of an
engine that was killed, settings of the person or the machine. Commits are named by what they hold: the same content,
parents, author, time and message give the same commit. Not covered: a run that can write to this folder; the
sandbox keeps it away.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

BRANCH = "refs/heads/champion"
EPOCH = 946_684_800  # 2000-01-01, where company time begins: the wall clock would name the same history otherwise
TIMEOUT_S = 60.0


class RepositoryError(Exception):
    """The repository cannot be written or read; the message is one line that says what to do."""


class Repository:
    """A bare repository whose first branch is `champion`; made at the first use, mended after a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._blobs: dict[str, str] = {}  # sha256 of a text -> its blob

    def open(self) -> None:
        """Make the repository if there is none and remove locks that a killed engine left. Raises RepositoryError.

        Only one engine works in a run directory at a time, so that every lock here is a dead one's.
        """
        if not (self.path / "HEAD").is_file():
            self._git("init", "--quiet", "--bare", "--template=", "--initial-branch=champion", str(self.path.resolve()))
        for lock in self.path.rglob("*.lock"):
            lock.unlink(missing_ok=True)

    def commit(
        self, files: Mapping[str, str], parents: Sequence[str], message: str, author: str, at: float, ref: str
    ) -> str:
        """Commit a whole tree (path -> text) and point `ref` at it; returns the commit's name. `at` in company time."""
        index = self.path / "loopworks.index"
        index.unlink(missing_ok=True)
        entries = [f"100644,{self._blob(text)},{path}" for path, text in sorted(files.items())]
        settings = {"GIT_INDEX_FILE": str(index.resolve())}
        words = (word for entry in entries for word in ("--cacheinfo", entry))
        self._git("update-index", "--add", *words, settings=settings)
        tree = self._git("write-tree", settings=settings)
        index.unlink(missing_ok=True)
        made = self._git(
            "commit-tree", tree, *(word for parent in parents for word in ("-p", parent)),
            text=message, settings=_signed(author, at),
        )  # fmt: skip
        self.point(ref, made)
        return made

    def point(self, ref: str, commit: str) -> None:
        """Let `ref` name a commit."""
        self._git("update-ref", "--no-deref", ref, commit)

    def refs(self) -> dict[str, str]:
        """Every ref and the commit that it names."""
        lines = self._git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def length(self, ref: str) -> int:
        """Commits on the first line of ancestry of a ref."""
        return int(self._git("rev-list", "--first-parent", "--count", ref))

    def _blob(self, text: str) -> str:
        key = hashlib.sha256(text.encode()).hexdigest()
        if key not in self._blobs:
            self._blobs[key] = self._git("hash-object", "-w", "--no-filters", "--stdin", text=text)
        return self._blobs[key]

    def _git(self, *words: str, text: str = "", settings: Mapping[str, str] | None = None) -> str:
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "--git-dir", str(self.path.resolve())]
        try:
            done = subprocess.run(
                [*command, *words], input=text.encode(errors="replace"), capture_output=True, timeout=TIMEOUT_S,
                env={**_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath), **(settings or {})}, check=False,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise RepositoryError("git is not installed: the code of this run is kept in its ledger only") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RepositoryError(f"{self.path}: git {words[0]} cannot be run: {error}") from error
        if done.returncode:
            said = _last_line(done.stderr.decode(errors="replace").splitlines())
            raise RepositoryError(f"{self.path}: git {words[0]} failed: {said}; remove this folder and resume the run")
        return done.stdout.decode().strip()


_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "TZ": "UTC",
}


def _signed(author: str, at: float) -> dict[str, str]:
    when = f"{EPOCH + int(at)} +0000"
    return {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author), ("EMAIL", "agent@loopworks.invalid"), ("DATE", when))
    }


def _last_line(lines: Iterable[str]) -> str:
    return next((line for line in reversed(list(lines)) if line.strip()), "no message")[:300]

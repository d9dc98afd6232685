"""The run's code as git history: a commit for every version that was tried, a branch for the champions.

The ledger is the truth and this follows it: what is missing is made again, with the same names. `refs/tried/ID` keeps
what was discarded; the branch `champion` starts at the project's own code, and each of its commits is a champion whose
second parent is the version that it runs. The baseline in project.yaml is what the version was tried with.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from company.entities import Code, Experiment
from company.patching.checkout import checkout
from company.patching.repository import BRANCH, Repository, RepositoryError
from company.state import State
from company.wording import plain
from projects.spec import Project

TRIED = "refs/tried/"


class CodeHistory:
    """Follows a company's state into the repository at `path`. `problem` says why it does not any more: it is never a
    reason to stop a run."""

    def __init__(self, path: Path, project: Project) -> None:
        self.path, self.project, self.problem = path, project, ""
        self._repository = Repository(path)
        self._commits: dict[str, str] = {}  # version of the code -> its commit
        self._reigns = 0
        self._tip = ""

    def follow(self, state: State) -> None:
        """Commit what is new. A company that changes no code has no repository."""
        if self.problem or not state.codes or not self._is_behind(state):
            return
        try:
            if not self._tip:
                self._begin(state)
            for version in list(state.codes)[len(self._commits) - 1 :]:
                self._commits[version] = self._commit_version(state, state.codes[version])
            for at, experiment in state.reigns[self._reigns :]:
                self._crown(state, state.experiments[experiment], at)
        except (RepositoryError, OSError, ValueError) as error:
            self.problem = str(error)

    def _is_behind(self, state: State) -> bool:
        return len(self._commits) - 1 < len(state.codes) or self._reigns < len(state.reigns)

    def _begin(self, state: State) -> None:
        """Open the repository. What is there already is taken over when all of it belongs to this history."""
        self._repository.open()
        files = checkout(self.project, {}, state.brief["baseline"])
        message = f"{self.project.name}: the project's own code"
        refs = self._repository.refs()
        base = self._repository.commit(files, (), message, "the company", 0.0, BRANCH)
        self._commits, self._reigns, self._tip = {"": base}, 0, base
        known = [refs.get(self._ref(state, code)) for code in state.codes.values()]
        if BRANCH in refs and all(known) and self._repository.length(refs[BRANCH]) == 1 + len(state.reigns):
            self._commits |= {version: str(commit) for version, commit in zip(state.codes, known, strict=True)}
            self._reigns, self._tip = len(state.reigns), refs[BRANCH]
            self._repository.point(BRANCH, self._tip)

    def _commit_version(self, state: State, code: Code) -> str:
        event, experiment = code.event, state.experiments[code.event.experiment]
        files = checkout(self.project, _texts(event.files), experiment.config)
        message = f"{experiment.id}: {plain(experiment.reason, 72) or 'a patch'}\n\nVersion {event.code} of the code."
        parent = self._commits[event.parent]
        return self._repository.commit(
            files, [parent], message, plain(event.agent, 60), code.at, self._ref(state, code)
        )

    def _crown(self, state: State, champion: Experiment, at: float) -> None:
        code = state.codes.get(champion.code)
        files = checkout(self.project, _texts(code.event.files) if code else {}, champion.config)
        parents = dict.fromkeys([self._tip, self._commits[champion.code]])
        message = f"{champion.id} is champion: {plain(champion.reason, 72)}".rstrip(": ")
        author = plain(champion.proposer or "the company", 60)
        self._tip = self._repository.commit(files, list(parents), message, author, at, BRANCH)
        self._reigns += 1

    def _ref(self, state: State, code: Code) -> str:
        """`refs/tried/e0007`, and `refs/tried/e0007-repair1` for the first repair of its code."""
        of = code.event.experiment
        versions = [other.event.code for other in state.codes.values() if other.event.experiment == of]
        repair = versions.index(code.event.code)
        return f"{TRIED}{of}-repair{repair}" if repair else f"{TRIED}{of}"


def _texts(files: Mapping[str, object]) -> dict[str, str]:
    return {str(name): str(text) for name, text in files.items()}

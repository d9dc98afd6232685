"""Versions of the training code in a company: what a patch makes of one, and what was there before. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from company import events as ev
from company.patching.blocks import PatchError, apply, difference
from company.patching.code import IMPORTS, code_hash, code_lines, problems
from company.state import State
from projects.spec import Config, Project, config_hash


@dataclass(frozen=True, slots=True)
class Version:
    """Changed code: `code` is its hash, "" where it came out as the project's own; `parent` what was changed."""

    code: str
    parent: str
    files: Mapping[str, str]
    diff: str

    def event(self, agent: str, experiment: str) -> ev.CodeWritten:
        """The version as a fact."""
        return ev.CodeWritten(
            self.code, self.parent, dict(self.files), self.diff, code_lines(self.files), agent, experiment
        )


def files_of(state: State, project: Project, code: str) -> Mapping[str, str]:
    """The editable files of a version; {} for a project whose code is not at hand."""
    return state.codes[code].event.files if code else project.code


def lines_of(state: State, project: Project, code: str) -> int:
    """How much code a version is (company/patching/code.py)."""
    return state.codes[code].event.lines if code else code_lines(project.code)


def refusal(state: State, project: Project) -> str:
    """Why this company takes no patches, empty where it does."""
    if not project.code:
        return f"'{project.name}' has no training code to change"
    return str(state.brief.get("no_patches", ""))


def rules(project: Project) -> str:
    """What a patch may do, in a sentence for whoever writes one."""
    files, imports = ", ".join(project.editable), ", ".join((*IMPORTS, *project.imports))
    return (
        f"Editable: {files}, at most {project.max_lines} lines; no files, processes or network beyond what the"
        f" project's own code uses; imports: those there are, and {imports}."
    )


def patched(state: State, project: Project, parent: str, patch: str) -> Version:
    """What a patch makes of a version. Raises PatchError, in one line, for one that cannot be run."""
    if why := refusal(state, project):
        raise PatchError(why)
    before = files_of(state, project, parent)
    files = apply(patch, before)
    if found := problems(files, project):
        raise PatchError("; ".join(found))
    code = code_hash(files)
    code = "" if code == code_hash(project.code) else code
    known = state.codes.get(code)
    return Version(code, parent, known.event.files if known else files, difference(before, files))


def content_hash(config: Config, code: str) -> str:
    """What a result is bound to: 12 hex digits of config and version of the code; of the config alone for the own."""
    digest = config_hash(config)
    return hashlib.sha256(f"{digest}/{code}".encode()).hexdigest()[:12] if code else digest

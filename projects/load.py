"""Read a project folder into a `Project`, or say everything that is wrong with it at once."""

from __future__ import annotations

import ast
import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from projects.read_costs import NO_COSTS, read_costs
from projects.read_editable import Editable, read_editable
from projects.read_space import is_number, known_keys, nearest, read_space
from projects.spec import CostTable, Limits, Metric, Project, SearchSpace, Value

HERE = Path(__file__).resolve().parent
KEYS = (
    "name",
    "title",
    "version",
    "metric",
    "budget",
    "limits",
    "micro_batch",
    "sealed",
    "references",
    "space",
    "preload",
    "editable",
)
REQUIRED = ("name", "metric", "budget", "space", "baseline")
LARGEST_FILE = 1 << 20  # bytes of project.yaml or costs.json


class ProjectError(Exception):
    """A project that cannot be used; `problems` has one line for each thing wrong: file, what, what to do."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def shipped_projects() -> tuple[str, ...]:
    """Names of the projects that come with Loopworks, sorted."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/project.yaml")))


def load_project(name_or_path: str | Path, *, costs: bool = True) -> Project:
    """The project of that shipped name, or of that folder. Raises ProjectError with all problems at once.

    `costs=False` accepts a project that was never calibrated, for what comes before calibration.
    """
    folder = find_folder(name_or_path)
    problems: list[str] = []
    document = _read_yaml(folder / "project.yaml", problems)
    project = _Reader(folder, document, problems).project(costs) if not problems else None
    if problems or project is None:
        raise ProjectError(problems)
    return project


def find_folder(name_or_path: str | Path) -> Path:
    """Where a project is: a shipped name wins over a folder of the same name (write ./NAME for that)."""
    given = str(name_or_path)
    if not given:  # a path without a name would be the current directory
        shipped = ", ".join(shipped_projects())
        raise ProjectError([f"no project is named: shipped are {shipped}; or give the path of a folder"])
    if given in shipped_projects():
        return HERE / given
    path = Path(given).expanduser()
    folder = path.parent if path.name == "project.yaml" else path
    if (folder / "project.yaml").is_file():
        return folder.resolve()
    if folder.is_dir():
        raise ProjectError([f"{folder}: no project.yaml in this folder; docs/projects.md shows a small one"])
    names = ", ".join(shipped_projects())
    hint = nearest(given, shipped_projects()) or f"shipped are {names}; or give the path of a project folder"
    raise ProjectError([f"project '{given}' does not exist: {hint}"])


class _Reader:
    """Turns the parsed project.yaml into types; every problem found lands in `problems` as one line."""

    def __init__(self, folder: Path, document: Mapping[str, Any], problems: list[str]) -> None:
        self.folder, self.document, self.problems = folder, document, problems

    def say(self, what: str, file: str = "project.yaml") -> None:
        self.problems.append(f"{self.folder / file}: {what}")

    def project(self, with_costs: bool) -> Project | None:
        known_keys(self.say, self.document, (*KEYS, "baseline"), "")
        for name in REQUIRED:
            if name not in self.document:
                self.say(f"'{name}' is missing; docs/projects.md says what it holds")
        metric, limits = self.metric(), self.limits()
        space = self.space()
        baseline = self.baseline(space)
        seconds = self.number(self.section("budget", ("seconds",)), "budget", "seconds", 0.0)
        editable = read_editable(self.document, self.say)
        code, evaluator, preload = self.code(editable), self.evaluator_hash(), self.preload()
        table = self.costs(space) if with_costs else NO_COSTS
        micro = self.document.get("micro_batch")
        if micro is not None and micro not in space.by_name:
            self.say(f"micro_batch: '{micro}' is not a parameter{nearest(str(micro), space.names, ': ')}")
        if seconds and table.base and table.overhead >= seconds:
            self.say(f"budget: {seconds:g} s is less than a run's overhead of {table.overhead:g} s; raise it")
        if self.problems:
            return None
        return Project(
            name=str(self.document["name"]),
            title=str(self.document.get("title", self.document["name"])),
            version=int(self.whole("version", 1)),
            folder=self.folder,
            metric=metric,
            space=space,
            baseline=baseline,
            budget_seconds=seconds,
            costs=table,
            limits=limits,
            editable=editable.files,
            imports=editable.imports,
            max_lines=editable.max_lines,
            micro_batch=micro,
            preload=preload,
            references=self.references(),
            code_hash=_sha256(self.folder / name for name in editable.files),
            evaluator_hash=evaluator,
            code=code,
        )

    def section(self, name: str, known: Iterable[str]) -> Mapping[str, Any]:
        found = self.document.get(name, {})
        if not isinstance(found, Mapping):
            self.say(f"{name}: must be a mapping with {', '.join(known)}")
            return {}
        known_keys(self.say, found, known, f"{name}: ")
        return found

    def number(self, mapping: Mapping[str, Any], where: str, name: str, default: float) -> float:
        """A positive finite number of a section; `default` when the whole section is missing."""
        value = mapping.get(name, default)
        if where in self.document and not (is_number(value) and value > 0):
            self.say(f"{where}: {name} must be a number above 0, not {value!r}")
            return default
        return value

    def whole(self, name: str, default: int) -> int:
        value = self.document.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.say(f"{name}: must be a whole number from 1, not {value!r}")
            return default
        return value

    def metric(self) -> Metric:
        found = self.section("metric", ("name", "unit", "direction"))
        name, direction = found.get("name"), found.get("direction", "min")
        if "metric" in self.document and not (isinstance(name, str) and name):
            self.say("metric: 'name' is missing; say what evaluate.py measures")
        if direction not in ("min", "max"):
            self.say(f"metric: direction must be min or max, not {direction!r}")
            direction = "min"
        return Metric(str(name), str(found.get("unit", "")), direction)

    def limits(self) -> Limits:
        known = [item.name for item in fields(Limits)]
        found = self.section("limits", known)
        for name, value in found.items():
            if name in known and not (is_number(value) and value > 0):
                self.say(f"limits: {name} must be a number above 0, not {value!r}")
        return Limits(**{name: value for name, value in found.items() if name in known})

    def references(self) -> dict[str, float]:
        found = self.document.get("references", {})
        return {str(name): float(value) for name, value in dict(found).items() if is_number(value)}

    def space(self) -> SearchSpace:
        return read_space(self.document.get("space", {}), self.say) if "space" in self.document else SearchSpace(())

    def baseline(self, space: SearchSpace) -> dict[str, Value]:
        found = self.document.get("baseline", {})
        if not isinstance(found, Mapping):
            self.say("baseline: must give each parameter one value")
            return {}
        declared = self.document.get("space")
        if "baseline" in self.document and isinstance(declared, Mapping) and len(space.parameters) == len(declared):
            for problem in space.check(found):
                self.say(f"baseline: {problem}")
        return {name: found[name] for name in space.names if name in found}

    def code(self, editable: Editable) -> dict[str, str]:
        """The text of the editable files."""
        found: dict[str, str] = {}
        for name in editable.files:
            if self.parsed(name):
                try:
                    found[name] = (self.folder / name).read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    self.say("is not UTF-8, which agents are shown and write", name)
        tree = self.parsed("train.py") if "train.py" in found else None
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} if tree else set()
        for name, what in (("load", "load(folder, device)"), ("predict", "predict(model, inputs)")):
            if tree and name not in defined:
                self.say(f"function {what} is missing; the evaluator asks for it", "train.py")
        if (lines := sum(text.count("\n") for text in found.values())) > editable.max_lines:
            self.say(f"editable: the files have {lines} lines already; raise max_lines above {editable.max_lines}")
        return found

    def evaluator_hash(self) -> str:
        self.parsed("evaluate.py")
        listed = self.document.get("sealed", [])
        if not isinstance(listed, list):
            self.say("sealed: must be a list of file names")
            listed = []
        files = [self.folder / str(name) for name in ["evaluate.py", *listed]]
        for path in files[1:]:
            if not path.is_file():
                self.say(f"sealed: {path.name} does not exist in this folder")
            elif path.name == "train.py":
                self.say("sealed: train.py is the editable file; it cannot be sealed")
        return _sha256(path for path in files if path.is_file())

    def preload(self) -> tuple[str, ...]:
        listed = self.document.get("preload", [])
        named = isinstance(listed, list) and all(
            isinstance(name, str) and all(part.isidentifier() for part in name.split(".")) for name in listed
        )
        if not named:
            self.say("preload: must be a list of module names, such as [numpy]")
        return tuple(listed) if named else ()

    def parsed(self, name: str) -> ast.Module | None:
        path = self.folder / name
        if not path.is_file():
            self.say("does not exist; docs/projects.md says what it must do", name)
            return None
        try:
            return ast.parse(path.read_bytes(), str(path))
        except (SyntaxError, ValueError) as error:
            self.say(f"line {getattr(error, 'lineno', '?')}: {getattr(error, 'msg', error)}", name)
            return None

    def costs(self, space: SearchSpace) -> CostTable:
        calibrate = f"make it with: loopworks project calibrate {self.folder}"
        path = self.folder / "costs.json"
        if not path.is_file():
            self.say(f"does not exist; {calibrate}", "costs.json")
            return NO_COSTS
        try:
            table = read_costs(path.read_bytes()[:LARGEST_FILE])
        except (ValueError, KeyError, TypeError) as error:
            self.say(f"cannot be read ({error}); {calibrate}", "costs.json")
            return NO_COSTS
        shapes = [parameter for parameter in space.parameters if parameter.shape]
        if table.keys != tuple(parameter.name for parameter in shapes):
            self.say(f"is keyed by {'/'.join(table.keys)}, not by the shape parameters; {calibrate}", "costs.json")
            return table
        wanted = {"/".join(map(str, values)) for values in itertools.product(*(p.grid for p in shapes))}
        if missing := len(wanted - set(table.base)):
            self.say(f"lacks {missing} of {len(wanted)} shapes; {calibrate}", "costs.json")
        return table


def _read_yaml(path: Path, problems: list[str]) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")[:LARGEST_FILE])
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problems.append(f"{path}: {place}{getattr(error, 'problem', None) or 'not YAML'}")
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}: cannot be read ({error})")
        return {}
    if not isinstance(document, Mapping):
        problems.append(f"{path}: {'is empty' if document is None else 'must be a mapping'}; see docs/projects.md")
        return {}
    return document


def _sha256(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

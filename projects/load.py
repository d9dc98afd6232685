"""Read a project folder into a `Project`, or say everything that is wrong with it at once."""

from __future__ import annotations

import ast
import difflib
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from projects.spec import CostTable, Limits, Metric, Parameter, Project, SearchSpace, Value

HERE = Path(__file__).resolve().parent
KEYS = ("name", "title", "version", "metric", "budget", "limits", "micro_batch", "sealed", "references", "space")
REQUIRED = ("name", "metric", "budget", "space", "baseline")
PARAMETER_KEYS = ("float", "int", "choice", "log", "shape", "about")
LARGEST_GRID = 4096  # combinations of shape parameters: more would take hours to calibrate
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
    if given in shipped_projects():
        return HERE / given
    path = Path(given).expanduser()
    folder = path.parent if path.name == "project.yaml" else path
    if (folder / "project.yaml").is_file():
        return folder.resolve()
    if folder.is_dir():
        raise ProjectError([f"{folder}: no project.yaml in this folder; docs/projects.md shows a small one"])
    names = ", ".join(shipped_projects())
    hint = _nearest(given, shipped_projects()) or f"shipped are {names}; or give the path of a project folder"
    raise ProjectError([f"project '{given}' does not exist: {hint}"])


class _Reader:
    """Turns the parsed project.yaml into types; every problem found lands in `problems` as one line."""

    def __init__(self, folder: Path, document: Mapping[str, Any], problems: list[str]) -> None:
        self.folder, self.document, self.problems = folder, document, problems

    def say(self, what: str, file: str = "project.yaml") -> None:
        self.problems.append(f"{self.folder / file}: {what}")

    def project(self, with_costs: bool) -> Project | None:
        self.known_keys(self.document, (*KEYS, "baseline"), "")
        for name in REQUIRED:
            if name not in self.document:
                self.say(f"'{name}' is missing; docs/projects.md says what it holds")
        metric, limits = self.metric(), self.limits()
        space = self.space()
        baseline = self.baseline(space)
        seconds = self.number(self.section("budget", ("seconds",)), "budget", "seconds", 0.0)
        code, evaluator = self.code_hash(), self.evaluator_hash()
        table = self.costs(space) if with_costs else NO_COSTS
        micro = self.document.get("micro_batch")
        if micro is not None and micro not in space.by_name:
            self.say(f"micro_batch: '{micro}' is not a parameter{_nearest(str(micro), space.names, ': ')}")
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
            micro_batch=micro,
            references=self.references(),
            code_hash=code,
            evaluator_hash=evaluator,
        )

    def known_keys(self, mapping: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        for name in mapping:
            if name not in known:
                self.say(f"{where}'{name}' is not a setting{_nearest(str(name), known, ': ')}")

    def section(self, name: str, known: Iterable[str]) -> Mapping[str, Any]:
        found = self.document.get(name, {})
        if not isinstance(found, Mapping):
            self.say(f"{name}: must be a mapping with {', '.join(known)}")
            return {}
        self.known_keys(found, known, f"{name}: ")
        return found

    def number(self, mapping: Mapping[str, Any], where: str, name: str, default: float) -> float:
        """A positive finite number of a section; `default` when the whole section is missing."""
        value = mapping.get(name, default)
        if where in self.document and not (_is_number(value) and value > 0):
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
            if name in known and not (_is_number(value) and value > 0):
                self.say(f"limits: {name} must be a number above 0, not {value!r}")
        return Limits(**{name: value for name, value in found.items() if name in known})

    def references(self) -> dict[str, float]:
        found = self.document.get("references", {})
        return {str(name): float(value) for name, value in dict(found).items() if _is_number(value)}

    def space(self) -> SearchSpace:
        found = self.document.get("space", {})
        if not isinstance(found, Mapping) or ("space" in self.document and not found):
            self.say("space: must map each parameter's name to its range, as in 'width: {choice: [32, 64]}'")
            return SearchSpace(())
        made = [self.parameter(str(name), about) for name, about in found.items()]
        space = SearchSpace(tuple(parameter for parameter in made if parameter))
        size = math.prod(len(parameter.grid) for parameter in space.parameters if parameter.shape)
        if size > LARGEST_GRID:
            self.say(f"space: {size} combinations of shape parameters cannot be calibrated; keep under {LARGEST_GRID}")
        return space

    def parameter(self, name: str, about: Any) -> Parameter | None:
        where, before = f"space: {name}: ", len(self.problems)
        if not isinstance(about, Mapping):
            self.say(f"{where}must be like {{float: [low, high]}}, {{int: [low, high]}} or {{choice: [...]}}")
            return None
        self.known_keys(about, PARAMETER_KEYS, where)
        kinds = [kind for kind in ("float", "int", "choice") if kind in about]
        if len(kinds) != 1:
            self.say(f"{where}needs exactly one of float, int and choice")
            return None
        kind, values, log = kinds[0], about[kinds[0]], about.get("log", False)
        shape, words = about.get("shape", False), str(about.get("about", ""))
        if not isinstance(log, bool) or not isinstance(shape, bool):
            self.say(f"{where}log and shape must be true or false")
        if kind == "choice":
            self.check_choice(where, values)
        else:
            self.check_range(where, kind, values, log)
        if shape is True and kind == "float":
            self.say(f"{where}a shape parameter needs a few values to be calibrated: make it a choice or an int")
        if len(self.problems) > before:
            return None
        if kind == "choice":
            return Parameter(name, "choice", values=tuple(values), shape=shape, about=words)
        number = "int" if kind == "int" else "float"
        return Parameter(name, number, float(values[0]), float(values[1]), log, shape=shape, about=words)

    def check_choice(self, where: str, values: Any) -> None:
        if not isinstance(values, list) or len(values) < 2:
            self.say(f"{where}choice needs a list of at least two values")
        elif not all(isinstance(value, (str, bool)) or _is_number(value) for value in values):
            self.say(f"{where}choice holds words, numbers, true and false only (write ~ as 'none')")
        elif len({str(value) for value in values}) < len(values):
            self.say(f"{where}choice repeats a value")

    def check_range(self, where: str, kind: str, values: Any, log: Any) -> None:
        if not (isinstance(values, list) and len(values) == 2 and all(_is_number(value) for value in values)):
            self.say(f"{where}{kind} needs [low, high], two numbers")
        elif values[0] >= values[1]:
            self.say(f"{where}low {values[0]} is not under high {values[1]}; swap them")
        elif log and values[0] <= 0:
            self.say(f"{where}a logarithmic range starts above 0, not at {values[0]}")
        elif kind == "int" and any(value != int(value) for value in values):
            self.say(f"{where}int needs whole numbers")

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

    def code_hash(self) -> str:
        tree = self.parsed("train.py")
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} if tree else set()
        for name, what in (("load", "load(folder, device)"), ("predict", "predict(model, inputs)")):
            if tree and name not in defined:
                self.say(f"function {what} is missing; the evaluator asks for it", "train.py")
        return _sha256([self.folder / "train.py"]) if tree else ""

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


NO_COSTS = CostTable(version=0, machine="not calibrated", keys=(), base={})


def read_costs(text: bytes | str) -> CostTable:
    """A cost table from its JSON; raises ValueError, KeyError or TypeError when it is not one."""
    found = json.loads(text)
    if not found["base"]:
        raise ValueError("no shape was measured")
    factors = {name: _seconds(values) for name, values in found.get("factors", {}).items()}
    return CostTable(
        version=int(found["version"]),
        machine=str(found["machine"]),
        keys=tuple(found["keys"]),
        base=_seconds(found["base"]),
        factors=factors,
        overhead=float(found["overhead"]),
        evaluation_keys=tuple(found.get("evaluation_keys", ())),
        evaluation=_seconds(found.get("evaluation", {})),
    )


def _seconds(found: Mapping[str, Any]) -> dict[str, float]:
    for name, value in found.items():
        if not (_is_number(value) and value > 0):
            raise ValueError(f"{name} costs {value!r}")
    return {str(name): float(value) for name, value in found.items()}


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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _nearest(word: str, known: Iterable[str], before: str = "") -> str:
    found = difflib.get_close_matches(word, list(known), n=1)
    return f"{before}did you mean {found[0]}?" if found else ""


def _sha256(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

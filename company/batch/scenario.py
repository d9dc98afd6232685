"""What a batch is asked to run: charts x policy settings x projects x seeds, from flags or a YAML file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from company.chart_problems import printable, quoted, suggest
from company.virtual import Pace, Thinking
from roles.intents import ROLE_OF_TASK

MOST_SEEDS = 100_000
SAID = {  # where pydantic would speak of Python's types
    "tuple_type": "must be a list, such as [a, b]", "list_type": "must be a list, such as [a, b]",
    "dict_type": "must be a mapping", "model_type": "must be a mapping", "too_short": "must not be empty",
    "missing": "is missing", "int_parsing": "must be a whole number", "int_type": "must be a whole number",
    "int_from_float": "must be a whole number", "float_parsing": "must be a number", "float_type": "must be a number",
    "bool_parsing": "must be true or false", "bool_type": "must be true or false", "string_type": "must be text",
}  # fmt: skip
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class ScenarioError(Exception):
    """A batch that cannot be run; the message is one line that says what and where."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ThinkingTime(_Frozen):
    """Lognormal: the median in seconds of company time, and the standard deviation of its logarithm."""

    median: float = Field(ge=0)
    sd: float = Field(default=0.0, ge=0, le=5)


class Scenario(_Frozen):
    """The grid and how its companies run. `set` maps policy keys to the values to try, the first the base.

    `reference` names the arm that a report compares with: no row depends on it, so that it is not kept with them.
    """

    charts: tuple[Text, ...] = Field(min_length=1)
    projects: tuple[Text, ...] = Field(default=("planted",), min_length=1)
    set: dict[Text, list[Any]] = Field(default_factory=dict)
    seeds: int = Field(default=20, ge=1, le=MOST_SEEDS)
    seed: int = Field(default=0, ge=0, lt=2**31)
    slots: int = Field(default=2, ge=1, le=1024)
    experiments: int | None = Field(default=None, ge=1, le=1_000_000)
    engine: Literal["direct", "autogen"] = "direct"
    controls: bool = True
    race: bool = False
    thinking: dict[str, ThinkingTime] = Field(default_factory=dict)
    faults: float = Field(default=0.0, ge=0, lt=1)
    speeds: tuple[Annotated[float, Field(gt=0)], ...] = Field(default=(1.0,), min_length=1)
    reference: Text | None = Field(default=None, exclude=True)

    @field_validator("charts", "projects")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(names))

    @field_validator("set")
    @classmethod
    def _values(cls, choices: dict[str, list[Any]]) -> dict[str, list[Any]]:
        if any(not values for values in choices.values()):
            raise ValueError("every key needs a list of at least one value")
        return {key.removeprefix("policies."): values for key, values in choices.items()}

    @field_validator("thinking")
    @classmethod
    def _tasks(cls, times: dict[str, ThinkingTime]) -> dict[str, ThinkingTime]:
        if unknown := [task for task in times if task not in ROLE_OF_TASK]:
            raise ValueError(f"{quoted(unknown[0])} is no task: there is {', '.join(ROLE_OF_TASK)}")
        return times

    @property
    def pace(self) -> Pace:
        """How long things take beside training."""
        thinking = {task: Thinking(time.median, time.sd) for task, time in self.thinking.items()}
        return Pace(thinking, self.faults, self.speeds)

    def canonical(self) -> str:
        """One JSON text for one meaning."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), allow_nan=False)


def scenario(values: Mapping[str, Any], source: str = "") -> Scenario:
    """A checked scenario. Raises ScenarioError for the first thing that is wrong."""
    try:
        return Scenario.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][:3])
        said = SAID.get(first["type"]) or first["msg"].removeprefix("Value error, ").replace("Input should", "must")
        if first["type"] == "extra_forbidden":
            known = suggest(where, Scenario.model_fields) or f": there is {', '.join(Scenario.model_fields)}"
            said = f"is not a setting of a scenario{known}"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise ScenarioError(printable(f"{source}: {where}: {said}{more}".removeprefix(": "))) from None


def read_scenario(path: Path) -> Scenario | None:
    """The scenario in a YAML file, None where it may be a chart: a scenario has `charts:`. Raises ScenarioError."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return None
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        data = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, UnicodeDecodeError, ValueError, OSError) as error:
        if isinstance(error, MarkedYAMLError) and re.search(r"^charts\s*:", text, re.MULTILINE):
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ScenarioError(printable(f"{path}:{line}: is not valid YAML: {error.problem}")) from None
        return None  # a chart's reader says what is wrong, with line and column
    if not isinstance(data, dict) or not _is_scenario(data):
        return None
    charts = data.get("charts")
    if isinstance(charts, list):  # a path in a file is meant from that file on
        data["charts"] = [_near(path.parent, chart) for chart in charts]
    return scenario({str(key): value for key, value in data.items()}, str(path))


def _is_scenario(data: Mapping[Any, Any]) -> bool:
    chart = "company" in data or "positions" in data
    return "charts" in data or (not chart and not data.keys().isdisjoint(Scenario.model_fields))


def setting_text(values: Mapping[str, Any]) -> str:
    """Settings as arms and rows name them: "k=v k=v" by key, values as JSON but for words."""
    return " ".join(f"{key}={_word(values[key])}" for key in sorted(values))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)


def _near(folder: Path, chart: Any) -> Any:
    near = folder / chart if isinstance(chart, str) else None
    return str(near) if near is not None and near.suffix in (".yaml", ".yml") and near.is_file() else chart


def short_names(charts: Sequence[str]) -> dict[str, str]:
    """What to call each chart: a file by its stem, in full where two would be called the same."""
    stems = [Path(chart).stem if chart.endswith((".yaml", ".yml")) else chart for chart in charts]
    return {chart: stem if stems.count(stem) == 1 else chart for chart, stem in zip(charts, stems, strict=True)}

"""The worlds by name: planted tasks, shipped recordings, exactly specified problems, a file, or one's own past runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from company.simulated import FAMILIES, tasks
from company.surrogates.bandit import bandit_world
from company.surrogates.nk import nk_world
from company.surrogates.world import World, WorldError
from company.wording import plain
from projects.read_space import nearest

if TYPE_CHECKING:
    from company.surrogates.recording import Recording

RECORDINGS = Path(__file__).resolve().parents[2] / "projects" / "recordings"
FROM_LEDGER = "from-ledger:"

Make = Callable[..., World]
Read = Callable[[str], Any]


def worlds(name: str, seed: int) -> tuple[World, ...]:
    """The worlds that a name and a world seed bring: several for a family of tasks, else one. Raises WorldError.

    `name` is a family or kind of planted tasks, a shipped recording, `nk:N=15,K=7`, `bandit:arms=10`, the path of a
    recording, or `from-ledger:DIR`. A recording is one landscape: the seed only decides the noise, through the runs.
    """
    kind, _, settings = name.partition(":")
    if name in FAMILIES:
        return tasks(name, seed)
    if kind in EXACT:
        make, known = EXACT[kind]
        return (make(name, seed, **_settings(kind, settings, known)),)
    if name.startswith(FROM_LEDGER):
        from company.surrogates.from_ledger import ledger_world

        return (ledger_world(Path(name.removeprefix(FROM_LEDGER)).expanduser()),)
    return (_recorded(name),)


def identity(name: str) -> Hashable:
    """What a name stands for: names with an equal one bring the same worlds. Raises WorldError or OSError.

    The name of planted tasks, a kind of exact problem with all its settings, the folder of past runs, or the content of
    a recording, wherever it lies.
    """
    kind, _, settings = name.partition(":")
    if name in FAMILIES:
        return name
    if kind in EXACT:
        make, known = EXACT[kind]
        found = signature(make).bind(kind, 0, **_settings(kind, settings, known))
        found.apply_defaults()
        return tuple(found.arguments.values())
    if name.startswith(FROM_LEDGER):
        return FROM_LEDGER, Path(name.removeprefix(FROM_LEDGER)).expanduser().resolve()
    return sha256(find_recording(name).read_bytes()).digest()


def names() -> tuple[str, ...]:
    """Every name that needs no path."""
    return (*FAMILIES, *EXACT, *sorted(path.stem for path in RECORDINGS.glob("*.parquet")))


def find_recording(name: str) -> Path:
    """The file of a shipped recording, or the path itself. Raises WorldError where neither is there."""
    shipped, path = RECORDINGS / f"{name}.parquet", Path(name).expanduser()
    if name in names() and shipped.is_file():
        return shipped
    if path.suffix == ".parquet" or path.is_file():
        if path.is_file():
            return path.resolve()
        raise WorldError(f"{name}: does not exist; make one with loopworks project record, or import-table")
    said = f"'{plain(name, 80)}'"
    if set(name.split(",")) <= set(names()):
        raise WorldError(f"{said} is several projects: name each of them by itself")
    if hint := nearest(name, (*names(), FROM_LEDGER + "DIR"), "; "):
        raise WorldError(f"no simulated project {said}{hint}")
    there = ", ".join(names())
    raise WorldError(f"no simulated project {said}: there is {there}, the path of a recording, and from-ledger:DIR")


def recording_of(name: str) -> Recording:
    """The recording behind a name that has one. Raises WorldError or RecordingError."""
    from company.surrogates.from_ledger import ledger_recording
    from company.surrogates.recording import read_recording

    if name.startswith(FROM_LEDGER):
        return ledger_recording(Path(name.removeprefix(FROM_LEDGER)).expanduser())
    if name in names() and not (RECORDINGS / f"{name}.parquet").is_file():
        raise WorldError(f"'{name}' is no recording: its truth is exact")
    return read_recording(find_recording(name))


def _recorded(name: str) -> World:
    from company.surrogates.recording import RecordingError
    from company.surrogates.table import table_world

    try:
        return table_world(find_recording(name))
    except RecordingError as error:
        raise WorldError(str(error)) from None


def _whole(text: str) -> int:
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _noise(text: str) -> float:
    if (value := _number(text)) < 0:
        raise ValueError(text)
    return value


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(_number(part) for part in text.split("/"))


EXACT: dict[str, tuple[Make, Mapping[str, tuple[str, Read]]]] = {
    "nk": (nk_world, {"N": ("n", _whole), "K": ("k", _whole), "noise": ("noise", _noise)}),
    "bandit": (bandit_world, {"arms": ("arms", _whole), "noise": ("noise", _noise), "means": ("means", _numbers)}),
}


def _settings(kind: str, text: str, known: Mapping[str, tuple[str, Read]]) -> dict[str, Any]:
    """The arguments in "N=15,K=7". Raises WorldError."""
    found: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            hint = nearest(key, known, ": ") or f": there is {', '.join(known)}"
            raise WorldError(f"{kind}: '{key}' is not a setting{hint}")
        argument, read = known[key]
        try:
            found[argument] = read(value)
        except ValueError:
            raise WorldError(f"{kind}: {key} cannot be '{value}'") from None
    return found

"""The CUDA GPUs of this machine, read through NVML; nothing is changed and CUDA is not initialised.

Untried on a GPU: exercised with a stand-in for NVML (docs/gpu.md).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

MIG_MINORS = Path("/proc/driver/nvidia-caps/mig-minors")  # lines such as "gpu0/gi1/ci0/access 31"


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU or a MIG instance: `id` is what CUDA_VISIBLE_DEVICES takes, `nodes` the device files that are its alone."""

    id: str
    name: str = ""
    memory_mb: int = 0
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GpuSurvey:
    """The GPUs that may be used; `reason` says why there are none."""

    gpus: tuple[Gpu, ...] = ()
    reason: str = ""


def survey(environ: Mapping[str, str] = os.environ, nvml: Any = None) -> GpuSurvey:
    """Look for GPUs, within an already set CUDA_VISIBLE_DEVICES. Any trouble with NVML means none, with the reason."""
    wanted = visible(environ)
    if wanted == ():
        return GpuSurvey(reason="CUDA_VISIBLE_DEVICES hides every GPU")
    try:
        nvml = nvml or importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception as error:
        return GpuSurvey(reason=f"NVML found no NVIDIA driver ({error})")
    try:
        gpus = tuple(gpu for index in range(nvml.nvmlDeviceGetCount()) for gpu in devices(nvml, index))
        in_nvmls_order = environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({gpu.name for gpu in gpus}) == 1
        chosen = gpus if wanted is None else choose(gpus, wanted, in_nvmls_order)
    except Exception as error:
        return GpuSurvey(reason=f"NVML failed: {error}")
    finally:
        nvml.nvmlShutdown()
    return GpuSurvey(chosen, "" if chosen else "NVML lists no GPU that may be used")


def visible(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """The entries of CUDA_VISIBLE_DEVICES; None when it is not set, empty when it hides all."""
    value = environ.get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return None
    entries = [entry.strip() for entry in value.split(",")]
    shown: list[str] = []
    for entry in entries:  # as CUDA reads it: the first entry that names nothing ends the list
        if not entry or entry in ("-1", "NoDevFiles"):
            break
        shown.append(entry)
    return tuple(shown)


def choose(gpus: tuple[Gpu, ...], wanted: tuple[str, ...], in_nvmls_order: bool) -> tuple[Gpu, ...]:
    """The wanted GPUs by their UUIDs: where one card alone is visible, its index is 0 whatever it was.

    An index means CUDA's order, fastest first. Where cards differ that need not be NVML's (`in_nvmls_order`): the index
    then stays, and every card's device files go with it.
    """
    by_index = dict(enumerate(gpus))
    chosen: list[Gpu] = []
    for entry in wanted:
        known = by_index.get(int(entry)) if entry.isdigit() else next((g for g in gpus if g.id.startswith(entry)), None)
        if known is None:
            break
        unsure = entry.isdigit() and not in_nvmls_order
        chosen.append(replace(known, id=entry, nodes=all_nodes(gpus)) if unsure else known)
    return tuple(chosen)


def all_nodes(gpus: tuple[Gpu, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node for gpu in gpus for node in gpu.nodes))


def devices(nvml: Any, index: int) -> list[Gpu]:
    """A GPU, or its MIG instances where it is divided (they are then all that CUDA can use)."""
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    instances = mig_instances(nvml, handle)
    card = minor(nvml, handle)
    if instances is None:
        return [describe(nvml, handle, card_nodes(card))]
    return [describe(nvml, each, (*card_nodes(card), *caps(nvml, each, card))) for each in instances]


def mig_instances(nvml: Any, handle: Any) -> list[Any] | None:
    """The handles of a divided GPU's instances; None when it is not divided."""
    try:
        if nvml.nvmlDeviceGetMigMode(handle)[0] != 1:
            return None
    except nvml.NVMLError:
        return None  # too old for MIG
    found: list[Any] = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            found.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))
        except nvml.NVMLError:
            continue  # a place without an instance
    return found


def minor(nvml: Any, handle: Any) -> int | None:
    """The number in the name of a card's device file; None where the system has no such files (WSL)."""
    try:
        return int(nvml.nvmlDeviceGetMinorNumber(handle))
    except nvml.NVMLError:
        return None


def card_nodes(card: int | None) -> tuple[str, ...]:
    return () if card is None else (f"/dev/nvidia{card}",)


def caps(nvml: Any, instance: Any, card: int | None) -> tuple[str, ...]:
    """The device files that give access to a MIG instance: one of its share of the GPU, one of its processors."""
    share, part = nvml.nvmlDeviceGetGpuInstanceId(instance), nvml.nvmlDeviceGetComputeInstanceId(instance)
    wanted = (f"gpu{card}/gi{share}/access", f"gpu{card}/gi{share}/ci{part}/access")
    try:
        lines = MIG_MINORS.read_text().splitlines()
    except OSError:  # old drivers, and containers that hide it
        return ()
    numbers = dict(line.split() for line in lines if len(line.split()) == 2)
    return tuple(f"/dev/nvidia-caps/nvidia-cap{numbers[name]}" for name in wanted if name in numbers)


def describe(nvml: Any, handle: Any, nodes: tuple[str, ...]) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle).total
    return Gpu(text(nvml.nvmlDeviceGetUUID(handle)), text(nvml.nvmlDeviceGetName(handle)), int(memory) >> 20, nodes)


def text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def torch_cuda() -> str | None:
    """The CUDA version that the installed torch was built for, without importing it; None for a CPU build or none."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    try:
        source = (Path(spec.origin).parent / "version.py").read_text()
    except OSError:
        return None
    found = re.search(r"^cuda[^=\n]*= *['\"]([^'\"]+)['\"]", source, re.MULTILINE)
    return found.group(1) if found else None

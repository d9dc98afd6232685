"""Slots are found by themselves: GPUs through a stand-in for NVML, CPU cores within what we may use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from company.compute import gpus, slots
from company.compute.backend import ComputeError
from company.compute.gpus import Gpu, GpuSurvey, survey
from company.compute.slots import cpu_count, find_slots, gpu_slots


class FakeNvml:
    """NVML as nvidia-ml-py gives it, for GPUs named A, B, ...; `mig` maps an index to its instances' names."""

    class NVMLError(Exception):
        pass

    def __init__(self, count: int = 2, mig: Mapping[int, list[str]] | None = None, broken: str = "") -> None:
        self.count, self.mig, self.broken, self.open = count, mig or {}, broken, 0
        self.names = ["H200"] * count

    def nvmlInit(self) -> None:
        if self.broken == "init":
            raise self.NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        if self.broken == "count":
            raise self.NVMLError("Unknown Error")
        return self.count

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        return index

    def nvmlDeviceGetMigMode(self, handle: int) -> list[int]:
        if handle not in self.mig:
            raise self.NVMLError("Not Supported")
        return [1, 1]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: int) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: int, index: int) -> Any:
        try:
            return self.mig[handle][index]
        except IndexError:
            raise self.NVMLError("Not Found") from None

    def nvmlDeviceGetMinorNumber(self, handle: int) -> int:
        if self.broken == "minor":
            raise self.NVMLError("Not Supported")
        return 7 - handle  # device files need not be numbered as NVML numbers

    def nvmlDeviceGetGpuInstanceId(self, handle: str) -> int:
        return ord(handle) - ord("x") + 1

    def nvmlDeviceGetComputeInstanceId(self, handle: str) -> int:
        return 0

    def nvmlDeviceGetUUID(self, handle: int | str) -> str | bytes:
        return f"MIG-{handle}" if isinstance(handle, str) else f"GPU-{'AB'[handle]}00{handle}".encode()

    def nvmlDeviceGetName(self, handle: int | str) -> str:
        return self.names[handle] if isinstance(handle, int) else "H200"

    def nvmlDeviceGetMemoryInfo(self, handle: int | str) -> Any:
        return SimpleNamespace(total=80 << 30)


def ids(environ: Mapping[str, str], nvml: FakeNvml | None = None) -> list[str]:
    nvml = nvml or FakeNvml()
    found = [gpu.id for gpu in survey(environ, nvml).gpus]
    assert nvml.open == 0
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ["GPU-A000", "GPU-B001"]),
        ("", []),
        ("-1", []),
        ("1", ["GPU-B001"]),
        ("1,0", ["GPU-B001", "GPU-A000"]),
        ("0,-1,1", ["GPU-A000"]),
        ("0,7,1", ["GPU-A000"]),
        ("GPU-B", ["GPU-B001"]),
        ("GPU-X", []),
    ],
)
def test_a_set_cuda_visible_devices_is_kept_to(value: str | None, expected: list[str]) -> None:
    assert ids({} if value is None else {"CUDA_VISIBLE_DEVICES": value}) == expected


def test_the_device_files_of_a_card_are_its_own() -> None:
    assert [gpu.nodes for gpu in survey({}, FakeNvml()).gpus] == [("/dev/nvidia7",), ("/dev/nvidia6",)]
    assert [gpu.nodes for gpu in survey({"CUDA_VISIBLE_DEVICES": "1"}, FakeNvml()).gpus] == [("/dev/nvidia6",)]
    assert [gpu.nodes for gpu in survey({}, FakeNvml(broken="minor")).gpus] == [(), ()]  # as in WSL
    assert [slot.nodes for slot in gpu_slots(survey({}, FakeNvml()).gpus, 1, 1)] == [("/dev/nvidia7",)]


def test_an_index_among_cards_that_differ_stays_what_the_person_meant() -> None:
    """CUDA counts the fastest first, which NVML cannot know."""
    nvml = FakeNvml()
    nvml.names = ["T4", "H200"]
    (unsure,) = survey({"CUDA_VISIBLE_DEVICES": "0"}, nvml).gpus
    assert (unsure.id, unsure.nodes) == ("0", ("/dev/nvidia7", "/dev/nvidia6"))
    (sure,) = survey({"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, nvml).gpus
    assert (sure.id, sure.nodes) == ("GPU-A000", ("/dev/nvidia7",))


def test_an_instance_of_a_divided_gpu_has_its_own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minors = "config 1\ngpu7/gi1/access 30\ngpu7/gi1/ci0/access 31\ngpu7/gi2/access 39\ngpu7/gi2/ci0/access 40\n"
    (tmp_path / "mig-minors").write_text(minors)
    monkeypatch.setattr(gpus, "MIG_MINORS", tmp_path / "mig-minors")
    keys = [gpu.nodes for gpu in survey({}, FakeNvml(1, mig={0: ["x", "y"]})).gpus]
    assert keys == [
        ("/dev/nvidia7", "/dev/nvidia-caps/nvidia-cap30", "/dev/nvidia-caps/nvidia-cap31"),
        ("/dev/nvidia7", "/dev/nvidia-caps/nvidia-cap39", "/dev/nvidia-caps/nvidia-cap40"),
    ]


def test_a_divided_gpu_is_its_instances() -> None:
    assert ids({}, FakeNvml(mig={0: ["x", "y"]})) == ["MIG-x", "MIG-y", "GPU-B001"]


@pytest.mark.parametrize("broken", ["init", "count"])
def test_trouble_with_nvml_means_no_gpu_and_a_reason(broken: str) -> None:
    found = survey({}, FakeNvml(broken=broken))
    assert not found.gpus and "NVML" in found.reason


def test_slots_spread_over_the_gpus_and_share_their_memory() -> None:
    found = gpu_slots((Gpu("a"), Gpu("b")), None, 2)
    assert [(slot.gpu, slot.share) for slot in found] == [("a", 0.5), ("b", 0.5), ("a", 0.5), ("b", 0.5)]
    assert [slot.share for slot in gpu_slots((Gpu("a"),), 4, 1)] == [0.25] * 4
    assert [slot.gpu for slot in gpu_slots((Gpu("a"), Gpu("b")), 1, 1)] == ["a"]


def test_gpus_are_used_when_torch_can_and_explained_when_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "survey", lambda: GpuSurvey((Gpu("GPU-A", "H200"),)))
    monkeypatch.setattr(slots, "torch_cuda", lambda: "12.8")
    assert [slot.device for slot in find_slots()] == ["cuda"]
    assert {slot.device for slot in find_slots(device="cpu")} == {"cpu"}
    monkeypatch.setattr(slots, "torch_cuda", lambda: None)
    assert {slot.device for slot in find_slots()} == {"cpu"}
    with pytest.raises(ComputeError, match="built without CUDA"):
        find_slots(device="cuda")


def test_the_build_of_torch_is_read_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.setattr(
        gpus.importlib.util, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "torch" / "__init__.py"))
    )
    version = tmp_path / "torch" / "version.py"
    version.write_text("__version__ = '2.13.0'\ncuda: Optional[str] = '12.8'\n")
    assert gpus.torch_cuda() == "12.8"
    version.write_text("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n")
    assert gpus.torch_cuda() is None


def test_as_many_cpu_slots_as_asked_for_and_at_least_one() -> None:
    assert [slot.index for slot in find_slots(3, device="cpu")] == [0, 1, 2]
    for bad in ({"count": 0}, {"per_gpu": 0}):
        with pytest.raises(ComputeError, match="at least 1"):
            find_slots(**bad)


def quota(root: Path, listing: str, files: Mapping[str, str]) -> int:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(listing)
    for name, text in files.items():
        (root / "sys/fs/cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sys/fs/cgroup" / name).write_text(text)
    return cpu_count(root)


def test_cpu_cores_are_those_within_the_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)))
    assert quota(tmp_path / "none", "0::/\n", {}) == 16
    assert quota(tmp_path / "v2", "0::/a/b\n", {"a/cpu.max": "250000 100000", "a/b/cpu.max": "max 100000"}) == 2
    assert quota(tmp_path / "half", "0::/\n", {"cpu.max": "50000 100000"}) == 1
    v1 = {"cpu,cpuacct/x/cpu.cfs_quota_us": "300000", "cpu,cpuacct/x/cpu.cfs_period_us": "100000"}
    assert quota(tmp_path / "v1", "4:cpu,cpuacct:/x\n0::/\n", v1) == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5})
    assert cpu_count(tmp_path / "v1") == 1

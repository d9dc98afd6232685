"""What NVIDIA's driver needs inside a sandbox beside /sys: device files, facts of /proc, names for its threads.

None of it was ever tried on a card by us (docs/gpu.md). Reported by others of drivers from 570 on, and kept to here:
cuInit fails with error 304 where a thread's name cannot be written (/proc/PID/task/TID/comm), where nvidia-uvm-tools or
/proc/driver/nvidia-uvm cannot be opened, where a file in memory cannot be made, and where it cannot listen on a unix
socket of its own (cuda-uvmfd). A descendant of the process that entered has no right to name its threads.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from company.compute.sandbox.policy import Policy

SYS = "/sys"  # the driver looks its cards up there
FACTS = ("/proc/driver/nvidia", "/proc/driver/nvidia-uvm", "/proc/driver/nvidia-caps", "/proc/devices")
THREADS = "/proc/self/task"
UVM = "nvidia-uvm"
SHARED = ("nvidiactl", UVM, "nvidia-uvm-tools", "dxg")  # of every card; the last is that of WSL
PATIENCE_S = 20.0


def nodes(policy: Policy, dev: Path = Path("/dev")) -> tuple[str, ...]:
    """The device files that a policy shows: those of its own cards, and what all cards share; of those, what is there.

    Other cards are not there, nor are the devices of displays.
    """
    if not policy.gpu:
        return ()
    wanted = (*(str(dev / name) for name in SHARED), *policy.cards)
    return tuple(path for path in wanted if Path(path).is_char_device())


def wake_driver(dev: Path = Path("/dev")) -> None:
    """Have the driver make /dev/nvidia-uvm: after a boot the first CUDA program does, by a set-uid helper of NVIDIA's.

    A sandbox runs no set-uid programs. Without the helper nothing happens.
    """
    helper = shutil.which("nvidia-modprobe")
    if helper is None or not (dev / SHARED[0]).exists() or (dev / UVM).exists():
        return
    try:
        subprocess.run([helper, "-u", "-c", "0"], capture_output=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return


def missing(dev: Path = Path("/dev")) -> str:
    """What of the driver is not there though a card is, with what to type; empty where all is."""
    if (dev / SHARED[0]).exists() and not (dev / UVM).exists():
        return f"{dev / UVM} is missing: run 'sudo nvidia-modprobe -u -c 0' (in a container: give it that device, too)"
    return ""

"""What a process that we start is given: its interpreter's flags and its environment, and nothing else."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # where the `company` package is found: a checkout or site-packages
BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from company.compute.zygote import main; main(sys.argv[1:])"
KEPT_ENV = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_DEVICE_ORDER")
FIXED_ENV = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # the order of a set must not differ between two runs
    "PYTHONUTF8": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "CUDA_CACHE_DISABLE": "1",  # compiled kernels would lie in a folder that is cleared, and count against its limit
}
CUDA_HOST_MB = 8192  # CUDA maps gigabytes of private host memory before a script's first tensor
NO_SANDBOX, SANDBOX_FAILED = 75, "sandbox:"  # exit code and first word of the log where a sandbox cannot be entered
# CUDA is not initialised by asking whether it is there: NVML answers instead of the driver.
ZYGOTE_ENV = {"CUDA_VISIBLE_DEVICES": "", "PYTORCH_NVML_BASED_CUDA_CHECK": "1"}


def command(preload: Sequence[str]) -> list[str]:
    """The zygote's command line: nothing from the working directory, nor from a user's site outside a plain Python."""
    isolation = ["-P"] if site.ENABLE_USER_SITE else ["-P", "-s"]
    return [sys.executable, *isolation, "-c", BOOT, str(ROOT), *preload]


def clean_env(**extra: str) -> dict[str, str]:
    """The environment of everything we start: an allow-list, so that no key or token is ever handed on."""
    kept = {name: os.environ[name] for name in KEPT_ENV if name in os.environ}
    return {**kept, **FIXED_ENV, **extra}

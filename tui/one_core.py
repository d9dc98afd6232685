"""How the dashboard keeps out of the way of companies that work: a low priority, and linear algebra on one core.

The dashboard's matrices are small: more threads only wait for each other, at three times the price. The environment is
put back at once, so that an engine which is started from here works as anywhere else.
"""

from __future__ import annotations

import os

NICE = 10  # of 19
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def load_numpy() -> None:
    """Load numpy with one thread, where it is not loaded already."""
    was = dict(os.environ)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        import numpy  # noqa: F401
    finally:
        for name in THREADS:
            os.environ.pop(name)
            if name in was:
                os.environ[name] = was[name]


def give_way() -> None:
    """Lower the priority of this process, where it is not lower already: engines go first."""
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))

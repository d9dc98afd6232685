"""The sandbox around code of experiments: levels, what each lets through, and how a forked process enters one.

Levels, best first: strict, standard (bubblewrap's namespaces, an allow-list of mounts), degraded (Landlock and seccomp
alone), none. They are chosen by trying (probe.py), never by looking. docs/trust.md says what each stops.
"""

from __future__ import annotations

from company.compute.sandbox.levels import LEVELS, Level, may_run_agent_code
from company.compute.sandbox.policy import Confined, Policy

__all__ = ["LEVELS", "Confined", "Level", "Policy", "may_run_agent_code"]

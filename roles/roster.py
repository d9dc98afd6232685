"""The roles that exist, by name."""

from __future__ import annotations

from roles.engineer import ENGINEER
from roles.manager import MANAGER
from roles.researcher import RESEARCHER
from roles.reviewer import REVIEWER
from roles.role import Role

ROLES: dict[str, Role] = {role.name: role for role in (MANAGER, RESEARCHER, ENGINEER, REVIEWER)}

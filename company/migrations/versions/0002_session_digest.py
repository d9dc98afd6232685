"""A session says how far the ledger had come when it ended, and its digest there.

Version 1 never kept a revision of the chart in `chart_revision` but the first; the projections are written anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = None


def upgrade() -> None:
    op.add_column("session", sa.Column("events", sa.Integer(), nullable=True))
    op.add_column("session", sa.Column("digest", sa.String(), nullable=False, server_default=""))

"""How mail was addressed that waits for a mailbox where routing has brought it, and whether a catch-all caught it."""

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What waits already is known by its mailbox's own address."""
    for name in ("addressed", "caught"):
        op.add_column("queue_recipients", sa.Column(name, sa.Text, nullable=False, server_default=""))

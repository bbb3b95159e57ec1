"""Which recipients are the very mailboxes where routing has brought a message."""

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None, so far: aliases and forwards are younger."""
    op.add_column("queue_recipients", sa.Column("routed", sa.Boolean, nullable=False, server_default=sa.false()))

"""Which recipients' mail an operator has ordered to be returned to its sender."""

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody's, so far."""
    op.add_column("queue_recipients", sa.Column("returned", sa.Boolean, nullable=False, server_default=sa.false()))

"""Domains may have a letter of their own for new mailboxes."""

import sqlalchemy as sa
from alembic import op

revision = "v0011"
down_revision = "v0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All begin with the server's."""
    op.create_table(
        "welcomes",
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("is_on", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("template", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Forward only: going back means restoring the backup taken before."""
    raise NotImplementedError

"""Removed accounts are remembered while their mail is kept aside."""

import sqlalchemy as sa
from alembic import op

revision = "v0010"
down_revision = "v0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Those that were removed before are not known any more; their mail can be put back by hand."""
    op.create_table(
        "removed_accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("domain", sa.Text, nullable=False, index=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("directory", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger),
        sa.Column("quota_messages", sa.BigInteger),
        sa.Column("login_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("incoming_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("outgoing_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("removed", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forward only: going back means restoring the backup taken before."""
    raise NotImplementedError

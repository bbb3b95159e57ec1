"""What an operator has suspended of an account, its owner cannot allow again."""

import sqlalchemy as sa
from alembic import op

revision = "v0012"
down_revision = "v0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who suspended what is suspended already, nobody has written down: it stays the owner's affair."""
    for table in ("accounts", "removed_accounts"):
        op.add_column(table, sa.Column("operator_suspended", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Forward only: going back means restoring the backup taken before."""
    raise NotImplementedError

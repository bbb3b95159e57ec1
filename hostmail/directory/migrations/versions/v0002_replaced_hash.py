"""What an account's imported hash was, after a good login put our own in its place (A7)."""

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that is empty for all accounts there are."""
    op.add_column("accounts", sa.Column("replaced_hash", sa.Text))

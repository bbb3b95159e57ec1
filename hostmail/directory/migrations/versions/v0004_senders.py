"""Our secrets, and senders of forwarded mail that are too long to be named in a reverse-path."""

import sqlalchemy as sa
from alembic import op

revision = "v0004"
down_revision = "v0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two empty tables: secrets are made when they are first needed."""
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "kept_senders",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("address", sa.Text, nullable=False, unique=True),
        sa.Column("used", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("kept_senders_used", "kept_senders", ["used"])

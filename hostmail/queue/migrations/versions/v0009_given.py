"""Numbers of messages and recipients are given away once."""

import sqlalchemy as sa
from alembic import op

revision = "v0009"
down_revision = "v0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go on behind the highest there are."""
    op.create_table(
        "queue_given",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    for kind in ("messages", "recipients"):
        op.execute(f"INSERT INTO queue_given SELECT '{kind}', coalesce(max(id), 0) FROM queue_{kind}")

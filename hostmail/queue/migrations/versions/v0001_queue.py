"""Messages that wait, and their recipients."""

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only: going back means restoring the backup taken before."""
    op.create_table(
        "queue_messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("queue_id", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("prefix_length", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Integer),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("ret", sa.Text, nullable=False),
        sa.Column("envid", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("smtputf8", sa.Boolean, nullable=False),
    )
    op.create_table(
        "queue_recipients",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("queue_messages.id"), nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("notify", sa.Text, nullable=False),
        sa.Column("orcpt", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("next_attempt", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("last_answer", sa.Text, nullable=False),
        sa.Column("warned", sa.Boolean, nullable=False),
        sa.Column("leased_until", sa.Float, nullable=False),
    )
    op.create_index("queue_recipients_due", "queue_recipients", ["state", "next_attempt"])
    op.create_index("queue_recipients_message", "queue_recipients", ["message_id"])

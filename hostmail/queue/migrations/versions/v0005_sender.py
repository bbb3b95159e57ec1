"""A reverse-path of its own for a recipient: how a list learns whose address a bounce is about."""

import sqlalchemy as sa
from alembic import op

revision = "v0005"
down_revision = "v0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody's differs from the message's."""
    op.add_column("queue_recipients", sa.Column("own_sender", sa.Text, nullable=False, server_default=""))

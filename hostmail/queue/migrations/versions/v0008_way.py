"""The way that a recipient's mail takes: what waits for a smarthost that is down is found without leafing through all mail."""

import sqlalchemy as sa
from alembic import op

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until it is looked at for the next time, what waits is taken to go to its domain's own hosts."""
    op.add_column("queue_recipients", sa.Column("way", sa.Text, nullable=False, server_default=""))
    op.execute("UPDATE queue_recipients SET way = domain")
    op.drop_index("queue_recipients_domain", "queue_recipients")
    op.create_index("queue_recipients_way", "queue_recipients", ["way", "state", "next_attempt"])

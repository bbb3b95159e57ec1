"""A recipient's domain for itself: what waits for one that is down is found without leafing through all mail."""

import sqlalchemy as sa
from alembic import op

revision = "v0006"
down_revision = "v0005"
branch_labels = None
depends_on = None

# What follows the last @: everything but @ is trimmed from the right, which leaves the part before it, and that is cut off.
FILL = """
UPDATE queue_recipients SET domain = lower(substr(recipient, length(rtrim(recipient, replace(recipient, '@', ''))) + 1))
"""


def upgrade() -> None:
    """Read it from the addresses that wait."""
    op.add_column("queue_recipients", sa.Column("domain", sa.Text, nullable=False, server_default=""))
    op.execute(FILL)
    op.create_index("queue_recipients_domain", "queue_recipients", ["domain", "state", "next_attempt"])

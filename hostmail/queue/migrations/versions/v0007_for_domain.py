"""The hosted domain whose affair a message is: reports and lists' letters have no sender that could tell which way they go."""

import sqlalchemy as sa
from alembic import op

revision = "v0007"
down_revision = "v0006"
branch_labels = None
depends_on = None

# As in v0006: what follows the last @.
FILL = """
UPDATE queue_messages SET for_domain = lower(substr(sender, length(rtrim(sender, replace(sender, '@', ''))) + 1))
WHERE coalesce(account_id, 0) = 0
"""


def upgrade() -> None:
    """What waits already and is no account's went by its sender so far."""
    op.add_column("queue_messages", sa.Column("for_domain", sa.Text, nullable=False, server_default=""))
    op.execute(FILL)

"""Whether authors of held posts are told, by list; and how many lists have written to one address is found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "v0008"
down_revision = "v0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """They are, from now on."""
    op.add_column("lists", sa.Column("tell_held", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index("ix_list_questions_address_key", "list_questions", ["address_key"])

"""Aliases, forwards, blocked names, domain aliases, and what catch-alls are and remember."""

import sqlalchemy as sa
from alembic import op

revision = "v0003"
down_revision = "v0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The domains there are go on refusing unknown names."""
    op.add_column("domains", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("domains", sa.Column("catch_all", sa.Text, nullable=False, server_default="refuse"))
    op.create_table(
        "domain_aliases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id"), nullable=False, index=True),
        sa.Column("created", sa.Float, nullable=False),
    )
    _names()
    op.create_table(
        "caught_names",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id"), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False, unique=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.Float, nullable=False),
        sa.Column("last_seen", sa.Float, nullable=False),
    )
    op.create_index("caught_names_by_age", "caught_names", ["domain_id", "last_seen"])


def _names() -> None:
    op.create_table(
        "names",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id"), nullable=False, index=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False, unique=True),
        sa.Column("keep_copy", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("blocked", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "name_targets",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name_id", sa.Integer, sa.ForeignKey("names.id", ondelete="CASCADE"), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("target_key", sa.Text, nullable=False, index=True),
        sa.Column("forward", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.UniqueConstraint("name_id", "target_key"),
    )

"""Smarthosts of domains and accounts, and the addresses that domains' mail comes from."""

import sqlalchemy as sa
from alembic import op

revision = "v0007"
down_revision = "v0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """All mail goes the server's way."""
    op.create_table(
        "smarthosts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id"), unique=True),
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), unique=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("tls", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
    )
    op.create_table(
        "source_addresses",
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id"), primary_key=True),
        sa.Column("address", sa.Text, primary_key=True),
    )

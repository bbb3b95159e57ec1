"""Domains, accounts, what they store, and the list of changes."""

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward only: going back means restoring the backup taken before."""
    _domains()
    _accounts()
    for name, key in (("account_usage", "account_id"), ("domain_usage", "domain_id")):
        op.create_table(
            name,
            sa.Column(key, sa.Integer, primary_key=True),
            sa.Column("bytes", sa.BigInteger, nullable=False),
            sa.Column("messages", sa.BigInteger, nullable=False),
        )
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("account_id", sa.Integer, nullable=False),
        sa.Column("credentials", sa.Boolean, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("main_login", sa.Text, nullable=False),
        sa.Column("main_login_key", sa.Text, nullable=False, unique=True),
        sa.Column("quota_bytes", sa.BigInteger),
        sa.Column("default_account_id", sa.Integer),
        sa.Column("login_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("incoming_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("outgoing_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("pop_before_smtp", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("must_match_sender", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("domain_id", sa.Integer, sa.ForeignKey("domains.id"), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False, unique=True),
        sa.Column("directory", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger),
        sa.Column("quota_messages", sa.BigInteger),
        sa.Column("login_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("incoming_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("outgoing_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("accounts_of_domain", "accounts", ["domain_id", "address_key"])
    op.create_index("accounts_directory", "accounts", ["domain_id", "directory"], unique=True)

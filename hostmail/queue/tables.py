"""The queue's tables. `migrations` makes them; a change here needs a new migration there (a test compares the two)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    case,
    false,
)

from hostmail.sql.migrating import Migrations

metadata = MetaData()
MIGRATIONS = Migrations(
    what="the queue",
    scripts=Path(__file__).with_name("migrations"),
    latest="v0009",
    version_table="queue_alembic_version",
)

# The last number of each kind that was given away. None is given twice: whoever still holds one of a row that is gone (an operator deleted
# what was just being sent) must not meet another's mail under it.
given = Table(
    "queue_given",
    metadata,
    Column("what", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

messages = Table(
    "queue_messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("queue_id", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("file", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("prefix_length", Integer, nullable=False),
    Column("account_id", Integer),
    Column("created", Float, nullable=False),
    Column("ret", Text, nullable=False),
    Column("envid", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("smtputf8", Boolean, nullable=False),
    Column("for_domain", Text, nullable=False, server_default=""),
)

recipients = Table(
    "queue_recipients",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", Integer, ForeignKey("queue_messages.id"), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("notify", Text, nullable=False),
    Column("orcpt", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("next_attempt", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_answer", Text, nullable=False),
    Column("warned", Boolean, nullable=False),
    Column("leased_until", Float, nullable=False),
    Column("returned", Boolean, nullable=False, server_default=false()),
    Column("routed", Boolean, nullable=False, server_default=false()),
    Column("addressed", Text, nullable=False, server_default=""),
    Column("caught", Text, nullable=False, server_default=""),
    Column("own_sender", Text, nullable=False, server_default=""),
    Column("domain", Text, nullable=False, server_default=""),
    Column("way", Text, nullable=False, server_default=""),
    Index("queue_recipients_due", "state", "next_attempt"),
    Index("queue_recipients_message", "message_id"),
    Index("queue_recipients_way", "way", "state", "next_attempt"),
)

SENDER = case((recipients.c.own_sender != "", recipients.c.own_sender), else_=messages.c.sender)
"""The reverse-path of a recipient's copy."""

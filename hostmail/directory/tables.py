"""The directory's tables, as the code of this version sees them. The migrations make them; a test compares the two."""

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
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from hostmail.decisions import CATCH_REFUSE
from hostmail.sql.migrating import Migrations

metadata = MetaData()
MIGRATIONS = Migrations(
    what="the directory database",
    scripts=Path(__file__).with_name("migrations"),
    latest="v0012",
    version_table="alembic_version",
)


def _switch(name: str, on: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=true() if on else false())


domains = Table(
    "domains",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    # Case matters when signing in (A2), yet no two may differ by case only: hence the key.
    Column("main_login", Text, nullable=False),
    Column("main_login_key", Text, nullable=False, unique=True),
    Column("quota_bytes", BigInteger),
    Column("default_account_id", Integer),
    _switch("login_suspended"),
    _switch("incoming_suspended"),
    _switch("outgoing_suspended"),
    _switch("pop_before_smtp", on=True),
    _switch("must_match_sender"),
    Column("created", Float, nullable=False),
    _switch("active", on=True),
    # refuse, discard, default, or an address: as `Domain.catch_all`.
    Column("catch_all", Text, nullable=False, server_default=CATCH_REFUSE),
    sqlite_autoincrement=True,
)

# A whole domain that stands for a hosted one (E6). No hosted domain has such a name.
domain_aliases = Table(
    "domain_aliases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), nullable=False, index=True),
    Column("created", Float, nullable=False),
)

# What owners have laid down about addresses: they lead to others (E1), or nobody gets their mail (E2). What else an address may be one
# day, a list say, has a table of its own that refers to this one.
names = Table(
    "names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    _switch("keep_copy"),
    _switch("blocked"),
    Column("created", Float, nullable=False),
)

name_targets = Table(
    "name_targets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name_id", Integer, ForeignKey("names.id", ondelete="CASCADE"), nullable=False),
    Column("target", Text, nullable=False),
    Column("target_key", Text, nullable=False, index=True),
    _switch("forward"),
    UniqueConstraint("name_id", "target_key"),
)

# A catch-all's memory (E2). It is no fact: nothing is announced, and a power cut may take the last few seconds of it.
caught_names = Table(
    "caught_names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("count", Integer, nullable=False),
    Column("first_seen", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    Index("caught_names_by_age", "domain_id", "last_seen"),
)

accounts = Table(
    "accounts",
    metadata,
    # Numbers are never used again: grants, sessions and usage of a removed account must not reach a later one (D13).
    Column("id", Integer, primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("directory", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("quota_bytes", BigInteger),
    Column("quota_messages", BigInteger),
    _switch("login_suspended"),
    _switch("incoming_suspended"),
    _switch("outgoing_suspended"),
    Column("created", Float, nullable=False),
    # See `replaced`: a digest of the imported hash that `password_hash` is the upgrade of.
    Column("replaced_hash", Text),
    # One more with each password that somebody sets: what was opened with the one before ends.
    Column("credential", Integer, nullable=False, server_default="0"),
    # What of it an operator has suspended ("login outgoing"): owners cannot allow that again.
    Column("operator_suspended", Text, nullable=False, server_default=""),
    Index("accounts_of_domain", "domain_id", "address_key"),
    Index("accounts_directory", "domain_id", "directory", unique=True),
    sqlite_autoincrement=True,
)

# What a removed account needs to be there again, as long as its mail is kept aside (D13). Its domain may be gone, too.
removed_accounts = Table(
    "removed_accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain", Text, nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("directory", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("quota_bytes", BigInteger),
    Column("quota_messages", BigInteger),
    _switch("login_suspended"),
    _switch("incoming_suspended"),
    _switch("outgoing_suspended"),
    Column("removed", Float, nullable=False),
    Column("operator_suspended", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

account_usage = Table(
    "account_usage",
    metadata,
    Column("account_id", Integer, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
)

# The sum over a domain's accounts, changed in the same transactions: enforcing a domain's quota must not cost more
# in a domain of a thousand accounts.
domain_usage = Table(
    "domain_usage",
    metadata,
    Column("domain_id", Integer, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
)

# What other processes have to hear. `origin` names the process that wrote it, which has told itself already.
changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("account_id", Integer, nullable=False),
    Column("credentials", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("at", Float, nullable=False),
    sqlite_autoincrement=True,
)

# What signs what we give away, such as rewritten senders: the same for all processes and nodes.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# Senders of forwarded mail that are too long to be named in a reverse-path. Numbers are never used again: a bounce must not reach another.
kept_senders = Table(
    "kept_senders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("used", Float, nullable=False),
    Index("kept_senders_used", "used"),
    sqlite_autoincrement=True,
)

autoresponders = Table(
    "autoresponders",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("starts", Float),
    Column("until", Float),
    Column("every", Float, nullable=False),
)

answered = Table(
    "answered",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id"), primary_key=True),
    Column("sender_key", Text, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("count", Integer, nullable=False),
    Index("answered_at", "account_id", "at"),
)

# Numbers of lists and members are never used again: a bounce or a held post of a list that is gone must not reach another.
lists = Table(
    "lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), nullable=False, index=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("post", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created", Float, nullable=False),
    _switch("tell_held", on=True),
    sqlite_autoincrement=True,
)

list_owners = Table(
    "list_owners",
    metadata,
    Column("list_id", Integer, ForeignKey("lists.id"), primary_key=True),
    Column("address_key", Text, primary_key=True),
    Column("address", Text, nullable=False),
)

list_members = Table(
    "list_members",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("list_id", Integer, ForeignKey("lists.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    # False for somebody whose mail came back too often.
    _switch("active", on=True),
    Column("bounces", Integer, nullable=False),
    Column("last_bounce", Float),
    Column("joined", Float, nullable=False),
    UniqueConstraint("list_id", "address_key"),
    sqlite_autoincrement=True,
)

# Whom lists have written to of their own, about what, and when last.
list_questions = Table(
    "list_questions",
    metadata,
    Column("list_id", Integer, ForeignKey("lists.id"), primary_key=True),
    Column("address_key", Text, primary_key=True, index=True),
    Column("action", Text, primary_key=True),
    Column("at", Float, nullable=False),
)

# Where mail of a domain, or of an account, is sent on (C9). The password is kept as it is: it has to be said there.
smarthosts = Table(
    "smarthosts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), unique=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), unique=True),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("tls", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("password", Text, nullable=False),
)

# This machine's addresses that a domain's mail comes from, at most one IPv4 and one IPv6.
source_addresses = Table(
    "source_addresses",
    metadata,
    Column("domain_id", Integer, ForeignKey("domains.id"), primary_key=True),
    Column("address", Text, primary_key=True),
)

# Operators, and owners of domains, with logins of their own (F1). None is spelled as a domain's main login, in any case.
people = Table(
    "people",
    metadata,
    # Numbers are never used again: what was opened for somebody who is gone must not open for a later one.
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False),
    Column("login_key", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    _switch("suspended"),
    Column("max_accounts", BigInteger),
    Column("max_forwards", BigInteger),
    Column("max_lists", BigInteger),
    Column("quota_bytes", BigInteger),
    Column("credential", Integer, nullable=False, server_default="0"),
    Column("created", Float, nullable=False),
    sqlite_autoincrement=True,
)

person_domains = Table(
    "person_domains",
    metadata,
    Column("person_id", Integer, ForeignKey("people.id"), primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), primary_key=True, index=True),
)

# The secret is kept as it is: codes are made from it. Not `active` is one whose owner has not shown yet that he has it.
second_factors = Table(
    "second_factors",
    metadata,
    Column("number", Integer, primary_key=True),
    # "person:3" or "domain:4", as `Standing.subject`.
    Column("subject", Text, nullable=False, unique=True),
    Column("secret", LargeBinary, nullable=False),
    _switch("active"),
    Column("last_step", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried", Float, nullable=False),
    Column("created", Float, nullable=False),
    sqlite_autoincrement=True,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("factor", Integer, ForeignKey("second_factors.number", ondelete="CASCADE"), primary_key=True),
    Column("digest", Text, primary_key=True),
)

# `subject` is who made it, "" for the command: it never opens more than he may himself.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("subject", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("account_id", Integer, ForeignKey("accounts.id")),
    _switch("read_only"),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("last_used", Float),
    sqlite_autoincrement=True,
)

token_domains = Table(
    "token_domains",
    metadata,
    Column("token_id", Integer, ForeignKey("tokens.id", ondelete="CASCADE"), primary_key=True),
    Column("domain_id", Integer, ForeignKey("domains.id"), primary_key=True, index=True),
)

# Domains whose new mailboxes begin otherwise than the server's (F3). Without a template it is the server's letter.
welcomes = Table(
    "welcomes",
    metadata,
    Column("domain_id", Integer, ForeignKey("domains.id", ondelete="CASCADE"), primary_key=True),
    _switch("is_on", on=True),
    Column("template", Text, nullable=False),
)

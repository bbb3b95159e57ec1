"""The limits, each with its default: what one peer, session or message may use before it is told no."""

# ruff: noqa: RUF009 - each default is a field made by `key`, which is a call on purpose
from __future__ import annotations

from dataclasses import dataclass

from hostmail.config import kinds
from hostmail.config.fields import key
from hostmail.config.units import Octets, Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Counts, octets and seconds. Idle times count lack of progress, never total time (BEHAVIOURS B4)."""

    connections: int = key(kinds.count(1), "Open connections in all.", 10_000)
    connections_per_ip: int = key(
        kinds.count(1), "Connections from one address (IPv6: one /64) that have not logged in.", 50
    )
    sessions_per_account: int = key(kinds.count(1), "Sessions of one account from one address.", 50)
    handshake_timeout: Seconds = key(kinds.duration(), "Time to finish the handshake on a TLS port.", Seconds(30))
    smtp_idle: Seconds = key(kinds.duration(10), "SMTP: time between commands.", Seconds(300))
    smtp_data_idle: Seconds = key(kinds.duration(10), "SMTP: time without an octet of the message.", Seconds(180))
    pop3_idle: Seconds = key(kinds.duration(10), "POP3: time between commands (RFC 1939: 10 minutes).", Seconds(600))
    imap_login_idle: Seconds = key(kinds.duration(10), "IMAP: time between commands before login.", Seconds(180))
    imap_idle: Seconds = key(kinds.duration(10), "IMAP: time between commands (RFC 3501: 30 minutes).", Seconds(1800))

    recipients: int = key(kinds.count(1), "Recipients of one message.", 1_000)
    recipients_strangers: int = key(kinds.count(1), "The same for clients that have not logged in.", 100)
    sent_per_hour: int = key(
        kinds.count(1),
        "Recipients elsewhere an account may name in an hour; by a relay grant half of it. Beyond, ten are refused for now, then mail is"
        " held and the account and its domain's owner are told.",
        300,
    )
    sent_per_day: int = key(kinds.count(1), "The same in a day.", 2_000)
    held_recipients: int = key(
        kinds.count(1),
        "Recipients of an account's mail that are held at once; beyond, it is refused for now (452).",
        2_000,
    )
    held_size: Octets = key(kinds.size(65536), "Octets of an account's mail that are held at once.", Octets(200 << 20))
    alias_targets: int = key(
        kinds.count(1, 500), "Addresses that one alias or forward leads to; for more there are mailing lists.", 100
    )
    domain_names: int = key(
        kinds.count(1), "Aliases, forwards and blocked names of one domain; those it has are kept.", 10_000
    )
    caught_names: int = key(
        kinds.count(1, 100_000),
        "Unknown names that are remembered of one domain with a catch-all, those seen last.",
        1_000,
    )
    list_posts_per_hour: int = key(
        kinds.count(1),
        "Posts of one mailing list in an hour; further ones wait for its owners, as do those beyond the next.",
        60,
    )
    list_recipients_per_day: int = key(
        kinds.count(1),
        "Members that posts of one mailing list go to in a day, but for a larger list's first post.",
        100_000,
    )
    list_requests_per_ip: int = key(
        kinds.count(1),
        "Requests to mailing lists, which are answered by mail, from one address (IPv6: one /64) in an hour.",
        60,
    )
    messages_per_session: int = key(kinds.count(1), "Messages in one SMTP session.", 1_000)
    smtp_errors: int = key(kinds.count(1), "SMTP: refused commands before the session ends.", 50)
    relay_refusals: int = key(kinds.count(1), "Relaying refusals before the session ends (BEHAVIOURS C8).", 5)
    bad_commands: int = key(kinds.count(1), "POP3, IMAP: bad commands in a row before the session ends.", 20)

    failed_logins_per_session: int = key(kinds.count(1), "Failed logins before the session ends.", 5)
    failed_logins_per_ip: int = key(kinds.count(1), "Failed logins of one address in an hour before it must wait.", 100)
    failed_logins_per_account: int = key(
        kinds.count(1), "Failed logins of one account in an hour, from networks it does not use.", 50
    )
    failed_login_delay: Seconds = key(
        kinds.duration(0), "How long the answer to a failed login is held back.", Seconds(2)
    )
    failed_login_delay_most: Seconds = key(kinds.duration(0), "What that rises to with repeated failures.", Seconds(15))
    failed_login_block: Seconds = key(kinds.duration(), "How long an address must wait after too many.", Seconds(900))
    api_requests: int = key(
        kinds.count(1),
        "Requests that one token may make to the panel's HTTP API in a minute, all at once or one by one.",
        600,
    )
    panel_requests: int = key(
        kinds.count(1), "Pages of the panel that one person may ask for in a minute, all at once or one by one.", 600
    )
    setup_requests: int = key(
        kinds.count(1),
        "Set-up answers that mail programs at one address (IPv6: one /64) get in a minute, all at once or one by one.",
        120,
    )
    dns_checks: int = key(
        kinds.count(1), "Live checks of the DNS that one person who is no operator may ask for in a minute.", 20
    )
    password_threads: int = key(kinds.count(0, 64), "Password checks at the same time; 0: one per core.", 0)
    password_queue: int = key(kinds.count(1), "Password checks waiting before clients are told to try later.", 100)

    grants_per_ip: int = key(
        kinds.count(1),
        "Accounts that hold a relay grant from one address before it is logged and shared_grants counts (BEHAVIOURS C6).",
        5,
    )

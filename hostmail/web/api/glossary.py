"""What the words of the API mean: one entry for each name of an argument or field, wherever it is, for the OpenAPI document.

`Type.name` is for the one type where it means something else, or has other values, than everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hostmail.actor import Role
from hostmail.clientsetup.checking import State
from hostmail.clientsetup.records import Need, What
from hostmail.clientsetup.setup import Protocol, Security
from hostmail.interfaces.history import Happened
from hostmail.interfaces.lists import MayPost


@dataclass(frozen=True, slots=True)
class Word:
    """What a name means, and further keywords of JSON Schema for its values, or for each item of a list."""

    means: str
    rules: Mapping[str, Any] = field(default_factory=dict)


def address(means: str) -> Word:
    """A mail address."""
    return Word(means, {"format": "idn-email"})


def count(means: str) -> Word:
    """A number of things."""
    return Word(means, {"minimum": 0})


def moment(means: str) -> Word:
    """A point in time."""
    return Word(_in("Unix time, in seconds", means), {"minimum": 0})


def octets(means: str) -> Word:
    """A size."""
    return Word(_in("octets", means), {"minimum": 0})


def _in(unit: str, means: str) -> str:
    first, semicolon, rest = means.partition(";")
    return f"{first} ({unit}){semicolon}{rest}."


def one_of(means: str, *words: str) -> Word:
    """One of these."""
    return Word(means, {"enum": list(words)})


def ip(means: str) -> Word:
    """An IP address."""
    return Word(means, {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})


_PORT = {"minimum": 1, "maximum": 65535}
_QUEUE_ID = "The number of a message in the queue, as in the log and in Received."
_SUSPENDED = "Whether {} suspended."
_HOW_MANY = "At most how many rows are looked for, before they are shown page by page."
_LIMIT_OF_OWNER = "How many {} he may have in all his domains; null for no limit."
_PATTERN = (
    "Which recipients: parts of queue id, sender or recipient, or words like to:@example.com, from:, account:, state:held, as"
    " `hostmail queue --help` has them."
)

GLOSSARY: Mapping[str, Word] = {
    "about": Word("An address or domain: only what is about it."),
    "accepted": Word("Whether they were let in."),
    "account": Word('The account that sent it; "" for mail from elsewhere.'),
    "account_id": Word("The account's number; 0 for none."),
    "accounts": count("How many accounts there are."),
    "active": Word("Whether it takes part: mail to a domain is taken here, a member gets posts."),
    "address": address("A mail address."),
    "addressed": Word('The address that the sender wrote, where it leads to `recipient`; else "".'),
    "advice": Word("What to do about it, in words."),
    "aliases": Word("Addresses or domains here that it leads to, or that lead to it."),
    "all": Word("Everything there is, instead of naming something."),
    "answer": Word("The last answer of the other side, or the one that a sender gets."),
    "answered": Word("Who was answered."),
    "apple_code": Word(
        'An image (SVG) of the address of the profile, for the camera of a telephone; "" if there is none.'
    ),
    "apple_profile": Word('Where Apple\'s programs get their profile; "" if there is no panel.'),
    "arguments": Word("What was said, without passwords and other secrets."),
    "at": moment("When"),
    "attempts": count("How often it was tried."),
    "blocked": Word("Whether mail for this name is refused, whatever the catch-all does."),
    "body": Word("What the sender declared (BODY of RFC 6152): 7BIT or 8BITMIME."),
    "bounced": count("How many recipients were returned to their senders."),
    "bounces": count("How often mail came back since it last did not."),
    "by": Word("Part of a login: only what that one did."),
    "catch_all": Word(
        "What becomes of mail for unknown names: refuse, discard, default (the default mailbox), or an address."
    ),
    "caught": Word('The name that nobody has, where the catch-all took it; else "".'),
    "certificates": Word("All certificates."),
    "count": count("How often."),
    "created": moment("When it was made"),
    "cursor": Word("`next` of the page before."),
    "default_mailbox": Word(
        'The account that has mail for postmaster, and opens with the main login; "" or null for none.'
    ),
    "deleted": count("How many recipients were dropped."),
    "depth": count("Under how many other steps this one is."),
    "description": Word("What the list is for, in words."),
    "destinations": Word("Where mail waits to go, the fullest first."),
    "direct": Word("Whether mail goes to the servers of its recipients, past the server's own smarthost."),
    "domain": Word("A domain's name; told as the DNS carries it (xn--...)."),
    "domains": Word("Names of domains; told as the DNS carries them (xn--...)."),
    "dropped": count("How many members came back too often, and get no posts."),
    "dry_run": Word("Only say what would be done."),
    "ended_sessions": count("How many sessions were disconnected."),
    "ends": Word("Where it ends up."),
    "envid": Word('ENVID of the sender (RFC 3461); "" for none.'),
    "every": Word("How many seconds a sender is left alone after an answer.", {"minimum": 0}),
    "expires": moment("When it ends; null for never"),
    "facts": Word("What to type in."),
    "failures": Word("Failed logins, of which older ones count for less.", {"minimum": 0}),
    "file": Word("Where it is on the server."),
    "first": moment("When the first of them was"),
    "first_seen": moment("When the first mail came; null for never"),
    "fix": Word("Lines of a zone file to have instead, or to add."),
    "folder": Word("Where its mail is on the server."),
    "for_domain": Word('The hosted domain whose affair it is; "" for none.'),
    "forwarder": Word("The address that sends it on."),
    "forwards": Word("Addresses, here or elsewhere, that mail is sent on to."),
    "found": Word("What the DNS says now."),
    "free": octets("What is left; null for no limit"),
    "full": Word("Whether no more mail goes in."),
    "guides": Word("Step by step, for each mail program."),
    "has_mailbox": Word("Whether there is an account with this address."),
    "held": count("How many recipients are kept until they are released."),
    "host": Word("A server's name or address."),
    "hostname": Word("The server's own name."),
    "id": Word("Its number."),
    "in_clear": Word("Whether passwords are taken without TLS, too."),
    "incoming_suspended": Word(_SUSPENDED.format("incoming mail is")),
    "ip": Word('An IPv4 or IPv6 address; "" where there is none.'),
    "issuer": Word("Who signed it."),
    "items": Word("The rows of this page."),
    "joined": moment("Since when he is on the list"),
    "keep_copy": Word("Whether the address's own mailbox gets the mail, too; null leaves that as it is."),
    "key": Word("A word for this guide that stays the same."),
    "kind": Word("What kind it is."),
    "laid_down": Word("Whether the domain differs from the server."),
    "last": moment("When the last of them was"),
    "last_answer": Word('What the other side said last; "" for nothing.'),
    "last_bounce": moment("When mail came back last; null for never"),
    "last_check": Word("When mail was fetched last; null for never, or not for a long time."),
    "last_seen": moment("When the last mail came; null for never"),
    "last_used": moment("When it was last shown; null for never"),
    "line": Word("A number of your own, such as that of the line in your file: it comes back with the outcome."),
    "lists": Word(_LIMIT_OF_OWNER.format("mailing lists"), {"minimum": 0}),
    "login": Word("What is signed in with: an address, a domain's main login, or an operator's or owner's name."),
    "login_suspended": Word(_SUSPENDED.format("signing in is")),
    "made_by": Word("Who made it."),
    "main_login": Word("The other login of the domain's default mailbox."),
    "may_relay": Word("Whether mail is taken from there without a login."),
    "means": Word("What it becomes."),
    "member": address("The address of a member."),
    "members": count("How many members get posts."),
    "message": Word("The message as it waits.", {"contentEncoding": "base64", "contentMediaType": "message/rfc822"}),
    "message_id": Word('The Message-ID without its brackets; "" for none.'),
    "messages": count("How many messages."),
    "more": count("For how many facts like those that follow it this one stands; 0 if for itself."),
    "most": Word(_HOW_MANY, {"minimum": 1}),
    "must_match_sender": Word("Whether people may only send in the name of addresses that lead to them."),
    "name": Word("A name."),
    "names": Word("The names it is for."),
    "need": one_of("How much it matters.", *Need),
    "next": Word("The `cursor` of the next page; null on the last one."),
    "next_attempt": moment("When it is tried again"),
    "notes": Word("What else to know."),
    "notify": Word('NOTIFY of the sender (RFC 3461); "" for none.'),
    "number": Word("A number that tells it apart."),
    "octets": octets("How much it is"),
    "oldest": moment("Since when the oldest waits; null where nothing waits"),
    "on": Word("Whether new mailboxes begin with a letter."),
    "orcpt": Word('ORCPT of the sender (RFC 3461); "" for none.'),
    "outcome": Word("What came of it."),
    "operator_suspended": Word(
        "Whether an operator has suspended some of it, which the owner of its domain cannot change."
    ),
    "outgoing_suspended": Word(_SUSPENDED.format("sending is")),
    "own": Word("Whether the domain has a letter of its own."),
    "owner": Word('Whose way out it is: an account, a domain, or "" for the server\'s.'),
    "owners": address("Addresses of those who look after the list."),
    "panel": Word('Where the control panel is; "" for nowhere.'),
    "password": Word("A password in clear."),
    "password_hash": Word(
        "A ready-made hash, like {BLF-CRYPT}$2y$... or {SHA512-CRYPT}$6$..., instead of a password. For operators."
    ),
    "password_set": Word("Whether there is a password."),
    "pattern": Word(_PATTERN),
    "pid": Word("The number of the process."),
    "placeholders": Word("Words that stand for something in a letter."),
    "pointed": Word("Whether the domain's mail comes here; null if nobody could say."),
    "pop_before_smtp": Word("Whether checking mail lets that address send for a while."),
    "port": Word("A port.", _PORT),
    "post": one_of("Whose posts are taken without asking an owner.", *MayPost),
    "problem": Word("What is wrong, in words."),
    "problems": Word("What is wrong."),
    "profile": one_of("Which defaults the server has.", "classic", "modern"),
    "protocol": Word("imap, imaps, pop3, pop3s, smtp, submission, submissions, panel or api."),
    "purpose": Word("What it is for, in words."),
    "queue": count("How many recipients wait."),
    "queue_id": Word(_QUEUE_ID),
    "quota": octets("How much mail there may be; null for no limit"),
    "quota_messages": count("How many messages there may be; null for no limit."),
    "read_only": Word("Whether it may look, and change nothing."),
    "reason": Word('Why they were refused; "" if they were not.'),
    "recipient": Word('Whom it is for; "" for the message as a whole.'),
    "recipients": count("How many recipients."),
    "records": Word("Each record."),
    "refused": address("Those of `aliases` that take no mail: gone, or suspended."),
    "refused_until": moment("Until when logins from there are refused; null if they are not"),
    "relay_grants": count("How many addresses may relay after checking mail."),
    "released": count("How many recipients go on."),
    "removed": moment("When it was removed"),
    "removed_accounts": count("How many accounts went with it."),
    "repaired": count("How much of it was mended."),
    "ret": Word('RET of the sender (RFC 3461); "" for none.'),
    "retried": count("How many recipients are tried now."),
    "revoked": count("How many grants were closed."),
    "revoked_grants": count("How many relay grants were closed."),
    "role": one_of("What somebody is.", *Role),
    "rows": Word("What to take in, at most 200 at a time.", {"maxItems": 200}),
    "rule": Word("Which rule decided."),
    "running": Word("Whether the service runs."),
    "second_factor": Word("Whether a code is needed to sign in."),
    "seconds": Word("How many seconds to look back; null for all there is."),
    "seconds_left": count("How many seconds it lasts yet."),
    "security": one_of("How the connection becomes secret.", *Security),
    "self_signed": Word("Whether it is signed by itself."),
    "sender": Word('Who sent it (the reverse-path); "" for none, as of reports.'),
    "sending": count("How many are being sent now."),
    "server_name": Word("The name of the server that it is for; null for all others."),
    "servers": Word("Where mail programs connect."),
    "sessions": Word("How many sessions there are, by protocol."),
    "settings": Word("What mail programs ask for."),
    "shared_by": count("By how many accounts the address is shared."),
    "since": moment("Since when"),
    "size": octets("How much it is"),
    "size_bytes": octets("The largest post that is taken"),
    "smarthost": Word("The server that mail is handed to; null for none of its own."),
    "smarthost_login": Word('How to sign in there; "" for not at all.'),
    "smarthost_password": Word("The password for that. It is never told."),
    "smarthost_tls": one_of("How TLS is used there.", "opportunistic", "required", "verified"),
    "smtputf8": Word("Whether it needs SMTPUTF8 (RFC 6531)."),
    "source_addresses": ip("IP addresses that its mail comes from, at most one of each kind."),
    "sources": ip("IP addresses that mail comes from; none where the system chooses."),
    "starts": moment("From when on; null for always"),
    "state": Word("How it is at present."),
    "states": Word("How many recipients there are in each state."),
    "steps": Word("One after the other."),
    "subject": Word("The subject of a letter."),
    "suspended": Word("Whether he is shut out."),
    "target": Word('An address; "" or null for none.'),
    "targets": address("Addresses that mail goes to."),
    "tell_held": Word("Whether who posts is told that the owners are asked."),
    "template": Word("Subject: ..., an empty line, and the text, with placeholders."),
    "text": Word("Plain text."),
    "title": Word("A heading."),
    "tls": Word("How TLS is used; null for not at all."),
    "unread": count("How many messages are unread."),
    "until": moment("Until when; null for ever"),
    "uptime": count("Since how many seconds it runs."),
    "used": octets("How much mail there is"),
    "valid_from": moment("From when on it is good; null if it cannot be read"),
    "valid_until": moment("Until when it is good; null if it cannot be read"),
    "value": Word("What to type in."),
    "values": Word("What it has to say."),
    "verb": Word("What was to be done, as account.add."),
    "version": Word("The version of hostmail."),
    "way": one_of("Where from.", "command", "panel", "api"),
    "way_out": Word("How mail of that sender leaves."),
    "what": one_of("What became of it.", *Happened),
    "window": count("For how many seconds checking mail opens relaying."),
    "without": Word(
        "Names by which people reach this server, and for which programs believe no certificate; at most 1,000."
    ),
    "without_count": count("How many such names there are."),
    "words": Word("The same in words."),
    "zone": Word("Lines for the zone file."),
    # Where a name means something else.
    "PersonTold.accounts": count(_LIMIT_OF_OWNER.format("accounts")),
    "PersonTold.forwards": count(_LIMIT_OF_OWNER.format("addresses that mail is forwarded to")),
    "PersonTold.quota": octets("How much he may give to accounts in all his domains; null for no limit"),
    "OwnerAddRequest.accounts": count(_LIMIT_OF_OWNER.format("accounts")),
    "OwnerAddRequest.forwards": count(_LIMIT_OF_OWNER.format("addresses that mail is forwarded to")),
    "OwnerAddRequest.quota": octets("How much he may give to accounts in all his domains; null for no limit"),
    "OwnerSetRequest.accounts": count(_LIMIT_OF_OWNER.format("accounts")),
    "OwnerSetRequest.forwards": count(_LIMIT_OF_OWNER.format("addresses that mail is forwarded to")),
    "OwnerSetRequest.quota": octets("How much he may give to accounts in all his domains; null for no limit"),
    "StatusTold.domains": count("How many domains there are."),
    "Row.password": Word('A password in clear, or {SCHEME}hash; "" leaves that of an account that exists.'),
    "Row.quota": Word('Like 20M, or none for no limit; "" for the default, or as it is.'),
    "EndTold.kind": one_of("What becomes of it.", "mailbox", "forward", "list", "discard", "refuse", "relay"),
    "WayOutTold.kind": one_of("A smarthost, the servers of the recipients, or none.", "smarthost", "mx", "none"),
    "EndTold.address": Word('Whose it is; "" for nobody\'s.'),
    "StepTold.address": Word("The address that this step is about."),
    "RouteTold.address": Word("The address that was asked about."),
    "RoutePath.address": Word("Any address, here or elsewhere."),
    "RouteRequest.sender": Word("Who sends, if the way out of his mail is wanted, too. For operators."),
    "RouteTold.sender": Word("The sender that was asked about."),
    "RecordTold.what": one_of("What it is for.", *What),
    "CheckedTold.what": one_of("What it is for.", *What),
    "RecordTold.kind": Word("MX, A, AAAA, CNAME, TXT or SRV."),
    "CheckedTold.kind": Word("MX, A, AAAA, CNAME, TXT or SRV."),
    "RecordTold.name": Word("The name in the DNS."),
    "CheckedTold.name": Word("The name in the DNS."),
    "CheckedTold.problem": Word("Whether something is to be done about it."),
    "CheckedTold.state": one_of("How it is.", *State),
    "DnsCheckTold.problems": count("How many records have a problem."),
    "LastCheckTold.problems": count("How many records have a problem; null for not known."),
    "LastCheckTold.at": moment("When that was; null for not yet"),
    "ServerTold.protocol": one_of("What is spoken there.", *Protocol),
    "SmarthostTold.login": Word('How to sign in there; "" for not at all.'),
    "WayOutTold.login": Word('How to sign in there; "" for not at all.'),
    "WayOutTold.smarthost": Word("The server that mail is handed to."),
    "SmarthostTold.tls": one_of("How TLS is used.", "opportunistic", "required", "verified"),
    "WayOutTold.tls": one_of("How TLS is used.", "opportunistic", "required", "verified"),
    "AttemptTold.tls": Word("Whether the connection was encrypted."),
    "SessionTold.tls": Word("The version of TLS; null for none."),
    "SessionTold.state": Word("What it is doing, in a few plain values."),
    "SessionTold.address": address("Whose mailbox it has open; null for none."),
    "GrantTold.ip": ip("The address that may relay."),
    "WhyTold.ip": ip("The address that was asked about."),
    "RelayAllowRequest.ip": ip("An IPv4 or IPv6 address."),
    "RelayWhyPath.ip": ip("An IPv4 or IPv6 address."),
    "RelayRevokePath.ip": ip("An IPv4 or IPv6 address."),
    "SessionListRequest.address": Word("The account whose sessions are wanted."),
    "RelayAllowRequest.seconds": Word("For how long; null for as long as the configuration says.", {"minimum": 1}),
    "ThrottledTold.ip": Word("An address, or a network (IPv6) that counts as one."),
    "ThrottleForgivePath.ip": Word("An address, or a client as the list shows it."),
    "ListTold.held": count("How many posts wait for the owners."),
    "QueuedTold.state": one_of("How it is.", "waiting", "held", "sending"),
    "ReleasedTold.suspended": Word("Accounts and domains whose mail stays held, as they may send nothing now."),
    "RowTold.outcome": one_of("What came of it.", "created", "updated", "unchanged", "problem"),
    "MemberRowTold.outcome": one_of("What came of it.", "added", "unchanged", "problem"),
    "MembershipTold.outcome": one_of("What came of it.", "added", "unchanged"),
    "ChangeTold.outcome": Word("done, failed, refused: why, or begun (cut off by a crash)."),
    "ChangeTold.subject": Word('What it was about; "" for nothing in particular.'),
    "RowTold.address": Word("The address as it was written."),
    "Row.address": Word("A mail address in a domain that is hosted here."),
    "MemberRowTold.member": Word("The address as it was written."),
    "MemberRow.member": Word("A mail address."),
    "FactorTold.recovery_codes": count("How many recovery codes are left."),
    "OwnTold.limits": Word("How much an owner may have over all his domains; null for who has no limits of his own."),
    "LimitsTold.accounts": count(_LIMIT_OF_OWNER.format("accounts")),
    "LimitsTold.forwards": count(_LIMIT_OF_OWNER.format("addresses that mail is forwarded to")),
    "LimitsTold.quota": octets("How much he may give to accounts in all his domains; null for no limit"),
    "OwnTold.second_factor": Word("False where there is none, null where there can be none: a token has none."),
    "TraceRequest.about": Word("An address, a Message-ID, or a queue id."),
    "QuotaShowPath.name": Word("An address or a domain."),
    "QuotaSetPath.name": Word("An address or a domain."),
    "QuotaTold.name": Word("The address or domain."),
    "FolderTold.name": Word("The folder's name, INBOX for the first."),
    "TokenTold.name": Word("What it is for, in words."),
    "CatchallSetRequest.catch_all": Word("refuse, discard, default (the default mailbox), or an address."),
    "ProblemDetails.title": Word("The status in words."),
    "ProblemDetails.status": Word("The status.", {"minimum": 400, "maximum": 599}),
    "ProblemDetails.detail": Word("Why, in plain words."),
    "ProblemDetails.type": Word("Always about:blank: the status says what kind of problem it is (RFC 9457, 4.2.1)."),
    "ProblemDetails.suggestion": Word("What may have been meant."),
    "ProblemDetails.request_id": Word("What the log calls this request; X-Request-Id, too."),
}


def described(type_name: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of msgspec for a field of a type, with what the glossary says of it."""
    word = GLOSSARY.get(f"{type_name}.{name}") or GLOSSARY.get(name, Word(""))
    return {**_with(schema, word.rules), "description": word.means}


def _with(schema: Mapping[str, Any], rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules are for plain values: those of a list, or those that may be null."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_with(each, rules) for each in schema["anyOf"]]}
    if schema.get("type") == "array":
        return (
            {**schema, "items": _with(schema["items"], rules)}
            if _is_plain(schema["items"])
            else {**schema, **_own(rules)}
        )
    return {**schema, **rules} if _is_plain(schema) else dict(schema)


def _is_plain(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") in ("string", "integer", "number")


def _own(rules: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in rules.items() if name.endswith("Items")}

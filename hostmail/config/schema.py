"""Every key of the configuration, with its type, its default and a sentence: `Settings` is what the service runs with.

Settings need a restart; domains, accounts and quotas are facts and live in the directory (STYLE, "Settings and facts").
Sizes are octets, durations seconds, paths absolute.
"""

# ruff: noqa: RUF009 - each default is a field made by `key`, which is a call on purpose
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hostmail.config import kinds
from hostmail.config.fields import key, profiled, section, services
from hostmail.config.limits import Limits
from hostmail.config.units import Octets, Seconds

SERVICES = {"smtp": 25, "submission": 587, "submissions": 465, "pop3": 110, "pop3s": 995, "imap": 143, "imaps": 993}
WEB_SERVICES = {"panel": 8443, "setup": 80}
STANDARD_PORTS = {**SERVICES, "panel": WEB_SERVICES["panel"]}
IMPLICIT_TLS = frozenset({"submissions", "pop3s", "imaps"})
PROFILES = ("classic", "modern")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    """One port of one service. In the file it is an endpoint string, or a mapping when it has options."""

    endpoint: str = key(
        kinds.ENDPOINT, "A Twisted server endpoint: tcp:25, tcp6:25, unix:/path, systemd:... (BEHAVIOURS B1)."
    )
    plaintext_login: str | None = key(
        kinds.choice("allow", "refuse"), "Overrides plaintext_login for this port (BEHAVIOURS B2).", None
    )
    bare_names: str | None = key(
        kinds.BARE_NAMES,
        "Lets people sign in here without a domain (BEHAVIOURS A4): example.com means that of this domain, server_name that of the"
        " hosted domain whose name, or mail., pop., smtp. or imap. before it, the mail program asked for (TLS); default: nobody may.",
        None,
    )
    proxy_from: tuple[str, ...] = key(
        kinds.NETWORK,
        "Addresses or networks of proxies that must send the PROXY protocol (v1 or v2) on this port; empty: nobody does.",
        (),
        many=True,
    )
    tls: bool | None = key(
        kinds.SWITCH,
        "For the panel: no is plain HTTP, for a reverse proxy on this machine; default: yes, but for a UNIX socket.",
        None,
    )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect to it."""
        return self.endpoint.startswith("unix:") or kinds.is_loopback(self.endpoint)


def begins_with_tls(service: str, listener: Listener) -> bool:
    """Whether TLS comes before everything else on a port."""
    if service != "panel":
        return service in IMPLICIT_TLS
    return not listener.endpoint.startswith("unix:") if listener.tls is None else listener.tls


def standard_ports() -> dict[str, tuple[Listener, ...]]:
    """The seven ports of BEHAVIOURS B1, and the panel's."""
    return {service: (Listener(endpoint=f"tcp:{port}"),) for service, port in STANDARD_PORTS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """Certificates (BEHAVIOURS A5). All files are PEM; a file replaced on disk counts from the next handshake on."""

    certificate: Path | None = key(
        kinds.PATH,
        "The default certificate with its chain; none: a self-signed one is made and kept in data_dir/tls.",
        None,
    )
    private_key: Path | None = key(kinds.PATH, "Its private key; none: it is in the certificate's file.", None)
    directory: Path | None = key(
        kinds.PATH, "More certificates by server name: NAME.pem, or NAME/fullchain.pem with NAME/privkey.pem.", None
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Dns:
    """Whom to ask about other domains."""

    servers: tuple[str, ...] = key(
        kinds.SERVER,
        "Name servers to ask, as address or address:port; empty: those of the system (/etc/resolv.conf).",
        (),
        many=True,
    )
    timeout: Seconds = key(kinds.duration(1), "How long one question may take.", Seconds(10))


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The whole configuration."""

    hostname: str = key(
        kinds.HOSTNAME, "The server's own name: in greetings, EHLO and trace fields; its DNS must match."
    )
    data_dir: Path = key(
        kinds.PATH, "Where mail, the directory's database and the queue live.", Path("/var/lib/hostmail")
    )
    profile: str = key(
        kinds.choice(*PROFILES),
        "Which defaults: classic suits old mail programs, modern is strict (BEHAVIOURS G).",
        "classic",
    )
    listen: Mapping[str, tuple[Listener, ...]] = services(
        Listener,
        "The ports of each service, tcp6:25 for IPv6 and IPv4; a service that is not named is off.",
        standard_ports,
    )
    tls: Tls = section(Tls, "Certificates and keys.")

    plaintext_login: str = profiled(
        kinds.choice("allow", "refuse"),
        "Whether passwords are taken on a connection without TLS (BEHAVIOURS B2).",
        classic="allow",
        modern="refuse",
    )
    pop_before_smtp: bool = profiled(
        kinds.SWITCH,
        "Whether checking mail opens relaying for the address it came from (BEHAVIOURS C2, C5).",
        classic=True,
        modern=False,
    )
    relay_window: Seconds = key(
        kinds.duration(), "How long it stays open after a check (BEHAVIOURS C2).", Seconds(1800)
    )

    shared_grants: str = key(
        kinds.choice("honour", "refuse"),
        "Whether checking mail still opens relaying where more accounts than limits.grants_per_ip share one address (a NAT, a"
        " proxy); refuse: they must log in to send (BEHAVIOURS C6).",
        "honour",
    )

    message_size_limit: Octets = key(
        kinds.size(65536), "The largest message taken or sent, as transferred (BEHAVIOURS D3).", Octets(15 << 20)
    )
    default_quota: Octets | None = key(
        kinds.size(),
        "The quota of an account created without one; null: no limit (BEHAVIOURS D2).",
        Octets(20 << 20),
        nullable=True,
    )
    catch_all: str = profiled(
        kinds.choice("deliver", "refuse"),
        "What a new domain does with mail for names that nobody has: its default mailbox gets it, or it is refused (BEHAVIOURS E2).",
        classic="deliver",
        modern="refuse",
    )
    keep_removed: Seconds = key(
        kinds.duration(0), "How long the mail of a removed account is kept aside (BEHAVIOURS D13).", Seconds(14 * 86400)
    )

    history: Seconds = key(
        kinds.duration(3600),
        "How long what became of each message is remembered, for `hostmail trace`.",
        Seconds(30 * 86400),
    )
    history_size: Octets = key(
        kinds.size(16 << 20), "How large its file may become; the oldest is forgotten first.", Octets(2 << 30)
    )
    full_text_search: bool = key(
        kinds.SWITCH,
        "Whether folders in which people search for words are indexed, in the background (half as large as the texts in them); no: such"
        " searches read every message.",
        True,
    )

    direct_delivery: bool = key(
        kinds.SWITCH,
        "Whether mail for elsewhere goes to the hosts that its domain names in the DNS (MX) where no smarthost is set; no: it waits"
        " (BEHAVIOURS C9).",
        True,
    )
    smarthost: str | None = key(
        kinds.HOST_PORT,
        "A host that takes all outgoing mail, host:port, but for domains and accounts that have one of their own (hostmail domain set);"
        " port 465 speaks TLS at once; null: none (BEHAVIOURS C9).",
        None,
    )
    smarthost_login: str | None = key(kinds.TEXT, "The login at the smarthost; null: none.", None)
    smarthost_password_file: Path | None = key(kinds.PATH, "A file whose first line is the password there.", None)
    smarthost_tls: str | None = key(
        kinds.choice("opportunistic", "required", "verified"),
        "TLS to the smarthost: if offered, always, or always with a certificate that is valid for its name; null: the last with a login at"
        " another machine, else the first.",
        None,
    )
    forward_spam: bool = key(
        kinds.SWITCH,
        "Whether mail that a filter on the way has called spam (X-Spam-Flag) is forwarded to outside addresses, too; no: kept copies stay,"
        " and mail that would only be forwarded is refused.",
        False,
    )
    source_addresses: tuple[str, ...] = key(
        kinds.ADDRESS,
        "This machine's addresses that mail is sent from, at most one IPv4 and one IPv6; with one alone only that kind is used; empty:"
        " the system chooses.",
        (),
        many=True,
    )
    source_names: tuple[str, ...] = key(
        kinds.NAMED_ADDRESS,
        "The names by which this server introduces itself (EHLO) where it sends mail from addresses that have another name in the DNS (PTR)"
        ' than `hostname`, as in "192.0.2.26 mail.example.org".',
        (),
        many=True,
    )
    private_addresses: str = key(
        kinds.choice("refuse", "allow"),
        "Whether mail is sent to private, loopback and other addresses that are not of the public Internet when the DNS names them.",
        "refuse",
    )
    mx_port: int = key(
        kinds.count(1, 65535), "The port where mail exchangers listen; another than 25 is for tests.", 25
    )
    dns: Dns = section(Dns, "The DNS, which says where a domain's mail goes.")
    queue_lifetime: Seconds = key(
        kinds.duration(60),
        "How long an undeliverable message is tried before it bounces (RFC 5321, 4.5.4.1).",
        Seconds(5 * 86400),
    )
    delay_notice: Seconds | None = key(
        kinds.duration(60),
        "When the sender hears that his message still waits; null: never.",
        Seconds(4 * 3600),
        nullable=True,
    )

    client_server: str | None = key(
        kinds.HOSTNAME_OF_DOMAIN,
        "The server that people's mail programs are told, such as mail.{domain}; null: mail.DOMAIN (or imap., pop., smtp.) where there is a"
        " certificate for that, else hostname.",
        None,
    )

    held_posts: Seconds = key(
        kinds.duration(86400),
        "How long a post to a mailing list waits for its owners, who are reminded daily, before it is given up.",
        Seconds(14 * 86400),
    )

    panel_url: str | None = key(
        kinds.WEB_SERVER,
        "Where people find the panel, such as https://panel.example.net; null: https://HOSTNAME with the panel's port.",
        None,
    )
    trusted_proxies: tuple[str, ...] = key(
        kinds.NETWORK,
        "Addresses or networks of reverse proxies in front of the panel, whose X-Forwarded-For, -Proto and -Host count; whoever comes by"
        " a UNIX socket is one; empty: nobody else.",
        (),
        many=True,
    )

    welcome_mail: bool = key(
        kinds.SWITCH,
        "Whether each new mailbox begins with a letter that says how to set up mail programs (BEHAVIOURS F3).",
        True,
    )
    welcome_template: Path | None = key(
        kinds.PATH,
        "A file with that letter: Subject: ..., an empty line, the text; {placeholders} as `hostmail welcome show` tells; null: hostmail's"
        " own. A domain may have another (hostmail welcome set).",
        None,
    )

    hide_capabilities: tuple[str, ...] = key(
        kinds.HIDDEN,
        "What IMAP clients that stumble over a capability are not offered: a pattern for the name and version in the client's ID, or"
        " for the login, and what to hide from it, such as Outlook* COMPRESS=DEFLATE or ann@example.com QRESYNC.",
        (),
        many=True,
    )

    limits: Limits = section(Limits, "Numbers that keep one peer from harming the others.")

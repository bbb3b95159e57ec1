"""Setting up a mail program by hand: the values to enter, and the steps for each program (F3). Pages, texts and letters show the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from hostmail.address import Address
from hostmail.clientsetup.setup import Protocol, Security, Server, Setup

Facts = tuple[tuple[str, str], ...]

KINDS = {Protocol.IMAP: "IMAP", Protocol.POP3: "POP3", Protocol.SMTP: "SMTP"}
PASSWORD = "the password of your mailbox"
AS_SEEN = "as others shall see it"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and what to enter there."""

    text: str
    facts: Facts = ()


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps for one program, or a kind of programs. `key` is its name in addresses of pages."""

    key: str
    title: str
    steps: tuple[Step, ...]


def essentials(setup: Setup, address: Address) -> Facts:
    """What any program asks, and the answers."""
    return (
        ("Mail address", str(address)),
        ("User name (login)", setup.login(address)),
        ("Password", PASSWORD),
        *(("Incoming mail, IMAP", way(server)) for server in setup.of(Protocol.IMAP)),
        *(("Incoming mail, POP3", way(server)) for server in setup.of(Protocol.POP3)),
        *(("Outgoing mail, SMTP", way(server)) for server in setup.of(Protocol.SMTP)),
        ("Outgoing needs a login", "yes, the same as for incoming mail"),
    )


def notes(setup: Setup, address: Address) -> tuple[str, ...]:
    """What people stumble over."""
    found = [
        f"The user name is the whole address, spelled exactly like this: {setup.login(address)}. Capital and small letters matter, in the"
        " password, too."
    ]
    if setup.best(Protocol.IMAP) and setup.best(Protocol.POP3):
        found.append("IMAP leaves your mail on the server, the same on all your devices; POP3 fetches it onto one.")
    if not setup.trusted:
        found.append("The server's certificate is its own: your program will ask once whether you trust it.")
    return tuple(found)


def guides(setup: Setup, address: Address) -> tuple[Guide, ...]:
    """All of them; none if nothing can be fetched or nothing can be sent."""
    if setup.incoming is None or setup.outgoing is None:
        return ()
    who = _Who(setup, address, setup.incoming, setup.outgoing)
    return (
        Guide("thunderbird", "Thunderbird", tuple(_thunderbird(who))),
        Guide("outlook", "Outlook for Windows", tuple(_outlook(who))),
        Guide("apple-mail", "Mail on a Mac", tuple(_apple_mail(who))),
        Guide("ios", "iPhone and iPad", tuple(_ios(who))),
        Guide("android", "Android", tuple(_android(who))),
        Guide("other", "Any other program", tuple(_other(who))),
        Guide("old", "Old programs, with POP3", tuple(_old(who))),
    )


def profile_link(setup: Setup, address: Address) -> str:
    """Where the Apple profile for an address is fetched; "" if nothing is served there."""
    return f"{setup.web}/setup/apple.mobileconfig?address={quote(str(address), safe='@')}" if setup.web else ""


def way(server: Server) -> str:
    """A server in a few words."""
    return f"{server.host}, port {server.port}, {server.security}"


def lasting(seconds: int) -> str:
    """A duration in words."""
    if seconds % 3600 == 0:
        return "an hour" if seconds == 3600 else f"{seconds // 3600} hours"
    return "a minute" if seconds < 90 else f"{round(seconds / 60)} minutes"


@dataclass(frozen=True, slots=True)
class _Who:
    """Whom a guide is for, and what is best for him."""

    setup: Setup
    address: Address
    incoming: Server
    outgoing: Server

    @property
    def login(self) -> str:
        return self.setup.login(self.address)

    @property
    def kind(self) -> str:
        return KINDS[self.incoming.protocol]

    def by_hand(self) -> Facts:
        """Both servers as most programs ask for them."""
        return (
            *_entered(f"Incoming server ({self.kind})", self.incoming),
            *_entered("Outgoing server (SMTP)", self.outgoing),
            ("User name, for both", self.login),
            ("Authentication, for both", "normal password"),
        )


def _entered(name: str, server: Server) -> Facts:
    return ((name, server.host), ("Port", str(server.port)), ("Security", server.security.value))


def _thunderbird(who: _Who) -> Iterator[Step]:
    yield Step(
        "Choose New Account and Email in the menu (older versions: Account Settings, Account Actions, Add Mail Account)."
    )
    yield Step(
        "Enter your name, the address and the password, and choose Continue. Thunderbird finds the rest by itself.",
        (("Your full name", AS_SEEN), ("Email address", str(who.address)), ("Password", PASSWORD)),
    )
    yield Step(f"Choose {who.kind}, then Done.")
    yield Step("If it finds nothing: choose Configure manually, enter this, and choose Re-test.", who.by_hand())


def _outlook(who: _Who) -> Iterator[Step]:
    kind = "POP" if who.incoming.protocol is Protocol.POP3 else "IMAP"
    yield Step("Choose File, Add Account (new Outlook: Settings, Accounts, Add account).")
    yield Step(
        "Enter the address and choose Connect; then enter the password. Outlook finds the rest by itself.",
        (("Email address", str(who.address)), ("Password", PASSWORD)),
    )
    yield Step(
        f"If it finds nothing: choose Advanced options, Let me set up my account manually, {kind}, and enter this. Secure Password"
        " Authentication (SPA) stays off.",
        (
            *_entered(f"Incoming mail ({kind})", who.incoming),
            *_entered("Outgoing mail (SMTP)", who.outgoing),
            ("User name", who.login),
        ),
    )
    yield Step(
        "If it cannot send: in the account's settings, under Outgoing mail, switch on My outgoing server (SMTP) requires authentication,"
        " with Use same settings as my incoming mail server."
    )


def _apple_mail(who: _Who) -> Iterator[Step]:
    link = profile_link(who.setup, who.address)
    if link:
        yield Step(
            "The quick way: fetch this profile with Safari and open it. Then confirm it in System Settings, General, Device Management; the"
            " Mac asks for the password, and that is all.",
            (("Profile", link),),
        )
    yield Step(
        "By hand: in Mail choose Mail, Add Account, Other Mail Account.",
        (("Name", AS_SEEN), ("Email address", str(who.address)), ("Password", PASSWORD)),
    )
    yield Step(
        "Mail says that it cannot verify the account. Enter this, and choose Sign In again.",
        (
            ("User name", who.login),
            ("Account type", "POP" if who.incoming.protocol is Protocol.POP3 else "IMAP"),
            ("Incoming mail server", who.incoming.host),
            ("Outgoing mail server", who.outgoing.host),
        ),
    )
    yield Step(
        "If it cannot connect: in Mail, Settings, Accounts, Server Settings, enter the ports, with TLS/SSL on and Password as"
        " authentication.",
        (("Incoming port", str(who.incoming.port)), ("Outgoing port", str(who.outgoing.port))),
    )


def _ios(who: _Who) -> Iterator[Step]:
    link = profile_link(who.setup, who.address)
    if link:
        yield Step(
            "The quick way: open this profile in Safari (or point the camera at its code), and allow the download. Then open Settings,"
            " Profile Downloaded, Install. You are asked for the password, and that is all.",
            (("Profile", link),),
        )
    yield Step(
        "By hand: open Settings, Apps, Mail, Mail Accounts (older versions: Mail, Accounts), Add Account, Other, Add Mail Account.",
        (("Name", AS_SEEN), ("Email", str(who.address)), ("Password", PASSWORD)),
    )
    yield Step(
        f"Choose {'POP' if who.incoming.protocol is Protocol.POP3 else 'IMAP'}, and enter this. The outgoing server needs user name and"
        " password as well, even where it says Optional.",
        (
            ("Incoming host name", who.incoming.host),
            ("Outgoing host name", who.outgoing.host),
            ("User name, for both", who.login),
        ),
    )
    yield Step(
        "If it asks: SSL is on, authentication is Password.",
        (("Incoming port", str(who.incoming.port)), ("Outgoing port", str(who.outgoing.port))),
    )


def _android(who: _Who) -> Iterator[Step]:
    kind = "Personal (POP3)" if who.incoming.protocol is Protocol.POP3 else "Personal (IMAP)"
    yield Step(
        "Thunderbird and K-9 Mail: add an account and enter the address and the password; the rest is found.",
        (("Email address", str(who.address)), ("Password", PASSWORD)),
    )
    yield Step(f"Gmail: touch your picture, Add another account, Other; enter the address, then choose {kind}.")
    yield Step("Where servers are asked for, enter this. Require sign-in stays on.", who.by_hand())


def _other(who: _Who) -> Iterator[Step]:
    yield Step(
        "Look for Add account. Many programs need only the address and the password.",
        (("Mail address", str(who.address)), ("Password", PASSWORD)),
    )
    yield Step(
        "Where servers are asked for, enter this. A login, user name or account name is the whole address.",
        who.by_hand(),
    )
    yield Step(
        "For outgoing mail switch on My server requires authentication, with the same settings as for incoming mail."
    )
    others = [
        server
        for protocol in Protocol
        for server in who.setup.of(protocol)
        if server not in (who.incoming, who.outgoing)
    ]
    if others:
        yield Step(
            "If you cannot connect like that where you are, or prefer another kind, these work, too.",
            tuple((KINDS[server.protocol], way(server)) for server in others),
        )


def _old(who: _Who) -> Iterator[Step]:
    pop = _without_tls(who.setup, Protocol.POP3) or who.setup.best(Protocol.POP3)
    smtp = _without_tls(who.setup, Protocol.SMTP) or who.outgoing
    if pop is None:
        yield Step("There is no POP3 on this server; use IMAP.")
        return
    yield Step(
        "Add an account for Internet mail, POP3.",
        (
            ("E-mail address", str(who.address)),
            ("Account name (login)", who.login),
            ("Password", PASSWORD),
            ("Incoming mail (POP3)", f"{pop.host}, port {pop.port}"),
            ("Outgoing mail (SMTP)", f"{smtp.host}, port {smtp.port}"),
        ),
    )
    yield Step(_about_tls(pop, smtp))
    yield Step(
        "For outgoing mail switch on My server requires authentication, then Settings, Use same settings as my incoming mail server."
    )
    if who.setup.relay_window:
        yield Step(
            "If your program has no such switch: always check for new mail before you send. For"
            f" {lasting(who.setup.relay_window)} after each check, mail is taken from the place where you are without a login."
        )
    yield Step(
        "Leave a copy of messages on server, if it is on, fills the mailbox in time: let the program delete them after some days."
    )


def _without_tls(setup: Setup, protocol: Protocol) -> Server | None:
    """What programs can use that know no TLS."""
    return next((server for server in reversed(setup.of(protocol)) if server.in_clear), None)


def _about_tls(pop: Server, smtp: Server) -> str:
    if pop.in_clear and smtp.in_clear:
        return (
            "If the program knows This server requires a secure connection (SSL, or STARTTLS), switch it on for both servers. It works"
            " without, but then others on the way can read along, the password included."
        )
    implicit = Security.TLS in (pop.security, smtp.security)
    return f"Switch on This server requires a secure connection ({'SSL' if implicit else 'STARTTLS'}): without it no password is taken."

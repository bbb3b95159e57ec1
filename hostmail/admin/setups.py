"""From the settings to what a domain's people are told: which ports they may use, under which names, where the panel is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from hostmail.clientsetup.records import HTTPS
from hostmail.clientsetup.setup import SERVICES, Offer, Setup, make_servers, server_name
from hostmail.config.kinds import is_loopback, tcp_port
from hostmail.config.schema import SERVICES as STANDARD
from hostmail.config.schema import Listener, Settings, begins_with_tls
from hostmail.interfaces.directory import Domain

Convinces = Callable[[str], bool]
"""Whether a program that connects to a server of this name finds nothing wrong with the certificate that it is shown."""

HTTP = 80


def make_setup(settings: Settings, home: Domain, domain: str, convinces: Convinces) -> Setup:
    """What people with addresses in `domain` are told, which is `home` or an alias of it (E6). Names are the domain's own (A5)."""
    servers = make_servers(
        offers(settings),
        lambda protocol: server_name(protocol, home.name, settings.hostname, convinces, settings.client_server),
    )
    grants = settings.pop_before_smtp and home.pop_before_smtp
    return Setup(
        domain=domain,
        login_domain=home.name,
        hostname=settings.hostname,
        servers=servers,
        web=web_address(settings, home.name, convinces),
        relay_window=settings.relay_window if grants else 0,
        trusted=settings.client_server is not None or all(convinces(server.host) for server in servers),
    )


def offers(settings: Settings) -> Iterator[Offer]:
    """The ports that people may use; those that only this machine reaches where there are no others, as when somebody tries it out."""
    listeners = {service: settings.listen.get(service, ()) for service in SERVICES}
    outside = {service: [one for one in many if not is_loopback(one.endpoint)] for service, many in listeners.items()}
    for service, many in (outside if any(outside.values()) else listeners).items():
        port = seen_port(service, many)
        if port:
            clear = [one.plaintext_login or settings.plaintext_login for one in many]
            yield Offer(service, port, service in ("imap", "pop3", "submission", "smtp") and "allow" in clear)


def seen_port(service: str, many: Sequence[Listener]) -> int:
    """The port of a service as people see it, the standard one if it is among them; 0 if there is none.

    What is behind a proxy, or was opened by somebody else (systemd), is taken to be seen at the standard port.
    """
    if not many:
        return 0
    ports = [None if one.proxy_from else tcp_port(one.endpoint) for one in many]
    standard = STANDARD[service]
    return standard if standard in ports or None in ports else next(port for port in ports if port is not None)


def web_port(settings: Settings) -> int:
    """The port where the panel is seen, 0 if there is none.

    Without TLS, or on a UNIX socket, it stands behind a proxy, which is taken to have the standard port and the same certificates.
    """
    panel = settings.listen.get("panel", ())
    if panel and settings.panel_url:
        return urlsplit(settings.panel_url).port or HTTPS
    seen = [one for one in panel if not one.is_local] or [one for one in panel if begins_with_tls("panel", one)]
    ports = {port for one in seen if (port := tcp_port(one.endpoint))}
    if panel and not ports:
        return HTTPS
    return HTTPS if HTTPS in ports else min(ports, default=0)


def web_host(settings: Settings) -> str:
    """The panel's host where it is said to be another than ours, else ""."""
    host = urlsplit(settings.panel_url or "").hostname or ""
    return host if host != settings.hostname else ""


def is_plain_web(settings: Settings) -> bool:
    """Whether set-up answers are at port 80, where programs look for them that have found none with TLS."""
    ports = {tcp_port(one.endpoint) for one in settings.listen.get("setup", ())}
    return bool(ports & {HTTP, None})


def web_address(settings: Settings, domain: str, convinces: Convinces) -> str:
    """Where the panel is for a domain's people, under a name of the domain if there is a certificate for it; "" if there is none."""
    name = f"mail.{domain}"
    return panel_address(settings, name if convinces(name) else settings.hostname)


def panel_address(settings: Settings, host: str) -> str:
    """Where the panel is, under the name `host` if the configuration does not say; "" if there is none."""
    panel = settings.listen.get("panel", ())
    if not panel:
        return ""
    if settings.panel_url:
        return settings.panel_url
    port = web_port(settings)
    return f"https://{host}" if port == HTTPS else f"https://{host}:{port}"

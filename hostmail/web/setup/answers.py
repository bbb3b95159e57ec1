"""What mail programs are told about a domain (F3). Whether there is such a mailbox nobody looks, so nobody can learn it here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from hostmail.address import Address, parse_domain
from hostmail.clientsetup import apple, mozilla, outlook
from hostmail.clientsetup.plaintext import whole
from hostmail.clientsetup.setup import Setup
from hostmail.errors import BadAddress, BadValue
from hostmail.web.answers import Answer
from hostmail.web.asked import Asked

TEXT, JSON = "text/plain; charset=utf-8", "application/json"
NOTHING = Answer(b"There is nothing here.\n", 404, TEXT, strict=False)
"""For every domain that is not hosted here, and for what is none."""

SLOWER = Answer(b"That was too often. Please wait a moment, and try again.\n", 429, TEXT, strict=False)
LATER = Answer(b"Please try again later.\n", 503, TEXT, strict=False)

ANYBODY = "you"

SetupOf = Callable[[str], Awaitable[Setup | None]]
SignerOf = Callable[[str], apple.Signer | None]
Parts = Mapping[str, str]


class SetupAnswers:
    """Handlers of requests. `signer_of` gives who signs for a server name; `now` is Unix time."""

    def __init__(self, *, setup_of: SetupOf, signer_of: SignerOf, now: Callable[[], float]) -> None:
        self._any_setup_of = setup_of
        self._signer_of = signer_of
        self._now = now

    async def _setup_of(self, domain: str) -> Setup | None:
        """None also where mail can be fetched by nobody, or sent: there is nothing to set up."""
        found = await self._any_setup_of(domain)
        return found if found is not None and found.incoming is not None and found.outgoing is not None else None

    async def autoconfig(self, asked: Asked, _: Parts) -> Answer:
        """Thunderbird and others: config-v1.1.xml, with an address or for the domain whose name was asked."""
        setup = await self._setup(asked, "emailaddress")
        return NOTHING if setup is None else told(mozilla.autoconfig(setup), mozilla.CONTENT_TYPE)

    async def autodiscover(self, asked: Asked, _: Parts) -> Answer:
        """Outlook: a question in XML. One that looks around without TLS is led to where there is TLS; it asks people before it follows."""
        if asked.method == "POST":
            return await self._answer_outlook(asked)
        setup = await self._setup(asked, "Email")
        if setup is None or asked.secure or not setup.web:
            return NOTHING
        return Answer(status=302, location=_discovery(setup), strict=False)

    async def _answer_outlook(self, asked: Asked) -> Answer:
        try:
            question = outlook.read_question(asked.body)
        except BadValue:
            return told(outlook.trouble(outlook.INVALID, self._now()), outlook.CONTENT_TYPE, 400)
        if not question.understood:
            return told(outlook.trouble(outlook.NOT_AVAILABLE, self._now()), outlook.CONTENT_TYPE)
        setup = await self._setup_of(question.address.domain)
        if setup is None:
            return NOTHING
        return told(outlook.settings(setup, question.address), outlook.CONTENT_TYPE)

    async def autodiscover_json(self, asked: Asked, parts: Parts) -> Answer:
        """Outlook's newer question, whose answer is where to ask the older one."""
        protocol = asked.query.text("Protocol") or asked.query.text("protocol")
        if protocol.lower() != outlook.VERSION_1.lower():
            return told(outlook.invalid_protocol(), JSON, 400)
        setup = await self._setup(asked, "Email", parts.get("address", ""))
        return NOTHING if setup is None or not setup.web else told(outlook.where(_discovery(setup)), JSON)

    async def apple_profile(self, asked: Asked, _: Parts) -> Answer:
        """iPhone, iPad and Mac: a profile for one address, signed where there is a certificate that convinces."""
        address = _address(asked.query.text("address"))
        setup = await self._setup_of(address.domain) if address is not None else None
        if setup is None or address is None:
            return NOTHING
        content = apple.profile(setup, address)
        signer = self._signer_of(setup.incoming.host if setup.incoming else setup.hostname)
        signed = signer.sign(content) if signer is not None else content
        return Answer(signed, kind=apple.CONTENT_TYPE, file=f"{setup.domain}.mobileconfig", strict=False)

    async def guide(self, asked: Asked, parts: Parts) -> Answer:
        """People: everything as text, for a domain."""
        setup = await self._setup_of(_domain(parts["domain"]))
        return NOTHING if setup is None else told(whole(setup, Address(ANYBODY, setup.domain)).encode(), TEXT)

    async def _setup(self, asked: Asked, field: str, named: str = "") -> Setup | None:
        """That of the address in the query, else of the domain whose name was asked."""
        text = named or asked.query.text(field) or asked.query.text(field.lower())
        if text:
            address = _address(text)
            return await self._setup_of(address.domain) if address is not None else None
        label, _, domain = asked.host.partition(".")
        return await self._setup_of(domain if label in ("autoconfig", "autodiscover") else asked.host)


def told(body: bytes, kind: str, status: int = 200) -> Answer:
    """An answer under a name that may be a whole web site's, most of which is not ours."""
    return Answer(body, status, kind, strict=False)


def _discovery(setup: Setup) -> str:
    return f"{setup.web}/autodiscover/autodiscover.xml"


def _address(text: str) -> Address | None:
    try:
        found = Address.parse(text)
    except BadAddress:
        return None
    return found if found.domain and not found.domain.startswith("[") else None


def _domain(text: str) -> str:
    try:
        return parse_domain(text)
    except BadAddress:
        return ""

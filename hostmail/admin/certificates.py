"""Verbs about certificates: which there are, how long they are good, and which names have none (A5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from twisted.logger import Logger

from hostmail.admin.parts import NoArguments, Parts, Verb
from hostmail.admin.permissions import May
from hostmail.admin.told import CertificatesTold, CertificateTold
from hostmail.interfaces.admin import CertificateInfo

log = Logger(namespace="admin")

DAY_SECONDS = 86_400
WARN_DAYS = 14
MOST_NAMED = 1_000


class Certificates:
    """Of the whole server."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs = {"certificate.list": Verb(NoArguments, self.all, May(looks=True))}

    async def all(self, _: NoArguments) -> CertificatesTold:
        """All certificates; and, under `without`, names by which domains are reached for which no program believes the one it gets."""
        found = await self._parts.certificates()
        now = self._parts.now()
        known = {one.server_name: one for one in found}
        hostname = self._parts.settings.hostname
        domains = sorted([each.name for each in await self._parts.directory.domains()])
        wanted = [hostname, *(f"mail.{name}" for name in domains)]
        without = [name for name in dict.fromkeys(wanted) if not is_believed(name, known, now)]
        return {
            "certificates": [told(one, now) for one in found],
            "hostname": hostname,
            "without": without[:MOST_NAMED],
            "without_count": len(without),
        }


def is_believed(name: str, known: Mapping[str, CertificateInfo], now: float) -> bool:
    """Whether a program that connects to this name finds nothing wrong with the certificate that it is shown."""
    shown = shown_for(name, known)
    return shown is not None and covers(shown, name) and is_good(shown, now)


def shown_for(name: str, known: Mapping[str, CertificateInfo]) -> CertificateInfo | None:
    """The one that a server of this name shows: its own, that of a wildcard, its parent's if that is for it, else the one for all."""
    parent = name.partition(".")[2]
    for candidate in (name, f"*.{parent}", parent):
        found = known.get(candidate) if candidate else None
        if found is not None and not found.problem and (candidate != parent or covers(found, name)):
            return found
    return known.get("")


def covers(one: CertificateInfo, name: str) -> bool:
    """Whether it is for this name (RFC 6125: one label may stand for the asterisk)."""
    return bool({name, "*." + name.partition(".")[2]} & set(one.names))


def is_good(one: CertificateInfo, now: float) -> bool:
    """Whether it can be used now, and somebody else has signed it."""
    return not one.problem and not one.self_signed and one.valid_from <= now < one.valid_until


def problems(one: CertificateInfo, now: float) -> Iterator[str]:
    """What is to be done something about, in words."""
    yield from urgent(one, now)
    if not one.valid_until:
        return
    if now < one.valid_from:
        yield "it is not valid yet"
    if one.self_signed:
        yield "it is signed by itself: programs ask whether to trust it"
    if one.server_name and not _is_for(one):
        yield f"it is not for {one.server_name}"


def urgent(one: CertificateInfo, now: float) -> Iterator[str]:
    """What stops people, or will soon."""
    if one.problem:
        yield one.problem
    if not one.valid_until:
        return
    left = one.valid_until - now
    if left <= 0:
        yield "it has ended"
    elif left < WARN_DAYS * DAY_SECONDS:
        yield f"it ends {ending(left)}"


def warn(found: Sequence[CertificateInfo], now: float) -> int:
    """Have the log say which of them have to be replaced; how many."""
    told = [(one, "; ".join(urgent(one, now))) for one in found]
    for one, words in told:
        if words:
            log.warn(
                "certificate_to_replace: {name}, {file}: {words}",
                name=one.server_name or "*",
                file=one.file,
                words=words,
            )
    return sum(bool(words) for _, words in told)


def _is_for(one: CertificateInfo) -> bool:
    return one.server_name in one.names or covers(one, one.server_name)


def ending(seconds: float) -> str:
    """In how many days."""
    days = int(seconds // DAY_SECONDS)
    return "within a day" if days == 0 else "in a day" if days == 1 else f"in {days} days"


def told(one: CertificateInfo, now: float) -> CertificateTold:
    """As JSON; `server_name` null is the one for all other names."""
    return {
        "server_name": one.server_name or None,
        "names": list(one.names),
        "issuer": one.issuer,
        "valid_from": one.valid_from or None,
        "valid_until": one.valid_until or None,
        "self_signed": one.self_signed,
        "file": one.file,
        "problems": list(problems(one, now)),
    }

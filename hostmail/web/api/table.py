"""ONE table of what programs can ask for. The server, the OpenAPI document and the security tests are made from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

PREFIX = "/api/v1"
_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path below /api/v1, and the verb they stand for. Parts of the path in braces are arguments of that verb.

    One that `creates` answers 201, and what it makes is found at `made`, a path with fields of the answer. `key` is what the rows of a list
    are sorted by, and told apart: one field or several, with a - the largest first. `names` are words in the query that the verb calls
    otherwise. A `bare` one takes nothing but its path.
    """

    method: str
    path: str
    verb: str
    creates: bool = False
    made: str = ""
    key: str = "address"
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    bare: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The arguments in the path."""
        return tuple(_PART.findall(self.path))

    def called(self, argument: str) -> str:
        """What an argument of the verb is called here."""
        return next((name for name, meant in self.names.items() if meant == argument), argument)


def of_noun(path: str, part: str, noun: str, verbs: str, **names: str) -> Iterator[Endpoint]:
    """What many nouns have: all of them, one more, and one of them to see, change and remove."""
    one = f"{path}/{{{part}}}"
    every = {
        "list": Endpoint("GET", path, f"{noun}.list", key=part, names=names),
        "add": Endpoint("POST", path, f"{noun}.add", creates=True, made=one),
        "show": Endpoint("GET", one, f"{noun}.show"),
        "set": Endpoint("PATCH", one, f"{noun}.set"),
        "remove": Endpoint("DELETE", one, f"{noun}.remove"),
    }
    return (every[verb] for verb in verbs.split())


ALL = "list add show set remove"
_DOMAIN, _ACCOUNT, _LIST, _OWNER = "/domains/{name}", "/accounts/{address}", "/lists/{address}", "/owners/{login}"
_ADDRESS, _AUTOREPLY = "/addresses/{address}", "/autoresponders/{address}"

ENDPOINTS: tuple[Endpoint, ...] = (
    *of_noun("/domains", "name", "domain", ALL),
    Endpoint("GET", f"{_DOMAIN}/catchall", "catchall.show"),
    Endpoint("PUT", f"{_DOMAIN}/catchall", "catchall.set"),
    Endpoint("GET", f"{_DOMAIN}/catchall/names", "catchall.names"),
    Endpoint("PUT", "/blocked/{address}", "catchall.block"),
    Endpoint("DELETE", "/blocked/{address}", "catchall.unblock"),
    Endpoint("GET", f"{_DOMAIN}/dns", "dns.records"),
    Endpoint("GET", f"{_DOMAIN}/dns/check", "dns.check"),
    Endpoint("GET", f"{_DOMAIN}/dns/last", "dns.last"),
    Endpoint("GET", f"{_DOMAIN}/welcome", "welcome.show"),
    Endpoint("PUT", f"{_DOMAIN}/welcome", "welcome.set"),
    Endpoint("DELETE", f"{_DOMAIN}/welcome", "welcome.reset"),
    Endpoint("POST", f"{_DOMAIN}/welcome/off", "welcome.off"),
    *of_noun("/domain-aliases", "name", "domain.alias", "list add remove", domain="name"),
    *of_noun("/accounts", "address", "account", ALL),
    Endpoint("POST", "/accounts/import", "account.import"),
    Endpoint("PUT", f"{_ACCOUNT}/password", "account.passwd"),
    Endpoint("GET", f"{_ACCOUNT}/logins", "login.list", key="-first"),
    Endpoint("GET", f"{_ACCOUNT}/client", "client.show"),
    Endpoint("GET", f"{_ACCOUNT}/folders", "mailbox.folders", key="name"),
    Endpoint("GET", f"{_ACCOUNT}/mailbox", "mailbox.verify"),
    Endpoint("POST", f"{_ACCOUNT}/mailbox/repair", "mailbox.repair"),
    Endpoint("POST", f"{_ACCOUNT}/mailbox/unlock", "mailbox.unlock"),
    Endpoint("GET", f"{_ACCOUNT}/welcome", "welcome.preview"),
    Endpoint("POST", f"{_ACCOUNT}/welcome", "welcome.send"),
    Endpoint("GET", "/removed", "account.removed", key="-number"),
    Endpoint("POST", "/removed/{address}/restore", "account.restore"),
    Endpoint("GET", "/quotas/{name}", "quota.show"),
    Endpoint("PUT", "/quotas/{name}", "quota.set"),
    Endpoint("GET", "/addresses", "address.list", names={"about": "name"}),
    Endpoint("GET", _ADDRESS, "address.show"),
    Endpoint("PUT", _ADDRESS, "address.set"),
    Endpoint("GET", f"{_ADDRESS}/route", "route"),
    *of_noun("/aliases", "address", "alias", "list remove", about="name"),
    Endpoint("POST", "/aliases", "alias.add", creates=True, made=_ADDRESS),
    *of_noun("/forwards", "address", "forward", "list remove", about="name"),
    Endpoint("POST", "/forwards", "forward.add", creates=True, made=_ADDRESS),
    *of_noun("/lists", "address", "list", ALL, domain="name"),
    Endpoint("GET", f"{_LIST}/posts", "list.posts", key="queue_id"),
    Endpoint("POST", f"{_LIST}/posts/{{queue_id}}/approve", "list.approve"),
    Endpoint("POST", f"{_LIST}/posts/{{queue_id}}/reject", "list.reject"),
    Endpoint("GET", f"{_LIST}/members", "list.member.list"),
    Endpoint("POST", f"{_LIST}/members", "list.member.add", creates=True, made=f"{_LIST}/members/{{member}}"),
    Endpoint("POST", f"{_LIST}/members/import", "list.member.import"),
    Endpoint("DELETE", f"{_LIST}/members/{{member}}", "list.member.remove"),
    Endpoint("GET", "/autoresponders", "autoreply.list"),
    Endpoint("GET", _AUTOREPLY, "autoreply.show"),
    Endpoint("PUT", _AUTOREPLY, "autoreply.set"),
    Endpoint("DELETE", _AUTOREPLY, "autoreply.off"),
    Endpoint("GET", "/history", "trace", key="at", names={"about": "text"}),
    Endpoint("GET", "/sessions", "session.list", key="id"),
    Endpoint("DELETE", "/sessions", "session.kick"),
    Endpoint("DELETE", "/sessions/{id}", "session.kick", bare=True),
    Endpoint("GET", "/grants", "relay.list", key="ip account_id"),
    Endpoint("POST", "/grants", "relay.allow", creates=True, made="/grants/{ip}"),
    Endpoint("POST", "/grants/clear", "relay.clear"),
    Endpoint("GET", "/grants/{ip}", "relay.why"),
    Endpoint("DELETE", "/grants/{ip}", "relay.revoke"),
    Endpoint("GET", "/throttled", "throttle.list", key="ip"),
    Endpoint("DELETE", "/throttled/{ip}", "throttle.forgive"),
    Endpoint("GET", "/queue", "queue.list", key="id"),
    Endpoint("GET", "/queue/details", "queue.show", key="id"),
    Endpoint("GET", "/queue/stats", "queue.stats"),
    Endpoint("GET", "/queue/messages/{queue_id}", "queue.cat"),
    *(Endpoint("POST", f"/queue/{verb}", f"queue.{verb}") for verb in ("retry", "hold", "release", "bounce", "delete")),
    *of_noun("/owners", "login", "owner", ALL),
    Endpoint("PUT", f"{_OWNER}/password", "owner.passwd"),
    Endpoint("PUT", f"{_OWNER}/domains/{{domain}}", "owner.grant"),
    Endpoint("DELETE", f"{_OWNER}/domains/{{domain}}", "owner.revoke"),
    *of_noun("/operators", "login", "operator", "list add set remove"),
    Endpoint("PUT", "/operators/{login}/password", "operator.passwd"),
    Endpoint("GET", "/people/{login}/logins", "person.logins", key="-first"),
    Endpoint("DELETE", "/second-factors/{login}", "factor.remove"),
    Endpoint("GET", "/tokens", "token.list", key="-id"),
    Endpoint("DELETE", "/tokens/{id}", "token.revoke"),
    Endpoint("GET", "/audit", "audit.list", key="-number"),
    Endpoint("GET", "/own", "own.show"),
    Endpoint("GET", "/certificates", "certificate.list"),
    Endpoint("GET", "/status", "status"),
    Endpoint("GET", "/version", "version"),
)

LEFT_OUT = {
    "token.add": "a token makes no others: what came of one that leaked would stay when it is revoked",
    "own.passwd": "only who is signed in has a password of his own: a token is nobody's",
    "own.factor.begin": "the same of second factors",
    "own.factor.confirm": "the same of second factors",
    "own.factor.codes": "the same of second factors",
    "own.factor.remove": "the same of second factors",
    "own.logins": "the same of logins",
    "factor.codes": "recovery codes are for a person's drawer, and not for a program",
}
"""Verbs that programs cannot ask for, and why."""


class Paths:
    """Finds what stands at a path. A part in plain words counts before one in braces, as OpenAPI has it (3.1, Path Templating)."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._by_path: dict[str, dict[str, Endpoint]] = {}
        for each in endpoints:
            self._by_path.setdefault(each.path, {})[each.method] = each
        # A brace sorts behind every letter.
        self._templates = [(path.split("/"), path) for path in sorted(self._by_path)]

    def find(self, raw_path: str) -> tuple[Mapping[str, Endpoint], dict[str, str]] | None:
        """What may be done there, by method, and the parts of the path; None if there is nothing.

        `raw_path` begins below /api/v1, with its percent signs: a slash in an argument is written %2F.
        """
        segments = raw_path.split("/")
        for template, path in self._templates:
            parts = _match(template, segments)
            if parts is not None:
                return self._by_path[path], parts
        return None


def _match(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    parts: dict[str, str] = {}
    for wanted, segment in zip(template, segments, strict=True):
        text = unquote(segment)
        if wanted.startswith("{"):
            if not text:
                return None
            parts[wanted[1:-1]] = text
        elif wanted != text:
            return None
    return parts

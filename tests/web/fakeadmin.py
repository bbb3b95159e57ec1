"""An admin for the panel's tests, which knows three people."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from zope.interface import implementer

from hostmail.actor import Actor, Role
from hostmail.errors import AlreadyExists, BadValue, LoginFailed, NotAllowed, NotFound
from hostmail.interfaces.admin import IAdmin
from tests.web.facts import CODE, MINE, PASSWORD, PEOPLE, THEIRS, account, domain
from tests.web.fakeverbs import MoreVerbs


@implementer(IAdmin)
class FakeAdmin(MoreVerbs):
    """Domains and accounts in memory. It remembers every call, and refuses as the real one what is somebody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.domains = {name: domain(name) for name in (MINE, THEIRS)}
        self.accounts = {
            one["address"]: one
            for name in (MINE, THEIRS)
            for one in (account(f"info@{name}", 19 << 20), account(f"Ann@{name}", 1 << 20, None))
        }
        self.addresses: dict[str, dict[str, Any]] = {}
        for name in (MINE, THEIRS):
            self.address_set(PEOPLE["root"], f"Ann@{name}", [f"far@{name}"])
        self.catch_all: dict[str, str] = {}
        self.owners: dict[str, dict[str, Any]] = {}
        self.lists: dict[str, dict[str, Any]] = {}
        self.members: list[str] = []
        self.posts: list[dict[str, Any]] = []
        self.returned_to = ""
        self.autoreplies: dict[str, dict[str, Any]] = {}
        self.blocked: set[str] = set()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        self.fault: Exception | None = None
        self.factor: Any = False
        self.protocol = "imap"
        self.limits: dict[str, int | None] | None = None

    async def call(self, verb: str, arguments: Mapping[str, Any], actor: Actor) -> Any:
        """Do as the real one would."""
        self.calls.append((verb, dict(arguments)))
        if self.before is not None:
            await self.before()
        if self.fault is not None:
            raise self.fault
        if verb != "trace" and not verb.startswith(("own.", "token.")):
            self._check(arguments, actor)
        work: Any = getattr(self, verb.replace(".", "_"), None)
        return work(actor, **arguments) if work is not None else []

    def _check(self, arguments: Mapping[str, Any], actor: Actor) -> None:
        about = arguments.get("address") or arguments.get("domain") or arguments.get("name") or ""
        name = about.rpartition("@")[2].lower()
        if actor.role is Role.OWNER and name not in actor.domains and name:
            raise NotFound(f"{about} is not hosted here")
        if actor.role is Role.USER and about != actor.address:
            raise NotAllowed()

    def domain_list(self, actor: Actor) -> list[dict[str, Any]]:
        names = self.domains if actor.role is Role.OPERATOR else actor.domains
        return [self.domain_show(actor, name) for name in sorted(names)]

    def domain_show(self, actor: Actor, name: str) -> dict[str, Any]:
        if name.lower() not in self.domains:
            raise NotFound(f"{name} is not hosted here")
        mine = [one for one in self.accounts.values() if one["domain"] == name.lower()]
        used, messages = sum(one["used"] for one in mine), sum(one["messages"] for one in mine)
        return self.domains[name.lower()] | {"accounts": len(mine), "used": used, "messages": messages}

    def account_list(self, actor: Actor, domain: str) -> list[dict[str, Any]]:
        return [one for one in self.accounts.values() if one["domain"] == domain]

    def account_show(self, actor: Actor, address: str) -> dict[str, Any]:
        if address not in self.accounts:
            raise NotFound(f"there is no account {address}")
        return self.accounts[address] | {"main_login": None}

    def account_add(self, actor: Actor, address: str, password: str, **more: Any) -> dict[str, Any]:
        if address in self.accounts:
            raise AlreadyExists(f"{address} exists already")
        if len(password) < 8:
            raise BadValue("the password needs at least 8 characters")
        self.accounts[address] = account(address, 0, more.get("quota", 20 << 20))
        return self.accounts[address]

    def account_set(self, actor: Actor, address: str, **changes: Any) -> dict[str, Any]:
        self.accounts[address].update(changes)
        return self.accounts[address]

    def address_list(self, actor: Actor, name: str = "") -> list[dict[str, Any]]:
        return [row for key, row in self.addresses.items() if name in (key, key.rpartition("@")[2])]

    def address_set(self, actor: Actor, address: str, targets: list[str], keep_copy: bool = False) -> dict[str, Any]:
        if "refused@example.net" in targets:
            raise BadValue("that would go round in a loop")
        row = {
            "address": address,
            "aliases": [],
            "forwards": targets,
            "keep_copy": keep_copy,
            "blocked": False,
            "has_mailbox": address in self.accounts,
            "refused": [],
        }
        self.addresses = {key: one for key, one in self.addresses.items() if key != address}
        if targets:
            self.addresses[address] = row
        return row

    def route(self, actor: Actor, address: str) -> dict[str, Any]:
        step = {"depth": 0, "address": address, "rule": "forward", "words": "is sent on <b>elsewhere</b>"}
        return {"address": address, "steps": [step], "ends": []}

    def autoreply_list(self, actor: Actor, domain: str) -> list[dict[str, Any]]:
        return [one for one in self.autoreplies.values() if one["address"].endswith(f"@{domain}")]

    def autoreply_set(self, actor: Actor, address: str, **told: Any) -> dict[str, Any]:
        self.autoreplies[address] = {"address": address, **told, "answered": []}
        return self.autoreplies[address]

    def autoreply_show(self, actor: Actor, address: str) -> dict[str, Any]:
        if address not in self.autoreplies:
            raise NotFound(f"{address} has no autoresponder")
        return self.autoreplies[address]

    def autoreply_off(self, actor: Actor, address: str) -> dict[str, Any]:
        return self.autoreply_show(actor, address) and self.autoreplies.pop(address)

    def session_list(self, actor: Actor, address: str = "") -> list[dict[str, Any]]:
        one = {
            "id": 7,
            "protocol": self.protocol,
            "ip": "192.0.2.9",
            "since": 1_700_000_000.0,
            "tls": None,
            "state": {},
        }
        return [one | {"login": address or "<b>x</b>", "address": address}]

    def session_kick(self, actor: Actor, **asked: Any) -> dict[str, Any]:
        return {"ended_sessions": 1}

    def login_list(self, actor: Actor, address: str) -> list[dict[str, Any]]:
        alike = {"protocol": "imap", "ip": "192.0.2.9", "tls": False, "first": 1.0, "last": 1_700_000_000.0, "count": 2}
        odd = {"login": "<u>Ann</u>", "accepted": False, "reason": "wrong case", "advice": "Spell it as it is."}
        return [alike | odd]

    def own_show(self, actor: Actor) -> dict[str, Any]:
        return {"login": actor.login, "second_factor": self.factor, "limits": self.limits}

    def own_factor_begin(self, actor: Actor, current: str) -> dict[str, Any]:
        if current != PASSWORD:
            raise LoginFailed("that is not your password")
        return {"secret": "ABCD", "uri": "otpauth://totp/panel:owen?secret=ABCD"}

    def own_factor_confirm(self, actor: Actor, code: str) -> dict[str, Any]:
        if code != CODE:
            raise LoginFailed("that code is not accepted")
        self.factor = {"recovery_codes": 10}
        return {"recovery_codes": ["one-two", "three-four"]}

    def own_factor_codes(self, actor: Actor, code: str) -> dict[str, Any]:
        if code != CODE:
            raise LoginFailed("that code is not accepted")
        return {"recovery_codes": ["five-six"]}

    def own_factor_remove(self, actor: Actor, code: str) -> dict[str, Any]:
        if code != CODE:
            raise LoginFailed("that code is not accepted")
        self.factor = False
        return {"removed": True}

    def own_passwd(self, actor: Actor, current: str, password: str) -> dict[str, Any]:
        if current != PASSWORD:
            raise BadValue("that is not the password you have now")
        return {"login": actor.login}

    def trace(self, actor: Actor, text: str, seconds: int, most: int) -> list[dict[str, Any]]:
        plain = dict.fromkeys(("queue_id", "message_id", "sender", "recipient", "words"), "") | {"at": 1.7e9, "more": 0}
        about = {"queue_id": "Q7", "sender": "<b>eve</b>@far.test", "recipient": text}
        return [plain | about | {"what": "delivered"}, plain | about | {"what": "accepted", "words": "from <i>far</i>"}]

    def relay_list(self, actor: Actor) -> list[dict[str, Any]]:
        live = {"ip": "192.0.2.9", "login": "x", "account_id": 1, "until": 1.7e9, "seconds_left": 9}
        return [live | {"address": f"Ann@{name}"} for name in (MINE, THEIRS)]

    def account_removed(self, actor: Actor, domain: str) -> list[dict[str, Any]]:
        return [{"number": 4, "address": f"old@{domain}", "removed": 1.7e9, "until": 1.7e9 + 9}]

    def account_restore(self, actor: Actor, address: str, **more: Any) -> dict[str, Any]:
        return {"address": more.get("target") or address, "messages": 3}

    def list_list(self, actor: Actor, name: str) -> list[dict[str, Any]]:
        return [one for one in self.lists.values() if one["address"].endswith(f"@{name}")]

    def list_add(self, actor: Actor, address: str, **told: Any) -> dict[str, Any]:
        usual = {"size_bytes": 1 << 20, "tell_held": True, "members": 0, "dropped": 0, "held": 0}
        self.lists[address] = {"address": address, **usual, **told}
        return self.lists[address]

    def list_show(self, actor: Actor, address: str) -> dict[str, Any]:
        return self.lists.get(address) or self.list_add(actor, address, owners=[], post="members", description="<s>")

    def list_set(self, actor: Actor, address: str, **changes: Any) -> dict[str, Any]:
        self.lists[address].update(changes)
        return self.lists[address]

    def list_remove(self, actor: Actor, address: str) -> dict[str, Any]:
        return self.lists.pop(address)

    def list_posts(self, actor: Actor, address: str) -> list[dict[str, Any]]:
        return self.posts

    def list_approve(self, actor: Actor, address: str, queue_id: str) -> dict[str, Any]:
        post = next((one for one in self.posts if one["queue_id"] == queue_id), None)
        if post is None:
            raise NotFound(f"no post {queue_id} waits for the owners of {address}")
        self.posts.remove(post)
        return {"address": address, "queue_id": queue_id}

    def list_reject(self, actor: Actor, address: str, queue_id: str) -> dict[str, Any]:
        return self.list_approve(actor, address, queue_id) | {"returned_to": self.returned_to}

    def list_member_list(self, actor: Actor, address: str) -> list[dict[str, Any]]:
        usual = {"joined": 1.7e9, "active": True, "bounces": 0}
        return [{"address": one, **usual} for one in self.members]

    def list_member_import(self, actor: Actor, address: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        for row in rows:
            if "@" not in row["member"]:
                told.append(row | {"outcome": "problem", "problem": f"{row['member']}: no address"})
                continue
            told.append(row | {"outcome": "unchanged" if row["member"] in self.members else "added"})
            self.members.append(row["member"])
        return told

    def list_member_remove(self, actor: Actor, address: str, member: str) -> dict[str, Any]:
        if member not in self.members:
            raise NotFound(f"{member} is not on the list")
        self.members.remove(member)
        return {"address": address, "member": member}

    def domain_set(self, actor: Actor, name: str, **changes: Any) -> dict[str, Any]:
        self.domains[name].update(changes)
        return self.domains[name]

    def domain_add(self, actor: Actor, name: str, quota: int | None = None) -> dict[str, Any]:
        self.domains[name] = domain(name) | {"quota": quota}
        return self.domains[name]

    def domain_remove(self, actor: Actor, name: str) -> dict[str, Any]:
        del self.domains[name]
        return {"name": name, "removed_accounts": 2}

    def status(self, actor: Actor) -> dict[str, Any]:
        counts = dict.fromkeys(("domains", "accounts", "relay_grants", "queue"), 2)
        about = {"hostname": "mail.example.net", "version": "9.9", "profile": "classic", "uptime": 7_200}
        return counts | about | {"sessions": {"imap": 3}}

    def queue_list(self, actor: Actor, pattern: str, most: int) -> list[dict[str, Any]]:
        row = {"queue_id": "Q7", "sender": "", "recipient": "<b>x</b>@far.test", "state": "waiting", "size": 9}
        return [row | {"created": 1.7e9, "next_attempt": 1.7e9, "attempts": 1, "last_answer": "451 <i>later</i>"}]

    def queue_show(self, actor: Actor, pattern: str) -> list[dict[str, Any]]:
        return self.queue_list(actor, pattern, 1)

    def queue_stats(self, actor: Actor, pattern: str) -> dict[str, Any]:
        far = {"domain": "far.test", "recipients": 1, "oldest": 1.7e9, "sending": 0, "answer": "<u>busy</u>"}
        return {"messages": 1, "octets": 9, "oldest": 1.7e9, "states": {"waiting": 1}, "destinations": [far]}

    def queue_cat(self, actor: Actor, queue_id: str) -> dict[str, Any]:
        if queue_id != "Q7":
            raise NotFound(f"there is no message {queue_id}")
        return {"message": b64encode(b"Subject: <script>alert(1)</script>\r\n\r\nHello.\r\n").decode()}

    def queue_retry(self, actor: Actor, **chosen: Any) -> dict[str, Any]:
        return dict.fromkeys(("retried", "held", "released", "bounced", "deleted"), 1)

    queue_hold = queue_release = queue_bounce = queue_delete = queue_retry

    def throttle_list(self, actor: Actor) -> list[dict[str, Any]]:
        return [{"ip": "192.0.2.66/32", "failures": 19.6, "last": 1.7e9, "refused_until": None}]

    def audit_list(self, actor: Actor, **asked: Any) -> list[dict[str, Any]]:
        who = {"at": 1.7e9, "login": "<b>root</b>", "role": "operator", "way": "panel", "ip": "192.0.2.9"}
        return [
            who
            | {
                "verb": "domain.add",
                "subject": MINE,
                "arguments": {"name": MINE, "quota": 1, "keep_copy": True, "targets": ["a@x.test", "b@x.test"]},
                "outcome": "done",
            }
        ]

    def owner_list(self, actor: Actor) -> list[dict[str, Any]]:
        return list(self.owners.values())

    def owner_add(self, actor: Actor, login: str, password: str, domains: list[str], **told: Any) -> dict[str, Any]:
        usual = {"suspended": False, "second_factor": False, "created": 1.7e9}
        self.owners[login] = {"login": login, "domains": domains, **usual, **told}
        return self.owners[login]

    def owner_show(self, actor: Actor, login: str) -> dict[str, Any]:
        if login not in self.owners:
            raise NotFound(f"there is no owner {login}")
        return self.owners[login]

    def owner_set(self, actor: Actor, login: str, **changes: Any) -> dict[str, Any]:
        self.owners[login].update(changes)
        return self.owners[login]

    def owner_grant(self, actor: Actor, login: str, domain: str) -> dict[str, Any]:
        self.owners[login]["domains"].append(domain)
        return self.owners[login]

    def owner_revoke(self, actor: Actor, login: str, domain: str) -> dict[str, Any]:
        self.owners[login]["domains"].remove(domain)
        return self.owners[login]

    def owner_remove(self, actor: Actor, login: str) -> dict[str, Any]:
        return self.owners.pop(login)

    def operator_list(self, actor: Actor) -> list[dict[str, Any]]:
        alike = {"suspended": False, "second_factor": True, "created": 1.7e9}
        return [alike | {"login": login} for login in ("root", "rita")]

    def operator_add(self, actor: Actor, login: str, password: str, current: str) -> dict[str, Any]:
        if current != PASSWORD:
            raise LoginFailed("that is not your password")
        return {"login": login}

    def catchall_show(self, actor: Actor, name: str) -> dict[str, Any]:
        choice = self.catch_all.get(name, "refuse")
        return {"domain": name, "catch_all": choice, "target": choice if "@" in choice else None}

    def catchall_set(self, actor: Actor, name: str, catch_all: str) -> dict[str, Any]:
        self.catch_all[name] = catch_all
        return self.catchall_show(actor, name)

    def catchall_names(self, actor: Actor, name: str) -> list[dict[str, Any]]:
        seen = {"count": 3, "first_seen": 1_700_000_000.0, "last_seen": 1_700_000_000.0}
        address = f"<i>odd</i>@{name}"
        return [{"address": one, **seen, "blocked": one in self.blocked} for one in (f"webmaster@{name}", address)]

    def catchall_block(self, actor: Actor, address: str) -> dict[str, Any]:
        self.blocked.add(address)
        return {"address": address, "blocked": True}

    def catchall_unblock(self, actor: Actor, address: str) -> dict[str, Any]:
        self.blocked.discard(address)
        return {"address": address, "blocked": False}

    def account_remove(self, actor: Actor, address: str) -> dict[str, Any]:
        del self.accounts[address]
        return {"address": address}

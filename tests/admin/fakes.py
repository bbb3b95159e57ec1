"""The stages behind the verbs, in memory: just enough of each contract, and a record of what was asked."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hostmail.actor import Actor, command_actor
from hostmail.address import Address
from hostmail.admin.parts import Parts
from hostmail.admin.service import Admin
from hostmail.config.schema import Settings
from hostmail.interfaces.admin import CertificateInfo
from hostmail.interfaces.directory import (
    Account,
    Usage,
)
from hostmail.interfaces.logins import (
    Grant,
)
from tests.admin.facts import NOW, Facts
from tests.admin.people import FakeAudit, FakeFactors, FakePeople, FakeSignIn, FakeTokens
from tests.admin.stages import (
    Caught,
    FakeAttempts,
    FakeThrottle,
    FakeWelcomes,
    Grants,
    Hashes,
    Sessions,
    Store,
    Waiting,
)
from tests.delivery.fakes import FakeAnswered, FakeHistory
from tests.delivery.listfakes import FakeHeldPosts, FakeMembers
from tests.relay.facts import FakeWays

ROOT = command_actor("root")


INSTEAD = {
    "directory",
    "changes",
    "members",
    "caught",
    "explain",
    "store",
    "ways_out",
    "explain_way",
    "convinces",
    "live_dns",
    "now",
    "certificates",
}


class World:
    """All of them, an Admin over them, and a way to call it. What a test gives instead (`directory`, `changes`...) is used instead."""

    def __init__(self, running: bool = True, **given: Any) -> None:
        instead = {name: given.pop(name) for name in list(given) if name in INSTEAD}
        self.facts = Facts()
        self.grants = Grants()
        self.throttle = FakeThrottle()
        self.attempts = FakeAttempts()
        self.store = Store()
        self.sessions = Sessions()
        self.queue = Waiting()
        self.history = FakeHistory()
        self.answered = FakeAnswered()
        self.caught = Caught()
        self.people, self.factors = FakePeople(), FakeFactors()
        self.tokens, self.sign_in, self.audit = FakeTokens(), FakeSignIn(self.factors), FakeAudit()
        self.welcomes = FakeWelcomes()
        self.letters: list[tuple[str, str, str]] = []
        self.held_posts = FakeHeldPosts()
        self.letters_refused: Exception | None = None
        self.settings = Settings(hostname="mail.test", **given)
        parts: dict[str, Any] = {
            "directory": self.facts,
            "changes": self.facts,
            "passwords": Hashes(),
            "people": self.people,
            "factors": self.factors,
            "tokens": self.tokens,
            "sign_in": self.sign_in,
            "audit": self.audit,
            "grants": self.grants,
            "throttle": self.throttle,
            "attempts": self.attempts,
            "store": self.store,
            "sessions": self.sessions if running else None,
            "queue": self.queue,
            "history": self.history,
            "answered": self.answered,
            "members": FakeMembers(),
            "held_posts": self.held_posts,
            "settings": self.settings,
            "now": lambda: NOW,
            "version": "9.9",
            "was_hash": self.facts.was_hash,
            "counts": self.facts.counts,
            "caught": self.caught,
            "explain": self.explain,
            "ways_out": FakeWays(),
            "explain_way": self.explain_way,
            "convinces": lambda name: False,
            "certificates": self.no_certificates,
            "live_dns": lambda: self.ask_dns,
            "welcomes": self.welcomes,
            "put_letter": self.put_letter,
        }
        self.admin = Admin(Parts(**parts | instead))

    async def explain(self, address: Address) -> dict[str, Any]:
        """Everything goes into the mailbox of its own name."""
        account = await self.facts.account_for(address)
        number = account.id if account is not None else 0
        end = {"kind": "mailbox", "address": str(address), "account_id": number, "caught": ""}
        return {"address": str(address), "steps": [], "ends": [end]}

    async def put_letter(self, account: Account, subject: str, text: str) -> None:
        """Letters are kept, as long as there is room."""
        if self.letters_refused is not None:
            raise self.letters_refused
        self.letters.append((account.address, subject, text))

    async def no_certificates(self) -> list[CertificateInfo]:
        """None at all."""
        return []

    async def ask_dns(self, name: str, kind: str) -> list[str]:
        """The DNS is empty."""
        return []

    async def explain_way(self, account_id: int | None, sender: str) -> dict[str, Any]:
        """All mail goes by MX records."""
        return {"kind": "mx", "sources": []}

    def call(self, verb: str, **arguments: Any) -> Any:
        """The answer to the operator; raises what the verb raises. Nothing here waits."""
        return self.call_as(ROOT, verb, **arguments)

    def call_as(self, actor: Actor, verb: str, **arguments: Any) -> Any:
        """The answer to somebody else."""
        results: list[Any] = []
        Deferred.fromCoroutine(self.admin.call(verb, arguments, actor)).addBoth(results.append)
        (result,) = results
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def populate(self) -> None:
        """A domain with two accounts, who are connected, have a grant, and mail."""
        self.call("domain.add", name="one.test")
        for number, name in enumerate(("ann", "bob"), 1):
            self.call("account.add", address=f"{name}@one.test", password="long enough")
            self.facts.used[number] = Usage(1 << 20, 7)
            self.grants.live.append(Grant(f"192.0.2.{number}", number, f"{name}@one.test", NOW + 600))
            self.sessions.add(f"{name}@one.test", number, "pop3")
            self.sessions.add(f"{name}@one.test", number, "imaps")

"""Under which names the panel answers."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.schema import Settings
from hostmail.interfaces.directory import Domain
from hostmail.webparts import own_hosts


class Hosted:
    """A directory with one domain, and another that stands for it."""

    async def domain(self, name: str) -> Domain | None:
        return Domain(name, "main") if name == "example.com" else None

    async def domain_alias(self, name: str) -> str:
        return "example.com" if name == "example.org" else ""


class OwnHostsTests(SynchronousTestCase):
    def answers(self, host: str, **more: Any) -> bool:
        settings = Settings(hostname="mail.provider.test", **more)
        coroutine = own_hosts(settings, cast(Any, Hosted()))(host)
        try:
            coroutine.send(None)  # type: ignore[attr-defined]
        except StopIteration as done:
            return bool(done.value)
        raise AssertionError("it waited")

    def test_ours(self) -> None:
        """The server, its domains and their aliases, names right below them, and addresses are ours."""
        for host in (
            "mail.provider.test",
            "localhost",
            "127.0.0.1",
            "::1",
            "example.com",
            "mail.example.com",
            "mail.example.org",
        ):
            self.assertTrue(self.answers(host), host)

    def test_not_ours(self) -> None:
        """Every other name is not."""
        for host in ("", "provider.test", "evil.test", "example.com.evil.test", "a.b.example.com", "com"):
            self.assertFalse(self.answers(host), host)

    def test_panel_url(self) -> None:
        """The name that people are told is ours, too."""
        self.assertTrue(self.answers("panel.provider.test", panel_url="https://panel.provider.test:8443"))

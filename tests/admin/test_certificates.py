"""certificate.list, and its command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from click.testing import CliRunner
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from hostmail.admin.certificates import DAY_SECONDS, is_believed, problems, warn
from hostmail.admin.cli import PROBLEMS, CommandLine
from hostmail.admin.main import hostmail
from hostmail.interfaces.admin import CertificateInfo
from tests.admin.facts import NOW, Facts
from tests.admin.fakes import World


def info(server_name: str, *names: str, days: float = 60, **more: Any) -> CertificateInfo:
    """A good one, for so many days."""
    usual: dict[str, Any] = {"issuer": "A CA", "valid_from": NOW - 9, "valid_until": NOW + days * DAY_SECONDS}
    return CertificateInfo(server_name, f"{server_name or 'all'}.pem", names or (server_name,), **usual | more)


class CertificateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.found: list[CertificateInfo] = [info("", "mail.test")]
        facts = Facts()
        self.world = World(directory=facts, changes=facts, certificates=self.known)
        self.world.call("domain.add", name="one.test")

    async def known(self) -> Sequence[CertificateInfo]:
        return self.found

    def words(self, one: CertificateInfo) -> list[str]:
        return list(problems(one, NOW))

    def test_list(self) -> None:
        """Each with its names, issuer and times; and the names that have none that programs believe."""
        told = self.world.call("certificate.list")
        [row] = told["certificates"]
        self.assertEqual((row["server_name"], row["names"], row["issuer"]), (None, ["mail.test"], "A CA"))
        self.assertEqual((row["problems"], told["without"]), ([], ["mail.one.test"]))
        self.found.append(info("mail.one.test"))
        self.assertEqual(self.world.call("certificate.list")["without"], [])

    def test_ends(self) -> None:
        """From two weeks before its end on a certificate is a problem, and after it."""
        self.assertEqual(self.words(info("a.test", days=14)), [])
        self.assertEqual(self.words(info("a.test", days=13.9)), ["it ends in 13 days"])
        self.assertEqual(self.words(info("a.test", days=1.5)), ["it ends in a day"])
        self.assertEqual(self.words(info("a.test", days=0.1)), ["it ends within a day"])
        self.assertEqual(self.words(info("a.test", days=0)), ["it has ended"])

    def test_the_log(self) -> None:
        """Those that have ended, end soon or cannot be read are warned of in the log, one line each; our own, signed by itself, is not."""
        found = [
            info("", self_signed=True),
            info("a.test", days=60),
            info("b.test", days=3.5),
            CertificateInfo("c.test", "c.pem", problem="unreadable"),
        ]
        with capturedLogs() as events:
            self.assertEqual(warn(found, NOW), 2)
        told = [(event["name"], event["file"], event["words"]) for event in events]
        self.assertEqual(told, [("b.test", "b.test.pem", "it ends in 3 days"), ("c.test", "c.pem", "unreadable")])

    def test_other_problems(self) -> None:
        """What cannot be read, is not valid yet, signed by itself, or not for its name, says so."""
        self.assertEqual(self.words(CertificateInfo("a.test", "a.pem", problem="unreadable")), ["unreadable"])
        self.assertEqual(self.words(info("a.test", valid_from=NOW + 9)), ["it is not valid yet"])
        self.assertIn("by itself", self.words(info("a.test", self_signed=True))[0])
        self.assertEqual(self.words(info("a.test", "b.test")), ["it is not for a.test"])
        self.assertEqual(self.words(info("*.a.test")), [])

    def test_believed(self) -> None:
        """As a client sees it: its name's own, a wildcard, the parent's if that is for it, else the one for all."""

        def believed(name: str, *infos: CertificateInfo) -> bool:
            return is_believed(name, {one.server_name: one for one in infos}, NOW)

        self.assertTrue(believed("mail.a.test", info("*.a.test")))
        self.assertTrue(believed("mail.a.test", info("a.test", "a.test", "mail.a.test")))
        self.assertTrue(believed("mail.a.test", info("", "*.a.test"), info("a.test")))
        self.assertFalse(believed("mail.a.test", info("a.test")))
        self.assertFalse(believed("mail.a.test", info("mail.a.test", "other.test")))
        self.assertFalse(believed("mail.a.test", info("mail.a.test", days=0)))
        self.assertTrue(believed("mail.a.test", info("", "mail.a.test"), info("mail.a.test", problem="broken")))

    def test_command(self) -> None:
        """The command shows them; exit code 4 says that one is to be replaced."""
        line = CommandLine()
        line.call = self.world.call  # type: ignore[method-assign]
        done = CliRunner().invoke(hostmail, ["certificate", "list"], obj=line)
        self.assertEqual(done.exit_code, 0, done.output)
        self.assertIn("all other names", done.stdout)
        self.assertIn("mail.one.test", done.stdout)
        self.found = [info("", "mail.test", days=3)]
        done = CliRunner().invoke(hostmail, ["certificate", "list"], obj=line)
        self.assertEqual(done.exit_code, PROBLEMS)
        self.assertIn("all.pem: it ends in 3 days", done.stdout)

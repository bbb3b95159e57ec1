"""Which names the command leads people to while no service runs."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hostmail.compose import convincing
from hostmail.config.schema import Settings, Tls


class ConvincingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def test_without_an_authority(self) -> None:
        """The certificate that the server made itself convinces nobody."""
        convinces = convincing(Settings(hostname="mail.test", data_dir=self.folder))
        self.assertFalse(convinces("mail.test"))

    def test_keys_for_root_alone(self) -> None:
        """Then it cannot be told here; people are led to the server's own name, and not warned of what may be in order."""
        tls = Tls(certificate=self.folder / "not-readable.pem")
        convinces = convincing(Settings(hostname="mail.test", data_dir=self.folder, tls=tls))
        self.assertEqual([convinces(name) for name in ("mail.test", "mail.one.test")], [True, False])

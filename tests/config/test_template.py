"""The example file holds every key, and says the truth."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.fields import keys_of
from hostmail.config.limits import Limits
from hostmail.config.loader import load, parse
from hostmail.config.schema import Listener, Settings, Tls
from hostmail.config.template import render

EXAMPLE = Path(__file__).parent.parent.parent / "etc" / "hostmail.yaml"


class ExampleTests(SynchronousTestCase):
    def test_up_to_date(self) -> None:
        """etc/hostmail.yaml is what the schema says today: `python -m hostmail.config.template > etc/hostmail.yaml`."""
        self.assertEqual(EXAMPLE.read_text(), render())

    def test_loads(self) -> None:
        """It can be used as it stands."""
        self.assertEqual(load(EXAMPLE), Settings(hostname="mail.example.net"))

    def test_shows_the_defaults(self) -> None:
        """With every comment sign taken away from a key, nothing changes: what is shown is the default."""
        text = re.sub(r"(?m)^#(?! )", "", EXAMPLE.read_text())
        text = re.sub(r"(?m)^#(  \w+: )", r"\1", text)
        settings, problems = parse(text.encode(), "f", Path("/"))
        self.assertEqual(problems, [])
        self.assertEqual(settings, Settings(hostname="mail.example.net"))

    def test_every_key(self) -> None:
        """No key is left out, in any section."""
        text = EXAMPLE.read_text()
        for kind in (Settings, Tls, Limits, Listener):
            for name, key in keys_of(kind).items():
                self.assertRegex(text, rf"(?m)\b{name}: ?", name)
                self.assertGreater(len(key.sentence), 10, name)


class RenderTests(SynchronousTestCase):
    def test_values(self) -> None:
        """What is chosen is written as live keys, and read back as chosen."""
        listen = {"imap": (Listener(endpoint="tcp:1143:interface=\\:\\:1"), "tcp:2143")}
        odd = Listener(endpoint="tcp:25", plaintext_login="refuse", proxy_from=("10.0.0.0/8",))
        text = render(
            {
                "hostname": "a.test",
                "data_dir": Path("/with blank/#1"),
                "pop_before_smtp": False,
                "default_quota": None,
                "listen": {**listen, "smtp": (odd,)},
                "tls": {"certificate": Path("/c.pem")},
            }
        )
        settings, problems = parse(text.encode(), "f", Path("/"))
        self.assertEqual(problems, [])
        assert settings is not None
        self.assertEqual(settings.data_dir, Path("/with blank/#1"))
        self.assertEqual((settings.pop_before_smtp, settings.default_quota), (False, None))
        self.assertEqual(
            [port.endpoint for port in settings.listen["imap"]], ["tcp:1143:interface=\\:\\:1", "tcp:2143"]
        )
        self.assertEqual(settings.listen["smtp"], (odd,))
        self.assertEqual(settings.tls, Tls(certificate=Path("/c.pem")))

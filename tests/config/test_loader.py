"""Reading the configuration: values, defaults, and what is said about mistakes."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.config.loader import effective, load, parse
from hostmail.config.places import find_config
from hostmail.config.schema import Listener, Settings, begins_with_tls
from hostmail.errors import ConfigurationError


def settings_from(text: str) -> Settings:
    settings, problems = parse(text.encode(), "f.yaml", Path("/etc/hostmail"))
    assert settings is not None, problems
    return settings


class ValueTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """A host name is enough: everything else has a default."""
        settings = settings_from("hostname: Mail.Example.Test")
        self.assertEqual(settings, Settings(hostname="mail.example.test"))
        self.assertEqual(settings.listen["imaps"], (Listener(endpoint="tcp:993"),))

    def test_everything(self) -> None:
        """Each kind of value is read: names, paths, sizes, durations, sections, nothing."""
        settings = settings_from(
            """
            hostname: mail.example.test
            data_dir: ../var
            relay_window: 1h30m
            message_size_limit: 20M
            default_quota: null
            smarthost: Relay.example:587
            pop_before_smtp: off
            tls: {certificate: chain.pem, private_key: /k.pem}
            limits: {recipients: 7, smtp_idle: 1h}
            listen:
            """
        )
        self.assertEqual(settings.data_dir, Path("/etc/var"))
        self.assertEqual((settings.relay_window, settings.message_size_limit), (5400, 20 << 20))
        self.assertIsNone(settings.default_quota)
        self.assertEqual(settings.smarthost, "relay.example:587")
        self.assertFalse(settings.pop_before_smtp)
        self.assertEqual(settings.tls.certificate, Path("/etc/hostmail/chain.pem"))
        self.assertEqual(settings.tls.private_key, Path("/k.pem"))
        self.assertEqual((settings.limits.recipients, settings.limits.smtp_idle), (7, 3600))
        self.assertEqual(settings.listen, {})

    def test_source_names(self) -> None:
        """An address and a host name each."""
        settings = settings_from("{hostname: a.test, source_names: ['2001:DB8::26 Mail.Example.org']}")
        self.assertEqual(settings.source_names, ("2001:db8::26 mail.example.org",))
        for words, why in (
            ("192.0.2.1", "is not an address and its name"),
            ("here mail.example.org", "is no IP address"),
            ("192.0.2.1 -", "is no host name"),
        ):
            _, problems = parse(f"{{hostname: a.test, source_names: ['{words}']}}".encode(), "f.yaml", Path("/"))
            self.assertIn(why, str(problems))

    def test_server_for_people(self) -> None:
        """A host name, each domain's own where {domain} stands for it."""
        settings = settings_from("{hostname: a.test, client_server: 'Mail.{domain}'}")
        self.assertEqual(settings.client_server, "mail.{domain}")
        self.assertEqual(settings_from("{hostname: a.test, client_server: In.a.test}").client_server, "in.a.test")
        _, problems = parse(b"{hostname: a.test, client_server: 'mail {domain}'}", "f.yaml", Path("/"))
        self.assertIn("no host name", str(problems[0]))

    def test_hidden_capabilities(self) -> None:
        """A pattern and what to hide; one without anything to hide is a mistake."""
        settings = settings_from("{hostname: a.test, hide_capabilities: ['Out*look qresync COMPRESS=DEFLATE']}")
        self.assertEqual(settings.hide_capabilities, ("Out*look QRESYNC COMPRESS=DEFLATE",))
        self.assertEqual(effective(settings)["hide_capabilities"], ["Out*look QRESYNC COMPRESS=DEFLATE"])
        _, problems = parse(b"{hostname: a.test, hide_capabilities: ['Outlook*']}", "f.yaml", Path("/"))
        self.assertIn("names no capability", str(problems))

    def test_absent_service_is_off(self) -> None:
        """Once ports are listed, a service that is not named has none."""
        settings = settings_from(
            "{hostname: a.test, listen: {smtp: 'tcp:25', pop3: ['tcp:110', 'tcp6:110'], imap: null}}"
        )
        self.assertEqual(set(settings.listen), {"smtp", "pop3"})
        self.assertEqual([port.endpoint for port in settings.listen["pop3"]], ["tcp:110", "tcp6:110"])

    def test_bare_names(self) -> None:
        """A port may belong to a domain, or to that of the name asked for (A4); nothing else."""
        for value in ("example.com", "server_name"):
            text = f"{{hostname: a.test, listen: {{pop3: [{{endpoint: 'tcp:110', bare_names: {value}}}]}}}}"
            (port,) = settings_from(text).listen["pop3"]
            self.assertEqual(port.bare_names, value)

    def test_listener_options(self) -> None:
        """A port may have its own login policy and its own trusted proxies (B2)."""
        settings = settings_from(
            "{hostname: a.test, listen: {imap: [{endpoint: 'tcp:143', plaintext_login: refuse, proxy_from: [10.0.0.1/8]}]}}"
        )
        expected = Listener(endpoint="tcp:143", plaintext_login="refuse", proxy_from=("10.0.0.0/8",))
        self.assertEqual(settings.listen["imap"], (expected,))

    def test_profile(self) -> None:
        """The modern profile changes defaults, and what is written wins over it (G)."""
        modern = settings_from("{hostname: a.test, profile: modern, pop_before_smtp: yes}")
        self.assertEqual((modern.plaintext_login, modern.pop_before_smtp), ("refuse", True))
        classic = settings_from("{hostname: a.test, plaintext_login: null}")
        self.assertEqual((classic.plaintext_login, classic.pop_before_smtp), ("allow", True))

    def test_alias(self) -> None:
        """YAML's anchors may be used as in any YAML file."""
        settings = settings_from("{hostname: &name a.test, listen: {imap: &p ['tcp:143'], pop3: *p}}")
        self.assertEqual(settings.listen["imap"], settings.listen["pop3"])

    def test_panel(self) -> None:
        """The panel speaks TLS, but on a UNIX socket, or where a proxy on this machine is in front of it."""
        ports = {
            "tcp:8443": True,
            "unix:/run/panel": False,
            "{endpoint: 'tcp:8080:interface=127.0.0.1', tls: no}": False,
            "{endpoint: 'unix:/run/panel', tls: yes}": True,
        }
        for port, tls in ports.items():
            quoted = port if port.startswith("{") else f"'{port}'"
            (listener,) = settings_from(f"{{hostname: a.test, listen: {{panel: [{quoted}]}}}}").listen["panel"]
            self.assertEqual(begins_with_tls("panel", listener), tls, port)

    def test_panel_url(self) -> None:
        """Where people find the panel is a server, without a path."""
        for typed, kept in {
            "https://Panel.Example.net/": "https://panel.example.net",
            "http://a.test:8080": "http://a.test:8080",
        }.items():
            self.assertEqual(settings_from(f"{{hostname: a.test, panel_url: '{typed}'}}").panel_url, kept)

    def test_effective(self) -> None:
        """`config show` has every key as plain values."""
        shown = effective(Settings(hostname="a.test"))
        self.assertEqual(
            shown["listen"]["smtp"],
            [{"endpoint": "tcp:25"} | dict.fromkeys(("plaintext_login", "bare_names", "tls")) | {"proxy_from": []}],
        )
        self.assertEqual((shown["data_dir"], shown["limits"]["recipients"]), ("/var/lib/hostmail", 1000))


class ProblemTests(SynchronousTestCase):
    def problems(self, text: str) -> list[str]:
        settings, problems = parse(text.encode(), "f.yaml", Path("/etc"))
        self.assertIsNone(settings)
        return [str(problem) for problem in problems]

    def problem(self, text: str) -> str:
        (problem,) = self.problems(text)
        return problem

    def test_all_at_once(self) -> None:
        """All mistakes are reported together, in the order of the file, each with file, line and key."""
        problems = self.problems("hostname: a.test\nprofile: modren\nrelay_window: soon\ndata_dri: /x\n")
        self.assertEqual(
            problems,
            [
                "f.yaml:2: profile: 'modren' is not known; write classic or modern (did you mean modern?)",
                "f.yaml:3: relay_window: 'soon' is no duration; write it like 45s, 30m, 1h30m or 14d",
                "f.yaml:4: data_dri: is not a known key (did you mean data_dir?)",
            ],
        )

    def test_missing(self) -> None:
        """A file without a host name says what it needs."""
        for text in ("", "profile: classic", "# nothing"):
            self.assertIn("hostname: is missing; it needs a host name", self.problem(text))

    def test_twice(self) -> None:
        """A key written twice is refused with both lines: YAML would silently take the last."""
        self.assertEqual(
            self.problem("hostname: a.test\nprofile: classic\nhostname: b.test"),
            "f.yaml:3: hostname: is written twice, first in line 1; keep one",
        )

    def test_yaml_switches(self) -> None:
        """YAML reads a bare no as false: text keys say so instead of taking it."""
        self.assertIn("means yes or no in YAML", self.problem("{hostname: a.test, plaintext_login: no}"))

    def test_words(self) -> None:
        """Each kind of value says what would be right."""
        for line, words in {
            "hostname: '[192.0.2.1]'": "this needs a host name like mail.example.net",
            "hostname: 'a b'": "is no host name; write it like",
            "data_dir: null": "has no value; it needs a path",
            "data_dir: ''": "needs a path",
            "data_dir: [a]": "needs a path, not a list or mapping",
            "message_size_limit: 1K": "is too small; at least 64K",
            "limits: {connections: many}": "limits.connections: 'many' is no whole number",
            "limits: {password_threads: 65}": "it must be 0 to 64",
            "limits: {smtp_idle: 1s}": "is too short; at least 10s",
            "limits: [1]": "limits: must be a mapping with keys like connections",
            "pop_before_smtp: perhaps": "is neither yes nor no",
            "smarthost: relay.example": "write it like smtp.provider.example:587",
            "smarthost: relay.example:70000": "is not host:port",
            "listen: {smtp: 25}": "listen.smtp: '25' is no endpoint; write tcp:25",
            "listen: {smtp: ['port 25']}": "is no endpoint; write it like tcp:25",
            "listen: {smtp: ['tcp:smtp']}": "ports are 0 to 65535",
            "listen: {smtp: ['tcp:99999']}": "ports are 0 to 65535",
            "listen: {smtp: ['haproxy:tcp:25']}": "believes anybody",
            "listen: {imaps: ['ssl:993']}": "is not needed; write tcp:",
            "listen: {imap: [{endpoint: 'tcp:1', proxy_from: [here]}]}": "is no address or network",
            "listen: {imap: [{proxy_from: [127.0.0.1]}]}": "listen.imap.endpoint: is missing",
            "listen: {panel: [{endpoint: 'tcp:1', tls: no}]}": "without TLS must be a UNIX socket, or bound to loopback",
            "listen: {imap: [{endpoint: 'tcp:1', tls: no}]}": "has no option tls",
            "panel_url: 'https://a.test/panel'": "write it like https://panel.example.net, without a path",
            "panel_url: panel.a.test": "is no web server",
            "trusted_proxies: [proxy]": "is no address or network",
            "listen: {imapp: 'tcp:1'}": "did you mean imap",
            "listen: {imap: {endpoint: 'tcp:1', bare_names: a b}}": "'a b' is no host name",
            "tls: {private_key: k.pem}": "belongs to a tls.certificate",
            "{smarthost: 'a:1', smarthost_login: me}": "needs smarthost_password_file as well",
            "{smarthost_login: me, smarthost_password_file: f}": "needs smarthost as well",
            "{smarthost_login: ' ', smarthost: 'a:1'}": "needs some text",
            "limits: {failed_login_delay: 20s}": "is more than limits.failed_login_delay_most",
            "? [a, b]\n: c": "is not a known key",
        }.items():
            inner = line.strip("{}") if line.startswith("{") else line
            text = (
                inner
                if "hostname" in line
                else f"hostname: a.test\n{inner}"
                if inner == line
                else f"{{hostname: a.test, {inner}}}"
            )
            self.assertIn(words, "\n".join(self.problems(text)), line)

    def test_not_yaml(self) -> None:
        """What is no YAML is refused with the line, whatever it is."""
        self.assertIn("f.yaml:2: is not valid YAML", self.problem("hostname: a.test\n  b: [\n"))
        self.assertIn("is not valid YAML", self.problem("hostname: \x01"))
        self.assertIn("must be a mapping", self.problem("just words"))
        settings, problems = parse(b"\xff\xfe\xfa", "f.yaml", Path("/"))
        self.assertIsNone(settings)
        self.assertIn("is not valid YAML", str(problems[0]))

    def test_bombs(self) -> None:
        """Size, depth and aliases are bounded: a file cannot fill memory or take the stack down."""
        self.assertIn("larger than 1M", self.problem("#" * (1 << 20) + "\n"))
        self.assertIn("nested too deeply", self.problem("a: " + "[" * 100_000))
        listed = ", ".join("tcp:1" for _ in range(3000))
        bomb = f"{{hostname: a.test, listen: {{smtp: &a [{listed}], imap: *a, pop3: *a, imaps: *a}}}}"
        self.assertIn("too many values", self.problem(bomb))
        self.assertIn("not a list", self.problem("hostname: &a [*a]"))

    def test_at_most_fifty(self) -> None:
        """Fifty problems are enough for one reading."""
        self.assertEqual(len(self.problems("\n".join(f"key{number}: 1" for number in range(80)))), 50)

    @given(st.text(max_size=60))
    def test_never_raises(self, text: str) -> None:
        """Any text whatever gives settings or problems."""
        settings, problems = parse(text.encode("utf-8", "replace"), "f", Path("/"))
        self.assertTrue(settings is None and problems)


class FileTests(SynchronousTestCase):
    def folder(self) -> Path:
        made = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, made)
        return Path(made)

    def test_relative(self) -> None:
        """Paths are relative to the file, wherever the service is started."""
        folder = self.folder()
        file = folder / "hostmail.yaml"
        file.write_text("hostname: a.test\ndata_dir: data\n")
        self.assertEqual(load(file).data_dir, folder.absolute() / "data")

    def test_places(self) -> None:
        """The file is named by hand, by the environment, or found; else one is told how to make it."""
        self.assertEqual(find_config("a.yaml", {"HOSTMAIL_CONFIG": "b.yaml"}), Path("a.yaml"))
        self.assertEqual(find_config(None, {"HOSTMAIL_CONFIG": "b.yaml"}), Path("b.yaml"))
        folder = self.folder()
        there = os.getcwd()
        self.addCleanup(os.chdir, there)
        os.chdir(folder)
        if not Path("/etc/hostmail.yaml").exists():
            with self.assertRaisesRegex(ConfigurationError, "make one with `hostmail init`"):
                find_config(None, {})
        (folder / "hostmail.yaml").write_text("")
        self.assertEqual(find_config(None, {}), Path("hostmail.yaml"))

    def test_raises(self) -> None:
        """A file that is wrong, or not there, is one ConfigurationError with a line per problem."""
        with self.assertRaisesRegex(ConfigurationError, "cannot be read: No such file"):
            load(self.folder() / "none.yaml")
        file = self.folder() / "hostmail.yaml"
        file.write_text("a: 1\nb: 2\n")
        with self.assertRaises(ConfigurationError) as caught:
            load(file)
        self.assertEqual(len(str(caught.exception).splitlines()), 3)

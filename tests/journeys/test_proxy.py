"""The panel and the API behind a real nginx, set up as the manual says."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from pathlib import Path
from typing import ClassVar

from tests.journeys.base import ANN, SECONDS, Journey, trusting, until
from tests.journeys.test_panel import ACCOUNTS, Visitor
from tests.support.appliance import PASSWORD, Appliance, free_ports
from tests.support.missing import program

MANUAL = Path(__file__).parents[2] / "docs" / "operators" / "panel.rst"
NAME, CLIENT, FORGED = "panel.example.net", "127.0.0.5", "203.0.113.66"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
{user}
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
{server}
}}
"""


def documented() -> str:
    """The server of the manual."""
    found = re.search(r"\(nginx\)::\n\n(    server \{.*?\n    \}\n)", MANUAL.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def configuration(here: Appliance, port: int) -> str:
    """The same with the places of this machine, and what every nginx needs around it."""
    server, pair = documented(), f"{here.data}/tls/self-signed.pem"
    for theirs, ours in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/ssl/panel.example.net.pem", pair),
        ("/etc/ssl/panel.example.net.key", pair),
        ("/run/hostmail/panel.sock", f"{here.folder}/panel.sock"),
    ):
        assert server.count(theirs) == 1, theirs
        server = server.replace(theirs, ours)
    user = "user root;" if (here.folder / "panel.sock").stat().st_uid == 0 else ""
    return AROUND.format(folder=here.folder, user=user, server=server)


class Outsider(Visitor):
    """A browser that comes from another address, to nginx; `lies` are headers that only a proxy should send."""

    def __init__(self, here: Appliance, port: int, **lies: str) -> None:
        super().__init__(here)
        self.port = port
        self.origin = f"https://{NAME}:{port}"
        self.headers = {"host": f"{NAME}:{port}"} | {name.replace("_", "-"): value for name, value in lies.items()}

    def line(self) -> http.client.HTTPConnection:
        """A connection."""
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=SECONDS, context=trusting(), source_address=(CLIENT, 0)
        )


class ProxyJourney(Journey):
    """One nginx for all of them."""

    settings = f"panel_url: https://{NAME}\nlimits: {{failed_login_delay: 0s}}\n"
    more = ("panel",)
    nginx: ClassVar[subprocess.Popen[bytes] | None] = None
    port: ClassVar[int]

    @classmethod
    def setUpClass(cls) -> None:
        path = program("nginx")
        super().setUpClass()
        [cls.port] = free_ports(1)
        file, log = cls.here.folder / "nginx.conf", cls.here.folder / "nginx.log"
        try:
            file.write_text(configuration(cls.here, cls.port))
            with log.open("wb") as errors:
                cls.nginx = subprocess.Popen([path, "-c", str(file), "-p", str(cls.here.folder)], stderr=errors)
            until(cls.answers, lambda: log.read_text()[-2000:] + cls.here.text()[-2000:])
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls) -> None:
        if cls.nginx is not None:
            cls.nginx.terminate()
            cls.nginx.wait(SECONDS)
        super().tearDownClass()

    @classmethod
    def answers(cls) -> bool:
        """Whether nginx is there."""
        try:
            return Outsider(cls.here, cls.port).ask("GET", "/login")[0] == 200
        except ConnectionError:
            return False

    def owner(self, **lies: str) -> Outsider:
        """The owner of example.test, signed in."""
        visitor = Outsider(self.here, self.port, **lies)
        login = self.here.json("domain", "show", "example.test")["main_login"]
        self.assertTrue(visitor.sign_in(login))
        return visitor

    def test_signing_in(self) -> None:
        """Over the proxy's TLS one signs in with a cookie that is for TLS alone, and forms work."""
        visitor = self.owner()
        self.assertTrue(visitor.cookie.startswith("__Host-session="))
        line = visitor.line()
        line.request("GET", "/login", headers=visitor.headers)
        self.assertIn("max-age=", line.getresponse().getheader("strict-transport-security", ""))
        line.close()
        fields = {"make": "no", "password": PASSWORD, "password_again": PASSWORD}
        self.assertEqual(visitor.fill(ACCOUNTS, action="add", name="dora", quota_kind="default", **fields)[0], 303)
        self.assertEqual(visitor.location, f"{ACCOUNTS}/dora@example.test")
        [row] = self.here.json("audit", "--about", "dora@example.test")
        self.assertEqual((row["verb"], row["way"], row["ip"]), ("account.add", "panel", CLIENT))

    def test_who_asks_is_who_connects(self) -> None:
        """What a browser says about itself in a proxy's headers is not believed: neither address, name nor TLS."""
        lies = {"x_forwarded_for": FORGED, "x_forwarded_host": "evil.example", "x_forwarded_proto": "http"}
        visitor = Outsider(self.here, self.port, **lies)
        self.assertFalse(visitor.sign_in(ANN, "Wrong-Horse-1"))
        until(lambda: CLIENT in self.here.command("account", "logins", ANN).stdout, self.here.text)
        self.assertNotIn(FORGED, self.here.command("account", "logins", ANN).stdout)
        visitor = self.owner(**lies)
        self.assertTrue(visitor.cookie.startswith("__Host-session="))
        self.assertEqual(
            visitor.fill(ACCOUNTS + f"/{ANN}", action="suspensions", incoming="yes", login="yes")[0],
            303,
        )
        [row] = self.here.json("audit", "--about", ANN)
        self.assertEqual(row["ip"], CLIENT)
        self.assertNotIn(FORGED, self.here.text())

    def test_the_api(self) -> None:
        """Programs go through it, too: each address comes as it was written, and large bodies are answered by us."""
        token = self.here.json("token", "add", "a script", "--domain", "example.test")["token"]
        visitor = Outsider(self.here, self.port, x_forwarded_for=FORGED)

        def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, object]]:
            line = visitor.line()
            headers = {**visitor.headers, "authorization": f"Bearer {token}", "content-type": "application/json"}
            line.request(method, f"/api/v1{path}", body, headers)
            answer = line.getresponse()
            told = json.loads(answer.read())
            line.close()
            return answer.status, told

        written = "a%2Fb+c%2525d@example.test"
        self.assertEqual(ask("PUT", f"/addresses/{written}", json.dumps({"targets": [ANN]}).encode())[0], 200)
        self.assertEqual(ask("GET", f"/addresses/{written}")[1]["address"], "a/b+c%25d@example.test")
        [row] = self.here.json("audit", "--about", "a/b+c%25d@example.test")
        self.assertEqual((row["way"], row["ip"]), ("api", CLIENT))
        status, told = ask("POST", "/accounts/import", b" " * 2_000_000)
        self.assertEqual((status, told["status"]), (413, 413))

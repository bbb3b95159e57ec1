"""Who asks, by what name, and what came with it: the plain values of a request."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.errors import BadValue
from hostmail.web.asked import Asked, Proxies, claimed_ip, host_of, is_ip
from hostmail.web.fields import BadField, Fields, TooManyFields
from hostmail.web.forms import distrust, own_path
from hostmail.web.sessions import csrf_token


class HostTests(SynchronousTestCase):
    def test_names(self) -> None:
        """A Host header is a name or an address, with a port perhaps, in one spelling."""
        for given_, host in {
            "Panel.Example.NET:8443": "panel.example.net",
            "panel.example.net.": "panel.example.net",
            "127.0.0.1:80": "127.0.0.1",
            "panel.example.net:": "panel.example.net",
            "[::1]:8443": "::1",
            "[::FFFF:192.0.2.1]": "192.0.2.1",
        }.items():
            self.assertEqual(host_of(given_), host)

    def test_no_names(self) -> None:
        """Anything else is none."""
        for text in ("", "a b", "a/b", "user@host", "a:b", "[::1", "..", "a\r\nb", "x" * 300, "-.-", "a,b"):
            self.assertEqual(host_of(text), "", text)

    @given(st.text(max_size=60))
    def test_anything(self, text: str) -> None:
        """No Host header makes it fail, and what comes of it has nothing but a name's letters."""
        self.assertRegex(host_of(text), r"\A[a-z0-9._:-]*\Z")

    def test_addresses(self) -> None:
        """Addresses are told from names."""
        self.assertEqual([is_ip(host) for host in ("::1", "192.0.2.1", "a.test", "")], [True, True, False, False])


class ProxyTests(SynchronousTestCase):
    def test_who_asks(self) -> None:
        """The last address that no proxy of ours has is the client's; what stands before it is hearsay."""
        proxies = Proxies(["127.0.0.1/32", "10.0.0.0/8"])
        self.assertEqual(proxies.client("127.0.0.1", ["203.0.113.9, 198.51.100.1, 10.1.2.3"]), "198.51.100.1")
        self.assertEqual(proxies.client("127.0.0.1", ["203.0.113.9", "198.51.100.1"]), "198.51.100.1")
        self.assertEqual(proxies.client("192.0.2.1", ["203.0.113.9"]), "192.0.2.1")
        self.assertEqual(proxies.client("127.0.0.1", []), "127.0.0.1")
        self.assertEqual(proxies.client("", ["198.51.100.1"]), "198.51.100.1")

    def test_nonsense(self) -> None:
        """What is no address makes nobody somebody."""
        self.assertEqual(Proxies(["127.0.0.1"]).client("127.0.0.1", ["unknown"]), "")
        self.assertFalse(Proxies(["127.0.0.1"]).trusts("nonsense"))

    def test_spellings(self) -> None:
        """Proxies write addresses with and without a port."""
        for text in ("192.0.2.1:4711", "192.0.2.1", "[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1"):
            self.assertEqual(claimed_ip(text), "192.0.2.1")
        self.assertEqual(claimed_ip("[2001:db8::1]:80"), "2001:db8::1")


class FieldTests(SynchronousTestCase):
    def test_kinds(self) -> None:
        """Values are read as what they are meant to be."""
        form = Fields.read(b"a=+x+&a=y&size=1.5G&none=none&n=12&d=7d&lines=a%0D%0A%0D%0A+b&empty=&box=yes")
        self.assertEqual(
            (form.text("a"), form.all("a"), form.raw("a"), form.text("missing", "z")), ("y", ["x", "y"], "y", "z")
        )
        self.assertEqual((form.size("size"), form.size("none"), form.size("empty")), (1536 << 20, None, None))
        self.assertEqual((form.number("n"), form.number("empty")), (12, None))
        self.assertEqual((form.duration("d"), form.duration("empty")), (7 * 86400, None))
        self.assertEqual(form.lines("lines"), ["a", "b"])
        self.assertEqual((form.ticked("box"), form.ticked("cap")), (True, False))

    def test_what_cannot_be_read(self) -> None:
        """A field that is not what it should be is named."""
        form = Fields.read("size=much&n=-1&n2=٣&d=soon&empty=".encode())
        asked = {"size": form.size, "n": form.number, "n2": form.number, "d": form.duration, "empty": form.needed}
        for name, read in asked.items():
            self.assertEqual(self.assertRaises(BadField, read, name).argument, name)

    def test_too_many(self) -> None:
        """A hundred fields and no more."""
        Fields.read(b"&".join([b"a=1"] * 100))
        self.assertRaises(TooManyFields, Fields.read, b"&".join([b"a=1"] * 101))

    @given(st.binary(max_size=300))
    def test_anything(self, octets: bytes) -> None:
        """Whatever octets come are a form, or too much of one."""
        Fields.read(octets)

    def upload(self, parts: bytes, kind: str = "multipart/form-data; boundary=b") -> Fields:
        return Fields.read_body(kind, BytesIO(parts))

    def test_uploads(self) -> None:
        """A file comes with its name beside the other fields."""
        body = (
            b'--b\r\ncontent-disposition: form-data; name="action"\r\n\r\nimport\r\n'
            b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx,y\r\n--b--\r\n'
        )
        form = self.upload(body)
        self.assertEqual(form.text("action"), "import")
        self.assertEqual((form.uploads["file"].name, form.uploads["file"].content), ("a.csv", b"x,y"))

    def test_bad_uploads(self) -> None:
        """A form that ends in the middle, without boundary, or with too many parts is refused."""
        part = b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n'
        self.assertRaises(TooManyFields, self.upload, part * 101 + b"--b--\r\n")
        self.assertRaises(BadValue, self.upload, part)
        self.assertRaises(BadValue, self.upload, part, "multipart/form-data")

    @given(st.binary(max_size=300))
    def test_any_upload(self, octets: bytes) -> None:
        """Whatever octets come as parts are a form, or refused."""
        try:
            self.upload(b"--b\r\n" + octets)
        except BadValue:
            pass


class TrustTests(SynchronousTestCase):
    def test_own_paths(self) -> None:
        """What begins at our own root is ours, all else is the first page."""
        for path in ("/", "/domains/a.test/accounts/a%2Fb@a.test", "/mailbox?page=2&q=a+b"):
            self.assertEqual(own_path(path), path)
        for path in ("", "//a", "/\\a", "http://a", "a", "/a\nb", "/ä", "/a b", "/" + "a" * 1000, "/<", '/"', "/..//a"):
            self.assertEqual(own_path(path), "/")

    @given(st.text(max_size=40))
    def test_no_way_out(self, text: str) -> None:
        """No text makes a path that a browser reads as another server's."""
        path = own_path(text)
        self.assertTrue(path.startswith("/"))
        self.assertNotIn(path[1:2], ("/", "\\"))

    def test_ours(self) -> None:
        """A form of ours has the token; each sign of another site outweighs it."""
        form = Fields([("csrf", csrf_token("t"))])
        common = {"method": "POST", "path": "/", "netloc": "a.test", "secure": True, "form": form}
        self.assertEqual(distrust(Asked(**common), "t"), "")
        self.assertEqual(distrust(Asked(**common, origin="https://a.test", fetch_site="same-origin"), "t"), "")
        self.assertIn("none", distrust(Asked(**common, fetch_site="none"), "t"))
        self.assertIn("b.test", distrust(Asked(**common, origin="https://b.test"), "t"))
        self.assertIn("token", distrust(Asked(**common), "u"))
        self.assertIn("token", distrust(Asked(**common), ""))

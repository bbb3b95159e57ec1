"""The PROXY header, versions 1 and 2."""

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.listen.proxyheader import V2_SIGNATURE, BadHeader, Header, parse


def v2(source: str, target: str, ports: tuple[int, int] = (4000, 25), command: int = 0x21, extra: bytes = b"") -> bytes:
    """A version 2 header."""
    ips = [ipaddress.ip_address(text) for text in (source, target)]
    body = b"".join(ip.packed for ip in ips) + struct.pack(">HH", *ports) + extra
    family = 0x11 if ips[0].version == 4 else 0x21
    return V2_SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


class HeaderTests(SynchronousTestCase):
    def test_v1(self) -> None:
        """The text form, for both families."""
        line = b"PROXY TCP4 192.0.2.1 198.51.100.1 4000 25\r\n"
        self.assertEqual(parse(line + b"EHLO"), Header(len(line), "192.0.2.1", 4000, "198.51.100.1", 25))
        line = b"PROXY TCP6 2001:db8::1 2001:db8::2 4000 25\r\n"
        self.assertEqual(parse(line), Header(len(line), "2001:db8::1", 4000, "2001:db8::2", 25))

    def test_v2(self) -> None:
        """The binary form, for both families, with additions that are passed over."""
        data = v2("192.0.2.1", "198.51.100.1", extra=b"\x04\x00\x01x")
        self.assertEqual(parse(data + b"rest"), Header(len(data), "192.0.2.1", 4000, "198.51.100.1", 25))
        data = v2("2001:db8::1", "2001:db8::2")
        self.assertEqual(parse(data), Header(len(data), "2001:db8::1", 4000, "2001:db8::2", 25))

    def test_health_check(self) -> None:
        """LOCAL and UNKNOWN keep the connection's own addresses."""
        self.assertEqual(parse(b"PROXY UNKNOWN\r\n"), Header(15))
        self.assertEqual(parse(b"PROXY UNKNOWN ffff::1 x y z\r\n"), Header(29))
        self.assertEqual(parse(v2("192.0.2.1", "192.0.2.2", command=0x20)), Header(28))

    def test_in_pieces(self) -> None:
        """Any beginning of a header needs more."""
        for whole in (b"PROXY TCP4 192.0.2.1 198.51.100.1 4000 25\r\n", v2("192.0.2.1", "198.51.100.1")):
            for length in range(len(whole)):
                self.assertIsNone(parse(whole[:length]))

    def test_refused(self) -> None:
        """What is no header, or a wrong one, is refused at once."""
        for data in (
            b"EHLO there",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 4000\r\n",
            b"PROXY TCP4 2001:db8::1 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 192.0.2.999 192.0.2.1 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.1 x 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.1 70000 2\r\n",
            b"PROXY UDP4 192.0.2.1 192.0.2.1 1 2\r\n",
            b"PROXY " + b"x" * 200,
            V2_SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
            V2_SIGNATURE + b"\x25\x11\x00\x0c" + bytes(12),
            V2_SIGNATURE + b"\x21\x11\xff\xff",
            V2_SIGNATURE + b"\x21\x11\x00\x04abcd",
        ):
            with self.assertRaises(BadHeader):
                parse(data)

    @given(st.binary(max_size=200))
    def test_any_octets(self, data: bytes) -> None:
        """Whatever comes: a header, a wish for more, or BadHeader."""
        for start in (b"", b"PROXY ", V2_SIGNATURE):
            try:
                parse(start + data)
            except BadHeader:
                pass

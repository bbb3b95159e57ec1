"""The records a domain needs."""

from __future__ import annotations

import dns.zone
from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup.records import Need, Place, Record, records_for, written, zone
from hostmail.clientsetup.setup import Setup
from tests.clientsetup.values import setup

HERE = Place(addresses=("192.0.2.1", "2001:db8::1"))
WITH_WEB = Place(addresses=HERE.addresses, web_port=8443, plain_web=True)


def lines(found: Setup, place: Place = HERE, *needs: Need) -> list[str]:
    """As in the zone file."""
    records = records_for(found, place)
    return [line.replace(" 3600 IN", "") for one in records if not needs or one.need in needs for line in one.lines()]


class RecordTests(SynchronousTestCase):
    def test_mail_and_senders(self) -> None:
        """Where mail goes, and that it comes from here: without those nothing works."""
        found = lines(setup(), HERE, Need.REQUIRED)
        self.assertIn("one.test. MX 10 mx.host.test.", found)
        self.assertIn('one.test. TXT "v=spf1 mx ~all"', found)
        self.assertIn("mail.one.test. CNAME mx.host.test.", found)

    def test_other_sources(self) -> None:
        """Mail that leaves from other addresses has them in the SPF record; a smarthost's provider is to be asked."""
        place = Place(sources=("192.0.2.7", "2001:db8::7"), smarthost=True)
        self.assertIn('one.test. TXT "v=spf1 mx ip4:192.0.2.7 ip6:2001:db8::7 ~all"', lines(setup(), place))
        self.assertIn("smarthost", next(one.purpose for one in records_for(setup(), place) if one.kind == "TXT"))

    def test_a_name_people_expect(self) -> None:
        """mail.D is recommended even where nobody is led to it: people try it (A5), and a certificate can be had for it then."""
        self.assertIn("mail.one.test. CNAME mx.host.test.", lines(setup(host="mx.host.test"), HERE, Need.RECOMMENDED))

    def test_the_server_is_in_this_zone(self) -> None:
        """Its own name has addresses; where they are not known, the zone says what to put there."""
        own = setup(hostname="mail.one.test")
        self.assertIn("mail.one.test. A 192.0.2.1", lines(own))
        self.assertIn("mail.one.test. AAAA 2001:db8::1", lines(own))
        records = records_for(own, Place())
        self.assertIn("; mail.one.test. 3600 IN A THE-ADDRESS-OF-THIS-SERVER", zone(own, records))

    def test_services(self) -> None:
        """TLS from the first octet is best, IMAP before POP3 (RFC 6186, 8314); what is not there is said to be not there."""
        found = lines(setup({"imaps": 993, "imap": 143, "pop3s": 995, "submissions": 1465}))
        self.assertIn("_imaps._tcp.one.test. SRV 0 1 993 mail.one.test.", found)
        self.assertIn("_imap._tcp.one.test. SRV 10 1 143 mail.one.test.", found)
        self.assertIn("_pop3s._tcp.one.test. SRV 20 1 995 mail.one.test.", found)
        self.assertIn("_submissions._tcp.one.test. SRV 0 1 1465 mail.one.test.", found)
        self.assertIn("_pop3._tcp.one.test. SRV 0 0 0 .", found)

    def test_set_up(self) -> None:
        """Names that programs ask, only where something answers."""
        found = lines(setup(web="https://mail.one.test:8443"), WITH_WEB)
        self.assertIn("autoconfig.one.test. CNAME mx.host.test.", found)
        self.assertIn("autodiscover.one.test. CNAME mx.host.test.", found)
        self.assertNotIn("auto", "".join(lines(setup())))

    def test_set_up_without_port_80(self) -> None:
        """Outlook finds the panel by an SRV record; elsewhere there is none, for Thunderbird would ask people about its host."""
        at_443, at_8443 = (Place(addresses=HERE.addresses, web_port=port) for port in (443, 8443))
        for place, port in ((at_443, 443), (at_8443, 8443)):
            found = lines(setup(web="https://mail.one.test"), place)
            self.assertIn(f"_autodiscover._tcp.one.test. SRV 0 1 {port} mail.one.test.", found)
        self.assertIn("autoconfig.one.test. CNAME mx.host.test.", lines(setup(web="https://mail.one.test"), at_443))
        self.assertNotIn("autoconfig", "".join(lines(setup(web="https://mail.one.test"), at_8443)))
        self.assertNotIn("_autodiscover", "".join(lines(setup(web="https://mail.one.test"), WITH_WEB)))

    def test_policy(self) -> None:
        """A suggestion."""
        self.assertIn(
            '_dmarc.one.test. TXT "v=DMARC1; p=none; rua=mailto:postmaster@one.test"',
            lines(setup(), HERE, Need.SUGGESTED),
        )

    def test_a_zone_file(self) -> None:
        """The text can be pasted: a program that reads zones finds every record in it."""
        records = records_for(setup(web="https://mail.one.test:8443"), WITH_WEB)
        text = zone(setup(), records)
        soa = "one.test. 3600 IN SOA ns.test. root.test. 1 2 3 4 5\none.test. 3600 IN NS ns.test.\n"
        read = dns.zone.from_text(soa + text, "one.test.", relativize=False)
        self.assertEqual(len(list(read.iterate_rdatas())), sum(len(one.values) for one in records) + 2)

    def test_long_texts(self) -> None:
        """They are cut into pieces, with quotes quoted."""
        self.assertEqual(written("TXT", 'a"b\\'), '"a\\"b\\\\"')
        self.assertEqual(written("TXT", "x" * 300), f'"{"x" * 255}" "{"x" * 45}"')
        self.assertEqual(written("MX", "10 a."), "10 a.")
        self.assertIsInstance(records_for(setup(), HERE)[0], Record)

"""What is found beside what is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.trial.unittest import SynchronousTestCase

from hostmail.clientsetup.checking import Check, Checked, Sending, State, more_questions, questions
from hostmail.clientsetup.records import Need, Place, records_for
from hostmail.clientsetup.setup import Setup
from hostmail.errors import Refusal, TemporaryFailure
from tests.clientsetup.values import setup

PLACE = Place(addresses=("192.0.2.1",), web_port=8443, plain_web=True)
SETUP = setup({"imaps": 993, "submissions": 465}, web="https://mail.one.test:8443")
PASSES = Sending({"192.0.2.1": "pass"})
GOOD: dict[tuple[str, str], Sequence[str] | Refusal] = {
    ("mx.host.test", "A"): ["192.0.2.1"],
    ("one.test", "MX"): ["10 mx.host.test."],
    ("one.test", "TXT"): ["v=spf1 mx ~all", "other=1"],
    ("mail.one.test", "A"): ["192.0.2.1"],
    ("autoconfig.one.test", "A"): ["192.0.2.1"],
    ("autodiscover.one.test", "A"): ["192.0.2.1"],
    ("_imaps._tcp.one.test", "SRV"): ["0 1 993 mail.one.test."],
    ("_submissions._tcp.one.test", "SRV"): ["5 9 465 Mail.One.test."],
    ("_dmarc.one.test", "TXT"): ["v=DMARC1; p=reject"],
}
Answers = Mapping[tuple[str, str], Sequence[str] | Refusal]


def check(
    changes: Answers | None = None, sending: Sending | None = PASSES, of: Setup = SETUP, place: Place = PLACE
) -> tuple[Check, dict[str, Checked]]:
    """All records of a good zone with these changes, by name and kind."""
    records = records_for(of, place)
    asked = questions(of, records)
    answers = dict.fromkeys(asked, ()) | GOOD | dict(changes or {})
    found = Check(of, place, answers, sending)
    return found, {f"{each.record.name} {each.record.kind}": each for each in found.checked(records)}


class CheckTests(SynchronousTestCase):
    def one(self, name: str, changes: Answers | None = None, sending: Sending | None = PASSES) -> Checked:
        """One of them."""
        return check(changes, sending)[1][name]

    def test_all_is_well(self) -> None:
        """A zone as we want it has no problems; whether priorities and cases differ does not matter."""
        found, checked = check()
        self.assertEqual([each for each in checked.values() if each.state is not State.OK], [])
        self.assertIs(found.pointed, True)

    def test_empty_zone(self) -> None:
        """Everything is missing, and the lines to add are there. Suggestions are no problems."""
        records = records_for(SETUP, PLACE)
        nothing = dict.fromkeys(questions(SETUP, records), ()) | {("mx.host.test", "A"): ["192.0.2.1"]}
        found = Check(SETUP, PLACE, nothing, PASSES)
        for each in found.checked(records):
            if each.record.values == ("0 0 0 .",):
                self.assertEqual(each.state, State.OK)
                continue
            self.assertEqual(each.state, State.MISSING, each)
            self.assertEqual(list(each.fix), each.record.lines())
            self.assertEqual(each.is_problem, each.record.need is not Need.SUGGESTED)
        self.assertIs(found.pointed, False)

    def test_not_pointed_here_yet(self) -> None:
        """Mail goes elsewhere: where to, and what to have instead (F6)."""
        changes = {("one.test", "MX"): ["10 mx.old.test.", "20 mx2.old.test."]}
        found, checked = check(changes)
        self.assertIs(found.pointed, False)
        wrong = checked["one.test MX"]
        self.assertEqual((wrong.state, wrong.words), (State.WRONG, "mail goes to mx.old.test and mx2.old.test"))
        self.assertEqual(wrong.fix, ("one.test. 3600 IN MX 10 mx.host.test.",))

    def test_us_under_another_name(self) -> None:
        """A mail exchanger with our address is this server."""
        changes = {("one.test", "MX"): ["10 mail.one.test."]}
        found, checked = check(changes)
        self.assertEqual((found.pointed, checked["one.test MX"].state), (True, State.OK))
        self.assertEqual(more_questions(SETUP, GOOD | changes), {("mail.one.test", "A"), ("mail.one.test", "AAAA")})

    def test_others_beside_us(self) -> None:
        """Who comes after us may wait for us; who comes before us, or with us, gets our mail."""
        after = self.one("one.test MX", {("one.test", "MX"): ["20 mx.old.test.", "10 mx.host.test."]})
        self.assertEqual(after.state, State.OK)
        self.assertIn("mx.old.test may take mail", after.words)
        for preference in (5, 10):
            before = self.one("one.test MX", {("one.test", "MX"): [f"{preference} mx.old.test.", "10 mx.host.test."]})
            self.assertEqual((before.state, before.words), (State.WRONG, "mail goes to mx.old.test as well"))

    def test_takes_no_mail(self) -> None:
        """A null MX (RFC 7505) is an MX elsewhere."""
        self.assertEqual(self.one("one.test MX", {("one.test", "MX"): ["0 ."]}).words, "mail goes to .")

    def test_names_that_lead_elsewhere(self) -> None:
        """By whatever records: what counts is where programs end up."""
        wrong = self.one("mail.one.test CNAME", {("mail.one.test", "A"): ["198.51.100.9"]})
        self.assertEqual(wrong.state, State.WRONG)
        self.assertIn("it leads to 198.51.100.9, and this server is at 192.0.2.1", wrong.words)
        self.assertEqual(wrong.fix, ("mail.one.test. 3600 IN CNAME mx.host.test.",))

    def test_the_panel_is_elsewhere(self) -> None:
        """On a proxy of another name: that is where programs have to ask."""
        place = Place(addresses=("192.0.2.1",), web_port=443, web_host="panel.host.test", plain_web=True)
        elsewhere = {("panel.host.test", "A"): ["192.0.2.80"], ("autoconfig.one.test", "A"): ["192.0.2.80"]}
        checked = check(elsewhere, place=place)[1]
        self.assertEqual(checked["autoconfig.one.test CNAME"].state, State.OK)
        wrong = checked["autodiscover.one.test CNAME"]
        self.assertEqual((wrong.state, wrong.fix[0].split()[-1]), (State.WRONG, "panel.host.test."))
        self.assertIn(("panel.host.test", "A"), questions(SETUP, [], "panel.host.test"))

    def test_services_elsewhere(self) -> None:
        """A port or a host that is not ours, or one where there is none."""
        for value in ("0 1 993 mail.old.test.", "0 1 994 mail.one.test."):
            wrong = self.one("_imaps._tcp.one.test SRV", {("_imaps._tcp.one.test", "SRV"): [value]})
            self.assertEqual((wrong.state, wrong.found), (State.WRONG, (value,)))
        wrong = self.one("_pop3._tcp.one.test SRV", {("_pop3._tcp.one.test", "SRV"): ["0 1 110 mail.old.test."]})
        self.assertEqual((wrong.state, wrong.is_problem), (State.WRONG, False))

    def test_may_not_send(self) -> None:
        """The domain's own record stays, with our terms in it."""
        changes = {("one.test", "TXT"): ["v=spf1 include:_spf.old.test -all"]}
        wrong = self.one("one.test TXT", changes, Sending({"192.0.2.1": "fail"}))
        self.assertEqual(wrong.state, State.WRONG)
        self.assertIn("192.0.2.1 (fail)", wrong.words)
        self.assertEqual(wrong.fix, ('one.test. 3600 IN TXT "v=spf1 mx include:_spf.old.test -all"',))

    def test_may_send_when_mail_comes_here(self) -> None:
        """A record that relies on the MX needs no change of its own."""
        wrong = self.one("one.test TXT", sending=Sending({"192.0.2.1": "softfail"}))
        self.assertEqual((wrong.state, wrong.fix), (State.WRONG, ()))
        self.assertIn("will when the MX record is right", wrong.words)

    def test_two_spf_records(self) -> None:
        """They become one that says what both said."""
        changes = {("one.test", "TXT"): ["v=spf1 a -all", "v=spf1 include:_spf.old.test ~all"]}
        wrong = self.one("one.test TXT", changes)
        self.assertEqual(wrong.fix, ('one.test. 3600 IN TXT "v=spf1 mx include:_spf.old.test a -all"',))

    def test_spf_that_nobody_can_read(self) -> None:
        """It says why."""
        wrong = self.one("one.test TXT", sending=Sending({}, "it needs too many questions"))
        self.assertEqual((wrong.state, wrong.words), (State.WRONG, "it needs too many questions"))

    def test_spf_unknown(self) -> None:
        """Without answers about what it refers to, or about our own addresses, nobody can say."""
        self.assertEqual(self.one("one.test TXT", sending=None).state, State.UNKNOWN)
        self.assertEqual(self.one("one.test TXT", sending=Sending({})).state, State.UNKNOWN)

    def test_smarthosts(self) -> None:
        """What they may is not ours to say."""
        place = Place(addresses=PLACE.addresses, smarthost=True)
        self.assertEqual(check(sending=None, place=place)[1]["one.test TXT"].state, State.OK)

    def test_policies(self) -> None:
        """Any one is fine, two are none."""
        changes = {("_dmarc.one.test", "TXT"): ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}
        self.assertEqual(self.one("_dmarc.one.test TXT", changes).state, State.WRONG)

    def test_dns_in_trouble(self) -> None:
        """No answer is neither good nor missing, and is said in the words of the trouble."""
        trouble = TemporaryFailure("the DNS has no answer about one.test at present")
        records = records_for(SETUP, PLACE)
        answers: Answers = dict.fromkeys(questions(SETUP, records), trouble)
        found = Check(SETUP, PLACE, answers, None)
        for each in found.checked(records):
            self.assertEqual((each.state, each.words), (State.UNKNOWN, trouble.public))
        self.assertIsNone(found.pointed)
        self.assertEqual(more_questions(SETUP, answers), set())

    def test_the_server_has_no_address(self) -> None:
        """Then nobody can say whether a name leads to it: that is for the operator to mend."""
        place = Place()
        checked = check({("mx.host.test", "A"): []}, place=place)[1]
        self.assertEqual(checked["mail.one.test CNAME"].state, State.UNKNOWN)
        self.assertIn("mx.host.test, has no address", checked["mail.one.test CNAME"].words)

    def test_the_server_s_own_name(self) -> None:
        """In its own zone it needs addresses, and only we know which are right."""
        own = setup({"imaps": 993}, hostname="mail.one.test")
        place = Place(addresses=("192.0.2.1",))
        answers = {("one.test", "MX"): ["10 mail.one.test."]}
        self.assertEqual(check(answers, of=own, place=place)[1]["mail.one.test A"].state, State.OK)
        missing = check({("mail.one.test", "A"): []}, of=own, place=Place())[1]["mail.one.test A"]
        self.assertEqual((missing.state, missing.words), (State.MISSING, "mail.one.test has no address"))

    def test_half_an_answer(self) -> None:
        """If only one kind of address could be asked for, that counts."""
        checked = self.one("mail.one.test CNAME", {("mail.one.test", "AAAA"): TemporaryFailure("no")})
        self.assertEqual(checked.state, State.OK)

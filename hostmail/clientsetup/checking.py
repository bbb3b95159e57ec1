"""What the DNS says beside what it should say, record by record, with the exact change that mends it (F6). Others do the asking."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hostmail.clientsetup.records import NOWHERE, Need, Place, Record, What, written
from hostmail.clientsetup.setup import Setup
from hostmail.clientsetup.spf import policies, with_terms
from hostmail.errors import Refusal

MOST_EXCHANGES = 10

NO_ADDRESS = "the server's own name, {}, has no address in the DNS: tell its operator"

Question = tuple[str, str]
Answers = Mapping[Question, Sequence[str] | Refusal]


class State(StrEnum):
    """How a record is."""

    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """A record beside what was found. `fix` are lines of a zone file to have instead, or to add; `words` say what is the matter."""

    record: Record
    state: State
    found: tuple[str, ...] = ()
    words: str = ""
    fix: tuple[str, ...] = ()

    @property
    def is_problem(self) -> bool:
        """Whether somebody has to do something; a suggestion is none."""
        return self.state is not State.OK and self.record.need is not Need.SUGGESTED


@dataclass(frozen=True, slots=True)
class Sending:
    """What receivers make of mail from here, by SPF: the result for each of our addresses, or what is wrong with the record itself."""

    results: Mapping[str, str]
    trouble: str = ""


def questions(setup: Setup, records: Collection[Record], web_host: str = "") -> set[Question]:
    """What to ask first."""
    hosts = filter(None, [setup.hostname, web_host])
    asked = {(host, kind) for host in hosts for kind in ("A", "AAAA")} | {(setup.domain, "MX"), (setup.domain, "TXT")}
    for record in records:
        if record.what in (What.SERVER, What.SETUP):
            asked |= {(record.name, kind) for kind in ("A", "AAAA")}
        else:
            asked.add((record.name, record.kind))
    return asked


def more_questions(setup: Setup, answers: Answers) -> set[Question]:
    """What to ask then: where other mail exchangers are, for one may be this server under another name."""
    hosts = [host for _, host in exchanges(_known(answers, (setup.domain, "MX")) or ())]
    return {
        (host, kind) for host in hosts[:MOST_EXCHANGES] if host and host != setup.hostname for kind in ("A", "AAAA")
    }


def addresses_of(answers: Answers, host: str) -> tuple[str, ...] | None:
    """The addresses of a host; None if nobody could be asked."""
    both = [_known(answers, (host, kind)) for kind in ("A", "AAAA")]
    if all(each is None for each in both):
        return None
    return tuple(address for each in both for address in each or ())


def exchanges(values: Sequence[str]) -> list[tuple[int, str]]:
    """MX records, the best first."""
    found = []
    for value in values:
        preference, _, host = value.partition(" ")
        found.append((int(preference), host.lower().rstrip(".")))
    return sorted(found)


class Check:
    """All records of one domain beside the answers of the DNS. Without `sending` nothing is known about what SPF means for us."""

    def __init__(self, setup: Setup, place: Place, answers: Answers, sending: Sending | None) -> None:
        self._setup = setup
        self._place = place
        self._answers = answers
        self._sending = sending

    def checked(self, records: Sequence[Record]) -> list[Checked]:
        """Each record."""
        by_what: Mapping[What, Callable[[Record], Checked]] = {
            What.MAIL: self._mail,
            What.SERVER: self._leads_here,
            What.SETUP: self._leads_here,
            What.SENDERS: self._senders,
            What.SERVICE: self._service,
            What.POLICY: self._policy,
        }
        return [by_what[record.what](record) for record in records]

    @property
    def pointed(self) -> bool | None:
        """Whether the domain's mail comes here; None if nobody can say at present."""
        values = _known(self._answers, (self._setup.domain, "MX"))
        if values is None:
            return None
        return any(self._is_us(host) for _, host in exchanges(values))

    def _is_us(self, host: str) -> bool:
        if host == self._setup.hostname:
            return True
        return bool(set(addresses_of(self._answers, host) or ()) & set(self._place.addresses))

    def _mail(self, record: Record) -> Checked:
        values = _known(self._answers, (record.name, "MX"))
        if values is None:
            return self._unknown(record, (record.name, "MX"))
        found = exchanges(values)
        if not found:
            return missing(record, f"{self._setup.shown} has no MX record")
        shown = tuple(f"{preference} {host}." for preference, host in found)
        others = [host or "." for _, host in found if not self._is_us(host)]
        if len(others) == len(found):
            return Checked(record, State.WRONG, shown, f"mail goes to {listed(others)}", tuple(record.lines()))
        best, _ = found[0]
        before = [host for preference, host in found if preference == best and not self._is_us(host)]
        if before:
            return Checked(record, State.WRONG, shown, f"mail goes to {listed(before)} as well", tuple(record.lines()))
        words = f"{listed(others)} may take mail while this server cannot be reached" if others else ""
        return Checked(record, State.OK, shown, words)

    def _leads_here(self, record: Record) -> Checked:
        found = addresses_of(self._answers, record.name)
        if found is None:
            return self._unknown(record, (record.name, "A"))
        if not found:
            words = f"{record.name} has no address"
            return Checked(record, State.MISSING, (), words, tuple(record.lines()))
        is_elsewhere = record.what is What.SETUP and bool(self._place.web_host)
        ours = (
            set(addresses_of(self._answers, self._place.web_host) or ()) if is_elsewhere else set(self._place.addresses)
        )
        wrong = [address for address in found if address not in ours]
        if record.name == self._setup.hostname:
            return Checked(record, State.OK, found)
        if not ours:
            return Checked(record, State.UNKNOWN, found, NO_ADDRESS.format(self._setup.hostname))
        if wrong:
            words = f"it leads to {listed(wrong)}, and this server is at {listed(sorted(ours))}"
            return Checked(record, State.WRONG, found, words, tuple(record.lines()))
        return Checked(record, State.OK, found)

    def _senders(self, record: Record) -> Checked:
        values = _known(self._answers, (record.name, "TXT"))
        if values is None:
            return self._unknown(record, (record.name, "TXT"))
        found = tuple(policies(values))
        if not found:
            return missing(record, "there is no SPF record")
        if len(found) > 1:
            words = f"there are {len(found)} SPF records, and receivers use none of them: have one"
            return Checked(
                record, State.WRONG, found, words, self._mended(record, with_terms(found[0], list(_rest(found[1:]))))
            )
        if self._place.smarthost:
            return Checked(record, State.OK, found, "your smarthost's provider says whether this allows it to send")
        sending = self._sending
        if sending is None:
            return Checked(record, State.UNKNOWN, found, "the DNS did not answer about all that it refers to")
        if sending.trouble:
            return Checked(record, State.WRONG, found, sending.trouble, tuple(record.lines()))
        if not sending.results:
            return Checked(record, State.UNKNOWN, found, NO_ADDRESS.format(self._setup.hostname))
        refused = [f"{address} ({result})" for address, result in sending.results.items() if result != "pass"]
        if refused:
            words = f"it does not allow this server to send: {listed(refused)}"
            fix = self._mended(record, found[0])
            if written("TXT", found[0]) in fix[0]:
                return Checked(record, State.WRONG, found, f"{words}, but will when the MX record is right")
            return Checked(record, State.WRONG, found, words, fix)
        return Checked(record, State.OK, found)

    def _mended(self, record: Record, policy: str) -> tuple[str, ...]:
        """Their own record, with our terms in it."""
        wanted = [term for term in record.values[0].split()[1:] if not term.endswith("all")]
        fixed = with_terms(policy, wanted)
        return (record.lines()[0].replace(written("TXT", record.values[0]), written("TXT", fixed)),)

    def _service(self, record: Record) -> Checked:
        values = _known(self._answers, (record.name, "SRV"))
        if values is None:
            return self._unknown(record, (record.name, "SRV"))
        found = tuple(value.lower() for value in values)
        if record.values == (NOWHERE,):
            wrong = [value for value in found if value.split()[-1] != "."]
            return self._compared(record, found, wrong, absent_is_fine=True)
        _, _, port, host = record.values[0].split()
        wrong = [value for value in found if value.split()[2:] != [port, host]]
        return self._compared(record, found, wrong)

    def _compared(
        self, record: Record, found: tuple[str, ...], wrong: Sequence[str], absent_is_fine: bool = False
    ) -> Checked:
        if wrong:
            words = f"{listed(wrong)} is not where this server is"
            return Checked(record, State.WRONG, found, words, tuple(record.lines()))
        if not found and not absent_is_fine:
            return missing(record, "there is no such record")
        return Checked(record, State.OK, found)

    def _policy(self, record: Record) -> Checked:
        values = _known(self._answers, (record.name, "TXT"))
        if values is None:
            return self._unknown(record, (record.name, "TXT"))
        found = tuple(value for value in values if value.lower().startswith("v=dmarc1"))
        if not found:
            return missing(record, "there is no such record")
        if len(found) > 1:
            words = f"there are {len(found)} of them, and receivers use none: have one"
            return Checked(record, State.WRONG, found, words, tuple(record.lines()))
        return Checked(record, State.OK, found)

    def _unknown(self, record: Record, question: Question) -> Checked:
        answer = self._answers.get(question)
        return Checked(record, State.UNKNOWN, (), answer.public if isinstance(answer, Refusal) else "nobody was asked")


def missing(record: Record, words: str) -> Checked:
    """What is to be added."""
    return Checked(record, State.MISSING, (), words, tuple(record.lines()))


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _rest(found: Sequence[str]) -> Iterator[str]:
    """The terms of further SPF records, for there may be one only: all but what they say about everybody else."""
    for policy in found:
        yield from (term for term in policy.split()[1:] if not term.lower().lstrip("+-~?").startswith("all"))


def _known(answers: Answers, question: Question) -> Sequence[str] | None:
    found = answers.get(question)
    return None if found is None or isinstance(found, Refusal) else found

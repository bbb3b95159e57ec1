"""Where a recipient's mail goes in the end: rules applied until nothing leads on. Pure (ARCHITECTURE 4)."""

from __future__ import annotations

from dataclasses import dataclass

from hostmail.address import Address, caseless
from hostmail.decisions import Decision, Discard, ForList, Forward, IntoMailbox, Refuse, Relay, Several
from hostmail.errors import MailLoop, NoSuchRecipient, TemporaryFailure
from hostmail.interfaces.directory import MAX_CHAIN
from hostmail.routing.facts import Facts
from hostmail.routing.rules import Step, caught_name, step

MAX_ADDRESSES = 1_000
"""How many addresses one recipient may lead through in all."""


@dataclass(slots=True)
class Stop:
    """An address on the way: which ones led to it, the last one that somebody here has set, and what a catch-all caught.

    With `only_here` an alias led to it. Its domain was hosted then; mail must not leave because it is not any more.
    """

    address: Address
    path: tuple[str, ...] = ()
    forwarder: Address | None = None
    caught: str = ""
    only_here: bool = False


class Resolution:
    """One recipient on its way to its ends.

    While there is an address `wanted`, `learn` its facts; then `decision()` tells. `steps` are the rules that were applied, each with how
    many addresses led there: what `hostmail route` shows. A mailbox or outside address that is reached twice is an end once.

    Loops are refused when they are made. One that is there nevertheless, or a chain longer than MAX_CHAIN (an alias behind a catch-all
    behind a domain alias...), ends with that branch; all others go on.
    """

    def __init__(self, recipient: Address) -> None:
        self.recipient = recipient
        self.steps: list[tuple[int, Step]] = []
        self._open = [Stop(recipient)]
        self._key = recipient.key
        self._seen = {self._key}
        self._ends: dict[object, IntoMailbox | Forward | ForList] = {}
        self._refusals: list[Refuse] = []
        self._otherwise: Discard | Relay | None = None

    @property
    def wanted(self) -> Address | None:
        """The address whose facts are needed next; None when all is known."""
        return self._open[-1].address if self._open else None

    def learn(self, facts: Facts) -> None:
        """Go one step further with the facts about `wanted`."""
        stop = self._open.pop()
        taken = step(stop.address, facts)
        if taken.elsewhere and stop.only_here and facts.domain is None:
            taken = Step(
                stop.address, "not hosted any more", refusal=NoSuchRecipient(private="an alias leads nowhere else")
            )
        self._note(stop, taken)
        caught = stop.caught or (caught_name(stop.address) if taken.caught else "")
        if taken.mailbox is not None:
            account = taken.mailbox
            addressed = "" if self._key == caseless(account.address) else str(self.recipient)
            end = IntoMailbox(account.id, account.address, addressed=addressed, caught=caught)
            self._ends.setdefault(account.id, end)
        elif taken.for_list is not None:
            self._ends.setdefault(("list", taken.for_list.address.key), taken.for_list)
        elif taken.discarded:
            self._otherwise = Discard(caught)
        elif taken.elsewhere:
            self._leave(stop)
        if taken.onward:
            self._go_on(stop, taken, caught)

    def _leave(self, stop: Stop) -> None:
        if stop.forwarder is None:
            self._otherwise = Relay(stop.address)
        else:
            self._ends.setdefault(stop.address.key, Forward(stop.address, stop.forwarder, stop.caught))

    def _go_on(self, stop: Stop, taken: Step, caught: str) -> None:
        path = (*stop.path, stop.address.key)
        for address in reversed(taken.onward):
            further = Stop(address, path, stop.address, caught, address in taken.only_here)
            if address.key in path:
                self._note(further, Step(address, "loop", refusal=MailLoop(private=" -> ".join((*path, address.key)))))
            elif len(path) > MAX_CHAIN or len(self._seen) >= MAX_ADDRESSES:
                self._note(further, Step(address, "too far", refusal=_too_far(self.recipient)))
            elif address.key not in self._seen:
                self._seen.add(address.key)
                self._open.append(further)

    def _note(self, stop: Stop, taken: Step) -> None:
        self.steps.append((len(stop.path), taken))
        if taken.refusal is not None:
            self._refusals.append(Refuse(taken.refusal, stop.address))

    def decision(self) -> Decision:
        """What to do; a refusal only if there is no other end."""
        ends, refused = tuple(self._ends.values()), self._refusals
        if len(ends) == 1 and not refused:
            return ends[0]
        if ends:
            return Several((*ends, *refused))
        if refused:
            refusals = [each.refusal for each in refused]
            return Refuse(next((no for no in refusals if not no.permanent), refusals[0]))
        return self._otherwise or Refuse(NoSuchRecipient())


def _too_far(recipient: Address) -> TemporaryFailure:
    """Somebody here has to put that right; until then no mail is lost."""
    return TemporaryFailure(private=f"{recipient} leads through too many addresses", enhanced="4.3.5")

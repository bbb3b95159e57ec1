"""The rules applied: gathers what they need to know and lets them judge sender and recipient of a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hostmail.address import Address
from hostmail.checks.holding import HeldRoom
from hostmail.checks.loops import been_here, too_many_hops
from hostmail.checks.responsible import (
    Permit,
    Responsible,
    Sponsor,
    by_grant,
    by_login,
    is_strict,
    may_relay,
    may_send,
    must_match_sender,
)
from hostmail.checks.sending import SendingRates
from hostmail.checks.sizes import fits_limit, fits_room
from hostmail.decisions import Decision, IntoMailbox, Refuse, Relay, ToList, targets_of
from hostmail.envelope import Envelope, Peer
from hostmail.errors import NoSuchRecipient, Refusal
from hostmail.interfaces.directory import IDirectory
from hostmail.interfaces.logins import Grant, IRelayGrants
from hostmail.interfaces.mailstore import IMailStore


class Gate:
    """Says no to senders, recipients and messages that the rules forbid; every no is a `Refusal`.

    `message_size_limit` is D3's, `pop_before_smtp` C5's switch for the whole server; `decide` tells where an address leads.
    """

    too_many_hops = staticmethod(too_many_hops)
    been_here = staticmethod(been_here)

    def __init__(
        self,
        *,
        directory: IDirectory,
        store: IMailStore,
        grants: IRelayGrants,
        message_size_limit: int,
        pop_before_smtp: bool,
        sending: SendingRates,
        held_room: HeldRoom,
        decide: Callable[[Address], Awaitable[Decision]],
    ) -> None:
        self._directory = directory
        self._store = store
        self._grants = grants
        self._message_size_limit = message_size_limit
        self._pop_before_smtp = pop_before_smtp
        self._sending = sending
        self._held_room = held_room
        self._decide = decide

    async def sender(self, peer: Peer, envelope: Envelope) -> None:
        """Judge MAIL FROM: its promised size, and for an account that has logged in whether it may send, and as that sender."""
        fits_limit(envelope.size, self._message_size_limit)
        if peer.account_id is not None:
            sponsor = await self._sponsor(peer.account_id)
            may_send(sponsor)
            await self._must_match(envelope.reverse_path, sponsor)

    async def recipient(self, peer: Peer, envelope: Envelope, decision: Decision) -> Permit:
        """Judge one recipient after routing."""
        if isinstance(decision, Refuse):
            raise decision.refusal
        responsible, sponsor = await self._responsible(peer)
        if not isinstance(decision, Relay):
            await self._is_taken(decision, envelope)
            return Permit(responsible)
        sender = may_relay(responsible, sponsor)
        await self._must_match(envelope.reverse_path, sponsor)
        held = self._sending.count(sender, peer.ip)
        if held:
            await self.may_hold(sender.account_id, 1, envelope.size or 0)
        return Permit(sender, held)

    async def may_hold(self, account_id: int, recipients: int, octets: int) -> None:
        """Raises TooMany if more mail of an account is held already than may be."""
        await self._held_room.check(account_id, recipients, octets)

    async def _must_match(self, reverse_path: Address | None, sponsor: Sponsor) -> None:
        leads = await self._decide(reverse_path) if reverse_path is not None and is_strict(sponsor) else None
        must_match_sender(reverse_path, sponsor, leads)

    async def vouched(self, peer: Peer) -> bool:
        """Whether somebody answers for this client: by a login, or by a check of mail that counts (C2, C5)."""
        return (await self._responsible(peer))[0] is not None

    async def _is_taken(self, decision: Decision, envelope: Envelope) -> None:
        """Raises if no end of a recipient takes the message (D4); one is enough, for the sender gets a report about the others.

        Where all refuse, a reason that may pass counts before one for good: trying again helps somebody then.
        """
        refusals: list[Refusal] = []
        for end in targets_of(decision):
            try:
                if isinstance(end, Refuse):
                    raise end.refusal
                if isinstance(end, ToList):
                    fits_limit(envelope.size, end.size_bytes)
                if isinstance(end, IntoMailbox):
                    await self._has_room(end, envelope)
            except Refusal as refusal:
                refusals.append(refusal)
            else:
                return
        raise next((no for no in refusals if not no.permanent), refusals[0])

    async def _has_room(self, decision: IntoMailbox, envelope: Envelope) -> None:
        account = await self._directory.account(decision.account_id)
        if account is None:
            raise NoSuchRecipient(private=f"account {decision.account_id} has just been removed")
        fits_room(envelope.size, await self._store.room(account, envelope.size or 0))

    async def _responsible(self, peer: Peer) -> tuple[Responsible | None, Sponsor]:
        if peer.account_id is not None:
            sponsor = await self._sponsor(peer.account_id)
            return by_login(peer, sponsor), sponsor
        first = await self._grants.find(peer.ip) if peer.ip else None
        if first is None:
            return None, Sponsor()
        answer, sponsor = await self._by_grant(first)
        return (answer, sponsor) if answer is not None else await self._by_another_grant(first)

    async def _by_another_grant(self, unfit: Grant) -> tuple[Responsible | None, Sponsor]:
        """Several accounts may have checked from one address (C6); one whose domain has switched this off spoils it for none."""
        for grant in await self._grants.list():
            if grant.ip == unfit.ip and grant.account_id != unfit.account_id:
                answer, sponsor = await self._by_grant(grant)
                if answer is not None:
                    return answer, sponsor
        return None, Sponsor()

    async def _by_grant(self, grant: Grant) -> tuple[Responsible | None, Sponsor]:
        sponsor = await self._sponsor(grant.account_id)
        return by_grant(grant, sponsor, self._pop_before_smtp), sponsor

    async def _sponsor(self, account_id: int) -> Sponsor:
        account = await self._directory.account(account_id) if account_id else None
        return Sponsor(account, await self._directory.domain(account.domain) if account else None)

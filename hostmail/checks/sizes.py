"""Whether a message of some size may come in, and whether there is room for it (D3, D4). Octets as transferred."""

from __future__ import annotations

from hostmail.errors import MessageTooBig, OverQuota
from hostmail.interfaces.mailstore import Room


def octets(count: int) -> str:
    """A size for people, next to the exact number: "15 MB (15728640 octets)"; MB is MiB, as everywhere (D2)."""
    for unit, factor in (("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.1f}".removesuffix(".0") + f" {unit} ({count} octets)"
    return f"{count} octets"


def fits_limit(size: int | None, limit: int) -> None:
    """Raises MessageTooBig, naming the limit, if MAIL SIZE= promises more than `limit` (D3)."""
    if size is not None and size > limit:
        raise MessageTooBig(f"message is larger than this server accepts: the limit is {octets(limit)}")


def fits_room(size: int | None, room: Room) -> None:
    """Raises OverQuota, naming the space left, unless the mailbox and its domain have room for a message of `size` (D4).

    Without a size only a mailbox that is already full is refused; the exact count is made at delivery.
    """
    if room.limit_messages is not None and room.used.messages >= room.limit_messages:
        raise OverQuota(f"mailbox full: it holds {room.used.messages} messages and may not hold more")
    if room.free_bytes is None:
        return
    free = max(room.free_bytes, 0)
    if not free:
        raise OverQuota("mailbox full: there is no space left")
    if size is not None and size > free:
        raise OverQuota(f"message does not fit into the mailbox: the space left is {octets(free)}")

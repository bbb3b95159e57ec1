"""FETCH items that are made from a message's content: PREVIEW (RFC 8970), BINARY and BINARY.SIZE (RFC 3516)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostmail.errors import Refusal
from hostmail.message import imaptext
from hostmail.message.decode import decoding, transfer_encoding
from hostmail.message.preview import preview
from hostmail.message.sections import find_part
from hostmail.protocols.imap.bodies import MessageReader
from hostmail.protocols.imap.fetchatts import BINARY_SIZE, PREVIEW, Made

if TYPE_CHECKING:
    from hostmail.protocols.imap.server import HostmailIMAP4

PLAIN_ENCODINGS = frozenset({b"7bit", b"8bit", b"binary"})
ENCODINGS = PLAIN_ENCODINGS | {b"base64", b"quoted-printable"}


class UnknownEncoding(Refusal):
    """A transfer encoding that cannot be undone (RFC 3516 section 4.3)."""

    imap, words = "UNKNOWN-CTE", "the part has a transfer encoding that is not known here"


async def make(session: HostmailIMAP4, reader: MessageReader, item: Made) -> tuple[bytes, bytes]:
    """The item's name and what announces its value, and the value. Raises UnknownEncoding."""
    if item.kind == PREVIEW:
        structure = await reader.structure()
        text = await reader.examine(lambda data: preview(data, structure))
        return b"PREVIEW ", imaptext.string(text.encode())
    if reader.decoded is None or reader.decoded[0] != item.parts:
        reader.decoded = item.parts, await _decoded(session, reader, item.parts)
    content = reader.decoded[1]
    if item.kind == BINARY_SIZE:
        return b"%b %d" % (item.label, len(content or b"")), b""
    if content is None:
        return item.label + b" NIL", b""
    if item.start is not None:
        content = content[item.start : item.start + item.count]
    return b"%b %b{%d}\r\n" % (item.label, b"~" if b"\0" in content else b"", len(content)), content


def nothing(item: Made) -> bytes:
    """What stands in a row for something that cannot be decoded; the tagged answer says so."""
    return item.label + (b" 0" if item.kind == BINARY_SIZE else b" NIL")


async def _decoded(session: HostmailIMAP4, reader: MessageReader, numbers: tuple[int, ...]) -> bytes | None:
    """A part without its transfer encoding; all of a message, or a multipart, as it is. None if there is no such part."""
    if not numbers:
        return await reader.whole()
    part = find_part(await reader.structure(), numbers)
    if part is None:
        return None
    data = await reader.whole()
    encoding = transfer_encoding(data, part)
    if part.children or encoding in PLAIN_ENCODINGS:
        return data[part.body_start : part.end]
    if encoding not in ENCODINGS:
        raise UnknownEncoding
    pieces: list[bytes] = []
    for piece in decoding(data, part):
        pieces.append(piece)
        await session.pause()
    return b"".join(pieces)

"""A section's octets at once, where the protocol reads them bit by bit."""

from __future__ import annotations

from hostmail.message.scan import Part
from hostmail.message.sections import Section, find_section


def read_section(data: bytes, message: Part, section: Section) -> bytes | None:
    """The section's octets, or None if the message has no such part."""
    extract = find_section(message, section)
    return None if extract is None else extract.read(data)
